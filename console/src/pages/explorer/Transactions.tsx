import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCapabilities } from "../../api/capabilities";
import { useChannel } from "../../api/channel";
import { transactionsQuery } from "../../api/queries";
import { useCan } from "../../api/session";
import { Empty } from "../../ui/Empty";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { TransactionTable } from "../../ui/tables";
import { Pager, useCursors } from "./Pager";
import { SendTransaction } from "./SendTransaction";

const route = getRouteApi("/signed-in/networks/$network/transactions");

export function Transactions() {
  const { network } = route.useParams();
  const channel = useChannel(network);
  // Each channel has pages of its own.
  return <Listed key={channel} network={network} channel={channel} />;
}

function Listed({ network, channel }: { network: string; channel: string | undefined }) {
  const can = useCan();
  const evm = useCapabilities(network)?.has("evm") ?? false;
  const pages = useCursors();
  const transactions = useQuery({
    ...transactionsQuery(network, channel, pages.cursor),
    placeholderData: keepPreviousData,
  });
  return (
    <Panel flush title="Transactions" actions={evm && can("transactions:raw") && <SendTransaction network={network} />}>
      <QueryView query={transactions} lines={10}>
        {({ items, next }) => (
          <>
            <TransactionTable
              network={network}
              rows={items}
              empty={
                <Empty title="No transaction yet">
                  {evm
                    ? "Deploy a contract, or point any Ethereum client at a node's address."
                    : "They show when a contract is called."}
                </Empty>
              }
            />
            <Pager pages={pages} next={next} />
          </>
        )}
      </QueryView>
    </Panel>
  );
}
