//! JSON-RPC's side: a tokio runtime of its own.

use std::{
    io::{self, Write as _},
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use chain_rpc::RpcConfig;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{
    Error,
    cli::{RunOptions, Switch},
    node::Opened,
    state::BoardStatus,
};

/// Prefix of the names of JSON-RPC's threads; see [`crate::exit::panicked`].
pub(crate) const THREADS: &str = "rpc-";

/// Niceness of JSON-RPC's threads; in Linux it is a property of each thread.
const NICE: i32 = 5;

/// The runtime that JSON-RPC runs on.
pub(crate) fn runtime() -> Result<Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("rpc-worker")
        .on_thread_start(yield_to_consensus)
        .enable_all()
        .build()
        .map_err(|source| Error::System { what: "starting a runtime", source })
}

/// On a busy machine clients wait before votes do: what the chain cannot take is refused sooner than the chain slows
/// down.
fn yield_to_consensus() {
    // Where it is not allowed, threads share as they otherwise would.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "the priority of JSON-RPC's threads stays as it is");
    }
}

/// Takes the address that JSON-RPC is served on, so that a taken one shows before anything starts.
pub(crate) fn listen(options: &RunOptions) -> Result<TcpListener, Error> {
    if !options.http.ip().is_loopback() && !options.behind_proxy {
        return Err(Error::OpenToNetwork(options.http));
    }
    let refused = |source| Error::Listen { address: options.http, what: "JSON-RPC", source };
    let listener = TcpListener::bind(options.http).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    Ok(listener)
}

/// What is served.
pub(crate) fn config(options: &RunOptions) -> RpcConfig {
    let on = |switch: Option<Switch>| switch.map_or(options.http.ip().is_loopback(), |switch| switch == Switch::On);
    let mut config = RpcConfig { debug: on(options.rpc_debug), txpool: on(options.rpc_txpool), ..RpcConfig::default() };
    config.allowed_hosts.extend(options.rpc_host.iter().cloned());
    config
}

/// Serves until the listener fails.
pub(crate) async fn serve(listener: TcpListener, config: RpcConfig, opened: Opened, status: BoardStatus) -> Error {
    let router = chain_rpc::router(config, opened.executor, opened.chain, opened.pool, Arc::new(status));
    let ended = async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        axum::serve(listener, router).await
    };
    match ended.await {
        Ok(()) => Error::Ended("JSON-RPC"),
        Err(source) => Error::System { what: "JSON-RPC", source },
    }
}

/// The line that tells programs that JSON-RPC answers.
pub(crate) fn announce(http: SocketAddr, p2p: SocketAddr, key: &chain_types::ValidatorKey) -> Result<(), Error> {
    let line = json!({ "event": "ready", "http": http, "p2p": p2p, "publicKey": key });
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    written.map_err(|source| Error::System { what: "standard output", source })
}
