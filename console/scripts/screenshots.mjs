/**
 * Visits each page in both schemes at both widths and writes pictures to `screenshots/`. Against POLDER_URL when it is
 * set (with POLDER_USER and POLDER_PASSWORD), else against the mock, from the build in `dist/`.
 * `node scripts/screenshots.mjs network node` takes only the pages whose name contains one of the words.
 */
import { mkdirSync } from "node:fs";
import { chromium } from "@playwright/test";
import { preview } from "vite";

const only = process.argv.slice(2);
const own = process.env.POLDER_URL === undefined;
const server = own
  ? await preview({ mode: "mock", logLevel: "error", preview: { port: 4180, host: "127.0.0.1" } })
  : undefined;
const base = process.env.POLDER_URL ?? "http://127.0.0.1:4180";
const user = process.env.POLDER_USER ?? "admin";
const password = process.env.POLDER_PASSWORD ?? "polder-polder";

mkdirSync("screenshots", { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.POLDER_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const failures = [];

for (const scheme of ["light", "dark"]) {
  for (const width of [1280, 390]) {
    const context = await browser.newContext({
      viewport: { width, height: width === 390 ? 844 : 860 },
      colorScheme: scheme,
      deviceScaleFactor: 1,
      ignoreHTTPSErrors: true,
    });
    const page = await context.newPage();
    page.on(
      "console",
      (message) =>
        message.type() === "error" &&
        !/status of 404/.test(message.text()) &&
        failures.push(`${scheme} ${width} ${page.url()}: ${message.text()}`),
    );
    page.on("pageerror", (error) => failures.push(`${scheme} ${width} ${page.url()}: ${error.message}`));
    await page.goto(`${base}/sign-in`);
    const shoot = (name) => take(page, name, scheme, width);
    await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    await settle(page);
    await shoot("sign-in");
    await page.getByLabel("User name").fill(user);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    for (const [name, path, prepare] of await pages(page)) {
      if (only.length > 0 && !only.some((word) => name.includes(word))) continue;
      await page.goto(base + path);
      await page.locator("h1").first().waitFor();
      await settle(page);
      await prepare?.(page);
      await shoot(name);
    }
    await context.close();
  }
}

await browser.close();
await server?.close();
for (const failure of new Set(failures)) console.error(failure);
process.exit(failures.length > 0 ? 1 : 0);

async function settle(page) {
  await page
    .locator('[role="status"][aria-label="Loading"], .mantine-Skeleton-root')
    .first()
    .waitFor({ state: "detached" })
    .catch(() => {});
  await page.waitForTimeout(350);
}

async function take(page, name, scheme, width) {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (overflow > 0) failures.push(`${scheme} ${width} ${page.url()}: ${overflow} pixels wider than the window`);
  // What is drawn once it is near the part in sight.
  await page.mouse.wheel(0, 20_000);
  await page.waitForTimeout(500);
  await page.screenshot({ path: `screenshots/${name}-${scheme}-${width}.png`, fullPage: true });
}

/** The pages, with the first of each thing that the deployment has. */
async function pages(page) {
  const get = (path) => page.evaluate(async (path) => await (await fetch(`/api/v1/${path}`)).json(), path);
  const networks = (await get("networks")).items;
  const network = networks.find((one) => one.status === "running") ?? networks[0];
  const consortium = (await get("consortia")).items[0];
  const operation = (await get("operations")).items[0];
  const list = [
    ["overview", "/"],
    ["consortia", "/consortia"],
    ["networks", "/networks"],
    ["wizard-1-engine", "/networks/new"],
    ["wizard-2-members", "/networks/new", (page) => wizard(page, 1)],
    ["wizard-3-options", "/networks/new", (page) => wizard(page, 2)],
    ["wizard-4-review", "/networks/new", (page) => wizard(page, 3)],
    ["organisations", "/organisations"],
    ["organisation-new", "/organisations", (page) => dialog(page, "New organisation")],
    ["consortium-new", "/consortia", (page) => dialog(page, "Found a consortium")],
    ["nodes", "/nodes"],
    ["users", "/users"],
    ["user-new", "/users", (page) => dialog(page, "New user")],
    ["access-keys", "/access-keys"],
    ["applications", "/applications"],
    ["access-key-new", "/access-keys", (page) => dialog(page, "New access key")],
    ["operations", "/operations"],
    ["audit", "/audit"],
    ["server", "/server"],
    ["not-found", "/no-such-page"],
  ];
  if (consortium) list.push(["consortium", `/consortia/${consortium.id}`]);
  if (operation) list.push(["operation", `/operations/${operation.id}`]);
  if (network) {
    const at = `/networks/${network.id}`;
    const newest = (await get(`networks/${network.id}/transactions?limit=25`)).items;
    const contract = (await get(`networks/${network.id}/contracts`)).items[0];
    list.push(
      ["network", at],
      ["network-delete", at, (page) => dialog(page, "Delete")],
      ["node", `${at}/nodes/${network.nodes[0].id}`],
      ["blocks", `${at}/blocks`],
      ["transactions", `${at}/transactions`],
      ["accounts", `${at}/accounts`],
      ["contracts", `${at}/contracts`],
      ["deploy", `${at}/contracts/deploy`, fillArtifact],
      ["details", `${at}/details`],
      ["failed", `${at}/transactions/0x${"ab".repeat(32)}`],
    );
    if (newest[0]) {
      list.push(
        ["transaction", `${at}/transactions/${newest[0].hash}`],
        ["block", `${at}/blocks/${newest[0].block}`],
        ["address", `${at}/addresses/${newest[0].from}`],
      );
    }
    if (contract) {
      list.push(
        ["contract-read", `${at}/contracts/${contract.id}`],
        ["contract-write", `${at}/contracts/${contract.id}`, (page) => tab(page, "Write")],
        ["contract-events", `${at}/contracts/${contract.id}`, (page) => tab(page, "Events")],
      );
    }
  }
  const stopped = networks.find((one) => one.status === "stopped");
  if (stopped) list.push(["network-stopped", `/networks/${stopped.id}`]);
  return list;
}

async function wizard(page, steps) {
  await page.getByLabel("Name", { exact: true }).fill("harbour");
  for (let step = 0; step < steps; step += 1) await page.getByRole("button", { name: "Next", exact: true }).click();
  await settle(page);
}

async function dialog(page, button) {
  await page.getByRole("button", { name: button, exact: true }).first().click();
  await settle(page);
}

async function tab(page, name) {
  await page.getByText(name, { exact: true }).click();
  await settle(page);
}

async function fillArtifact(page) {
  const artifact = {
    contractName: "Harbour",
    abi: [
      {
        type: "constructor",
        inputs: [
          { name: "owner", type: "address" },
          { name: "berths", type: "uint256" },
          { name: "open", type: "bool" },
        ],
      },
      {
        type: "function",
        name: "berths",
        inputs: [],
        outputs: [{ name: "", type: "uint256" }],
        stateMutability: "view",
      },
    ],
    bytecode: "0x6080604052",
  };
  await page.locator('input[type="file"]').setInputFiles({
    name: "Harbour.json",
    mimeType: "application/json",
    buffer: Buffer.from(JSON.stringify(artifact, null, 2)),
  });
  await page.getByRole("button", { name: "Deploy the contract" }).waitFor();
  await settle(page);
}
