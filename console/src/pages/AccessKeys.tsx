import { ActionIcon, Alert, Button, Checkbox, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { api, done } from "../api/client";
import { fieldErrors } from "../api/problem";
import { accessKeysQuery } from "../api/queries";
import { useSession } from "../api/session";
import type { AccessKey, Grant } from "../api/types";
import { formatTime } from "../lib/format";
import { Confirm, useAction } from "../ui/actions";
import { Copyable } from "../ui/Copyable";
import { type Column, DataTable } from "../ui/DataTable";
import { Dialog } from "../ui/Dialog";
import { Empty } from "../ui/Empty";
import { GrantList } from "../ui/GrantsInput";
import { IconDelete, IconPlus } from "../ui/icons";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { ProblemAlert } from "../ui/ProblemAlert";
import { QueryView } from "../ui/QueryView";
import { Ago } from "../ui/Time";

export function AccessKeys() {
  const [opened, dialog] = useDisclosure();
  const [made, setMade] = useState<AccessKey>();
  const [leaving, setLeaving] = useState<AccessKey>();
  const keys = useQuery(accessKeysQuery());
  const columns = useMemo<Column<AccessKey>[]>(
    () => [
      {
        id: "name",
        header: "Name",
        value: (row) => row.name,
        cell: (row) => (
          <Text size="sm" fw={500}>
            {row.name}
          </Text>
        ),
      },
      {
        id: "grants",
        header: "Roles",
        value: (row) => row.grants.length,
        cell: (row) => <GrantList grants={row.grants} />,
        sortable: false,
      },
      {
        id: "lastUsedAt",
        header: "Last used",
        wide: true,
        value: (row) => row.lastUsedAt,
        cell: (row) => (row.lastUsedAt ? <Ago at={row.lastUsedAt} /> : "never"),
      },
      {
        id: "expiresAt",
        header: "Expires",
        value: (row) => row.expiresAt,
        cell: (row) => (row.expiresAt ? formatTime(row.expiresAt) : "never"),
      },
      {
        id: "createdAt",
        header: "Created",
        wide: true,
        align: "right",
        value: (row) => row.createdAt,
        cell: (row) => <Ago at={row.createdAt} />,
      },
      {
        id: "actions",
        header: "",
        align: "right",
        value: () => null,
        cell: (row) => (
          <ActionIcon aria-label={`Revoke ${row.name}`} onClick={() => setLeaving(row)}>
            <IconDelete size={16} />
          </ActionIcon>
        ),
      },
    ],
    [],
  );
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={dialog.open}>
      New access key
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Access keys"
        description="For programs that use the API or the command line. A key may do no more than its user."
        actions={create}
      />
      <Stack gap="lg">
        {made?.secret && (
          <Alert
            color="green"
            title={`The key “${made.name}”, shown this once`}
            withCloseButton
            closeButtonLabel="Close"
            onClose={() => setMade(undefined)}
          >
            <Text size="sm" mb="xs">
              Copy it now: only a hash of it is kept. Programs send it as{" "}
              <span className="mono">Authorization: Bearer …</span>, the command line reads it from{" "}
              <span className="mono">POLDER_ACCESS_KEY</span>.
            </Text>
            <Copyable text={made.secret} what="access key" />
          </Alert>
        )}
        <Panel flush>
          <QueryView query={keys}>
            {({ items }) => (
              <DataTable
                label="Access keys"
                columns={columns}
                rows={items}
                rowId={(row) => row.id}
                filter="Filter access keys"
                empty={
                  <Empty title="No access key yet" action={create}>
                    A key lets the command line, a script or an application use the API in your name.
                  </Empty>
                }
              />
            )}
          </QueryView>
        </Panel>
      </Stack>
      <Dialog opened={opened} onClose={dialog.close} title="New access key">
        <CreateForm
          onDone={(key) => {
            setMade(key);
            dialog.close();
          }}
        />
      </Dialog>
      <Confirm
        opened={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={`Revoke ${leaving?.name ?? ""}`}
        button="Revoke the key"
        act={() => done(api.DELETE("/api/v1/access-keys/{key}", { params: { path: { key: leaving?.id ?? "" } } }))}
      >
        Programs that use the key are refused from now on.
      </Confirm>
    </>
  );
}

const DAY_MICROS = 86_400_000_000;
const LIVES = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "1 year" },
  { value: "", label: "Never" },
];

function CreateForm({ onDone }: { onDone: (key: AccessKey) => void }) {
  const { user } = useSession();
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [chosen, setChosen] = useState<Grant[]>(user.grants);
  const create = useAction(
    () =>
      done(
        api.POST("/api/v1/access-keys", {
          body: {
            name,
            grants: chosen.length === user.grants.length ? undefined : chosen,
            expiresAt: days === "" ? undefined : Date.now() * 1000 + Number(days) * DAY_MICROS,
          },
        }),
      ),
    onDone,
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput
          label="Name"
          description="What the key is for"
          required
          data-autofocus
          value={name}
          error={fieldErrors(create.error).name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          label="Expires after"
          data={LIVES}
          value={days}
          allowDeselect={false}
          onChange={(value) => setDays(value ?? "")}
        />
        {user.grants.length > 1 && (
          <Stack gap="xs">
            <Text size="sm" fw={500}>
              Roles
            </Text>
            {user.grants.map((grant) => (
              <Checkbox
                key={`${grant.role} ${grant.organisation}`}
                label={<GrantList grants={[grant]} />}
                checked={chosen.includes(grant)}
                onChange={(event) =>
                  setChosen(
                    event.currentTarget.checked ? [...chosen, grant] : chosen.filter((other) => other !== grant),
                  )
                }
              />
            ))}
          </Stack>
        )}
        <ProblemAlert error={create.error} />
        <Button type="submit" loading={create.isPending} disabled={name === "" || chosen.length === 0}>
          Create the key
        </Button>
      </Stack>
    </form>
  );
}
