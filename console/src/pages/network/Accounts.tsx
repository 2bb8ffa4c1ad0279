import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { useCapabilities } from "../../api/capabilities";
import { accountsQuery } from "../../api/queries";
import type { Account } from "../../api/types";
import { formatAmount, formatNumber, NONE } from "../../lib/format";
import { CopyAction } from "../../ui/Copyable";
import { type Column, DataTable } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { AddressLink } from "../../ui/tables";

const route = getRouteApi("/signed-in/networks/$network/accounts");

const AMOUNTS: Column<Account>[] = [
  {
    id: "balance",
    header: "Balance (ether)",
    align: "right",
    value: (row) => (row.balance == null ? null : Number(row.balance)),
    cell: (row) => (row.balance == null ? NONE : formatAmount(row.balance)),
  },
  {
    id: "nonce",
    header: "Transactions sent",
    align: "right",
    wide: true,
    value: (row) => row.nonce,
    cell: (row) => formatNumber(row.nonce),
  },
];

export function Accounts() {
  const { network } = route.useParams();
  const accounts = useQuery(accountsQuery(network));
  const capabilities = useCapabilities(network);
  // Ledgers without an own currency have neither; a node that does not answer leaves single ones out.
  const amounts = capabilities?.has("evm") ?? true;
  const columns = useMemo<Column<Account>[]>(
    () => [
      { id: "member", header: "Member", value: (row) => row.member },
      {
        id: "address",
        header: "Address",
        value: (row) => row.address,
        cell: (row) => (
          <span className="copy-line">
            <AddressLink network={network} address={row.address} />
            <CopyAction text={row.address} what="address" />
          </span>
        ),
      },
      ...(amounts ? AMOUNTS : []),
      { id: "usable", header: "Usable by you", wide: true, value: (row) => (row.usable ? "yes" : "no") },
    ],
    [network, amounts],
  );
  return (
    <Panel flush title="Accounts held for the members">
      <QueryView query={accounts}>
        {({ items }) => (
          <DataTable
            label="Accounts"
            columns={columns}
            rows={items}
            rowId={(row) => row.id}
            filter="Filter accounts"
            empty={<Empty title="No account yet">Each member gets one when the network has been created.</Empty>}
            foot="An account signs for its member's own roles only; a platform administrator may not use it."
          />
        )}
      </QueryView>
    </Panel>
  );
}
