import { Button, Stack } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { api, done } from "../../api/client";
import { useAction } from "../../ui/actions";
import { ProblemAlert } from "../../ui/ProblemAlert";
import { type NetworkDraft, toRequest } from "./draft";

/** Creates the network; its page shows the operation's steps while they run. */
export function Creation({ draft }: { draft: NetworkDraft }) {
  const navigate = useNavigate();
  const create = useAction(
    () => done(api.POST("/api/v1/networks", { body: toRequest(draft) })),
    ({ network }) => void navigate({ to: "/networks/$network", params: { network: network.id } }),
  );
  return (
    <Stack gap="sm" align="flex-end" style={{ flex: 1, minWidth: 0 }}>
      <Button loading={create.isPending} onClick={() => create.mutate()}>
        Create the network
      </Button>
      <ProblemAlert error={create.error} />
    </Stack>
  );
}
