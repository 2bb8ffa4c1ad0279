//! `polder application`: programs of members that reach networks' JSON-RPC through the server.

use clap::Subcommand;
use types::{Application, NewApplication};

use super::{Context, confirm};
use crate::{
    Error,
    client::{Client, encode},
    output::{self, Row, or_dash, time},
};

/// The verbs of `polder application`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum ApplicationCommand {
    /// Make an application of a member; its key is shown this once
    Create {
        /// Lower-case letters, digits and -
        name: String,
        /// The member that it belongs to
        #[arg(long, value_name = "ORG")]
        member: String,
        /// Networks that it reaches, separated by commas
        #[arg(long = "network", value_delimiter = ',', required = true, value_name = "NETWORK,…")]
        networks: Vec<String>,
        /// Let it look into nodes too: txpool_ and the tracing part of debug_
        #[arg(long)]
        inspect: bool,
    },
    /// List applications, with how often they called
    List,
    /// Show an application with the addresses that it uses
    Show { name: String },
    /// Replace an application's key; the old one ends at once, the new one is shown this once
    Rotate {
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// End an application's key and its connections at once
    Revoke {
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl ApplicationCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        let path = |name: &str| format!("applications/{}", encode(name));
        match self {
            Self::Create { name, member, networks, inspect } => {
                let body = NewApplication { name, member, networks, inspect };
                let made: Application = client.post("applications", &body).await?;
                show_once(context, &client, made)
            }
            Self::List => output::page(context.format(), &client.list::<Application>("applications").await?),
            Self::Show { name } => context.print(&at_server(&client, client.get(&path(&name)).await?)),
            Self::Rotate { name, yes } => {
                confirm(yes, &format!("End the key of {name} and make a new one?"))?;
                let made = client.post(&format!("{}/rotate", path(&name)), &serde_json::json!({})).await?;
                show_once(context, &client, made)
            }
            Self::Revoke { name, yes } => {
                confirm(yes, &format!("End the key of {name} and its connections?"))?;
                client.delete(&path(&name)).await.map(drop)
            }
        }
    }
}

fn show_once(context: &Context, client: &Client, made: Application) -> Result<(), Error> {
    eprintln!("The key (`secret`) is shown this once: keep it now.");
    context.print(&at_server(client, made))
}

/// With whole addresses instead of paths.
fn at_server(client: &Client, mut application: Application) -> Application {
    for network in &mut application.networks {
        network.rpc = client.address(&network.rpc);
    }
    application
}

impl Row for Application {
    const HEADS: &'static [&'static str] = &["name", "member", "networks", "calls", "last used", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.member.clone(),
            self.networks.iter().map(|network| network.name.as_str()).collect::<Vec<_>>().join(" "),
            self.calls.to_string(),
            or_dash(self.last_used_at.map(time)),
            self.id.clone(),
        ]
    }
}
