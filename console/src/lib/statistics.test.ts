import { describe, expect, it } from "vitest";
import type { Statistics } from "../api/types";
import { blockInterval, latency, transactionsPerSecond } from "./statistics";

type Point = Partial<Statistics["points"][number]>;

const statistics = (points: Point[], intervalSeconds = 30): Statistics => ({
  intervalSeconds,
  points: points.map((point, index) => ({ at: index, blocks: 0, transactions: 0, ...point })) as Statistics["points"],
});

describe("figures of the last minute", () => {
  it("are unknown without a whole interval", () => {
    expect(transactionsPerSecond(undefined)).toBeUndefined();
    expect(transactionsPerSecond(statistics([{ transactions: 9 }]))).toBeUndefined();
  });

  it("count whole intervals only, and none that is older", () => {
    const points = [{ transactions: 900 }, { transactions: 60 }, { transactions: 30 }, { transactions: 900 }];
    expect(transactionsPerSecond(statistics(points))).toBe(1.5);
  });

  it("take the mean of what is known", () => {
    const points = [
      { blockIntervalMs: 400, latencyP50Ms: null },
      { blockIntervalMs: 600, latencyP50Ms: 40 },
      { blockIntervalMs: 9 },
    ];
    expect(blockInterval(statistics(points))).toBe(500);
    expect(latency(statistics(points))).toBe(40);
    expect(latency(statistics([{}, {}]))).toBeUndefined();
  });
});
