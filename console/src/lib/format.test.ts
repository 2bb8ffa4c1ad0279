import { describe, expect, it } from "vitest";
import {
  binaryStep,
  formatAgo,
  formatAmount,
  formatBytes,
  formatDuration,
  formatKey,
  formatKind,
  formatNumber,
  plural,
  roleName,
  sentence,
  shorten,
} from "./format";

describe("values", () => {
  it("writes nothing as a dash and large numbers in groups", () => {
    expect(formatNumber(null)).toBe("–");
    expect(formatNumber(43108)).toBe("43,108");
  });

  it("tells how long ago in the largest unit that fits", () => {
    const now = 1_000_000_000;
    expect(formatAgo((now - 500) * 1000, now)).toBe("now");
    expect(formatAgo((now - 59_000) * 1000, now)).toBe("59 s ago");
    expect(formatAgo((now - 3_600_000) * 1000, now)).toBe("1 h ago");
  });

  it("writes lengths of time and sizes", () => {
    expect(formatDuration(12_000)).toBe("12 ms");
    expect(formatDuration(125_000_000)).toBe("2 min 5 s");
    expect(formatBytes(512)).toBe("512 B");
    expect(formatBytes(75.5 * 1024 * 1024)).toBe("75.5 MiB");
  });

  it("keeps both ends of a hash", () => {
    expect(shorten(`0x${"ab".repeat(32)}`)).toMatch(/^0xababab.*ababab$/);
    expect(plural(1, "node")).toContain("1 node");
    expect(plural(2, "node")).toContain("2 nodes");
  });

  it("writes amounts without rounding them up", () => {
    expect(formatAmount("0")).toBe("0");
    expect(formatAmount("1")).toBe("< 0.000001");
    expect(formatAmount("1500000000000000000")).toBe("1.5");
    expect(formatAmount("1000000999999999999999999")).toBe("1,000,000.999999");
    expect(formatAmount("much")).toBe("much");
  });

  it("divides sizes by powers of two", () => {
    expect(binaryStep(65 * 1024 * 1024)).toBe(32 * 1024 * 1024);
    expect(binaryStep(4096)).toBe(1024);
    expect(formatBytes(binaryStep(100))).toBe("32 B");
  });

  it("turns names and asides into words", () => {
    expect(formatKind("access-key.create")).toBe("Create access key");
    expect(formatKey("stateRoot")).toBe("State root");
    expect(["transaction-manager", "ca", "carrier"].map(roleName)).toEqual(["transaction manager", "CA", "carrier"]);
    expect(sentence("no node answers")).toBe("No node answers.");
    expect(sentence("It ended!")).toBe("It ended!");
  });
});
