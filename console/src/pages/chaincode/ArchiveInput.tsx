import { Stack, Text } from "@mantine/core";
import { useState } from "react";
import { archiveProblem, isGzip, toBase64 } from "../../lib/chaincode";
import { formatBytes } from "../../lib/format";
import { FileDrop } from "../../ui/FileDrop";

export interface Archive {
  name: string;
  size: number;
  /** Its bytes in base64. */
  source: string;
}

interface ArchiveInputProps {
  value: Archive | undefined;
  onChange: (archive: Archive | undefined) => void;
  error?: string;
}

/** Takes the source as a tar.gz archive, by file or by drop. */
export function ArchiveInput({ value, onChange, error }: ArchiveInputProps) {
  const [trouble, setTrouble] = useState<string>();
  const refuse = (problem: string) => {
    setTrouble(problem);
    onChange(undefined);
  };
  const read = async (file: File) => {
    const problem = archiveProblem(file.name, file.size);
    if (problem !== undefined) return refuse(problem);
    const bytes = await file.arrayBuffer().then(
      (buffer) => new Uint8Array(buffer),
      () => undefined,
    );
    if (bytes === undefined) return refuse(`${file.name} cannot be read.`);
    if (!isGzip(bytes)) return refuse(`${file.name} is not compressed with gzip. Make it with “tar czf”.`);
    setTrouble(undefined);
    onChange({ name: file.name, size: file.size, source: toBase64(bytes) });
  };
  return (
    <Stack gap="sm">
      <FileDrop
        label="Source archive"
        hint="Drop the .tar.gz file of the source here, or"
        accept=".tgz,.gz,application/gzip"
        onFile={read}
      />
      {value && (
        <Text size="sm" c="var(--ok)" className="break" role="status">
          {value.name} read, {formatBytes(value.size)}.
        </Text>
      )}
      {(trouble ?? error) && (
        <Text size="sm" c="var(--bad)" role="alert">
          {trouble ?? error}
        </Text>
      )}
    </Stack>
  );
}
