import createFetchClient, { type Middleware } from "openapi-fetch";
import createQueryClient from "openapi-react-query";
import type { paths } from "./schema";

let csrfToken: string | null = null;

/** The session's token goes with every request that changes something. */
export function setCsrfToken(token: string | null | undefined) {
  csrfToken = token ?? null;
}

const session: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET" && csrfToken !== null) request.headers.set("x-csrf-token", csrfToken);
    if (request.method === "POST") request.headers.set("idempotency-key", newKey());
    return request;
  },
};

export const api = createFetchClient<paths>({ baseUrl: location.origin });
api.use(session);

export const queries = createQueryClient(api);

/** Takes the data out of an answer, or throws the problem. */
export async function done<T>(request: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await request;
  if (!response.ok) throw error ?? `status ${response.status}`;
  return data as T;
}

/** `crypto.randomUUID` is missing where the page came over plain HTTP from another machine. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
