import { ActionIcon, Button, Group, SegmentedControl, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { api, done } from "../../api/client";
import { accountsQuery } from "../../api/queries";
import { useCan } from "../../api/session";
import type { Arguments, Contract } from "../../api/types";
import {
  type ContractFunction,
  type ContractParameter,
  parseTexts,
  readFreeArguments,
  readTransient,
  type TransientField,
} from "../../lib/metadata";
import { useAction } from "../../ui/actions";
import { showValue } from "../../ui/Facts";
import { IconDelete, IconPlus } from "../../ui/icons";
import { Panel } from "../../ui/Panel";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { SignerSelect } from "../../ui/SignerSelect";
import { Sent } from "./Sent";

interface CallsProps {
  network: string;
  contract: Contract;
  /** None when the contract does not describe itself. */
  functions: ContractFunction[];
}

/** The functions of a contract whose arguments are texts: each can be asked, and its effect be written to the ledger. */
export function Calls({ network, contract, functions }: CallsProps) {
  const [from, setFrom] = useState<string | null>(null);
  const can = useCan();
  return (
    <Stack gap="lg">
      {can("ledger:write") && (
        <div style={{ maxWidth: 460 }}>
          <SignerSelect network={network} value={from} onChange={setFrom} />
        </div>
      )}
      <Panel flush>
        {functions.length === 0 ? (
          <FreeForm network={network} contract={contract} from={from} />
        ) : (
          functions.map((entry) => (
            <FunctionForm key={entry.name} network={network} contract={contract} from={from} entry={entry} />
          ))
        )}
      </Panel>
    </Stack>
  );
}

interface FormProps {
  network: string;
  contract: Contract;
  from: string | null;
}

function FunctionForm({ entry, ...props }: FormProps & { entry: ContractFunction }) {
  const [typed, setTyped] = useState<string[]>(() =>
    entry.parameters.map(({ kind }) => (kind === "boolean" ? "false" : "")),
  );
  const [tried, setTried] = useState(false);
  const parsed = parseTexts(entry.parameters, typed);
  const errors = tried && "errors" in parsed ? parsed.errors : [];
  return (
    <CallFrame
      {...props}
      name={entry.name}
      types={typesOf(entry)}
      reads={entry.reads}
      take={() => {
        setTried(true);
        return "values" in parsed ? { name: entry.name, args: parsed.values } : undefined;
      }}
    >
      {entry.parameters.map((parameter, index) => (
        <ParameterField
          // biome-ignore lint/suspicious/noArrayIndexKey: parameters are in fixed order and may lack names
          key={index}
          parameter={parameter}
          value={typed[index] ?? ""}
          error={errors[index]}
          onChange={(text) => setTyped((old) => old.map((one, at) => (at === index ? text : one)))}
        />
      ))}
    </CallFrame>
  );
}

/** For contracts that do not describe themselves. */
function FreeForm(props: FormProps) {
  const [name, setName] = useState("");
  const [typed, setTyped] = useState("");
  const [tried, setTried] = useState(false);
  const args = readFreeArguments(typed);
  const missing = name.trim() === "";
  return (
    <CallFrame
      {...props}
      name="Call a function"
      types="The contract does not describe its functions."
      take={() => {
        setTried(true);
        return missing || "error" in args ? undefined : { name: name.trim(), args: args.values };
      }}
    >
      <TextInput
        label="Function"
        autoComplete="off"
        spellCheck={false}
        value={name}
        error={tried && missing ? "Name the function." : undefined}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Textarea
        label="Arguments"
        description="A JSON list; what is no text reaches the contract as JSON"
        placeholder='["asset1", "blue", 5]'
        autosize
        minRows={2}
        spellCheck={false}
        value={typed}
        error={tried && "error" in args ? args.error : undefined}
        onChange={(event) => setTyped(event.currentTarget.value)}
        styles={MONO}
      />
    </CallFrame>
  );
}

const MONO = { input: { fontFamily: "var(--mantine-font-family-monospace)" } };

interface ParameterFieldProps {
  parameter: ContractParameter;
  value: string;
  error?: string;
  onChange: (text: string) => void;
}

function ParameterField({ parameter, value, error, onChange }: ParameterFieldProps) {
  const label = (
    <>
      {parameter.name}{" "}
      <Text span size="xs" c="dimmed" className="mono">
        {parameter.type}
      </Text>
    </>
  );
  if (parameter.kind === "boolean") {
    return (
      <div>
        <Text size="sm" fw={500} mb={4}>
          {label}
        </Text>
        <SegmentedControl
          aria-label={parameter.name}
          size="xs"
          data={["true", "false"]}
          value={value}
          onChange={onChange}
        />
      </div>
    );
  }
  if (parameter.kind === "json") {
    return (
      <Textarea
        label={label}
        description="JSON"
        placeholder={parameter.example}
        autosize
        minRows={2}
        spellCheck={false}
        value={value}
        error={error}
        onChange={(event) => onChange(event.currentTarget.value)}
        styles={MONO}
      />
    );
  }
  return (
    <TextInput
      label={label}
      inputMode={parameter.kind === "integer" ? "numeric" : parameter.kind === "number" ? "decimal" : undefined}
      autoComplete="off"
      spellCheck={false}
      value={value}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

interface Taken {
  name: string;
  args: unknown[];
}

interface CallFrameProps extends FormProps {
  name: string;
  types: string;
  reads?: boolean;
  /** The call, or undefined when something is wrong: then the errors show. */
  take: () => Taken | undefined;
  children: ReactNode;
}

function CallFrame({ network, contract, from, name, types, reads, take, children }: CallFrameProps) {
  const can = useCan();
  const [fields, setFields] = useState<TransientField[]>([]);
  const [tried, setTried] = useState(false);
  const transient = readTransient(fields);
  const path = { network, contract: contract.id };
  const bodyOf = ({ name, args }: Taken) => ({
    function: name,
    args: args as Arguments,
    from: from ?? undefined,
    transient: "value" in transient ? transient.value : undefined,
  });
  // A question is asked by an address, what is signed by an account.
  const asking = useQuery(accountsQuery(network)).data?.items.find((account) => account.id === from)?.address;
  const query = useMutation({
    mutationFn: (call: Taken) => {
      const body = { ...bodyOf(call), from: asking };
      return done(api.POST("/api/v1/networks/{network}/contracts/{contract}/call", { params: { path }, body }));
    },
  });
  const invoke = useAction((call: Taken) =>
    done(api.POST("/api/v1/networks/{network}/contracts/{contract}/send", { params: { path }, body: bodyOf(call) })),
  );
  const begin = (way: "query" | "invoke") => {
    setTried(true);
    const call = take();
    if (call === undefined || "error" in transient) return;
    query.reset();
    invoke.reset();
    (way === "query" ? query : invoke).mutate(call);
  };
  const writes = can("ledger:write");
  // Enter asks, unless the contract says that the function is there to write.
  const submit = (event: FormEvent) => {
    event.preventDefault();
    begin(reads === false && writes && from !== null ? "invoke" : "query");
  };
  return (
    <form className="function" onSubmit={submit} aria-label={name} noValidate>
      <Text fw={600} className="mono break">
        {name}
      </Text>
      <Text size="xs" c="dimmed" className="break">
        {types}
      </Text>
      <Stack gap="sm" mt="sm" maw={560}>
        {children}
        <TransientFields
          fields={fields}
          error={tried && "error" in transient ? transient.error : undefined}
          onChange={setFields}
        />
        <Group gap="xs">
          <Button
            size="xs"
            variant={reads === false ? "default" : "filled"}
            loading={query.isPending}
            disabled={invoke.isPending}
            aria-label={`Query: ${name}`}
            onClick={() => begin("query")}
          >
            Query
          </Button>
          {writes && (
            <Button
              size="xs"
              variant={reads === false ? "filled" : "default"}
              loading={invoke.isPending}
              disabled={from === null || query.isPending}
              aria-label={`Invoke: ${name}`}
              onClick={() => begin("invoke")}
            >
              Invoke
            </Button>
          )}
          {/* Lets Enter submit: the buttons above choose between two ways. */}
          <button type="submit" hidden tabIndex={-1} aria-hidden="true" />
        </Group>
      </Stack>
      <ProblemAlert error={query.error ?? invoke.error} mt="sm" />
      {query.data && (
        <div className="result" role="status">
          {showValue(query.data.result)}
        </div>
      )}
      {invoke.data && <Sent network={network} contract={contract} result={invoke.data} />}
    </form>
  );
}

interface TransientFieldsProps {
  fields: TransientField[];
  error?: string;
  onChange: (fields: TransientField[]) => void;
}

/** Data that the contract sees and the ledger does not keep. */
function TransientFields({ fields, error, onChange }: TransientFieldsProps) {
  const set = (at: number, part: Partial<TransientField>) =>
    onChange(fields.map((field, index) => (index === at ? { ...field, ...part } : field)));
  return (
    <details>
      <summary style={{ cursor: "pointer", fontSize: "0.8125rem" }}>Advanced: transient fields</summary>
      <Stack gap="xs" mt="xs" align="flex-start">
        <Text size="xs" c="dimmed">
          Private data for the contract: it sees them, and the ledger does not keep them.
        </Text>
        {fields.map((field, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity while they are typed
          <Group key={index} gap="xs" wrap="nowrap" w="100%">
            <TextInput
              size="xs"
              style={{ flex: "1 1 0", minWidth: 0 }}
              placeholder="Name"
              aria-label={`Name of transient field ${index + 1}`}
              autoComplete="off"
              value={field.name}
              onChange={(event) => set(index, { name: event.currentTarget.value })}
            />
            <TextInput
              size="xs"
              style={{ flex: "2 1 0", minWidth: 0 }}
              placeholder="Value"
              aria-label={`Value of transient field ${index + 1}`}
              autoComplete="off"
              spellCheck={false}
              value={field.value}
              onChange={(event) => set(index, { value: event.currentTarget.value })}
            />
            <ActionIcon
              size="sm"
              aria-label={`Remove transient field ${index + 1}`}
              onClick={() => onChange(fields.filter((_, at) => at !== index))}
            >
              <IconDelete size={14} />
            </ActionIcon>
          </Group>
        ))}
        {error && (
          <Text size="xs" c="var(--bad)" role="alert">
            {error}
          </Text>
        )}
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => onChange([...fields, { name: "", value: "" }])}
        >
          Add a field
        </Button>
      </Stack>
    </details>
  );
}

function typesOf({ parameters, reads, returns }: ContractFunction): string {
  const inputs = parameters.map(({ name, type }) => `${type} ${name}`).join(", ");
  const kind = reads === undefined ? "" : reads ? ", reads" : ", writes";
  return `(${inputs})${returns ? ` → ${returns}` : ""}${kind}`;
}
