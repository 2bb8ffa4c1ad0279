//! The server's entry: all methods, their limits and the guard, as a router.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use chain_exec::Executor;
use chain_pool::Pool;
use chain_store::Chain;
use jsonrpsee::{
    RpcModule,
    server::{
        BatchRequestConfig, IdProvider, Methods, Server, ServerConfig, ServerHandle, StopHandle, TowerServiceBuilder,
        middleware::rpc::RpcServiceBuilder, stop_channel,
    },
    types::SubscriptionId,
};
use tower::{
    Service,
    layer::util::{Identity, Stack},
};

use crate::{
    RpcConfig, StatusSource,
    api::{Api, Node},
    batch::BatchLayer,
    error,
    filters::Filters,
    guard::{self, AllowedHosts},
    heavy::Heavy,
    inclusion::{self, Inclusion},
    methods::{
        blocks::BlocksServer, calls::CallsServer, debug, debug::DebugServer, fees::FeesServer,
        filters::FilterMethodsServer, node::NodeMethodsServer, state::StateServer, subscribe::SubscribeServer,
        transactions::TransactionsServer, txpool, txpool::TxpoolServer,
    },
};

/// JSON-RPC over HTTP and WebSocket at `/`, and `GET /healthz`. Calls end by the process' clock whatever
/// clock `executor` has. To be called in a tokio runtime: it starts the task `rpc-inclusion`, which ends
/// with the router. Dropping the router closes its WebSocket connections.
pub fn router(
    config: RpcConfig,
    executor: Executor,
    chain: Chain,
    pool: Pool,
    status: Arc<dyn StatusSource>,
) -> Router {
    let start = std::time::Instant::now();
    let allowed = AllowedHosts::new(&config.allowed_hosts);
    let server = server_config(&config);
    let batches = BatchLayer { response_bytes: config.limits.response_bytes as usize };
    let node = Arc::new(Node {
        executor: executor.with_clock(Arc::new(move || start.elapsed())),
        heavy: Heavy::new(&config.limits),
        filters: Filters::new(&config.limits),
        inclusion: Inclusion::default(),
        config,
        chain,
        pool,
        status,
    });
    tokio::spawn(inclusion::follow(Arc::downgrade(&node)));
    let (stop, handle) = stop_channel();
    let endpoint = Endpoint {
        methods: methods(&Api(node.clone())).into(),
        service: Server::builder()
            .set_config(server)
            .set_rpc_middleware(RpcServiceBuilder::new().layer(batches))
            .to_service_builder(),
        stop,
        _running: handle,
    };
    Router::new()
        .route("/healthz", get(healthz).with_state(node))
        .route("/", any(serve).with_state(Arc::new(endpoint)))
        .layer(middleware::from_fn_with_state(allowed, guard::check))
}

struct Endpoint {
    methods: Methods,
    service: TowerServiceBuilder<Stack<BatchLayer, Identity>, Identity>,
    stop: StopHandle,
    /// Connections end when it is dropped.
    _running: ServerHandle,
}

async fn serve(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    // One service for each connection or request: it carries the connection's id.
    let mut service = endpoint.service.clone().build(endpoint.methods.clone(), endpoint.stop.clone());
    match service.call(request).await {
        Ok(response) => response.into_response(),
        Err(error) => {
            tracing::warn!(%error, "a JSON-RPC request failed before it was read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The process serves; whether the chain moves is in `polder_status`.
async fn healthz(State(node): State<Arc<Node>>) -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "ok", "height": node.chain.head().block.number() }))
}

fn server_config(config: &RpcConfig) -> ServerConfig {
    let limits = &config.limits;
    ServerConfig::builder()
        .max_connections(limits.connections)
        .max_request_body_size(limits.request_bytes)
        .max_response_body_size(limits.response_bytes)
        .max_subscriptions_per_connection(limits.subscriptions)
        .set_batch_request_config(BatchRequestConfig::Limit(limits.batch))
        .set_message_buffer_capacity(limits.subscription_backlog)
        .set_id_provider(HexIds)
        .build()
}

/// Subscription ids as clients know them: a hex quantity of 128 random bits.
#[derive(Clone, Copy, Debug)]
struct HexIds;

impl IdProvider for HexIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        format!("{:#x}", rand::random::<u128>()).into()
    }
}

fn methods(api: &Api) -> RpcModule<()> {
    let mut all = RpcModule::new(());
    let groups: [Methods; 8] = [
        BlocksServer::into_rpc(api.clone()).into(),
        StateServer::into_rpc(api.clone()).into(),
        CallsServer::into_rpc(api.clone()).into(),
        TransactionsServer::into_rpc(api.clone()).into(),
        FeesServer::into_rpc(api.clone()).into(),
        FilterMethodsServer::into_rpc(api.clone()).into(),
        SubscribeServer::into_rpc(api.clone()).into(),
        NodeMethodsServer::into_rpc(api.clone()).into(),
    ];
    for group in groups {
        all.merge(group).expect("method names are distinct");
    }
    if api.config.debug {
        all.merge(DebugServer::into_rpc(api.clone())).expect("method names are distinct");
    } else {
        switched_off(&mut all, &debug::NAMES, "debug");
    }
    if api.config.txpool {
        all.merge(TxpoolServer::into_rpc(api.clone())).expect("method names are distinct");
    } else {
        switched_off(&mut all, &txpool::NAMES, "txpool");
    }
    all
}

/// Says how to get what is switched off.
fn switched_off(all: &mut RpcModule<()>, names: &'static [&'static str], group: &'static str) {
    for name in names {
        let refuse = move |_: jsonrpsee::types::Params<'_>, _: &(), _: &jsonrpsee::Extensions| {
            let message = format!(
                "the method {name} is not available: {group}_ methods are off on this node; start it with --rpc-{group} on"
            );
            Err::<(), _>(error::not_offered(message))
        };
        all.register_method(name, refuse).expect("method names are distinct");
    }
}
