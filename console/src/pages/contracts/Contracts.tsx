import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { useCapabilities } from "../../api/capabilities";
import { useChannel } from "../../api/channel";
import { contractsQuery } from "../../api/queries";
import { useCan } from "../../api/session";
import type { Contract } from "../../api/types";
import { deployerOf } from "../../lib/chaincode";
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
  const capabilities = useCapabilities(network);
  const channel = useChannel(network);
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
      ...(channel === undefined
        ? []
        : [{ id: "channel", header: "Channel", wide: true, value: (row: Contract) => row.channel }]),
      { id: "member", header: "Deployed by", wide: true, value: deployerOf },
      {
        id: "createdAt",
        header: "Added",
        align: "right",
        value: (row) => row.createdAt,
        cell: (row) => <Ago at={row.createdAt} />,
      },
    ],
    [network, channel],
  );
  const beside = capabilities?.has("contracts-beside") ?? false;
  const deploy = can("contracts:write") && capabilities && (
    <ButtonLink
      size="xs"
      to={beside ? "/networks/$network/chaincode/deploy" : "/networks/$network/contracts/deploy"}
      params={{ network }}
      leftSection={<IconPlus size={14} />}
    >
      {beside ? "Deploy chaincode" : "Deploy or register"}
    </ButtonLink>
  );
  return (
    <Panel flush title="Contracts" actions={deploy}>
      <QueryView query={contracts}>
        {({ items }) => (
          <DataTable
            label="Contracts"
            columns={columns}
            rows={channel === undefined ? items : items.filter((row) => row.channel == null || row.channel === channel)}
            rowId={(row) => row.id}
            filter="Filter contracts"
            empty={
              <Empty
                title={channel === undefined ? "No contract yet" : `No contract on channel ${channel} yet`}
                action={deploy}
              >
                {beside
                  ? "Chaincode shows here when its deployment is done."
                  : "Deploy one from the artifact that your compiler wrote, or register one that is already on the ledger."}
              </Empty>
            }
          />
        )}
      </QueryView>
    </Panel>
  );
}
