import { expect, expectAccessible, signIn, test } from "./console";

test("an access key's secret is shown once", async ({ page }) => {
  await signIn(page);
  await page.goto("/access-keys");
  await page.getByRole("button", { name: "New access key" }).first().click();
  const name = `e2e ${Date.now()}`;
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await page.getByRole("button", { name: "Create the key" }).click();
  await expect(page.getByText(/^polder_\w+/)).toBeVisible();
  await expectAccessible(page);
  await page.reload();
  await expect(page.getByText(name)).toBeVisible();
  await expect(page.getByText(/^polder_\w+/)).toHaveCount(0);
  await page.getByRole("button", { name: `Revoke ${name}` }).click();
  await page.getByRole("button", { name: "Revoke the key" }).click();
  await expect(page.getByText(name)).toHaveCount(0);
});

test("a name that is taken is refused beside the button", async ({ page }) => {
  await signIn(page);
  await page.goto("/organisations");
  const taken = await page
    .getByRole("table", { name: "Organisations" })
    .locator("tbody td:nth-child(2)")
    .first()
    .textContent();
  await page.getByRole("button", { name: "New organisation" }).click();
  await page
    .getByRole("dialog")
    .getByRole("textbox", { name: "Name", exact: true })
    .fill(taken ?? "");
  await page.getByRole("button", { name: "Create the organisation" }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toContainText("The name is taken");
});

test("the consortium shows each member's founding signature, the audit log its chain", async ({ page }) => {
  await signIn(page);
  await page.goto("/consortia");
  await page.getByRole("table", { name: "Consortia" }).getByRole("link").first().click();
  await expect(page.getByText("Signature", { exact: true }).first()).toBeVisible();
  await expectAccessible(page);
  await page.goto("/audit");
  await expect(page.getByText("Intact")).toBeVisible();
  await expect(page.getByRole("table", { name: "Audit entries" }).getByRole("row").nth(1)).toBeVisible();
  await expectAccessible(page);
});

test("the server's page lists tasks, and stops and starts those that may be", async ({ page }) => {
  await signIn(page);
  await page.goto("/server");
  const tasks = page.getByRole("table", { name: "Background tasks" });
  await expect(tasks.getByRole("row").nth(1)).toBeVisible();
  const stop = tasks.getByRole("button", { name: /^Stop / }).first();
  if ((await stop.count()) === 0) return;
  const name = (await stop.getAttribute("aria-label"))?.slice(5);
  await stop.click();
  const start = tasks.getByRole("button", { name: `Start ${name}` });
  await expect(start).toBeVisible();
  await start.click();
  await expect(tasks.getByRole("button", { name: `Stop ${name}` })).toBeVisible();
});
