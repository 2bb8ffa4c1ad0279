/**
 * Reading what an engine with endorsements tells of a transaction: who endorsed it, what it read and wrote, and whether
 * the ledger took it. Everything may be missing: what is not understood is left to be shown as JSON.
 */

export interface Access {
  key: string;
  /** `BLOCK:TRANSACTION` of the value that was read; undefined when the key did not exist. */
  version?: string;
  value?: unknown;
  deleted: boolean;
}

export interface Collection {
  name: string;
  hash?: string;
  reads: Access[];
  writes: Access[];
}

export interface Namespace {
  name: string;
  reads: Access[];
  ranges: [start: string, end: string][];
  writes: Access[];
  collections: Collection[];
}

export interface EndorsedCall {
  contract?: string;
  version?: string;
  status?: number;
  message?: string;
  result?: unknown;
  /** Undefined when nothing is told of them. */
  endorsers?: unknown[];
  namespaces?: Namespace[];
  /** What was told of reads and writes in a shape that is not known. */
  unread?: unknown;
}

export interface Endorsed {
  validation?: string;
  calls: EndorsedCall[];
}

/** Undefined when nothing of it is told, as by engines without endorsements. */
export function readEndorsed(raw: unknown): Endorsed | undefined {
  const document = record(raw);
  if (document === undefined) return undefined;
  const validation = document.validationCode ?? document.validation;
  const told = Array.isArray(document.calls) ? document.calls : [document];
  const calls = told
    .map(record)
    .filter((call) => call !== undefined)
    .filter((call) => "endorsers" in call || "namespaces" in call)
    .map(readCall);
  if (calls.length === 0 && typeof validation !== "string") return undefined;
  return { validation: text(validation), calls };
}

function readCall(call: Fields): EndorsedCall {
  const namespaces = list(call.namespaces)?.map(record);
  const known = namespaces?.every((one) => typeof one?.name === "string");
  return {
    contract: text(call.chaincode ?? call.contract),
    version: text(call.version),
    status: typeof call.status === "number" ? call.status : undefined,
    message: text(call.message) || undefined,
    result: call.result,
    endorsers: list(call.endorsers),
    namespaces: known ? namespaces?.map((one) => readNamespace(one ?? {})) : undefined,
    unread: known ? undefined : call.namespaces,
  };
}

function readNamespace(fields: Fields): Namespace {
  return {
    name: text(fields.name) ?? "",
    reads: accesses(fields.reads),
    ranges: (list(fields.ranges) ?? []).flatMap((range): [string, string][] =>
      Array.isArray(range) ? [[String(range[0] ?? ""), String(range[1] ?? "")]] : [],
    ),
    writes: accesses(fields.writes),
    collections: (list(fields.collections) ?? [])
      .map(record)
      .filter((one) => one !== undefined)
      .map((one) => ({
        name: text(one.name) ?? "",
        hash: text(one.hash),
        reads: accesses(one.reads),
        writes: accesses(one.writes),
      })),
  };
}

function accesses(value: unknown): Access[] {
  return (list(value) ?? []).map((one) => {
    const fields = record(one);
    if (fields === undefined) return { key: String(one), deleted: false };
    return {
      key: text(fields.key ?? fields.keyHash) ?? JSON.stringify(one),
      version: readVersion(fields.version),
      value: printable(fields.value ?? fields.valueHash),
      deleted: fields.deleted === true,
    };
  });
}

/** Bytes that happen to be text but for people are none, in hex as other bytes come. */
function printable(value: unknown): unknown {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  if (typeof value !== "string" || !/[\u0000-\u0008\u000e-\u001f]/.test(value)) return value;
  const bytes = Array.from(new TextEncoder().encode(value), (byte) => byte.toString(16).padStart(2, "0"));
  return `0x${bytes.join("")}`;
}

function readVersion(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  const fields = record(value);
  if (fields === undefined) return String(value);
  const transaction = fields.transaction ?? fields.tx;
  return fields.block === undefined ? JSON.stringify(value) : `${fields.block}:${transaction ?? 0}`;
}

type Fields = Record<string, unknown>;

function record(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function list(value: unknown): unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
