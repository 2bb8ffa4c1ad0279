import { Badge, Button, Checkbox, Group, Select, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api, done } from "../../api/client";
import { networkQuery, validatorsQuery } from "../../api/queries";
import { useCan } from "../../api/session";
import type { Validator } from "../../api/types";
import { NONE, nodeShortName, plural } from "../../lib/format";
import { useAction } from "../../ui/actions";
import { type Column, DataTable } from "../../ui/DataTable";
import { Dialog } from "../../ui/Dialog";
import { Empty } from "../../ui/Empty";
import { Panel } from "../../ui/Panel";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { QueryView } from "../../ui/QueryView";
import { Status } from "../../ui/Status";
import { AddressLink } from "../../ui/tables";

const route = getRouteApi("/signed-in/networks/$network/validators");

/** Who agrees on blocks, and the members' votes on them. */
export function Validators() {
  const { network } = route.useParams();
  const can = useCan();
  const query = useQuery(validatorsQuery(network));
  const [voting, setVoting] = useState<Validator>();
  const mayVote = can("networks:write");
  const columns = useMemo<Column<Validator>[]>(
    () => [
      {
        id: "node",
        header: "Node",
        value: (row) => row.node ?? row.address,
        cell: (row) => (
          <Text inherit fw={500}>
            {row.node ? nodeShortName(row.node) : "not of this network"}
          </Text>
        ),
      },
      { id: "member", header: "Member", value: (row) => row.member ?? NONE },
      {
        id: "address",
        header: "Address",
        wide: true,
        value: (row) => row.address,
        cell: (row) => <AddressLink network={network} address={row.address} />,
      },
      {
        id: "validates",
        header: "Validates",
        value: (row) => (row.validates ? "yes" : "no"),
      },
      {
        id: "status",
        header: "Status",
        wide: true,
        value: (row) => row.status ?? NONE,
        cell: (row) => (row.status ? <Status status={row.status} /> : NONE),
      },
      {
        id: "votes",
        header: "Votes",
        value: (row) => row.votes.length,
        cell: (row) => <Votes validator={row} deciding={query.data?.deciding} />,
      },
      {
        id: "actions",
        header: "",
        align: "right",
        value: () => null,
        cell: (row) =>
          mayVote && (
            <Button size="compact-sm" variant="default" onClick={() => setVoting(row)}>
              Vote
            </Button>
          ),
      },
    ],
    [network, mayVote, query.data?.deciding],
  );
  return (
    <Panel flush title="Validators">
      <QueryView query={query}>
        {(validators) => (
          <DataTable
            label="Validators"
            columns={columns}
            rows={validators.items}
            rowId={(row) => row.address}
            filter="Filter validators"
            empty={<Empty title="No validator" />}
            foot={`${plural(validators.validators, "validator")}; ${validators.agreement} must agree on a block, ${validators.deciding} votes decide on a change. A vote counts when its voter next makes a block.`}
          />
        )}
      </QueryView>
      <Dialog
        opened={voting !== undefined}
        onClose={() => setVoting(undefined)}
        title={`Vote on ${voting?.node ? nodeShortName(voting.node) : (voting?.address ?? "")}`}
      >
        {voting && <VoteForm network={network} validator={voting} onDone={() => setVoting(undefined)} />}
      </Dialog>
    </Panel>
  );
}

function Votes({ validator, deciding }: { validator: Validator; deciding: number | undefined }) {
  if (!validator.proposed) return NONE;
  return (
    <Stack gap={4}>
      <Badge variant="light" color={validator.proposed === "add" ? "green" : "red"} style={{ overflow: "visible" }}>
        {validator.proposed === "add" ? "In" : "Out"}: {validator.votes.length} of {deciding}
      </Badge>
      <Text size="xs" c="dimmed" className="break">
        {validator.votes
          .map(({ member, address, counted }) => `${member ?? address}${counted ? "" : " (waits)"}`)
          .join(", ")}
      </Text>
    </Stack>
  );
}

/** A member's vote on one validator. */
export function VoteForm(props: { network: string; validator: Validator; onDone: () => void }) {
  const { network, validator, onDone } = props;
  const nodes = useQuery(networkQuery(network)).data?.nodes ?? [];
  const members = [...new Set(nodes.map((node) => node.member))];
  const [member, setMember] = useState<string | null>(members.length === 1 ? (members[0] ?? null) : null);
  const [force, setForce] = useState(false);
  const change = validator.validates ? "remove" : "add";
  const path = { network };
  const vote = useAction(
    () =>
      done(
        api.POST("/api/v1/networks/{network}/validators/votes", {
          params: { path },
          body: { validator: validator.address, change, member: member ?? undefined, force },
        }),
      ),
    onDone,
  );
  const withdraw = useAction(
    () =>
      done(
        api.DELETE("/api/v1/networks/{network}/validators/votes/{validator}", {
          params: { path: { network, validator: validator.address }, query: { member: member ?? undefined } },
        }),
      ),
    onDone,
  );
  const voted = validator.votes.some((one) => one.member === member);
  return (
    <Stack gap="md">
      <Text size="sm">
        {change === "remove"
          ? "When enough members vote it out, it keeps running and following the ledger, but no longer agrees on blocks."
          : "When enough members vote it in, it agrees on blocks with the others."}
      </Text>
      <Select
        label="Member that votes"
        description="With all of its validators that run"
        data={members}
        value={member}
        onChange={setMember}
        allowDeselect={false}
        placeholder="Choose a member"
      />
      {voted && (
        <Text size="sm" c="dimmed">
          {member} has voted already. A vote that is counted stays so until the consensus forgets it; one that waits can
          be withdrawn.
        </Text>
      )}
      <Checkbox
        label="Also when too few validators are known to be up afterwards"
        checked={force}
        onChange={(event) => setForce(event.currentTarget.checked)}
      />
      <ProblemAlert error={vote.error ?? withdraw.error} />
      <Group justify="flex-end" gap="xs">
        {voted && (
          <Button variant="default" loading={withdraw.isPending} onClick={() => withdraw.mutate()}>
            Withdraw the vote
          </Button>
        )}
        <Button
          color={change === "remove" ? "red" : undefined}
          loading={vote.isPending}
          disabled={member === null}
          onClick={() => vote.mutate()}
        >
          {change === "remove" ? "Vote it out" : "Vote it in"}
        </Button>
      </Group>
    </Stack>
  );
}
