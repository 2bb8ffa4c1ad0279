import type { ReactNode } from "react";
import { formatKey, formatNumber, NONE } from "../lib/format";
import { Copyable } from "./Copyable";

export function Facts({ items }: { items: [label: string, value: ReactNode][] }) {
  return (
    <dl className="facts">
      {items.map(([label, value]) => (
        <div key={label} style={{ display: "contents" }}>
          <dt>{label}</dt>
          <dd>{value ?? NONE}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Facts that an engine publishes: shown as they come, since the console knows no engine. */
export function engineFacts(facts: unknown): [string, ReactNode][] {
  if (typeof facts !== "object" || facts === null) return [];
  return Object.entries(facts).map(([key, value]) => [formatKey(key), showValue(value)]);
}

/** Any JSON value for a person: long texts can be copied. */
export function showValue(value: unknown): ReactNode {
  if (value === null || value === undefined) return NONE;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return Number.isInteger(value) ? formatNumber(value) : String(value);
  if (typeof value === "string") {
    return value.length > 20 ? <Copyable text={value} /> : <span className="mono">{value === "" ? "“”" : value}</span>;
  }
  if (Array.isArray(value) && value.length === 0) return "none";
  return <pre className="code">{JSON.stringify(value, null, 2)}</pre>;
}

export interface Figure {
  label: string;
  value: ReactNode;
  note?: ReactNode;
}

export function Figures({ items }: { items: Figure[] }) {
  return (
    <dl className="figures" style={{ margin: 0 }}>
      {items.map((item) => (
        <div className="figure" key={item.label}>
          <dt className="figure-label">{item.label}</dt>
          <dd style={{ margin: 0 }}>
            <div className="figure-value">{item.value}</div>
            {item.note && <div className="figure-note">{item.note}</div>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
