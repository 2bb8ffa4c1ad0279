import { Alert, Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useChannel } from "../../api/channel";
import { transactionQuery } from "../../api/queries";
import type { Transaction } from "../../api/types";
import { readEndorsed } from "../../lib/endorsed";
import { formatAmount, formatNumber, formatTime, NONE } from "../../lib/format";
import { Copyable } from "../../ui/Copyable";
import { Empty } from "../../ui/Empty";
import { Facts } from "../../ui/Facts";
import { TextLink } from "../../ui/links";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { Status } from "../../ui/Status";
import { AddressLink } from "../../ui/tables";
import { DecodedView } from "./DecodedView";
import { Endorsements, ReadsAndWrites } from "./EndorsedView";
import { LogView } from "./LogView";

const route = getRouteApi("/signed-in/networks/$network/transactions/$hash");

export function TransactionPage() {
  const { network, hash } = route.useParams();
  const channel = useChannel(network);
  const query = useQuery({
    ...transactionQuery(network, hash, channel),
    // A final transaction never changes; one that is not yet is asked for until it is.
    refetchInterval: ({ state }) =>
      state.data?.status === "pending" || state.data?.status === "unknown" ? 1000 : false,
  });
  return (
    <QueryView query={query} lines={8}>
      {(transaction) => <TransactionView network={network} transaction={transaction} />}
    </QueryView>
  );
}

function TransactionView({ network, transaction }: { network: string; transaction: Transaction }) {
  const endorsed = readEndorsed(transaction.raw);
  return (
    <Stack gap="lg">
      <Group gap="sm">
        <Title order={2} fz="xl">
          Transaction
        </Title>
        <Status status={transaction.status} />
      </Group>
      {transaction.error && (
        <Alert
          color="red"
          title={endorsed ? "Not valid: the ledger kept it, without its writes" : "Execution reverted"}
        >
          <span className="break">{transaction.error}</span>
        </Alert>
      )}
      <Panel>
        <Facts
          items={[
            ["Hash", <Copyable key="hash" text={transaction.hash} what="hash" />],
            [
              "Block",
              transaction.block == null ? null : <BlockLink key="block" network={network} block={transaction.block} />,
            ],
            ["Position in the block", transaction.index == null ? null : String(transaction.index)],
            ["Time", transaction.at == null ? null : formatTime(transaction.at)],
            ["Validation", endorsed?.validation && <span className="mono">{endorsed.validation}</span>],
            [
              "From",
              transaction.from === "" ? null : (
                <LinkedAddress key="from" network={network} address={transaction.from} />
              ),
            ],
            [
              "To",
              transaction.to == null ? (
                transaction.value == null ? null : (
                  "contract creation"
                )
              ) : (
                <LinkedAddress key="to" network={network} address={transaction.to} />
              ),
            ],
            [
              "New contract",
              transaction.contractAddress == null ? undefined : (
                <LinkedAddress key="new" network={network} address={transaction.contractAddress} />
              ),
            ],
            ["Value", transaction.value == null ? undefined : `${formatAmount(transaction.value)} ether`],
            ["Gas used", transaction.gasUsed == null && transaction.gasLimit == null ? undefined : gas(transaction)],
            ["Nonce", transaction.nonce == null ? undefined : formatNumber(transaction.nonce)],
          ]}
        />
      </Panel>
      <Panel title="Input">
        {transaction.input === "0x" ? (
          <Text size="sm" c="dimmed">
            {transaction.value == null ? "No call of a contract." : "No input data: a plain transfer of value."}
          </Text>
        ) : (
          <Stack gap="md">
            {transaction.decoded ? (
              <DecodedView network={network} decoded={transaction.decoded} />
            ) : (
              <Text size="sm" c="dimmed">
                Not decoded: the contract's interface is not known here. Register the contract to see the call.
              </Text>
            )}
            <details>
              <summary style={{ cursor: "pointer", fontSize: "0.8125rem" }}>
                Input data, {formatNumber((transaction.input.length - 2) / 2)} bytes
              </summary>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
              <pre className="code" tabIndex={0} style={{ marginTop: 8 }}>
                {transaction.input}
              </pre>
            </details>
          </Stack>
        )}
      </Panel>
      {endorsed && endorsed.calls.length > 0 && (
        <>
          <Endorsements calls={endorsed.calls} />
          <ReadsAndWrites calls={endorsed.calls} />
        </>
      )}
      <Panel title={`Logs (${transaction.logs.length})`}>
        {transaction.logs.length === 0 ? (
          <Empty title="No logs" />
        ) : (
          <Stack gap="lg">
            {transaction.logs.map((log) => (
              <LogView key={log.index} network={network} log={log} />
            ))}
          </Stack>
        )}
      </Panel>
      <Panel title="Raw transaction">
        <details>
          <summary style={{ cursor: "pointer", fontSize: "0.8125rem" }}>Show the JSON</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
          <pre className="code" tabIndex={0} style={{ marginTop: 8 }}>
            {JSON.stringify(transaction.raw, null, 2)}
          </pre>
        </details>
      </Panel>
    </Stack>
  );
}

function BlockLink({ network, block }: { network: string; block: number }) {
  return (
    <TextLink to="/networks/$network/blocks/$block" params={{ network, block: String(block) }}>
      {formatNumber(block)}
    </TextLink>
  );
}

function LinkedAddress({ network, address }: { network: string; address: string }) {
  return (
    <Copyable text={address} what="address">
      <AddressLink network={network} address={address} full />
    </Copyable>
  );
}

function gas({ gasUsed, gasLimit }: Transaction): string {
  if (gasUsed == null) return NONE;
  return gasLimit == null ? formatNumber(gasUsed) : `${formatNumber(gasUsed)} of ${formatNumber(gasLimit)}`;
}
