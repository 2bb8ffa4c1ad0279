import { randomBytes } from "node:crypto";
import type {
  AccessKey,
  Account,
  Application,
  AuditEntry,
  Chaincode,
  Change,
  Consortium,
  Contract,
  Engine,
  Network,
  NewNetwork,
  Node,
  Operation,
  Organisation,
  Task,
  User,
} from "../src/api/types";
import { CHANNEL_ENGINE, chaincodeOf, METADATA } from "./channels";
import { address, hash, TOKEN } from "./ledger";
import { TOKEN_ABI } from "./token";

const BLOCK_MS = 1000;
const MEMBERS = ["Waterland", "Zeeburg", "Beemster", "Flevo"];

export interface World {
  started: number;
  signedIn: boolean;
  users: User[];
  keys: AccessKey[];
  applications: Application[];
  organisations: Organisation[];
  consortia: Consortium[];
  engines: Engine[];
  networks: Network[];
  contracts: Contract[];
  chaincodes: Chaincode[];
  operations: Operation[];
  audit: AuditEntry[];
  tasks: Task[];
  listeners: Set<(change: Change) => void>;
}

export const micros = () => Date.now() * 1000;

export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(16).toString("hex")}`;
}

let sequence = 0;

export function announce(world: World, kind: string, id: string, network?: string) {
  sequence += 1;
  for (const listener of world.listeners) listener({ sequence, kind, id, network: network ?? null });
}

export function record(world: World, action: string, subject: string, details: Record<string, unknown> = {}) {
  const before = world.audit[0]?.hash ?? "0".repeat(64);
  const entry = {
    sequence: world.audit.length + 1,
    at: micros(),
    actor: "user admin",
    action,
    subject,
    organisation: null,
    details,
  };
  world.audit.unshift({ ...entry, hash: hash(before + JSON.stringify(entry)).slice(2) });
}

export function createWorld(): World {
  const at = micros() - 3 * 3_600_000_000;
  const organisations = MEMBERS.map((title) => ({
    id: newId("org"),
    name: title.toLowerCase(),
    title,
    publicKey: hash(`key ${title}`).slice(2),
    createdAt: at,
  }));
  const consortium: Consortium = {
    id: newId("con"),
    name: "demo",
    title: "Demo",
    createdAt: at,
    members: organisations.map((one) => ({
      organisation: one.id,
      name: one.name,
      title: one.title,
      publicKey: one.publicKey,
      signature: hash(`a ${one.name}`).slice(2) + hash(`b ${one.name}`).slice(2),
      joinedAt: at,
    })),
  };
  const world: World = {
    started: Date.now() - 1_900_000,
    signedIn: false,
    users: [
      {
        id: newId("user"),
        name: "admin",
        grants: [{ role: "platform-administrator", organisation: null }],
        createdAt: at,
      },
      {
        id: newId("user"),
        name: "anna",
        grants: [{ role: "organisation-administrator", organisation: organisations[0]?.id }],
        createdAt: at,
      },
      {
        id: newId("user"),
        name: "pieter",
        grants: [{ role: "auditor", organisation: organisations[2]?.id }],
        createdAt: at,
      },
    ],
    keys: [],
    applications: [],
    organisations,
    consortia: [consortium],
    engines: [...ENGINES, CHANNEL_ENGINE],
    networks: [],
    contracts: [],
    chaincodes: [],
    operations: [],
    audit: [],
    tasks: [
      task("reconcile-networks", "Compares what should run with what does, and takes the next step", false),
      task("sample-usage", "Measures CPU, memory and disk of every node", false),
      task("follow-ledgers", "Follows each ledger's blocks for the explorer and the charts", false),
      task("demo-traffic", "Sends transfers on the demonstration network, at most 2 a second", true),
    ],
    listeners: new Set(),
  };
  record(world, "consortium.create", `consortium ${consortium.id}`, {
    members: MEMBERS.map((name) => name.toLowerCase()),
  });
  const main = addNetwork(
    world,
    { name: "main", engine: "polder", consensus: "bft", nodes: 4, consortium: consortium.id },
    "done",
  );
  const test = addNetwork(
    world,
    { name: "test", engine: "polder", consensus: "solo", nodes: 1, consortium: consortium.id },
    "done",
  );
  setWanted(world, test.nodes, false);
  world.contracts.push({
    id: newId("ctr"),
    network: main.id,
    name: "DemoToken",
    address: TOKEN,
    interface: TOKEN_ABI as never,
    transactionHash: null,
    member: "waterland",
    createdAt: at,
  });
  const trade = addNetwork(
    world,
    { name: "trade", engine: "fabric", consensus: "raft", nodes: 3, consortium: consortium.id },
    "done",
  );
  trade.channels?.push("prices");
  world.chaincodes.push(chaincodeOf(trade));
  world.contracts.push({
    id: newId("ctr"),
    network: trade.id,
    name: "asset",
    address: "main/asset",
    channel: "main",
    interface: METADATA as never,
    transactionHash: null,
    member: "waterland",
    createdAt: at,
  });
  setInterval(() => tick(world), BLOCK_MS).unref();
  return world;
}

function task(name: string, description: string, stoppable: boolean): Task {
  return { name, description, status: "running", error: null, lastRunAt: micros(), stoppable };
}

export function members(world: World): string[] {
  return world.organisations.map((one) => one.name);
}

export function accounts(world: World, network: Network): Account[] {
  return world.organisations.map((one, index) => ({
    id: `acc_${hash(network.id + one.id).slice(2, 34)}`,
    network: network.id,
    member: one.name,
    organisation: one.id,
    ...(hasChannels(network.engine)
      ? { address: `${one.name}MSP/user`, balance: null, nonce: null }
      : {
          address: address(`account ${one.name}`),
          balance: `${1000 - index * 7}${"0".repeat(18)}`,
          nonce: 412 + index * 31,
        }),
    usable: index === 0,
  }));
}

export function hasChannels(engine: string): boolean {
  return engine === CHANNEL_ENGINE.name;
}

/** Height of a network: it grows with the clock while it runs. */
export function heightOf(world: World, network: Network): number {
  return Math.floor((Date.now() - world.started) / BLOCK_MS) + (network.name === "main" ? 41_180 : 0);
}

/** Adds a network and the operation that makes it; `done` makes one that was made before. */
export function addNetwork(world: World, request: NewNetwork, made: "done" | "now"): Network {
  const consortium =
    world.consortia.find((one) => one.id === request.consortium || one.name === request.consortium) ??
    world.consortia[0];
  const wanted = request.members ?? consortium?.members.map((member) => member.organisation) ?? [];
  const organisations = world.organisations.filter((one) => wanted.includes(one.id) || wanted.includes(one.name));
  const id = newId("net");
  const nodes = Array.from({ length: request.nodes ?? 4 }, (_, index) => {
    const owner = organisations[index % organisations.length];
    return newNode(
      id,
      request.name,
      index,
      owner?.name ?? "",
      owner?.id ?? "",
      hasChannels(request.engine) ? "orderer" : "validator",
    );
  });
  const network: Network = {
    id,
    name: request.name,
    consortium: consortium?.id ?? "",
    engine: request.engine,
    consensus: request.consensus,
    status: "creating",
    statusReason: null,
    ...(hasChannels(request.engine)
      ? { chainId: null, channels: [String(request.options?.channel ?? "main")] }
      : { chainId: request.chainId ?? 19_485, channels: [] }),
    height: null,
    rpc: hasChannels(request.engine) ? null : `/rpc/${consortium?.name}/${request.name}`,
    nodes,
    options: hasChannels(request.engine)
      ? { channel: "main", ...request.options }
      : { gasLimit: 60_000_000, heartbeatMs: 1000, ...request.options },
    createdAt: micros(),
  };
  world.networks.push(network);
  record(world, "network.create", `network ${id}`, { name: request.name, nodes: request.nodes });
  if (made === "done") {
    setWanted(world, nodes, true);
  } else {
    run(world, "network.create", network.id, network.name, CREATE_STEPS(nodes), () => setWanted(world, nodes, true));
  }
  refresh(world, network);
  return network;
}

const CREATE_STEPS = (nodes: Node[]) => [
  "Reserve ports",
  ...nodes.map((node) => `Make the key of ${node.name}`),
  "Write the genesis",
  ...nodes.map((node) => `Start ${node.name}`),
  "Wait for the first block",
  "Make the members' accounts",
];

function newNode(
  network: string,
  name: string,
  index: number,
  member: string,
  organisation: string,
  kind: string,
): Node {
  return {
    id: newId("node"),
    name: `${name}/node-${index + 1}`,
    network,
    member,
    organisation,
    kind,
    addresses: {},
    status: "creating",
    statusReason: null,
    height: null,
    rpc: null,
    ws: null,
    wanted: false,
    host: "local",
    pid: null,
    restarts: 0,
    startedAt: null,
    usage: null,
    facts: {},
  };
}

export function setWanted(world: World, nodes: Node[], wanted: boolean) {
  for (const node of nodes) {
    node.wanted = wanted;
    node.status = wanted ? "running" : "stopped";
    node.statusReason = wanted ? null : "Stopped on request.";
    node.startedAt = wanted ? micros() : node.startedAt;
    node.pid = wanted ? 4000 + Math.floor(Math.random() * 20_000) : null;
    announce(world, "node", node.id, node.network);
  }
  for (const network of world.networks) refresh(world, network);
}

/** Brings what is observed up to date. */
export function refresh(world: World, network: Network) {
  const running = network.nodes.filter((node) => node.status === "running");
  const quorum = network.consensus === "bft" ? network.nodes.length - Math.floor((network.nodes.length - 1) / 3) : 1;
  const open = world.operations.some(
    (one) => one.subject === network.id && one.kind === "network.create" && one.status === "running",
  );
  const down = network.nodes.length - running.length;
  if (network.status === "deleting") return;
  if (open) network.status = "creating";
  else if (running.length === 0) network.status = "stopped";
  else if (running.length < quorum) network.status = "halted";
  else network.status = down > 0 ? "degraded" : "running";
  network.statusReason =
    network.status === "halted"
      ? `${running.length} of ${network.nodes.length} validators run; ${quorum} are needed to make blocks. Start the stopped nodes.`
      : network.status === "degraded"
        ? `${down} of ${network.nodes.length} nodes ${down === 1 ? "does" : "do"} not run. Blocks go on.`
        : null;
  const height = network.status === "halted" ? network.height : heightOf(world, network);
  network.height = running.length === 0 ? null : (height ?? heightOf(world, network));
  for (const [index, node] of network.nodes.entries()) observe(node, index, network, running);
}

function observe(node: Node, index: number, network: Network, running: Node[]) {
  if (node.status !== "running") {
    node.height = null;
    node.rpc = null;
    node.ws = null;
    node.addresses = {};
    node.usage = null;
    return;
  }
  const port = 21_000 + (Number.parseInt(network.id.slice(4, 7), 16) % 400) * 10 + index;
  node.height = network.height == null ? null : network.height - (index === 2 ? 1 : 0);
  if (hasChannels(network.engine)) {
    node.addresses = { orderer: `127.0.0.1:${port}`, admin: `127.0.0.1:${port + 5}` };
  } else {
    node.rpc = `http://127.0.0.1:${port}`;
    node.ws = `ws://127.0.0.1:${port}`;
  }
  node.usage = usageAt(Date.now() * 1000, index);
  node.facts = {
    publicKey: hash(`node ${node.id}`).slice(2),
    view: (network.height ?? 0) + 7,
    epoch: Math.floor((network.height ?? 0) / 256),
    peers: running.length - 1,
    poolPending: index,
    version: "0.1.0",
  };
}

