import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { auditCheckQuery, auditQuery } from "../api/queries";
import type { AuditEntry } from "../api/types";
import { formatKind, formatNumber, formatTime, shorten } from "../lib/format";
import { Copyable } from "../ui/Copyable";
import { type Column, DataTable } from "../ui/DataTable";
import { Empty } from "../ui/Empty";
import { engineFacts, Facts } from "../ui/Facts";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { ProblemAlert } from "../ui/ProblemAlert";
import { Lines, QueryView } from "../ui/QueryView";
import { Status } from "../ui/Status";

const COLUMNS: Column<AuditEntry>[] = [
  { id: "sequence", header: "No.", wide: true, value: (row) => row.sequence },
  {
    id: "at",
    header: "Time",
    value: (row) => row.at,
    cell: (row) => <span className="nowrap">{formatTime(row.at)}</span>,
  },
  { id: "actor", header: "Actor", value: (row) => row.actor },
  { id: "action", header: "Action", value: (row) => formatKind(row.action) },
  {
    id: "subject",
    header: "Subject",
    wide: true,
    value: (row) => `${row.subject} ${nameOf(row) ?? ""}`,
    cell: (row) => <Subject entry={row} />,
  },
  {
    id: "hash",
    header: "Hash",
    wide: true,
    value: (row) => row.hash,
    cell: (row) => <span className="mono nowrap">{shorten(row.hash)}</span>,
  },
];

const DETAIL = {
  label: (row: AuditEntry) => `entry ${row.sequence}`,
  show: (row: AuditEntry) => (
    <Facts
      items={[
        ["Subject", <Copyable key="subject" text={row.subject} what="subject" />],
        ["Organisation", row.organisation == null ? undefined : <Copyable key="org" text={row.organisation} />],
        ["Hash", <Copyable key="hash" text={row.hash} what="hash" />],
        ...engineFacts(row.details),
      ]}
    />
  ),
};

function nameOf({ details }: AuditEntry): string | undefined {
  const name = (details as { name?: unknown } | null)?.name;
  return typeof name === "string" ? name : undefined;
}

/** `user admin`: the kind, and the name where the entry tells it, else the id. */
function Subject({ entry }: { entry: AuditEntry }) {
  const [kind, ...rest] = entry.subject.split(" ");
  return (
    <span className="nowrap" title={entry.subject}>
      {kind} {nameOf(entry) ?? <span className="mono">{shorten(rest.join(" "), 8)}</span>}
    </span>
  );
}

export function Audit() {
  const audit = useInfiniteQuery(auditQuery());
  const rows = useMemo(() => audit.data?.pages.flatMap((page) => page.items) ?? [], [audit.data]);
  return (
    <>
      <PageHeader
        title="Audit log"
        description="Who did what through the API. Each entry's hash covers the entry before it, so that nothing can be changed unseen."
      />
      <Stack gap="lg">
        <ChainCheck />
        <Panel flush>
          {audit.isPending ? (
            <Lines count={8} />
          ) : audit.isError && rows.length === 0 ? (
            <Stack p="md">
              <ProblemAlert error={audit.error} />
            </Stack>
          ) : (
            <DataTable
              label="Audit entries"
              detail={DETAIL}
              columns={COLUMNS}
              rows={rows}
              rowId={(row) => String(row.sequence)}
              filter="Filter loaded entries"
              pageSize={100}
              empty={<Empty title="No entry yet" />}
              more={
                audit.hasNextPage ? { load: () => audit.fetchNextPage(), loading: audit.isFetchingNextPage } : undefined
              }
            />
          )}
        </Panel>
      </Stack>
    </>
  );
}

function ChainCheck() {
  const check = useQuery(auditCheckQuery());
  return (
    <Panel
      title="Hash chain"
      actions={
        <Button size="xs" variant="default" loading={check.isFetching} onClick={() => check.refetch()}>
          Check again
        </Button>
      }
    >
      <QueryView query={check} lines={2}>
        {(result) =>
          result.intact ? (
            <Stack gap="xs">
              <Group gap="sm">
                <Status status="intact" />
                <Text size="sm">{formatNumber(result.entries)} entries, each follows from the one before.</Text>
              </Group>
              <Text size="sm" c="dimmed">
                Keep the newest hash outside this deployment: a later check against it shows whether anything was
                rewritten.
              </Text>
              <Copyable text={result.head} what="newest hash" />
            </Stack>
          ) : (
            <Alert color="red" role="alert" title="The audit log was changed">
              Entry {result.brokenAt} does not follow from the one before it. Keep the database as it is, and compare it
              with a backup or with a hash that a member kept.
            </Alert>
          )
        }
      </QueryView>
    </Panel>
  );
}
