//! `polder contract`: deploy, call, send.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Deserialize;
use types::{CallResult, Code, Contract, ContractCall, Network, NewContract, TransactionResult, TransactionStatus};

use super::{Context, network::read_json};
use crate::{
    Error,
    client::{Client, encode},
    output::{self, Row, or_dash, time},
};

mod local;

/// The verbs of `polder contract`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum ContractCommand {
    /// Deploy a compiled contract
    Deploy(Deploy),
    /// Make a contract known that is already on the ledger
    Register {
        /// Its address
        address: String,
        /// Compiled artifact, for its interface
        artifact: PathBuf,
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
        /// Name to show
        #[arg(long)]
        name: Option<String>,
    },
    /// List the contracts that are known here
    List {
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
    },
    /// Show a contract with its interface
    Show {
        /// Address, name or id
        contract: String,
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
    },
    /// Call a function that only reads
    Call(Call),
    /// Send a transaction to a function
    Send(Send),
}

/// Deploys.
#[derive(Debug, Args)]
pub struct Deploy {
    /// Compiled artifact with `abi` and `bytecode`
    artifact: PathBuf,
    /// Network; may be left out when there is one
    #[arg(long)]
    network: Option<String>,
    #[command(flatten)]
    signer: Signer,
    /// Constructor's arguments as a JSON list
    #[arg(long, value_parser = parse_list, value_name = "JSON")]
    args: Option<serde_json::Value>,
    /// Name to show; the artifact's when left out
    #[arg(long)]
    name: Option<String>,
    /// Wait for the outcome; without it the command ends when the ledger has taken the transaction
    #[arg(long)]
    wait: bool,
}

/// Who signs.
#[derive(Debug, Args)]
struct Signer {
    /// Account that signs: id, address or member
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "private_key_file")]
    from: Option<String>,
    /// Sign here with the key in this file (64 hex digits); it is not sent anywhere
    #[arg(long, value_name = "FILE")]
    private_key_file: Option<PathBuf>,
}

/// Calls.
#[derive(Debug, Args)]
pub struct Call {
    /// Address, name or id
    contract: String,
    /// Function: a name, or a signature where names repeat
    function: String,
    /// Arguments as a JSON list
    #[arg(long, value_parser = parse_list, value_name = "JSON")]
    args: Option<serde_json::Value>,
    /// Network; may be left out when there is one
    #[arg(long)]
    network: Option<String>,
    /// Account that the call is made as
    #[arg(long, value_name = "ACCOUNT")]
    from: Option<String>,
}

/// Sends.
#[derive(Debug, Args)]
pub struct Send {
    /// Address, name or id
    contract: String,
    /// Function: a name, or a signature where names repeat
    function: String,
    /// Arguments as a JSON list
    #[arg(long, value_parser = parse_list, value_name = "JSON")]
    args: Option<serde_json::Value>,
    /// Amount to send along in the smallest unit
    #[arg(long, value_name = "AMOUNT")]
    value: Option<String>,
    /// Network; may be left out when there is one
    #[arg(long)]
    network: Option<String>,
    #[command(flatten)]
    signer: Signer,
    /// Wait for the outcome; without it the command ends when the ledger has taken the transaction
    #[arg(long)]
    wait: bool,
}

/// Answer to a deployment.
#[derive(Deserialize)]
struct Deployed {
    result: TransactionResult,
}

pub(super) fn parse_list(text: &str) -> Result<serde_json::Value, String> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    if value.is_array() { Ok(value) } else { Err("a JSON list is expected, such as '[\"0x…\", 5]'".into()) }
}

