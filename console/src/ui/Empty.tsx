import { Text } from "@mantine/core";
import type { ReactNode } from "react";

/** Still water: nothing here yet, and what would bring something. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <svg
        className="empty-mark"
        width="88"
        height="36"
        viewBox="0 0 88 36"
        fill="none"
        aria-hidden="true"
        focusable="false"
      >
        <path
          stroke="var(--line-strong)"
          strokeWidth="2"
          strokeLinecap="round"
          d="M4 12h22M34 12h50M12 22h46M66 22h14M24 32h36"
        />
        <path stroke="var(--accent)" strokeWidth="2" strokeLinecap="round" d="m36 8 8-6 8 6" />
      </svg>
      <Text fw={500}>{title}</Text>
      {children && (
        <Text size="sm" c="dimmed" maw={440}>
          {children}
        </Text>
      )}
      {action && <div style={{ marginTop: 10 }}>{action}</div>}
    </div>
  );
}
