//! A plan: services, jobs and steps, as a graph.

use serde::{Deserialize, Serialize};

use crate::{Job, Outputs, Service};

/// What has to be done and run for a network. Names of services, jobs and steps are unique in a plan and
/// stable from one planning to the next; each lists in `after` the names that come before it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Run once.
    pub jobs: Vec<Job>,
    /// Run for good, one per node.
    pub services: Vec<Service>,
    /// Taken once, on the running ledger.
    pub steps: Vec<StepSpec>,
    /// Whether this is all. A plan that is not complete wants its jobs run and planning asked again with
    /// their outputs.
    pub complete: bool,
}

impl Plan {
    /// The jobs that have no outputs recorded and whose predecessors have.
    pub fn due_jobs<'a>(&'a self, outputs: &'a Outputs) -> impl Iterator<Item = &'a Job> {
        self.jobs
            .iter()
            .filter(|job| !outputs.contains_key(&job.name) && job.after.iter().all(|name| outputs.contains_key(name)))
    }

    /// Whether every job has its outputs recorded.
    pub fn jobs_done(&self, outputs: &Outputs) -> bool {
        self.jobs.iter().all(|job| outputs.contains_key(&job.name))
    }

    /// The service of a node.
    pub fn service(&self, node: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.node == node)
    }
}

/// Something to be done on the running ledger, once: join a channel, deploy a system contract. The ledger
/// that belongs to the plan's driver knows how to do it and how to tell whether it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepSpec {
    /// Unique in the plan.
    pub name: String,
    /// What it does, for a person.
    pub title: String,
    /// Names of what comes before it.
    pub after: Vec<String>,
    /// The driver's word for what to do.
    pub action: String,
    /// The action's parameters.
    pub parameters: std::collections::BTreeMap<String, String>,
}
