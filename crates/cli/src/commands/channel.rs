//! `polder channel`: sub-ledgers of networks.

use clap::Subcommand;
use types::{Channel, NewChannel, NewChannelMember, Operation};

use super::Context;
use crate::{
    Error,
    client::{Client, encode},
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
    /// Have a member join a channel: the others admit it, and it runs the chaincodes that are in force
    Join {
        name: String,
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
        /// Member of the network that joins
        #[arg(long, value_name = "ORG")]
        member: String,
        /// Wait until it takes part
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
                finish(context, &client, &path, &body, wait, &format!("{path}/{}", encode(&name))).await
            }
            Self::Join { name, network, member, wait } => {
                let network = context.network(&client, network.as_deref()).await?;
                let channel = format!("networks/{}/channels/{}", network.id, encode(&name));
                let body = NewChannelMember { member };
                finish(context, &client, &format!("{channel}/members"), &body, wait, &channel).await
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

/// Asks for a change of a channel, waits for it and shows the channel then.
async fn finish<B: serde::Serialize>(
    context: &Context,
    client: &Client,
    path: &str,
    body: &B,
    waits: bool,
    channel: &str,
) -> Result<(), Error> {
    let operation: Operation = client.post(path, body).await?;
    if !waits {
        return context.print(&operation);
    }
    context.wait(client, &operation.id).await?;
    context.print(&client.get::<Channel>(channel).await?)
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
