//! Chaincode from its source to something that a host can run.
//!
//! A [`Source`] is a directory of Go, JavaScript, TypeScript or Java. [`Builds`] makes of it `BUILD/bin/chaincode`, a
//! program that serves peers, by the operator's own compilers and in a sandbox, because both the source and what it
//! downloads are other people's code. However it was written, the program is started in one way, by its environment:
//!
//! | variable | means |
//! |---|---|
//! | `CHAINCODE_ID` | the id of the installed package |
//! | `CHAINCODE_SERVER_ADDRESS` | host and port to listen on |
//! | `CHAINCODE_TLS_CERT`, `CHAINCODE_TLS_KEY` | PEM files: it speaks TLS |
//! | `CHAINCODE_TLS_CLIENT_CA` | PEM file: peers show a certificate of this authority |
//! | `CHAINCODE_HEAP` | Java only: the largest heap, as in `-Xmx`; 256m when missing |
//!
//! Go chaincode reads them itself; scripts hand them to the chaincode servers of Node.js and Java. This crate knows of the
//! host only its tools and sandboxes; it knows no drivers and no database.

mod builds;
mod error;
mod files;
mod go;
mod java;
mod node;
mod source;
mod workshop;

pub use builds::{Builds, Built};
pub use error::{Error, Result};
pub use source::{Language, Source};

/// Is told how far a build has come.
pub type Progress<'a> = &'a (dyn Fn(String) + Send + Sync);
