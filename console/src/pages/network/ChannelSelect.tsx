import { Select } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useChannel } from "../../api/channel";
import type { Network } from "../../api/types";

/** Which channel the search and the ledger's pages show; kept in the page's address. Nothing without channels. */
export function ChannelSelect({ network }: { network: Network }) {
  const navigate = useNavigate();
  const channel = useChannel(network.id);
  const channels = network.channels ?? [];
  if (channel === undefined) return null;
  return (
    <Select
      aria-label="Channel"
      style={{ flex: "0 1 220px", minWidth: 0 }}
      data={channels.map((name) => ({ value: name, label: `Channel ${name}` }))}
      value={channel}
      allowDeselect={false}
      searchable={channels.length > 8}
      onChange={(chosen) => chosen !== null && void navigate({ to: ".", search: { channel: chosen } })}
    />
  );
}
