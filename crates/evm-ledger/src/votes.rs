//! Votes on validators: how they are given and counted is each driver's own.

use driver::{Ballot, Result, ValidatorSet};
use futures::future::BoxFuture;

use crate::NodeClient;

/// Reads validators and votes on them.
pub trait Votes: Send + Sync {
    /// Who validates, and the votes that are under way.
    fn validators<'a>(&'a self, nodes: Vec<NodeClient<'a>>) -> BoxFuture<'a, Result<ValidatorSet>>;

    /// Has a node vote. All of the network's nodes are given, to clear away what is decided.
    fn vote<'a>(
        &'a self,
        node: NodeClient<'a>,
        nodes: Vec<NodeClient<'a>>,
        ballot: &'a Ballot,
    ) -> BoxFuture<'a, Result<()>>;
}
