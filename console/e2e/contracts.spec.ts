import { fileURLToPath } from "node:url";
import { expect, expectAccessible, MOCK, runningNetwork, signInAsMember, test } from "./console";

const ARTIFACT = fileURLToPath(new URL("../../contracts/artifacts/Token.json", import.meta.url));

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
