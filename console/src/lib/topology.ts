import type { Node, Topology } from "../api/types";

/** Two nodes and whether each that tells sees the other. */
export interface Pair {
  id: string;
  from: string;
  to: string;
  connected: boolean;
}

/** Both directions of a connection as one: up only when no side that reports says it is down. */
export function pairs(topology: Topology): Pair[] {
  const byId = new Map<string, Pair>();
  for (const link of topology.links) {
    if (link.from === link.to) continue;
    const [from, to] = link.from < link.to ? [link.from, link.to] : [link.to, link.from];
    const id = `${from} ${to}`;
    const other = byId.get(id);
    byId.set(id, { id, from, to, connected: link.connected && (other?.connected ?? true) });
  }
  return [...byId.values()];
}

/** Nodes by member, members by name, so that the picture keeps its order. */
export function byMember(nodes: Node[]): [member: string, nodes: Node[]][] {
  const members = new Map<string, Node[]>();
  for (const node of nodes) members.set(node.member, [...(members.get(node.member) ?? []), node]);
  return [...members].sort(([a], [b]) => a.localeCompare(b));
}

/** What the layout depends on: it is computed again only when this changes, not for each new height. */
export function shapeOf(topology: Topology): string {
  return JSON.stringify(byMember(topology.nodes).map(([member, nodes]) => [member, nodes.map((node) => node.id)]));
}
