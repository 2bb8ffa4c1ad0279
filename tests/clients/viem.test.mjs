// viem 2, unchanged, against four validator processes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createPublicClient, createWalletClient, defineChain, http, parseEther, webSocket } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { chainId, keys, rpc, startNetwork, token, until } from "./harness.mjs";

let network;
let publicClient;
let walletClient;
let address;

before(async () => {
  network = await startNetwork();
  const chain = defineChain({
    id: chainId,
    name: "Polder test",
    nativeCurrency: { name: "Test", symbol: "TST", decimals: 18 },
    rpcUrls: { default: { http: [network.nodes[0].rpc], webSocket: [network.nodes[0].ws] } },
  });
  publicClient = createPublicClient({ chain, transport: http(), pollingInterval: 50 });
  walletClient = createWalletClient({ chain, transport: http(), account: privateKeyToAccount(keys[0]) });
});

after(() => network?.close());

test("deploy, read, write", async () => {
  const hash = await walletClient.deployContract({
    abi: token.abi,
    bytecode: token.bytecode,
    args: ["Polder", "PLD", parseEther("500")],
  });
  const receipt = await publicClient.waitForTransactionReceipt({ hash });
  assert.equal(receipt.status, "success");
  address = receipt.contractAddress;
  const read = (functionName, args) => publicClient.readContract({ address, abi: token.abi, functionName, args });
  assert.equal(await read("totalSupply"), parseEther("500"));
  const to = privateKeyToAccount(keys[1]).address;
  const { request } = await publicClient.simulateContract({
    address,
    abi: token.abi,
    functionName: "transfer",
    args: [to, 9n],
    account: walletClient.account,
  });
  await publicClient.waitForTransactionReceipt({ hash: await walletClient.writeContract(request) });
  assert.equal(await read("balanceOf", [to]), 9n);
});

test("the gas estimate is enough and not wasteful", async () => {
  const to = privateKeyToAccount(keys[2]).address;
  const gas = await publicClient.estimateContractGas({
    address,
    abi: token.abi,
    functionName: "transfer",
    args: [to, 1n],
    account: walletClient.account,
  });
  const hash = await walletClient.writeContract({ address, abi: token.abi, functionName: "transfer", args: [to, 1n], gas });
  const receipt = await publicClient.waitForTransactionReceipt({ hash });
  assert.equal(receipt.status, "success");
  assert.ok(gas < receipt.gasUsed * 2n, `${gas} for ${receipt.gasUsed}`);
});

test("blocks and events are watched over a WebSocket", async () => {
  const socket = createPublicClient({ chain: publicClient.chain, transport: webSocket(network.nodes[3].ws) });
  const blocks = [];
  const events = [];
  // Watching begins before the node has taken the subscription.
  const { subscribe } = socket.transport;
  let subscribed = 0;
  socket.transport.subscribe = async (subscription) => {
    const taken = await subscribe(subscription);
    subscribed += 1;
    return taken;
  };
  const stopBlocks = socket.watchBlocks({ onBlock: (block) => blocks.push(block.number) });
  const stopEvents = socket.watchContractEvent({ address, abi: token.abi, eventName: "Transfer", onLogs: (logs) => events.push(...logs) });
  try {
    await until("both subscriptions", () => subscribed === 2);
    const to = privateKeyToAccount(keys[3]).address;
    await walletClient.writeContract({ address, abi: token.abi, functionName: "transfer", args: [to, 4n] });
    await until("the event", () => events.length === 1);
    assert.equal(events[0].args.value, 4n);
    await until("more blocks", () => blocks.length >= 3);
    assert.deepEqual(blocks, [...blocks].sort((a, b) => Number(a - b)));
  } finally {
    stopBlocks();
    stopEvents();
    await (await socket.transport.getRpcClient()).close();
  }
});

