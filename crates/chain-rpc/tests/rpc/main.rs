//! JSON-RPC as clients see it: real HTTP and WebSocket connections to a router over a real chain, whose
//! blocks the tests finalise themselves.

mod blocks;
mod calls;
mod limits;
mod logs;
mod sending;
mod subscriptions;
mod world;
