import type { IncomingMessage, ServerResponse } from "node:http";
import type { Change, Contract, Network, Node, Statistics, Transaction } from "../src/api/types";
import { channelOf, endorsed, profileOf } from "./channels";
import {
  address,
  blockAt,
  blockHash,
  countAt,
  hash,
  placeOf,
  summaryAt,
  transactionAt,
  transactionHash,
} from "./ledger";
import {
  accounts,
  addNetwork,
  announce,
  hasChannels,
  heightOf,
  leaderOf,
  members,
  micros,
  newId,
  record,
  run,
  setWanted,
  usageAt,
  type World,
} from "./world";

interface Call {
  world: World;
  path: string[];
  query: URLSearchParams;
  // biome-ignore lint/suspicious/noExplicitAny: the body of a request, which the mock trusts
  body: any;
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    detail: string,
  ) {
    super(detail);
  }
}

const notFound = (what: string) =>
  new Refusal(404, "not_found", "There is no such thing", `There is no ${what}. It may have been deleted.`);

type Route = (call: Call) => unknown;

export async function handle(world: World, request: IncomingMessage, response: ServerResponse, next: () => void) {
  const url = new URL(request.url ?? "/", "http://mock");
  if (url.pathname.startsWith("/errors/")) {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(
      `<!doctype html><title>${url.pathname.slice(8)}</title><h1>${url.pathname.slice(8)}</h1><p>The server explains the code here.`,
    );
    return;
  }
  if (!url.pathname.startsWith("/api/v1/")) return next();
  const path = url.pathname.slice("/api/v1/".length).split("/").map(decodeURIComponent);
  const signedIn = /polder_session=mock/.test(request.headers.cookie ?? "");
  if (path[0] === "changes") return stream(request, response, (send) => follow(world, send));
  if (path[0] === "nodes" && path[3] === "stream") return stream(request, response, (send) => logs(send));
  try {
    const body = await read(request);
    if (path[0] === "session") return answer(response, ...session(world, request.method ?? "GET", signedIn, body));
    if (!signedIn) throw new Refusal(401, "auth.required", "Sign in first", "Sign in, or send an access key.");
    const route = ROUTES.find(([method, shape]) => method === request.method && fits(shape, path));
    if (route === undefined) throw notFound(url.pathname);
    answer(
      response,
      request.method === "POST" ? 202 : 200,
      await route[2]({ world, path, query: url.searchParams, body }),
    );
  } catch (error) {
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(500, "internal", "Something went wrong in the server", String(error));
    response.setHeader("content-type", "application/problem+json");
    response.statusCode = refusal.status;
    response.end(
      JSON.stringify({
        type: `/errors/${refusal.code}`,
        title: refusal.title,
        status: refusal.status,
        code: refusal.code,
        detail: refusal.message,
        instance: `req_${Math.random().toString(16).slice(2, 14)}`,
      }),
    );
  }
}

function fits(shape: string, path: string[]): boolean {
  const parts = shape.split("/");
  return parts.length === path.length && parts.every((part, index) => part === "*" || part === path[index]);
}

async function read(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text === "" ? undefined : JSON.parse(text);
}

function answer(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = body === undefined ? 204 : status;
  response.setHeader("content-type", "application/json");
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function stream(
  request: IncomingMessage,
  response: ServerResponse,
  begin: (send: (data: unknown) => void) => () => void,
) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(": hello\n\n");
  const end = begin((data) => response.write(`data: ${JSON.stringify(data)}\n\n`));
  request.on("close", end);
}

function follow(world: World, send: (data: unknown) => void) {
  const listener = (change: Change) => send(change);
  world.listeners.add(listener);
  return () => world.listeners.delete(listener);
}

function logLine(at: number, height: number) {
  return { at, stream: height % 23 === 0 ? "stderr" : "stdout", text: logText(at, height) };
}

