import type { QueryClient } from "@tanstack/react-query";
import type { Change } from "./types";

/** How long changes are gathered before the queries that they touch are asked again. */
const GATHER_MS = 400;

/** Path prefixes of the queries that a change of a kind makes stale. */
const TOUCHED: Record<string, string[]> = {
  network: ["/api/v1/networks"],
  node: ["/api/v1/nodes", "/api/v1/networks", "/api/v1/networks/{network}", "/api/v1/networks/{network}/topology"],
  operation: ["/api/v1/operations"],
  block: [
    "/api/v1/networks/{network}",
    "/api/v1/networks/{network}/topology",
    "/api/v1/networks/{network}/blocks",
    "/api/v1/networks/{network}/transactions",
    "/api/v1/networks/{network}/addresses",
    "/api/v1/networks/{network}/statistics",
    "/api/v1/networks/{network}/channels",
  ],
  contract: [
    "/api/v1/networks/{network}/contracts",
    "/api/v1/networks/{network}/chaincodes",
    "/api/v1/networks/{network}/channels",
  ],
  account: ["/api/v1/networks/{network}/accounts"],
  engine: ["/api/v1/engines"],
  organisation: ["/api/v1/organisations", "/api/v1/consortia"],
  consortium: ["/api/v1/consortia"],
  user: ["/api/v1/users", "session"],
  application: ["/api/v1/applications"],
  "access-key": ["/api/v1/access-keys"],
  task: ["/api/v1/server/tasks"],
};

/** A final block or transaction never changes: only lists and current values are asked again for a new block. */
const FINAL = ["/api/v1/networks/{network}/blocks/{block}", "/api/v1/networks/{network}/transactions/{hash}"];

/** Whether a change makes the query with this key stale. */
export function touches(change: Change, key: readonly unknown[]): boolean {
  const path = String(key[0] === "get" ? key[1] : key[0]);
  const kind = change.kind.replaceAll("_", "-");
  if (kind === "block") {
    if (FINAL.includes(path)) return false;
    if (path === "/api/v1/networks") return true;
  }
  const prefixes = TOUCHED[kind] ?? [];
  if (!prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))) return false;
  if (path.startsWith("/api/v1/networks/{network}")) {
    const network = kind === "network" ? change.id : change.network;
    return sameOrUnknown(pathId(key), network);
  }
  if (path.startsWith("/api/v1/nodes/{node}") && kind === "node") return sameOrUnknown(pathId(key), change.id);
  return true;
}

function pathId(key: readonly unknown[]): string | undefined {
  const init = key[2] as { params?: { path?: { network?: string; node?: string } } } | undefined;
  return init?.params?.path?.network ?? init?.params?.path?.node;
}

/** Ids have a prefix and an underscore, names have none: a name may stand for any id. */
function sameOrUnknown(asked: string | undefined, changed: string | null | undefined): boolean {
  if (asked === undefined || changed == null || !asked.includes("_")) return true;
  return asked === changed;
}

export type Connection = "connecting" | "live" | "polling";

/** How long after a stream was refused or cut off for good a new one is tried. */
export const RETRY_MS = 5_000;

/**
 * Follows the server's stream of changes and has the queries that they touch asked again. A hidden page lets go of the
 * stream: browsers grant few connections to one server, shared by all its pages.
 */
export function followChanges(client: QueryClient, onConnection: (connection: Connection) => void): () => void {
  let gathered: Change[] = [];
  let flushing: ReturnType<typeof setTimeout> | undefined;
  let retrying: ReturnType<typeof setTimeout> | undefined;
  let source: EventSource | undefined;
  const flush = () => {
    flushing = undefined;
    const changes = gathered;
    gathered = [];
    client.invalidateQueries({ predicate: (query) => changes.some((change) => touches(change, query.queryKey)) });
  };
  const take = (event: MessageEvent) => {
    const change = parseChange(event.data);
    if (change === undefined) return;
    if (!gathered.some((other) => other.kind === change.kind && other.id === change.id)) gathered.push(change);
    flushing ??= setTimeout(flush, GATHER_MS);
  };
  const close = () => {
    clearTimeout(retrying);
    source?.close();
    source = undefined;
  };
  const open = (missed: boolean) => {
    close();
    const opening = new EventSource("/api/v1/changes");
    source = opening;
    opening.onopen = () => {
      onConnection("live");
      if (missed) void client.invalidateQueries();
    };
    opening.onerror = () => {
      onConnection("polling");
      // The browser connects again by itself, unless it was answered with something else than a stream.
      if (opening.readyState === EventSource.CLOSED) retrying = setTimeout(() => open(true), RETRY_MS);
    };
    opening.onmessage = take;
    // Changes were missed that the server no longer keeps.
    opening.addEventListener("reset", () => void client.invalidateQueries());
  };
  const onVisibility = () => {
    if (document.hidden) close();
    else if (source === undefined) open(true);
  };
  document.addEventListener("visibilitychange", onVisibility);
  if (!document.hidden) open(false);
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    clearTimeout(flushing);
    close();
  };
}

function parseChange(text: string): Change | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "kind" in value ? (value as Change) : undefined;
  } catch {
    return undefined;
  }
}
