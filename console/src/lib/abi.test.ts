import { describe, expect, it } from "vitest";
import artifact from "../../../contracts/artifacts/Token.json";
import { type AbiParameter, type Draft, emptyDraft, isRead, parseArgument, readArtifact, signature } from "./abi";

const token = JSON.stringify(artifact);

describe("artifacts", () => {
  it("reads the sample contract's artifact", () => {
    const artifact = readArtifact(token);
    expect(artifact.name).toBe("Token");
    expect(artifact.hasBytecode).toBe(true);
    const transfer = artifact.abi.find((entry) => entry.name === "transfer");
    if (transfer === undefined) throw new Error("no transfer");
    expect(signature(transfer)).toBe("transfer(address,uint256)");
    expect(isRead(transfer)).toBe(false);
  });

  it("says what is wrong with anything else", () => {
    expect(() => readArtifact("{")).toThrow(/not JSON/);
    expect(() => readArtifact("[]")).toThrow(/only an ABI/);
    expect(() => readArtifact("{}")).toThrow(/no “abi”/);
    expect(() => readArtifact('{"abi":[],"bytecode":"0x60__$lib$__00"}')).toThrow(/not linked/);
  });
});

describe("arguments", () => {
  const pair: AbiParameter = {
    name: "pair",
    type: "tuple",
    components: [
      { name: "owner", type: "address" },
      { name: "count", type: "uint8" },
    ],
  };
  const owner = `0x${"12".repeat(20)}`;

  it.each<[string | AbiParameter, Draft, unknown]>([
    ["uint256", "1".padEnd(40, "0"), "1".padEnd(40, "0")],
    ["uint8", "0xff", "255"],
    ["int8", "-128", "-128"],
    ["bool", "true", true],
    ["string", " as typed ", " as typed "],
    ["bytes2", "0xbeef", "0xbeef"],
    ["uint256[2]", "[1, 12345678901234567890123]", ["1", "12345678901234567890123"]],
    ["uint8[][]", "[[1], []]", [["1"], []]],
    [pair, [owner, "7"], [owner, "7"]],
    [{ ...pair, type: "tuple[]" }, `[{"owner": "${owner}", "count": 7}]`, [[owner, "7"]]],
  ])("takes %j", (type, draft, value) => {
    expect(parseArgument(typeof type === "string" ? { name: "", type } : type, draft)).toEqual({ value });
  });

  it.each<[string | AbiParameter, Draft, RegExp]>([
    ["uint256", "-1", /negative/],
    ["uint8", "256", /fit 8 bits/],
    ["int8", "-129", /fit 8 bits/],
    ["uint256", "1.5", /whole number/],
    ["bool", "yes", /true or false/],
    ["address", "0x12", /40 hex digits/],
    ["bytes2", "0xbe", /2 bytes, not 1/],
    ["bytes", "beef", /hex/],
    ["uint256[2]", "[1]", /exactly 2/],
    ["uint256[]", "1, 2", /JSON array/],
    ["uint8[]", "[1, 300]", /Entry 2/],
    [pair, [owner, "x"], /count/],
  ])("refuses for %j %j", (type, draft, message) => {
    const parsed = parseArgument(typeof type === "string" ? { name: "", type } : type, draft);
    expect("error" in parsed && parsed.error).toMatch(message);
  });

  it("starts empty, with false for a flag", () => {
    expect(emptyDraft(pair)).toEqual(["", ""]);
    expect(emptyDraft({ name: "", type: "bool" })).toBe("false");
  });
});
