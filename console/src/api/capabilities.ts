import { useQuery } from "@tanstack/react-query";
import { enginesQuery, networkQuery } from "./queries";

/** What the engine of a network can do with its consensus; undefined until it is known. Pages branch on this, never on an engine's name. */
export function useCapabilities(network: string): ReadonlySet<string> | undefined {
  const { engine, consensus } = useQuery(networkQuery(network)).data ?? {};
  const found = useQuery(enginesQuery()).data?.items.find((one) => one.name === engine);
  const kind = found?.consensus.find((one) => one.name === consensus);
  return found && new Set([...found.capabilities, ...(kind?.capabilities ?? [])]);
}
