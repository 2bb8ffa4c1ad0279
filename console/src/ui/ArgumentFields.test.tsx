import { Button, MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import type { AbiParameter } from "../lib/abi";
import { ArgumentFields } from "./ArgumentFields";
import { useArguments } from "./useArguments";

function Form({ parameters, onArguments }: { parameters: AbiParameter[]; onArguments: (values: unknown) => void }) {
  const form = useArguments(parameters);
  const submit = () => {
    const values = form.take();
    if (values) onArguments(values);
  };
  return (
    <>
      <ArgumentFields parameters={parameters} drafts={form.drafts} errors={form.errors} onChange={form.setDrafts} />
      <Button onClick={submit}>Send</Button>
    </>
  );
}

it("complains only after the first try, keeps what is wrong from being sent, then sends values by type", async () => {
  const parameters: AbiParameter[] = [
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "urgent", type: "bool" },
    { name: "limits", type: "tuple", components: [{ name: "most", type: "uint8" }] },
  ];
  const sent = vi.fn();
  const user = userEvent.setup();
  render(<Form parameters={parameters} onArguments={sent} />, { wrapper: MantineProvider });
  expect(screen.queryByText(/Must be/)).toBeNull();

  await user.click(screen.getByRole("button", { name: "Send" }));
  expect(screen.getByText(/Must be an address/)).toBeTruthy();
  expect(screen.getByText(/most: Must be a whole number/)).toBeTruthy();
  expect(sent).not.toHaveBeenCalled();

  const to = `0x${"12".repeat(20)}`;
  await user.type(screen.getByRole("textbox", { name: /^to/ }), to);
  await user.type(screen.getByRole("textbox", { name: /^value/ }), "250");
  await user.click(screen.getByText("true"));
  await user.type(screen.getByRole("textbox", { name: /^most/ }), "9");
  await user.click(screen.getByRole("button", { name: "Send" }));
  expect(sent).toHaveBeenCalledWith([to, "250", true, ["9"]]);
});
