import { ADMINISTRATOR, expect, expectAccessible, MOCK, read, runningNetwork, signIn, test } from "./console";

test("a session that ended leads to the sign-in, and back to the same page", async ({ page, context }) => {
  await signIn(page);
  await page.goto("/operations");
  await expect(page.getByRole("heading", { level: 1, name: "Operations" })).toBeVisible();
  await context.clearCookies();
  await expect(page.getByText("Your session has ended")).toBeVisible();
  await page.getByLabel("User name").fill(ADMINISTRATOR.user);
  await page.getByLabel("Password", { exact: true }).fill(ADMINISTRATOR.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Operations" })).toBeVisible();
});

test("a server that does not answer is said once, and what was there stays", async ({ page, problems }) => {
  problems.allow(/Failed to load resource: net::ERR_/);
  await signIn(page);
  const cutOff = page.getByText("No connection to the server");
  await page.route("**/api/**", (route) => route.abort());
  // A hidden page lets go of its stream: this one must open a new one, which fails.
  await page.evaluate(() => {
    for (const hidden of [true, false]) {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }
  });
  await expect(cutOff).toBeVisible();
  await expect(page.getByRole("article").first()).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Users" }).click();
  await expect(page.getByRole("alert").getByText("The server does not answer")).toBeVisible();

  await page.unroute("**/api/**");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("table", { name: "Users" })).toBeVisible();
  await expect(cutOff).toBeHidden();
});

test("who may not create a network is told so before filling in a form, and refused by the server", async ({
  page,
}) => {
  test.skip(MOCK, "the mock has one user");
  await signIn(page);
  const network = await runningNetwork(page);
  const organisation = (await read<{ items: { id: string }[] }>(page, "organisations")).items[0];
  const user = `auditor-${Date.now().toString(36)}`;
  const password = `${user}-correct-horse`;
  await page.evaluate(
    async ([name, password, organisation]) => {
      const { csrfToken } = await (await fetch("/api/v1/session")).json();
      const response = await fetch("/api/v1/users", {
        method: "POST",
        headers: { "content-type": "application/json", "x-csrf-token": csrfToken },
        body: JSON.stringify({ name, password, grants: [{ role: "auditor", organisation }] }),
      });
      if (!response.ok) throw new Error(await response.text());
    },
    [user, password, organisation?.id],
  );
  await page.getByRole("button", { name: /^Signed in as/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await signIn(page, { user, password });
  await expect(page.getByRole("link", { name: "New network" })).toHaveCount(0);
  await page.goto("/networks/new");
  await expect(page.getByText("Your roles do not allow this")).toBeVisible();
  await page.goto(`/networks/${network.id}`);
  await expect(page.getByRole("table", { name: "Nodes" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^(Stop|Restart|Delete)( |$)/ })).toHaveCount(0);

  // Their own password they may change.
  await page.getByRole("button", { name: /^Signed in as/ }).click();
  await page.getByRole("menuitem", { name: "Change password" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Current password").fill("not the password");
  await dialog.getByLabel("New password").fill(`${password}-2`);
  await dialog.getByRole("button", { name: "Change password" }).click();
  await expect(dialog.getByRole("alert")).toBeVisible();
  await dialog.getByLabel("Current password").fill(password);
  await dialog.getByRole("button", { name: "Change password" }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole("button", { name: /^Signed in as/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await signIn(page, { user, password: `${password}-2` });
});

test("a raw transaction that is none is refused with the reason", async ({ page }) => {
  test.skip(MOCK, "the mock takes any transaction");
  await signIn(page);
  const network = await runningNetwork(page);
  await page.goto(`/networks/${network.id}/transactions`);
  await page.getByRole("button", { name: "Send signed transaction" }).click();
  await page.getByLabel("Raw transaction").fill("0x1234");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toContainText("not a signed transaction");
});
