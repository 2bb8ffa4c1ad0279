import { Button, Stack, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, done } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import { useAction } from "../../ui/actions";
import { Dialog } from "../../ui/Dialog";
import { IconSend } from "../../ui/icons";
import { ProblemAlert } from "../../ui/ProblemAlert";

/** Sends a transaction that a wallet or another program signed; its page then follows the outcome. */
export function SendTransaction({ network }: { network: string }) {
  const [opened, dialog] = useDisclosure();
  return (
    <>
      <Button size="xs" variant="default" leftSection={<IconSend size={14} />} onClick={dialog.open}>
        Send signed transaction
      </Button>
      <Dialog opened={opened} onClose={dialog.close} title="Send signed transaction">
        <SendForm network={network} />
      </Dialog>
    </>
  );
}

function SendForm({ network }: { network: string }) {
  const navigate = useNavigate();
  const [raw, setRaw] = useState("");
  const send = useAction(
    () =>
      done(
        api.POST("/api/v1/networks/{network}/transactions", {
          params: { path: { network }, query: { wait: true } },
          body: { raw: raw.trim() },
        }),
      ),
    ({ transactionHash: hash }) =>
      void navigate({ to: "/networks/$network/transactions/$hash", params: { network, hash } }),
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <Textarea
          label="Raw transaction"
          description="What a wallet signed, EIP-2718 encoded, as hex. Sending the same one again does no harm."
          placeholder="0x02f8…"
          required
          withAsterisk={false}
          data-autofocus
          autosize
          minRows={4}
          maxRows={10}
          spellCheck={false}
          value={raw}
          error={fieldErrors(send.error).raw}
          onChange={(event) => setRaw(event.currentTarget.value)}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        />
        <ProblemAlert error={send.error} />
        <Button type="submit" loading={send.isPending} disabled={raw.trim() === ""}>
          Send
        </Button>
      </Stack>
    </form>
  );
}
