// Starts real polder-node processes on loopback for the client tests, and ends them.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
export const repository = resolve(here, "../..");

/** The node program: POLDER_NODE_PROGRAM, else where cargo puts it. */
export function nodeProgram() {
  const target = process.env.CARGO_TARGET_DIR ?? join(repository, "target");
  const path = process.env.POLDER_NODE_PROGRAM ?? join(target, "debug", "polder-node");
  if (!existsSync(path)) {
    throw new Error(`${path} is not there: build it with \`cargo build -p polder-node\``);
  }
  return path;
}

/** Path of the pinned `cast`. */
export const castProgram = join(here, "node_modules/@foundry-rs/cast-linux-amd64/bin/cast");

/** Runs cast and answers its standard output. */
export function cast(...args) {
  return execFileSync(castProgram, args, { encoding: "utf8", env: { ...process.env, HOME: tmpdir() } }).trim();
}

/** The sample contract's artifact. */
export const token = JSON.parse(readFileSync(join(repository, "contracts/artifacts/Token.json"), "utf8"));

/** Funded test keys; they are worth nothing anywhere else. */
export const keys = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `0x${n.toString(16).padStart(64, "0")}`);
export const addresses = [
  "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
  "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF",
  "0x6813Eb9362372EEF6200f3b1dbC3f819671cBA69",
  "0x1efF47bc3a10a45D4B230B5d10E37751FE6AA718",
  "0xe1AB8145F7E55DC933d51a18c793F901A3A0b276",
  "0xE57bFE9F44b819898F47BF37E5AF72a0783e1141",
  "0xd41c057fd1c78805AAC12B0A94a405c0461A6FBb",
  "0xF1F6619B38A98d6De0800F1DefC0a6399eB6d30C",
];

export const chainId = 77_001;

/** A free TCP port of loopback, below those that the system gives to outgoing connections: one of these could take it meanwhile. */
async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 10_000);
    const free = await new Promise((done) => {
      const server = createServer();
      server.once("error", () => done(false));
      server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
    });
    if (free) return port;
  }
}

/** Waits until `probe` answers something true. */
export async function until(what, probe, milliseconds = 30_000) {
  const deadline = Date.now() + milliseconds;
  let last;
  while (Date.now() < deadline) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`${what}: not within ${milliseconds} ms${last ? `; last error: ${last.message}` : ""}`);
}

/** One JSON-RPC call over HTTP. */
export async function rpc(url, method, ...params) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.timeout(20_000),
  });
  const answer = await response.json();
  if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
  return answer.result;
}

class Node {
  constructor(program, directory, key, ports) {
    Object.assign(this, { program, directory, key, ports, process: null });
    this.rpc = `http://127.0.0.1:${ports.http}`;
    this.ws = `ws://127.0.0.1:${ports.http}`;
  }

  /** Starts the process; `peers` are all nodes of the network. */
  async start(peers) {
    this.peers = peers ?? this.peers;
    const log = openSync(join(this.directory, "log"), "a");
    const args = ["run", "--data", this.directory, "--http", `127.0.0.1:${this.ports.http}`];
    args.push("--p2p", `127.0.0.1:${this.ports.p2p}`);
    for (const peer of this.peers) {
      if (peer !== this) args.push("--peer", `${peer.key}@127.0.0.1:${peer.ports.p2p}`);
    }
    this.process = spawn(this.program, args, { stdio: ["ignore", log, log] });
    this.ended = new Promise((done) => this.process.once("exit", (code, signal) => done({ code, signal })));
  }

  /** kill -9. */
  async kill() {
    this.process.kill("SIGKILL");
    await this.ended;
  }

  /** A clean stop. */
  async stop() {
    this.process.kill("SIGTERM");
    return this.ended;
  }

  height() {
    return rpc(this.rpc, "eth_blockNumber").then(Number);
  }
}

/** Starts a network of `count` validators; `close` ends it and removes its files. */
export async function startNetwork({ count = 4, polder = {} } = {}) {
  const program = nodeProgram();
  const directory = mkdtempSync(join(tmpdir(), "polder-clients-"));
  const nodes = [];
  for (let index = 0; index < count; index++) {
    const folder = join(directory, `node${index}`);
    mkdirSync(folder);
    const key = execFileSync(program, ["key", "--data", folder], { encoding: "utf8" }).trim();
    nodes.push(new Node(program, folder, key, { http: await freePort(), p2p: await freePort() }));
  }
  const genesis = {
    config: {
      chainId,
      homesteadBlock: 0,
      eip150Block: 0,
      eip155Block: 0,
      eip158Block: 0,
      byzantiumBlock: 0,
      constantinopleBlock: 0,
      petersburgBlock: 0,
      istanbulBlock: 0,
      berlinBlock: 0,
      londonBlock: 0,
      shanghaiTime: 0,
      cancunTime: 0,
      pragueTime: 0,
      terminalTotalDifficulty: "0x0",
      polder: { validators: nodes.map((node) => node.key), ...polder },
    },
    gasLimit: "0x3938700",
    difficulty: "0x0",
    timestamp: "0x0",
    alloc: Object.fromEntries(addresses.map((address) => [address, { balance: "0xd3c21bcecceda1000000" }])),
  };
  const file = join(directory, "genesis.json");
  writeFileSync(file, JSON.stringify(genesis));
  for (const node of nodes) execFileSync(program, ["init", "--genesis", file, "--data", node.directory]);
  for (const node of nodes) await node.start(nodes);
  const kill = () => Promise.all(nodes.map((node) => (node.process.exitCode === null ? node.kill() : null)));
  try {
    await until("first block", async () => (await Promise.all(nodes.map((node) => node.height()))).every((n) => n >= 1));
  } catch (error) {
    await kill();
    for (const node of nodes) error.message += `\n${readFileSync(join(node.directory, "log"), "utf8").slice(-500)}`;
    throw error;
  }
  return {
    nodes,
    directory,
    async close() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
