//! Engines' programs: which versions there are, which are installed, and how they are built from the Go module registry.
//!
//! What is known of an engine is data in the repository's folder `engines/`: a [`Recipe`] for each, and a small Go module with
//! its checksums for each version that the tests run. [`Directory`] is where the programs lie: `NAME-VERSION/bin/PROGRAM`
//! with the record `NAME-VERSION/engine.json`; several servers may share it. [`Build`] makes a version's programs with the
//! operator's Go. This crate knows neither drivers nor networks.

mod build;
mod catalogue;
mod directory;
mod error;

pub use build::{Build, Progress, Stage, Toolchain};
pub use catalogue::{Catalogue, Recipe, Source};
pub use directory::{Directory, Installed, Origin};
pub use error::{Error, Result};
