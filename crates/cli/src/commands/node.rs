//! `polder node`: nodes of networks.

use clap::Subcommand;
use types::{LogLine, NewNode, Node, Operation, Page, Usage};

use super::{Context, confirm};
use crate::{
    Error,
    client::{encode, parse},
    output::{self, Row, or_dash, time, word},
};

/// The verbs of `polder node`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum NodeCommand {
    /// List nodes
    List {
        /// Only those of one network
        #[arg(long)]
        network: Option<String>,
    },
    /// Show a node
    Show {
        /// NETWORK/NODE or id
        name: String,
    },
    /// Add a node to a running network
    Add {
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
        /// Member whose node it is to be; may be left out by who acts for one
        #[arg(long, value_name = "ORG")]
        member: Option<String>,
        /// What it is to be, such as peer or orderer; what is usual for the network when left out
        #[arg(long)]
        kind: Option<String>,
        /// Wait until it runs and has joined the others
        #[arg(long)]
        wait: bool,
    },
    /// Take a node from its network for good, with all that it keeps
    Delete {
        /// NETWORK/NODE or id
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Wait until it is gone
        #[arg(long)]
        wait: bool,
    },
    /// Start a node
    Start {
        /// NETWORK/NODE or id
        name: String,
        /// Wait until it runs
        #[arg(long)]
        wait: bool,
    },
    /// Stop a node
    Stop {
        /// NETWORK/NODE or id
        name: String,
        /// Wait until it stands
        #[arg(long)]
        wait: bool,
    },
    /// Restart a node
    Restart {
        /// NETWORK/NODE or id
        name: String,
        /// Wait until it runs again
        #[arg(long)]
        wait: bool,
    },
    /// Show what a node used of its machine in the last hour
    Usage {
        /// NETWORK/NODE or id
        name: String,
    },
    /// Print a node's log
    Logs {
        /// NETWORK/NODE or id
        name: String,
        /// How many of the newest lines
        #[arg(long, default_value_t = 200)]
        lines: u32,
        /// Go on with new lines as they come
        #[arg(long, short)]
        follow: bool,
    },
}

impl NodeCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        let path = |name: &str| format!("nodes/{}", encode(name));
        match self {
            Self::List { network } => {
                let filter = network.map(|name| format!("?network={}", encode(&name))).unwrap_or_default();
                output::page(context.format(), &client.list::<Node>(&format!("nodes{filter}")).await?)
            }
            Self::Show { name } => context.print(&client.get::<Node>(&path(&name)).await?),
            Self::Add { network, member, kind, wait } => {
                let network = context.network(&client, network.as_deref()).await?;
                let body = NewNode { member, kind };
                let operation: Operation = client.post(&format!("networks/{}/nodes", network.id), &body).await?;
                if !wait {
                    return context.print(&operation);
                }
                context.wait(&client, &operation.id).await?;
                context.print(&client.get::<Node>(&path(&operation.subject)).await?)
            }
            Self::Delete { name, yes, wait } => {
                let node: Node = client.get(&path(&name)).await?;
                confirm(yes, &format!("Delete node {} with all that it keeps?", node.name))?;
                context.delete(&client, &path(&node.id), wait).await
            }
            Self::Start { name, wait } => {
                context.act::<Node>(&client, &format!("{}/start", path(&name)), wait, &path(&name)).await
            }
            Self::Stop { name, wait } => {
                context.act::<Node>(&client, &format!("{}/stop", path(&name)), wait, &path(&name)).await
            }
            Self::Restart { name, wait } => {
                context.act::<Node>(&client, &format!("{}/restart", path(&name)), wait, &path(&name)).await
            }
            Self::Usage { name } => {
                output::page(context.format(), &client.get::<Page<Usage>>(&format!("{}/usage", path(&name))).await?)
            }
            Self::Logs { name, lines, follow: true } => {
                let path = format!("{}/logs/stream?lines={lines}", path(&name));
                client.follow(&path, |_, line| output::line(&parse::<LogLine>(line)?.text)).await
            }
            Self::Logs { name, lines, follow: false } => {
                let page: Page<LogLine> = client.get(&format!("{}/logs?lines={lines}", path(&name))).await?;
                if context.format() == crate::OutputFormat::Json {
                    return context.print(&page);
                }
                for line in page.items {
                    output::line(&line.text)?;
                }
                Ok(())
            }
        }
    }
}

impl Row for Node {
    const HEADS: &'static [&'static str] =
        &["name", "member", "role", "status", "height", "cpu", "memory", "rpc", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.member.clone(),
            self.role.clone(),
            word(&self.status),
            or_dash(self.height),
            or_dash(self.usage.as_ref().map(|usage| format!("{:.2}", usage.cpu))),
            or_dash(self.usage.as_ref().map(|usage| format!("{} MB", usage.memory_bytes / 1_000_000))),
            or_dash(self.rpc.as_deref()),
            self.id.clone(),
        ]
    }
}

impl Row for Usage {
    const HEADS: &'static [&'static str] = &["time", "cpu", "memory", "disk"];

    fn cells(&self) -> Vec<String> {
        let megabytes = |bytes: u64| format!("{} MB", bytes / 1_000_000);
        vec![time(self.at), format!("{:.2}", self.cpu), megabytes(self.memory_bytes), megabytes(self.disk_bytes)]
    }
}
