import { TextInput } from "@mantine/core";
import type { ReactNode } from "react";

interface NameFieldProps {
  value: string;
  error: ReactNode;
  onChange: (name: string) => void;
}

/** The name of something new: what its form begins with. */
export function NameField({ value, error, onChange }: NameFieldProps) {
  return (
    <TextInput
      label="Name"
      description="Lower-case letters, digits and -"
      required
      data-autofocus
      value={value}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
