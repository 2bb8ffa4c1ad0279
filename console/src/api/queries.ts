import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, done, queries, setCsrfToken } from "./client";
import type { Page } from "./types";

/** Heights and health move all the time: polled, in case the stream of changes is cut off. */
const LIVE = { refetchInterval: 5_000 } as const;
const CALM = { refetchInterval: 30_000 } as const;

export const sessionQuery = () => ({
  queryKey: ["session"] as const,
  queryFn: async () => {
    const session = await done(api.GET("/api/v1/session"));
    setCsrfToken(session.csrfToken);
    return session;
  },
  staleTime: 60_000,
  retry: false,
});

const most = { params: { query: { limit: 500 } } };

export const usersQuery = () => queries.queryOptions("get", "/api/v1/users", most);
export const accessKeysQuery = () => queries.queryOptions("get", "/api/v1/access-keys", most);
export const applicationsQuery = () => queries.queryOptions("get", "/api/v1/applications", most);
export const organisationsQuery = () => queries.queryOptions("get", "/api/v1/organisations", most);
export const consortiaQuery = () => queries.queryOptions("get", "/api/v1/consortia", most);
export const consortiumQuery = (consortium: string) =>
  queries.queryOptions("get", "/api/v1/consortia/{consortium}", { params: { path: { consortium } } });
export const enginesQuery = () => queries.queryOptions("get", "/api/v1/engines", {}, CALM);

export const availableEnginesQuery = () => queries.queryOptions("get", "/api/v1/engines/available", {}, CALM);

export const networksQuery = () => queries.queryOptions("get", "/api/v1/networks", most, LIVE);
export const networkQuery = (network: string) =>
  queries.queryOptions("get", "/api/v1/networks/{network}", { params: { path: { network } } }, LIVE);
export const validatorsQuery = (network: string) =>
  queries.queryOptions("get", "/api/v1/networks/{network}/validators", { params: { path: { network } } }, LIVE);
export const topologyQuery = (network: string) =>
  queries.queryOptions("get", "/api/v1/networks/{network}/topology", { params: { path: { network } } }, LIVE);
/** How much of the past the charts show at first. */
export const FIRST_MINUTES = 15;

export const statisticsQuery = (network: string, minutes: number) =>
  queries.queryOptions(
    "get",
    "/api/v1/networks/{network}/statistics",
    { params: { path: { network }, query: { minutes } } },
    LIVE,
  );

export const nodesQuery = () => queries.queryOptions("get", "/api/v1/nodes", most, LIVE);
export const nodeQuery = (node: string) =>
  queries.queryOptions("get", "/api/v1/nodes/{node}", { params: { path: { node } } }, LIVE);
export const usageQuery = (node: string) =>
  queries.queryOptions("get", "/api/v1/nodes/{node}/usage", { params: { path: { node } } }, LIVE);

export const operationQuery = (operation: string) =>
  queries.queryOptions("get", "/api/v1/operations/{operation}", { params: { path: { operation } } }, LIVE);
export const operationsQuery = (filter: { subject?: string; limit?: number } = {}) =>
  queries.queryOptions("get", "/api/v1/operations", { params: { query: { limit: 100, ...filter } } }, LIVE);

export const blocksQuery = (network: string, channel?: string, cursor?: string, limit = 25) =>
  queries.queryOptions(
    "get",
    "/api/v1/networks/{network}/blocks",
    { params: { path: { network }, query: { channel, cursor, limit } } },
    cursor === undefined ? LIVE : {},
  );
export const blockQuery = (network: string, block: string, channel?: string) =>
  queries.queryOptions("get", "/api/v1/networks/{network}/blocks/{block}", {
    params: { path: { network, block }, query: { channel } },
  });
export const transactionsQuery = (network: string, channel?: string, cursor?: string, limit = 25) =>
  queries.queryOptions(
    "get",
    "/api/v1/networks/{network}/transactions",
    { params: { path: { network }, query: { channel, cursor, limit } } },
    cursor === undefined ? LIVE : {},
  );
export const transactionQuery = (network: string, hash: string, channel?: string) =>
  queries.queryOptions("get", "/api/v1/networks/{network}/transactions/{hash}", {
    params: { path: { network, hash }, query: { channel } },
  });
export const addressQuery = (network: string, address: string, channel?: string) =>
  queries.queryOptions(
    "get",
    "/api/v1/networks/{network}/addresses/{address}",
    { params: { path: { network, address }, query: { channel } } },
    CALM,
  );
export const accountsQuery = (network: string) =>
  queries.queryOptions("get", "/api/v1/networks/{network}/accounts", {
    params: { path: { network }, query: { limit: 500 } },
  });
export const contractsQuery = (network: string) =>
  queries.queryOptions("get", "/api/v1/networks/{network}/contracts", {
    params: { path: { network }, query: { limit: 500 } },
  });
export const contractQuery = (network: string, contract: string) =>
  queries.queryOptions("get", "/api/v1/networks/{network}/contracts/{contract}", {
    params: { path: { network, contract } },
  });

export const channelsQuery = (network: string) =>
  queries.queryOptions("get", "/api/v1/networks/{network}/channels", { params: { path: { network } } }, LIVE);
export const channelQuery = (network: string, channel: string) =>
  queries.queryOptions(
    "get",
    "/api/v1/networks/{network}/channels/{channel}",
    { params: { path: { network, channel } } },
    LIVE,
  );
export const chaincodesQuery = (network: string) =>
  queries.queryOptions("get", "/api/v1/networks/{network}/chaincodes", { params: { path: { network } } }, LIVE);
export const chaincodeQuery = (network: string, chaincode: string, channel: string) =>
  queries.queryOptions(
    "get",
    "/api/v1/networks/{network}/chaincodes/{chaincode}",
    { params: { path: { network, chaincode }, query: { channel } } },
    LIVE,
  );

export const auditCheckQuery = () => queries.queryOptions("get", "/api/v1/audit/check", {}, { staleTime: 30_000 });
export const auditQuery = () =>
  infiniteQueryOptions({
    queryKey: ["get", "/api/v1/audit", "pages"],
    queryFn: ({ pageParam: cursor }) => done(api.GET("/api/v1/audit", { params: { query: { cursor, limit: 100 } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: Page<unknown>) => page.next ?? undefined,
  });

export const serverQuery = () => queries.queryOptions("get", "/api/v1/server", {}, CALM);
export const tasksQuery = () => queries.queryOptions("get", "/api/v1/server/tasks", {}, LIVE);
