import { ActionIcon, Button, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { api, done } from "../api/client";
import { fieldErrors } from "../api/problem";
import { organisationsQuery } from "../api/queries";
import { useCan } from "../api/session";
import type { Organisation } from "../api/types";
import { Confirm, useAction } from "../ui/actions";
import { Copyable } from "../ui/Copyable";
import { type Column, DataTable } from "../ui/DataTable";
import { Dialog } from "../ui/Dialog";
import { Empty } from "../ui/Empty";
import { IconDelete, IconPlus } from "../ui/icons";
import { NameField } from "../ui/NameField";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { ProblemAlert } from "../ui/ProblemAlert";
import { QueryView } from "../ui/QueryView";
import { Ago } from "../ui/Time";

export function Organisations() {
  const can = useCan();
  const [opened, dialog] = useDisclosure();
  const [leaving, setLeaving] = useState<Organisation>();
  const organisations = useQuery(organisationsQuery());
  const mayWrite = can("organisations:write");
  const columns = useMemo<Column<Organisation>[]>(
    () => [
      {
        id: "title",
        header: "Organisation",
        value: (row) => row.title,
        cell: (row) => (
          <Text size="sm" fw={500}>
            {row.title}
          </Text>
        ),
      },
      { id: "name", header: "Name", value: (row) => row.name, cell: (row) => <span className="mono">{row.name}</span> },
      {
        id: "publicKey",
        header: "Public key",
        wide: true,
        value: (row) => row.publicKey,
        cell: (row) => <Copyable short text={row.publicKey} what="public key" />,
      },
      {
        id: "createdAt",
        header: "Created",
        align: "right",
        value: (row) => row.createdAt,
        cell: (row) => <Ago at={row.createdAt} />,
      },
      {
        id: "actions",
        header: "",
        align: "right",
        value: () => null,
        cell: (row) =>
          mayWrite && (
            <ActionIcon aria-label={`Delete ${row.title}`} onClick={() => setLeaving(row)}>
              <IconDelete size={16} />
            </ActionIcon>
          ),
      },
    ],
    [mayWrite],
  );
  const create = mayWrite && (
    <Button leftSection={<IconPlus size={16} />} onClick={dialog.open}>
      New organisation
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Organisations"
        description="Legal entities with their own keys, users and nodes. In a consortium they are its members."
        actions={create}
      />
      <Panel flush>
        <QueryView query={organisations}>
          {({ items }) => (
            <DataTable
              label="Organisations"
              columns={columns}
              rows={items}
              rowId={(row) => row.id}
              filter="Filter organisations"
              empty={
                <Empty title="No organisation yet" action={create}>
                  Each organisation gets a key of its own, encrypted with the deployment's master key.
                </Empty>
              }
            />
          )}
        </QueryView>
      </Panel>
      <Dialog opened={opened} onClose={dialog.close} title="New organisation">
        <CreateForm onDone={dialog.close} />
      </Dialog>
      <Confirm
        opened={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={`Delete ${leaving?.title ?? ""}`}
        name={leaving?.name ?? ""}
        button="Delete the organisation"
        act={() =>
          done(
            api.DELETE("/api/v1/organisations/{organisation}", {
              params: { path: { organisation: leaving?.id ?? "" } },
            }),
          )
        }
      >
        Its key is destroyed and cannot be had back. An organisation that is a member of a consortium stays.
      </Confirm>
    </>
  );
}

function CreateForm({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const create = useAction(
    () => done(api.POST("/api/v1/organisations", { body: { name, title: title || undefined } })),
    onDone,
  );
  const errors = fieldErrors(create.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
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
        <ProblemAlert error={create.error} />
        <Button type="submit" loading={create.isPending} disabled={name === ""}>
          Create the organisation
        </Button>
      </Stack>
    </form>
  );
}
