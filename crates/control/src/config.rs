//! What the control plane is started with. Only the binary reads the environment; it fills this in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use keys::Secret;

/// How other people's code is built.
#[derive(Clone, Debug, Default)]
pub struct BuildSettings {
    /// What compilers find in their environment. The code that is built can read it.
    pub environment: BTreeMap<String, String>,
    /// Builds may download nothing.
    pub offline: bool,
    /// Where compilers keep what they download; below the data directory when absent. Servers may share it.
    pub cache: Option<PathBuf>,
    /// It is built even where the machine cannot keep it apart.
    pub accept_no_sandbox: bool,
    /// Directories that it must not see, beside the data directory.
    pub hidden: Vec<PathBuf>,
}

/// Settings of the control plane.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data directory; made when it is not there.
    pub data: PathBuf,
    /// Address of a PostgreSQL database; SQLite in the data directory when absent.
    pub database: Option<Secret>,
    /// File of the master key; `master.key` in the data directory when absent.
    pub master_key_file: Option<PathBuf>,
    /// Password of the first administrator; drawn when absent. Of no use once there is a user.
    pub admin_password: Option<Secret>,
    /// Where programs of engines are installed; `engines` in the data directory when absent. Servers may share it.
    pub engines: Option<PathBuf>,
    /// What builds engines.
    pub toolchain: engines::Toolchain,
    /// How contracts that run beside the nodes are built.
    pub builds: BuildSettings,
    /// What may be called beside the public internet, where a user gives an address.
    pub allow: outbound::AllowList,
    /// Version of the program, to show.
    pub version: String,
}

impl Config {
    /// Settings with everything at its default.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Config {
            data: data.into(),
            database: None,
            master_key_file: None,
            admin_password: None,
            engines: None,
            toolchain: engines::Toolchain::default(),
            builds: BuildSettings::default(),
            allow: outbound::AllowList::default(),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }
}
