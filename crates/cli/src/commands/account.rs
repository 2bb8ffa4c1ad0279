//! `polder account`: members' accounts on networks.

use clap::Subcommand;
use types::{Account, Address};

use super::Context;
use crate::{
    Error,
    client::encode,
    output::{self, Row, or_dash},
};

/// The verbs of `polder account`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum AccountCommand {
    /// List the members' accounts on a network
    List {
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
    },
    /// Show any address of a network's ledger
    Show {
        address: String,
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
    },
}

impl AccountCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::List { network } => {
                let network = context.network(&client, network.as_deref()).await?;
                let page = client.list::<Account>(&format!("networks/{}/accounts", network.id)).await?;
                output::page(context.format(), &page)
            }
            Self::Show { address, network } => {
                let network = context.network(&client, network.as_deref()).await?;
                let path = format!("networks/{}/addresses/{}", network.id, encode(&address));
                context.print(&client.get::<Address>(&path).await?)
            }
        }
    }
}

impl Row for Account {
    const HEADS: &'static [&'static str] = &["member", "address", "balance", "nonce", "usable", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.member.clone(),
            self.address.clone(),
            or_dash(self.balance.as_deref()),
            or_dash(self.nonce),
            if self.usable { "yes" } else { "no" }.into(),
            self.id.clone(),
        ]
    }
}
