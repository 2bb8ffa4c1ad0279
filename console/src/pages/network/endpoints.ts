import type { Node } from "../../api/types";
import { formatKey } from "../../lib/format";

export interface Endpoint {
  title: string;
  text: string;
  /** What it is called where it is copied. */
  what: string;
}

/** Where clients reach a node; none while it does not run. */
export function endpointsOf({ rpc, ws, addresses }: Node): Endpoint[] {
  const own = Object.entries(addresses ?? {}).map(([name, text]) => ({
    title: formatKey(name),
    text,
    what: `${name} address`,
  }));
  return [
    ...(rpc == null ? [] : [{ title: "JSON-RPC over HTTP", text: rpc, what: "HTTP address" }]),
    ...(ws == null ? [] : [{ title: "JSON-RPC over WebSocket", text: ws, what: "WebSocket address" }]),
    ...own,
  ];
}
