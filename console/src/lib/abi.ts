/** Reading Solidity interfaces and turning what a person types into arguments. Numbers stay text: they may not fit a double. */

export interface AbiParameter {
  name: string;
  type: string;
  components?: AbiParameter[];
  indexed?: boolean;
}

export interface AbiEntry {
  type: string;
  name?: string;
  inputs: AbiParameter[];
  outputs?: AbiParameter[];
  stateMutability?: string;
}

export interface Artifact {
  name?: string;
  abi: AbiEntry[];
  hasBytecode: boolean;
  document: Record<string, unknown>;
}

/** Checks a compiled artifact as Hardhat, Foundry, Truffle and Remix write it. Throws an error that says what is missing. */
export function readArtifact(text: string): Artifact {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON: ${(error as Error).message}`);
  }
  if (Array.isArray(document)) {
    throw new Error("This is only an ABI. Use the compiler's artifact, which has both “abi” and “bytecode”.");
  }
  if (typeof document !== "object" || document === null) throw new Error("The artifact must be a JSON object.");
  const fields = document as Record<string, unknown>;
  if (!Array.isArray(fields.abi)) {
    throw new Error("The artifact has no “abi”. Use the JSON file that the compiler wrote for one contract.");
  }
  const bytecode = bytecodeOf(
    fields.bytecode ?? (fields.evm as Record<string, unknown> | undefined)?.bytecode ?? fields.data,
  );
  if (bytecode !== undefined && /__\$?[^_]/.test(bytecode)) {
    throw new Error("The bytecode has places for libraries that were not linked. Link it before you deploy it.");
  }
  return {
    name: typeof fields.contractName === "string" ? fields.contractName : undefined,
    abi: readAbi(fields.abi),
    hasBytecode: bytecode !== undefined && bytecode !== "" && bytecode !== "0x",
    document: fields,
  };
}

function bytecodeOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "object" in value) return bytecodeOf(value.object);
  return undefined;
}

export function readAbi(entries: unknown[]): AbiEntry[] {
  return entries
    .filter((entry): entry is Record<string, unknown> => typeof entry === "object" && entry !== null)
    .map((entry) => ({
      type: String(entry.type ?? "function"),
      name: typeof entry.name === "string" ? entry.name : undefined,
      inputs: (entry.inputs as AbiParameter[] | undefined) ?? [],
      outputs: entry.outputs as AbiParameter[] | undefined,
      stateMutability: entry.stateMutability as string | undefined,
    }));
}

export function isRead(entry: AbiEntry): boolean {
  return entry.stateMutability === "view" || entry.stateMutability === "pure";
}

/** `transfer(address,uint256)`: names may repeat, signatures do not. */
export function signature(entry: AbiEntry): string {
  return `${entry.name ?? ""}(${entry.inputs.map(canonicalType).join(",")})`;
}

function canonicalType(parameter: AbiParameter): string {
  if (!parameter.type.startsWith("tuple")) return parameter.type;
  return `(${(parameter.components ?? []).map(canonicalType).join(",")})${parameter.type.slice(5)}`;
}

/** What a person typed, by parameter: text for simple values and arrays (as JSON), an object by component for tuples. */
export type Draft = string | Draft[];

export function emptyDraft(parameter: AbiParameter): Draft {
  if (parameter.type === "tuple") return (parameter.components ?? []).map(emptyDraft);
  return parameter.type === "bool" ? "false" : "";
}

export type Parsed = { value: unknown } | { error: string };

/** Turns a draft into an argument for the API, or says what is wrong with it. */
export function parseArgument(parameter: AbiParameter, draft: Draft): Parsed {
  if (parameter.type === "tuple") {
    const values: unknown[] = [];
    for (const [index, component] of (parameter.components ?? []).entries()) {
      const parsed = parseArgument(component, Array.isArray(draft) ? (draft[index] ?? "") : "");
      if ("error" in parsed) return { error: `${component.name || index}: ${parsed.error}` };
      values.push(parsed.value);
    }
    return { value: values };
  }
  const text = typeof draft === "string" ? draft.trim() : "";
  if (parameter.type.endsWith("]")) return parseArray(parameter, text);
  return parseSimple(parameter.type, parameter.type === "string" && typeof draft === "string" ? draft : text);
}

function parseArray(parameter: AbiParameter, text: string): Parsed {
  let items: unknown;
  try {
    // Numbers of more than 15 digits are quoted first: JSON would round them.
    items = JSON.parse(text.replaceAll(/(?<=[[,]\s*)-?\d{16,}(?=\s*[,\]])/g, '"$&"'));
  } catch {
    return { error: 'Write a JSON array, such as [1, 2] or ["0x…"]' };
  }
  if (!Array.isArray(items)) return { error: "Write a JSON array in square brackets" };
  const open = parameter.type.lastIndexOf("[");
  const length = parameter.type.slice(open + 1, -1);
  if (length !== "" && items.length !== Number(length)) return { error: `Needs exactly ${length} entries` };
  const inner = { ...parameter, type: parameter.type.slice(0, open) };
  const values: unknown[] = [];
  for (const [index, item] of items.entries()) {
    const parsed = parseArgument(inner, toDraft(inner, item));
    if ("error" in parsed) return { error: `Entry ${index + 1}: ${parsed.error}` };
    values.push(parsed.value);
  }
  return { value: values };
}

function toDraft(parameter: AbiParameter, item: unknown): Draft {
  if (parameter.type.endsWith("]")) return JSON.stringify(item);
  if (parameter.type !== "tuple") return typeof item === "string" ? item : String(item);
  return (parameter.components ?? []).map((component, index) => {
    const value = Array.isArray(item) ? item[index] : (item as Record<string, unknown> | null)?.[component.name];
    return toDraft(component, value ?? "");
  });
}

function parseSimple(type: string, text: string): Parsed {
  if (type === "string") return { value: text };
  if (type === "bool") {
    return text === "true" || text === "false" ? { value: text === "true" } : { error: "Must be true or false" };
  }
  if (type === "address") {
    return /^0x[0-9a-fA-F]{40}$/.test(text) ? { value: text } : { error: "Must be an address: 0x and 40 hex digits" };
  }
  const integer = /^(u?)int(\d*)$/.exec(type);
  if (integer) return parseInteger(text, integer[1] === "u", Number(integer[2] || 256));
  const bytes = /^bytes(\d*)$/.exec(type);
  if (bytes) return parseBytes(text, bytes[1] ? Number(bytes[1]) : undefined);
  return text === "" ? { error: "Needs a value" } : { value: text };
}

function parseInteger(text: string, unsigned: boolean, bits: number): Parsed {
  const plain = text.replaceAll("_", "");
  if (!/^(-?\d+|0x[0-9a-fA-F]+)$/.test(plain)) return { error: "Must be a whole number" };
  const value = BigInt(plain);
  const least = unsigned ? 0n : -(1n << BigInt(bits - 1));
  const most = (1n << BigInt(unsigned ? bits : bits - 1)) - 1n;
  if (value < least) return { error: unsigned ? "Must not be negative" : `Does not fit ${bits} bits` };
  if (value > most) return { error: `Does not fit ${bits} bits` };
  return { value: value.toString() };
}

function parseBytes(text: string, length: number | undefined): Parsed {
  if (!/^0x([0-9a-fA-F]{2})*$/.test(text)) return { error: "Must be hex: 0x and pairs of hex digits" };
  const actual = (text.length - 2) / 2;
  if (length !== undefined && actual !== length) return { error: `Must be ${length} bytes, not ${actual}` };
  return { value: text };
}
