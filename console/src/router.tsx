import { Notifications } from "@mantine/notifications";
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  type SearchMiddleware,
} from "@tanstack/react-router";
import { channelOf } from "./api/channel";
import { toProblem } from "./api/problem";
import {
  accessKeysQuery,
  accountsQuery,
  addressQuery,
  applicationsQuery,
  auditCheckQuery,
  auditQuery,
  availableEnginesQuery,
  blockQuery,
  blocksQuery,
  chaincodesQuery,
  channelsQuery,
  consortiaQuery,
  consortiumQuery,
  contractQuery,
  contractsQuery,
  enginesQuery,
  FIRST_MINUTES,
  networkQuery,
  networksQuery,
  nodeQuery,
  nodesQuery,
  operationQuery,
  operationsQuery,
  organisationsQuery,
  serverQuery,
  sessionQuery,
  statisticsQuery,
  tasksQuery,
  topologyQuery,
  transactionQuery,
  transactionsQuery,
  usageQuery,
  usersQuery,
  validatorsQuery,
} from "./api/queries";
import { NotFound, RouteFailed, RoutePending } from "./ui/RouteStates";
import { Shell } from "./ui/Shell";

interface Context {
  client: QueryClient;
}

function Root() {
  return (
    <>
      <Outlet />
      <Notifications position="bottom-right" />
    </>
  );
}

interface ChannelSearch {
  channel?: string;
}

/** A chosen channel stays from page to page of a network. An empty one lets go of it: the way to another network. */
const keepChannel: SearchMiddleware<ChannelSearch> = ({ search, next }) => {
  const { channel = search.channel, ...rest } = next(search);
  return channel === undefined || channel === "" ? rest : { ...rest, channel };
};

const root = createRootRouteWithContext<Context>()({ component: Root, notFoundComponent: NotFound });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { to?: string; ended?: true } => ({
    ...(typeof search.to === "string" && search.to.startsWith("/") && !search.to.startsWith("//")
      ? { to: search.to }
      : {}),
    ...(search.ended === true ? { ended: true } : {}),
  }),
  component: lazyRouteComponent(() => import("./pages/SignIn"), "SignIn"),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  beforeLoad: async ({ context, location }) => {
    try {
      await context.client.ensureQueryData(sessionQuery());
    } catch (error) {
      if (toProblem(error).status !== 401) throw error;
      throw redirect({ to: "/sign-in", search: location.pathname === "/" ? {} : { to: location.href } });
    }
  },
  component: Shell,
});

// Each page's loader asks for what it shows first while its code is on its way; the page shows what comes, and what fails.
const page = <const P extends string>(path: P) => ({ getParentRoute: () => signedIn, path }) as const;

const overview = createRoute({
  ...page("/"),
  loader: ({ context: { client } }) => {
    void client.prefetchQuery(networksQuery());
    void client.prefetchQuery(consortiaQuery());
    void client.prefetchQuery(operationsQuery({ limit: 8 }));
    void client.prefetchQuery(serverQuery());
  },
  component: lazyRouteComponent(() => import("./pages/Overview"), "Overview"),
});
const consortia = createRoute({
  ...page("/consortia"),
  loader: ({ context: { client } }) => void client.prefetchQuery(consortiaQuery()),
  component: lazyRouteComponent(() => import("./pages/Consortia"), "Consortia"),
});
const consortium = createRoute({
  ...page("/consortia/$consortium"),
  loader: ({ context: { client }, params: { consortium } }) => void client.prefetchQuery(consortiumQuery(consortium)),
  component: lazyRouteComponent(() => import("./pages/Consortium"), "ConsortiumPage"),
});
const nodes = createRoute({
  ...page("/nodes"),
  loader: ({ context: { client } }) => void client.prefetchQuery(nodesQuery()),
  component: lazyRouteComponent(() => import("./pages/Nodes"), "Nodes"),
});
const networks = createRoute({
  ...page("/networks"),
  loader: ({ context: { client } }) => void client.prefetchQuery(networksQuery()),
  component: lazyRouteComponent(() => import("./pages/Networks"), "Networks"),
});
const newNetwork = createRoute({
  ...page("/networks/new"),
  validateSearch: (search: Record<string, unknown>): { consortium?: string } =>
    typeof search.consortium === "string" ? { consortium: search.consortium } : {},
  loader: ({ context: { client } }) => {
    void client.prefetchQuery(enginesQuery());
    void client.prefetchQuery(consortiaQuery());
  },
  component: lazyRouteComponent(() => import("./pages/NewNetwork"), "NewNetworkPage"),
});
const network = createRoute({
  ...page("/networks/$network"),
  validateSearch: (search: Record<string, unknown>): ChannelSearch =>
    typeof search.channel === "string" && search.channel !== "" ? { channel: search.channel } : {},
  search: { middlewares: [keepChannel] },
  loader: ({ context: { client }, params: { network } }) => {
    void client.prefetchQuery(networkQuery(network));
    void client.prefetchQuery(enginesQuery());
    void client.prefetchQuery(operationsQuery());
  },
  component: lazyRouteComponent(() => import("./pages/network/NetworkLayout"), "NetworkLayout"),
});

