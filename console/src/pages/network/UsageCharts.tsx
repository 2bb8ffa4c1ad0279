import { useMemo } from "react";
import type { Usage } from "../../api/types";
import { binaryStep, formatBytes, formatCpu } from "../../lib/format";
import Chart, { type Series } from "../../ui/Chart";
import { Empty } from "../../ui/Empty";

export default function UsageCharts({ samples }: { samples: Usage[] }) {
  const { cpu, memory } = useMemo(() => toSeries(samples), [samples]);
  if (samples.length < 2) return <Empty title="No samples yet">They are taken while the node runs.</Empty>;
  return (
    <div className="charts">
      <Chart title="CPU, of one core" series={cpu} format={formatCpu} height={180} />
      <Chart title="Resident memory" series={memory} format={formatBytes} step={binaryStep} height={180} />
    </div>
  );
}

function toSeries(samples: Usage[]): { cpu: Series[]; memory: Series[] } {
  const ordered = [...samples].sort((a, b) => a.at - b.at);
  return {
    cpu: [{ name: "CPU", kind: "line", colour: "accent", points: ordered.map((sample) => [sample.at, sample.cpu]) }],
    memory: [
      {
        name: "Memory",
        kind: "line",
        colour: "accent",
        points: ordered.map((sample) => [sample.at, sample.memoryBytes]),
      },
    ],
  };
}
