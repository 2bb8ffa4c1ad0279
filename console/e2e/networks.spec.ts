import { expect, expectAccessible, type Listed, read, runningNetwork, signIn, test } from "./console";

test("the wizard explains, previews and creates a network, and its deletion asks for the name", async ({ page }) => {
  const name = `e2e-${Date.now().toString(36)}`;
  await signIn(page);
  await page.getByRole("link", { name: "New network" }).first().click();
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByRole("alert")).toContainText("Give the network a name");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await page.getByRole("radio", { name: /solo/i }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("textbox", { name: "Validators" }).fill("3");
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByRole("alert")).toContainText("exactly 1 validator");
  await page.getByRole("textbox", { name: "Validators" }).fill("1");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByRole("table", { name: "Planned nodes" })).toContainText(`${name}/`);
  await page.getByRole("button", { name: "Create the network" }).click();

  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.locator("header").getByText("Running")).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole("table", { name: "Nodes" })).toContainText("Running");

  await page.getByRole("button", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Delete the network" })).toBeDisabled();
  await dialog.getByRole("textbox").fill(name);
  await dialog.getByRole("button", { name: "Delete the network" }).click();
  await expect(page).toHaveURL(/\/networks$/);
  await expect
    .poll(async () => (await read<Listed>(page, "networks")).items.some((one) => one.name === name), {
      timeout: 60_000,
    })
    .toBe(false);
});

test("the network's page shows who runs what, live, and a stopped node comes back", async ({ page }) => {
  await signIn(page);
  const network = await runningNetwork(page);
  await page.goto(`/networks/${network.id}`);
  const graph = page.getByRole("region", { name: /^Topology: members/ });
  await expect(graph.getByText(/validator · running/)).toHaveCount(4);
  await expect(graph.getByTitle("Current leader")).toBeVisible();
  await page.getByRole("heading", { name: "Throughput and latency" }).scrollIntoViewIfNeeded();
  await expect(page.getByRole("img", { name: /Transactions per second/ })).toBeVisible();
  await expectAccessible(page);

  const height = page.locator(".figure", { hasText: "Height" }).locator(".figure-value");
  const before = await height.textContent();
  await expect(height).not.toHaveText(before ?? "", { timeout: 20_000 });

  const nodes = page.getByRole("table", { name: "Nodes" });
  await nodes
    .getByRole("button", { name: /^Stop / })
    .first()
    .click();
  await expect(page.locator("header").getByText("Degraded")).toBeVisible({ timeout: 60_000 });
  await expect(graph.getByText(/validator · stopped/)).toBeVisible();
  await nodes.getByRole("button", { name: /^Start / }).click();
  await expect(page.locator("header").getByText("Running")).toBeVisible({ timeout: 60_000 });
});

test("a node's page shows its addresses, its use of the machine and its log", async ({ page }) => {
  await signIn(page);
  const network = await runningNetwork(page);
  await page.goto(`/networks/${network.id}`);
  await page.getByRole("table", { name: "Nodes" }).getByRole("link").first().click();
  await expect(page.getByText(/^http:\/\//).first()).toBeVisible();
  await expect(page.getByRole("log").locator("div").nth(3)).toBeVisible();
  // The charts come when they are near the part that is in sight.
  await page.getByRole("heading", { name: "Resource usage" }).scrollIntoViewIfNeeded();
  await expect(page.getByRole("img", { name: /^CPU/ })).toBeVisible();
  await expectAccessible(page);
});

test("operations list what was done, with steps", async ({ page }) => {
  await signIn(page);
  const network = await runningNetwork(page);
  await page.goto(`/networks/${network.id}`);
  await page.getByRole("button", { name: "Restart", exact: true }).click();
  await expect(page.getByRole("list", { name: "Steps" })).toBeVisible();
  await page.goto("/operations");
  await page.getByRole("table", { name: "Operations" }).getByRole("link").first().click();
  await expect(page.getByRole("list", { name: "Steps" }).getByRole("listitem").first()).toBeVisible();
  await expect(page.locator("header").getByText("Succeeded")).toBeVisible({ timeout: 60_000 });
  await expectAccessible(page);
});
