//! `polder block`: blocks.

use clap::Subcommand;
use types::{Block, BlockSummary};

use super::{Context, LedgerOf};
use crate::{
    Error,
    client::encode,
    output::{self, Row, or_dash, time},
};

/// The verbs of `polder block`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum BlockCommand {
    /// Show a block with its transactions
    Show {
        /// Height, hash or `latest`
        block: String,
        #[command(flatten)]
        of: LedgerOf,
    },
    /// List the newest blocks
    List {
        #[command(flatten)]
        of: LedgerOf,
        /// How many
        #[arg(long, default_value_t = 25)]
        limit: u32,
    },
}

impl BlockCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::Show { block, of } => {
                let path = of.path(context, &client, &format!("blocks/{}", encode(&block))).await?;
                context.print(&client.get::<Block>(&path).await?)
            }
            Self::List { of, limit } => {
                let path = of.path(context, &client, "blocks").await?;
                output::page(context.format(), &client.first::<BlockSummary>(&path, limit).await?)
            }
        }
    }
}

impl Row for BlockSummary {
    const HEADS: &'static [&'static str] = &["number", "time", "transactions", "gas used", "hash"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.number.to_string(),
            time(self.at),
            self.transactions.to_string(),
            or_dash(self.gas_used),
            self.hash.clone(),
        ]
    }
}
