//! Engines: what networks can be made of, and which versions of their programs there are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Micros;

/// An engine that this deployment can run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Engine {
    /// Such as `polder`.
    pub name: String,
    /// Name to show.
    pub title: String,
    /// What it is and for whom.
    pub description: String,
    /// Version of the programs that come with Polder; none when versions are installed.
    pub version: Option<String>,
    /// What is known of its versions, installed ones first; empty when its programs come with Polder.
    #[serde(default)]
    pub versions: Vec<EngineVersion>,
    /// Whether its makers look after it, where there is something to know before choosing it.
    #[serde(default)]
    pub maintenance: Option<String>,
    /// Its kinds of consensus; empty for networks that are attached and not made.
    pub consensus: Vec<ConsensusKind>,
    /// Roles that a node can have.
    pub roles: Vec<String>,
    /// What its ledger can do: `evm`, `contracts`, `events`, `accounts`, …
    pub capabilities: Vec<String>,
    /// JSON Schema of its options.
    #[schema(value_type = Object)]
    pub options: serde_json::Value,
}

/// One kind of consensus.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsensusKind {
    /// Such as `bft`.
    pub name: String,
    /// Name to show.
    pub title: String,
    /// What the choice means.
    pub description: String,
    /// Role of the nodes that agree: those that a new network's `nodes` counts.
    pub role: String,
    /// Fewest nodes.
    pub min_nodes: u32,
    /// Most nodes.
    pub max_nodes: u32,
    /// Suggested number.
    pub default_nodes: u32,
    /// What it adds to what the engine's ledger can do: `validators` where these are voted in and out.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Roles of nodes that can be added to a running network and taken from it; the usual one first.
    #[serde(default)]
    pub addable: Vec<String>,
    /// First version of the engine's programs that has it; null where all have.
    #[serde(default)]
    pub from_version: Option<String>,
    /// First version that does not have it any more; null where none has lost it.
    #[serde(default)]
    pub before_version: Option<String>,
}

impl ConsensusKind {
    /// Whether a version of the engine's programs has it. Of a version without numbers, such as a commit, nobody knows: it has.
    pub fn is_in(&self, version: &str) -> bool {
        let numbers = version_numbers(version);
        let at_least = |wanted: &Option<String>| wanted.as_deref().map(|wanted| numbers >= version_numbers(wanted));
        numbers.is_empty()
            || (at_least(&self.from_version) != Some(false) && at_least(&self.before_version) != Some(true))
    }
}

/// The numbers that a version begins with, such as 1, 13 and 15 of `v1.13.15-stable`, to compare it by; none for what is no
/// version, such as a commit.
pub fn version_numbers(version: &str) -> Vec<u64> {
    let text = version.trim_start_matches('v');
    if !text.contains('.') {
        return Vec::new();
    }
    text.split(['.', '-', ' ']).map_while(|part| part.split("rc").next()?.parse().ok()).collect()
}

/// One version of an engine's programs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EngineVersion {
    /// `ENGINE@VERSION`.
    pub id: String,
    /// Name of the engine.
    pub engine: String,
    /// Such as `22.7.4`.
    pub version: String,
    /// Whether its programs are here.
    pub installed: bool,
    /// Whether Polder's tests run it.
    pub tested: bool,
    /// Where its programs come from: a module and version of the Go module registry, or an operator's directory; null when they
    /// are not here.
    pub origin: Option<String>,
    /// SHA-256 of each program, hexadecimal; empty when they are not here.
    pub programs: BTreeMap<String, String>,
    /// When it was installed.
    pub installed_at: Option<Micros>,
}

/// An engine whose programs do not come with Polder.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstallableEngine {
    /// Its name.
    pub name: String,
    /// Whether its makers look after it, where there is something to know before choosing it.
    pub maintenance: Option<String>,
    /// Whether Polder can build it; its programs can be added in any case.
    pub buildable: bool,
    /// The programs that a version consists of.
    pub programs: Vec<String>,
    /// Its versions, installed ones first.
    pub versions: Vec<EngineVersion>,
}

/// An engine's programs to install.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewEngineVersion {
    /// Name of the engine.
    pub engine: String,
    /// A release, a commit or a Go module version; the newest tested one when absent.
    #[serde(default)]
    pub version: Option<String>,
}

/// An engine's programs that an operator has.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GivenEngineVersion {
    /// Name of the engine.
    pub engine: String,
    /// Which version they are.
    pub version: String,
    /// Directory on the server's machine that holds them, itself or in `bin`.
    pub path: String,
}
