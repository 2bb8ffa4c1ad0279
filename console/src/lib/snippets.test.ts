import { expect, test } from "vitest";
import { addressWithKey, snippets } from "./snippets";

test("each snippet has the credential in its address", () => {
  const address = addressWithKey("https://polder.example:7400", "/rpc/con/one", "shop", "polder_app_1_x");
  expect(address).toBe("https://shop:polder_app_1_x@polder.example:7400/rpc/con/one");
  const texts = snippets(address).map((snippet) => snippet.text);
  expect(texts.every((text) => text.includes(address))).toBe(true);
  expect(texts.join()).toContain("wss://shop:polder_app_1_x@polder.example:7400/rpc/con/one");
});
