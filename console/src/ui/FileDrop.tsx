import { Button, FileButton, Group, Text } from "@mantine/core";
import { type DragEvent, useState } from "react";
import { IconUpload } from "./icons";
import "./file-drop.css";

interface FileDropProps {
  /** Of the file input, for who cannot see it. */
  label: string;
  /** What stands before the button. */
  hint: string;
  accept: string;
  onFile: (file: File) => void;
}

/** Takes a file by choice or by drop. */
export function FileDrop({ label, hint, accept, onFile }: FileDropProps) {
  const [over, setOver] = useState(false);
  const take = (file: File | null | undefined) => {
    if (file != null) onFile(file);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is an addition to the button inside
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
        <Text size="sm">{hint}</Text>
        <FileButton onChange={take} accept={accept} inputProps={{ "aria-label": label }}>
          {(props) => (
            <Button size="xs" variant="default" {...props}>
              Choose a file
            </Button>
          )}
        </FileButton>
      </Group>
    </div>
  );
}
