import { useQuery } from "@tanstack/react-query";
import { enginesQuery, networkQuery } from "./queries";
import type { ConsensusKind } from "./types";

/** The consensus of a network as its engine describes it; undefined until it is known. */
export function useConsensus(network: string): ConsensusKind | undefined {
  const { engine, consensus } = useQuery(networkQuery(network)).data ?? {};
  const found = useQuery(enginesQuery()).data?.items.find((one) => one.name === engine);
  return found?.consensus.find((one) => one.name === consensus);
}

/** What the engine of a network can do with its consensus; undefined until it is known. Pages branch on this, never on an engine's name. */
export function useCapabilities(network: string): ReadonlySet<string> | undefined {
  const { engine, consensus } = useQuery(networkQuery(network)).data ?? {};
  const found = useQuery(enginesQuery()).data?.items.find((one) => one.name === engine);
  const kind = found?.consensus.find((one) => one.name === consensus);
  return found && new Set([...found.capabilities, ...(kind?.capabilities ?? [])]);
}