function logText(at: number, height: number): string {
  const time = new Date(at / 1000).toISOString();
  return height % 23 === 0
    ? `${time}  WARN consensus: peer is slow to answer peer=9f2c… round_trip=212ms`
    : `${time}  INFO chain: block finalised height=${height} transactions=${countAt(height)} hash=${blockHash(height).slice(0, 14)}…`;
}

function logs(send: (data: unknown) => void) {
  let height = Math.floor(Date.now() / 1000) % 100_000;
  for (let back = 60; back > 0; back -= 1) send(logLine(micros() - back * 1_000_000, height - back));
  const timer = setInterval(() => send(logLine(micros(), height++)), 1000);
  return () => clearInterval(timer);
}

const PERMISSIONS = [
  "signed-in",
  "users:read",
  "users:write",
  "organisations:read",
  "organisations:write",
  "consortia:read",
  "consortia:write",
  "networks:read",
  "networks:write",
  "nodes:read",
  "nodes:write",
  "operations:read",
  "operations:write",
  "applications:read",
  "applications:write",
  "identities:export",
  "ledger:read",
  "ledger:write",
  "transactions:raw",
  "contracts:write",
  "audit:read",
  "server:read",
  "server:write",
];

function session(
  world: World,
  method: string,
  signedIn: boolean,
  body: unknown,
): [number, unknown, Record<string, string>?] {
  const one = {
    user: world.users[0],
    csrfToken: "mock",
    expiresAt: micros() + 3_600_000_000,
    permissions: PERMISSIONS,
  };
  if (method === "DELETE") return [204, undefined, { "set-cookie": "polder_session=; Path=/; Max-Age=0" }];
  if (method === "GET") {
    if (signedIn) return [200, one];
    throw new Refusal(401, "auth.required", "Sign in first", "Sign in, or send an access key.");
  }
  const { user, password } = body as { user: string; password: string };
  if (user !== "admin" || password !== "polder-polder") {
    throw new Refusal(
      401,
      "auth.failed",
      "User name or password is wrong",
      "Check both and try again. After ten failures the account waits a minute.",
    );
  }
  return [201, one, { "set-cookie": "polder_session=mock; Path=/; HttpOnly; SameSite=Strict" }];
}

const page = <T>(items: T[], next: string | null = null) => ({ items, next });

function network({ world, path }: Call): Network {
  const found = world.networks.find((one) => one.id === path[1] || one.name === path[1]);
  if (found === undefined) throw notFound("network of this name");
  return found;
}

function node({ world, path }: Call): Node {
  const found = world.networks.flatMap((one) => one.nodes).find((one) => one.id === path[1] || one.name === path[1]);
  if (found === undefined) throw notFound("node of this name");
  return found;
}

function find<T extends { id: string }>(items: T[], id: string | undefined): T {
  const found = items.find((one) => one.id === id);
  if (found === undefined) throw notFound("such entry");
  return found;
}

function remove<T extends { id: string }>(world: World, items: T[], id: string | undefined, kind: string) {
  items.splice(items.indexOf(find(items, id)), 1);
  announce(world, kind, id ?? "");
  record(world, `${kind}.delete`, `${kind} ${id}`);
}

/** Blocks of a network that never ran have no numbers; a stopped one keeps what it had. */
function head(world: World, one: Network): number {
  return one.height ?? heightOf(world, one);
}

function timeOf(world: World, one: Network, number: number): number {
  return micros() - (head(world, one) - number) * 1_000_000 - (Date.now() % 1000) * 1000;
}

function networkOperation(verb: "start" | "stop" | "restart"): Route {
  return (call) => {
    const { world } = call;
    const one = network(call);
    record(world, `network.${verb}`, `network ${one.id}`);
    const title = verb === "stop" ? "Stop" : "Start";
    return run(
      world,
      `network.${verb}`,
      one.id,
      one.name,
      one.nodes.map((node) => `${title} ${node.name}`),
      () => setWanted(world, one.nodes, verb !== "stop"),
    );
  };
}

