import { Button, Checkbox, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type FormEvent, useMemo, useState } from "react";
import { api, done } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import { channelsQuery, networkQuery } from "../../api/queries";
import { useCan } from "../../api/session";
import type { Channel } from "../../api/types";
import { channelProblem } from "../../lib/chaincode";
import { formatNumber, NONE, nodeShortName } from "../../lib/format";
import { useAction } from "../../ui/actions";
import { type Column, DataTable } from "../../ui/DataTable";
import { Dialog } from "../../ui/Dialog";
import { Empty } from "../../ui/Empty";
import { showValue } from "../../ui/Facts";
import { IconPlus } from "../../ui/icons";
import { TextLink } from "../../ui/links";
import { noticeOperation } from "../../ui/OperationNotice";
import { Panel } from "../../ui/Panel";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { QueryView } from "../../ui/QueryView";
import { Ago } from "../../ui/Time";

const route = getRouteApi("/signed-in/networks/$network/channels");

/** The sub-ledgers of a network, each with members of its own. */
export function Channels() {
  const { network } = route.useParams();
  const can = useCan();
  const channels = useQuery(channelsQuery(network));
  const columns = useMemo<Column<Channel>[]>(
    () => [
      {
        id: "name",
        header: "Channel",
        value: (row) => row.name,
        cell: (row) => (
          <TextLink to="/networks/$network/blocks" params={{ network }} search={{ channel: row.name }} fw={500}>
            {row.name}
          </TextLink>
        ),
      },
      { id: "members", header: "Members", value: (row) => row.members.join(", ") },
      {
        id: "height",
        header: "Height",
        align: "right",
        value: (row) => row.height,
        cell: (row) => formatNumber(row.height),
      },
      {
        id: "nodes",
        header: "Nodes joined",
        align: "right",
        value: (row) => joined(row).length,
        cell: (row) => formatNumber(joined(row).length),
      },
      {
        id: "chaincodes",
        header: "Chaincode",
        wide: true,
        value: (row) => row.chaincodes.map(({ name, version }) => `${name} ${version}`).join(", ") || NONE,
      },
      {
        id: "createdAt",
        header: "Created",
        align: "right",
        wide: true,
        value: (row) => row.createdAt,
        cell: (row) => <Ago at={row.createdAt} />,
      },
    ],
    [network],
  );
  const create = can("networks:write") && <NewChannel network={network} />;
  return (
    <Panel flush title="Channels" actions={create}>
      <QueryView query={channels}>
        {({ items }) => (
          <DataTable
            label="Channels"
            columns={columns}
            rows={items}
            rowId={(row) => row.name}
            filter="Filter channels"
            detail={{
              label: (row) => `channel ${row.name}`,
              show: (row) => <ChannelNodes network={network} channel={row} />,
            }}
            empty={<Empty title="No channel yet">A channel is a ledger of its own for some of the members.</Empty>}
          />
        )}
      </QueryView>
    </Panel>
  );
}

/** A node that does not answer is not known to have joined. */
function joined({ nodes }: Channel) {
  return nodes.filter((node) => node.height != null);
}

/** What the engine says of a node on the channel and the line above does not. */
function own({ facts, kind }: Channel["nodes"][number]): Record<string, unknown> {
  const told = Object.entries((facts ?? {}) as Record<string, unknown>);
  return Object.fromEntries(
    told.filter(([, value]) => value !== kind && (value === null || typeof value !== "object")),
  );
}

function ChannelNodes({ network, channel }: { network: string; channel: Channel }) {
  return (
    <Stack gap="sm" align="flex-start">
      {channel.nodes.map((node) => (
        <div key={node.id}>
          <TextLink to="/networks/$network/nodes/$node" params={{ network, node: node.id }} fw={500}>
            {nodeShortName(node.name)}
          </TextLink>{" "}
          <Text span size="sm" c="dimmed">
            {node.kind} of {node.member},{" "}
            {node.height == null ? "not joined or without an answer" : `height ${formatNumber(node.height)}`}
          </Text>
          <Text size="sm" component="div">
            {showValue(own(node))}
          </Text>
        </div>
      ))}
      <JoinChannel network={network} channel={channel} />
    </Stack>
  );
}