export function usageAt(at: number, index: number) {
  const wave = Math.sin(at / 9_000_000 + index) * 0.5 + Math.sin(at / 2_300_000 + index * 2) * 0.3;
  return {
    at,
    cpu: 0.045 + 0.02 * (wave + 0.8),
    memoryBytes: Math.round((71 + 4 * wave + index) * 1_048_576),
    diskBytes: 48_234_496 + index * 812_000,
  };
}

export function leaderOf(network: Network): string | null {
  const running = network.nodes.filter((node) => node.status === "running");
  if (network.status === "halted" || running.length === 0) return null;
  return running[Math.floor(Date.now() / 4000) % running.length]?.id ?? null;
}

/** Runs an operation, a step in a third of a second. */
export function run(
  world: World,
  kind: string,
  subject: string,
  name: string,
  titles: string[],
  then: () => void,
): Operation {
  const operation: Operation = {
    id: newId("op"),
    kind,
    subject,
    subjectName: name,
    status: "running",
    steps: titles.map((title, index) => ({
      name: `step-${index}`,
      title,
      status: "queued" as const,
      message: null,
      attempts: 0,
      startedAt: null,
      finishedAt: null,
    })),
    error: null,
    actor: "user admin",
    createdAt: micros(),
    startedAt: micros(),
    finishedAt: null,
  };
  world.operations.unshift(operation);
  const next = () => {
    const running = operation.steps.find((step) => step.status === "running");
    if (running) {
      running.status = "succeeded";
      running.finishedAt = micros();
    }
    const queued = operation.steps.find((step) => step.status === "queued");
    if (queued) {
      queued.status = "running";
      queued.attempts = 1;
      queued.startedAt = micros();
      setTimeout(next, 330).unref();
    } else {
      operation.status = "succeeded";
      operation.finishedAt = micros();
      then();
    }
    announce(world, "operation", operation.id, subject);
  };
  next();
  return operation;
}

