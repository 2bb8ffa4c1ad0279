//! A plan: identities, services, jobs and steps, as a graph.

use serde::{Deserialize, Serialize};

use crate::{Job, Outputs, Service};

/// What has to be done and run for a network. Names of services, jobs and steps are unique in a plan and
/// stable from one planning to the next; each lists in `after` the names that come before it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Certificates that it needs.
    #[serde(default)]
    pub identities: Vec<IdentitySpec>,
    /// Run once.
    pub jobs: Vec<Job>,
    /// Run for good, one per node.
    pub services: Vec<Service>,
    /// Taken once, on the running ledger.
    pub steps: Vec<StepSpec>,
    /// What must stay as it is here when nodes come and go, such as a genesis that names the first ones. It is recorded with
    /// the outputs before the nodes change, and a plan takes it from there.
    #[serde(default)]
    pub records: Outputs,
    /// Whether this is all. A plan that is not complete wants its identities issued and its jobs run, and planning asked
    /// again with their outputs.
    pub complete: bool,
}

impl Plan {
    /// The identities that have no outputs recorded.
    pub fn due_identities<'a>(&'a self, outputs: &'a Outputs) -> impl Iterator<Item = &'a IdentitySpec> {
        self.identities.iter().filter(|identity| !outputs.contains_key(&identity.name))
    }

    /// The jobs that have no outputs recorded and whose predecessors have.
    pub fn due_jobs<'a>(&'a self, outputs: &'a Outputs) -> impl Iterator<Item = &'a Job> {
        self.jobs
            .iter()
            .filter(|job| !outputs.contains_key(&job.name) && job.after.iter().all(|name| outputs.contains_key(name)))
    }

    /// Whether every identity and every job has its outputs recorded.
    pub fn is_prepared(&self, outputs: &Outputs) -> bool {
        self.due_identities(outputs).next().is_none() && self.jobs.iter().all(|job| outputs.contains_key(&job.name))
    }

    /// The service of a node.
    pub fn service(&self, node: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.node == node)
    }
}

/// A secret with a name, most often a key with a certificate that a member's authority issues: ECDSA on P-256. Its outputs are
/// `certificate` and `authority`, the certificate of who issued it, both PEM; its key is a secret that [`key_reference`] names.
/// A password has no outputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentitySpec {
    /// Unique in the plan, among jobs and steps too.
    pub name: String,
    /// Name of the member whose authority issues it.
    pub member: String,
    /// What it is for.
    pub usage: Usage,
    /// Its subject's common name.
    pub common_name: String,
    /// What its holder is in the organisation: `peer`, `orderer`, `client` or `admin`. Its subject's organisational unit.
    pub role: String,
    /// Host names and addresses that it stands for.
    pub names: Vec<String>,
}

/// What an identity is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Usage {
    /// To sign messages.
    Signing,
    /// TLS, as server and as client.
    Tls,
    /// To issue certificates: the root of an authority that a program of the network runs.
    Authority,
    /// To be known to a program by a password: no certificate, and in place of the key 64 hex digits.
    Password,
}

/// The reference of the secret that is an identity's private key, PKCS #8 as PEM, or its password.
pub fn key_reference(network: &str, identity: &str) -> String {
    format!("{network}/{identity}")
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
    /// A node that is started anew before the step is taken: its program takes up what it needs for it only as it starts.
    #[serde(default)]
    pub restart: Option<String>,
}
