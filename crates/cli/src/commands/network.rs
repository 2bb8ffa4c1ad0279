//! `polder network`: running ledgers.

use std::path::{Component, Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Deserialize;
use types::{AttachNetwork, Network, NetworkPreview, NetworkProfile, NewNetwork, Operation, Statistics, Topology};

use super::{Context, confirm};
use crate::{
    Error,
    client::encode,
    output::{self, Row, or_dash, word},
};

/// The verbs of `polder network`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum NetworkCommand {
    /// Make a network and start it
    Create(Create),
    /// Attach a network that others run, by the address of its JSON-RPC
    Attach(Attach),
    /// List networks
    List,
    /// Show a network with its nodes
    Show { name: String },
    /// Show how the nodes are connected now
    Topology { name: String },
    /// Show throughput, block intervals and latency of the last minutes
    Statistics {
        name: String,
        /// How many minutes: 1 to 1440
        #[arg(long, default_value_t = 15)]
        minutes: u32,
    },
    /// Write what a member's clients need into a directory: addresses, roots of trust, and its identities with their keys
    Profile {
        name: String,
        /// The member
        #[arg(long)]
        member: String,
        /// Directory; made when it is not there
        #[arg(long)]
        dir: PathBuf,
    },
    /// Start a network's nodes
    Start {
        name: String,
        /// Wait until it runs
        #[arg(long)]
        wait: bool,
    },
    /// Stop a network's nodes
    Stop {
        name: String,
        /// Wait until it stands
        #[arg(long)]
        wait: bool,
    },
    /// Restart a network's nodes
    Restart {
        name: String,
        /// Wait until it runs again
        #[arg(long)]
        wait: bool,
    },
    /// Delete a network with everything on its ledger; one that is attached is only detached
    Delete {
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Wait until it is gone
        #[arg(long)]
        wait: bool,
    },
}

/// Makes a network.
#[derive(Debug, Args)]
pub struct Create {
    /// Lower-case letters, digits and -
    name: String,
    /// Consortium that it belongs to; may be left out when there is one
    #[arg(long)]
    consortium: Option<String>,
    /// Ledger software
    #[arg(long, default_value = "polder")]
    engine: String,
    /// Kind of consensus
    #[arg(long, default_value = "bft")]
    consensus: String,
    /// Installed version of the engine; the newest tested one when left out
    #[arg(long, value_name = "VERSION")]
    engine_version: Option<String>,
    /// How many nodes agree on blocks (validators, orderers), dealt to the members in turn; what suits the consensus when left
    /// out
    #[arg(long, visible_alias = "orderers", value_name = "N")]
    nodes: Option<u32>,
    /// Peers of each member, where the engine has peers
    #[arg(long, value_name = "N")]
    peers: Option<u32>,
    /// Name of the first channel, where the engine has channels
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Member that runs all orderers; dealt to the members in turn when left out
    #[arg(long, value_name = "ORG")]
    orderer_org: Option<String>,
    /// Members that take part, separated by commas; all when left out
    #[arg(long, value_delimiter = ',', value_name = "ORG,…")]
    members: Option<Vec<String>>,
    /// Chain id; drawn at random when left out
    #[arg(long, value_name = "N")]
    chain_id: Option<u64>,
    /// Genesis to start from, without validators
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Option of the engine; may be repeated
    #[arg(long = "option", value_parser = parse_option, value_name = "NAME=VALUE")]
    options: Vec<(String, serde_json::Value)>,
    /// Show what would be started, and start nothing
    #[arg(long)]
    preview: bool,
    /// Wait until it runs
    #[arg(long)]
    wait: bool,
}

/// Attaches a network.
#[derive(Debug, Args)]
pub struct Attach {
    /// Lower-case letters, digits and -
    name: String,
    /// Address of its JSON-RPC, http:// or https://; - reads it from standard input, so that a key in it is seen by nobody
    #[arg(long, value_name = "URL")]
    rpc: String,
    /// Consortium that it belongs to; may be left out when there is one
    #[arg(long)]
    consortium: Option<String>,
    /// Members that use it, separated by commas; all when left out
    #[arg(long, value_delimiter = ',', value_name = "ORG,…")]
    members: Option<Vec<String>>,
    /// Chain id that it must have; whatever it has when left out
    #[arg(long, value_name = "N")]
    chain_id: Option<u64>,
    /// After how many blocks one counts as final; what the chain says when left out
    #[arg(long, value_name = "N")]
    confirmations: Option<u64>,
}

impl Attach {
    async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        let rpc = match self.rpc.as_str() {
            "-" => {
                let mut line = String::new();
                let failed = |error| Error::file(Path::new("standard input"), error);
                std::io::stdin().read_line(&mut line).map_err(failed)?;
                line.trim().to_owned()
            }
            _ => self.rpc,
        };
        let body = AttachNetwork {
            name: self.name,
            rpc,
            consortium: self.consortium,
            members: self.members,
            chain_id: self.chain_id,
            confirmations: self.confirmations,
        };
        context.print(&client.post::<Network>("networks/attach", &body).await?)
    }
}

