// Hyperledger Fabric's own client library and command lines, unchanged, with nothing but a written profile.

import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { checkpointers, connect, EndorseError, GatewayError, hash, signers } from "@hyperledger/fabric-gateway";
import { engines, startDeployment } from "./deployment.mjs";
import { repository, until } from "./harness.mjs";
import { statusOf } from "./outcome.mjs";

const MEMBERS = ["alpha", "beta"];
const CASES = [
  { version: "3.1.1", consensus: "raft", orderers: 3, peers: 2 },
  { version: "3.1.1", consensus: "bft", orderers: 4, peers: 2 },
  { version: "2.5.0", consensus: "raft", orderers: 3, peers: 2 },
];
const VALID = 0;
const text = (bytes) => Buffer.from(bytes).toString();
const asset = (id, owner = "tom") => [id, "blue", "5", owner, "300"];
const seconds = (count) => Date.now() + count * 1000;

let deployment;
before(async () => {
  deployment = await startDeployment(MEMBERS);
});
after(() => deployment?.close());

/** Everything below knows a network by the files of a member's profile alone. */
class Profile {
  constructor(directory) {
    this.directory = directory;
    this.connection = JSON.parse(this.read("connection.json"));
    this.member = this.connection.client.organization;
    this.organisation = this.connection.organizations[this.member];
  }

  read(path) {
    return readFileSync(join(this.directory, path), "utf8");
  }

  /** A gateway at the member's peer of that number. `close` ends its connection, too. */
  gateway(index = 0) {
    const peer = this.connection.peers[this.organisation.peers[index]];
    const options = { "grpc.ssl_target_name_override": peer.grpcOptions["ssl-target-name-override"] };
    const credentials = grpc.credentials.createSsl(Buffer.from(peer.tlsCACerts.pem));
    const client = new grpc.Client(peer.url.replace("grpcs://", ""), credentials, options);
    const [key] = readdirSync(join(this.directory, "msp/user/keystore"));
    const gateway = connect({
      client,
      identity: {
        mspId: this.organisation.mspid,
        credentials: Buffer.from(this.read("msp/user/signcerts/cert.pem")),
      },
      signer: signers.newPrivateKeySigner(createPrivateKey(this.read(`msp/user/keystore/${key}`))),
      hash: hash.sha256,
      evaluateOptions: () => ({ deadline: seconds(10) }),
      endorseOptions: () => ({ deadline: seconds(15) }),
      submitOptions: () => ({ deadline: seconds(10) }),
      commitStatusOptions: () => ({ deadline: seconds(15) }),
    });
    const network = gateway.getNetwork("main");
    return {
      gateway,
      network,
      contract: network.getContract("asset"),
      close() {
        gateway.close();
        client.close();
      },
    };
  }

  /** Runs shell commands with the profile's environment and the engine's programs, and gives what they print. */
  shell(script, programs) {
    const env = { PATH: `${programs}:/usr/bin:/bin`, HOME: this.directory, FABRIC_LOGGING_SPEC: "error" };
    const options = { cwd: this.directory, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] };
    return execFileSync("bash", ["-c", `set -eu; . ./env.sh; ${script}`], options);
  }
}

