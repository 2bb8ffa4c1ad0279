import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { networkQuery } from "./queries";

/** The channel that the pages of a network show: that of the address, else the first; undefined without channels. */
export function useChannel(network: string): string | undefined {
  const { channel } = useSearch({ strict: false }) as { channel?: string };
  const channels = useQuery(networkQuery(network)).data?.channels ?? [];
  return channels.find((one) => one === channel) ?? channels[0];
}
