import { describe, expect, it } from "vitest";
import artifact from "../../../contracts/artifacts/Token.json";
import { isRead, readArtifact, signature } from "./abi";

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
