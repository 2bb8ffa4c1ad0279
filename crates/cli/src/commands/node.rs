//! `polder node`: nodes of networks.

use clap::Subcommand;
use types::{LogLine, Node, Page, Usage};

use super::Context;
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
