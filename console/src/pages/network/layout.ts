import type { Node, Topology } from "../../api/types";
import { byMember } from "../../lib/topology";

/** On a narrow screen two members stand side by side. */
const NODE_WIDTH = { wide: 172, narrow: 132 };
const NODE_HEIGHT = 72;
const NODE_GAP = 14;
const MEMBER_GAP = { wide: 72, narrow: 24 };
/** Around the nodes of a member: its name stands above them. */
const INSET = { top: 38, side: 14 };

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Places relative to the surrounding group: groups by `member NAME`, nodes by id. */
export type Places = Map<string, Box>;

/** Where members and their nodes go: the members in a grid as near to a square as can be, the nodes of one in a block. */
export function layOut(topology: Topology, narrow: boolean): Places {
  const places: Places = new Map();
  const gap = narrow ? MEMBER_GAP.narrow : MEMBER_GAP.wide;
  const blocks = byMember(topology.nodes).map(([member, nodes]) => ({ member, ...block(nodes, narrow, places) }));
  const columns = narrow ? Math.min(2, blocks.length) : Math.ceil(Math.sqrt(blocks.length));
  const width = Math.max(0, ...blocks.map((block) => block.width));
  let y = 0;
  for (let first = 0; first < blocks.length; first += columns) {
    const row = blocks.slice(first, first + columns);
    row.forEach(({ member, ...size }, column) => {
      places.set(groupId(member), { x: column * (width + gap), y, ...size });
    });
    y += Math.max(...row.map((block) => block.height)) + gap;
  }
  return places;
}

/** Places the nodes of one member; answers how large they are together. */
function block(nodes: Node[], narrow: boolean, places: Places): { width: number; height: number } {
  const columns = narrow || nodes.length <= 2 ? 1 : Math.ceil(Math.sqrt(nodes.length));
  const nodeWidth = narrow ? NODE_WIDTH.narrow : NODE_WIDTH.wide;
  nodes.forEach((node, index) => {
    places.set(node.id, {
      x: INSET.side + (index % columns) * (nodeWidth + NODE_GAP),
      y: INSET.top + Math.floor(index / columns) * (NODE_HEIGHT + NODE_GAP),
      width: nodeWidth,
      height: NODE_HEIGHT,
    });
  });
  const rows = Math.ceil(nodes.length / columns);
  return {
    width: 2 * INSET.side + columns * (nodeWidth + NODE_GAP) - NODE_GAP,
    height: INSET.top + rows * (NODE_HEIGHT + NODE_GAP) - NODE_GAP + INSET.side,
  };
}

export function groupId(member: string): string {
  return `member ${member}`;
}
