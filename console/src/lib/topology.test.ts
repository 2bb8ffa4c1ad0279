import { describe, expect, it } from "vitest";
import type { Node, Topology } from "../api/types";
import { byMember, pairs, shapeOf } from "./topology";

const node = (id: string, member: string, height = 0) => ({ id, member, height }) as Node;

function topology(nodes: Node[], links: [from: string, to: string, connected: boolean][]): Topology {
  return { nodes, links: links.map(([from, to, connected]) => ({ from, to, connected })), leader: null } as Topology;
}

describe("topology", () => {
  it("makes one connection of both directions, and is down when one side says so", () => {
    const found = pairs(
      topology(
        [],
        [
          ["a", "b", true],
          ["b", "a", true],
          ["c", "a", true],
          ["a", "c", false],
          ["b", "c", false],
          ["a", "a", true],
        ],
      ),
    );
    expect(found.map(({ from, to, connected }) => [from, to, connected])).toEqual([
      ["a", "b", true],
      ["a", "c", false],
      ["b", "c", false],
    ]);
  });

  it("keeps members in the order of their names", () => {
    const nodes = [node("1", "noordzee"), node("2", "delta"), node("3", "noordzee")];
    expect(byMember(nodes).map(([member, own]) => [member, own.map(({ id }) => id)])).toEqual([
      ["delta", ["2"]],
      ["noordzee", ["1", "3"]],
    ]);
  });

  it("has one shape at every height, and another with one more node", () => {
    const before = topology([node("1", "delta", 7)], []);
    expect(shapeOf(topology([node("1", "delta", 8)], []))).toBe(shapeOf(before));
    expect(shapeOf(topology([node("1", "delta", 8), node("2", "delta")], []))).not.toBe(shapeOf(before));
  });
});
