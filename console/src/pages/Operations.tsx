import { useQuery } from "@tanstack/react-query";
import { operationsQuery } from "../api/queries";
import { Empty } from "../ui/Empty";
import { PageHeader } from "../ui/PageHeader";
import { Panel } from "../ui/Panel";
import { QueryView } from "../ui/QueryView";
import { OperationTable } from "../ui/tables";

export function Operations() {
  const operations = useQuery(operationsQuery());
  return (
    <>
      <PageHeader
        title="Operations"
        description="Long-running changes to networks and nodes: who requested them, how far they are, and what went wrong."
      />
      <Panel flush>
        <QueryView query={operations}>
          {({ items }) => (
            <OperationTable
              rows={items}
              filter="Filter operations"
              empty={
                <Empty title="No operation yet">
                  Creating, starting or stopping a network shows here, step by step.
                </Empty>
              }
            />
          )}
        </QueryView>
      </Panel>
    </>
  );
}
