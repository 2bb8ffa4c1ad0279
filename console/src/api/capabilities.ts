import { useQuery } from "@tanstack/react-query";
import { enginesQuery, networkQuery } from "./queries";

/** What the engine of a network can do; undefined until it is known. Pages branch on this, never on an engine's name. */
export function useCapabilities(network: string): ReadonlySet<string> | undefined {
  const engine = useQuery(networkQuery(network)).data?.engine;
  const found = useQuery(enginesQuery()).data?.items.find((one) => one.name === engine);
  return found && new Set(found.capabilities);
}
