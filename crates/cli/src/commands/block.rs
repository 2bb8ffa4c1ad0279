//! `polder block`: blocks.

use clap::Subcommand;
use types::{Block, BlockSummary};

use super::Context;
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
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
    },
    /// List the newest blocks
    List {
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
        /// How many
        #[arg(long, default_value_t = 25)]
        limit: u32,
    },
}

impl BlockCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::Show { block, network } => {
                let network = context.network(&client, network.as_deref()).await?;
                let path = format!("networks/{}/blocks/{}", network.id, encode(&block));
                context.print(&client.get::<Block>(&path).await?)
            }
            Self::List { network, limit } => {
                let network = context.network(&client, network.as_deref()).await?;
                let path = format!("networks/{}/blocks", network.id);
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