for (const { version, consensus, orderers, peers } of CASES) {
  describe(`Fabric ${version}, ${consensus}`, () => {
    const name = `fabric-${version.replaceAll(".", "-")}-${consensus}`;
    let profile;
    let open = [];
    /** Every change that was acknowledged, by transaction. */
    const committed = new Map();

    const use = (index = 0, of = profile) => {
      const gateway = of.gateway(index);
      open.push(gateway);
      return gateway;
    };
    const written = (member) => {
      const directory = join(deployment.directory, `${name}-${member}`);
      deployment.polder("network", "profile", name, "--member", member, "--dir", directory);
      return new Profile(directory);
    };
    const submitted = async ({ contract, gateway }, ...args) => {
      const sent = contract.submitAsync("CreateAsset", { arguments: asset(...args) });
      const status = await sent.then(
        (commit) => commit.getStatus(),
        (error) => {
          if (error.name !== "SubmitError") throw error;
          // With BFT a gateway that did not hear enough orderers in time says so, also of what is ordered: the id tells.
          return statusOf(gateway, "main", error.transactionId);
        },
      );
      assert.ok(status.successful, `${args[0]}: ${status.code}`);
      committed.set(status.transactionId, args[0]);
      return status;
    };

    before(() => {
      const create = ["network", "create", name, "--engine", "fabric", "--engine-version", version, "--wait"];
      const numbers = ["--orderers", `${orderers}`, "--peers", `${peers}`];
      deployment.polder(...create, "--consensus", consensus, ...numbers);
      const collections = join(deployment.directory, "collections.json");
      const policy = MEMBERS.map((member) => `'${member}MSP.member'`).join(", ");
      const details = { name: "details", policy: `OR(${policy})`, requiredPeerCount: 0, maxPeerCount: 3 };
      writeFileSync(collections, JSON.stringify([{ ...details, blockToLive: 0, memberOnlyRead: true }]));
      const source = join(repository, "contracts/fabric/go");
      const deploy = ["chaincode", "deploy", source, "--network", name, "--name", "asset", "--wait"];
      deployment.polder(...deploy, "--policy", "AND('alphaMSP.peer','betaMSP.peer')", "--collections", collections);
      profile = written("alpha");
    });
    after(() => {
      for (const gateway of open) gateway.close();
      open = [];
      deployment.polder("network", "delete", name, "--yes", "--wait");
    });

    test("evaluate, submit, submitAsync with its commit status", async () => {
      const own = use();
      assert.equal(text(await own.contract.evaluateTransaction("AssetExists", "one")), "false");
      await submitted(own, "one");
      const before = await own.contract.submitTransaction("TransferAsset", "one", "ann");
      assert.equal(text(before), "tom", "what the contract answered");
      const read = JSON.parse(text(await own.contract.evaluateTransaction("ReadAsset", "one")));
      assert.deepEqual(read, { ID: "one", Color: "blue", Size: 5, Owner: "ann", AppraisedValue: 300 });
      const commit = await own.contract.submitAsync("TransferAsset", { arguments: ["one", "eve"] });
      assert.equal(text(commit.getResult()), "ann");
      const status = await commit.getStatus();
      assert.deepEqual([status.code, status.successful], [VALID, true]);
      const shown = deployment.polder("tx", "show", status.transactionId, "--network", name);
      assert.deepEqual([shown.status, BigInt(shown.block)], ["success", status.blockNumber]);
      assert.deepEqual([shown.from, shown.to, shown.method], ["alphaMSP/user", "asset", "TransferAsset"]);
    });

    test("transient data is read back and is in no block", async () => {
      const own = use();
      const secret = `price-${Math.random()}`;
      const commit = await own.contract.submitAsync("PutAssetDetails", {
        arguments: ["one"],
        transientData: { details: Buffer.from(secret) },
      });
      const { successful, blockNumber } = await commit.getStatus();
      assert.ok(successful);
      // The other member's peers are sent the data after the commit.
      const other = use(0, written("beta"));
      await until("the other member has the details", async () =>
        [own, other].reduce(
          async (same, { contract }) =>
            (await same) && text(await contract.evaluateTransaction("GetAssetDetails", "one")) === secret,
          Promise.resolve(true),
        ),
      );
      const blocks = await own.network.getBlockEvents({ startBlock: blockNumber });
      for await (const block of blocks) {
        assert.equal(text(block.serializeBinary()).includes(secret), false);
        break;
      }
      blocks.close();
    });

    test("an endorsement that is refused says by whom and why", async () => {
      const own = use();
      await assert.rejects(own.contract.submitTransaction("CreateAsset", ...asset("one")), (error) => {
        assert.ok(error instanceof EndorseError, error.stack);
        assert.equal(error.code, grpc.status.ABORTED);
        assert.ok(error.details.length > 0);
        const known = Object.values(profile.connection.peers).map(({ url }) => url.replace("grpcs://", ""));
        for (const { address, mspId, message } of error.details) {
          assert.ok(known.includes(address), `${address} is one of ${known}`);
          assert.match(mspId, /^(alpha|beta)MSP$/);
          assert.match(message, /the asset one already exists/);
        }
        return true;
      });
      await assert.rejects(own.contract.evaluateTransaction("NoSuch"), (error) => {
        assert.match(error.details[0].message, /there is no function "NoSuch"/);
        return true;
      });
    });

    test("chaincode events with a checkpoint: interrupted in blocks and between, nothing is lost or comes twice", async () => {
      const own = use();
      const first = await submitted(own, "event-0");
      const expected = [first.transactionId];
      // In parallel, so that blocks hold several.
      const rest = await Promise.all(Array.from({ length: 24 }, (_, index) => submitted(own, `event-${index + 1}`)));
      expected.push(...rest.map((status) => status.transactionId));
      const blocks = new Set(rest.map((status) => status.blockNumber));
      assert.ok(blocks.size < rest.length, "some block holds several");
      const file = join(deployment.directory, `${name}.checkpoint`);
      const seen = [];
      for (let part = 0; seen.length < expected.length; part++) {
        assert.ok(part < 10, `${seen.length} of ${expected.length} after ${part} parts`);
        const { network, close } = profile.gateway(part % peers);
        const checkpoint = await checkpointers.file(file);
        const events = await network.getChaincodeEvents("asset", { startBlock: first.blockNumber, checkpoint });
        let taken = 0;
        for await (const event of events) {
          assert.equal(event.eventName, "CreateAsset");
          assert.equal(JSON.parse(text(event.payload)).ID, committed.get(event.transactionId));
          seen.push(event.transactionId);
          await checkpoint.checkpointChaincodeEvent(event);
          taken += 1;
          if (taken === 7 || seen.length === expected.length) break;
        }
        events.close();
        close();
      }
      assert.deepEqual(seen.toSorted(), expected.toSorted());
    });

    test("blocks are a chain, and the one that Polder shows", async () => {
      const own = use();
      const { blockNumber } = await submitted(own, "last-block");
      const events = await own.network.getBlockEvents({ startBlock: 0n });
      const hashes = [];
      for await (const block of events) {
        const header = block.getHeader();
        assert.equal(header.getNumber(), hashes.length);
        assert.equal(Buffer.from(header.getPreviousHash_asU8()).toString("hex"), hashes.at(-1) ?? "");
        hashes.push(headerHash(header));
        if (BigInt(header.getNumber()) === blockNumber) break;
      }
      events.close();
      const listed = deployment.polder("block", "list", "--network", name, "--limit", "5");
      for (const { number, hash } of listed.items ?? listed) {
        if (number < hashes.length) assert.equal(hash, hashes[number], `block ${number}`);
      }
      const filtered = await own.network.getFilteredBlockEvents({ startBlock: blockNumber });
      for await (const block of filtered) {
        const [transaction] = block.getFilteredTransactionsList();
        assert.deepEqual([committed.get(transaction.getTxid()), transaction.getTxValidationCode()], ["last-block", VALID]);
        break;
      }
      filtered.close();
    });

    test("a peer is killed while the client submits: it goes on through the other, and so do its events", async () => {
      const gateways = [use(0), use(1)];
      const start = (await submitted(gateways[0], "before-the-kill")).blockNumber;
      const node = `${name}/${profile.organisation.peers[0]}`;
      const { pid } = deployment.polder("node", "show", node);
      const done = [];
      let failures = 0;
      let killed = false;
      const client = async (number) => {
        for (let turn = 0; turn < 15; turn++) {
          const id = `kill-${number}-${turn}`;
          failures += await submittedOnce(gateways, id, (transaction) => committed.set(transaction, id));
          done.push(id);
          if (!killed && done.length >= 12) {
            killed = true;
            process.kill(pid, "SIGKILL");
          }
        }
      };
      const seen = [];
      const checkpoint = checkpointers.inMemory();
      let stop = false;
      let broken = 0;
      const listener = (async () => {
        for (let index = 0; !stop; index++) {
          const events = await gateways[index % 2].network
            .getChaincodeEvents("asset", { startBlock: start + 1n, checkpoint })
            .catch(() => undefined);
          try {
            for await (const event of events ?? []) {
              seen.push(JSON.parse(text(event.payload)).ID);
              await checkpoint.checkpointChaincodeEvent(event);
              if (seen.length === 60) return;
            }
          } catch (error) {
            assert.equal(error.code, grpc.status.UNAVAILABLE, error.message);
            broken += 1;
          }
        }
      })();
      await Promise.all([0, 1, 2, 3].map(client));
      assert.ok(killed && failures > 0, "the kill was felt");
      await Promise.race([listener, new Promise((done) => setTimeout(done, 20_000).unref())]);
      stop = true;
      assert.deepEqual(seen.toSorted(), done.toSorted(), "each event once");
      assert.ok(broken > 0, "the events were interrupted");
      const all = JSON.parse(text(await gateways[1].contract.evaluateTransaction("GetAllAssets"))).map(({ ID }) => ID);
      assert.deepEqual(done.filter((id) => !all.includes(id)), [], "what was acknowledged is there");
      await until("the killed process is gone", () => !existsSync(`/proc/${pid}`));
      // It was started again, at its address, and has caught up.
      await until("the killed peer serves", async () =>
        done.includes(JSON.parse(text(await gateways[0].contract.evaluateTransaction("ReadAsset", done.at(-1)))).ID),
      );
      assert.notEqual(deployment.polder("node", "show", node).pid, pid);
    });

    test("the command lines peer, osnadmin and discover", () => {
      const programs = join(engines, `fabric-${version}`, "bin");
      const run = (script) => profile.shell(script, programs);
      assert.match(run("peer channel list"), /^main$/m);
      const info = JSON.parse(run("peer channel getinfo -c main").replace("Blockchain info: ", ""));
      assert.ok(info.height > 10, info);
      assert.match(run("peer lifecycle chaincode querycommitted -C main"), /Name: asset, Version: 1, Sequence: 1/);
      const other = profile.connection.organizations.beta.peers[0];
      const address = profile.connection.peers[other].url.replace("grpcs://", "");
      const call = JSON.stringify({ Args: ["CreateAsset", ...asset("by-peer")] });
      run(
        `peer chaincode invoke -C main -n asset -c '${call}' -o $ORDERER_ADDRESS --tls --cafile $ORDERER_CA --waitForEvent \
           --peerAddresses $CORE_PEER_ADDRESS --tlsRootCertFiles $CORE_PEER_TLS_ROOTCERT_FILE \
           --peerAddresses ${address} --tlsRootCertFiles tls/ca-beta.pem`,
      );
      const query = run(`peer chaincode query -C main -n asset -c '{"Args":["ReadAsset","by-peer"]}'`);
      assert.equal(JSON.parse(query).ID, "by-peer");
      run("peer channel fetch newest newest.block -c main -o $ORDERER_ADDRESS --tls --cafile $ORDERER_CA");
      run("configtxlator proto_decode --type common.Block --input newest.block --output newest.json");
      const block = JSON.parse(profile.read("newest.json"));
      assert.equal(Number(block.header.number), JSON.parse(run("peer channel getinfo -c main").slice(17)).height - 1);

      const administrator =
        "-o $OSN_ADMIN_ADDRESS --ca-file $OSN_ADMIN_CA --client-cert $OSN_ADMIN_CERT --client-key $OSN_ADMIN_KEY";
      const shown = run(`osnadmin channel list --channelID main ${administrator}`);
      assert.match(shown, /Status: 200/);
      const { status, consensusRelation, height } = JSON.parse(shown.slice(shown.indexOf("{")));
      assert.deepEqual([status, consensusRelation], ["active", "consenter"]);
      assert.ok(height > 10);

      const key = readdirSync(join(profile.directory, "msp/user/keystore"))[0];
      const identity = `--peerTLSCA $CORE_PEER_TLS_ROOTCERT_FILE --MSP $CORE_PEER_LOCALMSPID \
        --userCert msp/user/signcerts/cert.pem --userKey msp/user/keystore/${key}`;
      const discover = (what) => {
        const [command, ...options] = what.split(" ");
        const more = `--channel main --server $CORE_PEER_ADDRESS ${options.join(" ")}`;
        return JSON.parse(run(`discover ${identity} ${command} ${more}`));
      };
      const found = discover("peers").map(({ Endpoint }) => Endpoint);
      const known = Object.values(profile.connection.peers).map(({ url }) => url.replace("grpcs://", ""));
      assert.deepEqual(found.toSorted(), known.toSorted());
      const configuration = discover("config");
      assert.deepEqual(Object.keys(configuration.msps).toSorted(), ["alphaMSP", "betaMSP"]);
      const [descriptor] = discover("endorsers --chaincode asset");
      assert.equal(descriptor.Layouts.length, 1, "one of each member");
      assert.equal(Object.keys(descriptor.Layouts[0].quantities_by_group).length, 2);
    });
  });
}

