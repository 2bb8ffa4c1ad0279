import type { ReactNode } from "react";
import { useCan } from "../api/session";
import { Empty } from "./Empty";
import { Panel } from "./Panel";

/** A page that is for those with a permission; says to the others whom to ask. */
export function Allowed({ permission, children }: { permission: string; children: ReactNode }) {
  if (useCan()(permission)) return children;
  return (
    <Panel>
      <Empty title="Your roles do not allow this">
        It needs the permission {permission}. An administrator of your organisation can give you a role that has it.
      </Empty>
    </Panel>
  );
}
