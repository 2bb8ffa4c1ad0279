import ELK, { type ElkNode } from "elkjs/lib/elk-api";
import elkWorkerUrl from "elkjs/lib/elk-worker.min.js?url";
import type { Topology } from "../../api/types";
import { byMember } from "../../lib/topology";

/** On a narrow screen two members stand side by side. */
const NODE_WIDTH = { wide: 172, narrow: 132 };
const NODE_HEIGHT = 72;

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Places relative to the surrounding group: groups by `member NAME`, nodes by id. */
export type Places = Map<string, Box>;

// In a worker from a file of our own: the content policy allows scripts of this origin only, and no eval.
const elk = new ELK({ workerFactory: () => new Worker(elkWorkerUrl) });

/** Computes where members and their nodes go. Members stand around each other, the nodes of one member in a block. */
export async function layOut(topology: Topology, narrow: boolean): Promise<Places> {
  const members = byMember(topology.nodes);
  const graph: ElkNode = {
    id: "root",
    layoutOptions: {
      "elk.algorithm": "rectpacking",
      "elk.aspectRatio": narrow ? "1" : aspect(members.length),
      "elk.spacing.nodeNode": narrow ? "24" : "72",
      "elk.padding": "[top=8,left=8,bottom=8,right=8]",
    },
    children: members.map(([member, nodes]) => ({
      id: groupId(member),
      layoutOptions: {
        "elk.algorithm": "rectpacking",
        "elk.aspectRatio": nodes.length > 2 && !narrow ? "2.2" : "0.5",
        "elk.spacing.nodeNode": "14",
        "elk.padding": "[top=38,left=14,bottom=14,right=14]",
      },
      children: nodes.map((node) => ({
        id: node.id,
        width: narrow ? NODE_WIDTH.narrow : NODE_WIDTH.wide,
        height: NODE_HEIGHT,
      })),
    })),
  };
  const result = await elk.layout(graph);
  const places: Places = new Map();
  const take = (node: ElkNode) => {
    if (node.id !== "root")
      places.set(node.id, { x: node.x ?? 0, y: node.y ?? 0, width: node.width ?? 0, height: node.height ?? 0 });
    node.children?.forEach(take);
  };
  take(result);
  return places;
}

/** Two by two for four members; wider for more. */
function aspect(members: number): string {
  return members <= 4 ? "2.2" : "2.8";
}

export function groupId(member: string): string {
  return `member ${member}`;
}