/**
 * Has an asset made once, whatever happens to the peers, and gives how often something failed on the way. What became of a
 * transaction that was sent is found out by its id before it is sent again, as it is: the ledger takes an id once.
 */
async function submittedOnce(gateways, id, committed) {
  let failures = 0;
  const end = seconds(45);
  const attempt = async (step) => {
    for (;;) {
      try {
        return await step(gateways[failures % gateways.length]);
      } catch (error) {
        if (!(error instanceof GatewayError) || Date.now() > end) throw error;
        failures += 1;
      }
    }
  };
  const endorsed = await attempt(({ contract }) =>
    contract.newProposal("CreateAsset", { arguments: asset(id) }).endorse(),
  );
  let sent = false;
  const status = await attempt(async ({ gateway }) => {
    const transaction = gateway.newTransaction(endorsed.getBytes());
    if (!sent) {
      sent = true;
      return (await transaction.submit()).getStatus();
    }
    const found = statusOf(gateway, "main", transaction.getTransactionId());
    return found.catch(async () => (await transaction.submit()).getStatus());
  });
  assert.equal(status.code, VALID, id);
  committed(status.transactionId);
  return failures;
}

/** SHA-256 of a block's header as Fabric encodes it: ASN.1 of its number, the previous hash and the data's hash. */
function headerHash(header) {
  const element = (tag, bytes) => Buffer.concat([Buffer.from([tag, bytes.length]), bytes]);
  let digits = header.getNumber().toString(16);
  if (digits.length % 2 === 1) digits = `0${digits}`;
  let number = Buffer.from(digits, "hex");
  if (number[0] > 127) number = Buffer.concat([Buffer.from([0]), number]);
  const parts = [
    element(2, number),
    element(4, Buffer.from(header.getPreviousHash_asU8())),
    element(4, Buffer.from(header.getDataHash_asU8())),
  ];
  return createHash("sha256").update(element(0x30, Buffer.concat(parts))).digest("hex");
}
