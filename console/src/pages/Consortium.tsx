import { Button, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { api, done } from "../api/client";
import { consortiumQuery, networksQuery } from "../api/queries";
import { useCan } from "../api/session";
import type { Consortium } from "../api/types";
import { formatTime, plural } from "../lib/format";
import { Confirm } from "../ui/actions";
import { Copyable } from "../ui/Copyable";
import { Empty } from "../ui/Empty";
import { Facts } from "../ui/Facts";
import { IconDelete, IconPlus } from "../ui/icons";
import { ButtonLink, TextLink } from "../ui/links";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { QueryView } from "../ui/QueryView";
import { NetworkTable } from "../ui/tables";

const route = getRouteApi("/signed-in/consortia/$consortium");

export function ConsortiumPage() {
  const { consortium: id } = route.useParams();
  const can = useCan();
  const navigate = useNavigate();
  const [opened, dialog] = useDisclosure();
  const consortium = useQuery(consortiumQuery(id));
  const networks = useQuery(networksQuery());
  const create = can("networks:write") && (
    <ButtonLink to="/networks/new" search={{ consortium: consortium.data?.id }} leftSection={<IconPlus size={16} />}>
      New network
    </ButtonLink>
  );
  return (
    <>
      <PageHeader
        title={consortium.data?.title ?? "Consortium"}
        crumbs={[
          <TextLink key="all" to="/consortia">
            Consortia
          </TextLink>,
        ]}
        description={
          consortium.data &&
          `${plural(consortium.data.members.length, "member")}, founded ${formatTime(consortium.data.createdAt)}`
        }
        actions={
          <>
            {can("consortia:write") && consortium.data && (
              <Button variant="default" leftSection={<IconDelete size={16} />} onClick={dialog.open}>
                Delete
              </Button>
            )}
            {create}
          </>
        }
      />
      <QueryView query={consortium}>
        {(consortium) => (
          <Stack gap="lg">
            <Panel flush title="Networks">
              <QueryView query={networks}>
                {({ items }) => (
                  <NetworkTable
                    rows={items.filter((network) => network.consortium === consortium.id)}
                    empty={<Empty title="This consortium has no network yet" action={create} />}
                  />
                )}
              </QueryView>
            </Panel>
            <Members consortium={consortium} />
            <Confirm
              opened={opened}
              onClose={dialog.close}
              title={`Delete ${consortium.title}`}
              name={consortium.name}
              button="Delete the consortium"
              act={() =>
                done(api.DELETE("/api/v1/consortia/{consortium}", { params: { path: { consortium: consortium.id } } }))
              }
              onDone={() => navigate({ to: "/consortia" })}
            >
              The consortium and its founding signatures go. Its networks must be deleted first.
            </Confirm>
          </Stack>
        )}
      </QueryView>
    </>
  );
}

function Members({ consortium }: { consortium: Consortium }) {
  return (
    <Panel title="Members and founding signatures">
      <Text size="sm" c="dimmed" mb="md" maw={720}>
        Each member signed the founding statement with its organisation key (ed25519). Whoever has the public keys can
        check that no one was added without signing.
      </Text>
      <Stack gap="lg">
        {consortium.members.map((member) => (
          <div key={member.organisation}>
            <Text fw={600} mb={6}>
              {member.title}
            </Text>
            <Facts
              items={[
                [
                  "Name",
                  <span key="name" className="mono">
                    {member.name}
                  </span>,
                ],
                ["Joined", formatTime(member.joinedAt)],
                ["Public key", <Copyable key="key" text={member.publicKey} what="public key" />],
                ["Signature", <Copyable key="signature" text={member.signature} what="signature" />],
              ]}
            />
          </div>
        ))}
      </Stack>
    </Panel>
  );
}
