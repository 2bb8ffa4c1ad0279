//! The control plane: use cases, one file per resource, and the reconcilers that make what is wanted come true.
//!
//! [`Foundation::open`] opens what everything stands on; [`Control::new`] joins it with a host and drivers. Every use case takes
//! the [`Caller`] and checks what it may do here, whatever the API checked before. Every change is written together with its
//! audit entry and its place in the change feed. Nothing here knows HTTP or SQL.

mod access;
mod access_keys;
mod accounts;
mod admission;
mod applications;
mod audit;
mod chaincodes;
mod changes;
mod channels;
mod config;
mod consortia;
mod contracts;
pub mod demo;
mod directory;
mod engine_versions;
mod error;
mod foundation;
pub mod idempotency;
mod identities;
mod ledger;
mod maintenance;
mod names;
mod networks;
mod nodes;
mod operations;
mod organisations;
mod paging;
mod profile;
mod reconcile;
mod runtime;
mod send;
mod server;
mod sessions;
mod statistics;
mod tasks;
mod throttle;
mod users;
mod validators;

use std::sync::Arc;

use driver::Drivers;
use host::Host;
use keys::{MasterKey, MasterKeySource};
use outbound::Outbound;
use store::Store;
use types::{Micros, now};

pub use access::{Actor, Caller, Scope};
pub use admission::{Admission, RpcNode};
pub use changes::{Follower, News};
pub use config::{BuildSettings, Config};
pub use directory::DataDirectory;
pub use error::{Error, Result};
pub use foundation::Foundation;
pub use idempotency::Idempotency;
pub use identities::KeyStore;
pub use names::{check_name, check_title, check_user_name};
pub use operations::OperationQuery;
pub use paging::Paging;
pub use send::WAIT_LIMIT;
pub use sessions::{Authenticated, SignedIn, reset_password};
pub use users::ADMINISTRATOR;

/// The control plane. Clones share everything.
#[derive(Clone)]
pub struct Control(Arc<Inner>);

struct Inner {
    directory: DataDirectory,
    store: Store,
    master_key: Arc<MasterKey>,
    master_key_source: MasterKeySource,
    version: String,
    started_at: Micros,
    host: Arc<dyn Host>,
    drivers: Drivers,
    engines: engines::Directory,
    toolchain: engines::Toolchain,
    builds: BuildSettings,
    outbound: Outbound,
    throttle: throttle::Throttle,
    admissions: admission::Admissions,
    runtime: runtime::Runtime,
}

impl Control {
    /// Joins the foundation with the host that runs nodes and the drivers of the engines.
    pub fn new(foundation: Foundation, host: Arc<dyn Host>, drivers: Drivers) -> Control {
        let Foundation {
            directory,
            store,
            master_key,
            master_key_source,
            engines,
            toolchain,
            builds,
            allow,
            version,
            first_password: _,
        } = foundation;
        Control(Arc::new(Inner {
            directory,
            store,
            master_key,
            master_key_source,
            version,
            started_at: now(),
            host,
            drivers,
            engines,
            toolchain,
            builds,
            outbound: Outbound::new(allow),
            throttle: throttle::Throttle::default(),
            admissions: admission::Admissions::default(),
            runtime: runtime::Runtime::default(),
        }))
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The data directory.
    pub fn directory(&self) -> &DataDirectory {
        &self.0.directory
    }

    /// The host that runs nodes.
    pub fn host(&self) -> &Arc<dyn Host> {
        &self.0.host
    }

    /// The drivers of the engines.
    pub fn drivers(&self) -> &Drivers {
        &self.0.drivers
    }

    /// Version of the program.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// When the server started.
    pub fn started_at(&self) -> Micros {
        self.0.started_at
    }

    pub(crate) fn shared_master_key(&self) -> Arc<MasterKey> {
        self.0.master_key.clone()
    }

    pub(crate) fn master_key(&self) -> &MasterKey {
        &self.0.master_key
    }

    pub(crate) fn master_key_source(&self) -> &MasterKeySource {
        &self.0.master_key_source
    }

    pub(crate) fn runtime(&self) -> &runtime::Runtime {
        &self.0.runtime
    }

    pub(crate) fn admissions(&self) -> &admission::Admissions {
        &self.0.admissions
    }

    /// Calls what users give addresses of.
    pub(crate) fn outbound(&self) -> &Outbound {
        &self.0.outbound
    }

    pub(crate) fn throttle(&self) -> &throttle::Throttle {
        &self.0.throttle
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Control({})", self.0.directory.path().display())
    }
}
