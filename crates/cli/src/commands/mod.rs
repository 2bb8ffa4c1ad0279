//! The commands, one file for each resource.

pub mod access_key;
pub mod account;
pub mod application;
pub mod audit;
pub mod block;
pub mod chaincode;
pub mod changes;
pub mod channel;
pub mod consortium;
pub mod contract;
pub mod engine;
pub mod login;
pub mod network;
pub mod node;
pub mod operation;
pub mod org;
pub mod server;
pub mod tx;
pub mod user;
pub mod validator;

use clap::Args;
use types::{Code, Network, Operation};

use crate::{
    Error, Global, OutputFormat,
    client::{Client, encode, on_channel},
    output, wait,
};

/// What every command needs.
pub struct Context {
    /// The global options.
    pub global: Global,
}

/// A network's ledger, or that of one of its channels.
#[derive(Debug, Args)]
pub struct LedgerOf {
    /// Network; may be left out when there is one
    #[arg(long)]
    network: Option<String>,
    /// Channel, where the engine has them; the network's first when left out
    #[arg(long)]
    channel: Option<String>,
}

impl LedgerOf {
    /// The path of something of it.
    async fn path(&self, context: &Context, client: &Client, what: &str) -> Result<String, Error> {
        let network = context.network(client, self.network.as_deref()).await?;
        Ok(format!("networks/{}/{what}{}", network.id, on_channel(self.channel.as_deref())))
    }
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        Self { global }
    }

    /// The server to call.
    pub fn client(&self) -> Result<Client, Error> {
        Client::new(&self.global)
    }

    /// How to print.
    pub fn format(&self) -> OutputFormat {
        self.global.output
    }

    /// Prints one thing.
    pub fn print<T: serde::Serialize>(&self, thing: &T) -> Result<(), Error> {
        output::one(self.format(), thing)
    }

    /// Follows an operation to its end.
    pub async fn wait(&self, client: &Client, operation: &str) -> Result<Operation, Error> {
        wait::operation(client, operation, self.global.timeout).await
    }

    /// How the end of a transaction is waited for.
    pub fn waiting(&self, wanted: bool) -> wait::Waiting {
        wait::Waiting::new(wanted, self.global.timeout)
    }

    /// The named network, or the only one.
    pub async fn network(&self, client: &Client, name: Option<&str>) -> Result<Network, Error> {
        if let Some(name) = name {
            return client.get(&format!("networks/{}", encode(name))).await;
        }
        let mut networks = client.list::<Network>("networks").await?.items;
        match (networks.pop(), networks.is_empty()) {
            (Some(network), true) => Ok(network),
            (None, _) => Err(Error::Usage("there is no network: create one with `polder network create`".into())),
            (Some(_), false) => {
                Err(Error::Failed(Code::NameAmbiguous, "there are several networks: say which with --network".into()))
            }
        }
    }

    /// Carries out an action that answers an operation; waits for it and shows `show` then.
    pub async fn act<T: serde::de::DeserializeOwned + serde::Serialize>(
        &self,
        client: &Client,
        action: &str,
        waits: bool,
        show: &str,
    ) -> Result<(), Error> {
        let operation: Operation = client.post(action, &serde_json::json!({})).await?;
        if !waits {
            return self.print(&operation);
        }
        self.wait(client, &operation.id).await?;
        self.print(&client.get::<T>(show).await?)
    }

    /// Deletes something by an operation; waits for it.
    pub async fn delete(&self, client: &Client, path: &str, waits: bool) -> Result<(), Error> {
        let answer = client.delete(path).await?;
        let operation: Operation = serde_json::from_value(answer).map_err(|error| Error::Answer(error.to_string()))?;
        let operation = if waits { self.wait(client, &operation.id).await? } else { operation };
        self.print(&operation)
    }
}

/// Asks before something is lost, unless `--yes` was given; without a terminal it must be given.
pub fn confirm(yes: bool, question: &str) -> Result<(), Error> {
    use std::io::{IsTerminal as _, Write as _};
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Error::Usage(format!("{question} Say so with --yes.")));
    }
    eprint!("{question} [y/N] ");
    let failed = |error: std::io::Error| Error::Failed(Code::HostFile, format!("the terminal cannot be used: {error}"));
    std::io::stderr().flush().map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    if answer.trim().eq_ignore_ascii_case("y") || answer.trim().eq_ignore_ascii_case("yes") {
        Ok(())
    } else {
        Err(Error::Failed(Code::RequestInvalid, "nothing was done".into()))
    }
}
