const address = (name: string) => ({ name, type: "address" });
const amount = (name: string) => ({ name, type: "uint256" });

/** The interface of an ERC-20 token, with a payable function and one that takes a struct for the forms to show. */
export const TOKEN_ABI = [
  {
    type: "constructor",
    inputs: [{ name: "name", type: "string" }, { name: "symbol", type: "string" }, amount("supply")],
    stateMutability: "nonpayable",
  },
  { type: "function", name: "name", inputs: [], outputs: [{ name: "", type: "string" }], stateMutability: "view" },
  { type: "function", name: "symbol", inputs: [], outputs: [{ name: "", type: "string" }], stateMutability: "view" },
  { type: "function", name: "decimals", inputs: [], outputs: [{ name: "", type: "uint8" }], stateMutability: "view" },
  { type: "function", name: "totalSupply", inputs: [], outputs: [amount("")], stateMutability: "view" },
  { type: "function", name: "balanceOf", inputs: [address("account")], outputs: [amount("")], stateMutability: "view" },
  {
    type: "function",
    name: "allowance",
    inputs: [address("owner"), address("spender")],
    outputs: [amount("")],
    stateMutability: "view",
  },
  {
    type: "function",
    name: "transfer",
    inputs: [address("to"), amount("value")],
    outputs: [{ name: "", type: "bool" }],
    stateMutability: "nonpayable",
  },
  {
    type: "function",
    name: "approve",
    inputs: [address("spender"), amount("value")],
    outputs: [{ name: "", type: "bool" }],
    stateMutability: "nonpayable",
  },
  {
    type: "function",
    name: "transferFrom",
    inputs: [address("from"), address("to"), amount("value")],
    outputs: [{ name: "", type: "bool" }],
    stateMutability: "nonpayable",
  },
  {
    type: "event",
    name: "Transfer",
    inputs: [
      { ...address("from"), indexed: true },
      { ...address("to"), indexed: true },
      { ...amount("value"), indexed: false },
    ],
  },
  {
    type: "event",
    name: "Approval",
    inputs: [
      { ...address("owner"), indexed: true },
      { ...address("spender"), indexed: true },
      { ...amount("value"), indexed: false },
    ],
  },
];
