//! `polder engine`: ledger software that networks can run.

use clap::Subcommand;
use types::{Engine, Page};

use super::Context;
use crate::{
    Error,
    output::{self, Row},
};

/// The verbs of `polder engine`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum EngineCommand {
    /// List engines with their kinds of consensus
    List,
}

impl EngineCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let Self::List = self;
        output::page(context.format(), &context.client()?.get::<Page<Engine>>("engines").await?)
    }
}

impl Row for Engine {
    const HEADS: &'static [&'static str] = &["name", "title", "version", "consensus"];

    fn cells(&self) -> Vec<String> {
        let kinds: Vec<&str> = self.consensus.iter().map(|kind| kind.name.as_str()).collect();
        vec![self.name.clone(), self.title.clone(), self.version.clone(), kinds.join(" ")]
    }
}
