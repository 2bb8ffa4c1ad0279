import type { CSSProperties } from "react";
import { capital } from "../lib/format";

export type Tone = "ok" | "busy" | "warn" | "bad" | "idle";

/** What each state of networks, nodes, operations, transactions and tasks means, as one of five tones. */
const TONES: Record<string, Tone> = {
  running: "ok",
  succeeded: "ok",
  success: "ok",
  intact: "ok",
  creating: "busy",
  starting: "busy",
  queued: "busy",
  pending: "busy",
  deleting: "busy",
  degraded: "warn",
  unhealthy: "warn",
  waiting: "warn",
  unknown: "warn",
  halted: "bad",
  failed: "bad",
  reverted: "bad",
  broken: "bad",
  stopped: "idle",
  undone: "idle",
};

const MOVING = new Set(["creating", "starting", "queued", "pending", "deleting"]);

export function toneOf(status: string): Tone {
  return TONES[status] ?? "idle";
}

export function toneStyle(tone: Tone): CSSProperties {
  return { "--tone": `var(--${tone})` } as CSSProperties;
}

/** A state in words with its colour; `operation` tells a running operation (busy) from a running node (well). */
export function Status({ status, operation = false }: { status: string; operation?: boolean }) {
  const tone = operation && status === "running" ? "busy" : toneOf(status);
  return (
    <span className="status" style={toneStyle(tone)}>
      <span className="dot" data-pulse={tone === "busy" || MOVING.has(status) || undefined} aria-hidden="true" />
      {capital(status)}
    </span>
  );
}

export function Dot({ status }: { status: string }) {
  return <span className="dot" style={toneStyle(toneOf(status))} role="img" aria-label={status} />;
}
