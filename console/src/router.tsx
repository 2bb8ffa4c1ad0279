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
import { toProblem } from "./api/problem";
import {
  FIRST_MINUTES,
  networkQuery,
  nodeQuery,
  sessionQuery,
  statisticsQuery,
  topologyQuery,
  usageQuery,
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

const page = <const P extends string>(path: P) => ({ getParentRoute: () => signedIn, path }) as const;

const overview = createRoute({
  ...page("/"),
  component: lazyRouteComponent(() => import("./pages/Overview"), "Overview"),
});
const consortia = createRoute({
  ...page("/consortia"),
  component: lazyRouteComponent(() => import("./pages/Consortia"), "Consortia"),
});
const consortium = createRoute({
  ...page("/consortia/$consortium"),
  component: lazyRouteComponent(() => import("./pages/Consortium"), "ConsortiumPage"),
});
const nodes = createRoute({ ...page("/nodes"), component: lazyRouteComponent(() => import("./pages/Nodes"), "Nodes") });
const networks = createRoute({
  ...page("/networks"),
  component: lazyRouteComponent(() => import("./pages/Networks"), "Networks"),
});
const newNetwork = createRoute({
  ...page("/networks/new"),
  validateSearch: (search: Record<string, unknown>): { consortium?: string } =>
    typeof search.consortium === "string" ? { consortium: search.consortium } : {},
  component: lazyRouteComponent(() => import("./pages/NewNetwork"), "NewNetworkPage"),
});
const network = createRoute({
  ...page("/networks/$network"),
  validateSearch: (search: Record<string, unknown>): ChannelSearch =>
    typeof search.channel === "string" && search.channel !== "" ? { channel: search.channel } : {},
  search: { middlewares: [keepChannel] },
  // Asked for while the page's code is on its way; the page shows what comes, and what fails.
  loader: ({ context: { client }, params }) => void client.prefetchQuery(networkQuery(params.network)),
  component: lazyRouteComponent(() => import("./pages/network/NetworkLayout"), "NetworkLayout"),
});

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
  component: lazyRouteComponent(() => import("./pages/explorer/Blocks"), "Blocks"),
});
const block = createRoute({
  ...inNetwork("/blocks/$block"),
  component: lazyRouteComponent(() => import("./pages/explorer/BlockPage"), "BlockPage"),
});
const transactions = createRoute({
  ...inNetwork("/transactions"),
  component: lazyRouteComponent(() => import("./pages/explorer/Transactions"), "Transactions"),
});
const transaction = createRoute({
  ...inNetwork("/transactions/$hash"),
  component: lazyRouteComponent(() => import("./pages/explorer/TransactionPage"), "TransactionPage"),
});
const address = createRoute({
  ...inNetwork("/addresses/$address"),
  component: lazyRouteComponent(() => import("./pages/explorer/AddressPage"), "AddressPage"),
});
const contracts = createRoute({
  ...inNetwork("/contracts"),
  component: lazyRouteComponent(() => import("./pages/contracts/Contracts"), "Contracts"),
});
const deploy = createRoute({
  ...inNetwork("/contracts/deploy"),
  component: lazyRouteComponent(() => import("./pages/contracts/Deploy"), "Deploy"),
});
const contract = createRoute({
  ...inNetwork("/contracts/$contract"),
  component: lazyRouteComponent(() => import("./pages/contracts/ContractPage"), "ContractPage"),
});
const accounts = createRoute({
  ...inNetwork("/accounts"),
  component: lazyRouteComponent(() => import("./pages/network/Accounts"), "Accounts"),
});
const channels = createRoute({
  ...inNetwork("/channels"),
  component: lazyRouteComponent(() => import("./pages/network/Channels"), "Channels"),
});
const chaincodes = createRoute({
  ...inNetwork("/chaincode"),
  component: lazyRouteComponent(() => import("./pages/chaincode/Chaincodes"), "Chaincodes"),
});
const deployChaincode = createRoute({
  ...inNetwork("/chaincode/deploy"),
  component: lazyRouteComponent(() => import("./pages/chaincode/DeployChaincode"), "DeployChaincode"),
});
const validators = createRoute({
  ...inNetwork("/validators"),
  component: lazyRouteComponent(() => import("./pages/network/Validators"), "Validators"),
});
const networkDetails = createRoute({
  ...inNetwork("/details"),
  component: lazyRouteComponent(() => import("./pages/network/NetworkDetails"), "NetworkDetails"),
});

const organisations = createRoute({
  ...page("/organisations"),
  component: lazyRouteComponent(() => import("./pages/Organisations"), "Organisations"),
});
const users = createRoute({ ...page("/users"), component: lazyRouteComponent(() => import("./pages/Users"), "Users") });
const accessKeys = createRoute({
  ...page("/access-keys"),
  component: lazyRouteComponent(() => import("./pages/AccessKeys"), "AccessKeys"),
});
const applications = createRoute({
  ...page("/applications"),
  component: lazyRouteComponent(() => import("./pages/Applications"), "Applications"),
});
const engines = createRoute({
  ...page("/engines"),
  component: lazyRouteComponent(() => import("./pages/Engines"), "Engines"),
});
const operations = createRoute({
  ...page("/operations"),
  component: lazyRouteComponent(() => import("./pages/Operations"), "Operations"),
});
const operation = createRoute({
  ...page("/operations/$operation"),
  component: lazyRouteComponent(() => import("./pages/OperationPage"), "OperationPage"),
});
const audit = createRoute({ ...page("/audit"), component: lazyRouteComponent(() => import("./pages/Audit"), "Audit") });
const server = createRoute({
  ...page("/server"),
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
  const router = createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: "intent",
    // Freshness is the query cache's business.
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultPendingComponent: RoutePending,
    defaultPendingMs: 150,
    defaultErrorComponent: RouteFailed,
    defaultNotFoundComponent: NotFound,
  });
  // The first page's code is on its way while the session is asked for. What does not load shows in its own place.
  for (const match of router.matchRoutes(router.latestLocation)) {
    const route = router.routesById[match.routeId as keyof typeof router.routesById];
    Promise.resolve(router.loadRouteChunk(route)).catch(() => undefined);
  }
  return router;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
