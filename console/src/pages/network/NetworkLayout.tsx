import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useCapabilities } from "../../api/capabilities";
import { useChannel } from "../../api/channel";
import { api, done } from "../../api/client";
import { networkQuery } from "../../api/queries";
import { useCan } from "../../api/session";
import type { Network } from "../../api/types";
import { formatKey, formatNumber, sentence } from "../../lib/format";
import { Confirm, useAction } from "../../ui/actions";
import { IconAlert, IconDelete, IconRestart, IconStart, IconStop } from "../../ui/icons";
import { TextLink } from "../../ui/links";
import { noticeOperation } from "../../ui/OperationNotice";
import { PageHeader } from "../../ui/PageHeader";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { QueryView } from "../../ui/QueryView";
import { Status } from "../../ui/Status";
import { ActiveOperations } from "./ActiveOperations";
import { ChannelSelect } from "./ChannelSelect";
import { LedgerSearch } from "./LedgerSearch";
import { ProfileButton } from "./Profile";

const route = getRouteApi("/signed-in/networks/$network");

/** What all pages of a network share: its state, what can be done with it, the search and the tabs. */
export function NetworkLayout() {
  const { network: id } = route.useParams();
  const query = useQuery(networkQuery(id));
  return (
    <QueryView query={query} lines={8}>
      {(network) => (
        <>
          <Header network={network} />
          <Tabs network={network} />
          <Outlet />
        </>
      )}
    </QueryView>
  );
}

function Tabs({ network }: { network: Network }) {
  const capabilities = useCapabilities(network.id);
  const section = useLocation().pathname.split("/")[3];
  // Nodes are listed on the overview.
  const onNode = section === "nodes";
  const bar = useRef<HTMLElement>(null);
  // On a narrow screen the tabs scroll sideways: the present one is brought into sight, also when others come before it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs for each page and for what the engine can do
  useEffect(() => {
    const tab = bar.current?.querySelector<HTMLElement>('[aria-current="page"]');
    if (bar.current && tab) bar.current.scrollLeft = tab.offsetLeft - (bar.current.clientWidth - tab.offsetWidth) / 2;
  }, [section, capabilities?.size]);
  return (
    <nav ref={bar} className="tabs" aria-label={`Pages of ${network.name}`}>
      <Link
        to="/networks/$network"
        params={{ network: network.id }}
        activeOptions={{ exact: true }}
        className={onNode ? "tab tab-active" : "tab"}
      >
        Overview
      </Link>
      <Link to="/networks/$network/blocks" params={{ network: network.id }} className="tab">
        Blocks
      </Link>
      <Link to="/networks/$network/transactions" params={{ network: network.id }} className="tab">
        Transactions
      </Link>
      {capabilities?.has("channels") && (
        <Link to="/networks/$network/channels" params={{ network: network.id }} className="tab">
          Channels
        </Link>
      )}
      {capabilities?.has("contracts-beside") && (
        <Link to="/networks/$network/chaincode" params={{ network: network.id }} className="tab">
          Chaincode
        </Link>
      )}
      <Link to="/networks/$network/contracts" params={{ network: network.id }} className="tab">
        Contracts
      </Link>
      <Link to="/networks/$network/accounts" params={{ network: network.id }} className="tab">
        Accounts
      </Link>
      {capabilities?.has("validators") && (
        <Link to="/networks/$network/validators" params={{ network: network.id }} className="tab">
          Validators
        </Link>
      )}
      <Link to="/networks/$network/details" params={{ network: network.id }} className="tab">
        Details
      </Link>
    </nav>
  );
}

const REASON_TITLES: Partial<Record<Network["status"], string>> = {
  degraded: "Degraded: the network runs, but not all of it",
  halted: "Halted: no new blocks",
  failed: "Failed",
};

