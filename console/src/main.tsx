import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./theme/fonts.css";
import "./theme/base.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { toProblem } from "./api/problem";
import { askForFirstPage, createAppRouter } from "./router";
import { styleNonce } from "./theme/nonce";
import { cssVariables, theme } from "./theme/theme";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // Whether the machine has the internet says nothing about the server, which may be on the machine itself.
      networkMode: "always",
      staleTime: 2_000,
      // What the server refuses it refuses again; what it could not do just now it may do in a moment.
      retry: (count, error) => count < 2 && [0, 502, 503, 504].includes(toProblem(error).status),
    },
    mutations: { networkMode: "always", retry: false },
  },
});
const router = createAppRouter(client);
askForFirstPage(router);
const schemes = localStorageColorSchemeManager({ key: "polder-color-scheme" });

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      getStyleNonce={() => styleNonce}
      defaultColorScheme="auto"
      colorSchemeManager={schemes}
    >
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
