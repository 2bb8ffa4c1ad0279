import type { Statistics } from "../api/types";

/** Transactions per second over the last minute of whole intervals; the newest interval is still being filled. */
export function transactionsPerSecond(statistics: Statistics | undefined): number | undefined {
  const recent = lastMinute(statistics);
  if (statistics === undefined || recent.length === 0) return undefined;
  const sum = recent.reduce((total, point) => total + point.transactions, 0);
  return sum / (recent.length * statistics.intervalSeconds);
}

/** Mean of the block intervals over the last minute, in milliseconds. */
export function blockInterval(statistics: Statistics | undefined): number | undefined {
  return mean(lastMinute(statistics).map((point) => point.blockIntervalMs));
}

/** Median latency over the last minute, in milliseconds; undefined without samples. */
export function latency(statistics: Statistics | undefined): number | undefined {
  return mean(lastMinute(statistics).map((point) => point.latencyP50Ms));
}

function lastMinute(statistics: Statistics | undefined) {
  if (statistics === undefined) return [];
  const whole = statistics.points.slice(0, -1);
  return whole.slice(-Math.max(1, Math.round(60 / statistics.intervalSeconds)));
}

function mean(values: (number | null | undefined)[]): number | undefined {
  const known = values.filter((value): value is number => value != null);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}
