//! Hosts: they run what a plan says and report what they observe. The only crate that starts processes.
//!
//! [`Host`] is the seam. [`LocalHost`] runs nodes as processes of this machine, each under a *shim*
//! ([`shim`]) that outlives the server; [`InMemoryHost`] runs closures, for tests. Callers reach nodes by
//! [`Host::connect`] alone. A host starts a program that should run again when it ends; what should run is
//! for the caller to say. Nothing here knows an engine or the database.

pub mod conformance;
mod error;
mod groups;
mod layout;
mod local;
mod log;
mod memory;
mod model;
mod ports;
mod process;
mod sandbox;
pub mod shim;
pub mod tool;

pub use error::*;
pub use local::{LocalConfig, LocalHost, runtime_directory};
pub use log::LogLimits;
pub use memory::{InMemoryHost, Invocation, ProgramEnd};
pub use model::*;
pub use sandbox::{Isolation, Limits, Sandbox};
pub use shim::BackOff;
