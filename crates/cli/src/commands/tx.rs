//! `polder tx`: transactions.

use clap::Subcommand;
use types::{RawTransaction, Transaction, TransactionResult, TransactionSummary};

use super::{Context, LedgerOf};
use crate::{
    Error,
    client::encode,
    output::{self, Row, or_dash, time, word},
};

/// The verbs of `polder tx`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum TxCommand {
    /// Show a transaction with its decoded input and logs
    Show {
        hash: String,
        #[command(flatten)]
        of: LedgerOf,
    },
    /// List the newest transactions
    List {
        #[command(flatten)]
        of: LedgerOf,
        /// How many
        #[arg(long, default_value_t = 25)]
        limit: u32,
    },
    /// Send a transaction that was signed elsewhere
    Send {
        /// EIP-2718 bytes, hex with 0x
        raw: String,
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
        /// Wait for its outcome
        #[arg(long)]
        wait: bool,
    },
}

impl TxCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::Show { hash, of } => {
                let path = of.path(context, &client, &format!("transactions/{}", encode(&hash))).await?;
                context.print(&client.get::<Transaction>(&path).await?)
            }
            Self::List { of, limit } => {
                let path = of.path(context, &client, "transactions").await?;
                output::page(context.format(), &client.first::<TransactionSummary>(&path, limit).await?)
            }
            Self::Send { raw, network, wait } => {
                let network = context.network(&client, network.as_deref()).await?;
                let waiting = context.waiting(wait);
                let path = format!("networks/{}/transactions?wait={}", network.id, waiting.at_the_server());
                let sent: TransactionResult = client.post(&path, &RawTransaction { raw }).await?;
                context.print(&waiting.end(&client, &network, sent).await?)
            }
        }
    }
}

impl Row for TransactionSummary {
    const HEADS: &'static [&'static str] = &["hash", "block", "time", "from", "to", "method", "status"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.hash.clone(),
            or_dash(self.block),
            or_dash(self.at.map(time)),
            self.from.clone(),
            or_dash(self.to.as_deref()),
            or_dash(self.method.as_deref()),
            word(&self.status),
        ]
    }
}
