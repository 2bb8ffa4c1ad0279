//! `polder engine`: ledger software that networks can run.

use std::path::PathBuf;

use clap::Subcommand;
use types::{Engine, EngineVersion, GivenEngineVersion, InstallableEngine, NewEngineVersion, Operation, Page};

use super::{Context, confirm};
use crate::{
    Error,
    client::encode,
    output::{self, Row},
};

/// The verbs of `polder engine`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum EngineCommand {
    /// List engines with their kinds of consensus and what is installed of them
    List,
    /// List versions of engines' programs, installed or not
    Available,
    /// Build a version's programs from the Go module registry
    Install {
        /// Engine, or ENGINE@VERSION: a release, a commit or a Go module version; else the newest tested one
        name: String,
        /// Wait until it is installed
        #[arg(long)]
        wait: bool,
    },
    /// Use programs that are on the server's machine already
    Add {
        /// ENGINE@VERSION
        name: String,
        /// Directory on the server's machine that holds them, itself or in `bin`
        #[arg(long, value_name = "DIR")]
        path: PathBuf,
    },
    /// Remove a version that no network runs
    Remove {
        /// ENGINE@VERSION
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl EngineCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        match self {
            Self::List => output::page(context.format(), &client.get::<Page<Engine>>("engines").await?),
            Self::Available => {
                let engines = client.get::<Page<InstallableEngine>>("engines/available").await?;
                output::page(context.format(), &engines)?;
                for engine in engines.items {
                    if let Some(maintenance) = engine.maintenance {
                        eprintln!("{}: {maintenance}", engine.name);
                    }
                }
                Ok(())
            }
            Self::Install { name, wait } => {
                let (engine, version) = match name.split_once('@') {
                    Some((engine, version)) => (engine.to_owned(), Some(version.to_owned())),
                    None => (name, None),
                };
                let operation: Operation =
                    client.post("engine-versions", &NewEngineVersion { engine, version }).await?;
                let operation = if wait { context.wait(&client, &operation.id).await? } else { operation };
                context.print(&operation)
            }
            Self::Add { name, path } => {
                let (engine, version) = versioned(&name)?;
                // A relative path means the caller's directory, which the server does not know.
                let path = std::path::absolute(&path).map_err(|error| Error::file(&path, error))?;
                let path = path.display().to_string();
                let given = GivenEngineVersion { engine, version, path };
                context.print(&client.post::<EngineVersion>("engine-versions/add", &given).await?)
            }
            Self::Remove { name, yes } => {
                versioned(&name)?;
                confirm(yes, &format!("Remove {name}?"))?;
                client.delete(&format!("engine-versions/{}", encode(&name))).await?;
                Ok(())
            }
        }
    }
}

fn versioned(name: &str) -> Result<(String, String), Error> {
    name.split_once('@')
        .map(|(engine, version)| (engine.into(), version.into()))
        .ok_or_else(|| Error::Usage(format!("say which version: {name}@VERSION")))
}

impl Row for Engine {
    const HEADS: &'static [&'static str] = &["name", "title", "version", "consensus"];

    fn cells(&self) -> Vec<String> {
        let kinds: Vec<&str> = self.consensus.iter().map(|kind| kind.name.as_str()).collect();
        let installed =
            self.versions.iter().filter(|version| version.installed).map(|version| version.version.as_str());
        let versions: Vec<&str> = self.version.as_deref().into_iter().chain(installed).collect();
        let versions = match versions.is_empty() {
            // Only attached: there is nothing to install.
            true if self.consensus.is_empty() => "-".into(),
            true => "not installed".into(),
            false => versions.join(" "),
        };
        vec![self.name.clone(), self.title.clone(), versions, kinds.join(" ")]
    }
}

impl Row for InstallableEngine {
    const HEADS: &'static [&'static str] = &["name", "installed", "tested", "not tested"];

    fn cells(&self) -> Vec<String> {
        let versions = |wanted: &dyn Fn(&EngineVersion) -> bool| {
            let versions =
                self.versions.iter().filter(|version| wanted(version)).map(|version| version.version.as_str());
            let text = versions.collect::<Vec<_>>().join(" ");
            if text.is_empty() { "-".into() } else { text }
        };
        vec![
            self.name.clone(),
            versions(&|version| version.installed),
            if self.buildable { versions(&|version| version.tested) } else { "to be added".into() },
            versions(&|version| !version.tested && !version.installed),
        ]
    }
}
