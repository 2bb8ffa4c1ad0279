import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";

export const MOCK = process.env.POLDER_URL === undefined;
export const ADMINISTRATOR = {
  user: process.env.POLDER_USER ?? "admin",
  password: process.env.POLDER_PASSWORD ?? "polder-polder",
};

/** What a page may log in a test without failing it. */
interface Problems {
  allow: (text: RegExp) => void;
}

/** Fails when the page logs an error, such as a breach of the content policy. Refused requests are not errors here. */
export const test = base.extend<{ problems: Problems }>({
  problems: [
    async ({ page }, use) => {
      const allowed = [/status of 4\d\d|ERR_INCOMPLETE_CHUNKED|ERR_NETWORK_CHANGED/];
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error" && !allowed.some((text) => text.test(message.text())))
          errors.push(message.text());
      });
      await use({ allow: (text) => void allowed.push(text) });
      expect(errors).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

export async function signIn(page: Page, who = ADMINISTRATOR) {
  await page.goto("/sign-in");
  await page.getByLabel("User name").fill(who.user);
  await page.getByLabel("Password", { exact: true }).fill(who.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
}

/** A platform administrator may not sign for a member: the test makes an administrator of the first member. */
export async function signInAsMember(page: Page) {
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

/** Fails for anything that axe finds against WCAG 2 A and AA. */
export async function expectAccessible(page: Page) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"])
    .analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
  expect(found).toEqual([]);
}

/** The API as the page's session sees it, for what a test needs to know but does not test. */
export async function read<T>(page: Page, path: string): Promise<T> {
  return page.evaluate(async (path) => {
    const response = await fetch(`/api/v1/${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }, path) as Promise<T>;
}

export interface Listed {
  items: { id: string; name: string; status: string }[];
}

/** The first running network with several nodes. */
export async function runningNetwork(page: Page): Promise<{ id: string; name: string }> {
  let found: { id: string; name: string } | undefined;
  await expect
    .poll(
      async () => {
        const { items } = await read<{ items: { id: string; name: string; status: string; nodes: unknown[] }[] }>(
          page,
          "networks",
        );
        found = items.find((network) => network.status === "running" && network.nodes.length >= 4);
        return found !== undefined;
      },
      { timeout: 60_000 },
    )
    .toBe(true);
  if (found === undefined) throw new Error("no network runs");
  return found;
}
