import { Alert, Select, Stack, TextInput } from "@mantine/core";
import type { Engine } from "../../api/types";
import { plural, roleName } from "../../lib/format";
import { hasConsensus } from "../../lib/version";
import { IconAlert } from "../../ui/icons";
import { TextLink } from "../../ui/links";
import { Panel } from "../../ui/Panel";
import { Choice } from "./Choice";
import type { NetworkDraft } from "./draft";

interface EngineStepProps {
  engines: Engine[];
  engine: Engine;
  draft: NetworkDraft;
  errors: Record<string, string>;
  onChange: (part: Partial<NetworkDraft>) => void;
}

export function EngineStep({ engines, engine, draft, errors, onChange }: EngineStepProps) {
  const kind = engine.consensus.find((one) => one.name === draft.consensus);
  const installed = (engine.versions ?? []).filter(
    ({ installed, version }) => installed && (kind == null || hasConsensus(version, kind)),
  );
  const chooseEngine = (name: string) => {
    const consensus = engines.find((one) => one.name === name)?.consensus[0];
    onChange({
      engine: name,
      consensus: consensus?.name ?? "",
      version: "",
      nodes: consensus?.defaultNodes ?? 1,
      options: {},
      // Another engine may have neither.
      chainId: "",
      genesis: "",
    });
  };
  const chooseConsensus = (name: string) => {
    const consensus = engine.consensus.find((one) => one.name === name);
    const keeps = consensus == null || hasConsensus(draft.version, consensus);
    onChange({
      consensus: name,
      nodes: consensus?.defaultNodes ?? draft.nodes,
      version: keeps ? draft.version : "",
    });
  };
  return (
    <Panel title="Engine and consensus">
      <Stack gap="lg">
        <TextInput
          label="Name"
          description="Unique in its consortium: lower-case letters, digits and -"
          maw={420}
          required
          withAsterisk={false}
          value={draft.name}
          error={errors.name}
          onChange={(event) => onChange({ name: event.currentTarget.value })}
        />
        <Choice
          label="Engine: the ledger software"
          value={draft.engine}
          onChange={chooseEngine}
          items={engines.map((one) => ({
            value: one.name,
            title: one.title,
            note: versionNote(one),
            children: one.description,
          }))}
        />
        {engine.maintenance && (
          <Alert color="yellow" icon={<IconAlert size={18} />}>
            {engine.maintenance}
          </Alert>
        )}
        {engine.version == null && installed.length === 0 && (
          <Alert color="red" icon={<IconAlert size={18} />}>
            No version with this consensus is installed. A platform administrator does that under{" "}
            <TextLink to="/engines" underline="always">
              Engines
            </TextLink>
            .
          </Alert>
        )}
        {installed.length > 1 && (
          <Select
            label="Version"
            maw={420}
            data={installed.map(({ version, tested }) => ({
              value: version,
              label: tested ? `${version} (tested)` : version,
            }))}
            placeholder="The newest tested one"
            error={errors.version}
            clearable
            value={draft.version === "" ? null : draft.version}
            onChange={(version) => onChange({ version: version ?? "" })}
          />
        )}
        <Choice
          label="Consensus: how the nodes agree on the next block"
          value={draft.consensus}
          onChange={chooseConsensus}
          items={engine.consensus.map((kind) => ({
            value: kind.name,
            title: kind.title,
            note:
              kind.minNodes === kind.maxNodes
                ? plural(kind.minNodes, roleName(kind.role))
                : `${kind.minNodes} to ${kind.maxNodes} ${roleName(kind.role)}s`,
            children: kind.description,
          }))}
        />
      </Stack>
    </Panel>
  );
}

function versionNote({ version, versions }: Engine): string {
  const installed = versions?.filter((one) => one.installed).map((one) => one.version) ?? [];
  return version ?? (installed.length > 0 ? installed.join(", ") : "not installed");
}