/// Answer to a creation.
#[derive(Deserialize)]
struct Created {
    network: Network,
    operation: Operation,
}

fn parse_option(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
    // Numbers and booleans are JSON; anything else is text.
    Ok((name.into(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
}

impl NetworkCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        let path = |name: &str| format!("networks/{}", encode(name));
        match self {
            Self::Create(create) => create.run(context).await,
            Self::Attach(attach) => attach.run(context).await,
            Self::List => output::page(context.format(), &client.list::<Network>("networks").await?),
            Self::Show { name } => {
                let mut network: Network = client.get(&path(&name)).await?;
                network.rpc = network.rpc.map(|path| client.address(&path));
                context.print(&network)
            }
            Self::Topology { name } => {
                context.print(&client.get::<Topology>(&format!("{}/topology", path(&name))).await?)
            }
            Self::Statistics { name, minutes } => {
                let path = format!("{}/statistics?minutes={minutes}", path(&name));
                context.print(&client.get::<Statistics>(&path).await?)
            }
            Self::Profile { name, member, dir } => {
                let path = format!("{}/profile?member={}", path(&name), encode(&member));
                write_profile(context, &dir, &client.get(&path).await?)
            }
            Self::Start { name, wait } => {
                context.act::<Network>(&client, &format!("{}/start", path(&name)), wait, &path(&name)).await
            }
            Self::Stop { name, wait } => {
                context.act::<Network>(&client, &format!("{}/stop", path(&name)), wait, &path(&name)).await
            }
            Self::Restart { name, wait } => {
                context.act::<Network>(&client, &format!("{}/restart", path(&name)), wait, &path(&name)).await
            }
            Self::Delete { name, yes, wait } => {
                let network: Network = client.get(&path(&name)).await?;
                let question = match network.attached {
                    Some(_) => format!("Detach network {name}? It goes on where it runs; its accounts here are lost."),
                    None => format!("Delete network {name} with everything on its ledger?"),
                };
                confirm(yes, &question)?;
                context.delete(&client, &path(&name), wait).await
            }
        }
    }
}

impl Create {
    async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        let genesis = self.genesis.as_deref().map(read_json).transpose()?;
        let named = [
            ("peers", self.peers.map(Into::into)),
            ("channel", self.channel.map(Into::into)),
            ("ordererMember", self.orderer_org.map(Into::into)),
        ];
        let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let options: serde_json::Map<String, serde_json::Value> = self.options.into_iter().chain(named).collect();
        let options = (!options.is_empty()).then(|| options.into());
        let body = NewNetwork {
            name: self.name,
            consortium: self.consortium,
            engine: self.engine,
            consensus: self.consensus,
            version: self.engine_version,
            nodes: self.nodes,
            members: self.members,
            chain_id: self.chain_id,
            genesis,
            options,
        };
        if self.preview {
            return context.print(&client.post::<NetworkPreview>("networks/preview", &body).await?);
        }
        let created: Created = client.post("networks", &body).await?;
        if !self.wait {
            eprintln!("being made: follow it with `polder operation show {}`", created.operation.id);
            return context.print(&created.network);
        }
        context.wait(&client, &created.operation.id).await?;
        context.print(&client.get::<Network>(&format!("networks/{}", created.network.id)).await?)
    }
}

/// Writes a profile's files; those that hold private keys for the user alone.
fn write_profile(context: &Context, directory: &Path, profile: &NetworkProfile) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt as _;
    for (path, file) in &profile.files {
        let path = Path::new(path);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(Error::Answer(format!("the profile names the file {}", path.display())));
        }
        let path = directory.join(path);
        let parent = path.parent().unwrap_or(directory);
        std::fs::create_dir_all(parent).map_err(|error| Error::file(parent, error))?;
        let mode = if file.secret { 0o600 } else { 0o644 };
        let write = || {
            let mut options = std::fs::OpenOptions::new();
            let mut open = options.write(true).create(true).truncate(true).mode(mode).open(&path)?;
            std::io::Write::write_all(&mut open, file.text.as_bytes())
        };
        write().map_err(|error| Error::file(&path, error))?;
    }
    let files: Vec<&String> = profile.files.keys().collect();
    context.print(&serde_json::json!({"member": profile.member, "directory": directory, "files": files}))
}

/// Reads a JSON file of the user.
pub(crate) fn read_json(path: &std::path::Path) -> Result<serde_json::Value, Error> {
    let text = std::fs::read(path).map_err(|error| Error::file(path, error))?;
    serde_json::from_slice(&text).map_err(|error| Error::Usage(format!("{} is not JSON: {error}", path.display())))
}

impl Row for Network {
    const HEADS: &'static [&'static str] = &["name", "engine", "consensus", "status", "height", "nodes", "chain", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.engine.clone(),
            self.consensus.clone(),
            word(&self.status),
            or_dash(self.height),
            self.nodes.len().to_string(),
            or_dash(self.chain_id),
            self.id.clone(),
        ]
    }
}
