//! A thin client and toolbox for Hyperledger Fabric: identities and MSPs, certificates, channel configuration, orderers,
//! peers, the gateway service, discovery, chaincode lifecycle and decoded blocks, over Fabric's published protobuf files.
//!
//! It knows nothing of Polder: no nodes, members or plans. It opens no socket, reads no file and starts no process:
//! connections come from a [`Connector`] that the caller gives, certificates and blocks go in and out as bytes. CA keys
//! are only ever asked to sign (an [`IssuerKey`]), and so are identities (a [`Signer`]). Every call has a deadline. A transaction whose
//! fate cannot be told is an [`Error::Unknown`] with its id, to be found out with [`Gateway::resolve`] before anything is
//! sent again.

pub mod block;
pub mod channel;
mod codec;
mod connection;
mod deliver;
pub mod discovery;
mod error;
mod gateway;
mod identity;
pub mod lifecycle;
pub mod msp;
mod orderer;
pub mod package;
mod participation;
mod peer;
pub mod policy;
pub mod proto;
mod transaction;
pub mod update;

pub use connection::{ClientCertificate, Connector, Node, Stream, Tls, TlsKey, connector};
pub use deliver::{Blocks, Start};
pub use discovery::Discovery;
pub use error::{Error, NodeError};
pub use gateway::{ChaincodeEvent, ChaincodeEvents, Commit, Gateway};
pub use identity::{Identity, Signer, creator};
pub use orderer::Orderer;
pub use participation::{ChannelStatus, Participation};
pub use peer::{ChainHead, Peer};
pub use pki::{IssuerKey, SecretKey, authority};
pub use tonic::Code as GrpcCode;
pub use transaction::{Call, Endorsed, Proposal, Signed, TransactionId, UnsignedProposal};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