function nodeOperation(verb: "start" | "stop" | "restart"): Route {
  return (call) => {
    const one = node(call);
    record(call.world, `node.${verb}`, `node ${one.id}`);
    const titles =
      verb === "restart"
        ? ["Stop the process", "Start the process", "Wait until it answers"]
        : [verb === "stop" ? "Stop the process" : "Start the process"];
    return run(call.world, `node.${verb}`, one.id, one.name, titles, () =>
      setWanted(call.world, [one], verb !== "stop"),
    );
  };
}

function statistics(call: Call): Statistics {
  const minutes = Number(call.query.get("minutes") ?? 15);
  const intervalSeconds = minutes > 15 ? 60 : 10;
  const end = Math.floor(Date.now() / 1000 / intervalSeconds) * intervalSeconds;
  const count = (minutes * 60) / intervalSeconds;
  const running = network(call).status !== "stopped";
  return {
    intervalSeconds,
    points: Array.from({ length: running ? count : 0 }, (_, index) => {
      const at = end - (count - 1 - index) * intervalSeconds;
      const wave = 1 + 0.35 * Math.sin(at / 80) + 0.25 * Math.sin(at / 23);
      return {
        at: at * 1_000_000,
        blocks: intervalSeconds,
        transactions: Math.round(1.6 * wave * intervalSeconds),
        blockIntervalMs: 1000 - 60 * wave,
        latencyP50Ms: 14 + 3 * wave,
        latencyP99Ms: 36 + 12 * wave + (at % 70 === 0 ? 30 : 0),
      };
    }),
  };
}

function topology(call: Call) {
  const one = network(call);
  const links = one.nodes.flatMap((from, a) =>
    one.nodes
      .slice(a + 1)
      .map((to) => ({ from: from.id, to: to.id, connected: from.status === "running" && to.status === "running" })),
  );
  return { nodes: one.nodes, links, leader: leaderOf(one) };
}

function blocks(call: Call) {
  const one = network(call);
  const limit = Number(call.query.get("limit") ?? 25);
  const from = Number(call.query.get("cursor") ?? head(call.world, one));
  const numbers = Array.from({ length: Math.min(limit, from + 1) }, (_, index) => from - index);
  const last = numbers.at(-1) ?? 0;
  return page(
    numbers.map((number) => summaryAt(number, timeOf(call.world, one, number))),
    last > 0 ? String(last - 1) : null,
  );
}

function block(call: Call) {
  const one = network(call);
  const asked = call.path[3] ?? "";
  const top = head(call.world, one);
  const number = asked === "latest" ? top : asked.startsWith("0x") ? byHash(asked, top) : Number(asked);
  if (!Number.isInteger(number) || number > top || number < 0) throw notFound(`block ${asked}; the newest is ${top}`);
  const found = blockAt(number, timeOf(call.world, one, number), members(call.world));
  return hasChannels(one.engine)
    ? { ...found, gasUsed: null, gasLimit: null, items: found.items.map((item) => told(call, item as Transaction)) }
    : found;
}

function byHash(asked: string, top: number): number {
  for (let number = top; number > top - 2000 && number >= 0; number -= 1)
    if (blockHash(number) === asked) return number;
  return -1;
}

function transactions(call: Call) {
  const one = network(call);
  const limit = Number(call.query.get("limit") ?? 25);
  const items = [];
  let number = Number(call.query.get("cursor") ?? head(call.world, one));
  for (; number >= 0 && items.length < limit; number -= 1) {
    for (let index = countAt(number) - 1; index >= 0; index -= 1) {
      const { nonce, gasLimit, gasUsed, contractAddress, input, decoded, logs, error, raw, ...summary } = told(
        call,
        transactionAt(number, index, timeOf(call.world, one, number), members(call.world)),
      );
      items.push(summary);
    }
  }
  return page(items, number > 0 ? String(number) : null);
}

