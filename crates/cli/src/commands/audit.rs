//! `polder audit`: who did what, and whether the log is whole.

use clap::Subcommand;
use types::{AuditCheck, AuditEntry, Code};

use super::Context;
use crate::{
    Error,
    output::{self, Row, time},
};

/// The verbs of `polder audit`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum AuditCommand {
    /// List the newest entries
    List {
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Check the hash chain over all entries
    Check,
}

impl AuditCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::List { limit } => output::page(context.format(), &client.first::<AuditEntry>("audit", limit).await?),
            Self::Check => {
                let check: AuditCheck = client.get("audit/check").await?;
                context.print(&check)?;
                let changed = || Error::Failed(Code::StoreCorrupt, "the audit log was changed".into());
                check.intact.then_some(()).ok_or_else(changed)
            }
        }
    }
}

impl Row for AuditEntry {
    const HEADS: &'static [&'static str] = &["no", "time", "actor", "action", "subject"];

    fn cells(&self) -> Vec<String> {
        vec![self.sequence.to_string(), time(self.at), self.actor.clone(), self.action.clone(), self.subject.clone()]
    }
}
