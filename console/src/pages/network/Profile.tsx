import { Alert, Button, Group, Select, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, done } from "../../api/client";
import type { Network, NetworkProfile } from "../../api/types";
import { download } from "../../lib/download";
import { formatBytes } from "../../lib/format";
import { type Column, DataTable } from "../../ui/DataTable";
import { Dialog } from "../../ui/Dialog";
import { IconAlert, IconKey } from "../../ui/icons";
import { ProblemAlert } from "../../ui/ProblemAlert";

/** Hands out what a member's own programs need to use the network without Polder, its private keys among it. */
export function ProfileButton({ network }: { network: Network }) {
  const [opened, dialog] = useDisclosure();
  return (
    <>
      <Button variant="default" leftSection={<IconKey size={16} />} onClick={dialog.open}>
        Connection profile
      </Button>
      <Dialog opened={opened} onClose={dialog.close} wide title={`Connection profile of ${network.name}`}>
        <ProfileForm network={network} />
      </Dialog>
    </>
  );
}

function ProfileForm({ network }: { network: Network }) {
  const members = [...new Set(network.nodes.map((node) => node.member))];
  const [member, setMember] = useState(members[0] ?? null);
  // No query: what holds keys is asked for by a person only, and is not kept.
  const ask = useMutation({
    gcTime: 0,
    mutationFn: (member: string) =>
      done(
        api.GET("/api/v1/networks/{network}/profile", { params: { path: { network: network.id }, query: { member } } }),
      ),
  });
  return (
    <Stack gap="md">
      <Text size="sm">
        Addresses, certificates and identities with which the member's own programs and command lines use the network.
      </Text>
      <Alert color="yellow" icon={<IconAlert size={18} />} title="It contains private keys">
        Whoever has these files acts in the name of the member. Keep them where only its programs can read them. That
        they were handed out is written to the audit log.
      </Alert>
      <Select
        label="Member"
        data={members}
        value={member}
        allowDeselect={false}
        onChange={(chosen) => {
          ask.reset();
          setMember(chosen);
        }}
      />
      <ProblemAlert error={ask.error} />
      {ask.data === undefined ? (
        <Button
          loading={ask.isPending}
          disabled={member === null}
          style={{ alignSelf: "flex-start" }}
          onClick={() => member !== null && ask.mutate(member)}
        >
          Make the files
        </Button>
      ) : (
        <Files network={network} profile={ask.data} />
      )}
    </Stack>
  );
}

interface ListedFile {
  path: string;
  text: string;
  secret: boolean;
}

const COLUMNS: Column<ListedFile>[] = [
  {
    id: "path",
    header: "File",
    value: (file) => file.path,
    cell: (file) => <span className="mono break">{file.path}</span>,
  },
  {
    id: "secret",
    header: "Holds",
    value: (file) => (file.secret ? "private key" : "public"),
    cell: (file) =>
      file.secret ? <span style={{ color: "var(--bad)", fontWeight: 500 }}>private key</span> : "public",
  },
  {
    id: "size",
    header: "Size",
    align: "right",
    wide: true,
    value: (file) => file.text.length,
    cell: (file) => formatBytes(file.text.length),
  },
  {
    id: "download",
    header: "",
    align: "right",
    value: () => null,
    cell: (file) => (
      <Button
        size="xs"
        variant="default"
        aria-label={`Download ${file.path}`}
        onClick={() => download(file.path.slice(file.path.lastIndexOf("/") + 1), file.text)}
      >
        Download
      </Button>
    ),
  },
];

function Files({ network, profile }: { network: Network; profile: NetworkProfile }) {
  const files = Object.entries(profile.files)
    .map(([path, { text, secret }]): ListedFile => ({ path, text, secret }))
    .sort((one, other) => one.path.localeCompare(other.path));
  const all = () =>
    download(
      `${network.name}-${profile.member}-profile.json`,
      `${JSON.stringify(Object.fromEntries(files.map(({ path, text }) => [path, text])), null, 2)}\n`,
      "application/json",
    );
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="xs">
        <Text size="sm" c="dimmed">
          One JSON file with the texts by path, or each by itself. For the folders as they are:{" "}
          <code className="mono break">
            polder network profile {network.name} --member {profile.member} --dir DIR
          </code>
        </Text>
        <Button onClick={all}>Download all as JSON</Button>
      </Group>
      <DataTable
        label="Files of the profile"
        columns={COLUMNS}
        rows={files}
        rowId={(file) => file.path}
        filter="Filter files"
      />
    </Stack>
  );
}
