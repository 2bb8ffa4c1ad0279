import { expect, expectAccessible, read, runningNetwork, signIn, test } from "./console";

interface Found {
  items: { hash: string; block: number; from: string; method: string | null }[];
}

test("from the blocks to a block, its transaction, the decoded call and its logs", async ({ page }) => {
  await signIn(page);
  const network = await runningNetwork(page);
  let call: Found["items"][number] | undefined;
  await expect
    .poll(
      async () => {
        call = (await read<Found>(page, `networks/${network.id}/transactions?limit=50`)).items.find(
          (one) => one.method !== null,
        );
        return call !== undefined;
      },
      { message: "the demonstration's traffic makes calls", timeout: 60_000 },
    )
    .toBe(true);
  if (call === undefined) return;

  await page.goto(`/networks/${network.id}/blocks`);
  await expect(page.getByRole("table", { name: "Blocks" }).getByRole("row").nth(5)).toBeVisible();
  await expectAccessible(page);

  const search = page.getByRole("textbox", { name: /Search the ledger/ });
  await search.fill(String(call.block));
  await search.press("Enter");
  await expect(page.getByRole("heading", { name: `Block ${call.block.toLocaleString("en")}` })).toBeVisible();
  await page.getByRole("table", { name: "Transactions" }).getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: "Transaction", exact: true })).toBeVisible();

  await search.fill(call.hash);
  await search.press("Enter");
  await expect(page).toHaveURL(new RegExp(call.hash));
  await expect(page.getByRole("table", { name: `Arguments of ${call.method}`, exact: true })).toBeVisible();
  await expect(page.getByRole("heading", { name: /^Logs \(/ })).toBeVisible();
  await expectAccessible(page);

  await search.fill(call.from);
  await search.press("Enter");
  await expect(page.getByText("Transactions sent")).toBeVisible();

  await search.fill("nonsense");
  await search.press("Enter");
  await expect(page.getByText(/Type a block's height/)).toBeVisible();
  await search.fill(`0x${"ab".repeat(32)}`);
  await search.press("Enter");
  await expect(page.getByText(/No block and no transaction/)).toBeVisible();
});

test("works at 390 pixels: the menu opens, nothing is wider than the screen", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page);
  const network = await runningNetwork(page);
  for (const path of [
    "/",
    `/networks/${network.id}`,
    `/networks/${network.id}/transactions`,
    "/audit",
    "/networks/new",
  ]) {
    await page.goto(path);
    await expect(page.locator("h1").first()).toBeVisible();
    const excess = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(excess, path).toBeLessThanOrEqual(0);
  }
  await page.getByRole("button", { name: "Open the navigation" }).click();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Server" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Server" })).toBeVisible();
  await expectAccessible(page);
});
