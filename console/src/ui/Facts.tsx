import { Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { formatKey, formatNumber, formatTime, NONE } from "../lib/format";
import { Copyable } from "./Copyable";

/** Labels and values: null shows as a dash, undefined leaves the line out. */
export function Facts({ items }: { items: [label: string, value: ReactNode][] }) {
  return (
    <dl className="facts">
      {items
        .filter(([, value]) => value !== undefined)
        .map(([label, value]) => (
          <div key={label} style={{ display: "contents" }}>
            <dt>{label}</dt>
            <dd>{value ?? NONE}</dd>
          </div>
        ))}
    </dl>
  );
}

/** Facts that an engine publishes: shown as they come, since the console knows no engine. What it does not know is left out. */
export function engineFacts(facts: unknown): [string, ReactNode][] {
  if (typeof facts !== "object" || facts === null) return [];
  return Object.entries(facts)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [formatKey(key), showFact(key, value)]);
}

/** By the API's conventions: what ends in `At` is a time, what ends in `Id` a name made of digits. */
function showFact(key: string, value: unknown): ReactNode {
  if (typeof value === "number" && key.endsWith("At")) return formatTime(value);
  if (typeof value === "number" && key.endsWith("Id")) return <span className="mono">{value}</span>;
  return showValue(value);
}

/** Any JSON value for a person: long texts can be copied. */
export function showValue(value: unknown): ReactNode {
  if (value === null || value === undefined) return NONE;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return Number.isInteger(value) ? formatNumber(value) : String(value);
  if (typeof value === "string") {
    if (value === "") return NONE;
    return value.length > 20 ? <Copyable text={value} /> : <span className="mono">{value}</span>;
  }
  if (Array.isArray(value) && value.every((item) => isPlain(item) || isFlat(item))) {
    if (value.length === 0) return "none";
    return (
      <Stack gap={2}>
        {value.map((item, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the values of a list have no other identity
          <div key={index}>{showValue(item)}</div>
        ))}
      </Stack>
    );
  }
  if (isFlat(value)) {
    return (
      <span className="flat">
        {Object.entries(value).map(([key, item]) => (
          <span key={key}>
            <span className="soft">{formatKey(key)}</span> {showFact(key, item)}
          </span>
        ))}
      </span>
    );
  }
  return <pre className="code">{JSON.stringify(value, null, 2)}</pre>;
}

function isPlain(value: unknown): boolean {
  return value === null || typeof value !== "object";
}

/** An object of few plain values, which fits a line. */
function isFlat(value: unknown): value is Record<string, unknown> {
  if (isPlain(value) || Array.isArray(value)) return false;
  const values = Object.values(value as object);
  return values.length > 0 && values.length <= 6 && values.every(isPlain);
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
