import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import { blocksQuery, networkQuery, sessionQuery } from "./api/queries";
import { askForFirstPage, createAppRouter } from "./router";

function at(href: string) {
  history.replaceState(null, "", href);
  return createAppRouter(new QueryClient());
}

describe("links inside a network", () => {
  const network = "net_1";

  it.each(["alphaMSP/user", "main/asset", "0x12", "a b"])("carry the address %j whole", (address) => {
    const router = at("/networks");
    const { href } = router.buildLocation({
      to: "/networks/$network/addresses/$address",
      params: { network, address },
    });
    expect(href.split("/").length).toBe(5);
    const match = at(href);
    expect(match.matchRoutes(match.latestLocation).at(-1)?.params).toMatchObject({ network, address });
  });

  it("keep the channel", () => {
    const router = at("/networks/net_1/blocks?channel=trade");
    const block = { to: "/networks/$network/blocks/$block", params: { network, block: "7" } } as const;
    expect(router.buildLocation(block).href).toBe("/networks/net_1/blocks/7?channel=trade");
    expect(router.buildLocation({ ...block, search: { channel: "main" } }).href).toMatch(/\?channel=main$/);
    expect(router.buildLocation({ to: ".", search: { channel: "main" } }).href).toBe(
      "/networks/net_1/blocks?channel=main",
    );
  });

  it("let go of it on the way to another network, and outside", () => {
    const router = at("/networks/net_1/blocks?channel=trade");
    const other = { to: "/networks/$network", params: { network: "net_2" }, search: { channel: "" } } as const;
    expect(router.buildLocation(other).href).toBe("/networks/net_2");
    expect(router.buildLocation({ to: "/networks" }).href).toBe("/networks");
  });
});

it("asks for the session and the first page's data at once, of the channel of the address", async () => {
  const client = new QueryClient();
  client.setQueryData(networkQuery("net_1").queryKey, { channels: ["main", "trade"] } as never);
  const asked = vi.spyOn(client, "prefetchQuery").mockResolvedValue();
  history.replaceState(null, "", "/networks/net_1/blocks?channel=trade");
  askForFirstPage(createAppRouter(client));
  const keys = () => asked.mock.calls.map(([query]) => query.queryKey);
  expect(keys()).toContainEqual(sessionQuery().queryKey);
  expect(keys()).toContainEqual(networkQuery("net_1").queryKey);
  await vi.waitFor(() => expect(keys()).toContainEqual(blocksQuery("net_1", "trade").queryKey));
});
