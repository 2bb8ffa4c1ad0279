import { Checkbox, NumberInput, Select, Stack, Text } from "@mantine/core";
import type { ConsensusKind, Consortium } from "../../api/types";
import { formatRoles, plural, roleName } from "../../lib/format";
import { Panel } from "../../ui/Panel";
import type { NetworkDraft } from "./draft";

interface MembersStepProps {
  consortia: Consortium[];
  consortium: Consortium;
  consensus: ConsensusKind | undefined;
  draft: NetworkDraft;
  errors: Record<string, string>;
  onChange: (part: Partial<NetworkDraft>) => void;
}

export function MembersStep({ consortia, consortium, consensus, draft, errors, onChange }: MembersStepProps) {
  const chooseConsortium = (id: string | null) => {
    const chosen = consortia.find((one) => one.id === id);
    if (chosen) onChange({ consortium: chosen.id, members: chosen.members.map((member) => member.organisation) });
  };
  const word = roleName(consensus?.role ?? "node");
  const chosen = consortium.members.filter((member) => draft.members.includes(member.organisation));
  return (
    <Panel title="Members and nodes">
      <Stack gap="lg">
        <Select
          label="Consortium"
          maw={420}
          data={consortia.map((one) => ({ value: one.id, label: one.title }))}
          value={draft.consortium}
          allowDeselect={false}
          onChange={chooseConsortium}
        />
        <Checkbox.Group
          label="Members"
          description={`Who runs the ${word}s: they are assigned in turn, in this order`}
          value={draft.members}
          error={errors.members}
          onChange={(members) => onChange({ members })}
        >
          <Stack gap="xs" mt="xs">
            {consortium.members.map((member) => (
              <Checkbox key={member.organisation} value={member.organisation} label={member.title} />
            ))}
          </Stack>
        </Checkbox.Group>
        <NumberInput
          label={consensus ? formatRoles(consensus.role) : "Nodes"}
          description={consensus && rangeOf(consensus)}
          maw={420}
          min={consensus?.minNodes}
          max={consensus?.maxNodes}
          clampBehavior="none"
          allowDecimal={false}
          allowNegative={false}
          value={draft.nodes}
          error={errors.nodes}
          onChange={(nodes) => onChange({ nodes: typeof nodes === "number" ? nodes : Number(nodes) || 0 })}
        />
        {chosen.length > 0 && draft.nodes > 0 && (
          <Text size="sm" c="dimmed" role="status">
            {chosen
              .map((member, index) => `${member.title}: ${plural(dealt(draft.nodes, chosen.length, index), word)}`)
              .join(" · ")}
          </Text>
        )}
      </Stack>
    </Panel>
  );
}

function rangeOf({ role, minNodes, maxNodes }: ConsensusKind): string {
  return minNodes === maxNodes
    ? `Exactly ${plural(minNodes, roleName(role))} with this consensus`
    : `${minNodes} to ${maxNodes} with this consensus`;
}

/** How many of the nodes, dealt in turn, go to the member at a place. */
function dealt(nodes: number, members: number, place: number): number {
  return Math.floor(nodes / members) + (place < nodes % members ? 1 : 0);
}
