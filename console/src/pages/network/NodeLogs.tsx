import { Button, Group, Switch, TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { RETRY_MS } from "../../api/changes";
import { api, done } from "../../api/client";
import type { LogLine, Node } from "../../api/types";
import { formatTime } from "../../lib/format";
import { readLogLine } from "../../lib/log";
import { IconSearch } from "../../ui/icons";
import { Panel } from "../../ui/Panel";
import { ProblemAlert } from "../../ui/ProblemAlert";

/** More lines than these are dropped from the top. */
const KEPT = 2000;

interface Numbered extends LogLine {
  key: number;
}

/** The newest lines of a node's log, and each new one as it comes. */
export function NodeLogs({ node }: { node: Node }) {
  const [follow, setFollow] = useState(true);
  const [filter, setFilter] = useState("");
  const { lines, error, reload } = useLog(node.id, follow);
  const view = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const wanted = filter.toLowerCase();
  const shown = wanted === "" ? lines : lines.filter((line) => line.text.toLowerCase().includes(wanted));
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs for each new line
  useEffect(() => {
    if (view.current && atEnd.current) view.current.scrollTop = view.current.scrollHeight;
  }, [shown.length]);
  return (
    <Panel
      flush
      title="Log"
      actions={
        <Group gap="sm">
          <TextInput
            size="xs"
            w={180}
            leftSection={<IconSearch size={14} />}
            placeholder="Filter lines"
            aria-label="Filter lines"
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
          <Switch
            size="sm"
            label="Follow"
            checked={follow}
            onChange={(event) => setFollow(event.currentTarget.checked)}
          />
          {!follow && (
            <Button size="xs" variant="default" onClick={reload}>
              Refresh
            </Button>
          )}
        </Group>
      }
    >
      {error != null && (
        <div style={{ padding: 16 }}>
          <ProblemAlert error={error} />
        </div>
      )}
      <div
        className="logs"
        ref={view}
        role="log"
        aria-live="off"
        aria-label={`Log of ${node.name}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={({ currentTarget: at }) => {
          atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < 40;
        }}
      >
        {shown.length === 0 && <div>{lines.length === 0 ? "No lines yet." : "No line fits the filter."}</div>}
        {shown.map((line) => (
          <Line key={line.key} line={line} />
        ))}
      </div>
    </Panel>
  );
}

function Line({ line }: { line: LogLine }) {
  const { head, level, text } = readLogLine(line.text);
  return (
    <div data-level={level || undefined} title={`${formatTime(line.at)}, ${line.stream}`}>
      {head !== "" && (
        <>
          <span className="log-time">{head}</span> {level.padEnd(5)}{" "}
        </>
      )}
      {text}
    </div>
  );
}

function useLog(node: string, follow: boolean) {
  const [lines, setLines] = useState<Numbered[]>([]);
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round reads again
  useEffect(() => {
    let current = true;
    let key = 0;
    const append = (added: LogLine[]) => {
      if (current) setLines((old) => [...old, ...added.map((line) => ({ ...line, key: key++ }))].slice(-KEPT));
    };
    const read = async () => {
      const { items } = await done(
        api.GET("/api/v1/nodes/{node}/logs", { params: { path: { node }, query: { lines: 200 } } }),
      );
      if (!current) return;
      setError(undefined);
      setLines([]);
      append(items);
    };
    const fail = (reason: unknown) => current && setError(reason);
    if (!follow) {
      read().catch(fail);
      return () => {
        current = false;
      };
    }
    // The stream begins with the newest lines, also when the browser connects again.
    const source = new EventSource(`/api/v1/nodes/${encodeURIComponent(node)}/logs/stream?lines=200`);
    source.onopen = () => {
      setError(undefined);
      setLines([]);
    };
    source.onmessage = (event) => append([JSON.parse(event.data) as LogLine]);
    let retrying: ReturnType<typeof setTimeout> | undefined;
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      // A refused stream does not say why: a plain request does.
      read().catch(fail);
      retrying = setTimeout(() => setRound((old) => old + 1), RETRY_MS);
    };
    return () => {
      current = false;
      clearTimeout(retrying);
      source.close();
    };
  }, [node, follow, round]);
  return { lines, error, reload: () => setRound((old) => old + 1) };
}
