import { Group, Stack, Text } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { transactionQuery, transactionsQuery } from "../../api/queries";
import type { Contract } from "../../api/types";
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
  const newest = useQuery(transactionsQuery(network, undefined, LOOKED_THROUGH));
  const own = contract.address.toLowerCase();
  const hashes = (newest.data?.items ?? [])
    .filter((row) => row.to?.toLowerCase() === own || row.hash === contract.transactionHash)
    .slice(0, READ)
    .map((row) => row.hash);
  const transactions = useQueries({
    queries: hashes.map((hash) => ({ ...transactionQuery(network, hash), staleTime: 60_000 })),
  });
  const found = transactions.flatMap(({ data }) =>
    data === undefined
      ? []
      : data.logs.filter((log) => log.address.toLowerCase() === own).map((log) => ({ log, transaction: data })),
  );
  return (
    <Panel title="Events of the newest transactions">
      <QueryView query={newest}>
        {() =>
          found.length === 0 ? (
            transactions.some((one) => one.isPending) ? (
              <Lines count={4} />
            ) : (
              <Empty title="No event lately">Events show here when a transaction to the contract emits them.</Empty>
            )
          ) : (
            <Stack gap="lg">
              {found.map(({ log, transaction }) => (
                <div key={`${transaction.hash} ${log.index}`}>
                  <Group justify="space-between" mb={4}>
                    <TextLink
                      className="mono"
                      fz="xs"
                      to="/networks/$network/transactions/$hash"
                      params={{ network, hash: transaction.hash }}
                    >
                      {transaction.hash.slice(0, 18)}…
                    </TextLink>
                    <Text size="xs" c="dimmed">
                      <Ago at={transaction.at} />
                    </Text>
                  </Group>
                  <LogView network={network} log={log} />
                </div>
              ))}
            </Stack>
          )
        }
      </QueryView>
    </Panel>
  );
}
