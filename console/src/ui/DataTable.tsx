import { ActionIcon, Button, Group, TextInput, UnstyledButton } from "@mantine/core";
import {
  type ColumnDef,
  columnFilteringFeature,
  createFilteredRowModel,
  createPaginatedRowModel,
  createSortedRowModel,
  filterFn_includesString,
  globalFilteringFeature,
  rowPaginationFeature,
  rowSortingFeature,
  sortFn_alphanumeric,
  sortFn_text,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { Fragment, type ReactNode, useDeferredValue, useMemo, useState } from "react";
import { plural } from "../lib/format";
import { Empty } from "./Empty";
import { IconDown, IconRight, IconSearch, IconSort, IconUp } from "./icons";

const features = tableFeatures({
  columnFilteringFeature,
  globalFilteringFeature,
  rowSortingFeature,
  rowPaginationFeature,
  filteredRowModel: createFilteredRowModel(),
  sortedRowModel: createSortedRowModel(),
  paginatedRowModel: createPaginatedRowModel(),
  filterFns: { includesString: filterFn_includesString },
  sortFns: { alphanumeric: sortFn_alphanumeric, text: sortFn_text },
});

export interface Column<T> {
  id: string;
  header: string;
  /** What the column sorts and filters by. */
  value: (row: T) => string | number | boolean | null | undefined;
  /** How it looks; the value when absent. */
  cell?: (row: T) => ReactNode;
  align?: "right";
  /** Left out on narrow screens. */
  wide?: boolean;
  sortable?: boolean;
}

/** Rows that fill a screen. They come first, the others right after them: a row of links takes some milliseconds. */
const FIRST_ROWS = 15;

interface DataTableProps<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  rowId: (row: T) => string;
  /** Offers a filter with this hint. */
  filter?: string;
  empty?: ReactNode;
  pageSize?: number;
  /** More pages on the server. */
  more?: { load: () => void; loading: boolean };
  foot?: ReactNode;
  /** What a row shows below itself when it is opened, and the name of what opens it. */
  detail?: { label: (row: T) => string; show: (row: T) => ReactNode };
}

/** Every table of the console: sorts, filters and pages what was loaded. */
export function DataTable<T extends object>(props: DataTableProps<T>) {
  const { label, columns, rows, rowId, filter, empty, pageSize = 50, more, foot, detail } = props;
  const [text, setText] = useState("");
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string) =>
    setOpened((old) => (old.has(id) ? new Set([...old].filter((other) => other !== id)) : new Set([...old, id])));
  const definitions = useMemo(() => columns.map(define), [columns]);
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: rowId,
    state: { globalFilter: text },
    globalFilterFn: "includesString",
    initialState: { pagination: { pageIndex: 0, pageSize } },
    autoResetPageIndex: false,
  });
  const drawn = Math.max(FIRST_ROWS, useDeferredValue(rows.length, 0));
  if (rows.length === 0) return <>{empty ?? <Empty title="Nothing here yet" />}</>;
  const shown = table.getRowModel().rows.slice(0, drawn);
  const found = table.getFilteredRowModel().rows.length;
  const pages = table.getPageCount();
  const page = table.state.pagination.pageIndex;
  const byId = new Map(columns.map((column) => [column.id, column]));
  return (
    <>
      {filter && rows.length > 4 && (
        <Group p="xs" pl="md" pr="md" justify="space-between">
          <TextInput
            size="xs"
            w={280}
            maw="100%"
            leftSection={<IconSearch size={14} />}
            placeholder={filter}
            aria-label={filter}
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value);
              table.setPageIndex(0);
            }}
          />
        </Group>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section className="table-wrap" aria-label={`${label}, scrolls sideways`} tabIndex={0}>
        <table className="table" aria-label={label}>
          <thead>
            {table.getHeaderGroups().map((group) => (
              <tr key={group.id}>
                {detail && (
                  <th className="expander">
                    <span className="visually-hidden">Details</span>
                  </th>
                )}
                {group.headers.map((header) => {
                  const column = byId.get(header.column.id);
                  const sorted = header.column.getIsSorted();
                  return (
                    <th
                      key={header.id}
                      scope="col"
                      className={classes(column)}
                      aria-sort={sorted === "asc" ? "ascending" : sorted === "desc" ? "descending" : undefined}
                    >
                      {header.column.getCanSort() ? (
                        <UnstyledButton className="sort" onClick={header.column.getToggleSortingHandler()}>
                          {column?.header}
                          {sorted === "asc" ? (
                            <IconUp size={13} />
                          ) : sorted === "desc" ? (
                            <IconDown size={13} />
                          ) : (
                            <IconSort size={12} opacity={0.45} data-unsorted />
                          )}
                        </UnstyledButton>
                      ) : (
                        column?.header
                      )}
                    </th>
                  );
                })}
              </tr>
            ))}
          </thead>
          <tbody>
            {shown.map((row) => (
              <Fragment key={row.id}>
                <tr>
                  {detail && (
                    <td className="expander">
                      <ActionIcon
                        size="sm"
                        aria-label={`Details of ${detail.label(row.original)}`}
                        aria-expanded={opened.has(row.id)}
                        onClick={() => toggle(row.id)}
                      >
                        <IconRight size={14} />
                      </ActionIcon>
                    </td>
                  )}
                  {columns.map((column) => (
                    <td key={column.id} className={classes(column)}>
                      {column.cell ? column.cell(row.original) : (column.value(row.original) ?? "–")}
                    </td>
                  ))}
                </tr>
                {detail && opened.has(row.id) && (
                  <tr className="table-detail">
                    <td colSpan={columns.length + 1}>{detail.show(row.original)}</td>
                  </tr>
                )}
              </Fragment>
            ))}
          </tbody>
        </table>
      </section>
      {found === 0 && <Empty title="Nothing fits the filter" />}
      {(pages > 1 || more || foot) && (
        <div className="table-foot">
          <span>{foot ?? plural(found, "entry", "entries")}</span>
          <Group gap="xs">
            {pages > 1 && (
              <>
                <Button size="xs" variant="default" disabled={page === 0} onClick={() => table.setPageIndex(page - 1)}>
                  Previous
                </Button>
                <span>
                  Page {page + 1} of {pages}
                </span>
                <Button
                  size="xs"
                  variant="default"
                  disabled={page >= pages - 1}
                  onClick={() => table.setPageIndex(page + 1)}
                >
                  Next
                </Button>
              </>
            )}
            {more && (
              <Button size="xs" variant="default" loading={more.loading} onClick={more.load}>
                Load more
              </Button>
            )}
          </Group>
        </div>
      )}
    </>
  );
}

function define<T extends object>(column: Column<T>): ColumnDef<typeof features, T> {
  return {
    id: column.id,
    accessorFn: (row: T) => column.value(row) ?? undefined,
    enableSorting: column.sortable !== false && column.header !== "",
    sortUndefined: "last",
  } as ColumnDef<typeof features, T>;
}

function classes<T>(column: Column<T> | undefined): string | undefined {
  if (column === undefined) return undefined;
  return [column.align, column.wide ? "wide" : ""].filter(Boolean).join(" ") || undefined;
}
