import { defineConfig } from "@playwright/test";

/**
 * Against a real server: POLDER_URL, POLDER_USER and POLDER_PASSWORD of a platform administrator. Without POLDER_URL the
 * build in `dist/` is served with the mock.
 */
const url = process.env.POLDER_URL;

export default defineConfig({
  testDir: "./e2e",
  // One deployment, one story after the other: networks share the machine.
  workers: 1,
  fullyParallel: false,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    actionTimeout: 30_000,
    baseURL: url ?? "http://127.0.0.1:4181",
    ignoreHTTPSErrors: true,
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.POLDER_CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox"],
    },
    viewport: { width: 1280, height: 860 },
  },
  webServer:
    url === undefined
      ? {
          command: "npx vite preview --mode mock --host 127.0.0.1 --port 4181 --strictPort",
          url: "http://127.0.0.1:4181",
          reuseExistingServer: false,
        }
      : undefined,
});
