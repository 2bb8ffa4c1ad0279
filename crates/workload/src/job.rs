//! Jobs: programs that run once in a node's volumes.

use serde::{Deserialize, Serialize};

use crate::{Program, VolumeSpec};

/// A program that runs once, to its end. It may be run again after a crash in the middle, so it must come
/// to the same result then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Unique in the plan.
    pub name: String,
    /// What it does, for a person.
    pub title: String,
    /// Id of the node in whose volumes it runs.
    pub node: String,
    /// Names of jobs that come before it.
    pub after: Vec<String>,
    /// What runs.
    pub program: Program,
    /// Directories that it uses.
    pub volumes: Vec<VolumeSpec>,
    /// What it leaves.
    pub outputs: Vec<OutputSpec>,
    /// It is ended after this many milliseconds and has failed.
    pub time_limit_ms: u64,
}

/// A named result of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputSpec {
    /// Unique in the job.
    pub name: String,
    /// Where it is found once the job has ended.
    pub source: OutputSource,
}

/// Where a job's output is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OutputSource {
    /// All of standard output, trimmed.
    Stdout,
    /// A file below a volume: UTF-8 text, at most 1 MiB.
    File {
        /// The volume's name.
        volume: String,
        /// Path below it.
        path: String,
    },
}
