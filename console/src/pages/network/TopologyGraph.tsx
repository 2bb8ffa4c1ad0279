import "@xyflow/react/dist/base.css";
import { useMantineTheme } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import {
  BaseEdge,
  Controls,
  type Edge,
  type EdgeProps,
  type Node as FlowNode,
  Handle,
  type NodeProps,
  Position,
  ReactFlow,
  useReactFlow,
} from "@xyflow/react";
import { memo, useEffect, useMemo } from "react";
import type { Node, Topology } from "../../api/types";
import { formatNumber, NONE, nodeShortName, roleName } from "../../lib/format";
import { byMember, pairs, shapeOf } from "../../lib/topology";
import { IconCrown } from "../../ui/icons";
import { Dot, toneOf, toneStyle } from "../../ui/Status";
import { groupId, layOut, type Places } from "./layout";

type MemberBox = FlowNode<{ member: string; colour: string }, "member">;
/** A node of its own, so that it lies above the connections that cross its box. */
type MemberLabel = FlowNode<{ member: string; colour: string }, "label">;
type NodeBox = FlowNode<{ node: Node; leader: boolean; behind: number }, "node">;

/** Members are told apart by these, in the order of their names; states have colours of their own. */
const MEMBER_COLOURS = ["#0f7b8e", "#7a5cc4", "#b06a1f", "#a8477f", "#4a7a2c", "#3d6fc2", "#8c5a3c", "#5d6b78"];

const EDGE_TYPES = { arc: memo(Arc) };
const NODE_TYPES = { member: memo(MemberView), label: memo(LabelView), node: memo(NodeView) };

/** Who runs which node, how high each is, who leads, and who sees whom. */
export function TopologyGraph({ topology }: { topology: Topology }) {
  const theme = useMantineTheme();
  const narrow = useMediaQuery(`(max-width: ${theme.breakpoints.sm})`) ?? false;
  const navigate = useNavigate();
  const places = useMemo(() => layOut(topology, narrow), [topology, narrow]);
  const edges = useMemo(() => pairs(topology).map(toEdge), [topology]);
  const nodes = toNodes(topology, places);
  return (
    <section
      className="topology"
      aria-label="Topology: members, their nodes and connections. The table below lists the same nodes."
    >
      <ReactFlow<MemberBox | MemberLabel | NodeBox>
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        zIndexMode="manual"
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        preventScrolling={false}
        // On a touch screen the page must scroll past the picture.
        panOnDrag={!narrow}
        minZoom={0.2}
        maxZoom={1.25}
        fitView
        proOptions={{ hideAttribution: true }}
        onNodeClick={(_, box) => {
          if (box.type !== "node") return;
          const { node } = box.data;
          void navigate({ to: "/networks/$network/nodes/$node", params: { network: node.network, node: node.id } });
        }}
      >
        {!narrow && <Controls showInteractive={false} position="bottom-right" />}
        <Fit shape={`${shapeOf(topology)} ${narrow}`} />
      </ReactFlow>
    </section>
  );
}

/** Brings the whole picture into view when nodes come or go, and when the window changes. */
function Fit({ shape }: { shape: string }) {
  const { fitView } = useReactFlow();
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs for each new shape
  useEffect(() => {
    const fit = () => void fitView({ padding: "14px" });
    const frame = requestAnimationFrame(fit);
    addEventListener("resize", fit);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("resize", fit);
    };
  }, [shape, fitView]);
  return null;
}

function toNodes(topology: Topology, places: Places): (MemberBox | MemberLabel | NodeBox)[] {
  const highest = Math.max(0, ...topology.nodes.map((node) => node.height ?? 0));
  return byMember(topology.nodes).flatMap(([member, nodes], index) => {
    const group = places.get(groupId(member));
    if (group === undefined) return [];
    const box: MemberBox = {
      id: groupId(member),
      type: "member",
      position: { x: group.x, y: group.y },
      width: group.width,
      height: group.height,
      zIndex: 0,
      data: { member, colour: MEMBER_COLOURS[index % MEMBER_COLOURS.length] ?? "gray" },
    };
    const label: MemberLabel = {
      id: `label ${member}`,
      type: "label",
      parentId: box.id,
      position: { x: 8, y: 7 },
      zIndex: 2,
      data: box.data,
    };
    const inside = nodes.flatMap((node): NodeBox[] => {
      const place = places.get(node.id);
      if (place === undefined) return [];
      return [
        {
          id: node.id,
          type: "node",
          parentId: box.id,
          position: { x: place.x, y: place.y },
          width: place.width,
          height: place.height,
          zIndex: 2,
          data: {
            node,
            leader: topology.leader === node.id && node.status === "running",
            behind: node.height == null ? 0 : highest - node.height,
          },
        },
      ];
    });
    return [box, label, ...inside];
  });
}

function toEdge({ id, from, to, connected }: ReturnType<typeof pairs>[number]): Edge {
  return {
    id,
    source: from,
    target: to,
    type: "arc",
    zIndex: 1,
    className: connected ? "link-up" : "link-down",
    focusable: false,
  };
}

function MemberView({ data }: NodeProps<MemberBox>) {
  return <div className="topology-member" style={{ "--member": data.colour } as React.CSSProperties} />;
}

function LabelView({ data }: NodeProps<MemberLabel>) {
  return (
    <div className="topology-label" style={{ "--member": data.colour } as React.CSSProperties}>
      {data.member}
    </div>
  );
}

function NodeView({ data: { node, leader, behind } }: NodeProps<NodeBox>) {
  return (
    <div className="topology-node" style={toneStyle(toneOf(node.status))} data-status={node.status}>
      <Handle type="target" position={Position.Top} className="topology-handle" isConnectable={false} />
      <Handle type="source" position={Position.Top} className="topology-handle" isConnectable={false} />
      <div className="topology-node-name">
        <Dot status={node.status} />
        <span>{nodeShortName(node.name)}</span>
        {leader && (
          <span className="topology-leader" title="Current leader">
            <IconCrown size={13} aria-hidden="true" /> <span>leader</span>
          </span>
        )}
      </div>
      <div className="topology-node-facts">
        {roleName(node.kind)} · {node.status}
      </div>
      <div className="topology-node-facts">
        {node.height == null ? NONE : formatNumber(node.height)}
        {behind > 3 && <span className="topology-behind"> {formatNumber(behind)} behind</span>}
      </div>
    </div>
  );
}

/** Neighbours in a row or column are nearer than this; what is farther apart in one has others between. */
const NEIGHBOURS = 290;

/** A straight line, or an arc where a straight one would run behind the members between. */
function Arc({ sourceX, sourceY, targetX, targetY }: EdgeProps) {
  const dx = targetX - sourceX;
  const dy = targetY - sourceY;
  const length = Math.hypot(dx, dy);
  const aligned = Math.min(Math.abs(dx), Math.abs(dy)) < 2;
  const bow = aligned && length > NEIGHBOURS ? 0.28 : 0;
  const path = `M ${sourceX} ${sourceY} Q ${(sourceX + targetX) / 2 - dy * bow} ${(sourceY + targetY) / 2 + dx * bow} ${targetX} ${targetY}`;
  return <BaseEdge path={path} />;
}
