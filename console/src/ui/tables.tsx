import { type ReactNode, useMemo } from "react";
import type { BlockSummary, Network, Operation, TransactionSummary } from "../api/types";
import { formatAmount, formatBytes, formatKind, formatNumber, NONE, shorten, shortenAddress } from "../lib/format";
import { type Column, DataTable } from "./DataTable";
import { TextLink } from "./links";
import { Elapsed } from "./OperationSteps";
import { Status } from "./Status";
import { Ago } from "./Time";

const OPERATION_COLUMNS: Column<Operation>[] = [
  {
    id: "kind",
    header: "Operation",
    value: (operation) => formatKind(operation.kind),
    cell: (operation) => (
      <TextLink to="/operations/$operation" params={{ operation: operation.id }}>
        {formatKind(operation.kind)}
      </TextLink>
    ),
  },
  { id: "subject", header: "Subject", value: (operation) => operation.subjectName },
  {
    id: "status",
    header: "Status",
    value: (operation) => operation.status,
    cell: (operation) => <Status status={operation.status} operation />,
  },
  { id: "actor", header: "Requested by", value: (operation) => operation.actor, wide: true },
  {
    id: "took",
    header: "Duration",
    align: "right",
    wide: true,
    value: (operation) => (operation.finishedAt ?? Date.now() * 1000) - (operation.startedAt ?? operation.createdAt),
    cell: (operation) => <Elapsed from={operation.startedAt} to={operation.finishedAt} />,
  },
  {
    id: "createdAt",
    header: "Requested",
    align: "right",
    value: (operation) => operation.createdAt,
    cell: (operation) => <Ago at={operation.createdAt} />,
  },
];

export function OperationTable({ rows, empty, filter }: { rows: Operation[]; empty?: ReactNode; filter?: string }) {
  return (
    <DataTable
      label="Operations"
      columns={OPERATION_COLUMNS}
      rows={rows}
      rowId={(row) => row.id}
      empty={empty}
      filter={filter}
    />
  );
}

const GAS: Column<BlockSummary> = {
  id: "gas",
  header: "Gas used",
  align: "right",
  wide: true,
  value: (block) => block.gasUsed,
  cell: (block) => formatNumber(block.gasUsed),
};

export function BlockTable({
  network,
  rows,
  empty,
  foot,
}: {
  network: string;
  rows: BlockSummary[];
  empty?: ReactNode;
  foot?: ReactNode;
}) {
  const burns = rows.some((block) => block.gasUsed != null);
  const columns = useMemo<Column<BlockSummary>[]>(
    () => [
      {
        id: "number",
        header: "Block",
        value: (block) => block.number,
        cell: (block) => (
          <TextLink to="/networks/$network/blocks/$block" params={{ network, block: String(block.number) }}>
            {formatNumber(block.number)}
          </TextLink>
        ),
      },
      {
        id: "hash",
        header: "Hash",
        value: (block) => block.hash,
        wide: true,
        cell: (block) => <span className="mono nowrap">{shorten(block.hash)}</span>,
      },
      { id: "transactions", header: "Transactions", align: "right", value: (block) => block.transactions },
      ...(burns ? [GAS] : []),
      {
        id: "size",
        header: "Size",
        align: "right",
        wide: true,
        value: (block) => block.size,
        cell: (block) => (block.size == null ? NONE : formatBytes(block.size)),
      },
      { id: "at", header: "Age", align: "right", value: (block) => block.at, cell: (block) => <Ago at={block.at} /> },
    ],
    [network, burns],
  );
  return (
    <DataTable label="Blocks" columns={columns} rows={rows} rowId={(block) => block.hash} empty={empty} foot={foot} />
  );
}

interface TransactionTableProps {
  network: string;
  rows: TransactionSummary[];
  empty?: ReactNode;
  foot?: ReactNode;
}

const VALUE: Column<TransactionSummary> = {
  id: "value",
  header: "Value (ether)",
  align: "right",
  wide: true,
  value: (row) => (row.value == null ? null : Number(row.value)),
  cell: (row) => (row.value == null ? NONE : formatAmount(row.value)),
};

