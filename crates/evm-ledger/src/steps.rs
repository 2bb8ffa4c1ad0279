//! Steps of a plan, taken on the running ledger: what they are is each driver's own.

use driver::Result;
use futures::future::BoxFuture;
use workload::StepSpec;

use crate::NodeClient;

/// Takes the steps that a driver plans.
pub trait Steps: Send + Sync {
    /// Whether a step is done.
    fn done<'a>(&'a self, step: &'a StepSpec, nodes: Vec<NodeClient<'a>>) -> BoxFuture<'a, Result<bool>>;

    /// Takes a step. Doing it twice does no harm.
    fn take<'a>(&'a self, step: &'a StepSpec, nodes: Vec<NodeClient<'a>>) -> BoxFuture<'a, Result<()>>;
}
