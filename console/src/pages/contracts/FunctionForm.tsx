import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { api, done } from "../../api/client";
import type { Arguments, Contract } from "../../api/types";
import { type AbiEntry, type AbiParameter, parseArgument, signature } from "../../lib/abi";
import { ArgumentFields } from "../../ui/ArgumentFields";
import { useAction } from "../../ui/actions";
import { Facts, showValue } from "../../ui/Facts";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { AddressLink } from "../../ui/tables";
import { useArguments } from "../../ui/useArguments";
import { Sent } from "./Sent";

interface FormProps {
  network: string;
  contract: Contract;
  entry: AbiEntry;
}

export function ReadForm({ network, contract, entry }: FormProps) {
  const form = useArguments(entry.inputs);
  const call = useMutation({
    mutationFn: (args: Arguments) =>
      done(
        api.POST("/api/v1/networks/{network}/contracts/{contract}/call", {
          params: { path: { network, contract: contract.id } },
          body: { function: signature(entry), args },
        }),
      ),
  });
  return (
    <FunctionFrame
      entry={entry}
      form={form}
      pending={call.isPending}
      button="Read"
      variant="default"
      onSubmit={(args) => call.mutate(args)}
    >
      <ProblemAlert error={call.error} mt="sm" />
      {call.data && (
        <div className="result" role="status">
          <Outputs network={network} outputs={entry.outputs ?? []} result={call.data.result} />
        </div>
      )}
    </FunctionFrame>
  );
}

export function WriteForm({ network, contract, entry, from }: FormProps & { from: string | null }) {
  const form = useArguments(entry.inputs);
  const payable = entry.stateMutability === "payable";
  const [value, setValue] = useState("0");
  const amount = parseArgument({ name: "value", type: "uint256" }, value);
  const send = useAction((args: Arguments) =>
    done(
      api.POST("/api/v1/networks/{network}/contracts/{contract}/send", {
        params: { path: { network, contract: contract.id } },
        body: { function: signature(entry), args, from: from ?? undefined, value: payable ? value : undefined },
      }),
    ),
  );
  return (
    <FunctionFrame
      entry={entry}
      form={form}
      pending={send.isPending}
      button="Sign and send"
      disabled={from === null || (payable && "error" in amount)}
      onSubmit={(args) => send.mutate(args)}
      extra={
        payable && (
          <TextInput
            label="Value to send along (wei)"
            inputMode="numeric"
            value={value}
            error={"error" in amount ? amount.error : undefined}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
        )
      }
    >
      <ProblemAlert error={send.error} mt="sm" />
      {send.data && <Sent network={network} contract={contract} result={send.data} />}
    </FunctionFrame>
  );
}

interface FrameProps {
  entry: AbiEntry;
  form: ReturnType<typeof useArguments>;
  pending: boolean;
  button: string;
  variant?: string;
  disabled?: boolean;
  extra?: ReactNode;
  onSubmit: (args: Arguments) => void;
  children: ReactNode;
}

function FunctionFrame({ entry, form, pending, button, variant, disabled, extra, onSubmit, children }: FrameProps) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const args = form.take();
    if (args) onSubmit(args);
  };
  const short = entry.inputs.length === 0 && !extra;
  return (
    <form className="function" onSubmit={submit} aria-label={entry.name} noValidate>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0 }}>
          <Text fw={600} className="mono break">
            {entry.name}
          </Text>
          <Text size="xs" c="dimmed" className="mono break">
            {typesOf(entry)}
          </Text>
        </div>
        {short && (
          <Button
            size="xs"
            type="submit"
            variant={variant}
            loading={pending}
            disabled={disabled}
            aria-label={`${button}: ${entry.name}`}
          >
            {button}
          </Button>
        )}
      </Group>
      {!short && (
        <Stack gap="sm" mt="sm" maw={560}>
          <ArgumentFields
            parameters={entry.inputs}
            drafts={form.drafts}
            errors={form.errors}
            onChange={form.setDrafts}
          />
          {extra}
          <Button
            size="xs"
            type="submit"
            variant={variant}
            loading={pending}
            disabled={disabled}
            style={{ alignSelf: "flex-start" }}
            aria-label={`${button}: ${entry.name}`}
          >
            {button}
          </Button>
        </Stack>
      )}
      {children}
    </form>
  );
}

function typesOf(entry: AbiEntry): string {
  const inputs = entry.inputs.map((input) => `${input.type}${input.name ? ` ${input.name}` : ""}`).join(", ");
  const outputs = (entry.outputs ?? [])
    .map((output) => `${output.type}${output.name ? ` ${output.name}` : ""}`)
    .join(", ");
  return `(${inputs})${entry.stateMutability === "payable" ? " payable" : ""}${outputs ? ` → ${outputs}` : ""}`;
}

/** A single return value comes as itself, several as a list. */
function Outputs({ network, outputs, result }: { network: string; outputs: AbiParameter[]; result: unknown }) {
  if (outputs.length <= 1) return <Output network={network} type={outputs[0]?.type} value={result} />;
  const values = Array.isArray(result) ? result : [result];
  return (
    <Facts
      items={outputs.map((output, index) => [
        output.name || `${output.type} ${index}`,
        <Output key={output.name || String(index)} network={network} type={output.type} value={values[index]} />,
      ])}
    />
  );
}

function Output({ network, type, value }: { network: string; type?: string; value: unknown }) {
  if (type === "address" && typeof value === "string") return <AddressLink network={network} address={value} full />;
  return <>{showValue(value)}</>;
}
