/** What a person may look for in a ledger's explorer. */
export type SearchTerm =
  | { kind: "block"; number: string }
  | { kind: "hash"; hash: string }
  | { kind: "address"; address: string };

/** Tells what was typed by its shape; undefined when it is nothing that a ledger has. */
export function readSearch(text: string): SearchTerm | undefined {
  const term = text.trim();
  const digits = term.replaceAll(/[,_ ]/g, "");
  if (/^\d{1,15}$/.test(digits)) return { kind: "block", number: String(Number(digits)) };
  if (term.toLowerCase() === "latest") return { kind: "block", number: "latest" };
  const hex = term.startsWith("0x") || term.startsWith("0X") ? term.slice(2) : term;
  if (/^[0-9a-fA-F]{64}$/.test(hex)) return { kind: "hash", hash: `0x${hex.toLowerCase()}` };
  if (/^[0-9a-fA-F]{40}$/.test(hex)) return { kind: "address", address: `0x${hex}` };
  return undefined;
}
