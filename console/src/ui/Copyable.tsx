import { ActionIcon, CopyButton, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";
import { shorten } from "../lib/format";
import { IconCheck, IconCopy } from "./icons";

export function CopyAction({ text, what = "value" }: { text: string; what?: string }) {
  return (
    <CopyButton value={text} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : `Copy ${what}`}>
          <ActionIcon size="sm" onClick={copy} aria-label={copied ? "Copied" : `Copy ${what}`}>
            {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

interface CopyableProps {
  text: string;
  what?: string;
  /** Shown in place of the text, such as a link. */
  children?: ReactNode;
  short?: boolean;
}

/** A hash, key or address in type of equal width, with a button that copies the whole of it. */
export function Copyable({ text, what, children, short = false }: CopyableProps) {
  return (
    <span className="copy-line">
      <span className="mono break" title={short ? text : undefined}>
        {children ?? (short ? shorten(text) : text)}
      </span>
      <CopyAction text={text} what={what} />
    </span>
  );
}
