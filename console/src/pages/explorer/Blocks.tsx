import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useChannel } from "../../api/channel";
import { blocksQuery } from "../../api/queries";
import { Empty } from "../../ui/Empty";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { BlockTable } from "../../ui/tables";
import { Pager, useCursors } from "./Pager";

const route = getRouteApi("/signed-in/networks/$network/blocks");

export function Blocks() {
  const { network } = route.useParams();
  const channel = useChannel(network);
  // Each channel has pages of its own.
  return <Listed key={channel} network={network} channel={channel} />;
}

function Listed({ network, channel }: { network: string; channel: string | undefined }) {
  const pages = useCursors();
  const blocks = useQuery({ ...blocksQuery(network, channel, pages.cursor), placeholderData: keepPreviousData });
  return (
    <Panel flush title="Blocks">
      <QueryView query={blocks} lines={10}>
        {({ items, next }) => (
          <>
            <BlockTable
              network={network}
              rows={items}
              empty={<Empty title="No block yet">The first comes when the network runs.</Empty>}
            />
            <Pager pages={pages} next={next} />
          </>
        )}
      </QueryView>
    </Panel>
  );
}
