import { Button, Select, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useConsensus } from "../../api/capabilities";
import { api, done } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import { accountsQuery } from "../../api/queries";
import { useCan } from "../../api/session";
import type { Network } from "../../api/types";
import { capital, roleName } from "../../lib/format";
import { useAction } from "../../ui/actions";
import { Dialog } from "../../ui/Dialog";
import { IconPlus } from "../../ui/icons";
import { noticeOperation } from "../../ui/OperationNotice";
import { ProblemAlert } from "../../ui/ProblemAlert";

/** Adds a node to a network that runs, where its consensus takes more. */
export function AddNode({ network }: { network: Network }) {
  const can = useCan();
  const kinds = useConsensus(network.id)?.addable ?? [];
  const [opened, dialog] = useDisclosure();
  const ready = !["creating", "deleting", "failed", "stopped"].includes(network.status);
  if (!can("nodes:write") || kinds.length === 0 || !ready) return null;
  return (
    <>
      <Button size="xs" leftSection={<IconPlus size={14} />} onClick={dialog.open}>
        Add node
      </Button>
      <Dialog opened={opened} onClose={dialog.close} title={`Add a node to ${network.name}`}>
        <AddNodeForm network={network.id} kinds={kinds} onDone={dialog.close} />
      </Dialog>
    </>
  );
}

function AddNodeForm({ network, kinds, onDone }: { network: string; kinds: string[]; onDone: () => void }) {
  // Each member of a network has an account on it, also one that runs no node yet.
  const accounts = useQuery(accountsQuery(network)).data?.items ?? [];
  const members = [...new Set(accounts.map((account) => account.member))];
  const [member, setMember] = useState<string | null>(null);
  const [kind, setKind] = useState<string | null>(kinds[0] ?? null);
  const [tried, setTried] = useState(false);
  const chosen = member ?? (members.length === 1 ? members[0] : undefined);
  const add = useAction(
    () =>
      done(
        api.POST("/api/v1/networks/{network}/nodes", {
          params: { path: { network } },
          body: { member: chosen, kind },
        }),
      ),
    (operation) => {
      onDone();
      noticeOperation(operation);
    },
  );
  const errors = fieldErrors(add.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (chosen !== undefined) add.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Select
          label="Member"
          description="Whose node it is to be"
          data={members}
          value={chosen ?? null}
          error={errors.member ?? (tried && chosen === undefined ? "Choose a member." : undefined)}
          onChange={setMember}
          data-autofocus
        />
        {kinds.length > 1 && (
          <Select
            label="Kind"
            data={kinds.map((value) => ({ value, label: capital(roleName(value)) }))}
            value={kind}
            error={errors.kind}
            onChange={setKind}
            allowDeselect={false}
          />
        )}
        <ProblemAlert error={add.error} />
        <Button type="submit" loading={add.isPending}>
          Add the node
        </Button>
      </Stack>
    </form>
  );
}
