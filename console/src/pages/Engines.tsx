import { ActionIcon, Alert, Badge, Button, Group, Select, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { api, done } from "../api/client";
import { fieldErrors } from "../api/problem";
import { availableEnginesQuery, operationsQuery } from "../api/queries";
import { useCan } from "../api/session";
import type { EngineVersion, Operation } from "../api/types";
import { ActionButton, Confirm, useAction } from "../ui/actions";
import { type Column, DataTable } from "../ui/DataTable";
import { Dialog } from "../ui/Dialog";
import { Empty } from "../ui/Empty";
import { IconAlert, IconDelete, IconPlus } from "../ui/icons";
import { TextLink } from "../ui/links";
import { noticeOperation } from "../ui/OperationNotice";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { ProblemAlert } from "../ui/ProblemAlert";
import { QueryView } from "../ui/QueryView";
import { Ago } from "../ui/Time";

/** Which ledger software is installed, and what can be. */
export function Engines() {
  const mayWrite = useCan()("engines:write");
  const [adding, dialog] = useDisclosure();
  const [leaving, setLeaving] = useState<EngineVersion>();
  const available = useQuery(availableEnginesQuery());
  const operations = useQuery(operationsQuery());
  const columns = useMemo(
    () => versionColumns(mayWrite, operations.data?.items ?? [], setLeaving),
    [mayWrite, operations.data],
  );
  return (
    <>
      <PageHeader
        title="Engines"
        description="The software of other ledgers. The built-in chain comes with Polder; other engines are built here once from their source code, or added where they lie."
        actions={
          mayWrite && (
            <Button variant="default" leftSection={<IconPlus size={16} />} onClick={dialog.open}>
              Add programs
            </Button>
          )
        }
      />
      <QueryView query={available} lines={8}>
        {({ items }) => (
          <Stack gap="lg">
            {items.map((engine) => (
              <Panel flush key={engine.name} title={engine.name}>
                {engine.maintenance && (
                  <Alert color="yellow" icon={<IconAlert size={18} />} m="md">
                    {engine.maintenance}
                  </Alert>
                )}
                <DataTable
                  label={`Versions of ${engine.name}`}
                  columns={columns}
                  rows={engine.versions}
                  rowId={(row) => row.id}
                  empty={
                    <Empty title="Nothing added yet">
                      Its programs are in no language registry: install them on the server's machine, then add them.
                    </Empty>
                  }
                />
              </Panel>
            ))}
          </Stack>
        )}
      </QueryView>
      <Dialog opened={adding} onClose={dialog.close} title="Add programs that are on the server's machine">
        <AddForm engines={available.data?.items.map((engine) => engine.name) ?? []} onDone={dialog.close} />
      </Dialog>
      <Confirm
        opened={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={`Remove ${leaving?.id ?? ""}`}
        button="Remove the version"
        act={() =>
          done(api.DELETE("/api/v1/engine-versions/{version}", { params: { path: { version: leaving?.id ?? "" } } }))
        }
      >
        A version that a network runs stays. Programs that were added are not deleted, only forgotten.
      </Confirm>
    </>
  );
}

function versionColumns(
  mayWrite: boolean,
  operations: Operation[],
  onRemove: (version: EngineVersion) => void,
): Column<EngineVersion>[] {
  const running = (id: string) =>
    operations.find(
      (one) => one.kind === "engine.install" && one.subject === id && ["queued", "running"].includes(one.status),
    );
  return [
    {
      id: "version",
      header: "Version",
      value: (row) => row.version,
      cell: (row) => (
        <Group gap="xs">
          <span className="mono">{row.version}</span>
          {row.tested ? (
            <Badge size="sm" color="green" variant="light">
              tested
            </Badge>
          ) : (
            <Badge size="sm" variant="default">
              not tested
            </Badge>
          )}
        </Group>
      ),
    },
    {
      id: "origin",
      header: "Programs from",
      wide: true,
      value: (row) => row.origin,
      cell: (row) => <span className="mono">{row.origin ?? "–"}</span>,
    },
    {
      id: "installedAt",
      header: "Installed",
      align: "right",
      value: (row) => row.installedAt,
      cell: (row) => (row.installedAt == null ? "–" : <Ago at={row.installedAt} />),
    },
    {
      id: "actions",
      header: "",
      align: "right",
      value: () => null,
      cell: (row) => {
        const operation = running(row.id);
        if (operation)
          return (
            <TextLink to="/operations/$operation" params={{ operation: operation.id }}>
              Installing…
            </TextLink>
          );
        if (!mayWrite) return null;
        if (row.installed)
          return (
            <ActionIcon aria-label={`Remove ${row.id}`} onClick={() => onRemove(row)}>
              <IconDelete size={16} />
            </ActionIcon>
          );
        return (
          <Group justify="flex-end">
            <ActionButton size="xs" variant="default" aria-label={`Install ${row.id}`} act={() => install(row)}>
              Install
            </ActionButton>
          </Group>
        );
      },
    },
  ];
}

async function install({ engine, version }: EngineVersion) {
  noticeOperation(await done(api.POST("/api/v1/engine-versions", { body: { engine, version } })));
}

function AddForm({ engines, onDone }: { engines: string[]; onDone: () => void }) {
  const [engine, setEngine] = useState(engines[0] ?? "");
  const [version, setVersion] = useState("");
  const [path, setPath] = useState("");
  const add = useAction(
    () => done(api.POST("/api/v1/engine-versions/add", { body: { engine, version, path } })),
    onDone,
  );
  const errors = fieldErrors(add.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <Select
          label="Engine"
          data={engines}
          allowDeselect={false}
          value={engine}
          onChange={(value) => setEngine(value ?? engine)}
        />
        <TextInput
          label="Version"
          placeholder="26.9.0"
          required
          data-autofocus
          value={version}
          error={errors.version}
          onChange={(event) => setVersion(event.currentTarget.value)}
        />
        <TextInput
          label="Directory"
          description="Holds the programs itself or in bin. They are used where they are, not copied."
          placeholder="/opt/besu-26.9.0"
          required
          value={path}
          error={errors.path}
          onChange={(event) => setPath(event.currentTarget.value)}
        />
        <ProblemAlert error={add.error} />
        <Button type="submit" loading={add.isPending} disabled={version === "" || path === ""}>
          Add the programs
        </Button>
      </Stack>
    </form>
  );
}
