import { Title } from "@mantine/core";
import { type ReactNode, useId } from "react";

interface PanelProps {
  title?: ReactNode;
  actions?: ReactNode;
  /** Without padding, for tables and graphs that reach the edges. */
  flush?: boolean;
  children: ReactNode;
}

export function Panel({ title, actions, flush = false, children }: PanelProps) {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={title === undefined ? undefined : id}>
      {(title !== undefined || actions !== undefined) && (
        <div className="panel-head">
          {title !== undefined && (
            <Title order={2} id={id}>
              {title}
            </Title>
          )}
          {actions}
        </div>
      )}
      {flush ? children : <div className="panel-body">{children}</div>}
    </section>
  );
}
