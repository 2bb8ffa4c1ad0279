import { Text } from "@mantine/core";
import { useMemo } from "react";
import type { Node } from "../../api/types";
import { formatBytes, formatCpu, formatNumber, NONE, nodeShortName, roleName, sentence } from "../../lib/format";
import { type Column, DataTable } from "../../ui/DataTable";
import { Empty } from "../../ui/Empty";
import { TextLink } from "../../ui/links";
import { Status } from "../../ui/Status";
import { NodeActions } from "./NodeActions";

interface NodeTableProps {
  nodes: Node[];
  leader?: string | null;
  /** Nodes of several networks, by their whole names. */
  mixed?: boolean;
}

export function NodeTable({ nodes, leader, mixed = false }: NodeTableProps) {
  const columns = useMemo<Column<Node>[]>(
    () => [
      {
        id: "name",
        header: "Node",
        value: (node) => node.name,
        cell: (node) => (
          <TextLink to="/networks/$network/nodes/$node" params={{ network: node.network, node: node.id }} fw={500}>
            {mixed ? node.name : nodeShortName(node.name)}
          </TextLink>
        ),
      },
      { id: "member", header: "Member", wide: true, value: (node) => node.member },
      {
        id: "kind",
        header: "Kind",
        wide: true,
        value: (node) => roleName(node.kind),
        cell: (node) =>
          node.id === leader && node.status === "running" ? `${roleName(node.kind)}, leader` : roleName(node.kind),
      },
      {
        id: "status",
        header: "Status",
        value: (node) => node.status,
        cell: (node) => (
          <>
            <Status status={node.status} />
            {node.statusReason && node.status !== "stopped" && (
              <Text size="xs" c="dimmed" maw={260} mt={2} className="break" lineClamp={4} title={node.statusReason}>
                {sentence(node.statusReason)}
              </Text>
            )}
          </>
        ),
      },
      {
        id: "height",
        header: "Height",
        align: "right",
        value: (node) => node.height,
        cell: (node) => formatNumber(node.height),
      },
      {
        id: "cpu",
        header: "CPU",
        align: "right",
        wide: true,
        value: (node) => node.usage?.cpu,
        cell: (node) => (node.usage ? formatCpu(node.usage.cpu) : NONE),
      },
      {
        id: "memory",
        header: "Memory",
        align: "right",
        wide: true,
        value: (node) => node.usage?.memoryBytes,
        cell: (node) => (node.usage ? formatBytes(node.usage.memoryBytes) : NONE),
      },
      {
        id: "disk",
        header: "Disk",
        align: "right",
        wide: true,
        value: (node) => node.usage?.diskBytes,
        cell: (node) => (node.usage ? formatBytes(node.usage.diskBytes) : NONE),
      },
      { id: "restarts", header: "Restarts", align: "right", wide: true, value: (node) => node.restarts },
      {
        id: "actions",
        header: "",
        align: "right",
        value: () => null,
        cell: (node) => <NodeActions node={node} compact />,
      },
    ],
    [leader, mixed],
  );
  return (
    <DataTable
      label="Nodes"
      columns={columns}
      rows={nodes}
      rowId={(node) => node.id}
      filter="Filter nodes"
      empty={<Empty title="No node yet">Nodes are started when a network is created.</Empty>}
    />
  );
}