function transaction(call: Call) {
  const asked = call.path[3] ?? "";
  const place = placeOf(asked.startsWith("0x") ? asked : `0x${asked}`);
  if (place === undefined) throw notFound("transaction of this hash on this ledger");
  return told(
    call,
    transactionAt(place[0], place[1], timeOf(call.world, network(call), place[0]), members(call.world)),
  );
}

/** A transaction as the network's engine tells it. */
function told(call: Call, one: Transaction): Transaction {
  const { engine, channels } = network(call);
  return hasChannels(engine) ? endorsed(one, call.query.get("channel") ?? channels?.[0] ?? "") : one;
}

function channels(call: Call) {
  const one = network(call);
  return (one.channels ?? []).map((name) => channelOf(one, name, call.world.chaincodes));
}

function createChannel(call: Call) {
  const one = network(call);
  return run(call.world, "channel.create", one.id, one.name, ["Join the orderers", "Join the peers"], () => {
    one.channels?.push(call.body.name);
  });
}

function deployChaincode(call: Call) {
  const one = network(call);
  const { name, version, channel, policy, collections, init } = call.body;
  const titles = ["Build the source", "Start it for each member", "Install", "Approve", "Commit"];
  return run(call.world, "chaincode.deploy", one.id, one.name, titles, () => {
    const others = call.world.chaincodes.filter((other) => other.name !== name || other.channel !== channel);
    const made = { name, network: one.id, channel, version, policy, collections, init, language: "go", nodes: [] };
    call.world.chaincodes = [...others, { ...made, sequence: 1 + call.world.chaincodes.length - others.length }];
    announce(call.world, "contract", one.id, one.id);
  });
}

function chaincodeState(call: Call) {
  const one = network(call);
  const channel = call.query.get("channel");
  const fits = (own: { network: string; name: string; channel: string }) =>
    own.network === one.id && own.name === call.path[3] && (channel === null || own.channel === channel);
  const found = call.world.chaincodes.find(fits);
  if (found === undefined) throw notFound("chaincode of this name");
  const approvals = members(call.world).map((member) => ({ member, installed: true, approved: true }));
  return { ...found, committed: true, approvals };
}

function addressOf(call: Call) {
  const asked = call.path[3] ?? "";
  const account = accounts(call.world, network(call)).find((one) => one.address === asked);
  const contract = call.world.contracts.find((one) => one.address === asked);
  return {
    address: asked,
    ...(hasChannels(network(call).engine)
      ? { balance: null, nonce: null }
      : { balance: account?.balance ?? "0", nonce: account?.nonce ?? 0 }),
    codeSize: contract ? 2481 : 0,
    contract: contract?.name ?? null,
    member: account?.member ?? null,
  };
}

function contract(call: Call): Contract {
  const found = call.world.contracts.find((one) => [one.id, one.address, one.name].includes(call.path[3] ?? ""));
  if (found === undefined) throw notFound("contract of this name");
  return found;
}

function deploy(call: Call) {
  const one = network(call);
  const number = head(call.world, one);
  const made: Contract = {
    id: newId("ctr"),
    network: one.id,
    name: call.body.name ?? call.body.artifact.contractName ?? "Contract",
    address: call.body.address ?? address(`contract ${Math.random()}`),
    interface: call.body.artifact.abi,
    transactionHash: call.body.address ? null : transactionHash(3, 0),
    member: call.body.address ? null : "waterland",
    createdAt: micros(),
  };
  call.world.contracts.push(made);
  record(call.world, "contract.deploy", `contract ${made.id}`, { name: made.name });
  const result = {
    address: made.address,
    transactionHash: transactionHash(3, 0),
    blockNumber: number,
    gasUsed: 1_204_332,
    status: "success",
  };
  return { contract: made, result: call.body.address ? null : result };
}

