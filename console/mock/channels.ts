import { createHash } from "node:crypto";
import type { Chaincode, Channel, Engine, Network, Transaction } from "../src/api/types";

/** What a network with channels has besides a ledger: an engine of that kind, its chaincode and what its ledger tells. */

export const CHANNEL_ENGINE: Engine = {
  name: "fabric",
  title: "Hyperledger Fabric",
  description:
    "Channels with their own members, private data and endorsement policies. Contracts run beside the peers.",
  version: "3.1.1",
  consensus: [
    {
      name: "raft",
      title: "Raft: a leader orders",
      description: "One orderer decides the order of transactions and the others follow.",
      role: "orderer",
      minNodes: 1,
      maxNodes: 7,
      defaultNodes: 3,
    },
  ],
  roles: ["orderer", "peer", "chaincode"],
  capabilities: [
    "channels",
    "contracts-beside",
    "contracts",
    "events",
    "accounts",
    "blocks",
    "transactions",
    "identities",
    "transient",
  ],
  options: {
    type: "object",
    properties: {
      channel: {
        title: "First channel",
        description: "Name of the channel that all members share from the start.",
        type: "string",
        default: "main",
        pattern: "^[a-z][a-z0-9.-]*$",
        maxLength: 249,
      },
      ordererMember: {
        title: "Member that runs the orderers",
        description: "Empty: they are dealt to the members in turn.",
        type: "string",
        default: "",
        pattern: "^[a-z0-9-]*$",
        maxLength: 63,
      },
      peers: { title: "Peers of each member", type: "integer", minimum: 1, maximum: 9, default: 1 },
    },
  },
};

const text = { type: "string" };

export const METADATA = {
  contracts: {
    AssetContract: {
      transactions: [
        {
          name: "Create",
          tag: ["submit"],
          parameters: [
            { name: "id", schema: text },
            { name: "size", schema: { type: "integer" } },
            { name: "owner", schema: { $ref: "#/components/schemas/Owner" } },
          ],
        },
        { name: "Read", tag: ["evaluate"], parameters: [{ name: "id", schema: text }], returns: text },
      ],
    },
    "org.hyperledger.fabric": { transactions: [{ name: "GetMetadata", tag: ["evaluate"] }] },
  },
  components: { schemas: { Owner: { properties: { name: text, since: { type: "integer" } } } } },
};

export function chaincodeOf(network: Network): Chaincode {
  return {
    name: "asset",
    network: network.id,
    channel: "main",
    version: "1",
    sequence: 1,
    language: "typeScript",
    policy: "AND('waterlandMSP.peer','zeeburgMSP.peer')",
    collections: [{ name: "prices", policy: "OR('waterlandMSP.member')" }] as never,
    init: false,
    nodes: network.nodes.slice(0, 2).map((node) => node.id),
  };
}

export function channelOf(network: Network, name: string, chaincodes: Chaincode[]): Channel {
  const height = network.height;
  return {
    name,
    network: network.id,
    members: [...new Set(network.nodes.map((node) => node.member))],
    height,
    nodes: network.nodes.map(({ id, name, member, kind }) => ({ id, name, member, kind, height, facts: {} })),
    chaincodes: chaincodes.filter((one) => one.channel === name),
    createdAt: network.createdAt,
  };
}

const digest = (of: string) => createHash("sha256").update(of).digest("hex");

/** The same transaction as a ledger without amounts tells it. */
export function endorsed(one: Transaction, channel: string): Transaction {
  const valid = one.status === "success";
  const words = ["Create", `asset-${one.index}`, "5", '{"name":"Anna","since":2020}'];
  return {
    ...one,
    hash: one.hash.replace(/^0x/, ""),
    from: "waterlandMSP/user",
    to: "asset",
    value: null,
    nonce: null,
    gasLimit: null,
    gasUsed: null,
    contractAddress: null,
    method: "Create",
    input: `0x${Buffer.from(JSON.stringify(words)).toString("hex")}`,
    decoded: { name: "Create", signature: "Create", arguments: [] },
    logs: [],
    error: valid ? null : "MVCC_READ_CONFLICT",
    raw: {
      id: one.hash.replace(/^0x/, ""),
      channel,
      validationCode: valid ? "VALID" : "MVCC_READ_CONFLICT",
      creator: { msp: "waterlandMSP", subject: "CN=user" },
      calls: [
        {
          chaincode: "asset",
          version: "1",
          function: words[0],
          arguments: words.slice(1),
          status: 200,
          message: "",
          result: "",
          endorsers: ["waterlandMSP/peer-waterland-1", "zeeburgMSP/peer-zeeburg-1"],
          namespaces: [
            {
              name: "_lifecycle",
              reads: [{ key: "namespaces/fields/asset/Sequence", version: { block: 9, transaction: 0 } }],
              ranges: [],
              writes: [],
              collections: [],
            },
            {
              name: "asset",
              reads: [{ key: words[1], version: null }],
              ranges: [],
              writes: [{ key: words[1], value: '{"size":5,"owner":{"name":"Anna","since":2020}}' }],
              collections: [
                {
                  name: "prices",
                  reads: [],
                  writes: [
                    { keyHash: digest(`key ${one.hash}`), valueHash: digest(`value ${one.hash}`), deleted: false },
                  ],
                  hash: digest(`set ${one.hash}`),
                },
              ],
            },
          ],
          event: null,
        },
      ],
    },
  };
}

export function profileOf(network: Network, member: string) {
  const key = "-----BEGIN PRIVATE KEY-----\nmade up\n-----END PRIVATE KEY-----\n";
  return {
    member,
    files: {
      "connection.json": {
        text: `${JSON.stringify({ name: network.name, version: "1.0.0" }, null, 2)}\n`,
        secret: false,
      },
      "env.sh": { text: `export CORE_PEER_LOCALMSPID='${member}MSP'\n`, secret: false },
      "msp/user/keystore/key.pem": { text: key, secret: true },
    },
  };
}
