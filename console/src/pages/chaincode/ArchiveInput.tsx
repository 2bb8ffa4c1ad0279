import { Button, FileButton, Group, Stack, Text } from "@mantine/core";
import { type DragEvent, useState } from "react";
import { archiveProblem, isGzip, toBase64 } from "../../lib/chaincode";
import { formatBytes } from "../../lib/format";
import { IconUpload } from "../../ui/icons";
import "../contracts/contracts.css";

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
  const [over, setOver] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const refuse = (problem: string) => {
    setTrouble(problem);
    onChange(undefined);
  };
  const read = async (file: File | null | undefined) => {
    if (file == null) return;
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
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void read(event.dataTransfer.files[0]);
  };
  return (
    <Stack gap="sm">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is an addition to the button inside */}
      <div
        className="drop"
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Group justify="center" gap="sm">
          <IconUpload size={20} color="var(--ink-soft)" />
          <Text size="sm">Drop the .tar.gz file of the source here, or</Text>
          <FileButton
            onChange={read}
            accept=".tgz,.gz,application/gzip"
            inputProps={{ "aria-label": "Source archive" }}
          >
            {(props) => (
              <Button size="xs" variant="default" {...props}>
                Choose a file
              </Button>
            )}
          </FileButton>
        </Group>
      </div>
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
