import { expect, it } from "vitest";
import { readSearch } from "./search";

it.each([
  ["1,204", { kind: "block", number: "1204" }],
  [" latest ", { kind: "block", number: "latest" }],
  [`0x${"AB".repeat(32)}`, { kind: "hash", hash: `0x${"ab".repeat(32)}` }],
  ["cd".repeat(32), { kind: "hash", hash: `0x${"cd".repeat(32)}` }],
  [`0X${"Ef".repeat(20)}`, { kind: "address", address: `0x${"Ef".repeat(20)}` }],
  ["0x12", undefined],
  ["noordzee", undefined],
  ["", undefined],
])("reads %j", (text, term) => {
  expect(readSearch(text)).toEqual(term);
});
