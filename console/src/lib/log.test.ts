import { expect, it } from "vitest";
import { readLogLine } from "./log";

it("takes time and level from a line, leaves other lines whole, and knows a panic", () => {
  const line = "2026-11-21T07:00:10.267293Z  WARN chain_consensus::engine: no validator is connected";
  expect(readLogLine(line)).toEqual({
    head: "2026-11-21T07:00:10.267293Z",
    level: "WARN",
    text: "chain_consensus::engine: no validator is connected",
  });
  expect(readLogLine("ended with status 0")).toEqual({ head: "", level: "", text: "ended with status 0" });
  expect(readLogLine("thread 'main' panicked at src/main.rs:3").level).toBe("PANIC");
});
