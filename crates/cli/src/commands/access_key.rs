//! `polder access-key`: credentials of programs that use the API.

use clap::Subcommand;
use types::{AccessKey, Grant, NewAccessKey};

use super::{
    Context,
    user::{grants, parse_grant},
};
use crate::{
    Error,
    client::encode,
    output::{self, Row, or_dash, time},
    wait::parse_duration,
};

/// The verbs of `polder access-key`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum AccessKeyCommand {
    /// Make an access key; its secret is shown this once
    Create {
        /// What it is for
        name: String,
        /// What it may do: ROLE or ROLE:ORGANISATION; all that you may when left out
        #[arg(long = "role", value_parser = parse_grant, value_name = "ROLE[:ORG]")]
        roles: Vec<Grant>,
        /// When it ends, counted from now, such as 720h; never when left out
        #[arg(long, value_parser = parse_duration, value_name = "TIME")]
        expires_in: Option<std::time::Duration>,
    },
    /// List access keys
    List,
    /// End an access key at once
    Revoke { id: String },
}

impl AccessKeyCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::Create { name, roles, expires_in } => {
                let expires_at = expires_in
                    .map(|time| i64::try_from(time.as_micros()).map(|micros| types::now() + micros))
                    .transpose()
                    .map_err(|_| Error::Usage("--expires-in is too far in the future".into()))?;
                let body = NewAccessKey { name, grants: (!roles.is_empty()).then_some(roles), expires_at };
                let key: AccessKey = client.post("access-keys", &body).await?;
                eprintln!("The secret is shown this once: keep it now.");
                context.print(&key)
            }
            Self::List => output::page(context.format(), &client.list::<AccessKey>("access-keys").await?),
            Self::Revoke { id } => client.delete(&format!("access-keys/{}", encode(&id))).await.map(drop),
        }
    }
}

impl Row for AccessKey {
    const HEADS: &'static [&'static str] = &["id", "name", "roles", "last used", "ends"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.name.clone(),
            grants(&self.grants),
            or_dash(self.last_used_at.map(time)),
            or_dash(self.expires_at.map(time)),
        ]
    }
}
