import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { transactionQuery, transactionsQuery } from "../../api/queries";
import type { Contract, Log, Transaction } from "../../api/types";
import { calledName } from "../../lib/chaincode";
import { shorten } from "../../lib/format";
import { type Column, DataTable } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { TextLink } from "../../ui/links";
import { Panel } from "../../ui/Panel";
import { Lines, QueryView } from "../../ui/QueryView";
import { Ago } from "../../ui/Time";
import { LogView } from "../explorer/LogView";

/** The newest transactions of the ledger that are looked through, and those to the contract whose logs are read. */
const LOOKED_THROUGH = 200;
const READ = 20;

/** What the contract emitted lately. A transaction that reached it through another contract shows with that one. */
export function ContractEvents({ network, contract }: { network: string; contract: Contract }) {
  const channel = contract.channel ?? undefined;
  const newest = useQuery(transactionsQuery(network, channel, undefined, LOOKED_THROUGH));
  const own = calledName(contract).toLowerCase();
  const hashes = (newest.data?.items ?? [])
    .filter((row) => row.to?.toLowerCase() === own || row.hash === contract.transactionHash)
    .slice(0, READ)
    .map((row) => row.hash);
  const transactions = useQueries({
    queries: hashes.map((hash) => ({ ...transactionQuery(network, hash, channel), staleTime: 60_000 })),
  });
  const found = transactions.flatMap(({ data }) =>
    data === undefined
      ? []
      : data.logs.filter((log) => log.address.toLowerCase() === own).map((log) => ({ log, transaction: data })),
  );
  return (
    <Panel flush title="Events of the newest transactions">
      <QueryView query={newest}>
        {() =>
          found.length === 0 && transactions.some((one) => one.isPending) ? (
            <Lines count={4} />
          ) : (
            <EventTable network={network} channel={channel} rows={found} />
          )
        }
      </QueryView>
    </Panel>
  );
}

interface Found {
  log: Log;
  transaction: Transaction;
}

function EventTable({ network, channel, rows }: { network: string; channel: string | undefined; rows: Found[] }) {
  const columns = useMemo<Column<Found>[]>(
    () => [
      {
        id: "event",
        header: "Event",
        value: ({ log }) => log.decoded?.name ?? "not decoded",
        cell: ({ log }) => <span className="mono">{log.decoded?.name ?? "not decoded"}</span>,
      },
      {
        id: "arguments",
        header: "Arguments",
        wide: true,
        value: ({ log }) => argumentsOf(log),
        cell: ({ log }) => <span className="mono break">{argumentsOf(log)}</span>,
      },
      {
        id: "transaction",
        header: "Transaction",
        value: ({ transaction }) => transaction.hash,
        cell: ({ transaction: { hash } }) => (
          <TextLink
            className="mono nowrap"
            to="/networks/$network/transactions/$hash"
            params={{ network, hash }}
            search={{ channel }}
          >
            {shorten(hash)}
          </TextLink>
        ),
      },
      {
        id: "at",
        header: "Age",
        align: "right",
        value: ({ transaction }) => transaction.at,
        cell: ({ transaction }) => <Ago at={transaction.at} />,
      },
    ],
    [network, channel],
  );
  const detail = {
    label: ({ log, transaction }: Found) => `log ${log.index} of ${shorten(transaction.hash)}`,
    show: ({ log }: Found) => <LogView network={network} log={log} />,
  };
  return (
    <DataTable
      label="Events"
      columns={columns}
      rows={rows}
      rowId={({ log, transaction }) => `${transaction.hash} ${log.index}`}
      filter="Filter events"
      detail={detail}
      empty={<Empty title="No recent events">Events show here when a transaction to the contract emits them.</Empty>}
    />
  );
}

/** `to 0x1234…abcd, value 5`: what fits a line. */
function argumentsOf(log: Log): string {
  return (log.decoded?.arguments ?? [])
    .map(({ name, value }) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return `${name} ${text.startsWith("0x") ? shorten(text, 4) : text}`.trim();
    })
    .join(", ");
}
