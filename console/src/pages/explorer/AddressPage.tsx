import { Badge, Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useChannel } from "../../api/channel";
import { addressQuery, transactionsQuery } from "../../api/queries";
import type { Address } from "../../api/types";
import { formatAmount, formatNumber } from "../../lib/format";
import { Copyable } from "../../ui/Copyable";
import { Empty } from "../../ui/Empty";
import { Facts } from "../../ui/Facts";
import { ButtonLink } from "../../ui/links";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { TransactionTable } from "../../ui/tables";

const route = getRouteApi("/signed-in/networks/$network/addresses/$address");

/** The newest transactions of the ledger that are looked through for this address. */
const LOOKED_THROUGH = 500;

export function AddressPage() {
  const { network, address } = route.useParams();
  const channel = useChannel(network);
  const query = useQuery(addressQuery(network, address, channel));
  return (
    <QueryView query={query} lines={6}>
      {(address) => <AddressView network={network} channel={channel} address={address} />}
    </QueryView>
  );
}

function AddressView({
  network,
  channel,
  address,
}: {
  network: string;
  channel: string | undefined;
  address: Address;
}) {
  const transactions = useQuery(transactionsQuery(network, channel, undefined, LOOKED_THROUGH));
  const own = address.address.toLowerCase();
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Group gap="sm">
          <Title order={2} fz="xl">
            {address.contract ?? address.member ?? (address.codeSize > 0 ? "Contract" : "Address")}
          </Title>
          <Badge variant="light" color="gray">
            {address.codeSize > 0 ? "contract" : "account"}
          </Badge>
        </Group>
        {address.contract && (
          <ButtonLink
            variant="default"
            to="/networks/$network/contracts/$contract"
            params={{ network, contract: channel === undefined ? address.address : `${channel}/${address.address}` }}
          >
            Open the contract
          </ButtonLink>
        )}
      </Group>
      <Panel>
        <Facts
          items={[
            ["Address", <Copyable key="address" text={address.address} what="address" />],
            ["Balance", address.balance == null ? undefined : `${formatAmount(address.balance)} ether`],
            ["Transactions sent", address.nonce == null ? undefined : formatNumber(address.nonce)],
            // Where there are no balances, code is elsewhere than on the ledger.
            ["Code", address.balance == null ? undefined : codeOf(address)],
            ["Account of", address.member ?? undefined],
            ["Contract", address.contract ?? undefined],
          ]}
        />
      </Panel>
      <Panel flush title="Recent transactions">
        <QueryView query={transactions}>
          {({ items }) => (
            <TransactionTable
              network={network}
              rows={items.filter((row) => row.from.toLowerCase() === own || row.to?.toLowerCase() === own)}
              empty={
                <Empty title="None among the newest">
                  Older ones are on the ledger, but are not listed by address yet.
                </Empty>
              }
              foot={
                <Text size="xs" component="span">
                  Among the newest {formatNumber(items.length)} of the ledger
                </Text>
              }
            />
          )}
        </QueryView>
      </Panel>
    </Stack>
  );
}

function codeOf({ codeSize }: Address): string {
  return codeSize === 0 ? "none" : `${formatNumber(codeSize)} bytes`;
}
