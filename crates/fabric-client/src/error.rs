//! Failures of this crate. None carries a secret.

use prost::Message as _;

use crate::proto::gateway::ErrorDetail;

/// What one node of the network said about a failure, as the gateway reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeError {
    /// The node's address.
    pub address: String,
    /// Its organisation.
    pub msp_id: String,
    /// What it said.
    pub message: String,
}

/// Failure of a call, a parser or a builder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A node could not be reached, or the connection broke.
    #[error("{operation}: no connection")]
    Connection {
        /// What was being done.
        operation: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No answer came in time.
    #[error("{operation}: no answer within {} ms", .deadline.as_millis())]
    Deadline {
        /// What was being done.
        operation: &'static str,
        /// How long was waited.
        deadline: std::time::Duration,
    },
    /// A node refused a call.
    #[error("{operation}: {code}: {message}{}", described(.nodes))]
    Call {
        /// What was being done.
        operation: &'static str,
        /// The gRPC status.
        code: tonic::Code,
        /// What the node said.
        message: String,
        /// What other nodes told it.
        nodes: Vec<NodeError>,
    },
    /// Chaincode, or one of the system chaincodes, answered with an error.
    #[error("{operation}: chaincode answered {status}: {message}")]
    Chaincode {
        /// What was being done.
        operation: &'static str,
        /// Its status, 400 and above.
        status: i32,
        /// Its message.
        message: String,
    },
    /// An orderer refused an envelope, or ended a delivery.
    #[error("{operation}: orderer answered {}: {info}", .status.as_str_name())]
    Orderer {
        /// What was being done.
        operation: &'static str,
        /// Its status.
        status: crate::proto::common::Status,
        /// Its explanation.
        info: String,
    },
    /// The channel participation interface refused a request.
    #[error("{operation}: HTTP {status}: {message}")]
    Participation {
        /// What was being done.
        operation: &'static str,
        /// HTTP status: 404 for an unknown channel, 405 for one that is joined already.
        status: u16,
        /// What it said.
        message: String,
    },
    /// It is not known whether a transaction was ordered. It must be found out by its id before anything is sent
    /// again: a new endorsement would run the chaincode a second time.
    #[error("the outcome of transaction {transaction} is unknown: {reason}")]
    Unknown {
        /// The transaction's id.
        transaction: String,
        /// What happened.
        reason: String,
    },
    /// Endorsers gave different results: the chaincode is not deterministic, or their ledgers differ.
    #[error("{operation}: endorsers do not agree on the result")]
    EndorsersDisagree {
        /// What was being done.
        operation: &'static str,
    },
    /// Bytes that should be a protobuf message are not, or lack a part.
    #[error("{what} cannot be read")]
    Decode {
        /// What they should be.
        what: &'static str,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An endorsement policy has an error.
    #[error("policy: {reason} at character {position}")]
    Policy {
        /// Where, from 1.
        position: usize,
        /// What is wrong.
        reason: String,
    },
    /// A channel, an update, a package or collections cannot be built from what was given.
    #[error("{what}: {reason}")]
    Invalid {
        /// What was to be built.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A certificate or a key cannot be read or made.
    #[error("{what} is not usable")]
    Certificate {
        /// Which.
        what: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A signer did not sign.
    #[error("the key did not sign")]
    Signing(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<pki::Error> for Error {
    fn from(error: pki::Error) -> Self {
        match error {
            pki::Error::Certificate { what, source } => Self::Certificate { what, source },
            pki::Error::Signing(reason) => Self::Signing(reason.into()),
        }
    }
}

impl Error {
    pub(crate) fn invalid(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { what, reason: reason.into() }
    }

    pub(crate) fn certificate(what: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Certificate { what, source: source.into() }
    }

    pub(crate) fn missing(what: &'static str) -> Self {
        Self::Decode { what, source: "a part is missing".into() }
    }

    pub(crate) fn status(operation: &'static str, status: tonic::Status) -> Self {
        // A status that a server sent has no source; one that the transport made of its own failure does.
        if std::error::Error::source(&status).is_some() {
            return Self::Connection { operation, source: status.into() };
        }
        Self::Call {
            operation,
            code: status.code(),
            nodes: node_errors(status.details()),
            message: status.message().to_owned(),
        }
    }
}

fn described(nodes: &[NodeError]) -> String {
    nodes.iter().map(|node| format!("; {} ({}): {}", node.address, node.msp_id, node.message)).collect()
}

/// The message of gRPC's `grpc-status-details-bin` (google/rpc/status.proto), of which only the details are of use.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

fn node_errors(details: &[u8]) -> Vec<NodeError> {
    let Ok(status) = RpcStatus::decode(details) else { return Vec::new() };
    let errors = status.details.iter().filter(|any| any.type_url.ends_with("/gateway.ErrorDetail"));
    errors
        .filter_map(|any| ErrorDetail::decode(any.value.as_slice()).ok())
        .map(|detail| NodeError { address: detail.address, msp_id: detail.msp_id, message: detail.message })
        .collect()
}
