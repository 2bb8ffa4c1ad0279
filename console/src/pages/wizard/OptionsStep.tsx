import { NumberInput, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { Engine } from "../../api/types";
import { formatKey } from "../../lib/format";
import { Panel } from "../../ui/Panel";
import type { NetworkDraft } from "./draft";
import { type Option, readOptions } from "./schema";

const CodeEditor = lazy(() => import("../../ui/CodeEditor"));

interface OptionsStepProps {
  engine: Engine;
  draft: NetworkDraft;
  errors: Record<string, string>;
  onChange: (part: Partial<NetworkDraft>) => void;
}

export function OptionsStep({ engine, draft, errors, onChange }: OptionsStepProps) {
  const set = (name: string, value: unknown) => onChange({ options: { ...draft.options, [name]: value } });
  return (
    <Panel title="Options">
      <Stack gap="lg">
        <Text size="sm" c="dimmed">
          The defaults suit most networks: change only what you need.
        </Text>
        {engine.capabilities.includes("chain-id") && (
          <TextInput
            label="Chain id"
            description="Tells this ledger from others, so that a transaction for one is refused by the others. Drawn at random when empty."
            maw={420}
            inputMode="numeric"
            value={draft.chainId}
            error={errors.chainId}
            onChange={(event) => onChange({ chainId: event.currentTarget.value })}
          />
        )}
        {readOptions(engine.options).map((option) => (
          <OptionField
            key={option.name}
            option={option}
            value={draft.options[option.name]}
            error={errors[option.name]}
            onChange={(value) => set(option.name, value)}
          />
        ))}
        {engine.capabilities.includes("evm") && (
          <details>
            <summary style={{ cursor: "pointer", fontSize: "0.875rem", fontWeight: 500 }}>Custom genesis</summary>
            <Text size="sm" c="dimmed" mt="xs" mb="xs">
              An Ethereum genesis as JSON, with accounts and balances. Validators are not part of it: Polder fills them
              in.
            </Text>
            <Suspense>
              <CodeEditor label="Genesis as JSON" value={draft.genesis} onChange={(genesis) => onChange({ genesis })} />
            </Suspense>
            {errors.genesis && (
              <Text size="sm" c="var(--bad)">
                {errors.genesis}
              </Text>
            )}
          </details>
        )}
      </Stack>
    </Panel>
  );
}

interface OptionFieldProps {
  option: Option;
  value: unknown;
  error?: string;
  onChange: (value: unknown) => void;
}

function OptionField({ option, value, error, onChange }: OptionFieldProps) {
  const label = option.title ?? formatKey(option.name);
  const shared = { label, description: option.description, error, maw: 560 };
  switch (option.kind) {
    case "boolean":
      return (
        <Switch
          {...shared}
          checked={Boolean(value ?? option.default)}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case "choice":
      return (
        <Select
          {...shared}
          data={(option.enum ?? []).map(String)}
          value={String(value ?? option.default ?? "")}
          allowDeselect={false}
          onChange={onChange}
        />
      );
    case "integer":
    case "number":
      return (
        <NumberInput
          {...shared}
          allowDecimal={option.kind === "number"}
          clampBehavior="none"
          min={option.minimum}
          max={option.maximum}
          thousandSeparator=","
          value={(value ?? option.default ?? "") as number | string}
          onChange={(next) => onChange(next === "" ? undefined : next)}
        />
      );
    case "text":
      return (
        <TextInput
          {...shared}
          autoComplete="off"
          spellCheck={false}
          placeholder={option.default === undefined ? undefined : String(option.default)}
          value={String(value ?? "")}
          onChange={(event) => onChange(event.currentTarget.value || undefined)}
        />
      );
  }
}
