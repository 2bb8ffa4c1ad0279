import { Stack, Text } from "@mantine/core";
import { useState } from "react";
import CodeEditor from "../../ui/CodeEditor";
import { FileDrop } from "../../ui/FileDrop";

/** More than this is no compiled contract. */
const LARGEST_BYTES = 8 * 1024 * 1024;

interface ArtifactInputProps {
  value: string;
  onChange: (text: string) => void;
  error?: string;
}

/** Takes a compiled artifact by file, by drop, or pasted. */
export function ArtifactInput({ value, onChange, error }: ArtifactInputProps) {
  const [trouble, setTrouble] = useState<string>();
  const read = async (file: File) => {
    if (file.size > LARGEST_BYTES) {
      setTrouble(`${file.name} is too large for a compiled contract. Choose the artifact of one contract.`);
      return;
    }
    setTrouble(undefined);
    onChange(await file.text());
  };
  return (
    <Stack gap="sm">
      <FileDrop
        label="Artifact file"
        hint="Drop the compiler's JSON file here, or"
        accept="application/json,.json"
        onFile={read}
      />
      <CodeEditor
        label="Artifact as JSON"
        placeholder='{"contractName": "…", "abi": […], "bytecode": "0x…"}'
        value={value}
        onChange={onChange}
      />
      {(trouble ?? error) && (
        <Text size="sm" c="var(--bad)" role="alert">
          {trouble ?? error}
        </Text>
      )}
    </Stack>
  );
}
