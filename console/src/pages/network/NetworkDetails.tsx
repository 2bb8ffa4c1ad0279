import { Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { consortiumQuery, enginesQuery, networkQuery, operationsQuery } from "../../api/queries";
import type { Network } from "../../api/types";
import { formatKey, formatTime } from "../../lib/format";
import { Copyable } from "../../ui/Copyable";
import { Empty } from "../../ui/Empty";
import { Facts, showValue } from "../../ui/Facts";
import { TextLink } from "../../ui/links";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { OperationTable } from "../../ui/tables";
import { readOptions } from "../wizard/schema";

const route = getRouteApi("/signed-in/networks/$network/details");

export function NetworkDetails() {
  const { network: id } = route.useParams();
  const network = useQuery(networkQuery(id));
  return <QueryView query={network}>{(network) => <Details network={network} />}</QueryView>;
}

function Details({ network }: { network: Network }) {
  const consortium = useQuery(consortiumQuery(network.consortium));
  const operations = useQuery(operationsQuery({ subject: network.id }));
  const endpoints = network.nodes.filter((node) => node.rpc != null);
  const engine = useQuery(enginesQuery()).data?.items.find((engine) => engine.name === network.engine);
  const titles = new Map(readOptions(engine?.options).map((option) => [option.name, option.title]));
  const options = Object.entries(network.options).map(([name, value]): [string, React.ReactNode] => [
    titles.get(name) ?? formatKey(name),
    showValue(value),
  ]);
  return (
    <Stack gap="lg">
      <Panel title="Network">
        <Facts
          items={[
            ["Id", <Copyable key="id" text={network.id} />],
            [
              "Consortium",
              <TextLink key="consortium" to="/consortia/$consortium" params={{ consortium: network.consortium }}>
                {consortium.data?.title ?? network.consortium}
              </TextLink>,
            ],
            ["Engine", engine?.title ?? network.engine],
            [
              "Consensus",
              engine?.consensus.find((kind) => kind.name === network.consensus)?.title ?? network.consensus,
            ],
            [
              "Chain id",
              network.chainId == null ? null : <Copyable key="chain" text={String(network.chainId)} what="chain id" />,
            ],
            ["Created", formatTime(network.createdAt)],
          ]}
        />
      </Panel>
      <Panel title="Connect a client">
        {endpoints.length === 0 ? (
          "The nodes' addresses show while they run."
        ) : (
          <Facts
            items={endpoints.map((node) => [
              node.name,
              <Stack key={node.id} gap={2}>
                <Copyable text={node.rpc ?? ""} what="HTTP address" />
                {node.ws && <Copyable text={node.ws} what="WebSocket address" />}
              </Stack>,
            ])}
          />
        )}
      </Panel>
      {options.length > 0 && (
        <Panel title="Options">
          <Facts items={options} />
        </Panel>
      )}
      <Panel flush title="Operations of this network">
        <QueryView query={operations}>
          {({ items }) => <OperationTable rows={items} empty={<Empty title="No operation yet" />} />}
        </QueryView>
      </Panel>
    </Stack>
  );
}
