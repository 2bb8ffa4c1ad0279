import { Stack, Text } from "@mantine/core";
import type { Access, EndorsedCall, Namespace } from "../../lib/endorsed";
import { plural } from "../../lib/format";
import { Copyable } from "../../ui/Copyable";
import { type Column, DataTable } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { Facts, showValue } from "../../ui/Facts";
import { Panel } from "../../ui/Panel";

/** Who endorsed each call, and what the contract answered. */
export function Endorsements({ calls }: { calls: EndorsedCall[] }) {
  return (
    <Panel title="Endorsements">
      <Stack gap="lg">
        {calls.map((call, index) => (
          <Facts
            // biome-ignore lint/suspicious/noArrayIndexKey: the calls of a transaction are in fixed order
            key={index}
            items={[
              ["Contract", call.contract && [call.contract, call.version].filter(Boolean).join(", version ")],
              ["Endorsed by", call.endorsers === undefined ? undefined : showValue(call.endorsers)],
              ["Answer", call.status === undefined ? undefined : String(call.status)],
              ["Message", call.message],
              ["Result", call.result === undefined || call.result === "" ? undefined : showValue(call.result)],
            ]}
          />
        ))}
      </Stack>
    </Panel>
  );
}

/** The keys that each call read and wrote, by the contract that keeps them. */
export function ReadsAndWrites({ calls }: { calls: EndorsedCall[] }) {
  const namespaces = calls.flatMap((call) => call.namespaces ?? []).filter((one) => entriesOf(one).length > 0);
  const unread = calls.map((call) => call.unread).filter((one) => one !== undefined);
  return (
    <Panel flush title="Reads and writes">
      {namespaces.length === 0 && unread.length === 0 && <Empty title="Nothing was read or written" />}
      {namespaces.map((namespace, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the namespaces of a transaction are in fixed order
        <section key={index} aria-label={namespace.name}>
          <Text size="sm" fw={600} className="mono break" p="sm" pl="md">
            {namespace.name}
          </Text>
          <DataTable
            label={`Reads and writes of ${namespace.name}`}
            columns={COLUMNS}
            rows={entriesOf(namespace)}
            rowId={(row) => row.id}
            filter="Filter keys"
            foot={summaryOf(namespace)}
          />
        </section>
      ))}
      {unread.map((value, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: shown as they came
        <pre key={index} className="code">
          {JSON.stringify(value, null, 2)}
        </pre>
      ))}
    </Panel>
  );
}

interface Entry {
  id: string;
  kind: "read" | "write" | "delete" | "range";
  collection: string;
  key: string;
  version?: string;
  value?: unknown;
}

/** Of private data only hashes are on the ledger. */
function entriesOf({ reads, ranges, writes, collections }: Namespace): Entry[] {
  const entry =
    (written: boolean, collection: string) =>
    ({ key, version, value, deleted }: Access): Omit<Entry, "id"> => ({
      kind: written ? (deleted ? "delete" : "write") : "read",
      collection,
      key,
      version,
      value,
    });
  return [
    ...reads.map(entry(false, "")),
    ...ranges.map(([start, end]) => ({ kind: "range" as const, collection: "", key: `${start} … ${end}` })),
    ...writes.map(entry(true, "")),
    ...collections.flatMap((own) => [
      ...own.reads.map(entry(false, own.name)),
      ...own.writes.map(entry(true, own.name)),
    ]),
  ].map((one, index) => ({ ...one, id: String(index) }));
}

const COLUMNS: Column<Entry>[] = [
  { id: "kind", header: "Access", value: (row) => row.kind },
  {
    id: "key",
    header: "Key",
    value: (row) => row.key,
    cell: (row) =>
      row.collection === "" ? (
        <span className="mono break">{row.key}</span>
      ) : (
        <>
          <Copyable text={row.key} what="hash of the key" short />
          <Text size="xs" c="dimmed">
            private, in {row.collection}
          </Text>
        </>
      ),
  },
  {
    id: "version",
    header: "Version read",
    value: (row) => row.version ?? (row.kind === "read" ? "no such key" : null),
  },
  {
    id: "value",
    header: "Value",
    value: (row) =>
      row.value === undefined ? null : typeof row.value === "string" ? row.value : JSON.stringify(row.value),
    cell: (row) => (row.value === undefined ? "–" : showValue(row.value)),
  },
];

function summaryOf({ reads, writes, collections }: Namespace): string {
  const parts = [plural(reads.length, "read"), plural(writes.length, "write")];
  if (collections.length > 0) parts.push(plural(collections.length, "private collection"));
  return parts.join(", ");
}
