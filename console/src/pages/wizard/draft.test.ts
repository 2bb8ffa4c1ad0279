import { describe, expect, it } from "vitest";
import type { Consortium, Engine } from "../../api/types";
import { initialDraft, type NetworkDraft, problemsOf, toRequest } from "./draft";
import { readOptions } from "./schema";

const engine = {
  name: "polder",
  title: "Polder",
  version: "0.1.0",
  versions: [],
  capabilities: ["evm", "chain-id"],
  consensus: [
    { name: "bft", title: "BFT", role: "validator", minNodes: 4, maxNodes: 64, defaultNodes: 4 },
    { name: "solo", title: "Solo", role: "validator", minNodes: 1, maxNodes: 1, defaultNodes: 1 },
  ],
  options: {
    properties: {
      heartbeatMs: { title: "Heartbeat", type: "integer", default: 1000, minimum: 100, maximum: 60_000 },
      channel: { title: "Channel", type: "string", default: "main", pattern: "^[a-z][a-z0-9.-]*$", maxLength: 8 },
      ordererMember: { type: "string", default: "", pattern: "^[a-z0-9-]*$" },
    },
  },
} as unknown as Engine;
const consortium = { id: "con_1", members: [{ organisation: "org_1" }, { organisation: "org_2" }] } as Consortium;

const draft = (part: Partial<NetworkDraft>): NetworkDraft => ({
  ...initialDraft([engine], [consortium]),
  name: "harbour",
  ...part,
});

describe("the draft of a network", () => {
  it("begins with what the engine recommends and all members", () => {
    const first = initialDraft([engine], [consortium]);
    expect([first.consensus, first.nodes, first.members]).toEqual(["bft", 4, ["org_1", "org_2"]]);
    expect(problemsOf(first, engine).map(({ field }) => field)).toEqual(["name"]);
    expect(problemsOf(draft({}), engine)).toEqual([]);
  });

  it("needs an engine whose programs are there", () => {
    const known = { version: "22.7.4", installed: false };
    const other = (installed: boolean) => ({ ...engine, version: null, versions: [{ ...known, installed }] }) as Engine;
    expect(problemsOf(draft({}), other(false))).toMatchObject([{ step: 0, field: "engine" }]);
    expect(problemsOf(draft({}), other(true))).toEqual([]);
  });

  it.each<[Partial<NetworkDraft>, number, string]>([
    [{ name: "Harbour" }, 0, "name"],
    [{ consensus: "raft" }, 0, "consensus"],
    [{ members: [] }, 1, "members"],
    [{ nodes: 3 }, 1, "nodes"],
    [{ consensus: "solo", nodes: 2 }, 1, "nodes"],
    [{ chainId: "0" }, 2, "chainId"],
    [{ chainId: "12a" }, 2, "chainId"],
    [{ genesis: "[]" }, 2, "genesis"],
    [{ options: { heartbeatMs: 50 } }, 2, "heartbeatMs"],
    [{ options: { heartbeatMs: 99.5 } }, 2, "heartbeatMs"],
    [{ options: { channel: "Main" } }, 2, "channel"],
    [{ options: { channel: "main-channel" } }, 2, "channel"],
    [{ options: { ordererMember: "Alpha!" } }, 2, "ordererMember"],
  ])("%j is refused at its step", (part, step, field) => {
    expect(problemsOf(draft(part), engine)).toMatchObject([{ step, field }]);
  });

  it("says what is wrong in the consensus's own word for its nodes", () => {
    expect(problemsOf(draft({ nodes: 3 }), engine)[0]?.message).toBe("BFT has 4 to 64 validators.");
    expect(problemsOf(draft({ consensus: "solo", nodes: 2 }), engine)[0]?.message).toBe(
      "Solo has exactly 1 validator.",
    );
  });

  it("takes texts that fit, and none", () => {
    expect(problemsOf(draft({ options: { channel: "trade", ordererMember: "" } }), engine)).toEqual([]);
    expect(toRequest(draft({ options: { channel: "trade", ordererMember: "" } })).options).toEqual({
      channel: "trade",
    });
  });

  it("offers the words of an option that has only some, and sends the chosen one", () => {
    const certificateAuthority = { type: "string", default: "polder", enum: ["polder", "fabric-ca"] };
    expect(readOptions({ properties: { certificateAuthority } })).toMatchObject([
      { name: "certificateAuthority", kind: "choice", required: false },
    ]);
    const chosen = { certificateAuthority: "fabric-ca" };
    expect(toRequest(draft({ options: chosen })).options).toEqual(chosen);
  });

  it("sends what was chosen and leaves the rest to the engine", () => {
    expect(toRequest(draft({}))).toEqual({
      name: "harbour",
      consortium: "con_1",
      engine: "polder",
      consensus: "bft",
      nodes: 4,
      members: ["org_1", "org_2"],
    });
    const full = toRequest(draft({ chainId: "77", genesis: '{"alloc":{}}', options: { heartbeatMs: 500, note: "" } }));
    expect([full.chainId, full.genesis, full.options]).toEqual([77, { alloc: {} }, { heartbeatMs: 500 }]);
  });
});
