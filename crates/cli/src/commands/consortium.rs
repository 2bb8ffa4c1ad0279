//! `polder consortium`: groups of organisations that share networks.

use clap::Subcommand;
use types::{Consortium, NewConsortium};

use super::{Context, confirm};
use crate::{
    Error,
    client::encode,
    output::{self, Row, time},
};

/// The verbs of `polder consortium`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum ConsortiumCommand {
    /// Found a consortium of organisations of this deployment
    Create {
        name: String,
        /// Names or ids of the members, separated by commas
        #[arg(long, required = true, value_delimiter = ',', value_name = "ORG,…")]
        members: Vec<String>,
        /// Name to show
        #[arg(long)]
        title: Option<String>,
    },
    /// List consortia
    List,
    /// Show a consortium with its members
    Show { name: String },
    /// Delete a consortium that has no network
    Delete {
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl ConsortiumCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::Create { name, members, title } => {
                context.print(&client.post::<Consortium>("consortia", &NewConsortium { name, title, members }).await?)
            }
            Self::List => output::page(context.format(), &client.list::<Consortium>("consortia").await?),
            Self::Show { name } => {
                context.print(&client.get::<Consortium>(&format!("consortia/{}", encode(&name))).await?)
            }
            Self::Delete { name, yes } => {
                confirm(yes, &format!("Delete consortium {name}?"))?;
                client.delete(&format!("consortia/{}", encode(&name))).await.map(drop)
            }
        }
    }
}

impl Row for Consortium {
    const HEADS: &'static [&'static str] = &["name", "title", "members", "founded", "id"];

    fn cells(&self) -> Vec<String> {
        let members: Vec<&str> = self.members.iter().map(|member| member.name.as_str()).collect();
        vec![self.name.clone(), self.title.clone(), members.join(" "), time(self.created_at), self.id.clone()]
    }
}
