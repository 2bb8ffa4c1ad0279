import { Button, Code, Select, Stack, Switch, Text, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useChannel } from "../../api/channel";
import { api, done } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import { networkQuery } from "../../api/queries";
import type { Network, NewChaincode } from "../../api/types";
import { chaincodeNameProblem, nameOfArchive, readCollections } from "../../lib/chaincode";
import { Allowed } from "../../ui/Allowed";
import { useAction } from "../../ui/actions";
import { noticeOperation } from "../../ui/OperationNotice";
import { Panel } from "../../ui/Panel";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { QueryView } from "../../ui/QueryView";
import { type Archive, ArchiveInput } from "./ArchiveInput";
import { CommandHint } from "./CommandHint";

const route = getRouteApi("/signed-in/networks/$network/chaincode/deploy");

export function DeployChaincode() {
  const { network: id } = route.useParams();
  const query = useQuery(networkQuery(id));
  return (
    <Allowed permission="contracts:write">
      <QueryView query={query}>{(network) => <DeployForm key={network.id} network={network} />}</QueryView>
    </Allowed>
  );
}

function DeployForm({ network }: { network: Network }) {
  const navigate = useNavigate();
  const shown = useChannel(network.id);
  const [archive, setArchive] = useState<Archive>();
  const [name, setName] = useState("");
  const [version, setVersion] = useState("1");
  const [channel, setChannel] = useState<string | null>(shown ?? null);
  const [policy, setPolicy] = useState("");
  const [collections, setCollections] = useState("");
  const [init, setInit] = useState(false);
  const [tried, setTried] = useState(false);
  const read = readCollections(collections);
  const wrong = {
    source: archive === undefined ? "Choose the archive with the source." : undefined,
    name: chaincodeNameProblem(name),
    version: version.trim() === "" ? "Give it a version, such as 1." : undefined,
    collections: "error" in read ? read.error : undefined,
  };
  const deploy = useAction(
    (body: NewChaincode) =>
      done(api.POST("/api/v1/networks/{network}/chaincodes", { params: { path: { network: network.id } }, body })),
    (operation) => {
      noticeOperation(operation);
      // The network's pages show the operation's steps while it runs.
      void navigate({
        to: "/networks/$network/chaincode",
        params: { network: network.id },
        search: { channel: channel ?? undefined },
      });
    },
  );
  const refused = fieldErrors(deploy.error);
  const errorOf = (field: keyof typeof wrong) => refused[field] ?? (tried ? wrong[field] : undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (archive === undefined || Object.values(wrong).some((problem) => problem !== undefined)) return;
    deploy.mutate({
      name,
      version: version.trim(),
      channel: channel ?? undefined,
      policy: policy.trim() || undefined,
      collections: "value" in read ? (read.value as NewChaincode["collections"]) : undefined,
      init,
      source: archive.source,
    });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="lg" maw={860}>
        <Panel title="1. Source">
          <Stack gap="sm">
            <Text size="sm" c="dimmed">
              A directory with <Code>go.mod</Code> (Go), <Code>package.json</Code> and <Code>package-lock.json</Code>{" "}
              (Node.js, TypeScript) or <Code>pom.xml</Code> (Java) at its top, without dependencies and build results.
              Pack it with <Code>tar czf asset.tar.gz -C DIR .</Code>
            </Text>
            <ArchiveInput
              value={archive}
              error={errorOf("source")}
              onChange={(chosen) => {
                setArchive(chosen);
                if (chosen && name === "") setName(nameOfArchive(chosen.name));
              }}
            />
            <CommandHint network={network.name} />
          </Stack>
        </Panel>
        <Panel title="2. Deployment">
          <Stack gap="md">
            <TextInput
              label="Name"
              description="On the channel. A name that is deployed already is upgraded to its next sequence."
              autoComplete="off"
              value={name}
              error={errorOf("name")}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <TextInput
              label="Version"
              description="Any text, for people to tell one from the next"
              autoComplete="off"
              value={version}
              error={errorOf("version")}
              onChange={(event) => setVersion(event.currentTarget.value)}
            />
            <Select
              label="Channel"
              data={network.channels ?? []}
              value={channel}
              allowDeselect={false}
              error={refused.channel}
              onChange={setChannel}
            />
            <TextInput
              label="Endorsement policy"
              description="Who must endorse what it does; the channel's own rule when empty"
              placeholder="AND('alphaMSP.peer','betaMSP.peer')"
              autoComplete="off"
              spellCheck={false}
              value={policy}
              error={refused.policy}
              onChange={(event) => setPolicy(event.currentTarget.value)}
            />
            <Textarea
              label="Collections of private data"
              description="A JSON list as Fabric's own tools take it; none when empty"
              placeholder={`[{"name": "details", "policy": "OR('alphaMSP.member')", "requiredPeerCount": 0, "maxPeerCount": 1}]`}
              autosize
              minRows={2}
              maxRows={12}
              spellCheck={false}
              value={collections}
              error={errorOf("collections")}
              onChange={(event) => setCollections(event.currentTarget.value)}
              styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
            />
            <Switch
              label="Its first call must initialise it"
              checked={init}
              onChange={(event) => setInit(event.currentTarget.checked)}
            />
            <ProblemAlert error={deploy.error} />
            <Button type="submit" loading={deploy.isPending} style={{ alignSelf: "flex-start" }}>
              Deploy the chaincode
            </Button>
          </Stack>
        </Panel>
      </Stack>
    </form>
  );
}
