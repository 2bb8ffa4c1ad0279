/** How values are written, the same everywhere. Times come from the API as microseconds since 1970. */

const number = new Intl.NumberFormat("en");
const dateTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const NONE = "–";

export function formatNumber(value: number | null | undefined): string {
  return value == null ? NONE : number.format(value);
}

export function formatTime(micros: number): string {
  return dateTime.format(micros / 1000);
}

export function formatClock(micros: number): string {
  return clock.format(micros / 1000);
}

/** How long ago, in the largest unit that fits. */
export function formatAgo(micros: number, nowMs = Date.now()): string {
  const seconds = Math.round((nowMs - micros / 1000) / 1000);
  if (seconds < 0) return "soon";
  if (seconds < 2) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** A length of time: `12 ms`, `3.4 s`, `2 min 5 s`, `3 h 10 min`. */
export function formatDuration(micros: number): string {
  const ms = micros / 1000;
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** The power of two that divides a size into two to four parts. */
export function binaryStep(largest: number): number {
  return 2 ** Math.ceil(Math.log2(largest / 4));
}

export function formatCpu(cores: number): string {
  return `${(cores * 100).toFixed(cores < 0.1 ? 1 : 0)} %`;
}

/** `0x1234…cdef`: both ends, because people compare both. */
export function shorten(text: string, ends = 6): string {
  const head = text.startsWith("0x") ? ends + 2 : ends;
  return text.length <= head + ends + 1 ? text : `${text.slice(0, head)}…${text.slice(-ends)}`;
}

/** Addresses that are numbers are shortened; those that are names, such as `alphaMSP/user`, are for people as they are. */
export function shortenAddress(address: string): string {
  return address.startsWith("0x") ? shorten(address) : address;
}

/** An amount of the smallest unit (10^-18) as a decimal with as many places as it needs, at most six. */
export function formatAmount(smallest: string): string {
  let value: bigint;
  try {
    value = BigInt(smallest);
  } catch {
    return smallest;
  }
  const unit = 10n ** 18n;
  const whole = number.format(value / unit);
  const fraction = value % unit;
  if (fraction === 0n) return whole;
  const places = fraction.toString().padStart(18, "0").slice(0, 6).replace(/0+$/, "");
  return places === "" ? (value < unit ? "< 0.000001" : whole) : `${whole}.${places}`;
}

/** `network.create` → `Create network`; used for operations and audit entries. */
export function formatKind(kind: string): string {
  const [subject, verb] = kind.split(".");
  if (subject === undefined || verb === undefined) return capital(kind.replaceAll(/[-_.]/g, " "));
  return capital(`${verb} ${subject}`.replaceAll(/[-_]/g, " "));
}

export function formatRole(role: string): string {
  return capital(role.replaceAll("-", " "));
}

/** What nodes of a kind are called in text: `transaction-manager` → `transaction manager`, `ca` → `CA`. */
export function roleName(role: string): string {
  return role.replaceAll("-", " ").replace(/^ca$/, "CA");
}

/** `orderer` → `Orderers`. */
export function formatRoles(role: string): string {
  return `${capital(roleName(role))}s`;
}

const ABBREVIATIONS = new Set(["msp", "tls", "rpc"]);

/** `stateRoot` → `State root`, for facts that an engine publishes under names of its own. */
export function formatKey(key: string): string {
  if (ABBREVIATIONS.has(key)) return key.toUpperCase();
  return capital(key.replaceAll(/([a-z0-9])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`));
}

/** The last part of `NETWORK/NODE`. */
export function nodeShortName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a machine says in passing, `no node answers`, as a sentence. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? capital(text) : `${capital(text)}.`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`;
}
