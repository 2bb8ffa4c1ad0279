import { Group, SegmentedControl, Skeleton, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useMemo, useState } from "react";
import { useCapabilities } from "../../api/capabilities";
import { contractQuery } from "../../api/queries";
import type { Contract } from "../../api/types";
import { isRead, readAbi, signature } from "../../lib/abi";
import { deployerOf } from "../../lib/chaincode";
import { formatTime } from "../../lib/format";
import { readMetadata } from "../../lib/metadata";
import { Copyable } from "../../ui/Copyable";
import { Empty } from "../../ui/Empty";
import { Facts } from "../../ui/Facts";
import { TextLink } from "../../ui/links";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { SignerSelect } from "../../ui/SignerSelect";
import { AddressLink } from "../../ui/tables";
import { Calls } from "./Calls";
import { ContractEvents } from "./ContractEvents";
import { ReadForm, WriteForm } from "./FunctionForm";
import "./contracts.css";

const CodeView = lazy(() => import("../../ui/CodeEditor"));

const route = getRouteApi("/signed-in/networks/$network/contracts/$contract");

export function ContractPage() {
  const { network, contract: id } = route.useParams();
  const query = useQuery(contractQuery(network, id));
  return (
    <QueryView query={query} lines={8}>
      {(contract) => <ContractView key={contract.id} network={network} contract={contract} />}
    </QueryView>
  );
}

const SHARED_TABS = [
  { value: "events", label: "Events" },
  { value: "interface", label: "Interface" },
];
const TABS = [{ value: "read", label: "Read" }, { value: "write", label: "Write" }, ...SHARED_TABS];
/** Of contracts whose functions are not told apart by what they may do. */
const CALL_TABS = [{ value: "call", label: "Call" }, ...SHARED_TABS];

function ContractView({ network, contract }: { network: string; contract: Contract }) {
  const [chosen, setTab] = useState<string>();
  const capabilities = useCapabilities(network);
  const functions = useMemo(() => readMetadata(contract.interface), [contract.interface]);
  const called = functions !== undefined || capabilities?.has("contracts-beside") === true;
  const tab = chosen ?? (called ? "call" : "read");
  return (
    <Stack gap="lg">
      <Title order={2} fz="xl">
        {contract.name}
      </Title>
      <Panel>
        <Facts
          items={[
            [
              "Address",
              <Copyable key="address" text={contract.address} what="address">
                <AddressLink network={network} address={contract.address} full />
              </Copyable>,
            ],
            ["Channel", contract.channel ?? undefined],
            ["Deployed by", deployerOf(contract)],
            [
              "Transaction",
              contract.transactionHash == null ? undefined : (
                <Copyable key="hash" text={contract.transactionHash} what="hash">
                  <TextLink
                    to="/networks/$network/transactions/$hash"
                    params={{ network, hash: contract.transactionHash }}
                    search={{ channel: contract.channel ?? undefined }}
                  >
                    {contract.transactionHash}
                  </TextLink>
                </Copyable>
              ),
            ],
            ["Added", formatTime(contract.createdAt)],
          ]}
        />
      </Panel>
      <Group>
        <SegmentedControl
          aria-label="Parts of the contract"
          data={called ? CALL_TABS : TABS}
          value={tab}
          onChange={setTab}
        />
      </Group>
      {tab === "call" && <Calls network={network} contract={contract} functions={functions ?? []} />}
      {tab === "read" && <Functions network={network} contract={contract} kind="read" />}
      {tab === "write" && <Functions network={network} contract={contract} kind="write" />}
      {tab === "events" && <ContractEvents network={network} contract={contract} />}
      {tab === "interface" && (
        <Suspense fallback={<Skeleton height={180} />}>
          <CodeView label="Interface as JSON" value={JSON.stringify(contract.interface, null, 2)} readOnly />
        </Suspense>
      )}
    </Stack>
  );
}

function Functions({ network, contract, kind }: { network: string; contract: Contract; kind: "read" | "write" }) {
  const [from, setFrom] = useState<string | null>(null);
  const functions = useMemo(
    () =>
      readAbi(Array.isArray(contract.interface) ? contract.interface : []).filter(
        (entry) => entry.type === "function" && isRead(entry) === (kind === "read"),
      ),
    [contract.interface, kind],
  );
  if (functions.length === 0) {
    return (
      <Panel>
        <Empty title={kind === "read" ? "No function that only reads" : "No function that writes"} />
      </Panel>
    );
  }
  return (
    <Stack gap="lg">
      {kind === "write" && (
        <div style={{ maxWidth: 460 }}>
          <SignerSelect network={network} value={from} onChange={setFrom} />
        </div>
      )}
      <Panel flush>
        {functions.map((entry) =>
          kind === "read" ? (
            <ReadForm key={signature(entry)} network={network} contract={contract} entry={entry} />
          ) : (
            <WriteForm key={signature(entry)} network={network} contract={contract} entry={entry} from={from} />
          ),
        )}
      </Panel>
    </Stack>
  );
}