/** Has a member of the network join a channel that it is not in; nothing when all are. */
function JoinChannel({ network, channel }: { network: string; channel: Channel }) {
  const can = useCan();
  const [opened, dialog] = useDisclosure();
  const others = useMembers(network).filter((member) => !channel.members.includes(member));
  if (!can("networks:write") || others.length === 0) return null;
  return (
    <>
      <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={dialog.open}>
        Join a member
      </Button>
      <Dialog opened={opened} onClose={dialog.close} title={`Join a member to ${channel.name}`}>
        <JoinForm network={network} channel={channel.name} members={others} onDone={dialog.close} />
      </Dialog>
    </>
  );
}

interface JoinFormProps {
  network: string;
  channel: string;
  members: string[];
  onDone: () => void;
}

function JoinForm({ network, channel, members, onDone }: JoinFormProps) {
  const [member, setMember] = useState(members[0] ?? "");
  const join = useAction(
    () =>
      done(
        api.POST("/api/v1/networks/{network}/channels/{channel}/members", {
          params: { path: { network, channel } },
          body: { member },
        }),
      ),
    (operation) => {
      onDone();
      noticeOperation(operation);
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    join.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Select
          label="Member"
          description="The other members admit it; its peers get the whole ledger of the channel and run its chaincodes"
          data={members}
          value={member}
          error={fieldErrors(join.error).member}
          onChange={(value) => setMember(value ?? "")}
          allowDeselect={false}
          data-autofocus
        />
        <ProblemAlert error={join.error} />
        <Button type="submit" loading={join.isPending}>
          Join the channel
        </Button>
      </Stack>
    </form>
  );
}

/** The members that run nodes of a network. */
function useMembers(network: string): string[] {
  const nodes = useQuery(networkQuery(network)).data?.nodes ?? [];
  return [...new Set(nodes.map((node) => node.member))];
}

function NewChannel({ network }: { network: string }) {
  const [opened, dialog] = useDisclosure();
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={14} />} onClick={dialog.open}>
        Create channel
      </Button>
      <Dialog opened={opened} onClose={dialog.close} title="Create channel">
        <NewChannelForm network={network} onDone={dialog.close} />
      </Dialog>
    </>
  );
}

function NewChannelForm({ network, onDone }: { network: string; onDone: () => void }) {
  const all = useMembers(network);
  const [name, setName] = useState("");
  const [members, setMembers] = useState(all);
  const [tried, setTried] = useState(false);
  const problem = channelProblem(name);
  const create = useAction(
    () =>
      done(api.POST("/api/v1/networks/{network}/channels", { params: { path: { network } }, body: { name, members } })),
    (operation) => {
      onDone();
      // The network's pages show its steps while it runs.
      noticeOperation(operation);
    },
  );
  const errors = fieldErrors(create.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (problem === undefined && members.length > 0) create.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <TextInput
          label="Name"
          description="Lower-case letters, digits, dots and dashes, beginning with a letter"
          data-autofocus
          autoComplete="off"
          value={name}
          error={errors.name ?? (tried ? problem : undefined)}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Checkbox.Group
          label="Members"
          description="Only their nodes keep the channel's ledger"
          value={members}
          error={errors.members ?? (tried && members.length === 0 ? "Choose at least one member." : undefined)}
          onChange={setMembers}
        >
          <Stack gap="xs" mt="xs">
            {all.map((member) => (
              <Checkbox key={member} value={member} label={member} />
            ))}
          </Stack>
        </Checkbox.Group>
        <ProblemAlert error={create.error} />
        <Button type="submit" loading={create.isPending}>
          Create the channel
        </Button>
      </Stack>
    </form>
  );
}
