import { expect, it } from "vitest";
import { readLogLine } from "./log";

it("takes time and level from a line, leaves other lines whole, and knows a panic", () => {
  const line = "2026-11-21T07:00:10.267293Z  WARN chain_consensus::engine: no validator is connected";
  expect(readLogLine(line)).toEqual({
    head: "2026-11-21T07:00:10.267293Z",
    level: "WARN",
    text: "chain_consensus::engine: no validator is connected",
  });
  const coloured =
    "\u001b[31m2026-11-21 16:53:27.573 UTC 26f0 ERRO\u001b[0m [endorser] \u001b[31;1mcall\u001b[0m -> failed";
  expect(readLogLine(coloured)).toEqual({
    head: "2026-11-21 16:53:27.573 UTC",
    level: "ERROR",
    text: "[endorser] call -> failed",
  });
  expect(readLogLine("ended with status 0")).toEqual({ head: "", level: "", text: "ended with status 0" });
  expect(readLogLine("thread 'main' panicked at src/main.rs:3").level).toBe("PANIC");
});
