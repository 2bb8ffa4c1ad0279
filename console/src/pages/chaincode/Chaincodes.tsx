import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { toProblem } from "../../api/problem";
import { chaincodeQuery, chaincodesQuery, contractsQuery, networkQuery } from "../../api/queries";
import { useCan } from "../../api/session";
import type { Chaincode } from "../../api/types";
import { calledName } from "../../lib/chaincode";
import { nodeShortName } from "../../lib/format";
import { type Column, DataTable } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { Facts, showValue } from "../../ui/Facts";
import { IconPlus } from "../../ui/icons";
import { ButtonLink, TextLink } from "../../ui/links";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { CommandHint } from "./CommandHint";

const route = getRouteApi("/signed-in/networks/$network/chaincode");

const LANGUAGES: Record<string, string> = {
  go: "Go",
  javaScript: "JavaScript",
  typeScript: "TypeScript",
  java: "Java",
};

/** The contracts that run beside a network's nodes, on all its channels. */
export function Chaincodes() {
  const { network } = route.useParams();
  const can = useCan();
  const chaincodes = useQuery(chaincodesQuery(network));
  const contracts = useQuery(contractsQuery(network)).data?.items;
  const shown = useQuery(networkQuery(network)).data;
  const columns = useMemo<Column<Chaincode>[]>(() => {
    // What can be called is the contract that a finished deployment made known.
    const contractOf = (row: Chaincode) =>
      contracts?.find((one) => one.channel === row.channel && calledName(one) === row.name);
    return [
      {
        id: "name",
        header: "Chaincode",
        value: (row) => row.name,
        cell: (row) => {
          const contract = contractOf(row);
          return contract === undefined ? (
            row.name
          ) : (
            <TextLink to="/networks/$network/contracts/$contract" params={{ network, contract: contract.id }} fw={500}>
              {row.name}
            </TextLink>
          );
        },
      },
      { id: "channel", header: "Channel", value: (row) => row.channel },
      { id: "version", header: "Version", value: (row) => row.version },
      { id: "sequence", header: "Sequence", align: "right", value: (row) => row.sequence },
      {
        id: "language",
        header: "Language",
        wide: true,
        value: (row) => row.language && (LANGUAGES[row.language] ?? row.language),
      },
      {
        id: "policy",
        header: "Endorsement policy",
        wide: true,
        value: (row) => row.policy ?? "the channel's own",
        cell: (row) =>
          row.policy ? (
            <span className="mono break">{row.policy}</span>
          ) : (
            <span className="soft">the channel's own</span>
          ),
      },
      { id: "nodes", header: "Nodes", align: "right", value: (row) => row.nodes.length },
    ];
  }, [network, contracts]);
  const deploy = can("contracts:write") && (
    <ButtonLink
      size="xs"
      to="/networks/$network/chaincode/deploy"
      params={{ network }}
      leftSection={<IconPlus size={14} />}
    >
      Deploy chaincode
    </ButtonLink>
  );
  return (
    <Panel flush title="Chaincode" actions={deploy}>
      <QueryView query={chaincodes}>
        {({ items }) => (
          <DataTable
            label="Chaincode"
            columns={columns}
            rows={items}
            rowId={(row) => `${row.channel}/${row.name}/${row.sequence}`}
            filter="Filter chaincode"
            detail={{
              label: (row) => `chaincode ${row.name} on ${row.channel}`,
              show: (row) => <Details network={network} chaincode={row} />,
            }}
            empty={
              <Empty title="No chaincode yet" action={deploy}>
                Deploy a contract from its source in Go, Node.js or Java: here, or by the command line.
              </Empty>
            }
          />
        )}
      </QueryView>
      <div className="panel-body">
        <CommandHint network={shown?.name ?? network} />
      </div>
    </Panel>
  );
}

function Details({ network, chaincode }: { network: string; chaincode: Chaincode }) {
  const names = new Map(useQuery(networkQuery(network)).data?.nodes.map((node) => [node.id, nodeShortName(node.name)]));
  const state = useQuery(chaincodeQuery(network, chaincode.name, chaincode.channel));
  return (
    <Facts
      items={[
        ["In force", state.data && (state.data.committed ? "yes" : "not yet: more members must approve it")],
        ...(state.data?.approvals.map(({ member, installed, approved }): [string, string] => [
          `Approval of ${member}`,
          `${installed === null ? "its peers do not answer" : installed ? "installed" : "not installed"}, ${approved ? "approved" : "not approved"}`,
        ]) ?? []),
        ...(state.error ? [["Approvals", toProblem(state.error).detail] as [string, string]] : []),
        ["Endorsement policy", chaincode.policy ?? "the channel's own"],
        ["First call initialises it", chaincode.init ? "yes" : "no"],
        ["Language", chaincode.language && (LANGUAGES[chaincode.language] ?? chaincode.language)],
        [
          "Runs as",
          chaincode.nodes.length === 0
            ? "nothing yet"
            : chaincode.nodes.map((node, index) => (
                <span key={node}>
                  {index > 0 && ", "}
                  <TextLink to="/networks/$network/nodes/$node" params={{ network, node }}>
                    {names.get(node) ?? node}
                  </TextLink>
                </span>
              )),
        ],
        ["Private data", chaincode.collections?.length ? showValue(chaincode.collections) : "none"],
      ]}
    />
  );
}
