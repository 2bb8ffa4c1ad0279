// Validators are killed under load. Every acknowledged transaction must be there afterwards, and all nodes must agree.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Wallet, ZeroAddress } from "ethers";
import { chainId, keys, rpc, startNetwork, until } from "./harness.mjs";

let network;

before(async () => {
  network = await startNetwork({ polder: { epochLength: 32 } }); // epochs change under load too
});

after(() => network?.close());

/** Sends transfers of one account without pause and remembers each hash that a node answered. */
class Load {
  acknowledged = [];
  refused = 0;
  running = true;

  constructor(nodes, key, milliseconds = 10) {
    this.nodes = nodes;
    this.wallet = new Wallet(key);
    this.pause = milliseconds;
    this.done = this.run();
  }

  async run() {
    let nonce = await this.nonce();
    for (let turn = 0; this.running; turn++) {
      const raw = await this.wallet.signTransaction({ to: ZeroAddress, value: 1n, nonce, gasLimit: 21_000n, gasPrice: 0n, chainId, type: 0 });
      const node = this.nodes[turn % this.nodes.length];
      try {
        this.acknowledged.push(await rpc(node.rpc, "eth_sendRawTransaction", raw));
        nonce++;
      } catch (error) {
        // The node is down, or it took the transaction and died before it answered: another node tells.
        if (/already known|nonce too low/.test(error.message)) nonce++;
        else this.refused++;
      }
      await new Promise((next) => setTimeout(next, this.pause));
    }
  }

  async nonce() {
    return until("a node that answers", async () => {
      const answers = await Promise.allSettled(this.nodes.map((node) => rpc(node.rpc, "eth_getTransactionCount", this.wallet.address, "pending")));
      const known = answers.filter((answer) => answer.status === "fulfilled").map((answer) => Number(answer.value));
      return known.length ? { value: Math.max(...known) } : null;
    }).then((found) => found.value);
  }

  async stop() {
    this.running = false;
    await this.done;
    return this.acknowledged;
  }
}

const heights = () => Promise.all(network.nodes.map((node) => node.height()));

/** Waits until every transaction has a receipt on every node. */
async function included(hashes) {
  for (const node of network.nodes) {
    for (const hash of hashes) {
      await until(`${hash} on ${node.rpc}`, () => rpc(node.rpc, "eth_getTransactionReceipt", hash), 60_000);
    }
  }
}

/** All nodes have the same blocks, with the same state roots, up to the lowest head. */
async function agree() {
  const lowest = Math.min(...(await heights()));
  for (let number = Math.max(1, lowest - 50); number <= lowest; number++) {
    const blocks = await Promise.all(network.nodes.map((node) => rpc(node.rpc, "eth_getBlockByNumber", `0x${number.toString(16)}`, false)));
    assert.equal(new Set(blocks.map((block) => block.hash)).size, 1, `hash of block ${number}`);
    assert.equal(new Set(blocks.map((block) => block.stateRoot)).size, 1, `state root of block ${number}`);
  }
}

/** The network makes progress. */
async function advances(nodes, milliseconds) {
  const from = Math.max(...(await Promise.all(nodes.map((node) => node.height()))));
  await until("a new block", async () => (await Promise.all(nodes.map((node) => node.height()))).every((n) => n > from), milliseconds);
}

test("each validator in turn is killed under load and comes back", async () => {
  const load = new Load(network.nodes, keys[0]);
  for (const node of network.nodes) {
    await advances(network.nodes, 10_000);
    await node.kill();
    await advances(network.nodes.filter((other) => other !== node), 15_000);
    await node.start();
    await until("the node has caught up", async () => (await node.height()) >= Math.max(...(await heights())) - 2);
  }
  const hashes = await load.stop();
  assert.ok(hashes.length > 50, `only ${hashes.length} were acknowledged`);
  await included(hashes);
  await agree();
});

test("all validators are killed at once under load, twice", async () => {
  for (let round = 0; round < 2; round++) {
    const load = new Load(network.nodes, keys[1 + round], 5);
    await until("load", () => load.acknowledged.length > 100);
    await Promise.all(network.nodes.map((node) => node.kill()));
    const before = load.acknowledged.length;
    for (const node of network.nodes) await node.start();
    await until("load goes on", () => load.acknowledged.length > before + 20, 60_000);
    await included(await load.stop());
    await agree();
  }
});

test("two of four down: no progress and no fork; back: progress within five seconds", async () => {
  const [a, b, c, d] = network.nodes;
  await Promise.all([c.kill(), d.kill()]);
  // What was decided already may still arrive.
  const wallet = new Wallet(keys[4]);
  await until("the height stands", async () => {
    const before = await a.height();
    await new Promise((next) => setTimeout(next, 2_500));
    return before === (await a.height());
  });
  const stood = await a.height();
  const nonce = Number(await rpc(a.rpc, "eth_getTransactionCount", wallet.address, "pending"));
  const raw = await wallet.signTransaction({ to: ZeroAddress, value: 1n, nonce, gasLimit: 21_000n, gasPrice: 0n, chainId, type: 0 });
  const hash = await rpc(a.rpc, "eth_sendRawTransaction", raw);
  assert.equal(await rpc(a.rpc, "eth_getTransactionReceipt", hash), null);
  assert.equal(await a.height(), stood);
  assert.ok(Math.abs((await b.height()) - stood) <= 1);
  const status = await rpc(a.rpc, "polder_status");
  assert.ok(status.peers.filter((peer) => peer.connected).length < 2);
  await Promise.all([c.start(), d.start()]);
  await until("answers", async () => (await c.height()) >= 0 && (await d.height()) >= 0);
  await advances([a, b], 5_000);
  await included([hash]);
  await agree();
});

test("a node that was away for several epochs catches up", async () => {
  const [away, ...others] = network.nodes;
  await away.stop();
  const load = new Load(others, keys[5], 2);
  const from = await others[0].height();
  await until("100 blocks", async () => (await others[0].height()) > from + 100, 120_000);
  const hashes = await load.stop();
  await away.start();
  await until("the node has caught up", async () => (await away.height()) >= (await others[0].height()) - 2, 60_000);
  await included(hashes);
  await agree();
});
