import { describe, expect, it } from "vitest";
import { touches } from "./changes";
import type { Change } from "./types";

const change = (kind: string, id: string, network?: string) => ({ sequence: 1, kind, id, network }) as Change;
const key = (path: string, params?: Record<string, string>) => ["get", `/api/v1/${path}`, { params: { path: params } }];

describe("a change makes stale what shows it", () => {
  const block = change("block", "net_1", "net_1");

  it.each<[string, Change, unknown[], boolean]>([
    ["a block: lists of its network", block, key("networks/{network}/blocks", { network: "net_1" }), true],
    ["a block: nothing of another", block, key("networks/{network}/blocks", { network: "net_2" }), false],
    ["a block: all networks' heights", block, key("networks"), true],
    ["a block: no older block", block, key("networks/{network}/blocks/{block}", { network: "net_1" }), false],
    ["a block: a network asked for by name", block, key("networks/{network}/blocks", { network: "demo" }), true],
    ["a node: itself", change("node", "node_1", "net_1"), key("nodes/{node}", { node: "node_1" }), true],
    ["a node: no other", change("node", "node_1", "net_1"), key("nodes/{node}", { node: "node_2" }), false],
    ["a node: the list of nodes", change("node", "node_1", "net_1"), key("nodes"), true],
    ["a user: who is signed in", change("user", "user_1"), ["session"], true],
    ["a kind with an underscore", change("access_key", "key_1"), key("access-keys"), true],
    ["an operation: no network", change("operation", "op_1"), key("networks"), false],
  ])("%s", (_, changed, asked, stale) => {
    expect(touches(changed, asked)).toBe(stale);
  });
});
