import { useSuspenseQuery } from "@tanstack/react-query";
import { sessionQuery } from "./queries";
import type { Session } from "./types";

/** The session of who is signed in; pages below the signed-in layout always have one. */
export function useSession(): Session {
  return useSuspenseQuery(sessionQuery()).data;
}

/** Whether some grant of the user gives a permission. The server decides in the end; this only spares a refusal. */
export function useCan(): (permission: string) => boolean {
  const { permissions } = useSession();
  return (permission) => permissions.includes(permission);
}
