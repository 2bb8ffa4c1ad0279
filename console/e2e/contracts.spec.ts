import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { expect, expectAccessible, MOCK, read, runningNetwork, signIn, test } from "./console";

const ARTIFACT = fileURLToPath(new URL("../../contracts/artifacts/Token.json", import.meta.url));

/** A platform administrator may not sign for a member: the test makes an administrator of the first member. */
async function signInAsMember(page: Page) {
  await signIn(page);
  if (MOCK) return;
  const consortium = (await read<{ items: { members: { title: string }[] }[] }>(page, "consortia")).items[0];
  const user = `e2e-${Date.now().toString(36)}`;
  const password = `${user}-correct-horse`;
  await page.goto("/users");
  await page.getByRole("button", { name: "New user" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "User name" }).fill(user);
  await dialog.locator('input[type="password"]').fill(password);
  await dialog.getByRole("combobox", { name: "Role 1", exact: true }).click();
  await page.getByRole("option", { name: "Organisation administrator" }).click();
  await dialog.getByRole("combobox", { name: "Organisation of role 1" }).click();
  await page.getByRole("option", { name: consortium?.members[0]?.title, exact: true }).click();
  await dialog.getByRole("button", { name: "Create the user" }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole("button", { name: /^Signed in as/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await signIn(page, { user, password });
}

const TO = `0x${"12".repeat(20)}`;

test("deploys a contract from its artifact, reads it, and writes to it", async ({ page }) => {
  await signInAsMember(page);
  const network = await runningNetwork(page);
  await page.goto(`/networks/${network.id}/contracts`);
  await page.getByRole("link", { name: "Deploy or register" }).first().click();
  const file = page.locator('input[type="file"]');
  await file.setInputFiles({ name: "broken.json", mimeType: "application/json", buffer: Buffer.from('{"abi": 1}') });
  await expect(page.getByRole("alert")).toContainText("no “abi”");
  await file.setInputFiles(ARTIFACT);
  await page.getByRole("textbox", { name: /^name_/ }).fill("Harbour dues");
  await page.getByRole("textbox", { name: /^symbol_/ }).fill("HARB");
  const supply = page.getByRole("textbox", { name: /^supply/ });
  await supply.fill("-1");
  await expect(page.getByRole("combobox", { name: "Signed by" })).not.toHaveValue("");
  await page.getByRole("button", { name: "Deploy the contract" }).click();
  await expect(page.getByText("Must not be negative")).toBeVisible();
  await supply.fill("1000000000000000000000");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Deploy the contract" }).click();

  await expect(page.getByRole("heading", { name: "Token", exact: true })).toBeVisible();
  const symbol = page.getByRole("form", { name: "symbol" });
  await symbol.getByRole("button").click();
  await expect(symbol.getByRole("status")).toHaveText(MOCK ? "DEMO" : "HARB");
  await page.getByText("Write", { exact: true }).click();
  const transfer = page.getByRole("form", { name: "transfer", exact: true });
  await transfer.getByRole("textbox", { name: /^to/ }).fill(TO);
  await transfer.getByRole("textbox", { name: /^value/ }).fill("1".padEnd(31, "0"));
  await transfer.getByRole("button").click();
  await expect(transfer.getByRole("alert")).toContainText("The contract refused the call");
  await transfer.getByRole("textbox", { name: /^value/ }).fill("250");
  await transfer.getByRole("button").click();
  await expect(transfer.getByRole("status")).toContainText("Success");
  await expectAccessible(page);
  if (MOCK) return;

  await page.getByText("Read", { exact: true }).click();
  const balance = page.getByRole("form", { name: "balanceOf" });
  await balance.getByRole("textbox").fill(TO);
  await balance.getByRole("button").click();
  await expect(balance.getByRole("status")).toHaveText("250");
  await page.getByText("Events", { exact: true }).click();
  await page
    .getByRole("button", { name: /^Details of log/ })
    .first()
    .click();
  await expect(page.getByText("Transfer(address,address,uint256)").first()).toBeVisible();
});