const READS: Record<string, unknown> = {
  "name()": "Demo Token",
  "symbol()": "DEMO",
  "decimals()": "18",
  "totalSupply()": `1000000${"0".repeat(18)}`,
  "balanceOf(address)": `2480${"0".repeat(18)}`,
  "allowance(address,address)": "0",
};

function send(call: Call) {
  const amount = BigInt(call.body.args?.at(-1) ?? 0);
  if (amount > 10n ** 24n) {
    throw new Refusal(
      422,
      "contract.reverted",
      "The contract refused the call",
      "It said: ERC20: transfer amount exceeds balance. Nothing was sent.",
    );
  }
  const number = head(call.world, network(call)) - 1;
  const place = [number, number - 1, number - 2, number - 3].find((candidate) => countAt(candidate) > 0) ?? 3;
  return { transactionHash: transactionHash(place, 0), blockNumber: place, gasUsed: 51_402, status: "success" };
}

function addNamed<T extends { id: string }>(world: World, kind: string, items: T[], made: T): T {
  items.push(made);
  announce(world, kind, made.id);
  record(world, `${kind}.create`, `${kind} ${made.id}`);
  return made;
}

const ROUTES: [method: string, shape: string, route: Route][] = [
  ["GET", "users", ({ world }) => page(world.users)],
  [
    "POST",
    "users",
    ({ world, body }) =>
      addNamed(world, "user", world.users, {
        id: newId("user"),
        name: body.name,
        grants: body.grants,
        createdAt: micros(),
      }),
  ],
  [
    "PATCH",
    "users/*",
    ({ world, path, body }) => Object.assign(find(world.users, path[1]), body.grants ? { grants: body.grants } : {}),
  ],
  ["DELETE", "users/*", ({ world, path }) => remove(world, world.users, path[1], "user")],
  ["GET", "access-keys", ({ world }) => page(world.keys.map(({ secret: _, ...key }) => key))],
  [
    "POST",
    "access-keys",
    ({ world, body }) => {
      const user = world.users[0];
      const key = {
        id: newId("key"),
        name: body.name,
        user: user?.id ?? "",
        grants: body.grants ?? user?.grants ?? [],
        createdAt: micros(),
        lastUsedAt: null,
        expiresAt: body.expiresAt ?? null,
      };
      addNamed(world, "access-key", world.keys, key);
      return { ...key, secret: `polder_${key.id.slice(4)}_${hash(key.id).slice(2, 45)}` };
    },
  ],
  ["GET", "applications", ({ world }) => page(world.applications)],
  [
    "POST",
    "applications",
    ({ world, body }) => {
      const member = world.organisations.find((one) => one.id === body.member || one.name === body.member);
      const reached: string[] = body.networks ?? [];
      const application = {
        id: newId("app"),
        name: body.name,
        member: member?.name ?? "",
        organisation: member?.id ?? "",
        networks: world.networks
          .filter((network) => reached.includes(network.id) || reached.includes(network.name))
          .map(({ id, rpc }) => ({ id, name: rpc?.slice("/rpc/".length) ?? "", rpc: rpc ?? "" })),
        inspect: body.inspect ?? false,
        calls: 0,
        createdAt: micros(),
        lastUsedAt: null,
      };
      addNamed(world, "application", world.applications, application);
      return { ...application, secret: `polder_${application.id}_${hash(application.id).slice(2, 45)}` };
    },
  ],
  [
    "POST",
    "applications/*/rotate",
    ({ world, path }) => {
      const application = find(world.applications, path[1]);
      return {
        ...application,
        secret: `polder_${application.id}_${hash(`${application.id}${micros()}`).slice(2, 45)}`,
      };
    },
  ],
  ["DELETE", "applications/*", ({ world, path }) => remove(world, world.applications, path[1], "application")],
  ["DELETE", "access-keys/*", ({ world, path }) => remove(world, world.keys, path[1], "access-key")],
  ["GET", "organisations", ({ world }) => page(world.organisations)],
  [
    "POST",
    "organisations",
    ({ world, body }) => {
      if (world.organisations.some((one) => one.name === body.name)) {
        throw new Refusal(
          409,
          "name.taken",
          "The name is taken",
          `An organisation is named ${body.name} already. Choose another name.`,
        );
      }
      return addNamed(world, "organisation", world.organisations, {
        id: newId("org"),
        name: body.name,
        title: body.title ?? body.name,
        publicKey: hash(body.name).slice(2),
        createdAt: micros(),
      });
    },
  ],
  [
    "DELETE",
    "organisations/*",
    ({ path }) => {
      throw new Refusal(
        409,
        "in_use",
        "Something else still needs it",
        `The organisation is a member of the consortium Demo. Delete the consortium first (${path[1]?.slice(0, 12)}…).`,
      );
    },
  ],
  ["GET", "consortia", ({ world }) => page(world.consortia)],
  ["GET", "consortia/*", ({ world, path }) => find(world.consortia, path[1])],
  [
    "POST",
    "consortia",
    ({ world, body }) =>
      addNamed(world, "consortium", world.consortia, {
        id: newId("con"),
        name: body.name,
        title: body.title ?? body.name,
        createdAt: micros(),
        members: world.organisations
          .filter((one) => body.members.includes(one.id) || body.members.includes(one.name))
          .map((one) => ({
            organisation: one.id,
            name: one.name,
            title: one.title,
            publicKey: one.publicKey,
            signature: hash(one.id).slice(2).repeat(2),
            joinedAt: micros(),
          })),
      }),
  ],
  ["DELETE", "consortia/*", ({ world, path }) => remove(world, world.consortia, path[1], "consortium")],
  ["GET", "engines", ({ world }) => page(world.engines)],
  ["GET", "engines/available", () => page([])],
  ["GET", "networks", ({ world }) => page(world.networks)],
  [
    "POST",
    "networks/preview",
    ({ world, body }) => {
      const chosen = world.organisations.filter((one) => body.members.includes(one.id));
      return {
        chainId: body.chainId ?? null,
        nodes: Array.from({ length: body.nodes }, (_, index) => ({
          name: `${body.name}/node-${index + 1}`,
          member: chosen[index % chosen.length]?.name,
          kind: "validator",
        })),
        notes:
          body.consensus === "bft"
            ? [
                `${body.nodes - Math.floor((body.nodes - 1) / 3)} of ${body.nodes} validators must agree on each block; ${Math.floor((body.nodes - 1) / 3)} may fail or lie.`,
                "Blocks are final at once: there are no reorganisations.",
                "All nodes run on this machine: they share its CPU and its disk.",
              ]
            : ["One validator makes every block. When it stops, the network stops."],
      };
    },
  ],
  [
    "POST",
    "networks",
    ({ world, body }) => {
      if (world.networks.some((one) => one.name === body.name)) {
        throw new Refusal(
          409,
          "name.taken",
          "The name is taken",
          `The consortium has a network ${body.name} already. Choose another name.`,
        );
      }
      const made = addNetwork(world, body, "now");
      return { network: made, operation: world.operations[0] };
    },
  ],
  ["GET", "networks/*", network],
  [
    "DELETE",
    "networks/*",
    (call) => {
      const one = network(call);
      one.status = "deleting";
      record(call.world, "network.delete", `network ${one.id}`);
      return run(
        call.world,
        "network.delete",
        one.id,
        one.name,
        ["Stop the nodes", "Remove their directories", "Forget the network"],
        () => {
          call.world.networks.splice(call.world.networks.indexOf(one), 1);
          announce(call.world, "network", one.id, one.id);
        },
      );
    },
  ],
  ["POST", "networks/*/start", networkOperation("start")],
  ["POST", "networks/*/stop", networkOperation("stop")],
  ["POST", "networks/*/restart", networkOperation("restart")],
  ["GET", "networks/*/topology", topology],
  ["GET", "networks/*/statistics", statistics],
  ["GET", "networks/*/blocks", blocks],
  ["GET", "networks/*/blocks/*", block],
  ["GET", "networks/*/transactions", transactions],
  ["GET", "networks/*/transactions/*", transaction],
  ["GET", "networks/*/addresses/*", addressOf],
  ["GET", "networks/*/accounts", (call) => page(accounts(call.world, network(call)))],
  [
    "GET",
    "networks/*/contracts",
    (call) => page(call.world.contracts.filter((one) => one.network === network(call).id)),
  ],
  ["POST", "networks/*/contracts", deploy],
  ["GET", "networks/*/channels", (call) => page(channels(call))],
  ["GET", "networks/*/channels/*", (call) => channels(call).find((one) => one.name === call.path[3])],
  ["POST", "networks/*/channels", createChannel],
  [
    "GET",
    "networks/*/chaincodes",
    (call) => page(call.world.chaincodes.filter((one) => one.network === network(call).id)),
  ],
  ["GET", "networks/*/chaincodes/*", chaincodeState],
  ["POST", "networks/*/chaincodes", deployChaincode],
  ["GET", "networks/*/profile", (call) => profileOf(network(call), call.query.get("member") ?? "")],
  ["GET", "networks/*/contracts/*", contract],
  ["POST", "networks/*/contracts/*/call", (call) => ({ result: READS[call.body.function] ?? "0" })],
  ["POST", "networks/*/contracts/*/send", send],
  ["GET", "nodes", ({ world }) => page(world.networks.flatMap((network) => network.nodes))],
  ["GET", "nodes/*", node],
  ["POST", "nodes/*/start", nodeOperation("start")],
  ["POST", "nodes/*/stop", nodeOperation("stop")],
  ["POST", "nodes/*/restart", nodeOperation("restart")],
  [
    "GET",
    "nodes/*/logs",
    () => page(Array.from({ length: 60 }, (_, index) => logLine(micros() - (60 - index) * 1_000_000, 1000 + index))),
  ],
  [
    "GET",
    "nodes/*/usage",
    (call) => {
      const one = node(call);
      return page(
        one.status !== "running"
          ? []
          : Array.from({ length: 90 }, (_, index) =>
              usageAt(micros() - (89 - index) * 5_000_000, Number(one.name.slice(-1))),
            ),
      );
    },
  ],
  [
    "GET",
    "operations",
    ({ world, query }) =>
      page(
        world.operations
          .filter((one) => !query.get("subject") || one.subject === query.get("subject"))
          .slice(0, Number(query.get("limit") ?? 50)),
      ),
  ],
  ["GET", "operations/*", ({ world, path }) => find(world.operations, path[1])],
  ["GET", "audit", ({ world }) => page(world.audit)],
  [
    "GET",
    "audit/check",
    ({ world }) => ({ entries: world.audit.length, intact: true, head: world.audit[0]?.hash ?? "", brokenAt: null }),
  ],
  [
    "GET",
    "server",
    ({ world }) => ({
      version: "0.1.0",
      startedAt: world.started * 1000,
      database: "sqlite",
      memoryBytes: 74_448_896,
      diskFreeBytes: 88_046_829_568,
      warnings: [
        "The master key is a file in the data directory. Keep a copy elsewhere, or give one with --master-key-file: without it no key of this deployment can be read.",
      ],
    }),
  ],
  ["GET", "server/tasks", ({ world }) => page(world.tasks)],
  ["POST", "server/tasks/*/start", (call) => setTask(call, "running")],
  ["POST", "server/tasks/*/stop", (call) => setTask(call, "stopped")],
];

function setTask({ world, path }: Call, status: string) {
  const found = world.tasks.find((one) => one.name === path[2]);
  if (found === undefined) throw notFound("task of this name");
  found.status = status;
  announce(world, "task", found.name);
  return found;
}
