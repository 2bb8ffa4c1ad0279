import { useQuery } from "@tanstack/react-query";
import { networksQuery } from "../api/queries";
import { useCan } from "../api/session";
import { Empty } from "../ui/Empty";
import { IconPlus } from "../ui/icons";
import { ButtonLink } from "../ui/links";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { QueryView } from "../ui/QueryView";
import { NetworkTable } from "../ui/tables";
import { AttachButton } from "./network/Attach";

export function Networks() {
  const can = useCan();
  const networks = useQuery(networksQuery());
  const create = can("networks:write") && (
    <>
      <AttachButton />
      <ButtonLink to="/networks/new" leftSection={<IconPlus size={16} />}>
        New network
      </ButtonLink>
    </>
  );
  return (
    <>
      <PageHeader
        title="Networks"
        description="Every ledger that you may see, with its state as observed."
        actions={create}
      />
      <Panel flush>
        <QueryView query={networks}>
          {({ items }) => (
            <NetworkTable
              rows={items}
              empty={
                <Empty title="No network yet" action={create}>
                  A network is one running ledger, kept by the members of a consortium together.
                </Empty>
              }
            />
          )}
        </QueryView>
      </Panel>
    </>
  );
}
