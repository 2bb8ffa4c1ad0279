import { Alert, Group, List, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { consortiaQuery, networksQuery, operationsQuery, serverQuery, statisticsQuery } from "../api/queries";
import { useCan } from "../api/session";
import type { Network } from "../api/types";
import { formatNumber, NONE, plural, sentence } from "../lib/format";
import { transactionsPerSecond } from "../lib/statistics";
import { Empty } from "../ui/Empty";
import { Figures } from "../ui/Facts";
import { IconAlert, IconPlus } from "../ui/icons";
import { ButtonLink, TextLink } from "../ui/links";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { Lines, QueryView } from "../ui/QueryView";
import { Sparkline } from "../ui/Sparkline";
import { Status } from "../ui/Status";
import { OperationTable } from "../ui/tables";
import "./overview.css";

export function Overview() {
  const can = useCan();
  const networks = useQuery(networksQuery());
  const consortia = useQuery(consortiaQuery());
  const operations = useQuery(operationsQuery({ limit: 8 }));
  const server = useQuery(serverQuery());
  const items = networks.data?.items ?? [];
  const nodes = items.flatMap((network) => network.nodes);
  return (
    <>
      <PageHeader
        title="Overview"
        actions={
          can("networks:write") && (
            <ButtonLink to="/networks/new" leftSection={<IconPlus size={16} />}>
              New network
            </ButtonLink>
          )
        }
      />
      <Stack gap="lg">
        {server.data && server.data.warnings.length > 0 && (
          <Alert color="yellow" icon={<IconAlert size={18} />} title="Needs an administrator’s attention">
            <List size="sm" spacing={4}>
              {server.data.warnings.map((warning) => (
                <List.Item key={warning}>{warning}</List.Item>
              ))}
            </List>
          </Alert>
        )}
        <Figures
          items={[
            {
              label: "Networks running",
              value: networks.data ? `${count(items, "running")} of ${items.length}` : NONE,
            },
            {
              label: "Nodes running",
              value: networks.data
                ? `${nodes.filter((node) => node.status === "running").length} of ${nodes.length}`
                : NONE,
            },
            { label: "Consortia", value: formatNumber(consortia.data?.items.length) },
            {
              label: "Members",
              value: formatNumber(
                consortia.data &&
                  new Set(consortia.data.items.flatMap((c) => c.members.map((m) => m.organisation))).size,
              ),
            },
          ]}
        />
        {networks.data === undefined && networks.error == null ? (
          <Panel flush>
            <Lines count={5} />
          </Panel>
        ) : (
          <QueryView query={networks}>
            {({ items }) =>
              items.length === 0 ? (
                <Panel flush>
                  <Empty
                    title="No network yet"
                    action={
                      can("networks:write") && <ButtonLink to="/networks/new">Create the first network</ButtonLink>
                    }
                  >
                    A network is one running ledger, kept by the members of a consortium together.
                  </Empty>
                </Panel>
              ) : (
                <div className="network-cards">
                  {items.map((network) => (
                    <NetworkCard key={network.id} network={network} />
                  ))}
                </div>
              )
            }
          </QueryView>
        )}
        <Panel flush title="Recent operations" actions={<TextLink to="/operations">All operations</TextLink>}>
          <QueryView query={operations}>
            {({ items }) => <OperationTable rows={items} empty={<Empty title="No operation yet" />} />}
          </QueryView>
        </Panel>
      </Stack>
    </>
  );
}

function count(networks: Network[], status: string): number {
  return networks.filter((network) => network.status === status).length;
}

function NetworkCard({ network }: { network: Network }) {
  const live = network.status === "running" || network.status === "degraded";
  const statistics = useQuery({ ...statisticsQuery(network.id, 15), enabled: live });
  const points = statistics.data?.points ?? [];
  const rates = points.map((point) => point.transactions / (statistics.data?.intervalSeconds ?? 1));
  const running = network.nodes.filter((node) => node.status === "running").length;
  return (
    <article className="panel network-card" aria-label={`Network ${network.name}`}>
      <Group justify="space-between" wrap="nowrap">
        <TextLink to="/networks/$network" params={{ network: network.id }} fw={600} fz="lg" truncate>
          {network.name}
        </TextLink>
        <Status status={network.status} />
      </Group>
      <p className="soft network-card-line">
        {network.engine} · {network.consensus} · {running} of {plural(network.nodes.length, "node")} running
      </p>
      <Group justify="space-between" align="flex-end" wrap="nowrap" mt="md">
        <dl className="network-card-figures">
          <div>
            <dt>Height</dt>
            <dd>{formatNumber(network.height)}</dd>
          </div>
          <div>
            <dt>Transactions/s</dt>
            <dd>{live ? formatRate(transactionsPerSecond(statistics.data)) : NONE}</dd>
          </div>
        </dl>
        {live && <Sparkline values={rates} label="Transactions per second in the last 15 minutes" />}
      </Group>
      {network.statusReason && network.status !== "stopped" && (
        <p className="network-card-reason">{sentence(network.statusReason)}</p>
      )}
    </article>
  );
}

function formatRate(rate: number | undefined): string {
  if (rate === undefined) return NONE;
  return rate >= 100 ? formatNumber(Math.round(rate)) : rate.toFixed(1);
}
