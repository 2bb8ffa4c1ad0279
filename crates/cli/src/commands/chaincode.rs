//! `polder chaincode`: contracts that run beside the nodes, from source.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use clap::{Args, Subcommand};
use types::{CallResult, Chaincode, ChaincodeState, ContractCall, NewChaincode, Operation, TransactionResult};

use super::Context;
use super::contract::{finish, parse_list};
use super::network::read_json;
use crate::{
    Error,
    client::{encode, on_channel},
    output::{self, Row, or_dash},
};

/// The verbs of `polder chaincode`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum ChaincodeCommand {
    /// Build a source directory, run it for each member, install, approve and commit it
    Deploy(Deploy),
    /// List what was deployed
    List {
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
    },
    /// Show the newest version, and which member has installed and approved it
    Show {
        /// Name on the channel
        name: String,
        /// Network; may be left out when there is one
        #[arg(long)]
        network: Option<String>,
        /// Channel, where the name is on several
        #[arg(long)]
        channel: Option<String>,
    },
    /// Call a function and have what it did ordered and committed
    Invoke {
        #[command(flatten)]
        call: Call,
        /// Wait for the outcome; without it the command ends when the ledger has taken the transaction
        #[arg(long)]
        wait: bool,
    },
    /// Call a function; nothing is changed
    Query(Call),
}

/// Deploys.
#[derive(Debug, Args)]
// `--version` is the contract's here.
#[command(disable_version_flag = true)]
pub struct Deploy {
    /// Source directory in Go, Node.js or Java
    directory: PathBuf,
    /// Network; may be left out when there is one
    #[arg(long)]
    network: Option<String>,
    /// Channel; the network's first when left out
    #[arg(long)]
    channel: Option<String>,
    /// Name on the channel; the directory's when left out
    #[arg(long)]
    name: Option<String>,
    /// For people
    #[arg(long, default_value = "1")]
    version: String,
    /// 1 for a new one, one more for each upgrade; the next when left out
    #[arg(long, value_name = "N")]
    sequence: Option<u64>,
    /// Who must endorse, such as AND('alphaMSP.peer','betaMSP.peer'); the channel's own rule when left out
    #[arg(long)]
    policy: Option<String>,
    /// Collections of private data, a JSON list
    #[arg(long, value_name = "FILE")]
    collections: Option<PathBuf>,
    /// The first call must be one that initialises it
    #[arg(long)]
    init_required: bool,
    /// Wait until it can be called
    #[arg(long)]
    wait: bool,
}

/// A call.
#[derive(Debug, Args)]
pub struct Call {
    /// Name on the channel
    name: String,
    /// Function
    function: String,
    /// Arguments as a JSON list
    #[arg(long, value_parser = parse_list, value_name = "JSON")]
    args: Option<serde_json::Value>,
    /// Data that the contract sees and the ledger does not keep; may be repeated
    #[arg(long, value_parser = parse_pair, value_name = "NAME=TEXT")]
    transient: Vec<(String, String)>,
    /// Network; may be left out when there is one
    #[arg(long)]
    network: Option<String>,
    /// Channel, where the name is on several
    #[arg(long)]
    channel: Option<String>,
    /// Account that calls: id, address or member
    #[arg(long, value_name = "ACCOUNT")]
    from: Option<String>,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=TEXT"))?;
    Ok((name.into(), value.into()))
}

impl ChaincodeCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::Deploy(deploy) => deploy.run(context).await,
            Self::List { network } => {
                let network = context.network(&client, network.as_deref()).await?;
                let found = client.list::<Chaincode>(&format!("networks/{}/chaincodes", network.id)).await?;
                output::page(context.format(), &found)
            }
            Self::Show { name, network, channel } => {
                let network = context.network(&client, network.as_deref()).await?;
                let chosen = on_channel(channel.as_deref());
                let path = format!("networks/{}/chaincodes/{}{chosen}", network.id, encode(&name));
                context.print(&client.get::<ChaincodeState>(&path).await?)
            }
            Self::Invoke { call, wait } => {
                let network = context.network(&client, call.network.as_deref()).await?;
                let waiting = context.waiting(wait);
                let path = format!("networks/{}/{}/send?wait={}", network.id, call.path(), waiting.at_the_server());
                let result = client.post::<TransactionResult>(&path, &call.body()).await?;
                finish(context, &waiting.end(&client, &network, result).await?)
            }
            Self::Query(call) => {
                let network = context.network(&client, call.network.as_deref()).await?;
                let path = format!("networks/{}/{}/call", network.id, call.path());
                context.print(&client.post::<CallResult>(&path, &call.body()).await?)
            }
        }
    }
}

impl Call {
    fn path(&self) -> String {
        let contract = match &self.channel {
            Some(channel) => format!("{channel}/{}", self.name),
            None => self.name.clone(),
        };
        format!("contracts/{}", encode(&contract))
    }

    fn body(self) -> ContractCall {
        let transient: BTreeMap<String, String> = self.transient.into_iter().collect();
        ContractCall {
            function: self.function,
            args: self.args,
            transient: (!transient.is_empty()).then_some(transient),
            from: self.from,
            value: None,
        }
    }
}

impl Deploy {
    async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        let network = context.network(&client, self.network.as_deref()).await?;
        let archive = chaincode::Source::pack(&self.directory).map_err(|error| Error::Usage(error.to_string()))?;
        let directory = std::path::absolute(&self.directory).map_err(|error| Error::file(&self.directory, error))?;
        let own_name = || directory.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = self.name.clone().or_else(own_name).unwrap_or_else(|| "chaincode".into());
        let body = NewChaincode {
            name: name.clone(),
            channel: self.channel.clone(),
            version: self.version,
            sequence: self.sequence,
            source: base64::engine::general_purpose::STANDARD.encode(archive),
            policy: self.policy,
            collections: self.collections.as_deref().map(read_json).transpose()?,
            init: self.init_required,
        };
        let path = format!("networks/{}/chaincodes", network.id);
        let operation: Operation = client.post(&path, &body).await?;
        if !self.wait {
            return context.print(&operation);
        }
        context.wait(&client, &operation.id).await?;
        let all = client.list::<Chaincode>(&path).await?.items;
        let own = all
            .into_iter()
            .rfind(|one| one.name == name && self.channel.as_ref().is_none_or(|channel| *channel == one.channel));
        context.print(&own.ok_or_else(|| Error::Answer(format!("{name} is not among what was deployed")))?)
    }
}

impl Row for Chaincode {
    const HEADS: &'static [&'static str] = &["name", "channel", "version", "sequence", "language", "policy", "nodes"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.channel.clone(),
            self.version.clone(),
            self.sequence.to_string(),
            or_dash(self.language.as_deref()),
            or_dash(self.policy.as_deref()),
            self.nodes.len().to_string(),
        ]
    }
}
