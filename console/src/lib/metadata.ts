/**
 * Reading the metadata by which contracts that are written with Fabric's contract libraries describe themselves, and
 * turning what a person types into arguments. Every argument is a text: what is no text is written as JSON.
 */

type Schema = Record<string, unknown>;

export interface ContractParameter {
  name: string;
  /** `string`, `integer`, `number`, `boolean`, or `json` for what has a structure. */
  kind: "string" | "integer" | "number" | "boolean" | "json";
  /** For people, such as `Asset` or `string[]`. */
  type: string;
  /** An example to begin with, where the schema tells the fields. */
  example?: string;
}

export interface ContractFunction {
  /** As it is called: with its contract where there are several. */
  name: string;
  parameters: ContractParameter[];
  /** Whether it is meant to be asked only; undefined when the metadata does not tell. */
  reads?: boolean;
  returns?: string;
}

/** The system contract that answers the metadata itself. */
const SYSTEM = "org.hyperledger.fabric";

/** The functions in the order of the metadata; undefined when the interface is no such metadata. */
export function readMetadata(metadata: unknown): ContractFunction[] | undefined {
  const document = record(metadata);
  const contracts = record(document?.contracts);
  if (document === undefined || contracts === undefined) return undefined;
  const schemas = record(record(document.components)?.schemas) ?? {};
  const own = Object.entries(contracts).filter(([name]) => name !== SYSTEM);
  return own.flatMap(([contract, value]) => {
    const fields = record(value);
    const qualified = own.length > 1 && fields?.default !== true;
    return list(fields?.transactions)
      .map(record)
      .filter((one) => typeof one?.name === "string" && one.name !== "")
      .map((one) => readFunction(one ?? {}, qualified ? contract : undefined, schemas));
  });
}

function readFunction(fields: Schema, contract: string | undefined, schemas: Schema): ContractFunction {
  const tags = list(fields.tag ?? fields.tags).map((tag) => String(tag).toLowerCase());
  const returns = record(record(fields.returns)?.schema) ?? record(fields.returns);
  return {
    name: contract === undefined ? String(fields.name) : `${contract}:${fields.name}`,
    parameters: list(fields.parameters).map((one, index) => readParameter(record(one) ?? {}, index, schemas)),
    reads: tags.includes("evaluate") ? true : tags.some((tag) => tag.startsWith("submit")) ? false : undefined,
    returns: returns && typeOf(returns),
  };
}

function readParameter(fields: Schema, index: number, schemas: Schema): ContractParameter {
  const schema = record(fields.schema) ?? fields;
  const kind = kindOf(schema);
  return {
    name: typeof fields.name === "string" && fields.name !== "" ? fields.name : `argument ${index + 1}`,
    kind,
    type: typeOf(schema),
    example: kind === "json" ? exampleOf(schema, schemas) : undefined,
  };
}

function kindOf(schema: Schema): ContractParameter["kind"] {
  switch (schema.type) {
    case "integer":
    case "number":
    case "boolean":
    case "string":
      return schema.type;
    case undefined:
      return "$ref" in schema ? "json" : "string";
    default:
      return "json";
  }
}

function typeOf(schema: Schema): string {
  if (typeof schema.$ref === "string") return nameOf(schema.$ref);
  if (schema.type === "array") return `${typeOf(record(schema.items) ?? {})}[]`;
  return typeof schema.type === "string" ? schema.type : "string";
}

/** `#/components/schemas/Asset` and `Asset.json#` name the same. */
function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1).replace(/(\.json)?#?$/, "");
}

function exampleOf(schema: Schema, schemas: Schema): string | undefined {
  if (schema.type === "array") return "[]";
  const named = typeof schema.$ref === "string" ? record(schemas[nameOf(schema.$ref)]) : schema;
  const properties = Object.entries(record(named?.properties) ?? {});
  if (properties.length === 0) return undefined;
  return JSON.stringify(Object.fromEntries(properties.map(([name, own]) => [name, blank(record(own) ?? {})])), null, 2);
}

function blank(schema: Schema): unknown {
  const kinds: Record<ContractParameter["kind"], unknown> = {
    string: "",
    integer: 0,
    number: 0,
    boolean: false,
    json: schema.type === "array" ? [] : {},
  };
  return kinds[kindOf(schema)];
}

export type ParsedText = { value: string } | { error: string };

/** Turns what was typed into an argument, or says what is wrong with it. Numbers stay as typed: JSON would round them. */
export function parseText({ kind }: ContractParameter, typed: string): ParsedText {
  const text = typed.trim();
  switch (kind) {
    case "string":
      return { value: typed };
    case "integer":
      return /^-?\d+$/.test(text) ? { value: text } : { error: "Must be a whole number" };
    case "number":
      return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? { value: text } : { error: "Must be a number" };
    case "boolean":
      return text === "true" || text === "false" ? { value: text } : { error: "Must be true or false" };
    case "json":
      return isJson(text) ? { value: text } : { error: "Must be JSON" };
  }
}

/** The arguments of a call, or what is wrong by place. */
export function parseTexts(
  parameters: ContractParameter[],
  typed: string[],
): { values: string[] } | { errors: (string | undefined)[] } {
  const parsed = parameters.map((parameter, index) => parseText(parameter, typed[index] ?? ""));
  const errors = parsed.map((one) => ("error" in one ? one.error : undefined));
  if (errors.some((error) => error !== undefined)) return { errors };
  return { values: parsed.flatMap((one) => ("value" in one ? [one.value] : [])) };
}

/**
 * Arguments as a person writes them without an interface: a JSON list whose entries are texts or any JSON, which goes
 * to the contract as it stands; nothing for none.
 */
export function readFreeArguments(text: string): { values: unknown[] } | { error: string } {
  if (text.trim() === "") return { values: [] };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { error: 'Write a JSON list, such as ["asset1", "5"]' };
  }
  if (!Array.isArray(value)) return { error: "Write a JSON list in square brackets" };
  return isRounded(value)
    ? { error: "Put numbers of more than 15 digits in quotes: JSON would round them" }
    : { values: value };
}

export interface TransientField {
  name: string;
  value: string;
}

/** Data that the contract sees and the ledger does not keep; rows without anything are left out. */
export function readTransient(
  fields: TransientField[],
): { value: Record<string, string> | undefined } | { error: string } {
  const filled = fields.filter(({ name, value }) => name.trim() !== "" || value !== "");
  if (filled.some(({ name }) => name.trim() === "")) return { error: "Give each transient field a name." };
  const names = filled.map(({ name }) => name.trim());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return { error: `“${twice}” is given twice.` };
  if (filled.length === 0) return { value: undefined };
  return { value: Object.fromEntries(filled.map(({ name, value }) => [name.trim(), value])) };
}

function isRounded(value: unknown): boolean {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value);
  return typeof value === "object" && value !== null && Object.values(value).some(isRounded);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function record(value: unknown): Schema | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Schema) : undefined;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
