//! What the JSON-RPC server is told at start.

use std::time::Duration;

/// Bounds on what one client can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpcLimits {
    /// Connections at once, HTTP and WebSocket together.
    pub connections: u32,
    /// Bytes of a request (a batch counts as one).
    pub request_bytes: u32,
    /// Bytes of an answer (a batch counts as one).
    pub response_bytes: u32,
    /// Requests in a batch.
    pub batch: u32,
    /// Subscriptions on one connection.
    pub subscriptions: u32,
    /// Messages that may wait on one connection; a subscription whose next one finds no place for 10 s ends.
    pub subscription_backlog: u32,
    /// Filters at once, of all clients.
    pub filters: usize,
    /// A filter that nobody asks for this long is forgotten.
    pub filter_expiry: Duration,
    /// Blocks in the range of a log query.
    pub log_blocks: u64,
    /// Logs in an answer.
    pub logs: usize,
    /// Gas of one call, estimate or trace.
    pub call_gas: u64,
    /// Time of one call, estimate, trace or log query.
    pub call_time: Duration,
    /// Such heavy requests that run at once.
    pub heavy: usize,
    /// Such heavy requests that may wait for one that runs.
    pub heavy_waiting: usize,
    /// How long `eth_sendRawTransactionSync` waits when the caller does not say.
    pub sync_timeout: Duration,
    /// Longest that it waits.
    pub sync_timeout_max: Duration,
}

impl Default for RpcLimits {
    fn default() -> Self {
        Self {
            connections: 1_000,
            request_bytes: 5 * 1024 * 1024,
            response_bytes: 32 * 1024 * 1024,
            batch: 1_000,
            subscriptions: 128,
            subscription_backlog: 4_096,
            filters: 1_024,
            filter_expiry: Duration::from_secs(300),
            log_blocks: 100_000,
            logs: 20_000,
            call_gas: 100_000_000,
            call_time: Duration::from_secs(5),
            heavy: 2,
            heavy_waiting: 256,
            sync_timeout: Duration::from_secs(2),
            sync_timeout_max: Duration::from_secs(60),
        }
    }
}

/// The server's configuration.
#[derive(Clone, Debug)]
pub struct RpcConfig {
    /// `Host` names that are served, without ports; `*` serves all. Guards against DNS rebinding.
    pub allowed_hosts: Vec<String>,
    /// Whether `debug_` is served.
    pub debug: bool,
    /// Whether `txpool_` is served.
    pub txpool: bool,
    /// Bounds.
    pub limits: RpcLimits,
    /// Answer of `web3_clientVersion`, and `version` in `polder_status`.
    pub version: String,
}

impl Default for RpcConfig {
    /// Loopback names only, `txpool_` and `debug_` on: right for a listener on loopback.
    fn default() -> Self {
        Self {
            allowed_hosts: ["localhost", "127.0.0.1", "[::1]"].map(String::from).to_vec(),
            debug: true,
            txpool: true,
            limits: RpcLimits::default(),
            version: format!("polder/v{}", env!("CARGO_PKG_VERSION")),
        }
    }
}
