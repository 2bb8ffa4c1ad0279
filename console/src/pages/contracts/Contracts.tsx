import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { contractsQuery } from "../../api/queries";
import { useCan } from "../../api/session";
import type { Contract } from "../../api/types";
import { CopyAction } from "../../ui/Copyable";
import { type Column, DataTable } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { IconPlus } from "../../ui/icons";
import { ButtonLink, TextLink } from "../../ui/links";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { Ago } from "../../ui/Time";
import { AddressLink } from "../../ui/tables";

const route = getRouteApi("/signed-in/networks/$network/contracts");

export function Contracts() {
  const { network } = route.useParams();
  const can = useCan();
  const contracts = useQuery(contractsQuery(network));
  const columns = useMemo<Column<Contract>[]>(
    () => [
      {
        id: "name",
        header: "Contract",
        value: (row) => row.name,
        cell: (row) => (
          <TextLink to="/networks/$network/contracts/$contract" params={{ network, contract: row.id }} fw={500}>
            {row.name}
          </TextLink>
        ),
      },
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
      { id: "member", header: "Deployed by", wide: true, value: (row) => row.member ?? "elsewhere" },
      {
        id: "createdAt",
        header: "Added",
        align: "right",
        value: (row) => row.createdAt,
        cell: (row) => <Ago at={row.createdAt} />,
      },
    ],
    [network],
  );
  const deploy = can("contracts:write") && (
    <ButtonLink
      size="xs"
      to="/networks/$network/contracts/deploy"
      params={{ network }}
      leftSection={<IconPlus size={14} />}
    >
      Deploy or register
    </ButtonLink>
  );
  return (
    <Panel flush title="Contracts" actions={deploy}>
      <QueryView query={contracts}>
        {({ items }) => (
          <DataTable
            label="Contracts"
            columns={columns}
            rows={items}
            rowId={(row) => row.id}
            filter="Filter contracts"
            empty={
              <Empty title="No contract yet" action={deploy}>
                Deploy one from the artifact that your compiler wrote, or register one that is already on the ledger.
              </Empty>
            }
          />
        )}
      </QueryView>
    </Panel>
  );
}
