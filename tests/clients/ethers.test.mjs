// ethers 6, unchanged, against four validator processes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Contract, ContractFactory, JsonRpcProvider, NonceManager, Wallet, WebSocketProvider, ZeroAddress, parseEther } from "ethers";
import { chainId, keys, startNetwork, token, until } from "./harness.mjs";

let network;
let providers;
let wallet;
let contract;

before(async () => {
  network = await startNetwork();
  // ethers answers the same question from memory for 250 ms unless told otherwise; blocks here come sooner.
  const options = { pollingInterval: 50, cacheTimeout: -1 };
  providers = network.nodes.map((node) => new JsonRpcProvider(node.rpc, undefined, options));
  wallet = new Wallet(keys[0], providers[0]);
});

after(async () => {
  for (const provider of providers ?? []) provider.destroy();
  await network?.close();
});

test("the network says what it is", async () => {
  const found = await providers[0].getNetwork();
  assert.equal(found.chainId, BigInt(chainId));
  const fees = await providers[0].getFeeData();
  assert.equal(fees.gasPrice, 0n);
  const block = await providers[0].getBlock("finalized");
  assert.equal(block.baseFeePerGas, 0n);
});

test("a contract is deployed on one node and called on another", async () => {
  const factory = new ContractFactory(token.abi, token.bytecode, wallet);
  const deployed = await factory.deploy("Harbour", "HRB", parseEther("1000000"));
  const receipt = await deployed.deploymentTransaction().wait();
  assert.equal(receipt.status, 1);
  contract = new Contract(await deployed.getAddress(), token.abi, wallet);
  const elsewhere = contract.connect(providers[2]);
  const supply = await until("block on the other node", async () => elsewhere.totalSupply());
  assert.equal(supply, parseEther("1000000"));
  assert.equal(await elsewhere.symbol(), "HRB");
});

/** The answer to the next call of `method`: `on` returns before the node has taken the subscription. */
function answerOf(provider, method) {
  const send = provider.send.bind(provider);
  return new Promise((done) => {
    provider.send = (called, params) => {
      const answer = send(called, params);
      if (called === method) done(answer);
      return answer;
    };
  });
}

test("events come over a WebSocket and are found again by a filter", async () => {
  const socket = new WebSocketProvider(network.nodes[1].ws);
  try {
    const listening = new Contract(await contract.getAddress(), token.abi, socket);
    const seen = [];
    const subscribed = answerOf(socket, "eth_subscribe");
    await listening.on("Transfer", (from, to, value) => seen.push({ from, to, value }));
    await subscribed;
    const to = new Wallet(keys[1]).address;
    const sent = await contract.transfer(to, 5n);
    const receipt = await sent.wait();
    assert.equal(receipt.logs.length, 1);
    await until("the event", () => seen.length === 1);
    assert.deepEqual(seen[0], { from: wallet.address, to, value: 5n });
    const found = await contract.queryFilter("Transfer", receipt.blockNumber, receipt.blockNumber);
    assert.equal(found.length, 1);
    assert.equal(found[0].transactionHash, receipt.hash);
    assert.equal((await contract.queryFilter(contract.filters.Transfer(null, ZeroAddress))).length, 0);
  } finally {
    await socket.destroy();
  }
});

test("a revert is known before it is sent, and a sent one has status 0", async () => {
  const poor = contract.connect(new Wallet(keys[7], providers[0]));
  await assert.rejects(poor.transfer(wallet.address, 1n), (error) => error.code === "CALL_EXCEPTION");
  const sent = await poor.transfer(wallet.address, 1n, { gasLimit: 100_000n });
  await assert.rejects(sent.wait(), (error) => error.code === "CALL_EXCEPTION" && error.receipt.status === 0);
});

