import { Button, Group, NumberInput, PasswordInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, done } from "../../api/client";
import { fieldErrors } from "../../api/problem";
import { consortiaQuery } from "../../api/queries";
import type { Network } from "../../api/types";
import { useAction } from "../../ui/actions";
import { Dialog } from "../../ui/Dialog";
import { IconLink } from "../../ui/icons";
import { ProblemAlert } from "../../ui/ProblemAlert";

/** Attaches a network that others run. */
export function AttachButton() {
  const [opened, dialog] = useDisclosure();
  const navigate = useNavigate();
  return (
    <>
      <Button variant="default" leftSection={<IconLink size={16} />} onClick={dialog.open}>
        Attach
      </Button>
      <Dialog opened={opened} onClose={dialog.close} title="Attach a network">
        <AttachForm
          onDone={(network) => {
            dialog.close();
            void navigate({ to: "/networks/$network", params: { network: network.id } });
          }}
        />
      </Dialog>
    </>
  );
}

/** The form of the dialog. */
export function AttachForm({ onDone }: { onDone: (network: Network) => void }) {
  const consortia = useQuery(consortiaQuery()).data?.items ?? [];
  const [name, setName] = useState("");
  const [rpc, setRpc] = useState("");
  const [consortium, setConsortium] = useState<string | null>(null);
  const [chainId, setChainId] = useState<number | string>("");
  const [confirmations, setConfirmations] = useState<number | string>("");
  const attach = useAction(
    () =>
      done(
        api.POST("/api/v1/networks/attach", {
          body: {
            name,
            rpc: rpc.trim(),
            consortium: consortium ?? undefined,
            chainId: chainId === "" ? undefined : Number(chainId),
            confirmations: confirmations === "" ? undefined : Number(confirmations),
          },
        }),
      ),
    onDone,
  );
  const errors = fieldErrors(attach.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    attach.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <Text size="sm">
          A network that others run is watched and used here like your own; its nodes stay where they are. Each member
          gets an account on it.
        </Text>
        <TextInput
          label="Name"
          description="Unique in its consortium: lower-case letters, digits and -"
          required
          data-autofocus
          autoComplete="off"
          value={name}
          error={errors.name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label="Address of its JSON-RPC"
          description="http:// or https://. It is kept secret, as it may carry an access key."
          required
          autoComplete="off"
          value={rpc}
          error={errors.rpc}
          onChange={(event) => setRpc(event.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the address" }}
        />
        {consortia.length > 1 && (
          <Select
            label="Consortium"
            required
            data={consortia.map(({ id, title, name }) => ({ value: id, label: title || name }))}
            value={consortium}
            error={errors.consortium}
            onChange={setConsortium}
          />
        )}
        <Group grow align="flex-start">
          <NumberInput
            label="Chain id"
            description="Checked when given"
            min={1}
            allowDecimal={false}
            hideControls
            value={chainId}
            error={errors.chainId}
            onChange={setChainId}
          />
          <NumberInput
            label="Confirmations"
            description="Blocks until one is final"
            min={0}
            max={10_000}
            allowDecimal={false}
            hideControls
            value={confirmations}
            error={errors.confirmations}
            onChange={setConfirmations}
          />
        </Group>
        <ProblemAlert error={attach.error} />
        <Button type="submit" loading={attach.isPending} disabled={name === "" || rpc.trim() === ""}>
          Attach the network
        </Button>
      </Stack>
    </form>
  );
}
