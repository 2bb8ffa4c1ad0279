import { Fieldset, SegmentedControl, Stack, Text, Textarea, TextInput } from "@mantine/core";
import type { AbiParameter, Draft } from "../lib/abi";

interface ArgumentFieldsProps {
  parameters: AbiParameter[];
  drafts: Draft[];
  /** What is wrong, by place; shown once the person tried. */
  errors: (string | undefined)[];
  onChange: (drafts: Draft[]) => void;
}

/** One field for each parameter of a function or constructor. */
export function ArgumentFields({ parameters, drafts, errors, onChange }: ArgumentFieldsProps) {
  return (
    <Stack gap="sm">
      {parameters.map((parameter, index) => (
        <ArgumentField
          // biome-ignore lint/suspicious/noArrayIndexKey: parameters are in fixed order and may lack names
          key={index}
          parameter={parameter}
          label={parameter.name || `argument ${index + 1}`}
          draft={drafts[index] ?? ""}
          error={errors[index]}
          onChange={(draft) => onChange(parameters.map((_, at) => (at === index ? draft : (drafts[at] ?? ""))))}
        />
      ))}
    </Stack>
  );
}

interface ArgumentFieldProps {
  parameter: AbiParameter;
  label: string;
  draft: Draft;
  error?: string;
  onChange: (draft: Draft) => void;
}

function ArgumentField({ parameter, label, draft, error, onChange }: ArgumentFieldProps) {
  if (parameter.type === "tuple") {
    const drafts = Array.isArray(draft) ? draft : [];
    return (
      <Fieldset legend={label}>
        <ArgumentFields parameters={parameter.components ?? []} drafts={drafts} errors={[]} onChange={onChange} />
        {error && (
          <Text size="xs" c="var(--bad)" mt="xs" role="alert">
            {error}
          </Text>
        )}
      </Fieldset>
    );
  }
  const text = typeof draft === "string" ? draft : "";
  const named = (
    <>
      {label}{" "}
      <Text span size="xs" c="dimmed" className="mono">
        {parameter.type}
      </Text>
    </>
  );
  if (parameter.type === "bool") {
    return (
      <div>
        <Text size="sm" fw={500} mb={4}>
          {named}
        </Text>
        <SegmentedControl
          aria-label={label}
          size="xs"
          data={["true", "false"]}
          value={text || "false"}
          onChange={onChange}
        />
      </div>
    );
  }
  if (parameter.type.endsWith("]")) {
    return (
      <Textarea
        label={named}
        autosize
        minRows={2}
        placeholder={parameter.type.startsWith("tuple") ? '[["0x…", "1"]]' : '["…", "…"]'}
        description="A JSON array"
        value={text}
        error={error}
        onChange={(event) => onChange(event.currentTarget.value)}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      />
    );
  }
  return (
    <TextInput
      label={named}
      placeholder={parameter.type === "address" || parameter.type.startsWith("bytes") ? "0x…" : undefined}
      inputMode={/^u?int/.test(parameter.type) ? "numeric" : undefined}
      autoComplete="off"
      spellCheck={false}
      value={text}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
