import { ActionIcon, Button, Group, Popover, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useConsensus } from "../../api/capabilities";
import { api, done } from "../../api/client";
import { useCan } from "../../api/session";
import type { Node } from "../../api/types";
import { nodeShortName } from "../../lib/format";
import { Confirm, useAction } from "../../ui/actions";
import { IconDelete, IconRestart, IconStart, IconStop } from "../../ui/icons";
import { noticeOperation } from "../../ui/OperationNotice";
import { ProblemAlert } from "../../ui/ProblemAlert";

type Verb = "start" | "stop" | "restart";

/** Start, stop and restart of one node: as icons in a table, as buttons on its page. */
export function NodeActions({ node, compact = false }: { node: Node; compact?: boolean }) {
  const can = useCan();
  if (!can("nodes:write") || node.status === "creating") return null;
  return (
    <Group gap={compact ? 2 : "xs"} wrap="nowrap" justify="flex-end">
      {node.wanted ? (
        <>
          <NodeAction node={node} verb="restart" label="Restart" icon={<IconRestart size={16} />} compact={compact} />
          <NodeAction node={node} verb="stop" label="Stop" icon={<IconStop size={16} />} compact={compact} />
        </>
      ) : (
        <NodeAction node={node} verb="start" label="Start" icon={<IconStart size={16} />} compact={compact} />
      )}
    </Group>
  );
}

/** Takes a node from its network for good, where its consensus lets nodes of its kind go. */
export function DeleteNode({ node }: { node: Node }) {
  const can = useCan();
  const navigate = useNavigate();
  const [opened, dialog] = useDisclosure();
  const addable = useConsensus(node.network)?.addable ?? [];
  if (!can("nodes:write") || !addable.includes(node.kind)) return null;
  const name = nodeShortName(node.name);
  return (
    <>
      <Button variant="default" c="var(--bad)" leftSection={<IconDelete size={16} />} onClick={dialog.open}>
        Delete
      </Button>
      <Confirm
        opened={opened}
        onClose={dialog.close}
        title={`Delete ${name}`}
        name={name}
        button="Delete the node"
        act={() =>
          done(api.DELETE("/api/v1/nodes/{node}", { params: { path: { node: node.id } } })).then(noticeOperation)
        }
        onDone={() => navigate({ to: "/networks/$network", params: { network: node.network } })}
      >
        It leaves the network, ends, and its data, keys and logs are removed from disk. What it holds of the ledger, the
        other nodes have too.
      </Confirm>
    </>
  );
}

function NodeAction({
  node,
  verb,
  label,
  icon,
  compact,
}: {
  node: Node;
  verb: Verb;
  label: string;
  icon: ReactNode;
  compact: boolean;
}) {
  const action = useAction(
    () => done(api.POST(`/api/v1/nodes/{node}/${verb}`, { params: { path: { node: node.id } } })),
    noticeOperation,
  );
  const name = `${label} ${nodeShortName(node.name)}`;
  return (
    <Popover
      opened={action.error != null}
      onChange={() => action.reset()}
      width={320}
      position="bottom-end"
      withArrow
      withinPortal
    >
      <Popover.Target>
        {compact ? (
          <Tooltip label={label}>
            <ActionIcon aria-label={name} loading={action.isPending} onClick={() => action.mutate()}>
              {icon}
            </ActionIcon>
          </Tooltip>
        ) : (
          <Button variant="default" leftSection={icon} loading={action.isPending} onClick={() => action.mutate()}>
            {label}
          </Button>
        )}
      </Popover.Target>
      <Popover.Dropdown p={0}>
        <ProblemAlert error={action.error} />
      </Popover.Dropdown>
    </Popover>
  );
}