function tick(world: World) {
  for (const network of world.networks) {
    refresh(world, network);
    if (network.status === "running" || network.status === "degraded") announce(world, "block", network.id, network.id);
  }
  for (const one of world.tasks) if (one.status === "running") one.lastRunAt = micros();
}

const ENGINES: Engine[] = [
  {
    name: "polder",
    title: "Polder chain",
    description:
      "The built-in ledger: a real EVM on Byzantine fault tolerant consensus, final in well under a second. Nothing needs to be installed. For consortia that want Ethereum's contracts and tools.",
    version: "0.1.0",
    consensus: [
      {
        name: "bft",
        title: "Byzantine fault tolerant",
        description:
          "Blocks are final at once, and fewer than a third of the validators may fail or lie. Four validators tolerate one, seven tolerate two.",
        role: "validator",
        minNodes: 4,
        maxNodes: 31,
        defaultNodes: 4,
      },
      {
        name: "solo",
        title: "Solo",
        description: "One validator makes every block. For development: when it stops, the ledger stops.",
        role: "validator",
        minNodes: 1,
        maxNodes: 1,
        defaultNodes: 1,
      },
    ],
    roles: ["validator", "follower"],
    capabilities: ["evm", "chain-id", "contracts", "events", "accounts", "blocks", "transactions", "json-rpc"],
    options: {
      type: "object",
      properties: {
        heartbeatMs: {
          title: "Block time when idle",
          description:
            "Milliseconds of silence after which an empty block shows that the network lives. A waiting transaction never waits for it.",
          type: "integer",
          minimum: 100,
          maximum: 60_000,
          default: 1000,
        },
        gasLimit: {
          title: "Gas limit of a block",
          description:
            "How much work a block may hold. Higher takes larger transactions, lower keeps blocks quick on small machines.",
          type: "integer",
          minimum: 5_000_000,
          maximum: 1_000_000_000,
          default: 60_000_000,
        },
        debugApi: {
          title: "Tracing by JSON-RPC",
          description: "Offers debug_ methods on the nodes' addresses. They cost much work: on for development only.",
          type: "boolean",
          default: false,
        },
      },
    },
  },
];
