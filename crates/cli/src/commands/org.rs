//! `polder org`: organisations of this deployment.

use clap::Subcommand;
use types::{NewOrganisation, Organisation};

use super::{Context, confirm};
use crate::{
    Error,
    client::encode,
    output::{self, Row, time},
};

/// The verbs of `polder org`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum OrgCommand {
    /// Make an organisation with its key
    Create {
        name: String,
        /// Name to show
        #[arg(long)]
        title: Option<String>,
    },
    /// List organisations
    List,
    /// Show an organisation
    Show { name: String },
    /// Delete an organisation that is in no consortium
    Delete {
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl OrgCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::Create { name, title } => {
                context.print(&client.post::<Organisation>("organisations", &NewOrganisation { name, title }).await?)
            }
            Self::List => output::page(context.format(), &client.list::<Organisation>("organisations").await?),
            Self::Show { name } => {
                context.print(&client.get::<Organisation>(&format!("organisations/{}", encode(&name))).await?)
            }
            Self::Delete { name, yes } => {
                confirm(yes, &format!("Delete organisation {name} and its key?"))?;
                client.delete(&format!("organisations/{}", encode(&name))).await.map(drop)
            }
        }
    }
}

impl Row for Organisation {
    const HEADS: &'static [&'static str] = &["name", "title", "created", "id"];

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), self.title.clone(), time(self.created_at), self.id.clone()]
    }
}
