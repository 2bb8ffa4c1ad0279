import { describe, expect, it } from "vitest";
import {
  type ContractParameter,
  parseText,
  parseTexts,
  readFreeArguments,
  readMetadata,
  readTransient,
} from "./metadata";

const create = {
  name: "Create",
  tag: ["submit", "submitTx"],
  parameters: [
    { name: "id", schema: { type: "string" } },
    { name: "price", schema: { type: "integer", format: "int64" } },
    { name: "asset", schema: { $ref: "#/components/schemas/Asset" } },
    { name: "tags", schema: { type: "array", items: { type: "string" } } },
  ],
};
const read = {
  name: "Read",
  tag: ["EVALUATE"],
  parameters: [{ schema: { $ref: "Asset.json#" } }],
  returns: { type: "string" },
};
const components = {
  schemas: { Asset: { properties: { id: { type: "string" }, size: { type: "integer" }, sold: { type: "boolean" } } } },
};
const system = { transactions: [{ name: "GetMetadata", tag: ["evaluate"] }] };

describe("contract metadata", () => {
  it("tells functions with their parameters", () => {
    const functions = readMetadata({
      contracts: { AssetContract: { transactions: [create, read] }, "org.hyperledger.fabric": system },
      components,
    });
    expect(functions?.map(({ name, reads }) => [name, reads])).toEqual([
      ["Create", false],
      ["Read", true],
    ]);
    expect(functions?.[0]?.parameters.map(({ name, kind, type }) => [name, kind, type])).toEqual([
      ["id", "string", "string"],
      ["price", "integer", "integer"],
      ["asset", "json", "Asset"],
      ["tags", "json", "string[]"],
    ]);
    expect(functions?.[1]).toMatchObject({ parameters: [{ name: "argument 1", type: "Asset" }], returns: "string" });
    const examples = functions?.[0]?.parameters.map(({ example }) => example && JSON.parse(example));
    expect(examples).toEqual([undefined, undefined, { id: "", size: 0, sold: false }, []]);
  });

  it("names functions with their contract where there are several, but for the default", () => {
    const contracts = {
      first: { transactions: [{ name: "Go" }], default: true },
      second: { transactions: [{ name: "Go" }] },
    };
    expect(readMetadata({ contracts })?.map(({ name }) => name)).toEqual(["Go", "second:Go"]);
    expect(readMetadata({ contracts })?.[0]).toMatchObject({ parameters: [], reads: undefined });
  });

  it.each([[null], [[]], [{}], [[{ type: "function" }]], [{ contracts: [] }]])("%j is none", (other) => {
    expect(readMetadata(other)).toBeUndefined();
  });

  it("may lack or mistake what it should have", () => {
    expect(readMetadata({ contracts: { a: null, "org.hyperledger.fabric": 3 } })).toEqual([]);
    expect(
      readMetadata({ contracts: { a: { transactions: [null, { name: "" }, { name: "X", parameters: "no" }] } } }),
    ).toMatchObject([{ name: "X", parameters: [] }]);
  });
});

describe("arguments", () => {
  const parameter = (kind: ContractParameter["kind"]): ContractParameter => ({ name: "x", kind, type: kind });

  it.each<[ContractParameter["kind"], string, string | undefined]>([
    ["string", " as it is ", " as it is "],
    ["string", "", ""],
    ["integer", " 123456789012345678901 ", "123456789012345678901"],
    ["integer", "1.5", undefined],
    ["integer", "", undefined],
    ["number", "-1.5e3", "-1.5e3"],
    ["number", "one", undefined],
    ["boolean", "true", "true"],
    ["boolean", "", undefined],
    ["json", ' {"a": 12345678901234567890} ', '{"a": 12345678901234567890}'],
    ["json", "{a}", undefined],
  ])("%s from %j", (kind, typed, value) => {
    const parsed = parseText(parameter(kind), typed);
    if (value === undefined) expect(parsed).toHaveProperty("error");
    else expect(parsed).toEqual({ value });
  });

  it("are sent when all are right", () => {
    const parameters = [parameter("string"), parameter("integer")];
    expect(parseTexts(parameters, ["a", "1"])).toEqual({ values: ["a", "1"] });
    expect(parseTexts(parameters, ["a"])).toEqual({ errors: [undefined, "Must be a whole number"] });
  });

  it("without an interface are a list", () => {
    expect(readFreeArguments("")).toEqual({ values: [] });
    expect(readFreeArguments('["a, 12345678901234567890, b", 5, {"b": 1}]')).toEqual({
      values: ["a, 12345678901234567890, b", 5, { b: 1 }],
    });
    expect(readFreeArguments('["a", {"b": 12345678901234567890}]')).toHaveProperty("error");
    expect(readFreeArguments('{"a": 1}')).toHaveProperty("error");
    expect(readFreeArguments("a, b")).toHaveProperty("error");
  });

  it("may come with transient fields", () => {
    expect(readTransient([])).toEqual({ value: undefined });
    expect(readTransient([{ name: "", value: "" }])).toEqual({ value: undefined });
    expect(readTransient([{ name: " price ", value: "5" }])).toEqual({ value: { price: "5" } });
    expect(readTransient([{ name: "", value: "5" }])).toHaveProperty("error");
    expect(
      readTransient([
        { name: "a", value: "1" },
        { name: "a", value: "2" },
      ]),
    ).toHaveProperty("error");
  });
});