test("transactions of types 0, 1 and 2 are taken", async () => {
  const to = new Wallet(keys[2]).address;
  for (const fields of [
    { type: 0 },
    { type: 1, accessList: [[await contract.getAddress(), [`0x${"00".repeat(32)}`]]] },
    { type: 2, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n },
    { type: 2, maxFeePerGas: 2_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n },
  ]) {
    const sent = await wallet.sendTransaction({ to, value: 7n, ...fields });
    const receipt = await sent.wait();
    assert.equal(receipt.status, 1);
    const found = await providers[0].getTransaction(sent.hash);
    assert.equal(found.type, fields.type);
    assert.equal(found.from, wallet.address);
    assert.equal(found.value, 7n);
  }
});

test("a type 4 transaction gives an account code", async () => {
  const owner = new Wallet(keys[5], providers[0]);
  const nonce = await owner.getNonce();
  const authorization = await owner.authorize({ address: await contract.getAddress(), nonce: nonce + 1 });
  const sent = await owner.sendTransaction({ type: 4, to: owner.address, data: "0x18160ddd", gasLimit: 200_000n, authorizationList: [authorization] });
  await sent.wait().catch((error) => assert.fail(`reverted: ${error.message}`));
  const code = await providers[0].getCode(owner.address);
  assert.equal(code, `0xef0100${(await contract.getAddress()).slice(2).toLowerCase()}`);
});

test("nonces out of order wait for the missing one", async () => {
  const sender = new Wallet(keys[3], providers[0]);
  const first = await sender.getNonce();
  const sign = (nonce) =>
    sender.signTransaction({ to: ZeroAddress, value: 1n, nonce, gasLimit: 21_000n, gasPrice: 0n, chainId, type: 0 });
  const later = [];
  for (const nonce of [first + 2, first + 1]) later.push(await providers[0].broadcastTransaction(await sign(nonce)));
  assert.equal(await sender.getNonce("pending"), first);
  for (const sent of later) assert.equal((await providers[0].getTransaction(sent.hash)).blockNumber, null);
  await providers[0].broadcastTransaction(await sign(first));
  for (const sent of later) assert.equal((await sent.wait()).status, 1);
  assert.equal(await sender.getNonce(), first + 3);
});

test("a waiting transaction is replaced only by a dearer one", async () => {
  const sender = new Wallet(keys[4], providers[0]);
  const nonce = (await sender.getNonce()) + 1; // waits for the one before
  const sign = (value, gasPrice) =>
    sender.signTransaction({ to: ZeroAddress, value, nonce, gasLimit: 21_000n, gasPrice, chainId, type: 0 });
  const first = await providers[0].broadcastTransaction(await sign(1n, 10n));
  await assert.rejects(
    providers[0].broadcastTransaction(await sign(2n, 10n)),
    (error) => error.code === "REPLACEMENT_UNDERPRICED",
  );
  const second = await providers[0].broadcastTransaction(await sign(3n, 20n));
  await sender.sendTransaction({ to: ZeroAddress, nonce: nonce - 1, gasPrice: 0n, type: 0 });
  assert.equal((await second.wait()).status, 1);
  assert.equal(await providers[0].getTransaction(first.hash), null);
});

test("a used nonce and an empty purse are refused with the usual words", async () => {
  await assert.rejects(
    wallet.sendTransaction({ to: ZeroAddress, nonce: 0, gasLimit: 21_000n }),
    (error) => error.code === "NONCE_EXPIRED",
  );
  const poor = Wallet.createRandom().connect(providers[0]);
  await assert.rejects(
    poor.sendTransaction({ to: ZeroAddress, value: 1n, gasLimit: 21_000n }),
    (error) => error.code === "INSUFFICIENT_FUNDS",
  );
});

test("fifty transactions in a row keep their order", async () => {
  const manager = new NonceManager(new Wallet(keys[6], providers[3]));
  const sent = [];
  for (let i = 0; i < 50; i++) sent.push(await manager.sendTransaction({ to: ZeroAddress, value: 1n }));
  const receipts = await Promise.all(sent.map((one) => one.wait()));
  const places = receipts.map((receipt) => receipt.blockNumber * 100_000 + receipt.index);
  assert.deepEqual(places, [...places].sort((a, b) => a - b));
});
