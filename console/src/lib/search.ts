/** What a person may look for in a ledger's explorer. */
export type SearchTerm =
  | { kind: "block"; number: string }
  | { kind: "hash"; hash: string }
  | { kind: "address"; address: string };

/** How a ledger writes its hashes and addresses: as numbers with `0x`, or as plain digits and as names. */
export type Notation = "prefixed" | "named";

/** Tells what was typed by its shape; undefined when it is nothing that a ledger has. */
export function readSearch(text: string, notation: Notation): SearchTerm | undefined {
  const term = text.trim();
  const digits = term.replaceAll(/[,_ ]/g, "");
  if (/^\d{1,15}$/.test(digits)) return { kind: "block", number: String(Number(digits)) };
  if (term.toLowerCase() === "latest") return { kind: "block", number: "latest" };
  const hex = term.startsWith("0x") || term.startsWith("0X") ? term.slice(2) : term;
  if (/^[0-9a-fA-F]{64}$/.test(hex)) {
    return { kind: "hash", hash: `${notation === "prefixed" ? "0x" : ""}${hex.toLowerCase()}` };
  }
  if (notation === "named") return readNamed(term);
  if (/^[0-9a-fA-F]{40}$/.test(hex)) return { kind: "address", address: `0x${hex}` };
  return undefined;
}

/** `12:0` is the place of an entry without a hash of its own; `asset` a contract, `alphaMSP/user` an account. */
function readNamed(term: string): SearchTerm | undefined {
  if (/^\d{1,15}:\d{1,9}$/.test(term)) return { kind: "hash", hash: term };
  return /^[^\s/][^/]*(\/[^/]+)?$/.test(term) ? { kind: "address", address: term } : undefined;
}
