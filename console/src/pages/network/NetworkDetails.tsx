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
import { endpointsOf } from "./endpoints";

const route = getRouteApi("/signed-in/networks/$network/details");

export function NetworkDetails() {
  const { network: id } = route.useParams();
  const network = useQuery(networkQuery(id));
  return <QueryView query={network}>{(network) => <Details network={network} />}</QueryView>;
}

function Details({ network }: { network: Network }) {
  const consortium = useQuery(consortiumQuery(network.consortium));
  const operations = useQuery(operationsQuery({ subject: network.id }));
  const nodes = network.nodes
    .map((node) => ({ node, endpoints: endpointsOf(node) }))
    .filter(({ endpoints }) => endpoints.length > 0);
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
            ["Channels", network.channels?.length ? network.channels.join(", ") : undefined],
            [
              "Chain id",
              network.chainId == null ? undefined : (
                <Copyable key="chain" text={String(network.chainId)} what="chain id" />
              ),
            ],
            ["Created", formatTime(network.createdAt)],
          ]}
        />
      </Panel>
      <Panel title="Connect a client">
        {network.rpc != null && (
          <Facts
            items={[
              [
                "Applications",
                <Stack key="rpc" gap={2}>
                  <Copyable text={location.origin + network.rpc} what="address for applications" />
                  <TextLink to="/applications">With the key of an application</TextLink>
                </Stack>,
              ],
            ]}
          />
        )}
        {nodes.length === 0 ? (
          network.attached ? (
            "Others run this network: use the address that they gave you."
          ) : (
            "The nodes' addresses show while they run."
          )
        ) : (
          <Facts
            items={nodes.map(({ node, endpoints }) => [
              node.name,
              <Stack key={node.id} gap={2}>
                {endpoints.map(({ title, text, what }) => (
                  <div key={what}>
                    {endpoints.length > 1 && <span className="soft">{title} </span>}
                    <Copyable text={text} what={what} />
                  </div>
                ))}
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
