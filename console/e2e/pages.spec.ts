import type { Page } from "@playwright/test";
import { expect, expectAccessible, type Listed, read, runningNetwork, signIn, test } from "./console";

/** Every page, with what shows that its data has come. */
async function pages(page: Page): Promise<[path: string, shown: string][]> {
  const network = await runningNetwork(page);
  const at = `/networks/${network.id}`;
  const first = async <T>(path: string) => (await read<{ items: T[] }>(page, path)).items[0];
  const consortium = await first<{ id: string }>("consortia");
  const operation = await first<{ id: string }>("operations");
  const node = await first<{ id: string }>("nodes");
  const contract = await first<{ id: string }>(`networks/${network.id}/contracts`);
  const transaction = await first<{ hash: string; block: number; from: string }>(
    `networks/${network.id}/transactions?limit=1`,
  );
  const all: [path: string, shown: string][] = [
    ["/", "article"],
    ["/networks", "tbody tr"],
    ["/networks/new", "[role=radio]"],
    ["/nodes", "tbody tr"],
    ["/consortia", "tbody tr"],
    [`/consortia/${consortium?.id}`, "tbody tr"],
    ["/operations", "tbody tr, .empty"],
    [`/operations/${operation?.id}`, ".step"],
    ["/organisations", "tbody tr"],
    ["/users", "tbody tr"],
    ["/access-keys", ".empty, tbody tr"],
    ["/applications", ".empty, tbody tr"],
    ["/audit", "tbody tr"],
    ["/engines", "tbody tr"],
    ["/server", "tbody tr"],
    ["/no-such-page", ".empty"],
    [at, ".topology-node"],
    [`${at}/nodes/${node?.id}`, "[role=log] div[title]"],
    [`${at}/blocks`, "tbody tr"],
    [`${at}/blocks/${transaction?.block}`, "tbody tr"],
    [`${at}/transactions`, "tbody tr"],
    [`${at}/transactions/${transaction?.hash}`, ".facts"],
    [`${at}/addresses/${transaction?.from}`, ".facts"],
    [`${at}/accounts`, "tbody tr"],
    [`${at}/contracts`, "tbody tr"],
    [`${at}/contracts/${contract?.id}`, "form.function"],
    [`${at}/contracts/deploy`, ".cm-content"],
    [`${at}/details`, ".facts"],
  ];
  // A new deployment has no operation yet.
  return all.filter(([path]) => !path.includes("undefined"));
}

for (const scheme of ["light", "dark"] as const) {
  test(`every page is accessible in the ${scheme} scheme`, async ({ page }) => {
    test.setTimeout(300_000);
    await page.emulateMedia({ colorScheme: scheme });
    await signIn(page);
    for (const [path, shown] of await pages(page)) {
      await test.step(path, async () => {
        await page.goto(path);
        await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", scheme);
        await expect(page.locator(shown).first()).toBeVisible();
        await expect(page.locator("h1")).toHaveCount(1);
        await expectAccessible(page);
      });
    }
  });
}

test("at 390 pixels no page is wider than the screen", async ({ page }) => {
  test.setTimeout(300_000);
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page);
  for (const [path, shown] of await pages(page)) {
    await page.goto(path);
    await expect(page.locator(shown).first()).toBeVisible();
    const excess = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(excess, path).toBeLessThanOrEqual(0);
  }
});

test("pages without charts, graphs or editors do not load these", async ({ page }) => {
  await signIn(page);
  const loaded: string[] = [];
  page.on("request", (request) => loaded.push(new URL(request.url()).pathname));
  for (const path of ["/", "/networks", "/operations", "/users", "/audit"]) {
    await page.goto(path);
    await expect(page.locator("tbody tr, .empty").first()).toBeVisible();
  }
  const large = /\/(Chart|StatisticsCharts|UsageCharts|NetworkOverview|CodeEditor)\b/;
  expect(loaded.filter((path) => large.test(path))).toEqual([]);
  // What is looked for has these names where it is needed; the topology comes with its page.
  const network = await runningNetwork(page);
  await page.goto(`/networks/${network.id}`);
  await page.getByRole("heading", { name: "Throughput and latency" }).scrollIntoViewIfNeeded();
  await expect(page.getByRole("img", { name: /Transactions per second/ })).toBeVisible();
  expect(loaded.filter((path) => large.test(path)).length).toBeGreaterThanOrEqual(3);
});

test("all nodes are listed, with the way to each", async ({ page }) => {
  await signIn(page);
  const nodes = (await read<Listed>(page, "nodes")).items;
  await page.goto("/nodes");
  const table = page.getByRole("table", { name: "Nodes" });
  await expect(table.getByRole("link")).toHaveCount(nodes.length);
  await table
    .getByRole("link", { name: nodes[0]?.name ?? "" })
    .first()
    .click();
  await expect(page.getByRole("log")).toBeVisible();
});
