//! `polder user`: people who use this deployment.

use clap::Subcommand;
use types::{Grant, NewUser, PasswordChange, Role, User, UserChange};

use super::{Context, confirm, login::read_password};
use crate::{
    Error,
    client::encode,
    output::{self, Row, time, word},
};

/// The verbs of `polder user`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum UserCommand {
    /// Make a user; reads the password from standard input
    Create {
        name: String,
        /// ROLE or ROLE:ORGANISATION, such as developer:harbour; may be repeated
        #[arg(long = "role", required = true, value_parser = parse_grant, value_name = "ROLE[:ORG]")]
        roles: Vec<Grant>,
    },
    /// List users
    List,
    /// Show a user
    Show { name: String },
    /// Change a user's roles: all of them are given anew
    SetRoles {
        name: String,
        /// ROLE or ROLE:ORGANISATION; may be repeated
        #[arg(long = "role", required = true, value_parser = parse_grant, value_name = "ROLE[:ORG]")]
        roles: Vec<Grant>,
    },
    /// Change a user's password; reads it from standard input and ends the user's sessions
    SetPassword { name: String },
    /// Change your own password; reads the current and the new one from standard input, a line each, and ends your other
    /// sessions
    ChangePassword,
    /// Delete a user with all sessions and access keys
    Delete {
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl UserCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::Create { name, roles } => {
                let password = read_password("Password of the new user: ")?;
                let user: User = client.post("users", &NewUser { name, password, grants: roles }).await?;
                context.print(&user)
            }
            Self::List => output::page(context.format(), &client.list::<User>("users").await?),
            Self::Show { name } => context.print(&client.get::<User>(&format!("users/{}", encode(&name))).await?),
            Self::SetRoles { name, roles } => {
                let change = UserChange { grants: Some(roles), ..UserChange::default() };
                context.print(&client.patch::<User>(&format!("users/{}", encode(&name)), &change).await?)
            }
            Self::SetPassword { name } => {
                let change = UserChange { password: Some(read_password("New password: ")?), ..UserChange::default() };
                context.print(&client.patch::<User>(&format!("users/{}", encode(&name)), &change).await?)
            }
            Self::ChangePassword => {
                let current_password = read_password("Current password: ")?;
                let change = PasswordChange { current_password, new_password: read_password("New password: ")? };
                client.post::<()>("session/password", &change).await
            }
            Self::Delete { name, yes } => {
                confirm(yes, &format!("Delete user {name} with all sessions and access keys?"))?;
                client.delete(&format!("users/{}", encode(&name))).await.map(drop)
            }
        }
    }
}

/// Reads `ROLE` or `ROLE:ORGANISATION`.
pub(crate) fn parse_grant(text: &str) -> Result<Grant, String> {
    let (role, organisation) = match text.split_once(':') {
        Some((role, organisation)) => (role, Some(organisation.to_owned())),
        None => (text, None),
    };
    let parsed: Role = serde_json::from_value(role.into()).map_err(|_| {
        let names: Vec<String> = Role::ALL.iter().map(word).collect();
        format!("`{role}` is not a role: use {}", names.join(", "))
    })?;
    match (parsed.needs_organisation(), &organisation) {
        (true, None) => Err(format!("{role} is held for an organisation: write {role}:ORGANISATION")),
        (false, Some(_)) => Err(format!("{role} is not held for an organisation")),
        _ => Ok(Grant { role: parsed, organisation }),
    }
}

impl Row for User {
    const HEADS: &'static [&'static str] = &["name", "roles", "created", "id"];

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), grants(&self.grants), time(self.created_at), self.id.clone()]
    }
}

/// Roles in one cell.
pub(crate) fn grants(grants: &[Grant]) -> String {
    let text = |grant: &Grant| match &grant.organisation {
        Some(organisation) => format!("{}:{organisation}", word(&grant.role)),
        None => word(&grant.role),
    };
    grants.iter().map(text).collect::<Vec<_>>().join(" ")
}
