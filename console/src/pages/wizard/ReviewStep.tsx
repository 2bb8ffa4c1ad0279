import { List, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, done } from "../../api/client";
import type { Consortium, Engine } from "../../api/types";
import { formatKey, roleName } from "../../lib/format";
import { DataTable } from "../../ui/DataTable";
import { Facts } from "../../ui/Facts";
import { Panel } from "../../ui/Panel";
import { QueryView } from "../../ui/QueryView";
import { chosenConsensus, type NetworkDraft, toRequest } from "./draft";

interface ReviewStepProps {
  draft: NetworkDraft;
  engine: Engine;
  consortium: Consortium;
}

/** What would be started, as the server plans it. */
export function ReviewStep({ draft, engine, consortium }: ReviewStepProps) {
  const request = toRequest(draft);
  const preview = useQuery({
    queryKey: ["preview", request],
    queryFn: () => done(api.POST("/api/v1/networks/preview", { body: request })),
  });
  return (
    <Stack gap="lg">
      <Panel title="Configuration">
        <Facts
          items={[
            ["Name", draft.name],
            ["Consortium", consortium.title],
            ["Engine", engine.title],
            ["Consensus", chosenConsensus(engine, draft)?.title],
            ["Chain id", engine.capabilities.includes("chain-id") ? draft.chainId || "drawn at random" : undefined],
            ...Object.entries(request.options ?? {}).map(([name, value]): [string, string] => [
              formatKey(name),
              String(value),
            ]),
          ]}
        />
      </Panel>
      <QueryView query={preview} lines={6}>
        {(preview) => (
          <>
            {preview.notes.length > 0 && (
              <Panel title="What to expect">
                <List size="sm" spacing={6}>
                  {preview.notes.map((note) => (
                    <List.Item key={note}>{note}</List.Item>
                  ))}
                </List>
              </Panel>
            )}
            <Panel flush title="Nodes">
              <DataTable label="Planned nodes" rows={preview.nodes} rowId={(node) => node.name} columns={PLANNED} />
            </Panel>
          </>
        )}
      </QueryView>
    </Stack>
  );
}

const PLANNED = [
  { id: "name", header: "Node", value: (node: { name: string }) => node.name },
  { id: "member", header: "Member", value: (node: { member: string }) => node.member },
  { id: "kind", header: "Kind", value: (node: { kind: string }) => roleName(node.kind) },
];
