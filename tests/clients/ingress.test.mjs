// Unchanged cast, ethers and viem through the server's JSON-RPC ingress, with an application's credential in the address: on
// the built-in chain, GoQuorum QBFT and geth Clique. The node in use is killed, and the next call goes through.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Contract, ContractFactory, JsonRpcProvider, Wallet, WebSocketProvider } from "ethers";
import { createPublicClient, createWalletClient, defineChain, http, webSocket } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import WebSocket from "ws";
import { startDeployment } from "./deployment.mjs";
import { addresses, cast, keys, rpc, token, until } from "./harness.mjs";

/** `legacy`: the chain has no London rules, which cast is told. */
const chains = [
  { name: "builtin", engine: "polder", consensus: "bft", nodes: 4, legacy: [] },
  { name: "quorum", engine: "quorum", consensus: "qbft", nodes: 4, legacy: ["--legacy"] },
  { name: "clique", engine: "geth", consensus: "clique", nodes: 3, legacy: ["--legacy"] },
];

let server;
let genesis;

before(async () => {
  server = await startDeployment(["alpha", "bravo"]);
  genesis = join(server.directory, "genesis.json");
  const alloc = Object.fromEntries(addresses.map((address) => [address, { balance: "0xd3c21bcecceda1000000" }]));
  writeFileSync(genesis, JSON.stringify({ alloc }));
});

after(() => server?.close());

/** An application of alpha for a network; the addresses have its name and key as user and password. */
function application(name, network) {
  const made = server.developer("application", "create", name, "--member", "alpha", "--network", network);
  const at = made.networks[0].rpc.replace("://", `://${name}:${made.secret}@`);
  return { ...made, plain: made.networks[0].rpc, http: at, ws: at.replace(/^http/, "ws") };
}

