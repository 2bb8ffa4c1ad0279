// gateway-load PROFILE MEMBER CHANNEL CONTRACT WORKERS SECONDS: new assets with the standard client, as the benchmark's
// own client does them. Prints its figures as JSON.
import { createPrivateKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { connect, hash, signers } from "@hyperledger/fabric-gateway";
import { statusOf } from "./outcome.mjs";

const [profile, member, channel, contractName, workers, seconds] = process.argv.slice(2);
const connection = JSON.parse(readFileSync(join(profile, "connection.json"), "utf8"));
const organisation = connection.organizations[member];
const peer = connection.peers[organisation.peers[0]];
const onlyFile = (folder) => readFileSync(join(folder, readdirSync(folder)[0]));
const msp = join(profile, "msp/user");
const client = new grpc.Client(
  peer.url.replace("grpcs://", ""),
  grpc.credentials.createSsl(Buffer.from(peer.tlsCACerts.pem)),
);
const gateway = connect({
  client,
  identity: { mspId: organisation.mspid, credentials: onlyFile(join(msp, "signcerts")) },
  signer: signers.newPrivateKeySigner(createPrivateKey(onlyFile(join(msp, "keystore")))),
  hash: hash.sha256,
});
const contract = gateway.getNetwork(channel).getContract(contractName);
const run = Date.now();
let unknown = 0;
const create = async (id) => {
  const sent = contract.submitAsync("CreateAsset", { arguments: [id, "blue", "1", "nobody", "1"] });
  const status = await sent.then(
    (commit) => commit.getStatus(),
    (error) => {
      if (error.name !== "SubmitError") throw error;
      unknown += 1;
      return statusOf(gateway, channel, error.transactionId);
    },
  );
  if (!status.successful) throw new Error(`${id}: ${status.code}`);
};

for (let number = 0; number < 10; number++) await create(`${run}-${number}`);
const latencies = [];
const start = performance.now();
const end = start + seconds * 1000;
const work = async (worker) => {
  for (let count = 0; performance.now() < end; count++) {
    const began = performance.now();
    await create(`${run}-${worker}-${count}`);
    latencies.push(performance.now() - began);
  }
};
await Promise.all(Array.from({ length: Number(workers) }, (_, worker) => work(worker)));
const took = (performance.now() - start) / 1000;
latencies.sort((a, b) => a - b);
const quantile = (q) => latencies[Math.floor((latencies.length - 1) * q)];
console.log(JSON.stringify({ throughput: latencies.length / took, p50: quantile(0.5), p99: quantile(0.99), unknown }));
gateway.close();
client.close();
