import { Button, PasswordInput, Stack } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { api, done } from "../api/client";
import { fieldErrors } from "../api/problem";
import { useAction } from "./actions";
import { Dialog } from "./Dialog";
import { ProblemAlert } from "./ProblemAlert";

/** Changes the password of who is signed in. */
export function PasswordDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Dialog opened={opened} onClose={onClose} title="Change password">
      <PasswordForm onDone={onClose} />
    </Dialog>
  );
}

function PasswordForm({ onDone }: { onDone: () => void }) {
  const [currentPassword, setCurrent] = useState("");
  const [newPassword, setNew] = useState("");
  const change = useAction(
    () => done(api.POST("/api/v1/session/password", { body: { currentPassword, newPassword } })),
    () => {
      notifications.show({
        message: "The password is changed. Your other sessions have ended.",
        closeButtonProps: { "aria-label": "Close" },
      });
      onDone();
    },
  );
  const errors = fieldErrors(change.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  const toggle = { "aria-label": "Show or hide the password" };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <PasswordInput
          label="Current password"
          required
          data-autofocus
          autoComplete="current-password"
          value={currentPassword}
          error={errors.currentPassword}
          onChange={(event) => setCurrent(event.currentTarget.value)}
          visibilityToggleButtonProps={toggle}
        />
        <PasswordInput
          label="New password"
          description="At least 12 characters"
          required
          autoComplete="new-password"
          value={newPassword}
          error={errors.newPassword}
          onChange={(event) => setNew(event.currentTarget.value)}
          visibilityToggleButtonProps={toggle}
        />
        <ProblemAlert error={change.error} />
        <Button type="submit" loading={change.isPending} disabled={currentPassword === "" || newPassword === ""}>
          Change password
        </Button>
      </Stack>
    </form>
  );
}
