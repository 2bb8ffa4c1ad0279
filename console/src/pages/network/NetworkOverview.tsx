import { SegmentedControl, Skeleton, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { FIRST_MINUTES, networkQuery, statisticsQuery, topologyQuery } from "../../api/queries";
import { formatNumber, NONE } from "../../lib/format";
import { blockInterval, latency, transactionsPerSecond } from "../../lib/statistics";
import { Figures } from "../../ui/Facts";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { useSeen } from "../../ui/useSeen";
import { AddNode } from "./AddNode";
import { AttachedPanel } from "./AttachedPanel";
import { NodeTable } from "./NodeTable";
import { TopologyGraph } from "./TopologyGraph";
import "./network.css";

const StatisticsCharts = lazy(() => import("./StatisticsCharts"));

const route = getRouteApi("/signed-in/networks/$network/");

export function NetworkOverview() {
  const { network: id } = route.useParams();
  const [minutes, setMinutes] = useState(String(FIRST_MINUTES));
  const network = useQuery(networkQuery(id));
  const topology = useQuery(topologyQuery(id));
  const statistics = useQuery(statisticsQuery(id, Number(minutes)));
  const nodes = topology.data?.nodes ?? network.data?.nodes ?? [];
  const attached = network.data?.attached;
  const charts = useSeen();
  const running = nodes.filter((node) => node.status === "running").length;
  return (
    <Stack gap="lg">
      <Figures
        items={[
          { label: "Height", value: formatNumber(network.data?.height) },
          { label: "Transactions/s", value: fixed(transactionsPerSecond(statistics.data), 1), note: "last minute" },
          { label: "Block time", value: milliseconds(blockInterval(statistics.data)), note: "mean, last minute" },
          { label: "Latency", value: milliseconds(latency(statistics.data)), note: "median to finality" },
          attached
            ? { label: "Nodes", value: "elsewhere", note: "the network is attached" }
            : { label: "Nodes running", value: `${running} of ${nodes.length}` },
        ]}
      />
      {attached && <AttachedPanel attached={attached} />}
      {!attached && (
        <Panel flush title="Topology" actions={<Legend />}>
          <QueryView query={topology} lines={8}>
            {(topology) => <TopologyGraph topology={topology} />}
          </QueryView>
        </Panel>
      )}
      {!attached && (
        <Panel flush title="Nodes" actions={network.data && <AddNode network={network.data} />}>
          <NodeTable nodes={nodes} leader={topology.data?.leader ?? null} />
        </Panel>
      )}
      <Panel
        title="Throughput and latency"
        actions={
          <SegmentedControl
            size="xs"
            aria-label="Length of time shown"
            data={[
              { value: String(FIRST_MINUTES), label: `${FIRST_MINUTES} min` },
              { value: "60", label: "1 h" },
            ]}
            value={minutes}
            onChange={setMinutes}
          />
        }
      >
        <div ref={charts.ref}>
          <QueryView query={statistics} lines={6}>
            {(statistics) => (
              <Suspense fallback={<Skeleton height={260} />}>
                {charts.seen ? <StatisticsCharts statistics={statistics} /> : <Skeleton height={260} />}
              </Suspense>
            )}
          </QueryView>
        </div>
      </Panel>
    </Stack>
  );
}

function fixed(value: number | undefined, places: number): string {
  return value === undefined ? NONE : value.toFixed(places);
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? NONE : `${formatNumber(Math.round(value))} ms`;
}

function Legend() {
  return (
    <div className="topology-legend" aria-hidden="true">
      <span>
        <i className="legend-up" /> connected
      </span>
      <span>
        <i className="legend-down" /> not connected
      </span>
    </div>
  );
}
