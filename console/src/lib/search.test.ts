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
  ["alphaMSP/user", undefined],
  ["", undefined],
])("reads %j where hashes and addresses have 0x", (text, term) => {
  expect(readSearch(text, "prefixed")).toEqual(term);
});

it.each([
  ["1,204", { kind: "block", number: "1204" }],
  ["CD".repeat(32), { kind: "hash", hash: "cd".repeat(32) }],
  [`0x${"ab".repeat(32)}`, { kind: "hash", hash: "ab".repeat(32) }],
  ["12:0", { kind: "hash", hash: "12:0" }],
  [" alphaMSP/user ", { kind: "address", address: "alphaMSP/user" }],
  ["asset", { kind: "address", address: "asset" }],
  ["a/b/c", undefined],
  ["/user", undefined],
  ["", undefined],
])("reads %j where they are plain digits and names", (text, term) => {
  expect(readSearch(text, "named")).toEqual(term);
});
