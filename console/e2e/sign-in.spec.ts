import { ADMINISTRATOR, expect, expectAccessible, signIn, test } from "./console";

test("a wrong password is refused with what to do, the right one opens the page that was asked for", async ({
  page,
}) => {
  await page.goto("/operations");
  await expect(page).toHaveURL(/sign-in/);
  await expectAccessible(page);
  await page.getByLabel("User name").fill(ADMINISTRATOR.user);
  await page.getByLabel("Password", { exact: true }).fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("User name or password is wrong");
  await expect(page.getByRole("link", { name: /What auth.failed means/ })).toHaveAttribute(
    "href",
    "/errors/auth.failed",
  );

  await page.getByLabel("Password", { exact: true }).fill(ADMINISTRATOR.password);
  await page.getByLabel("Password", { exact: true }).press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Operations" })).toBeVisible();
});

test("signing out ends the session", async ({ page }) => {
  await signIn(page);
  await page.getByRole("button", { name: `Signed in as ${ADMINISTRATOR.user}` }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
  await page.goto("/");
  await expect(page).toHaveURL(/sign-in/);
});

test("the scheme is chosen and kept", async ({ page }) => {
  await signIn(page);
  const html = page.locator("html");
  await page.getByRole("button", { name: "Colour scheme" }).click();
  await page.getByRole("menuitem", { name: "Dark" }).click();
  await expect(html).toHaveAttribute("data-mantine-color-scheme", "dark");
  await page.reload();
  await expect(html).toHaveAttribute("data-mantine-color-scheme", "dark");
});
