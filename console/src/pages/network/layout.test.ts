import { describe, expect, it } from "vitest";
import type { Topology } from "../../api/types";
import { type Box, groupId, layOut } from "./layout";

const network = (...sizes: number[]) =>
  ({
    nodes: sizes.flatMap((size, member) =>
      Array.from({ length: size }, (_, index) => ({ id: `${member}/${index}`, member: `m${member}` })),
    ),
  }) as Topology;

const apart = (a: Box, b: Box) =>
  a.x + a.width < b.x || b.x + b.width < a.x || a.y + a.height < b.y || b.y + b.height < a.y;

describe("layout", () => {
  for (const sizes of [[1], [1, 1], [1, 1, 1, 1], [3, 1, 2], [7, 4, 4, 2, 9, 1, 1]])
    for (const narrow of [true, false])
      it(`keeps ${sizes} ${narrow ? "narrow" : "wide"} apart, each node in its member`, () => {
        const topology = network(...sizes);
        const places = layOut(topology, narrow);
        const groups = sizes.map((_, member) => places.get(groupId(`m${member}`)) as Box);
        groups.forEach((group, index) => {
          for (const other of groups.slice(index + 1)) expect(apart(group, other)).toBe(true);
          const inside = topology.nodes
            .filter((node) => node.member === `m${index}`)
            .map((node) => places.get(node.id) as Box);
          inside.forEach((box, at) => {
            expect(Math.min(box.x, group.width - box.x - box.width, group.height - box.y - box.height)).toBeGreaterThan(
              0,
            );
            for (const other of inside.slice(at + 1)) expect(apart(box, other)).toBe(true);
          });
        });
      });

  it("sets four members two by two", () => {
    const places = layOut(network(1, 1, 1, 1), false);
    expect(new Set([0, 1, 2, 3].map((member) => places.get(groupId(`m${member}`))?.x)).size).toBe(2);
  });

  it("has no places for no nodes", () => expect(layOut(network(), false).size).toBe(0));
});
