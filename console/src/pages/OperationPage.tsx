import { Button, Group, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { api, done } from "../api/client";
import { nodeQuery, operationQuery } from "../api/queries";
import { useCan } from "../api/session";
import type { Operation } from "../api/types";
import { formatKind, formatTime } from "../lib/format";
import { ActionButton, Confirm } from "../ui/actions";
import { Copyable } from "../ui/Copyable";
import { Facts } from "../ui/Facts";
import { IconStart, IconUndo } from "../ui/icons";
import { TextLink } from "../ui/links";
import { Elapsed, OperationSteps } from "../ui/OperationSteps";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { ProblemAlert } from "../ui/ProblemAlert";
import { QueryView } from "../ui/QueryView";
import { Status } from "../ui/Status";

const route = getRouteApi("/signed-in/operations/$operation");

export function OperationPage() {
  const { operation: id } = route.useParams();
  const query = useQuery(operationQuery(id));
  const title = query.data ? `${formatKind(query.data.kind)} ${query.data.subjectName}` : "Operation";
  return (
    <>
      <PageHeader
        title={title}
        crumbs={[
          <TextLink key="all" to="/operations">
            Operations
          </TextLink>,
        ]}
        badge={query.data && <Status status={query.data.status} operation />}
      />
      <QueryView query={query}>{(operation) => <OperationView operation={operation} />}</QueryView>
    </>
  );
}

function OperationView({ operation }: { operation: Operation }) {
  return (
    <Stack gap="lg">
      {operation.error && <ProblemAlert error={operation.error} />}
      <OperationActions operation={operation} />
      <Panel title="Steps">
        <OperationSteps operation={operation} />
      </Panel>
      <Panel title="Details">
        <Facts
          items={[
            ["Id", <Copyable key="id" text={operation.id} />],
            ["Subject", <SubjectLink key="of" operation={operation} />],
            ["Requested by", operation.actor],
            ["Requested", formatTime(operation.createdAt)],
            ["Started", operation.startedAt == null ? null : formatTime(operation.startedAt)],
            ["Finished", operation.finishedAt == null ? null : formatTime(operation.finishedAt)],
            ["Duration", <Elapsed key="took" from={operation.startedAt} to={operation.finishedAt} />],
          ]}
        />
      </Panel>
    </Stack>
  );
}

function SubjectLink({ operation }: { operation: Operation }) {
  if (operation.subject.startsWith("node_")) return <NodeLink operation={operation} />;
  if (!operation.subject.startsWith("net_")) return operation.subjectName;
  return (
    <TextLink to="/networks/$network" params={{ network: operation.subject }}>
      {operation.subjectName}
    </TextLink>
  );
}

function NodeLink({ operation }: { operation: Operation }) {
  const node = useQuery(nodeQuery(operation.subject));
  if (node.data === undefined) return operation.subjectName;
  return (
    <TextLink to="/networks/$network/nodes/$node" params={{ network: node.data.network, node: node.data.id }}>
      {operation.subjectName}
    </TextLink>
  );
}

/** An operation that failed or waits can go on from the step that failed, or be taken back. */
export function OperationActions({ operation }: { operation: Operation }) {
  const can = useCan();
  const [opened, dialog] = useDisclosure();
  if (!can("operations:write") || !["failed", "waiting"].includes(operation.status)) return null;
  const params = { params: { path: { operation: operation.id } } };
  return (
    <Group gap="xs" align="flex-start">
      <ActionButton
        leftSection={<IconStart size={16} />}
        act={() => done(api.POST("/api/v1/operations/{operation}/resume", params))}
      >
        Resume
      </ActionButton>
      <Button variant="default" leftSection={<IconUndo size={16} />} onClick={dialog.open}>
        Undo
      </Button>
      <Confirm
        opened={opened}
        onClose={dialog.close}
        title={`Undo ${formatKind(operation.kind).toLowerCase()} ${operation.subjectName}`}
        button="Undo the operation"
        act={() => done(api.POST("/api/v1/operations/{operation}/undo", params))}
      >
        The steps that were done are taken back, the newest first. What a creation had made so far is removed.
      </Confirm>
    </Group>
  );
}
