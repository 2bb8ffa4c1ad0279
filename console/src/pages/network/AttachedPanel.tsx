import type { Network } from "../../api/types";
import { plural } from "../../lib/format";
import { Copyable } from "../../ui/Copyable";
import { Facts } from "../../ui/Facts";
import { Panel } from "../../ui/Panel";

/** Where an attached network is, and what answered there. */
export function AttachedPanel({ attached }: { attached: NonNullable<Network["attached"]> }) {
  return (
    <Panel title="Attached">
      <Facts
        items={[
          ["Address", <Copyable key="rpc" text={attached.rpc} what="address" />],
          ["Connected to", attached.address],
          ["Program", attached.client ?? "does not tell"],
          ["First block", <Copyable key="first" text={attached.firstBlock} what="hash of the first block" />],
          [
            "A block is final",
            attached.confirmations == null
              ? "when the chain says so"
              : `when ${plural(attached.confirmations, "block")} follow it`,
          ],
        ]}
      />
    </Panel>
  );
}