/** Asks for what a channel holds as soon as the network has said which channels there are. */
function onChannel(client: QueryClient, network: string, search: ChannelSearch, ask: (channel?: string) => unknown) {
  client.ensureQueryData(networkQuery(network)).then(
    ({ channels }) => ask(channelOf(channels, search.channel)),
    // The network's own page says why.
    () => undefined,
  );
}

const inNetwork = <const P extends string>(path: P) => ({ getParentRoute: () => network, path }) as const;

const networkOverview = createRoute({
  ...inNetwork("/"),
  loader: ({ context: { client }, params: { network } }) => {
    void client.prefetchQuery(topologyQuery(network));
    void client.prefetchQuery(statisticsQuery(network, FIRST_MINUTES));
  },
  component: lazyRouteComponent(() => import("./pages/network/NetworkOverview"), "NetworkOverview"),
});
const node = createRoute({
  ...inNetwork("/nodes/$node"),
  loader: ({ context: { client }, params: { node } }) => {
    void client.prefetchQuery(nodeQuery(node));
    void client.prefetchQuery(usageQuery(node));
  },
  component: lazyRouteComponent(() => import("./pages/network/NodePage"), "NodePage"),
});
const blocks = createRoute({
  ...inNetwork("/blocks"),
  loader: ({ context: { client }, params, location }) =>
    onChannel(client, params.network, location.search, (channel) =>
      client.prefetchQuery(blocksQuery(params.network, channel)),
    ),
  component: lazyRouteComponent(() => import("./pages/explorer/Blocks"), "Blocks"),
});
const block = createRoute({
  ...inNetwork("/blocks/$block"),
  loader: ({ context: { client }, params, location }) =>
    onChannel(client, params.network, location.search, (channel) =>
      client.prefetchQuery(blockQuery(params.network, params.block, channel)),
    ),
  component: lazyRouteComponent(() => import("./pages/explorer/BlockPage"), "BlockPage"),
});
const transactions = createRoute({
  ...inNetwork("/transactions"),
  loader: ({ context: { client }, params, location }) =>
    onChannel(client, params.network, location.search, (channel) =>
      client.prefetchQuery(transactionsQuery(params.network, channel)),
    ),
  component: lazyRouteComponent(() => import("./pages/explorer/Transactions"), "Transactions"),
});
const transaction = createRoute({
  ...inNetwork("/transactions/$hash"),
  loader: ({ context: { client }, params, location }) =>
    onChannel(client, params.network, location.search, (channel) =>
      client.prefetchQuery(transactionQuery(params.network, params.hash, channel)),
    ),
  component: lazyRouteComponent(() => import("./pages/explorer/TransactionPage"), "TransactionPage"),
});
const address = createRoute({
  ...inNetwork("/addresses/$address"),
  loader: ({ context: { client }, params, location }) =>
    onChannel(client, params.network, location.search, (channel) =>
      client.prefetchQuery(addressQuery(params.network, params.address, channel)),
    ),
  component: lazyRouteComponent(() => import("./pages/explorer/AddressPage"), "AddressPage"),
});
const contracts = createRoute({
  ...inNetwork("/contracts"),
  loader: ({ context: { client }, params: { network } }) => void client.prefetchQuery(contractsQuery(network)),
  component: lazyRouteComponent(() => import("./pages/contracts/Contracts"), "Contracts"),
});
const deploy = createRoute({
  ...inNetwork("/contracts/deploy"),
  component: lazyRouteComponent(() => import("./pages/contracts/Deploy"), "Deploy"),
});
const contract = createRoute({
  ...inNetwork("/contracts/$contract"),
  loader: ({ context: { client }, params: { network, contract } }) =>
    void client.prefetchQuery(contractQuery(network, contract)),
  component: lazyRouteComponent(() => import("./pages/contracts/ContractPage"), "ContractPage"),
});
const accounts = createRoute({
  ...inNetwork("/accounts"),
  loader: ({ context: { client }, params: { network } }) => void client.prefetchQuery(accountsQuery(network)),
  component: lazyRouteComponent(() => import("./pages/network/Accounts"), "Accounts"),
});
const channels = createRoute({
  ...inNetwork("/channels"),
  loader: ({ context: { client }, params: { network } }) => void client.prefetchQuery(channelsQuery(network)),
  component: lazyRouteComponent(() => import("./pages/network/Channels"), "Channels"),
});
const chaincodes = createRoute({
  ...inNetwork("/chaincode"),
  loader: ({ context: { client }, params: { network } }) => void client.prefetchQuery(chaincodesQuery(network)),
  component: lazyRouteComponent(() => import("./pages/chaincode/Chaincodes"), "Chaincodes"),
});
const deployChaincode = createRoute({
  ...inNetwork("/chaincode/deploy"),
  component: lazyRouteComponent(() => import("./pages/chaincode/DeployChaincode"), "DeployChaincode"),
});
const validators = createRoute({
  ...inNetwork("/validators"),
  loader: ({ context: { client }, params: { network } }) => void client.prefetchQuery(validatorsQuery(network)),
  component: lazyRouteComponent(() => import("./pages/network/Validators"), "Validators"),
});
const networkDetails = createRoute({
  ...inNetwork("/details"),
  component: lazyRouteComponent(() => import("./pages/network/NetworkDetails"), "NetworkDetails"),
});

