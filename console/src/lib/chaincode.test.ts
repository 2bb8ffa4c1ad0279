import { describe, expect, it } from "vitest";
import {
  archiveProblem,
  calledName,
  chaincodeNameProblem,
  channelProblem,
  isGzip,
  nameOfArchive,
  readCollections,
  toBase64,
} from "./chaincode";

it("knows a contract of a channel by its name there", () => {
  expect(calledName({ address: "main/asset", channel: "main" })).toBe("asset");
  expect(calledName({ address: "0xAB", channel: null })).toBe("0xAB");
});

it.each<[string, boolean]>([
  ["main", true],
  ["trade.eu-1", true],
  ["", false],
  ["Main", false],
  ["1main", false],
  ["a b", false],
  ["a".repeat(249), true],
  ["a".repeat(250), false],
])("the channel name %j fits: %s", (name, fits) => {
  expect(channelProblem(name) === undefined).toBe(fits);
});

it.each<[string, boolean]>([
  ["asset", true],
  ["asset-transfer_2", true],
  ["", false],
  ["-asset", false],
  ["a--b", false],
  ["a/b", false],
])("the chaincode name %j fits: %s", (name, fits) => {
  expect(chaincodeNameProblem(name) === undefined).toBe(fits);
});

it.each([
  ["asset-transfer.tar.gz", "asset-transfer"],
  ["Asset (2).TGZ", "Asset-2"],
  ["__x.y.tgz", "x-y"],
])("%j suggests the name %j", (file, name) => {
  expect(nameOfArchive(file)).toBe(name);
  expect(chaincodeNameProblem(name)).toBeUndefined();
});

describe("an archive", () => {
  it.each<[string, number, RegExp | undefined]>([
    ["a.tar.gz", 10, undefined],
    ["a.tgz", 10, undefined],
    ["a.zip", 10, /no .tar.gz/],
    ["a.tgz", 0, /empty/],
    ["a.tgz", 7 * 1024 * 1024, /too large/],
  ])("%s of %d bytes", (name, size, problem) => {
    const found = archiveProblem(name, size);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });

  it("is known by its first bytes", () => {
    expect([isGzip(new Uint8Array([0x1f, 0x8b, 8])), isGzip(new Uint8Array([0x50, 0x4b]))]).toEqual([true, false]);
  });

  it.each([0, 1, 2, 3, 24_575, 24_576, 24_577, 60_000])("of %d bytes goes to base64 and back", (length) => {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7) % 256);
    expect(Buffer.from(toBase64(bytes), "base64").equals(Buffer.from(bytes))).toBe(true);
  });
});

it("reads collections", () => {
  expect(readCollections(" ")).toEqual({ value: undefined });
  expect(readCollections('[{"name": "prices", "policy": "OR(\'a.member\')"}]')).toMatchObject({
    value: [{ name: "prices" }],
  });
  expect(readCollections("{")).toMatchObject({ error: expect.stringContaining("not JSON") });
  expect(readCollections("{}")).toMatchObject({ error: expect.stringContaining("list") });
  expect(readCollections('[{"name": "a"}, 3]')).toMatchObject({ error: expect.stringContaining("Entry 2") });
});
