import type { ConsensusKind, Consortium, Engine, NewNetwork } from "../../api/types";
import { plural, roleName } from "../../lib/format";
import { checkOption, readOptions } from "./schema";

/** What the wizard has gathered. */
export interface NetworkDraft {
  name: string;
  engine: string;
  consensus: string;
  /** Empty for the newest tested one. */
  version: string;
  consortium: string;
  /** Organisation ids. */
  members: string[];
  nodes: number;
  /** Text, since a person may leave it empty: drawn at random. */
  chainId: string;
  /** JSON; empty for none. */
  genesis: string;
  /** Only what the person set: the engine fills in the rest. */
  options: Record<string, unknown>;
}

export interface DraftProblem {
  step: number;
  field: string;
  message: string;
}

export function initialDraft(engines: Engine[], consortia: Consortium[], start?: string): NetworkDraft {
  const engine = engines[0];
  const consortium = consortia.find((one) => one.id === start) ?? consortia[0];
  const members = consortium?.members.map((member) => member.organisation) ?? [];
  const consensus = engine?.consensus[0];
  return {
    name: "",
    engine: engine?.name ?? "",
    consensus: consensus?.name ?? "",
    version: "",
    consortium: consortium?.id ?? "",
    members,
    nodes: consensus?.defaultNodes ?? 1,
    chainId: "",
    genesis: "",
    options: {},
  };
}

export function chosenConsensus(engine: Engine, draft: NetworkDraft): ConsensusKind | undefined {
  return engine.consensus.find((kind) => kind.name === draft.consensus);
}

/** What keeps the draft from being sent, by step of the wizard. The server checks all of it again. */
export function problemsOf(draft: NetworkDraft, engine: Engine): DraftProblem[] {
  const problems: DraftProblem[] = [];
  const add = (step: number, field: string, message: string) => problems.push({ step, field, message });
  if (!/^[a-z0-9-]{1,63}$/.test(draft.name)) {
    add(
      0,
      "name",
      draft.name === "" ? "Give the network a name." : "Name: lower-case letters, digits and -, at most 63.",
    );
  }
  if (engine.version == null && !engine.versions?.some((version) => version.installed))
    add(0, "engine", `The programs of ${engine.title} are not installed.`);
  const consensus = chosenConsensus(engine, draft);
  if (consensus === undefined) add(0, "consensus", "Choose a consensus.");
  if (draft.members.length === 0) add(1, "members", "Choose at least one member.");
  if (consensus && (draft.nodes < consensus.minNodes || draft.nodes > consensus.maxNodes)) {
    add(1, "nodes", nodesAdvice(consensus));
  }
  if (
    engine.capabilities.includes("chain-id") &&
    draft.chainId !== "" &&
    (!/^\d{1,15}$/.test(draft.chainId) || Number(draft.chainId) === 0)
  ) {
    add(2, "chainId", "Chain id: a whole number from 1, or nothing.");
  }
  if (engine.capabilities.includes("evm") && draft.genesis.trim() !== "" && readGenesis(draft.genesis) === undefined) {
    add(2, "genesis", "Genesis: must be a JSON object.");
  }
  for (const option of readOptions(engine.options)) {
    const message = checkOption(option, draft.options[option.name]);
    if (message) add(2, option.name, message);
  }
  return problems;
}

function nodesAdvice({ title, role, minNodes, maxNodes }: ConsensusKind): string {
  return minNodes === maxNodes
    ? `${title} has exactly ${plural(minNodes, roleName(role))}.`
    : `${title} has ${minNodes} to ${maxNodes} ${roleName(role)}s.`;
}

function readGenesis(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

export function toRequest(draft: NetworkDraft): NewNetwork {
  const options = Object.fromEntries(
    Object.entries(draft.options).filter(([, value]) => value !== undefined && value !== ""),
  );
  return {
    name: draft.name,
    consortium: draft.consortium,
    engine: draft.engine,
    consensus: draft.consensus,
    version: draft.version === "" ? undefined : draft.version,
    nodes: draft.nodes,
    members: draft.members,
    chainId: draft.chainId === "" ? undefined : Number(draft.chainId),
    genesis: draft.genesis.trim() === "" ? undefined : readGenesis(draft.genesis),
    options: Object.keys(options).length === 0 ? undefined : options,
  };
}