function Header({ network }: { network: Network }) {
  const can = useCan();
  const capabilities = useCapabilities(network.id);
  const channel = useChannel(network.id);
  const section = useLocation().pathname.split("/")[3];
  const navigate = useNavigate();
  const [stopping, stopDialog] = useDisclosure();
  const [deleting, deleteDialog] = useDisclosure();
  const params = { params: { path: { network: network.id } } };
  const start = useAction(() => done(api.POST("/api/v1/networks/{network}/start", params)), noticeOperation);
  const restart = useAction(() => done(api.POST("/api/v1/networks/{network}/restart", params)), noticeOperation);
  const stopped = network.status === "stopped";
  const busy = network.status === "creating" || network.status === "deleting";
  const attached = network.attached != null;
  const changes = (
    <>
      {attached ? null : stopped ? (
        <Button
          variant="default"
          leftSection={<IconStart size={16} />}
          loading={start.isPending}
          onClick={() => start.mutate()}
        >
          Start
        </Button>
      ) : (
        <>
          <Button
            variant="default"
            leftSection={<IconRestart size={16} />}
            loading={restart.isPending}
            onClick={() => restart.mutate()}
          >
            Restart
          </Button>
          <Button variant="default" leftSection={<IconStop size={16} />} onClick={stopDialog.open}>
            Stop
          </Button>
        </>
      )}
      <Button variant="default" c="var(--bad)" leftSection={<IconDelete size={16} />} onClick={deleteDialog.open}>
        {attached ? "Detach" : "Delete"}
      </Button>
    </>
  );
  return (
    <>
      <PageHeader
        title={network.name}
        crumbs={[
          <TextLink key="all" to="/networks">
            Networks
          </TextLink>,
        ]}
        badge={<Status status={network.status} />}
        description={`Height ${formatNumber(network.height)} · ${network.engine} · ${network.consensus}${network.chainId == null ? "" : ` · chain id ${network.chainId}`}`}
        documentTitle={section === undefined ? network.name : `${formatKey(section)} of ${network.name}`}
        actions={
          // Pages below have actions of their own; two buttons of one name would be confusing.
          (section === undefined || section === "details") &&
          !busy && (
            <>
              {capabilities?.has("identities") && can("identities:export") && <ProfileButton network={network} />}
              {can("networks:write") && changes}
            </>
          )
        }
      />
      <Stack gap="md" mb="md">
        <ProblemAlert error={start.error ?? restart.error} />
        {network.statusReason && !stopped && (
          <Alert
            color={network.status === "failed" || network.status === "halted" ? "red" : "yellow"}
            icon={<IconAlert size={18} />}
            title={REASON_TITLES[network.status]}
            role="status"
          >
            <span className="break">{sentence(network.statusReason)}</span>
            {network.status === "halted" && (
              <Text size="sm" mt={4}>
                {attached
                  ? "Others run this network: ask them. It is looked at every few seconds."
                  : "Nothing is lost: blocks go on when enough validators run again. Look at the nodes below that do not run; their pages show why and their logs."}
              </Text>
            )}
          </Alert>
        )}
        <ActiveOperations network={network} />
        <Group gap="sm" align="flex-start">
          <ChannelSelect network={network} />
          <div style={{ flex: "1 1 300px", minWidth: 0 }}>
            <LedgerSearch
              network={network.id}
              channel={channel}
              notation={(capabilities?.has("evm") ?? true) ? "prefixed" : "named"}
            />
          </div>
        </Group>
      </Stack>
      <Confirm
        opened={stopping}
        onClose={stopDialog.close}
        title={`Stop ${network.name}`}
        button="Stop the network"
        act={() => done(api.POST("/api/v1/networks/{network}/stop", params)).then(noticeOperation)}
      >
        All its nodes end. The ledger stays on disk, and the network goes on from there when it is started again.
      </Confirm>
      <Confirm
        opened={deleting}
        onClose={deleteDialog.close}
        title={`${attached ? "Detach" : "Delete"} ${network.name}`}
        name={network.name}
        button={attached ? "Detach the network" : "Delete the network"}
        act={() => done(api.DELETE("/api/v1/networks/{network}", params)).then(noticeOperation)}
        onDone={() => navigate({ to: "/networks" })}
      >
        {attached
          ? "Nothing is stopped: the network goes on where it runs. The members’ accounts that are held here are removed with their keys; what they own on it can then be moved by nobody."
          : "Its nodes end and their ledgers, keys and logs are removed from disk. This cannot be undone."}
      </Confirm>
    </>
  );
}
