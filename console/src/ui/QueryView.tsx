import { Button, Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { isUnreachable } from "../api/problem";
import { ProblemAlert } from "./ProblemAlert";

interface QueryViewProps<T> {
  query: UseQueryResult<T, unknown>;
  /** How many lines the skeleton has. */
  lines?: number;
  children: (data: T) => ReactNode;
}

/**
 * A query's loading, failed and full pictures. What was loaded before stays, with the failure above it; that the whole
 * server does not answer is said once, at the top of the page.
 */
export function QueryView<T>({ query, lines = 4, children }: QueryViewProps<T>) {
  if (query.data !== undefined) {
    return (
      <>
        {query.error != null && !isUnreachable(query.error) && <Failed query={query} />}
        {children(query.data)}
      </>
    );
  }
  if (query.error != null) return <Failed query={query} />;
  return <Lines count={lines} />;
}

export function Lines({ count }: { count: number }) {
  return (
    <Stack gap="sm" p="md" role="status" aria-label="Loading">
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <Skeleton key={index} height={18} width={`${94 - ((index * 17) % 40)}%`} />
      ))}
    </Stack>
  );
}

function Failed<T>({ query }: { query: UseQueryResult<T, unknown> }) {
  return (
    <Stack gap="xs" p="md" align="flex-start">
      <ProblemAlert error={query.error} />
      <Button variant="default" size="xs" loading={query.isFetching} onClick={() => query.refetch()}>
        Try again
      </Button>
    </Stack>
  );
}
