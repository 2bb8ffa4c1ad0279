import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { beforeEach, expect, it, vi } from "vitest";

// Taken by the client when it is made.
const server = vi.hoisted(() => {
  const fetch = vi.fn<(request: Request) => Promise<Response>>();
  globalThis.fetch = fetch as never;
  return fetch;
});

import type { Validator } from "../../api/types";
import { AttachForm } from "./Attach";
import { VoteForm } from "./Validators";

/** Typing letter by letter takes long on a busy machine. */
const PATIENCE = 30_000;

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

function Wrapper({ children }: { children: ReactNode }) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return (
    <QueryClientProvider client={client}>
      <MantineProvider>{children}</MantineProvider>
    </QueryClientProvider>
  );
}

const sent: { method: string; url: string; body: unknown }[] = [];
let answer: (path: string, method: string) => Response;

beforeEach(() => {
  sent.length = 0;
  server.mockImplementation(async (request) => {
    const { pathname, search } = new URL(request.url);
    if (request.method !== "GET") {
      const text = await request.text();
      sent.push({ method: request.method, url: pathname + search, body: text === "" ? null : JSON.parse(text) });
    }
    return answer(pathname, request.method);
  });
});

it(
  "attaches by address, says beside the field what is wrong, and leaves out what is not given",
  async () => {
    let problem: unknown = {
      type: "/errors/network.identity",
      title: "The address answers as another chain",
      status: 409,
      code: "network.identity",
      detail: "The chain at the address has the id 7, not 5.",
      fields: [{ field: "chainId", message: "The chain at the address has the id 7, not 5." }],
    };
    answer = (path) => {
      if (path.endsWith("/consortia")) return json({ items: [{ id: "con_1", name: "trade", title: "" }], next: null });
      return problem ? json(problem, 409) : json({ id: "net_1" }, 201);
    };
    const onDone = vi.fn();
    const user = userEvent.setup();
    render(<AttachForm onDone={onDone} />, { wrapper: Wrapper });
    const button = screen.getByRole("button", { name: "Attach the network" });
    expect(button).toHaveProperty("disabled", true);
    await user.type(screen.getByRole("textbox", { name: /^Name/ }), "partner");
    await user.type(screen.getByLabelText(/^Address of its JSON-RPC/), " https://rpc.example/v3/key ");
    await user.type(screen.getByLabelText("Chain id"), "5");
    await user.click(button);
    expect((await screen.findAllByText(/has the id 7, not 5/)).length).toBeGreaterThan(0);
    expect(onDone).not.toHaveBeenCalled();

    problem = undefined;
    await user.clear(screen.getByLabelText("Chain id"));
    await user.click(button);
    await waitFor(() => expect(onDone).toHaveBeenCalledOnce());
    expect(sent.map(({ body }) => body)).toEqual([
      { name: "partner", rpc: "https://rpc.example/v3/key", chainId: 5 },
      { name: "partner", rpc: "https://rpc.example/v3/key" },
    ]);
  },
  PATIENCE,
);

it(
  "votes in a member's name, and offers to withdraw what that member has voted",
  async () => {
    const node = (member: string) => ({ id: member, name: `trade/${member}`, member });
    answer = (path, method) =>
      method === "GET" && path.endsWith("/net_1") ? json({ nodes: ["alpha", "beta"].map(node) }) : json({ items: [] });
    const validator: Validator = {
      address: "0x01",
      node: "trade/validator-4",
      member: "beta",
      validates: true,
      status: "running",
      proposed: "remove",
      votes: [{ address: "0x02", node: "trade/alpha", member: "alpha", counted: false }],
    };
    const onDone = vi.fn();
    const user = userEvent.setup();
    render(<VoteForm network="net_1" validator={validator} onDone={onDone} />, { wrapper: Wrapper });
    const vote = screen.getByRole("button", { name: "Vote it out" });
    expect(vote).toHaveProperty("disabled", true);
    const choose = async (member: string) => {
      await user.click(screen.getByRole("combobox", { name: /Member that votes/ }));
      await user.click(await screen.findByRole("option", { name: member, hidden: true }));
    };
    await choose("beta");
    expect(screen.queryByRole("button", { name: "Withdraw the vote" })).toBeNull();
    await user.click(vote);
    await waitFor(() => expect(onDone).toHaveBeenCalledOnce());
    await choose("alpha");
    await user.click(await screen.findByRole("button", { name: "Withdraw the vote" }));
    await waitFor(() => expect(sent).toHaveLength(2));
    expect(sent[0]).toEqual({
      method: "POST",
      url: "/api/v1/networks/net_1/validators/votes",
      body: { validator: "0x01", change: "remove", member: "beta", force: false },
    });
    expect(sent[1]).toMatchObject({
      method: "DELETE",
      url: "/api/v1/networks/net_1/validators/votes/0x01?member=alpha",
    });
  },
  PATIENCE,
);
