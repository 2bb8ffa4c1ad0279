import { Button, type ButtonProps, Code, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { Dialog } from "./Dialog";
import { ProblemAlert } from "./ProblemAlert";

/** A change through the API. Everything on show is asked again when it is done: the change may touch more than it says. */
export function useAction<V = void, R = unknown>(act: (variables: V) => Promise<R>, then?: (result: R) => void) {
  const client = useQueryClient();
  return useMutation<R, unknown, V>({
    mutationFn: act,
    onSuccess: (result) => {
      then?.(result);
      void client.invalidateQueries();
    },
  });
}

interface ActionButtonProps extends ButtonProps {
  act: () => Promise<unknown>;
  children: ReactNode;
}

/** A button that does one thing, and says beside it why that failed. */
export function ActionButton({ act, children, ...props }: ActionButtonProps) {
  const action = useAction(act);
  return (
    <Stack gap="xs" align="flex-start">
      <Button {...props} loading={action.isPending} onClick={() => action.mutate()}>
        {children}
      </Button>
      <ProblemAlert error={action.error} />
    </Stack>
  );
}

interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  /** Must be typed before the button works. */
  name?: string;
  button: string;
  act: () => Promise<unknown>;
  onDone?: () => void;
}

/** Asks before something that cannot be taken back; the problem shows in the dialog, which stays open. */
export function Confirm({ opened, onClose, title, children, name, button, act, onDone }: ConfirmProps) {
  const [typed, setTyped] = useState("");
  const close = () => {
    setTyped("");
    action.reset();
    onClose();
  };
  const action = useAction(act, () => {
    close();
    onDone?.();
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name === undefined || typed === name) action.mutate();
  };
  return (
    <Dialog opened={opened} onClose={close} title={title}>
      <form onSubmit={submit}>
        <Stack gap="md">
          <Text size="sm">{children}</Text>
          {name !== undefined && (
            <TextInput
              label={
                <>
                  Type <Code>{name}</Code> to confirm
                </>
              }
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              autoComplete="off"
              data-autofocus
            />
          )}
          <ProblemAlert error={action.error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button
              color="red"
              type="submit"
              loading={action.isPending}
              disabled={name !== undefined && typed !== name}
            >
              {button}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
