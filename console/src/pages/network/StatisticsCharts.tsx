import { useMemo } from "react";
import type { Statistics } from "../../api/types";
import { formatNumber } from "../../lib/format";
import Chart, { type Series } from "../../ui/Chart";
import { Empty } from "../../ui/Empty";

const perSecond = (value: number) =>
  value >= 10 || Number.isInteger(value) ? formatNumber(Math.round(value)) : value.toFixed(1);
const milliseconds = (value: number) => `${formatNumber(Math.round(value))} ms`;

export default function StatisticsCharts({ statistics }: { statistics: Statistics }) {
  const { throughput, latency, interval, hasLatency } = useMemo(() => toSeries(statistics), [statistics]);
  if (statistics.points.length === 0) {
    return <Empty title="No figures yet">They begin with the network's first blocks.</Empty>;
  }
  return (
    <div className="charts">
      <Chart title="Transactions per second" series={throughput} format={perSecond} />
      {hasLatency ? (
        <Chart title="Latency from submission to finality" series={latency} format={milliseconds} />
      ) : (
        <Chart title="Block time (mean)" series={interval} format={milliseconds} />
      )}
    </div>
  );
}

function toSeries({ points, intervalSeconds }: Statistics) {
  // The newest interval is still being filled and would look like a fall.
  const whole = points.slice(0, -1);
  const throughput: Series[] = [
    {
      name: "Transactions per second",
      kind: "line",
      colour: "accent",
      points: whole.map((point) => [point.at, point.transactions / intervalSeconds]),
    },
  ];
  const latency: Series[] = [
    {
      name: "median",
      kind: "line",
      colour: "accent",
      points: whole.map((point) => [point.at, point.latencyP50Ms ?? null]),
    },
    {
      name: "99th percentile",
      kind: "line",
      colour: "warn",
      points: whole.map((point) => [point.at, point.latencyP99Ms ?? null]),
    },
  ];
  const interval: Series[] = [
    {
      name: "mean",
      kind: "line",
      colour: "accent",
      points: whole.map((point) => [point.at, point.blockIntervalMs ?? null]),
    },
  ];
  return { throughput, latency, interval, hasLatency: whole.some((point) => point.latencyP50Ms != null) };
}
