import { Modal, Text } from "@mantine/core";
import type { ReactNode } from "react";

interface DialogProps {
  title: string;
  opened: boolean;
  onClose: () => void;
  /** Wider than for a form: for a table. */
  wide?: boolean;
  children: ReactNode;
}

/** The frame of every dialog: its title, and a way out that has a name. */
export function Dialog({ title, opened, onClose, wide = false, children }: DialogProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      size={wide ? "lg" : undefined}
      title={<Text fw={600}>{title}</Text>}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {children}
    </Modal>
  );
}