/** Where the ledger moves no value, what calls no contract is neither a creation nor a transfer. */
function methodOf({ method, to, value }: TransactionSummary): string {
  return method || (value == null ? NONE : to == null ? "contract creation" : "transfer");
}

export function TransactionTable({ network, rows, empty, foot }: TransactionTableProps) {
  const moves = rows.some((row) => row.value != null);
  const columns = useMemo<Column<TransactionSummary>[]>(
    () => [
      {
        id: "hash",
        header: "Transaction",
        value: (row) => row.hash,
        cell: (row) => (
          <TextLink
            className="mono nowrap"
            to="/networks/$network/transactions/$hash"
            params={{ network, hash: row.hash }}
          >
            {shorten(row.hash)}
          </TextLink>
        ),
      },
      {
        id: "method",
        header: "Method",
        value: methodOf,
        cell: (row) => <span className={row.method ? "mono nowrap method" : "soft"}>{methodOf(row)}</span>,
      },
      {
        id: "from",
        header: "From",
        wide: true,
        value: (row) => row.from,
        cell: (row) => (row.from === "" ? NONE : <AddressLink network={network} address={row.from} />),
      },
      {
        id: "to",
        header: "To",
        wide: true,
        value: (row) => row.to,
        cell: (row) => (row.to == null ? NONE : <AddressLink network={network} address={row.to} />),
      },
      ...(moves ? [VALUE] : []),
      { id: "status", header: "Status", value: (row) => row.status, cell: (row) => <Status status={row.status} /> },
      {
        id: "block",
        header: "Block",
        align: "right",
        wide: true,
        value: (row) => row.block,
        cell: (row) =>
          row.block == null ? (
            NONE
          ) : (
            <TextLink to="/networks/$network/blocks/$block" params={{ network, block: String(row.block) }}>
              {formatNumber(row.block)}
            </TextLink>
          ),
      },
      { id: "at", header: "Age", align: "right", value: (row) => row.at, cell: (row) => <Ago at={row.at} /> },
    ],
    [network, moves],
  );
  return (
    <DataTable label="Transactions" columns={columns} rows={rows} rowId={(row) => row.hash} empty={empty} foot={foot} />
  );
}

export function AddressLink({ network, address, full = false }: { network: string; address: string; full?: boolean }) {
  return (
    <TextLink
      className={full ? "mono" : "mono nowrap"}
      to="/networks/$network/addresses/$address"
      params={{ network, address }}
    >
      {full ? address : shortenAddress(address)}
    </TextLink>
  );
}

const NETWORK_COLUMNS: Column<Network>[] = [
  {
    id: "name",
    header: "Network",
    value: (network) => network.name,
    cell: (network) => (
      <TextLink to="/networks/$network" params={{ network: network.id }} fw={500}>
        {network.name}
      </TextLink>
    ),
  },
  {
    id: "status",
    header: "Status",
    value: (network) => network.status,
    cell: (network) => <Status status={network.status} />,
  },
  {
    id: "height",
    header: "Height",
    align: "right",
    value: (network) => network.height,
    cell: (network) => formatNumber(network.height),
  },
  {
    id: "nodes",
    header: "Nodes",
    align: "right",
    value: (network) => network.nodes.length,
    cell: (network) => `${network.nodes.filter((node) => node.status === "running").length} of ${network.nodes.length}`,
  },
  { id: "engine", header: "Engine", wide: true, value: (network) => `${network.engine} · ${network.consensus}` },
  {
    id: "chainId",
    header: "Chain id",
    wide: true,
    align: "right",
    value: (network) => network.chainId,
    cell: (network) => network.chainId ?? NONE,
  },
  {
    id: "createdAt",
    header: "Created",
    wide: true,
    align: "right",
    value: (network) => network.createdAt,
    cell: (network) => <Ago at={network.createdAt} />,
  },
];

export function NetworkTable({ rows, empty }: { rows: Network[]; empty?: ReactNode }) {
  return (
    <DataTable
      label="Networks"
      columns={NETWORK_COLUMNS}
      rows={rows}
      rowId={(row) => row.id}
      empty={empty}
      filter="Filter networks"
    />
  );
}
