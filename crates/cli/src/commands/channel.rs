//! `polder channel`: sub-ledgers of networks.

use clap::Subcommand;
use types::{Channel, NewChannel, Operation};

use super::Context;
use crate::{
    Error,
    client::encode,
    output::{self, Row, or_dash},
};

/// The verbs of `polder channel`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum ChannelCommand {
    /// Make a channel and join the nodes of its members to it
    Create {
        /// Lower-case letters, digits, . and -
        name: String,
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
        /// Members that take part, separated by commas; all of the network when left out
        #[arg(long, value_delimiter = ',', value_name = "ORG,…")]
        members: Option<Vec<String>>,
        /// Wait until it can be used
        #[arg(long)]
        wait: bool,
    },
    /// List a network's channels
    List {
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
    },
    /// Show a channel with what each node says of it
    Show {
        name: String,
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
    },
}

impl ChannelCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::Create { name, network, members, wait } => {
                let network = context.network(&client, network.as_deref()).await?;
                let path = format!("networks/{}/channels", network.id);
                let body = NewChannel { name: name.clone(), members };
                let operation: Operation = client.post(&path, &body).await?;
                if !wait {
                    return context.print(&operation);
                }
                context.wait(&client, &operation.id).await?;
                context.print(&client.get::<Channel>(&format!("{path}/{}", encode(&name))).await?)
            }
            Self::List { network } => {
                let network = context.network(&client, network.as_deref()).await?;
                let channels = client.list::<Channel>(&format!("networks/{}/channels", network.id)).await?;
                output::page(context.format(), &channels)
            }
            Self::Show { name, network } => {
                let network = context.network(&client, network.as_deref()).await?;
                context.print(
                    &client.get::<Channel>(&format!("networks/{}/channels/{}", network.id, encode(&name))).await?,
                )
            }
        }
    }
}

impl Row for Channel {
    const HEADS: &'static [&'static str] = &["name", "members", "height", "nodes", "chaincodes"];

    fn cells(&self) -> Vec<String> {
        let joined = self.nodes.iter().filter(|node| node.height.is_some()).count();
        vec![
            self.name.clone(),
            self.members.join(" "),
            or_dash(self.height),
            format!("{joined} of {}", self.nodes.len()),
            self.chaincodes.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(" "),
        ]
    }
}
