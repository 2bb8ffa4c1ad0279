import { Button, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useMemo, useState } from "react";
import { api, done } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import type { Arguments } from "../../api/types";
import { type Artifact, readArtifact } from "../../lib/abi";
import { plural } from "../../lib/format";
import { Allowed } from "../../ui/Allowed";
import { ArgumentFields } from "../../ui/ArgumentFields";
import { useAction } from "../../ui/actions";
import { Panel } from "../../ui/Panel";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { SignerSelect } from "../../ui/SignerSelect";
import { useArguments } from "../../ui/useArguments";
import { ArtifactInput } from "./ArtifactInput";

const route = getRouteApi("/signed-in/networks/$network/contracts/deploy");

type Way = "deploy" | "register";

export function Deploy() {
  return (
    <Allowed permission="contracts:write">
      <Ways />
    </Allowed>
  );
}

function Ways() {
  const { network } = route.useParams();
  const [way, setWay] = useState<Way>("deploy");
  const [text, setText] = useState("");
  const [settled] = useDebouncedValue(text, 200);
  const { artifact, error } = useMemo(() => tryRead(settled), [settled]);
  const lacksCode = way === "deploy" && artifact !== undefined && !artifact.hasBytecode;
  return (
    <Stack gap="lg" maw={860}>
      <SegmentedControl
        aria-label="Deploy or register"
        data={[
          { value: "deploy", label: "Deploy a new contract" },
          { value: "register", label: "Register one on the ledger" },
        ]}
        value={way}
        onChange={(value) => setWay(value as Way)}
        style={{ alignSelf: "flex-start" }}
      />
      <Panel title="1. Artifact">
        <Text size="sm" c="dimmed" mb="sm">
          What Hardhat, Foundry, Truffle or Remix wrote for the contract: its interface (ABI) and its bytecode.
        </Text>
        <ArtifactInput
          value={text}
          onChange={setText}
          error={
            lacksCode ? "The artifact has no bytecode: an interface or abstract contract cannot be deployed." : error
          }
        />
        {artifact && !lacksCode && (
          <Text size="sm" c="var(--ok)" mt="sm" role="status">
            {artifact.name ?? "Artifact"} read:{" "}
            {plural(artifact.abi.filter((entry) => entry.type === "function").length, "function")},{" "}
            {plural(artifact.abi.filter((entry) => entry.type === "event").length, "event")}.
          </Text>
        )}
      </Panel>
      {artifact && !lacksCode && (
        <DeployForm key={`${way} ${settled.length} ${artifact.name}`} network={network} artifact={artifact} way={way} />
      )}
    </Stack>
  );
}

function tryRead(text: string): { artifact?: Artifact; error?: string } {
  if (text.trim() === "") return {};
  try {
    return { artifact: readArtifact(text) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

function DeployForm({ network, artifact, way }: { network: string; artifact: Artifact; way: Way }) {
  const navigate = useNavigate();
  const inputs = artifact.abi.find((entry) => entry.type === "constructor")?.inputs ?? [];
  const form = useArguments(inputs);
  const [name, setName] = useState(artifact.name ?? "");
  const [from, setFrom] = useState<string | null>(null);
  const [address, setAddress] = useState("");
  const submit = useAction(
    (args: Arguments) =>
      done(
        api.POST("/api/v1/networks/{network}/contracts", {
          params: { path: { network } },
          body: {
            name: name || undefined,
            artifact: artifact.document,
            ...(way === "deploy" ? { args, from: from ?? undefined } : { address: address.trim() }),
          },
        }),
      ),
    ({ contract, result }) => {
      if (contract)
        void navigate({ to: "/networks/$network/contracts/$contract", params: { network, contract: contract.id } });
      // Not known yet to have succeeded: the transaction's page follows it.
      else if (result)
        void navigate({
          to: "/networks/$network/transactions/$hash",
          params: { network, hash: result.transactionHash },
        });
    },
  );
  const errors = fieldErrors(submit.error);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const args = way === "deploy" ? form.take() : [];
    if (args) submit.mutate(args);
  };
  return (
    <form onSubmit={onSubmit} noValidate>
      <Panel title={way === "deploy" ? "2. Deployment" : "2. Where it is"}>
        <Stack gap="md">
          <TextInput
            label="Display name"
            value={name}
            error={errors.name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          {way === "deploy" ? (
            <>
              {inputs.length > 0 ? (
                <div>
                  <Text size="sm" fw={600} mb="xs">
                    Constructor arguments
                  </Text>
                  <ArgumentFields
                    parameters={inputs}
                    drafts={form.drafts}
                    errors={form.errors}
                    onChange={form.setDrafts}
                  />
                </div>
              ) : (
                <Text size="sm" c="dimmed">
                  The constructor takes no arguments.
                </Text>
              )}
              <SignerSelect network={network} value={from} onChange={setFrom} />
            </>
          ) : (
            <TextInput
              label="Address of the contract"
              placeholder="0x…"
              value={address}
              error={errors.address}
              onChange={(event) => setAddress(event.currentTarget.value)}
            />
          )}
          <ProblemAlert error={submit.error} />
          <Button
            type="submit"
            loading={submit.isPending}
            disabled={way === "deploy" ? from === null : address.trim() === ""}
            style={{ alignSelf: "flex-start" }}
          >
            {way === "deploy" ? "Deploy the contract" : "Register the contract"}
          </Button>
        </Stack>
      </Panel>
    </form>
  );
}
