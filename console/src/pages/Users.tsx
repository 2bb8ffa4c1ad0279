import { ActionIcon, Button, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { api, done } from "../api/client";
import { fieldErrors } from "../api/problem";
import { usersQuery } from "../api/queries";
import { useCan } from "../api/session";
import type { Grant, User } from "../api/types";
import { formatRole } from "../lib/format";
import { Confirm, useAction } from "../ui/actions";
import { type Column, DataTable } from "../ui/DataTable";
import { Dialog } from "../ui/Dialog";
import { GrantList, GrantsInput, grantsComplete } from "../ui/GrantsInput";
import { IconDelete, IconPlus } from "../ui/icons";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { ProblemAlert } from "../ui/ProblemAlert";
import { QueryView } from "../ui/QueryView";
import { Ago } from "../ui/Time";

export function Users() {
  const mayWrite = useCan()("users:write");
  const [opened, dialog] = useDisclosure();
  const [changing, setChanging] = useState<User>();
  const [leaving, setLeaving] = useState<User>();
  const users = useQuery(usersQuery());
  const columns = useMemo<Column<User>[]>(
    () => [
      {
        id: "name",
        header: "User",
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
        value: (row) => row.grants.map((grant) => formatRole(grant.role)).join(", "),
        cell: (row) => <GrantList grants={row.grants} />,
      },
      {
        id: "createdAt",
        header: "Created",
        align: "right",
        wide: true,
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
            <Group gap={4} justify="flex-end" wrap="nowrap">
              <Button
                size="compact-xs"
                variant="default"
                onClick={() => setChanging(row)}
                aria-label={`Change ${row.name}`}
              >
                Change
              </Button>
              <ActionIcon aria-label={`Delete ${row.name}`} onClick={() => setLeaving(row)}>
                <IconDelete size={16} />
              </ActionIcon>
            </Group>
          ),
      },
    ],
    [mayWrite],
  );
  return (
    <>
      <PageHeader
        title="Users"
        description="Persons who may sign in, and what each may do for which organisation."
        actions={
          mayWrite && (
            <Button leftSection={<IconPlus size={16} />} onClick={dialog.open}>
              New user
            </Button>
          )
        }
      />
      <Panel flush>
        <QueryView query={users}>
          {({ items }) => (
            <DataTable label="Users" columns={columns} rows={items} rowId={(row) => row.id} filter="Filter users" />
          )}
        </QueryView>
      </Panel>
      <Dialog opened={opened} onClose={dialog.close} title="New user">
        <UserForm onDone={dialog.close} />
      </Dialog>
      <Dialog
        opened={changing !== undefined}
        onClose={() => setChanging(undefined)}
        title={`Change ${changing?.name ?? ""}`}
      >
        {changing && <UserForm key={changing.id} user={changing} onDone={() => setChanging(undefined)} />}
      </Dialog>
      <Confirm
        opened={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={`Delete ${leaving?.name ?? ""}`}
        button="Delete the user"
        act={() => done(api.DELETE("/api/v1/users/{user}", { params: { path: { user: leaving?.id ?? "" } } }))}
      >
        The user's sessions and access keys end at once. What the user did stays in the audit log.
      </Confirm>
    </>
  );
}

/** Makes a user, or changes one: then an empty password stays as it is. */
function UserForm({ user, onDone }: { user?: User; onDone: () => void }) {
  const [name, setName] = useState(user?.name ?? "");
  const [password, setPassword] = useState("");
  const [grants, setGrants] = useState<Grant[]>(user?.grants ?? [{ role: "developer", organisation: null }]);
  const save = useAction(
    () =>
      user === undefined
        ? done(api.POST("/api/v1/users", { body: { name, password, grants } }))
        : done(
            api.PATCH("/api/v1/users/{user}", {
              params: { path: { user: user.id } },
              body: { password: password || undefined, grants },
            }),
          ),
    onDone,
  );
  const errors = fieldErrors(save.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {user === undefined && (
          <TextInput
            label="User name"
            description="Lower-case letters, digits, . _ and -"
            required
            data-autofocus
            autoComplete="off"
            value={name}
            error={errors.name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
        <PasswordInput
          label={user === undefined ? "Password" : "New password"}
          description={
            user === undefined
              ? "At least 12 characters"
              : "Left empty, it stays. A new one ends all sessions of the user."
          }
          required={user === undefined}
          autoComplete="new-password"
          value={password}
          error={errors.password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
        />
        <GrantsInput value={grants} onChange={setGrants} />
        <ProblemAlert error={save.error} />
        <Button type="submit" loading={save.isPending} disabled={name === "" || !grantsComplete(grants)}>
          {user === undefined ? "Create the user" : "Save"}
        </Button>
      </Stack>
    </form>
  );
}
