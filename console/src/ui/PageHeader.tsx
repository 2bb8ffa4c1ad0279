import { Group, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { Fragment, type ReactNode } from "react";

interface PageHeaderProps {
  title: string;
  /** Of the browser's window; the title when absent. */
  documentTitle?: string;
  crumbs?: ReactNode[];
  badge?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
}

export function PageHeader({ title, documentTitle, crumbs = [], badge, description, actions }: PageHeaderProps) {
  useDocumentTitle(`${documentTitle ?? title} · Polder`);
  return (
    <header className="page-head">
      <div style={{ minWidth: 0, flex: "1 1 320px" }}>
        {crumbs.length > 0 && (
          <nav aria-label="Breadcrumb" className="crumbs">
            {crumbs.map((crumb, index) => (
              // The crumbs of one page never change order.
              // biome-ignore lint/suspicious/noArrayIndexKey: see above
              <Fragment key={index}>
                {index > 0 && <span aria-hidden="true">/</span>}
                {crumb}
              </Fragment>
            ))}
          </nav>
        )}
        <Group gap="sm" wrap="wrap">
          <Title order={1} className="break">
            {title}
          </Title>
          {badge}
        </Group>
        {description && (
          <Text c="dimmed" size="sm" mt={4} maw={720}>
            {description}
          </Text>
        )}
      </div>
      {actions && <Group gap="xs">{actions}</Group>}
    </header>
  );
}
