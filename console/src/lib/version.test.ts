import { expect, test } from "vitest";
import type { ConsensusKind } from "../api/types";
import { hasConsensus } from "./version";

const kind = (bounds: Partial<ConsensusKind>) => bounds as ConsensusKind;

test("a consensus is in the versions between its bounds", () => {
  const gone = kind({ beforeVersion: "1.14" });
  expect(["1.13.15", "v1.9.25", "8585ac91f198"].map((version) => hasConsensus(version, gone))).toEqual([
    true,
    true,
    true,
  ]);
  expect(["1.14", "1.14.0", "1.17.5", "2.0.1"].map((version) => hasConsensus(version, gone))).toEqual(
    Array(4).fill(false),
  );
  const come = kind({ fromVersion: "1.14" });
  expect(["1.13.15", "1.14", "v1.14.0-unstable", "1.17.5"].map((version) => hasConsensus(version, come))).toEqual([
    false,
    true,
    true,
    true,
  ]);
  expect(hasConsensus("22.7.4", kind({ fromVersion: null }))).toBe(true);
});
