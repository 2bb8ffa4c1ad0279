//! The command line.

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

use chain_consensus::network::PeerAddress;
use chain_types::ValidatorKey;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// One node of Polder's built-in chain.
#[derive(Debug, Parser)]
#[command(name = "polder-node", version, about, propagate_version = true)]
pub struct Cli {
    /// How the log on standard error is written.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, env = "POLDER_NODE_LOG_FORMAT")]
    pub log_format: LogFormat,
    /// What is done.
    #[command(subcommand)]
    pub command: Command,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the node's key, if there is none, and print its public key.
    Key(KeyOptions),
    /// Prepare a data directory for a chain.
    Init(InitOptions),
    /// Run the node until SIGTERM or SIGINT.
    Run(RunOptions),
}

/// Where the node keeps its files.
#[derive(Clone, Debug, Args)]
pub struct DataOptions {
    /// The data directory.
    #[arg(long, value_name = "DIR", env = "POLDER_NODE_DATA")]
    pub data: PathBuf,
    /// The key file, where it is not `node.key` in the data directory.
    #[arg(long, value_name = "FILE", env = "POLDER_NODE_KEY_FILE")]
    pub key_file: Option<PathBuf>,
}

/// Options of `key`.
#[derive(Clone, Debug, Args)]
pub struct KeyOptions {
    /// Where the key goes.
    #[command(flatten)]
    pub data: DataOptions,
}

/// Options of `init`.
#[derive(Clone, Debug, Args)]
pub struct InitOptions {
    /// Where the node keeps its files.
    #[command(flatten)]
    pub data: DataOptions,
    /// The genesis file.
    #[arg(long, value_name = "FILE")]
    pub genesis: PathBuf,
    /// Follow the chain: the genesis does not list this node's key.
    #[arg(long)]
    pub follower: bool,
}

/// Options of `run`.
#[derive(Clone, Debug, Args)]
pub struct RunOptions {
    /// Where the node keeps its files.
    #[command(flatten)]
    pub data: DataOptions,
    /// Where JSON-RPC is served, HTTP and WebSocket on one port; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8545", env = "POLDER_NODE_HTTP")]
    pub http: SocketAddr,
    /// Where other nodes connect.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:30303", env = "POLDER_NODE_P2P")]
    pub p2p: SocketAddr,
    /// Where a validator is reached; once for each.
    #[arg(long, value_name = "PUBKEY@HOST:PORT")]
    pub peer: Vec<PeerOption>,
    /// The key of a node that may connect and follow; once for each.
    #[arg(long, value_name = "PUBKEY")]
    pub follower_key: Vec<ValidatorKey>,
    /// Serve `debug_` methods. By default only while JSON-RPC is on loopback.
    #[arg(long, value_enum, value_name = "on|off")]
    pub rpc_debug: Option<Switch>,
    /// Serve `txpool_` methods. By default only while JSON-RPC is on loopback.
    #[arg(long, value_enum, value_name = "on|off")]
    pub rpc_txpool: Option<Switch>,
    /// A host name, besides loopback's, that clients may call JSON-RPC by; once for each, `*` for any.
    #[arg(long, value_name = "NAME")]
    pub rpc_host: Vec<String>,
    /// A proxy that ends TLS stands before JSON-RPC: allow an address beyond loopback.
    #[arg(long)]
    pub behind_proxy: bool,
    /// Mebibytes of memory for the caches of the chain's files.
    #[arg(long, value_name = "MIB", default_value_t = 24, value_parser = clap::value_parser!(u32).range(8..=65_536))]
    pub cache: u32,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// `PUBKEY@HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerOption {
    /// The peer's key.
    pub key: ValidatorKey,
    /// Where it is dialled.
    pub address: PeerAddress,
}

impl FromStr for PeerOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, address) = text.split_once('@').ok_or("expected PUBKEY@HOST:PORT")?;
        Ok(Self {
            key: key.parse().map_err(|error: chain_types::GenesisError| error.to_string())?,
            address: address.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_peer_is_a_key_and_an_address() {
        let key = "ab".repeat(32);
        let peer: PeerOption = format!("{key}@127.0.0.1:30303").parse().unwrap();
        assert_eq!((peer.key.to_string(), peer.address.to_string()), (key.clone(), "127.0.0.1:30303".into()));
        let named: PeerOption = format!("{key}@node-1.example:7").parse().unwrap();
        assert_eq!(named.address, PeerAddress::Name("node-1.example".into(), 7));
        for wrong in ["", "ab@127.0.0.1:1", &format!("{key}@"), &format!("{key}@host"), &format!("{key}@host:99999")] {
            assert!(wrong.parse::<PeerOption>().is_err(), "{wrong}");
        }
    }
}
