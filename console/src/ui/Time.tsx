import { Tooltip } from "@mantine/core";
import { useEffect, useState } from "react";
import { formatAgo, formatTime, NONE } from "../lib/format";

const listeners = new Set<() => void>();
let clock: ReturnType<typeof setInterval> | undefined;

/** Renders again each second; all users share one timer. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const tick = () => setNow(Date.now());
    listeners.add(tick);
    clock ??= setInterval(() => {
      for (const listener of listeners) listener();
    }, 1000);
    return () => {
      listeners.delete(tick);
      if (listeners.size === 0) {
        clearInterval(clock);
        clock = undefined;
      }
    };
  }, []);
  return now;
}

export function Ago({ at }: { at: number | null | undefined }) {
  const now = useNow();
  if (at == null) return <>{NONE}</>;
  return (
    <Tooltip label={formatTime(at)}>
      <time dateTime={new Date(at / 1000).toISOString()} style={{ whiteSpace: "nowrap" }}>
        {formatAgo(at, now)}
      </time>
    </Tooltip>
  );
}
