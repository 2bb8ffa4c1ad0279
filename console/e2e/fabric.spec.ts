import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, expectAccessible, MOCK, read, signIn, signInAsMember, test } from "./console";

const SOURCE = fileURLToPath(new URL("../../contracts/fabric/go", import.meta.url));

test("a Fabric network from the wizard to called chaincode, another channel, and a profile", async ({ page }) => {
  test.skip(MOCK, "the mock starts no engine");
  // It builds chaincode and starts five processes; with nothing else on the machine it takes half a minute.
  test.setTimeout(300_000);
  const name = `fabric-${Date.now().toString(36)}`;
  await signIn(page);
  const consortium = (await read<{ items: { members: { name: string }[] }[] }>(page, "consortia")).items[0];
  const members = consortium?.members.map((member) => member.name) ?? [];

  await page.goto("/networks/new");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await page.getByRole("radio", { name: /Hyperledger Fabric/ }).click();
  await page.getByRole("radio", { name: /Raft: a leader orders/ }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Next" }).click();
  const chosen = page.getByRole("checkbox");
  for (let index = 2; index < members.length; index++) await chosen.nth(index).uncheck();
  await page.getByRole("textbox", { name: "Orderers" }).fill("1");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "Next" }).click();
  const planned = page.getByRole("table", { name: "Planned nodes" });
  await expect(planned.getByRole("row")).toHaveCount(4);
  await expect(planned).toContainText(`${name}/peer-${members[0]}-1`);
  await page.getByRole("button", { name: "Create the network" }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.locator("header").getByText("Running")).toBeVisible({ timeout: 60_000 });
  const at = new URL(page.url()).pathname;
  await expectAccessible(page);

  await page.getByRole("link", { name: "Chaincode", exact: true }).click();
  await page.getByRole("link", { name: "Deploy chaincode" }).first().click();
  const source = execFileSync("tar", ["czf", "-", "-C", SOURCE, "."]);
  await page
    .locator('input[type="file"]')
    .setInputFiles({ name: "asset.tar.gz", mimeType: "application/gzip", buffer: source });
  await expect(page.getByRole("textbox", { name: "Name", exact: true })).toHaveValue("asset");
  const policy = page.getByRole("textbox", { name: "Endorsement policy" });
  await policy.fill(`AND('${members[0]}MSP.peer'`);
  await page.getByRole("button", { name: "Deploy the chaincode" }).click();
  await expect(policy).toHaveAttribute("aria-invalid", "true");
  await expectAccessible(page);
  await policy.fill(`AND('${members[0]}MSP.peer','${members[1]}MSP.peer')`);
  await page.getByRole("button", { name: "Deploy the chaincode" }).click();
  const deployed = page.getByRole("table", { name: "Chaincode" });
  await expect(deployed.getByRole("link", { name: "asset" })).toBeVisible({ timeout: 60_000 });
  await page.getByRole("button", { name: "Details of chaincode asset on main" }).click();
  await expect(deployed.getByRole("link", { name: `asset-1-${members[0]}` })).toBeVisible();
  await expectAccessible(page);

  await page.getByRole("link", { name: "Channels" }).click();
  await page.getByRole("button", { name: "Create channel" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill("second");
  await dialog.getByRole("checkbox", { name: members[1] }).uncheck();
  await dialog.getByRole("button", { name: "Create the channel" }).click();
  await expect(dialog).toBeHidden();
  const channels = page.getByRole("table", { name: "Channels" });
  await expect(channels.getByRole("row", { name: /second .* 0 2/ })).toBeVisible({ timeout: 60_000 });
  await page.getByRole("button", { name: "Details of channel second" }).click();
  await channels.getByRole("button", { name: "Join a member" }).click();
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Join the channel" }).click();
  await expect(dialog).toBeHidden();
  const both = new RegExp(`second ${members[0]}, ${members[1]} \\d+ 3`);
  await expect(channels.getByRole("row", { name: both })).toBeVisible({ timeout: 60_000 });
  await page.getByRole("button", { name: "Details of channel main" }).click();
  await expect(channels.getByText(/^orderer of .*, height \d/).first()).toBeVisible();
  await expectAccessible(page);

  const peer = `peer-${members[1]}-2`;
  const ended = async () => (await read<{ items: { status: string }[] }>(page, "operations?limit=1")).items[0]?.status;
  await page.goto(at);
  await page.getByRole("button", { name: "Add node" }).click();
  await dialog.getByRole("combobox", { name: "Member" }).click();
  await page.getByRole("option", { name: members[1], exact: true }).click();
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Add the node" }).click();
  await expect(dialog).toBeHidden();
  const nodes = page.getByRole("table", { name: "Nodes" });
  await expect(nodes.getByRole("row", { name: new RegExp(`${peer} .*Running`) })).toBeVisible({ timeout: 60_000 });
  await expect.poll(ended, { timeout: 60_000 }).toBe("succeeded");
  await nodes.getByRole("link", { name: peer }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await dialog.getByRole("textbox").fill(peer);
  await dialog.getByRole("button", { name: "Delete the node" }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(nodes.getByRole("row", { name: new RegExp(peer) })).toHaveCount(0, { timeout: 60_000 });
  await page.getByRole("button", { name: /^Signed in as/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();

  await signInAsMember(page);
  await page.goto(`${at}/contracts`);
  await page.getByRole("table", { name: "Contracts" }).getByRole("link", { name: "asset", exact: true }).click();
  const create = page.getByRole("form", { name: "CreateAsset" });
  for (const [field, value] of Object.entries({ id: "tulip", color: "red", size: "5", owner: "tom", value: "300" }))
    await create.getByRole("textbox", { name: new RegExp(`^${field}\\b`) }).fill(value);
  await create.getByRole("button", { name: "Invoke: CreateAsset" }).click();
  await expect(create.getByRole("status")).toContainText("Success");
  const ask = page.getByRole("form", { name: "ReadAsset" });
  await ask.getByRole("textbox").first().fill("tulip");
  await ask.getByRole("button", { name: "Query: ReadAsset" }).click();
  await expect(ask.getByRole("status")).toContainText("tom");
  await expectAccessible(page);
  await page.getByText("Events", { exact: true }).click();
  await expect(page.getByText("CreateAsset", { exact: true }).first()).toBeVisible();
  await page.getByText("Call", { exact: true }).click();

  await page.goto(`${at}/transactions`);
  await page
    .getByRole("row", { name: /CreateAsset/ })
    .getByRole("link")
    .first()
    .click();
  const endorsed = page.getByRole("region", { name: "Endorsements" });
  for (const member of members.slice(0, 2)) await expect(endorsed).toContainText(`${member}MSP/peer-${member}-1`);
  const writes = page.getByRole("table", { name: "Reads and writes of asset" });
  await expect(writes.getByRole("row", { name: /write tulip/ })).toContainText('"Owner":"tom"');
  await expectAccessible(page);
  await page.locator(".facts").getByRole("link", { name: /^\d+$/ }).click();
  await expect(page.getByRole("heading", { name: /^Block \d/ })).toBeVisible();
  await expectAccessible(page);

  await page.goto(at);
  await page.getByRole("button", { name: "Connection profile" }).click();
  await dialog.getByRole("combobox", { name: "Member" }).click();
  await page.getByRole("option", { name: members[0] ?? "", exact: true }).click();
  await dialog.getByRole("button", { name: "Make the files" }).click();
  await expectAccessible(page);
  const download = page.waitForEvent("download");
  await dialog.getByRole("button", { name: "Download all as JSON" }).click();
  const files = JSON.parse(readFileSync(await (await download).path(), "utf8")) as Record<string, string>;
  expect(files["msp/user/keystore/key_sk"]).toContain("PRIVATE KEY");
  expect(JSON.parse(files["connection.json"] ?? "").organizations[members[1] ?? ""].mspid).toBe(`${members[1]}MSP`);
});
