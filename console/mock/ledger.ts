import { createHash } from "node:crypto";
import type { Block, BlockSummary, DecodedCall, Transaction } from "../src/api/types";

/** A ledger whose every block follows from its number: nothing is stored, and any page of the explorer fits any other. */

export const TOKEN = address("token");
const TRANSFER = "0xa9059cbb";
const TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

export function hash(text: string): string {
  return `0x${createHash("sha256").update(text).digest("hex")}`;
}

export function address(text: string): string {
  return `0x${createHash("sha256").update(text).digest("hex").slice(0, 40)}`;
}

function draw(text: string, below: number): number {
  return createHash("sha256").update(text).digest().readUInt32BE(0) % below;
}

/** Transactions in a block; the first, of the deployment, is in block 3. */
export function countAt(number: number): number {
  if (number < 4) return number === 3 ? 1 : 0;
  return [0, 1, 2, 1, 0, 3, 1, 2][draw(`count ${number}`, 8)] ?? 0;
}

export function blockHash(number: number): string {
  return hash(`block ${number}`);
}

export function summaryAt(number: number, at: number): BlockSummary {
  const transactions = countAt(number);
  return {
    number,
    hash: blockHash(number),
    parentHash: number === 0 ? `0x${"0".repeat(64)}` : blockHash(number - 1),
    at,
    transactions,
    gasUsed: transactions * 51_402,
    gasLimit: 60_000_000,
    size: 612 + transactions * 173,
  };
}

export function blockAt(number: number, at: number, members: string[]): Block {
  return {
    ...summaryAt(number, at),
    items: Array.from({ length: countAt(number) }, (_, index) => transactionAt(number, index, at, members)),
    facts: {
      stateRoot: hash(`state ${number}`),
      receiptsRoot: hash(`receipts ${number}`),
      proposer: `node ${(number % 4) + 1}`,
      view: number + 7,
      epoch: Math.floor(number / 256),
    },
  };
}

export function transactionHash(number: number, index: number): string {
  // The place is kept in the hash's first digits, so that a hash can be looked up without an index.
  return `0x${number.toString(16).padStart(10, "0")}${index.toString(16).padStart(2, "0")}${hash(`tx ${number} ${index}`).slice(14)}`;
}

export function placeOf(text: string): [number: number, index: number] | undefined {
  const number = Number.parseInt(text.slice(2, 12), 16);
  const index = Number.parseInt(text.slice(12, 14), 16);
  return transactionHash(number, index) === text ? [number, index] : undefined;
}

export function transactionAt(number: number, index: number, at: number, members: string[]): Transaction {
  const member = members[draw(`member ${number} ${index}`, members.length)] ?? "alpha";
  const from = address(`account ${member}`);
  const deploys = number === 3;
  const reverted = !deploys && draw(`reverted ${number} ${index}`, 17) === 0;
  const to = address(`account ${members[draw(`to ${number} ${index}`, members.length)]}`);
  const amount = String((draw(`amount ${number} ${index}`, 900) + 1) * 10) + "0".repeat(18);
  const word = (value: string) => value.padStart(64, "0");
  const decoded: DecodedCall = {
    name: "transfer",
    signature: "transfer(address,uint256)",
    arguments: [
      { name: "to", type: "address", value: to as never },
      { name: "value", type: "uint256", value: amount as never },
    ],
  };
  return {
    hash: transactionHash(number, index),
    block: number,
    index,
    at,
    from,
    to: deploys ? null : TOKEN,
    value: "0",
    status: reverted ? "reverted" : "success",
    method: deploys ? null : "transfer",
    nonce: number * 2 + index,
    gasLimit: 120_000,
    gasUsed: reverted ? 24_110 : 51_402,
    contractAddress: deploys ? TOKEN : null,
    input: deploys
      ? `0x6080604052${"60".repeat(180)}`
      : `${TRANSFER}${word(to.slice(2))}${word(BigInt(amount).toString(16))}`,
    decoded: deploys ? null : decoded,
    logs:
      deploys || reverted
        ? []
        : [
            {
              address: TOKEN,
              topics: [TRANSFER_TOPIC, `0x${word(from.slice(2))}`, `0x${word(to.slice(2))}`],
              data: `0x${word(BigInt(amount).toString(16))}`,
              index,
              decoded: {
                name: "Transfer",
                signature: "Transfer(address,address,uint256)",
                arguments: [
                  { name: "from", type: "address", value: from as never },
                  { name: "to", type: "address", value: to as never },
                  { name: "value", type: "uint256", value: amount as never },
                ],
              },
            },
          ],
    error: reverted ? "execution reverted: ERC20: transfer amount exceeds balance" : null,
    raw: {
      type: "0x2",
      chainId: "0x4c1d",
      nonce: `0x${(number * 2 + index).toString(16)}`,
      maxFeePerGas: "0x0",
      maxPriorityFeePerGas: "0x0",
    },
  };
}
