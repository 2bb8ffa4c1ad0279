/**
 * How long each page takes to be usable: from the request until its heading and its data are in sight, first with an empty
 * cache, then once more with what the first visit has left in it. Against the server at POLDER_URL, with POLDER_USER and POLDER_PASSWORD. `RUNS` of each page, 5 when absent.
 * A figure, not a test: it never fails for being slow.
 */
import { cpus } from "node:os";
import { chromium } from "@playwright/test";

const base = process.env.POLDER_URL;
if (base === undefined) throw new Error("POLDER_URL names no server");
const runs = Number(process.env.RUNS ?? 5);

const browser = await chromium.launch({
  executablePath: process.env.POLDER_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const first = await browser.newContext({ ignoreHTTPSErrors: true });
const page = await first.newPage();
await page.goto(`${base}/sign-in`);
await page.getByLabel("User name").fill(process.env.POLDER_USER ?? "admin");
await page.getByLabel("Password", { exact: true }).fill(process.env.POLDER_PASSWORD ?? "");
await page.getByRole("button", { name: "Sign in" }).click();
await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
const storageState = await first.storageState();
const get = (path) => page.evaluate(async (path) => await (await fetch(`/api/v1/${path}`)).json(), path);
const network = (await get("networks")).items.find((one) => one.status === "running");
if (network === undefined) throw new Error("no network runs");
const at = `/networks/${network.id}`;
const transaction = (await get(`networks/${network.id}/transactions?limit=1`)).items[0];
const contract = (await get(`networks/${network.id}/contracts`)).items[0];
const consortium = (await get("consortia")).items[0];
const operation = (await get("operations")).items[0];
await first.close();

/** Path, and what is in sight once the page's data has come. */
const PAGES = [
  ["/sign-in", "form"],
  ["/", "article dd"],
  ["/networks", "tbody tr"],
  ["/networks/new", "[role=radio]"],
  ["/nodes", "tbody tr"],
  [`/consortia/${consortium.id}`, "tbody tr"],
  ["/operations", "tbody tr"],
  [`/operations/${operation.id}`, ".step"],
  ["/organisations", "tbody tr"],
  ["/users", "tbody tr"],
  ["/audit", "tbody tr"],
  ["/server", "tbody tr"],
  [at, ".topology-node"],
  [`${at}/nodes/${network.nodes[0].id}`, "[role=log] div[title]"],
  [`${at}/blocks`, "tbody tr"],
  [`${at}/blocks/${transaction.block}`, "tbody tr"],
  [`${at}/transactions`, "tbody tr"],
  [`${at}/transactions/${transaction.hash}`, ".facts"],
  [`${at}/accounts`, "tbody tr"],
  [`${at}/contracts`, "tbody tr"],
  [`${at}/contracts/${contract.id}`, "form.function"],
  [`${at}/contracts/deploy`, ".cm-content"],
  [`${at}/details`, ".facts"],
];

console.log(`${cpus().length} cores, ${runs} runs of each page; median and most in ms`);
console.log("empty cache  most   again  most  script kB  page");
for (const [path, shown] of PAGES) {
  const first = [];
  const again = [];
  let bytes = 0;
  for (let run = 0; run < runs; run += 1) {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      storageState: path === "/sign-in" ? undefined : storageState,
    });
    for (const times of [first, again]) {
      const page = await context.newPage();
      const start = performance.now();
      await page.goto(base + path, { waitUntil: "commit" });
      await Promise.all([page.locator("h1").first().waitFor(), page.locator(shown).first().waitFor()]);
      times.push(performance.now() - start);
      bytes = Math.max(bytes, await page.evaluate(scriptBytes));
      await page.close();
    }
    await context.close();
  }
  const columns = [median(first), Math.max(...first), median(again), Math.max(...again), bytes / 1000];
  const widths = [11, 6, 8, 6, 11];
  const line = columns.map((value, column) => value.toFixed(0).padStart(widths[column])).join("");
  console.log(`${line}  ${path.replaceAll(/[a-z]+_[0-9a-f]{20,}|0x[0-9a-f]{40,}/g, "…")}`);
}
await browser.close();

function median(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}

/** Runs in the page. */
function scriptBytes() {
  return performance
    .getEntriesByType("resource")
    .filter((entry) => entry.name.endsWith(".js"))
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0);
}
