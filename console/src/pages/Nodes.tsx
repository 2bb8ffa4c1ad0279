import { useQuery } from "@tanstack/react-query";
import { nodesQuery } from "../api/queries";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { QueryView } from "../ui/QueryView";
import { NodeTable } from "./network/NodeTable";

export function Nodes() {
  const nodes = useQuery(nodesQuery());
  return (
    <>
      <PageHeader title="Nodes" description="The processes of all networks, with their health and resource usage." />
      <Panel flush>
        <QueryView query={nodes}>{({ items }) => <NodeTable nodes={items} mixed />}</QueryView>
      </Panel>
    </>
  );
}
