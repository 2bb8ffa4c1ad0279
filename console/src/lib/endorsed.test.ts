import { describe, expect, it } from "vitest";
import { readEndorsed } from "./endorsed";

const namespace = {
  name: "asset",
  reads: [
    { key: "a1", version: { block: 7, transaction: 2 } },
    { key: "a2", version: null },
  ],
  ranges: [["a", "b"]],
  writes: [
    { key: "a1", value: '{"owner":"tom"}' },
    { key: "a3", deleted: true },
    { key: "a4", value: "\u0008\u0001" },
  ],
  collections: [
    {
      name: "prices",
      hash: "ff",
      reads: [{ keyHash: "01", version: { block: 3, transaction: 0 } }],
      writes: [{ keyHash: "02", valueHash: "03", deleted: false }],
    },
  ],
};

describe("endorsements, reads and writes", () => {
  it("are read from each call", () => {
    const read = readEndorsed({
      validationCode: "VALID",
      calls: [
        { chaincode: "asset", version: "1", status: 200, endorsers: ["alphaMSP/peer-1"], namespaces: [namespace] },
      ],
    });
    expect(read?.validation).toBe("VALID");
    const call = read?.calls[0];
    expect([call?.contract, call?.endorsers]).toEqual(["asset", ["alphaMSP/peer-1"]]);
    const own = call?.namespaces?.[0];
    expect(own?.reads.map(({ key, version }) => [key, version])).toEqual([
      ["a1", "7:2"],
      ["a2", undefined],
    ]);
    expect(own?.ranges).toEqual([["a", "b"]]);
    expect(own?.writes.map(({ key, value, deleted }) => [key, value, deleted])).toEqual([
      ["a1", '{"owner":"tom"}', false],
      ["a3", undefined, true],
      ["a4", "0x0801", false],
    ]);
    expect(own?.collections[0]).toMatchObject({ name: "prices", hash: "ff", writes: [{ key: "02", value: "03" }] });
  });

  it("are read without calls around them", () => {
    const read = readEndorsed({ validation: "MVCC_READ_CONFLICT", endorsers: [{ msp: "alphaMSP" }], namespaces: [] });
    expect(read).toMatchObject({ validation: "MVCC_READ_CONFLICT", calls: [{ endorsers: [{ msp: "alphaMSP" }] }] });
  });

  it("in an unknown shape are kept as they are", () => {
    expect(readEndorsed({ calls: [{ endorsers: "two", namespaces: { asset: [] } }, 7] })?.calls).toMatchObject([
      { endorsers: undefined, namespaces: undefined, unread: { asset: [] } },
    ]);
    const odd = readEndorsed({ namespaces: [{ name: "asset", reads: ["k", { other: 1 }], writes: 3 }] });
    expect(odd?.calls[0]?.namespaces?.[0]).toMatchObject({ reads: [{ key: "k" }, { key: '{"other":1}' }], writes: [] });
  });

  it.each([[null], ["0x"], [{ type: "0x2", chainId: "0x1" }], [{ calls: [] }], [[]]])("%j tells of none", (raw) => {
    expect(readEndorsed(raw)).toBeUndefined();
  });
});