test("EIP-7702: an account is given code and loses it again", async () => {
  const account = privateKeyToAccount(keys[5]);
  const client = createWalletClient({ chain: publicClient.chain, transport: http(), account });
  const authorization = await client.signAuthorization({ contractAddress: address, executor: "self" });
  const hash = await client.sendTransaction({ to: account.address, data: "0x18160ddd", authorizationList: [authorization], gas: 200_000n });
  assert.equal((await publicClient.waitForTransactionReceipt({ hash })).status, "success");
  assert.equal(await publicClient.getCode({ address: account.address }), `0xef0100${address.slice(2).toLowerCase()}`);
  const nothing = await client.signAuthorization({ contractAddress: "0x0000000000000000000000000000000000000000", executor: "self" });
  const undone = await client.sendTransaction({ to: account.address, authorizationList: [nothing], gas: 200_000n });
  await publicClient.waitForTransactionReceipt({ hash: undone });
  assert.equal(await publicClient.getCode({ address: account.address }), undefined);
});

test("eth_sendRawTransactionSync answers the receipt (EIP-7966)", async () => {
  const account = privateKeyToAccount(keys[4]);
  const nonce = await publicClient.getTransactionCount({ address: account.address });
  const raw = await account.signTransaction({ type: "eip1559", chainId, nonce, gas: 21_000n, to: account.address, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n });
  const receipt = await rpc(network.nodes[0].rpc, "eth_sendRawTransactionSync", raw);
  assert.equal(receipt.status, "0x1");
  assert.equal(Number(receipt.transactionIndex), 0);
  assert.ok(BigInt(receipt.blockNumber) <= BigInt(await rpc(network.nodes[0].rpc, "eth_blockNumber")));
});

test("state and block overrides, simulateV1, access lists, fee history", async () => {
  const whale = "0x00000000000000000000000000000000000000aa";
  const to = privateKeyToAccount(keys[1]).address;
  await publicClient.call({
    account: whale,
    to,
    value: 10n ** 30n,
    stateOverride: [{ address: whale, balance: 10n ** 31n }],
  });
  const [block] = await publicClient.simulateBlocks({
    blocks: [{ calls: [{ from: whale, to, value: 5n }], stateOverrides: [{ address: whale, balance: 10n }] }],
  });
  assert.equal(block.calls[0].status, "success");
  const list = await publicClient.createAccessList({ to: address, data: "0x18160ddd", account: walletClient.account });
  assert.ok(list.gasUsed > 0n);
  const history = await publicClient.getFeeHistory({ blockCount: 4, rewardPercentiles: [25, 75] });
  assert.ok(history.baseFeePerGas.every((fee) => fee === 0n));
});

test("traces", async () => {
  const to = privateKeyToAccount(keys[2]).address;
  const hash = await walletClient.writeContract({ address, abi: token.abi, functionName: "transfer", args: [to, 1n] });
  const receipt = await publicClient.waitForTransactionReceipt({ hash });
  const url = network.nodes[0].rpc;
  const call = await rpc(url, "debug_traceTransaction", hash, { tracer: "callTracer", tracerConfig: { withLog: true } });
  assert.equal(call.type, "CALL");
  assert.equal(call.to, address.toLowerCase());
  assert.equal(call.logs.length, 1);
  const prestate = await rpc(url, "debug_traceTransaction", hash, { tracer: "prestateTracer", tracerConfig: { diffMode: true } });
  assert.ok(address.toLowerCase() in prestate.post);
  const struct = await rpc(url, "debug_traceTransaction", hash, {});
  assert.ok(struct.structLogs.some((step) => step.op === "SSTORE"));
  const whole = await rpc(url, "debug_traceBlockByNumber", `0x${receipt.blockNumber.toString(16)}`, { tracer: "callTracer" });
  assert.equal(whole.length, 1);
  await assert.rejects(rpc(url, "debug_traceTransaction", hash, { tracer: "{ fault: function() {} }" }));
});

test("what is not offered says so", async () => {
  await assert.rejects(
    rpc(network.nodes[0].rpc, "eth_getProof", address, [], "latest"),
    (error) => /not offered/.test(error.message),
  );
});
