//! `polder validator`: who agrees on a network's blocks.

use clap::{Args, Subcommand};
use types::{NewVote, Page, Validator, ValidatorChange, Validators};

use super::Context;
use crate::{
    Error, OutputFormat,
    client::encode,
    output::{self, Row, or_dash},
};

/// The verbs of `polder validator`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum ValidatorCommand {
    /// List validators, the nodes that could become one, and the votes that are under way
    List {
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
    },
    /// Vote a validator in or out, with all validators of a member that run
    Vote(VoteOn),
    /// Take a vote back, as far as the ledger has not counted it
    Withdraw {
        /// Its address, or its node
        validator: String,
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
        /// The member whose vote it is; may be left out by who acts for one only
        #[arg(long)]
        member: Option<String>,
    },
}

/// Votes.
#[derive(Debug, Args)]
pub struct VoteOn {
    /// Its address, or its node
    validator: String,
    /// Network; may be left out when there is one
    #[arg(long)]
    network: Option<String>,
    /// It is to validate
    #[arg(long, required_unless_present = "remove", conflicts_with = "remove")]
    add: bool,
    /// It is to validate no longer
    #[arg(long)]
    remove: bool,
    /// The member that votes; may be left out by who acts for one only
    #[arg(long)]
    member: Option<String>,
    /// Vote also when fewer validators are known to be up than must agree afterwards
    #[arg(long)]
    force: bool,
}

impl ValidatorCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        let (Self::List { network } | Self::Vote(VoteOn { network, .. }) | Self::Withdraw { network, .. }) = &self;
        let network = context.network(&client, network.as_deref()).await?;
        let path = format!("networks/{}/validators", network.id);
        let validators: Validators = match self {
            Self::List { .. } => client.get(&path).await?,
            Self::Vote(vote) => {
                let change = if vote.add { ValidatorChange::Add } else { ValidatorChange::Remove };
                let body = NewVote { validator: vote.validator, change, member: vote.member, force: vote.force };
                client.post(&format!("{path}/votes"), &body).await?
            }
            Self::Withdraw { validator, member, .. } => {
                let member = member.map(|member| format!("?member={}", encode(&member))).unwrap_or_default();
                let answer = client.delete(&format!("{path}/votes/{}{member}", encode(&validator))).await?;
                serde_json::from_value(answer).map_err(|error| Error::Answer(error.to_string()))?
            }
        };
        if context.format() == OutputFormat::Json {
            return context.print(&validators);
        }
        eprintln!(
            "{} validators, {} must agree on a block, {} votes decide",
            validators.validators, validators.agreement, validators.deciding
        );
        output::page(context.format(), &Page { items: validators.items, next: None })
    }
}

impl Row for Validator {
    const HEADS: &'static [&'static str] = &["address", "node", "member", "validates", "proposed", "votes"];

    fn cells(&self) -> Vec<String> {
        let votes = self.votes.iter().map(|vote| {
            let who = vote.member.as_ref().unwrap_or(&vote.address);
            if vote.counted { who.clone() } else { format!("{who} (waits)") }
        });
        vec![
            self.address.clone(),
            or_dash(self.node.as_ref()),
            or_dash(self.member.as_ref()),
            if self.validates { "yes".into() } else { "no".into() },
            or_dash(self.proposed.as_ref().map(output::word)),
            votes.collect::<Vec<_>>().join(" "),
        ]
    }
}
