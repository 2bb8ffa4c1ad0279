import { Button, Group } from "@mantine/core";
import { useState } from "react";

/** Where a reader of a list by cursor is: the cursors of the pages gone through. An empty list is the live first page. */
export function useCursors() {
  const [cursors, setCursors] = useState<string[]>([]);
  return {
    cursor: cursors.at(-1),
    newer: () => setCursors((old) => old.slice(0, -1)),
    newest: () => setCursors([]),
    older: (next: string) => setCursors((old) => [...old, next]),
  };
}

interface PagerProps {
  pages: ReturnType<typeof useCursors>;
  next: string | null | undefined;
}

export function Pager({ pages, next }: PagerProps) {
  return (
    <Group justify="space-between" p="sm" pl="md" pr="md" style={{ borderTop: "1px solid var(--line)" }}>
      <Group gap="xs">
        <Button size="xs" variant="default" disabled={pages.cursor === undefined} onClick={pages.newest}>
          Newest
        </Button>
        <Button size="xs" variant="default" disabled={pages.cursor === undefined} onClick={pages.newer}>
          Newer
        </Button>
        <Button size="xs" variant="default" disabled={next == null} onClick={() => next != null && pages.older(next)}>
          Older
        </Button>
      </Group>
      <span className="soft" style={{ fontSize: "0.8125rem" }}>
        {pages.cursor === undefined ? "New ones show as they come" : "Older ones"}
      </span>
    </Group>
  );
}
