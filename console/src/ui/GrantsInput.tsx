import { ActionIcon, Button, Fieldset, Group, Select, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { organisationsQuery } from "../api/queries";
import type { Grant, Role } from "../api/types";
import { formatRole } from "../lib/format";
import { IconClose, IconPlus } from "./icons";

export const ROLES: { value: Role; means: string }[] = [
  { value: "platform-administrator", means: "Runs the deployment; does not act for a member" },
  { value: "organisation-administrator", means: "Everything of one organisation" },
  { value: "operator", means: "Networks and nodes of one organisation" },
  { value: "developer", means: "Contracts and transactions of one organisation" },
  { value: "auditor", means: "Reads everything of one organisation" },
];

interface GrantsInputProps {
  value: Grant[];
  onChange: (grants: Grant[]) => void;
}

/** Roles, each with the organisation it is held for. */
export function GrantsInput({ value, onChange }: GrantsInputProps) {
  const organisations = useQuery(organisationsQuery());
  const set = (index: number, grant: Grant) => onChange(value.map((old, at) => (at === index ? grant : old)));
  return (
    <Fieldset legend="Roles">
      <Stack gap="sm">
        {value.map((grant, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a grant being edited has no other identity
          <Group key={index} gap="xs" align="flex-start" wrap="nowrap">
            <Stack gap={6} style={{ flex: 1 }}>
              <Select
                aria-label={`Role ${index + 1}`}
                data={ROLES.map((role) => ({ value: role.value, label: formatRole(role.value) }))}
                value={grant.role}
                allowDeselect={false}
                description={ROLES.find((role) => role.value === grant.role)?.means}
                inputWrapperOrder={["input", "description"]}
                onChange={(role) =>
                  role &&
                  set(index, {
                    ...grant,
                    role: role as Role,
                    organisation: role === "platform-administrator" ? null : grant.organisation,
                  })
                }
              />
              {grant.role !== "platform-administrator" && (
                <Select
                  aria-label={`Organisation of role ${index + 1}`}
                  placeholder="For which organisation?"
                  searchable
                  data={(organisations.data?.items ?? []).map((row) => ({ value: row.id, label: row.title }))}
                  value={grant.organisation ?? null}
                  onChange={(organisation) => set(index, { ...grant, organisation })}
                />
              )}
            </Stack>
            <ActionIcon
              mt={6}
              aria-label={`Remove role ${index + 1}`}
              onClick={() => onChange(value.filter((_, at) => at !== index))}
            >
              <IconClose size={16} />
            </ActionIcon>
          </Group>
        ))}
        <Button
          variant="default"
          size="xs"
          leftSection={<IconPlus size={14} />}
          onClick={() => onChange([...value, { role: "developer", organisation: null }])}
          style={{ alignSelf: "flex-start" }}
        >
          Add a role
        </Button>
      </Stack>
    </Fieldset>
  );
}

/** Whether each role that needs an organisation has one. */
export function grantsComplete(grants: Grant[]): boolean {
  return (
    grants.length > 0 && grants.every((grant) => grant.role === "platform-administrator" || grant.organisation != null)
  );
}

export function GrantList({ grants }: { grants: Grant[] }) {
  const organisations = useQuery(organisationsQuery());
  const titles = new Map(organisations.data?.items.map((row) => [row.id, row.title]));
  if (grants.length === 0) return <span className="soft">none</span>;
  return (
    <>
      {grants
        .map(
          (grant) =>
            formatRole(grant.role) +
            (grant.organisation ? ` of ${titles.get(grant.organisation) ?? grant.organisation}` : ""),
        )
        .join(", ")}
    </>
  );
}
