import { Button, Group, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useChannel } from "../../api/channel";
import { blockQuery, channelQuery, networkQuery } from "../../api/queries";
import type { Block } from "../../api/types";
import { formatBytes, formatNumber, formatTime } from "../../lib/format";
import { Copyable } from "../../ui/Copyable";
import { Empty } from "../../ui/Empty";
import { engineFacts, Facts } from "../../ui/Facts";
import { TextLink } from "../../ui/links";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { Ago } from "../../ui/Time";
import { TransactionTable } from "../../ui/tables";

const route = getRouteApi("/signed-in/networks/$network/blocks/$block");

export function BlockPage() {
  const { network, block: number } = route.useParams();
  const channel = useChannel(network);
  const query = useQuery(blockQuery(network, number, channel));
  return (
    <QueryView query={query} lines={8}>
      {(block) => <BlockView network={network} channel={channel} block={block} />}
    </QueryView>
  );
}

function BlockView({ network, channel, block }: { network: string; channel: string | undefined; block: Block }) {
  const navigate = useNavigate();
  const whole = useQuery(networkQuery(network)).data?.height;
  const own = useQuery({ ...channelQuery(network, channel ?? ""), enabled: channel !== undefined }).data?.height;
  const head = channel === undefined ? whole : own;
  const open = (number: number) =>
    navigate({ to: "/networks/$network/blocks/$block", params: { network, block: String(number) } });
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Title order={2} fz="xl">
          Block {formatNumber(block.number)}
        </Title>
        <Group gap="xs">
          <Button size="xs" variant="default" disabled={block.number === 0} onClick={() => open(block.number - 1)}>
            Previous block
          </Button>
          <Button
            size="xs"
            variant="default"
            disabled={head == null || block.number >= head}
            onClick={() => open(block.number + 1)}
          >
            Next block
          </Button>
        </Group>
      </Group>
      <Panel>
        <Facts
          items={[
            ["Hash", <Copyable key="hash" text={block.hash} what="hash" />],
            [
              "Parent hash",
              block.number === 0 ? (
                "none: this is the genesis block"
              ) : (
                <Copyable key="parent" text={block.parentHash} what="hash">
                  <TextLink to="/networks/$network/blocks/$block" params={{ network, block: String(block.number - 1) }}>
                    {block.parentHash}
                  </TextLink>
                </Copyable>
              ),
            ],
            [
              "Time",
              <span key="at">
                {formatTime(block.at)} (<Ago at={block.at} />)
              </span>,
            ],
            ["Transactions", formatNumber(block.items.length)],
            ["Gas used", block.gasUsed == null ? undefined : `${formatNumber(block.gasUsed)}${share(block)}`],
            ["Size", block.size == null ? null : formatBytes(block.size)],
            ...engineFacts(block.facts),
          ]}
        />
      </Panel>
      <Panel flush title="Transactions">
        <TransactionTable
          network={network}
          rows={block.items}
          empty={
            <Empty title="No transaction in this block">
              An idle network makes an empty block now and then to show that it lives.
            </Empty>
          }
        />
      </Panel>
    </Stack>
  );
}

function share({ gasUsed, gasLimit }: Block): string {
  if (gasUsed == null || !gasLimit) return "";
  return ` of ${formatNumber(gasLimit)} (${((gasUsed / gasLimit) * 100).toFixed(1)} %)`;
}
