import type { ConsensusKind } from "../api/types";

/** Whether a version of an engine's programs has a kind of consensus. Of a version without numbers, such as a commit, nobody knows. */
export function hasConsensus(version: string, kind: ConsensusKind): boolean {
  if (numbers(version).length === 0) return true;
  const from = kind.fromVersion == null || compare(version, kind.fromVersion) >= 0;
  return from && (kind.beforeVersion == null || compare(version, kind.beforeVersion) < 0);
}

function numbers(version: string): number[] {
  const found = /^v?(\d+(?:\.\d+)+)/.exec(version);
  return found?.[1]?.split(".").map(Number) ?? [];
}

function compare(one: string, other: string): number {
  const [left, right] = [numbers(one), numbers(other)];
  const place = left.findIndex((number, index) => number !== right[index]);
  if (place < 0) return left.length - right.length;
  return (left[place] ?? 0) - (right[place] ?? -1);
}
