//! Ethereum's JSON-RPC over HTTP and WebSocket for a node of the built-in chain.
//!
//! One [`router`] serves both on one port. Shapes are alloy's, codes and words are go-ethereum's. Blocks
//! are final when they are seen here, so `latest`, `safe` and `finalized` are one block, nothing is ever
//! removed, and `pending` differs from `latest` only in the nonces that the pool adds.
//!
//! What costs CPU time (calls, estimates, traces, log queries) runs on blocking threads, a few at once and
//! each with a time limit, so that it never delays consensus. The crate reads the chain and the pool; it
//! knows consensus only through [`StatusSource`].

mod api;
mod batch;
mod config;
mod error;
mod filters;
mod guard;
mod heavy;
mod inclusion;
mod log_query;
mod methods;
mod router;
mod shapes;
mod status;

pub use config::{RpcConfig, RpcLimits};
pub use router::router;
pub use status::{ConsensusStatus, NodeStatus, PeerStatus, PoolCounts, Role, StatusSource};
