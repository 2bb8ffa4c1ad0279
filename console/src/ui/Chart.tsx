import { useComputedColorScheme } from "@mantine/core";
import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { type EChartsCoreOption, type EChartsType, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";

use([LineChart, BarChart, GridComponent, TooltipComponent, LegendComponent, AriaComponent, SVGRenderer]);

export interface Series {
  name: string;
  kind: "line" | "bar";
  colour: "accent" | "ok" | "warn" | "busy";
  /** Microseconds and value; null leaves a gap. */
  points: [at: number, value: number | null][];
}

interface ChartProps {
  title: string;
  series: Series[];
  format: (value: number) => string;
  height?: number;
  /** Distance of the lines across, given the largest value; chosen by the library when absent. */
  step?: (largest: number) => number;
}

/** A chart over time. Loaded with the pages that draw one: the library is large. */
export default function Chart({ title, series, format, height = 220, step }: ChartProps) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(null);
  const scheme = useComputedColorScheme();
  useEffect(() => {
    if (element.current === null) return;
    const made = init(element.current, undefined, { renderer: "svg" });
    chart.current = made;
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(element.current);
    return () => {
      observer.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read again when the scheme changes
  useEffect(() => {
    if (element.current)
      chart.current?.setOption(options({ title, series, format, step }, colourReader(element.current)), {
        replaceMerge: ["series", "legend"],
      });
  }, [title, series, format, step, scheme]);
  const hasValues = series.some(({ points }) => points.some(([, value]) => value !== null));
  return (
    <figure className="chart">
      <figcaption style={{ fontSize: "0.8125rem", fontWeight: 500, marginBottom: 4 }}>{title}</figcaption>
      {!hasValues && <div className="chart-empty">No values in this period</div>}
      <div ref={element} style={{ height }} role="img" aria-label={`${title}: ${summarise(series, format)}`} />
    </figure>
  );
}

/** Custom properties that use `light-dark()` have a colour only once an element uses them. */
function colourReader(element: HTMLElement) {
  return (name: string) => {
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    element.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };
}

function summarise(series: Series[], format: (value: number) => string): string {
  return series
    .map(({ name, points }) => {
      const newest = points.findLast((point) => point[1] !== null)?.[1];
      return `${name} ${newest == null ? "without values" : `now ${format(newest)}`}`;
    })
    .join(", ");
}

function options({ title, series, format, step }: ChartProps, colour: (name: string) => string): EChartsCoreOption {
  const largest = Math.max(0, ...series.flatMap(({ points }) => points.map(([, value]) => value ?? 0)));
  const interval = step && largest > 0 ? step(largest) : undefined;
  const soft = colour("ink-soft");
  const line = colour("line");
  return {
    animation: false,
    aria: { enabled: false },
    textStyle: { fontFamily: "IBM Plex Sans Variable, system-ui, sans-serif", color: soft },
    grid: { left: 4, right: 8, top: series.length > 1 ? 30 : 10, bottom: 4, containLabel: true },
    legend:
      series.length > 1 ? { right: 0, top: 0, itemWidth: 14, itemHeight: 8, textStyle: { color: soft } } : undefined,
    tooltip: {
      trigger: "axis",
      valueFormatter: (value: unknown) => (typeof value === "number" ? format(value) : "–"),
      backgroundColor: colour("panel"),
      borderColor: line,
      textStyle: { color: colour("ink"), fontSize: 12 },
      axisPointer: { lineStyle: { color: soft } },
    },
    xAxis: {
      type: "time",
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
      axisLabel: { color: soft, hideOverlap: true, formatter: "{HH}:{mm}" },
      splitNumber: 5,
    },
    yAxis: {
      type: "value",
      min: 0,
      interval,
      max: interval && Math.ceil(largest / interval) * interval,
      splitNumber: 3,
      axisLabel: { color: soft, formatter: format },
      splitLine: { lineStyle: { color: line } },
    },
    series: series.map((one) => ({
      name: one.name,
      type: one.kind,
      data: one.points.map(([at, value]) => [at / 1000, value]),
      color: colour(one.colour),
      showSymbol: false,
      barMaxWidth: 10,
      lineStyle: { width: 1.75 },
      areaStyle: one.kind === "line" && series.length === 1 ? { opacity: 0.1 } : undefined,
    })),
    title: undefined,
    name: title,
  };
}
