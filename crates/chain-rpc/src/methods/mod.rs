//! The methods, by group. Each group is a trait with the names on the wire and its implementation.

pub(crate) mod blocks;
pub(crate) mod calls;
pub(crate) mod debug;
pub(crate) mod fees;
pub(crate) mod filters;
pub(crate) mod node;
pub(crate) mod state;
pub(crate) mod subscribe;
pub(crate) mod transactions;
pub(crate) mod txpool;
