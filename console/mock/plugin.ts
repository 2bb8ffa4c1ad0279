import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { handle } from "./routes";
import { createWorld } from "./world";

/** Serves the API from memory, to `vite --mode mock` and to `vite preview --mode mock`. */
export function mockServer(): Plugin {
  const world = createWorld();
  return {
    name: "polder-mock",
    configureServer(server) {
      server.middlewares.use((request, response, next) => handle(world, request, response, next));
    },
    configurePreviewServer(server) {
      server.middlewares.use((request, response, next) => handle(world, request, response, next));
      server.middlewares.use(sendPage);
    },
  };
}

/** Sends the first page as the server does, so that a build that breaks the content policy breaks here too. */
function sendPage(request: IncomingMessage, response: ServerResponse, next: () => void) {
  if (/\.\w+$/.test((request.url ?? "").split("?")[0] ?? "")) return next();
  const nonce = randomBytes(16).toString("hex");
  const policy = `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;
  response.setHeader("content-security-policy", policy);
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(readFileSync("dist/index.html", "utf8").replaceAll("__CSP_NONCE__", nonce));
}
