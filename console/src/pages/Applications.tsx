import { ActionIcon, Alert, Button, Checkbox, Code, Group, MultiSelect, Select, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { api, done } from "../api/client";
import { fieldErrors } from "../api/problem";
import { applicationsQuery, consortiaQuery, networksQuery } from "../api/queries";
import { useCan, useSession } from "../api/session";
import type { Application } from "../api/types";
import { formatNumber } from "../lib/format";
import { addressWithKey, snippets } from "../lib/snippets";
import { Confirm, useAction } from "../ui/actions";
import { CopyAction, Copyable } from "../ui/Copyable";
import { type Column, DataTable } from "../ui/DataTable";
import { Dialog } from "../ui/Dialog";
import { Empty } from "../ui/Empty";
import { IconDelete, IconPlus, IconRestart } from "../ui/icons";
import { NameField } from "../ui/NameField";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { ProblemAlert } from "../ui/ProblemAlert";
import { QueryView } from "../ui/QueryView";
import { Ago } from "../ui/Time";

export function Applications() {
  const can = useCan();
  const writes = can("applications:write");
  const [opened, dialog] = useDisclosure();
  const [made, setMade] = useState<Application>();
  const [leaving, setLeaving] = useState<Application>();
  const [rotating, setRotating] = useState<Application>();
  const applications = useQuery(applicationsQuery());
  const columns = useMemo<Column<Application>[]>(
    () => [
      {
        id: "name",
        header: "Name",
        value: (row) => row.name,
        cell: (row) => (
          <Text size="sm" fw={500}>
            {row.name}
          </Text>
        ),
      },
      { id: "member", header: "Member", value: (row) => row.member },
      {
        id: "networks",
        header: "Networks",
        value: (row) => row.networks.map((network) => network.name).join(" "),
        cell: (row) => (
          <Stack gap={0}>
            {row.networks.map((network) => (
              <Copyable key={network.id} text={location.origin + network.rpc} what={`address of ${network.name}`}>
                {network.rpc}
              </Copyable>
            ))}
          </Stack>
        ),
      },
      {
        id: "calls",
        header: "Calls",
        align: "right",
        wide: true,
        value: (row) => row.calls,
        cell: (row) => formatNumber(row.calls),
      },
      {
        id: "lastUsedAt",
        header: "Last used",
        wide: true,
        value: (row) => row.lastUsedAt,
        cell: (row) => (row.lastUsedAt ? <Ago at={row.lastUsedAt} /> : "never"),
      },
      {
        id: "actions",
        header: "",
        align: "right",
        value: () => null,
        cell: (row) =>
          writes && (
            <Group gap={4} justify="flex-end" wrap="nowrap">
              <ActionIcon aria-label={`Replace the key of ${row.name}`} onClick={() => setRotating(row)}>
                <IconRestart size={16} />
              </ActionIcon>
              <ActionIcon aria-label={`Revoke ${row.name}`} onClick={() => setLeaving(row)}>
                <IconDelete size={16} />
              </ActionIcon>
            </Group>
          ),
      },
    ],
    [writes],
  );
  const create = writes && (
    <Button leftSection={<IconPlus size={16} />} onClick={dialog.open}>
      New application
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Applications"
        description="Programs of a member that call networks by Ethereum's JSON-RPC through this server, each with a key of its own."
        actions={create}
      />
      <Stack gap="lg">
        {made?.secret && <Made application={made} secret={made.secret} onClose={() => setMade(undefined)} />}
        <Panel flush>
          <QueryView query={applications}>
            {({ items }) => (
              <DataTable
                label="Applications"
                columns={columns}
                rows={items}
                rowId={(row) => row.id}
                filter="Filter applications"
                empty={
                  <Empty title="No application yet" action={create || undefined}>
                    An application reaches the nodes of its networks from elsewhere, with unchanged Ethereum clients.
                    {writes ? "" : " It takes a role for a member that gives the permission applications:write."}
                  </Empty>
                }
              />
            )}
          </QueryView>
        </Panel>
      </Stack>
      <Dialog opened={opened} onClose={dialog.close} title="New application">
        <CreateForm
          onDone={(application) => {
            setMade(application);
            dialog.close();
          }}
        />
      </Dialog>
      <Confirm
        opened={rotating !== undefined}
        onClose={() => setRotating(undefined)}
        title={`Replace the key of ${rotating?.name ?? ""}`}
        button="Replace the key"
        act={async () =>
          setMade(
            await done(
              api.POST("/api/v1/applications/{application}/rotate", {
                params: { path: { application: rotating?.id ?? "" } },
              }),
            ),
          )
        }
      >
        The old key and its connections end at once. The new one is shown once.
      </Confirm>
      <Confirm
        opened={leaving !== undefined}
        onClose={() => setLeaving(undefined)}
        title={`Revoke ${leaving?.name ?? ""}`}
        button="Revoke the application"
        act={() =>
          done(
            api.DELETE("/api/v1/applications/{application}", { params: { path: { application: leaving?.id ?? "" } } }),
          )
        }
      >
        Its key is refused from now on, and its connections end.
      </Confirm>
    </>
  );
}

/** The key, this once, in the words of the usual clients. */
function Made({ application, secret, onClose }: { application: Application; secret: string; onClose: () => void }) {
  const network = application.networks[0];
  const address = network && addressWithKey(location.origin, network.rpc, application.name, secret);
  return (
    <Alert
      color="green"
      title={`The key of “${application.name}”, shown this once`}
      withCloseButton
      closeButtonLabel="Close"
      onClose={onClose}
    >
      <Stack gap="sm">
        <Text size="sm">
          Copy it now: only a hash of it is kept. Clients send it as{" "}
          <span className="mono">Authorization: Bearer …</span>, or as the password of the address.
        </Text>
        <Copyable text={secret} what="key" />
        {address && <Copyable text={address} what="address with the key" />}
        {address &&
          snippets(address).map(({ title, text }) => (
            <div key={title}>
              <Group gap="xs">
                <Text size="sm" fw={500}>
                  {title}
                </Text>
                <CopyAction text={text} what={`${title} snippet`} />
              </Group>
              <Code block className="break" style={{ whiteSpace: "pre-wrap" }}>
                {text}
              </Code>
            </div>
          ))}
      </Stack>
    </Alert>
  );
}

function CreateForm({ onDone }: { onDone: (application: Application) => void }) {
  const { user } = useSession();
  const consortia = useQuery(consortiaQuery()).data?.items ?? [];
  const networks = useQuery(networksQuery()).data?.items ?? [];
  // Which of the roles may make one is the server's to say: it names the permission that is missing.
  const own = user.grants.map((grant) => grant.organisation);
  const members = new Map(
    consortia
      .flatMap((consortium) => consortium.members)
      .filter((member) => own.includes(member.organisation))
      .map((member) => [member.organisation, member.title]),
  );
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const [reached, setReached] = useState<string[]>([]);
  const [inspect, setInspect] = useState(false);
  const member = chosen ?? members.keys().next().value ?? null;
  const reachable = networks
    .filter((network) => network.rpc != null)
    .flatMap((network) => {
      const consortium = consortia.find((one) => one.id === network.consortium);
      const belongs = consortium?.members.some((one) => one.organisation === member);
      return belongs ? [{ value: network.id, label: `${consortium?.name}/${network.name}` }] : [];
    });
  const create = useAction(
    () => done(api.POST("/api/v1/applications", { body: { name, member: member ?? "", networks: reached, inspect } })),
    onDone,
  );
  const errors = fieldErrors(create.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <NameField value={name} error={errors.name} onChange={setName} />
        <Select
          label="Member"
          data={[...members].map(([value, label]) => ({ value, label }))}
          value={member}
          allowDeselect={false}
          onChange={(value) => {
            setChosen(value);
            setReached([]);
          }}
        />
        <MultiSelect
          label="Networks"
          description={reachable.length === 0 ? "The member has no network whose nodes speak JSON-RPC." : undefined}
          data={reachable}
          value={reached}
          error={errors["networks[0]"]}
          onChange={setReached}
        />
        <Checkbox
          label="May look into nodes"
          description="txpool_ and the tracing part of debug_"
          checked={inspect}
          onChange={(event) => setInspect(event.currentTarget.checked)}
        />
        <ProblemAlert error={create.error} />
        <Button
          type="submit"
          loading={create.isPending}
          disabled={name === "" || member === null || reached.length === 0}
        >
          Create the application
        </Button>
      </Stack>
    </form>
  );
}