const organisations = createRoute({
  ...page("/organisations"),
  loader: ({ context: { client } }) => void client.prefetchQuery(organisationsQuery()),
  component: lazyRouteComponent(() => import("./pages/Organisations"), "Organisations"),
});
const users = createRoute({
  ...page("/users"),
  loader: ({ context: { client } }) => void client.prefetchQuery(usersQuery()),
  component: lazyRouteComponent(() => import("./pages/Users"), "Users"),
});
const accessKeys = createRoute({
  ...page("/access-keys"),
  loader: ({ context: { client } }) => void client.prefetchQuery(accessKeysQuery()),
  component: lazyRouteComponent(() => import("./pages/AccessKeys"), "AccessKeys"),
});
const applications = createRoute({
  ...page("/applications"),
  loader: ({ context: { client } }) => void client.prefetchQuery(applicationsQuery()),
  component: lazyRouteComponent(() => import("./pages/Applications"), "Applications"),
});
const engines = createRoute({
  ...page("/engines"),
  loader: ({ context: { client } }) => void client.prefetchQuery(availableEnginesQuery()),
  component: lazyRouteComponent(() => import("./pages/Engines"), "Engines"),
});
const operations = createRoute({
  ...page("/operations"),
  loader: ({ context: { client } }) => void client.prefetchQuery(operationsQuery()),
  component: lazyRouteComponent(() => import("./pages/Operations"), "Operations"),
});
const operation = createRoute({
  ...page("/operations/$operation"),
  loader: ({ context: { client }, params: { operation } }) => void client.prefetchQuery(operationQuery(operation)),
  component: lazyRouteComponent(() => import("./pages/OperationPage"), "OperationPage"),
});
const audit = createRoute({
  ...page("/audit"),
  loader: ({ context: { client } }) => {
    void client.prefetchInfiniteQuery(auditQuery());
    void client.prefetchQuery(auditCheckQuery());
  },
  component: lazyRouteComponent(() => import("./pages/Audit"), "Audit"),
});
const server = createRoute({
  ...page("/server"),
  loader: ({ context: { client } }) => {
    void client.prefetchQuery(serverQuery());
    void client.prefetchQuery(tasksQuery());
  },
  component: lazyRouteComponent(() => import("./pages/ServerPage"), "ServerPage"),
});

const nowhere = createRoute({ ...page("$"), component: NotFound });

const tree = root.addChildren([
  signIn,
  signedIn.addChildren([
    overview,
    consortia,
    consortium,
    networks,
    nodes,
    newNetwork,
    network.addChildren([
      networkOverview,
      node,
      blocks,
      block,
      transactions,
      transaction,
      address,
      contracts,
      deploy,
      contract,
      accounts,
      channels,
      chaincodes,
      deployChaincode,
      validators,
      networkDetails,
    ]),
    organisations,
    users,
    accessKeys,
    applications,
    engines,
    operations,
    operation,
    audit,
    server,
    nowhere,
  ]),
]);

export function createAppRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: "intent",
    // Freshness is the query cache's business.
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultPendingComponent: RoutePending,
    defaultPendingMs: 150,
    // A skeleton gives way as soon as there is more to see.
    defaultPendingMinMs: 0,
    defaultErrorComponent: RouteFailed,
    defaultNotFoundComponent: NotFound,
  });
}

/**
 * Asks for the session and for the first page's code and data side by side, where the router would wait for the session
 * first. What fails shows in its own place.
 */
export function askForFirstPage(router: ReturnType<typeof createAppRouter>) {
  const { latestLocation: location } = router;
  const { context } = router.options;
  for (const { routeId, params } of router.matchRoutes(location)) {
    const route = router.routesById[routeId as keyof typeof router.routesById];
    if (routeId === signedIn.id) void context.client.prefetchQuery(sessionQuery());
    Promise.resolve(router.loadRouteChunk(route)).catch(() => undefined);
    const { loader } = route.options;
    // The loaders of this tree take no more than this, each the parameters of its own route.
    if (typeof loader === "function") loader({ context, params, location } as never);
  }
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
