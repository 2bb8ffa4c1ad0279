import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
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
  const can = useCan();
  const pages = useCursors();
  const transactions = useQuery({ ...transactionsQuery(network, pages.cursor), placeholderData: keepPreviousData });
  return (
    <Panel flush title="Transactions" actions={can("transactions:raw") && <SendTransaction network={network} />}>
      <QueryView query={transactions} lines={10}>
        {({ items, next }) => (
          <>
            <TransactionTable
              network={network}
              rows={items}
              empty={
                <Empty title="No transaction yet">
                  Deploy a contract, or point any Ethereum client at a node's address.
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
