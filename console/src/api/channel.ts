import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { networkQuery } from "./queries";

/** The channel to show of those that a network has: the asked one, else the first; undefined without channels. */
export function channelOf(
  channels: readonly string[] | null | undefined,
  asked: string | undefined,
): string | undefined {
  return channels?.find((one) => one === asked) ?? channels?.[0];
}

/** The channel that the pages of a network show, by their address. */
export function useChannel(network: string): string | undefined {
  const { channel } = useSearch({ strict: false }) as { channel?: string };
  return channelOf(useQuery(networkQuery(network)).data?.channels, channel);
}
