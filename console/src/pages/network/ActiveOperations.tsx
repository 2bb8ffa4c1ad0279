import { Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { operationsQuery } from "../../api/queries";
import type { Network, Operation } from "../../api/types";
import { formatKind } from "../../lib/format";
import { TextLink } from "../../ui/links";
import { OperationSteps } from "../../ui/OperationSteps";
import { Panel } from "../../ui/Panel";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { Status } from "../../ui/Status";
import { useNow } from "../../ui/Time";
import { OperationActions } from "../OperationPage";

const OPEN = ["queued", "running", "waiting", "failed"];

/** What ended stays in sight so long, so that a quick operation can be seen at all. */
const LINGER_MS = 8_000;

/** What is being changed now in a network or its nodes, and what failed and was not followed by anything newer. */
export function ActiveOperations({ network }: { network: Network }) {
  const now = useNow();
  const operations = useQuery(operationsQuery());
  const subjects = new Set([network.id, ...network.nodes.map((node) => node.id)]);
  const newest = newestBySubject((operations.data?.items ?? []).filter((operation) => subjects.has(operation.subject)));
  const open = newest.filter(
    ({ status, finishedAt }) => OPEN.includes(status) || (finishedAt != null && now - finishedAt / 1000 < LINGER_MS),
  );
  if (open.length === 0) return null;
  return (
    <Stack gap="md" aria-live="polite">
      {open.map((operation) => (
        <Panel
          key={operation.id}
          title={
            <TextLink to="/operations/$operation" params={{ operation: operation.id }}>
              {formatKind(operation.kind)} {operation.subjectName}
            </TextLink>
          }
          actions={<Status status={operation.status} operation />}
        >
          <Stack gap="md">
            <OperationSteps operation={operation} />
            <ProblemAlert error={operation.error} />
            <OperationActions operation={operation} />
          </Stack>
        </Panel>
      ))}
    </Stack>
  );
}

export function newestBySubject(operations: Operation[]): Operation[] {
  const newest = new Map<string, Operation>();
  for (const operation of operations) {
    const other = newest.get(operation.subject);
    if (other === undefined || other.createdAt < operation.createdAt) newest.set(operation.subject, operation);
  }
  return [...newest.values()];
}
