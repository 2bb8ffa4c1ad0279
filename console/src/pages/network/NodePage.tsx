import { Alert, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { nodeQuery, usageQuery } from "../../api/queries";
import type { Node } from "../../api/types";
import {
  formatBytes,
  formatCpu,
  formatNumber,
  formatTime,
  NONE,
  nodeShortName,
  roleName,
  sentence,
} from "../../lib/format";
import { Copyable } from "../../ui/Copyable";
import { engineFacts, Facts, Figures } from "../../ui/Facts";
import { IconAlert } from "../../ui/icons";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { Status } from "../../ui/Status";
import { useSeen } from "../../ui/useSeen";
import { endpointsOf } from "./endpoints";
import { DeleteNode, NodeActions } from "./NodeActions";
import { NodeLogs } from "./NodeLogs";
import "./network.css";

const UsageCharts = lazy(() => import("./UsageCharts"));

const route = getRouteApi("/signed-in/networks/$network/nodes/$node");

export function NodePage() {
  const { node: id } = route.useParams();
  const query = useQuery(nodeQuery(id));
  return (
    <QueryView query={query} lines={8}>
      {(node) => (
        <>
          <Group justify="space-between" mb="md">
            <div>
              <Group gap="sm">
                <Title order={2} fz="xl">
                  {nodeShortName(node.name)}
                </Title>
                <Status status={node.status} />
              </Group>
              <Text size="sm" c="dimmed">
                {roleName(node.kind)} of {node.member}, on host {node.host}
              </Text>
            </div>
            <Group gap="xs" justify="flex-end">
              <NodeActions node={node} />
              <DeleteNode node={node} />
            </Group>
          </Group>
          <NodeView node={node} />
        </>
      )}
    </QueryView>
  );
}

function NodeView({ node }: { node: Node }) {
  const usage = useQuery(usageQuery(node.id));
  const endpoints = endpointsOf(node);
  const charts = useSeen();
  return (
    <Stack gap="lg">
      {node.statusReason && node.status !== "stopped" && (
        <Alert color={node.status === "failed" ? "red" : "yellow"} icon={<IconAlert size={18} />} p="sm" role="status">
          <span className="break">{sentence(node.statusReason)}</span>
        </Alert>
      )}
      <Figures
        items={[
          { label: "Height", value: formatNumber(node.height) },
          { label: "CPU", value: node.usage ? formatCpu(node.usage.cpu) : NONE, note: "of one core" },
          { label: "Memory", value: node.usage ? formatBytes(node.usage.memoryBytes) : NONE, note: "resident" },
          { label: "Disk", value: node.usage ? formatBytes(node.usage.diskBytes) : NONE },
          { label: "Restarts", value: formatNumber(node.restarts), note: "automatic" },
        ]}
      />
      <Panel title="Connect">
        {endpoints.length === 0 ? (
          "The addresses show while the node runs."
        ) : (
          <Facts
            items={endpoints.map(({ title, text, what }) => [title, <Copyable key={title} text={text} what={what} />])}
          />
        )}
      </Panel>
      <NodeLogs node={node} />
      <Panel title="Resource usage">
        <div ref={charts.ref}>
          <QueryView query={usage}>
            {({ items }) => (
              <Suspense fallback={<Skeleton height={240} />}>
                {charts.seen ? <UsageCharts samples={items} /> : <Skeleton height={240} />}
              </Suspense>
            )}
          </QueryView>
        </div>
      </Panel>
      <Panel title="Details">
        <Facts
          items={[
            ["Id", <Copyable key="id" text={node.id} />],
            ["Host", node.host],
            ["Process id", node.pid == null ? null : String(node.pid)],
            ["Started", node.startedAt == null ? null : formatTime(node.startedAt)],
            ["Limits", limitsOf(node)],
            ...engineFacts(node.facts),
          ]}
        />
      </Panel>
    </Stack>
  );
}

const KEEPERS = {
  "cgroup-v2": "kept by the kernel (control group, version 2)",
  "cgroup-v1": "kept by the kernel (control group, version 1)",
  watchdog: "kept by a watchdog, which ends what is above",
};

function limitsOf({ limits }: Node): string | null {
  if (limits == null) return null;
  const memory = limits.memoryBytes == null ? [] : [`${formatBytes(limits.memoryBytes)} of memory`];
  const cpu = limits.cpus == null ? [] : [`${limits.cpus} of a core`];
  return `${[...memory, ...cpu].join(", ")}; ${KEEPERS[limits.keptBy]}`;
}
