/** What a program writes to call a network through the server; the credential is read from the address by all of these. */
export interface Snippet {
  title: string;
  text: string;
}

/** The address with the application's name and key as user and password. */
export function addressWithKey(origin: string, path: string, name: string, key: string): string {
  return `${origin.replace("://", `://${name}:${key}@`)}${path}`;
}

export function snippets(address: string): Snippet[] {
  const socket = address.replace(/^http/, "ws");
  return [
    { title: "cast", text: `cast block-number --rpc-url ${address}` },
    {
      title: "ethers",
      text: [
        'import { JsonRpcProvider, WebSocketProvider } from "ethers";',
        `const provider = new JsonRpcProvider("${address}");`,
        `const events = new WebSocketProvider("${socket}");`,
      ].join("\n"),
    },
    {
      title: "viem",
      text: [
        'import { createPublicClient, http } from "viem";',
        `const client = createPublicClient({ transport: http("${address}") });`,
      ].join("\n"),
    },
  ];
}
