import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { mockServer } from "./mock/plugin";

/**
 * `vite --mode mock` serves plausible live data from `mock/`; any other mode hands `/api` to a real
 * server at `POLDER_URL`.
 */
export default defineConfig(({ mode }) => {
  const server = process.env.POLDER_URL ?? "http://127.0.0.1:7400";
  const proxy = { target: server, changeOrigin: true };
  return {
    // The server puts a new nonce in its place each time it sends the page.
    html: { cspNonce: "__CSP_NONCE__" },
    plugins: [react(), ...(mode === "mock" ? [mockServer()] : [])],
    server: mode === "mock" ? {} : { proxy: { "/api": proxy, "/errors": proxy } },
    preview: mode === "mock" ? {} : { proxy: { "/api": proxy, "/errors": proxy } },
    build: {
      // The first versions that know light-dark(): the stylesheets rely on it.
      target: ["chrome123", "edge123", "firefox120", "safari17.5"],
      // The content policy allows no `data:` fonts or scripts: nothing is inlined.
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 1700,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        output: {
          // Dozens of files of a few lines each would cost a request each; what several pages use comes in one.
          codeSplitting: { groups: [{ name: "shared", minShareCount: 3 }] },
        },
      },
    },
    test: {
      environment: "jsdom",
      include: ["src/**/*.test.{ts,tsx}", "mock/**/*.test.ts"],
      setupFiles: ["./src/test-setup.ts"],
    },
  };
});
