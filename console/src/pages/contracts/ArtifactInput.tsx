import { Button, FileButton, Group, Skeleton, Stack, Text } from "@mantine/core";
import { type DragEvent, lazy, Suspense, useState } from "react";
import { IconUpload } from "../../ui/icons";

const CodeEditor = lazy(() => import("../../ui/CodeEditor"));

/** More than this is no compiled contract. */
const LARGEST_BYTES = 8 * 1024 * 1024;

interface ArtifactInputProps {
  value: string;
  onChange: (text: string) => void;
  error?: string;
}

/** Takes a compiled artifact by file, by drop, or pasted. */
export function ArtifactInput({ value, onChange, error }: ArtifactInputProps) {
  const [over, setOver] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const read = async (file: File | null | undefined) => {
    if (file == null) return;
    if (file.size > LARGEST_BYTES) {
      setTrouble(`${file.name} is too large for a compiled contract. Choose the artifact of one contract.`);
      return;
    }
    setTrouble(undefined);
    onChange(await file.text());
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
          <Text size="sm">Drop the compiler's JSON file here, or</Text>
          <FileButton onChange={read} accept="application/json,.json" inputProps={{ "aria-label": "Artifact file" }}>
            {(props) => (
              <Button size="xs" variant="default" {...props}>
                Choose a file
              </Button>
            )}
          </FileButton>
        </Group>
      </div>
      <Suspense fallback={<Skeleton height={180} />}>
        <CodeEditor
          label="Artifact as JSON"
          placeholder='{"contractName": "…", "abi": […], "bytecode": "0x…"}'
          value={value}
          onChange={onChange}
        />
      </Suspense>
      {(trouble ?? error) && (
        <Text size="sm" c="var(--bad)" role="alert">
          {trouble ?? error}
        </Text>
      )}
    </Stack>
  );
}