impl ContractCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::Deploy(deploy) => deploy.run(context, &client).await,
            Self::Register { address, artifact, network, name } => {
                let network = context.network(&client, network.as_deref()).await?;
                let body = NewContract { name, address: Some(address), ..artifact_only(read_json(&artifact)?) };
                let answer: serde_json::Value = client.post(&contracts(&network), &body).await?;
                context.print(&answer["contract"])
            }
            Self::List { network } => {
                let network = context.network(&client, network.as_deref()).await?;
                output::page(context.format(), &client.list::<Contract>(&contracts(&network)).await?)
            }
            Self::Show { contract, network } => {
                let network = context.network(&client, network.as_deref()).await?;
                context.print(&find(&client, &network, &contract).await?)
            }
            Self::Call(call) => {
                let network = context.network(&client, call.network.as_deref()).await?;
                let path = format!("{}/{}/call", contracts(&network), encode(&call.contract));
                let body = ContractCall {
                    function: call.function,
                    args: call.args,
                    from: call.from,
                    value: None,
                    transient: None,
                };
                context.print(&client.post::<CallResult>(&path, &body).await?)
            }
            Self::Send(send) => send.run(context, &client).await,
        }
    }
}

impl Deploy {
    async fn run(self, context: &Context, client: &Client) -> Result<(), Error> {
        let waiting = context.waiting(self.wait);
        let network = context.network(client, self.network.as_deref()).await?;
        let artifact = read_json(&self.artifact)?;
        let mut body = NewContract { name: self.name, ..artifact_only(artifact) };
        if let Some(path) = &self.signer.private_key_file {
            let key = local::Key::read(path)?;
            let data = local::deployment(&body.artifact, self.args.as_ref())?;
            let result = waiting.end(client, &network, key.send(client, &network, None, data, None).await?).await?;
            if result.status == TransactionStatus::Success {
                body.transaction_hash = Some(result.transaction_hash.clone());
                client.post::<serde_json::Value>(&contracts(&network), &body).await?;
            } else if !self.wait {
                eprintln!(
                    "the contract is known here after `polder contract register ADDRESS ARTIFACT`; --wait does that"
                );
            }
            return finish(context, &result);
        }
        body.args = self.args;
        body.from = self.signer.from;
        let path = format!("{}?wait={}", contracts(&network), waiting.at_the_server());
        let result = client.post::<Deployed>(&path, &body).await?.result;
        finish(context, &waiting.end(client, &network, result).await?)
    }
}

impl Send {
    async fn run(self, context: &Context, client: &Client) -> Result<(), Error> {
        let waiting = context.waiting(self.wait);
        let network = context.network(client, self.network.as_deref()).await?;
        if let Some(path) = &self.signer.private_key_file {
            let key = local::Key::read(path)?;
            let contract = find(client, &network, &self.contract).await?;
            let data = local::call(&contract.interface, &self.function, self.args.as_ref())?;
            let result = key.send(client, &network, Some(contract.address), data, self.value).await?;
            return finish(context, &waiting.end(client, &network, result).await?);
        }
        let wait = waiting.at_the_server();
        let path = format!("{}/{}/send?wait={wait}", contracts(&network), encode(&self.contract));
        let body = ContractCall {
            function: self.function,
            args: self.args,
            from: self.signer.from,
            value: self.value,
            transient: None,
        };
        let result = client.post::<TransactionResult>(&path, &body).await?;
        finish(context, &waiting.end(client, &network, result).await?)
    }
}

/// Prints the outcome; a reverted transaction is a failure.
pub(super) fn finish(context: &Context, result: &TransactionResult) -> Result<(), Error> {
    context.print(result)?;
    match result.status {
        TransactionStatus::Reverted => {
            Err(Error::Failed(Code::ContractReverted, format!("{} was reverted", result.transaction_hash)))
        }
        _ => Ok(()),
    }
}

fn artifact_only(artifact: serde_json::Value) -> NewContract {
    NewContract { name: None, artifact, args: None, from: None, address: None, transaction_hash: None }
}

fn contracts(network: &Network) -> String {
    format!("networks/{}/contracts", network.id)
}

async fn find(client: &Client, network: &Network, contract: &str) -> Result<Contract, Error> {
    client.get(&format!("{}/{}", contracts(network), encode(contract))).await
}

impl Row for Contract {
    const HEADS: &'static [&'static str] = &["name", "address", "member", "known since", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.address.clone(),
            or_dash(self.member.as_deref()),
            time(self.created_at),
            self.id.clone(),
        ]
    }
}
