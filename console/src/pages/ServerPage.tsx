import { Alert, Button, List, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, done } from "../api/client";
import { serverQuery, tasksQuery } from "../api/queries";
import { useCan } from "../api/session";
import type { Task } from "../api/types";
import { formatBytes, formatTime } from "../lib/format";
import { ActionButton } from "../ui/actions";
import { type Column, DataTable } from "../ui/DataTable";
import { Figures } from "../ui/Facts";
import { IconAlert } from "../ui/icons";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { QueryView } from "../ui/QueryView";
import { Status } from "../ui/Status";
import { Ago } from "../ui/Time";

export function ServerPage() {
  const mayWrite = useCan()("server:write");
  const server = useQuery(serverQuery());
  const tasks = useQuery(tasksQuery());
  const columns = useMemo<Column<Task>[]>(
    () => [
      {
        id: "name",
        header: "Task",
        value: (row) => row.name,
        cell: (row) => (
          <>
            <span className="mono">{row.name}</span>
            <Text size="xs" c="dimmed">
              {row.description}
            </Text>
            {row.error && (
              <Text size="xs" c="var(--bad)" className="break">
                {row.error}
              </Text>
            )}
          </>
        ),
      },
      { id: "status", header: "Status", value: (row) => row.status, cell: (row) => <Status status={row.status} /> },
      {
        id: "lastRunAt",
        header: "Last run",
        align: "right",
        wide: true,
        value: (row) => row.lastRunAt,
        cell: (row) => <Ago at={row.lastRunAt} />,
      },
      {
        id: "actions",
        header: "",
        align: "right",
        value: () => null,
        cell: (row) => mayWrite && row.stoppable && <TaskSwitch task={row} />,
      },
    ],
    [mayWrite],
  );
  return (
    <>
      <PageHeader
        title="Server"
        description="The deployment that you are signed in to."
        actions={
          <Button component="a" href="/api/v1/openapi.json" target="_blank" rel="noreferrer" variant="default">
            API description
          </Button>
        }
      />
      <Stack gap="lg">
        <QueryView query={server}>
          {(server) => (
            <>
              {server.warnings.length > 0 && (
                <Alert color="yellow" icon={<IconAlert size={18} />} title="Needs an administrator’s attention">
                  <List size="sm" spacing={4}>
                    {server.warnings.map((warning) => (
                      <List.Item key={warning}>{warning}</List.Item>
                    ))}
                  </List>
                </Alert>
              )}
              <Figures
                items={[
                  { label: "Version", value: server.version },
                  { label: "Running since", value: <Ago at={server.startedAt} />, note: formatTime(server.startedAt) },
                  {
                    label: "Database",
                    value:
                      server.database === "sqlite"
                        ? "SQLite"
                        : server.database === "postgresql"
                          ? "PostgreSQL"
                          : server.database,
                  },
                  { label: "Memory", value: formatBytes(server.memoryBytes), note: "resident" },
                  {
                    label: "Free disk space",
                    value: formatBytes(server.diskFreeBytes),
                    note: "below the data directory",
                  },
                ]}
              />
              {mayWrite && (
                <Panel title="Addresses that may be called">
                  <Text size="sm" className="break">
                    Where a user gives an address, such as an attached network’s, the public internet
                    {server.allowedAddresses?.length ? ` and: ${server.allowedAddresses.join(", ")}.` : " only."} The
                    server’s option --allow-address adds to it.
                  </Text>
                </Panel>
              )}
            </>
          )}
        </QueryView>
        <Panel flush title="Background tasks">
          <QueryView query={tasks}>
            {({ items }) => (
              <DataTable label="Background tasks" columns={columns} rows={items} rowId={(row) => row.name} />
            )}
          </QueryView>
        </Panel>
      </Stack>
    </>
  );
}

function TaskSwitch({ task }: { task: Task }) {
  const params = { params: { path: { task: task.name } } };
  return task.status === "running" ? (
    <ActionButton
      size="xs"
      variant="default"
      aria-label={`Stop ${task.name}`}
      act={() => done(api.POST("/api/v1/server/tasks/{task}/stop", params))}
    >
      Stop
    </ActionButton>
  ) : (
    <ActionButton
      size="xs"
      aria-label={`Start ${task.name}`}
      act={() => done(api.POST("/api/v1/server/tasks/{task}/start", params))}
    >
      Start
    </ActionButton>
  );
}