/** One call with the key as bearer: Node's own fetch takes no credential in an address. */
async function call(app, body) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${app.secret}` };
  const response = await fetch(app.plain, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

for (const { name, engine, consensus, nodes, legacy } of chains) {
  test(`${name}: deploy, call and events by every client`, async (t) => {
    const create = ["network", "create", name, "--engine", engine, "--consensus", consensus, "--nodes", String(nodes)];
    const network = server.polder(...create, "--genesis", genesis, "--wait");
    assert.equal(server.polder("network", "show", name).rpc, `${server.url}/rpc/trade/${name}`);
    const app = application(`shop-${name}`, name);

    await t.test("cast", () => {
      assert.equal(cast("chain-id", "--rpc-url", app.http), String(network.chainId));
      const constructor = cast("abi-encode", "constructor(string,string,uint256)", "Harbour", "HRB", "1000").slice(2);
      const send = (...args) => JSON.parse(cast("send", "--private-key", keys[0], "--rpc-url", app.http, "--json", ...legacy, ...args));
      const { contractAddress: address, status } = send("--create", token.bytecode + constructor);
      assert.equal(status, "0x1");
      const to = cast("wallet", "address", "--private-key", keys[1]);
      assert.equal(send(address, "transfer(address,uint256)", to, "42").status, "0x1");
      for (const url of [app.http, app.ws]) {
        assert.match(cast("call", "--rpc-url", url, address, "balanceOf(address)(uint256)", to), /^42\b/);
      }
      const event = "Transfer(address indexed,address indexed,uint256)";
      const logs = JSON.parse(cast("logs", "--rpc-url", app.http, "--json", "--address", address, "--from-block", "0", event));
      assert.equal(logs.length, 2);
    });

    await t.test("ethers", async () => {
      const provider = new JsonRpcProvider(app.http, undefined, { pollingInterval: 100, cacheTimeout: -1 });
      const socket = new WebSocketProvider(app.ws);
      try {
        const wallet = new Wallet(keys[2], provider);
        const factory = new ContractFactory(token.abi, token.bytecode, wallet);
        const contract = await factory.deploy("Harbour", "HRB", 1000n);
        await contract.waitForDeployment();
        const address = await contract.getAddress();
        const [seen, polled] = [[], []];
        const listening = new Contract(address, token.abi, socket);
        await listening.on("Transfer", (from, to, value) => seen.push(value));
        await contract.on("Transfer", (from, to, value) => polled.push(value));
        await socket.getBlockNumber(); // answered after the subscription
        await provider.getBlockNumber();
        const to = new Wallet(keys[3]).address;
        await (await contract.transfer(to, 5n)).wait();
        assert.equal(await listening.balanceOf(to), 5n);
        await until("the events", () => seen.includes(5n) && polled.includes(5n), 60_000);
        assert.equal((await contract.queryFilter("Transfer")).length, 2);
        await assert.rejects(provider.send("admin_peers", []), (error) => error.code === "UNSUPPORTED_OPERATION");
        assert.deepEqual(await provider.listAccounts(), []);
      } finally {
        provider.destroy();
        await socket.destroy();
      }
    });

    await t.test("viem", async () => {
      const chain = defineChain({
        id: network.chainId,
        name,
        nativeCurrency: { name: "Test", symbol: "TST", decimals: 18 },
        rpcUrls: { default: { http: [app.http] } },
      });
      const reader = createPublicClient({ chain, transport: http(), pollingInterval: 100 });
      const socket = createPublicClient({ chain, transport: webSocket(app.ws) });
      const wallet = createWalletClient({ chain, transport: http(), account: privateKeyToAccount(keys[4]) });
      const deployed = await wallet.deployContract({ abi: token.abi, bytecode: token.bytecode, args: ["Harbour", "HRB", 1000n] });
      const { contractAddress: address } = await reader.waitForTransactionReceipt({ hash: deployed, timeout: 60_000 });
      const seen = [];
      const unwatch = socket.watchContractEvent({ address, abi: token.abi, eventName: "Transfer", onLogs: (logs) => seen.push(...logs) });
      await socket.getBlockNumber();
      const to = privateKeyToAccount(keys[5]).address;
      const sent = await wallet.writeContract({ address, abi: token.abi, functionName: "transfer", args: [to, 7n] });
      assert.equal((await reader.waitForTransactionReceipt({ hash: sent, timeout: 60_000 })).status, "success");
      assert.equal(await reader.readContract({ address, abi: token.abi, functionName: "balanceOf", args: [to] }), 7n);
      await until("the event", () => seen.some((log) => log.args.value === 7n), 60_000);
      unwatch();
      (await socket.transport.getRpcClient()).close();
    });

    await t.test("the node in use is killed", async () => {
      const own = network.nodes.find((node) => node.member === "alpha");
      const before = Number(await rpc(own.rpc, "eth_blockNumber"));
      const { pid } = server.polder("node", "show", own.name);
      process.kill(pid, "SIGKILL");
      for (let i = 0; i < 10; i++) {
        const { status, body } = await call(app, { jsonrpc: "2.0", id: i, method: "eth_blockNumber", params: [] });
        assert.equal(status, 200, JSON.stringify(body));
        assert.ok(Number(body.result) >= before - 2, `${body.result}, after ${before}`);
      }
      const wallet = new Wallet(keys[6], new JsonRpcProvider(app.http, undefined, { cacheTimeout: -1 }));
      assert.equal((await (await wallet.sendTransaction({ to: wallet.address, value: 0n })).wait()).status, 1);
      wallet.provider.destroy();
    });

    await t.test("a revoked key ends its calls and its connections", async () => {
      const socket = new WebSocket(app.ws);
      await new Promise((done, fail) => socket.once("open", done).once("error", fail));
      const closed = new Promise((done) => socket.once("close", done));
      const answer = new Promise((done) => socket.once("message", (data) => done(JSON.parse(data))));
      socket.send(JSON.stringify([
        { jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] },
        { jsonrpc: "2.0", id: 2, method: "admin_peers", params: [] },
      ]));
      const [chain, refused] = await answer;
      assert.equal(Number(chain.result), network.chainId);
      assert.equal(refused.error.code, -32601);
      assert.ok(server.developer("application", "show", app.name).calls > 20);
      server.developer("application", "revoke", app.name, "--yes");
      assert.equal(await closed, 1008);
      const { status, body } = await call(app, { jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] });
      assert.deepEqual([status, body.error.data.code], [401, "rpc.credential"]);
      assert.throws(
        () => cast("chain-id", "--rpc-url", app.http),
        (error) => /key is not one, was revoked/.test(error.stderr?.toString()),
      );
    });

    server.polder("network", "delete", name, "--yes", "--wait");
  });
}
