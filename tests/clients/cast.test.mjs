// Foundry's cast, unchanged, against four validator processes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cast, chainId, keys, startNetwork, token } from "./harness.mjs";

let network;
let url;
let address;

before(async () => {
  network = await startNetwork();
  url = network.nodes[0].rpc;
});

after(() => network?.close());

const sender = () => cast("wallet", "address", "--private-key", keys[0]);

test("chain, client and blocks", () => {
  assert.equal(cast("chain-id", "--rpc-url", url), String(chainId));
  assert.match(cast("client", "--rpc-url", url), /^[Pp]older/);
  assert.ok(Number(cast("block-number", "--rpc-url", url)) >= 1);
  const block = JSON.parse(cast("block", "latest", "--json", "--rpc-url", url));
  assert.match(block.stateRoot, /^0x[0-9a-f]{64}$/);
});

test("send, deploy, call, logs", () => {
  const constructor = cast("abi-encode", "constructor(string,string,uint256)", "Harbour", "HRB", "1000").slice(2);
  const deployed = JSON.parse(
    cast("send", "--private-key", keys[0], "--rpc-url", url, "--json", "--create", token.bytecode + constructor),
  );
  assert.equal(deployed.status, "0x1");
  address = deployed.contractAddress;
  const to = cast("wallet", "address", "--private-key", keys[1]);
  const sent = JSON.parse(
    cast("send", "--private-key", keys[0], "--rpc-url", url, "--json", address, "transfer(address,uint256)", to, "42"),
  );
  assert.equal(sent.status, "0x1");
  assert.match(cast("call", "--rpc-url", network.nodes[3].rpc, address, "balanceOf(address)(uint256)", to), /^42\b/);
  const logs = JSON.parse(
    cast("logs", "--rpc-url", url, "--json", "--address", address, "--from-block", "0", "Transfer(address indexed,address indexed,uint256)"),
  );
  assert.equal(logs.length, 2); // the mint and the transfer
  assert.match(cast("receipt", sent.transactionHash, "status", "--rpc-url", url), /^(0x)?1|true/);
  assert.match(cast("tx", sent.transactionHash, "from", "--rpc-url", url).toLowerCase(), new RegExp(sender().toLowerCase()));
});

test("a revert tells its reason", () => {
  assert.throws(
    () => cast("send", "--private-key", keys[7], "--rpc-url", url, address, "transfer(address,uint256)", sender(), "1"),
    (error) => /revert|insufficient/i.test(error.stderr?.toString() ?? error.message),
  );
});

test("balances, storage, code, nonce", () => {
  assert.equal(cast("nonce", sender(), "--rpc-url", url), "2");
  assert.ok(BigInt(cast("balance", sender(), "--rpc-url", url)) > 0n);
  assert.ok(cast("code", address, "--rpc-url", url).length > 100);
  assert.match(cast("storage", address, "0", "--rpc-url", url), /^0x[0-9a-f]{64}$/);
});

test("a call is traced by the node", () => {
  const output = cast("rpc", "--rpc-url", url, "debug_traceCall", JSON.stringify({ to: address, data: "0x18160ddd" }), "latest", '{"tracer":"callTracer"}');
  assert.equal(JSON.parse(output).type, "CALL");
});
