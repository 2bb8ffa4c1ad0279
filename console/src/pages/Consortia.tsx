import { Button, MultiSelect, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, done } from "../api/client";
import { fieldErrors } from "../api/problem";
import { consortiaQuery, organisationsQuery } from "../api/queries";
import { useCan } from "../api/session";
import type { Consortium } from "../api/types";
import { useAction } from "../ui/actions";
import { type Column, DataTable } from "../ui/DataTable";
import { Dialog } from "../ui/Dialog";
import { Empty } from "../ui/Empty";
import { IconPlus } from "../ui/icons";
import { TextLink } from "../ui/links";
import { NameField } from "../ui/NameField";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { ProblemAlert } from "../ui/ProblemAlert";
import { QueryView } from "../ui/QueryView";
import { Ago } from "../ui/Time";

const COLUMNS: Column<Consortium>[] = [
  {
    id: "title",
    header: "Consortium",
    value: (row) => row.title,
    cell: (row) => (
      <TextLink to="/consortia/$consortium" params={{ consortium: row.id }} fw={500}>
        {row.title}
      </TextLink>
    ),
  },
  {
    id: "name",
    header: "Name",
    value: (row) => row.name,
    cell: (row) => <span className="mono">{row.name}</span>,
    wide: true,
  },
  { id: "members", header: "Members", value: (row) => row.members.map((member) => member.title).join(", ") },
  {
    id: "createdAt",
    header: "Founded",
    align: "right",
    value: (row) => row.createdAt,
    cell: (row) => <Ago at={row.createdAt} />,
  },
];

export function Consortia() {
  const can = useCan();
  const [opened, dialog] = useDisclosure();
  const consortia = useQuery(consortiaQuery());
  const found = can("consortia:write") && (
    <Button leftSection={<IconPlus size={16} />} onClick={dialog.open}>
      Found a consortium
    </Button>
  );
  return (
    <>
      <PageHeader title="Consortia" description="Groups of organisations that share networks." actions={found} />
      <Panel flush>
        <QueryView query={consortia}>
          {({ items }) => (
            <DataTable
              label="Consortia"
              columns={COLUMNS}
              rows={items}
              rowId={(row) => row.id}
              empty={
                <Empty title="No consortium yet" action={found}>
                  Make the organisations first; then found a consortium of them. Each member signs with its own key.
                </Empty>
              }
            />
          )}
        </QueryView>
      </Panel>
      <Dialog opened={opened} onClose={dialog.close} title="Found a consortium">
        <FoundForm onDone={dialog.close} />
      </Dialog>
    </>
  );
}

function FoundForm({ onDone }: { onDone: () => void }) {
  const organisations = useQuery(organisationsQuery());
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const [members, setMembers] = useState<string[]>([]);
  const found = useAction(
    () => done(api.POST("/api/v1/consortia", { body: { name, title: title || undefined, members } })),
    onDone,
  );
  const errors = fieldErrors(found.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    found.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <NameField value={name} error={errors.name} onChange={setName} />
        <TextInput
          label="Display name"
          placeholder={name}
          value={title}
          error={errors.title}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <MultiSelect
          label="Members"
          description="Each signs the founding statement with its organisation key. The signatures go to the audit log."
          required
          searchable
          data={(organisations.data?.items ?? []).map((row) => ({ value: row.id, label: row.title }))}
          value={members}
          error={errors.members}
          onChange={setMembers}
          nothingFoundMessage="Make an organisation first"
        />
        <ProblemAlert error={found.error ?? organisations.error} />
        <Button type="submit" loading={found.isPending} disabled={name === "" || members.length === 0}>
          Found the consortium
        </Button>
      </Stack>
    </form>
  );
}
