/** Checks of what a person gives to make channels and to deploy contracts from source. The server checks all of it again. */
import type { Contract } from "../api/types";

export function channelProblem(name: string): string | undefined {
  if (name === "") return "Give the channel a name.";
  return /^[a-z][a-z0-9.-]{0,248}$/.test(name)
    ? undefined
    : "Begin with a lower-case letter, then lower-case letters, digits, dots and dashes, at most 249 in all.";
}

export function chaincodeNameProblem(name: string): string | undefined {
  if (name === "") return "Give the chaincode a name.";
  return /^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$/.test(name)
    ? undefined
    : "Letters and digits, with single - and _ between them.";
}

/** `asset-transfer.tar.gz` → `asset-transfer`: a name to begin with. */
export function nameOfArchive(file: string): string {
  const name = file.replace(/\.(tar\.gz|tgz)$/i, "").replaceAll(/[^A-Za-z0-9_-]+/g, "-");
  return name.replaceAll(/[-_]{2,}/g, "-").replaceAll(/^[-_]+|[-_]+$/g, "");
}

/** What fits the API's largest body of 8 MiB in base64, with the rest of the request. */
const LARGEST_BYTES = 6 * 1024 * 1024 - 64 * 1024;

export function archiveProblem(name: string, size: number): string | undefined {
  if (!/\.(tar\.gz|tgz)$/i.test(name)) return `${name} is no .tar.gz or .tgz file.`;
  if (size === 0) return `${name} is empty.`;
  return size > LARGEST_BYTES
    ? `${name} is too large: at most 6 MiB. Leave out dependencies and build results, which are not needed.`
    : undefined;
}

/** Whether bytes begin as gzip does (RFC 1952, section 2.3.1). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** In pieces: a call takes only so many arguments. A piece is a multiple of three bytes, so that none is padded. */
export function toBase64(bytes: Uint8Array): string {
  const piece = 3 * 8192;
  let text = "";
  for (let at = 0; at < bytes.length; at += piece) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + piece)));
  }
  return text;
}

export type Collections = { value: Record<string, unknown>[] | undefined } | { error: string };

/** Collections of private data as a JSON list of objects; nothing when empty. */
export function readCollections(text: string): Collections {
  if (text.trim() === "") return { value: undefined };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { error: `This is not JSON: ${(error as Error).message}` };
  }
  if (!Array.isArray(value)) return { error: "Write a JSON list: one object for each collection." };
  const odd = value.findIndex((one) => typeof one !== "object" || one === null || typeof one.name !== "string");
  if (odd !== -1) return { error: `Entry ${odd + 1} must be an object with a “name”.` };
  return { value: value as Record<string, unknown>[] };
}

/** What transactions and events have as the address of a contract: on a channel its name there. */
export function calledName({ address, channel }: Pick<Contract, "address" | "channel">): string {
  return channel != null && address.startsWith(`${channel}/`) ? address.slice(channel.length + 1) : address;
}

/** Who deployed a contract: what runs beside the nodes, all its channel's members do. */
export function deployerOf({ member, channel }: Pick<Contract, "member" | "channel">): string {
  return member ?? (channel == null ? "elsewhere" : "the channel's members");
}
