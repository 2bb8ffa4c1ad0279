//! Errors as a person or a program sees them: RFC 9457 problem documents with stable codes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An RFC 9457 problem document (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Address of the page that explains the code: `/errors/CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the code means, in a few words; the same for each occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code, such as `network.name_taken`.
    pub code: String,
    /// What happened this time and what to do next.
    pub detail: String,
    /// The request's id, as in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Which fields of the request are wrong, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldProblem>,
}

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// The field's path, such as `nodes` or `members[1]`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// The stable error codes. Each has a page under `docs/errors/`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Code { $($name),* }

        impl Code {
            /// Every code.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The code as text.
            pub fn as_str(self) -> &'static str { match self { $(Code::$name => $code),* } }

            /// The HTTP status that goes with it.
            pub fn status(self) -> u16 { match self { $(Code::$name => $status),* } }

            /// What it means, in a few words.
            pub fn title(self) -> &'static str { match self { $(Code::$name => $title),* } }
        }
    };
}

codes! {
    RequestInvalid = "request.invalid", 400, "The request is not valid";
    RequestBody = "request.body", 400, "The body is not the JSON that is expected";
    RequestTooLarge = "request.too_large", 413, "The body is too large";
    RequestTimeout = "request.timeout", 408, "The request took too long";
    CursorInvalid = "request.cursor", 400, "The cursor is not one that this list gave";
    IdempotencyConflict = "request.idempotency_conflict", 409, "The idempotency key was used for another request";
    NotFound = "not_found", 404, "There is no such thing";
    MethodNotAllowed = "request.method", 405, "The method is not offered here";
    AuthRequired = "auth.required", 401, "Sign in first";
    AuthFailed = "auth.failed", 401, "User name or password is wrong";
    AuthExpired = "auth.expired", 401, "The session or access key has ended";
    AuthCsrf = "auth.csrf", 403, "The request lacks the session's CSRF token";
    AuthThrottled = "auth.throttled", 429, "Too many failed attempts";
    Forbidden = "auth.forbidden", 403, "The role does not allow this";
    NameTaken = "name.taken", 409, "The name is taken";
    NameInvalid = "name.invalid", 400, "The name is not valid";
    NameAmbiguous = "name.ambiguous", 409, "The name fits more than one thing";
    InUse = "in_use", 409, "Something else still needs it";
    PasswordWeak = "password.weak", 400, "The password is too weak";
    LastAdministrator = "user.last_administrator", 409, "The last platform administrator cannot be removed";
    ConsortiumMembers = "consortium.members", 400, "The members do not fit";
    NetworkEngine = "network.engine", 400, "There is no such engine";
    EngineVersion = "engine.version", 422, "The version of the engine cannot be had";
    EngineMissing = "engine.missing", 409, "No version of the engine is installed";
    EnginePrograms = "engine.programs", 422, "The directory does not hold the engine's programs";
    EngineTool = "engine.tool", 500, "A program that building needs is missing";
    EngineDownload = "engine.download", 502, "The engine could not be downloaded";
    EngineBuild = "engine.build", 500, "The engine could not be built";
    ChaincodeSource = "chaincode.source", 400, "The source of the chaincode is refused";
    ChaincodeBuild = "chaincode.build", 422, "The chaincode does not build";
    ChaincodeTool = "chaincode.tool", 500, "What building chaincode needs is missing";
    NetworkConsensus = "network.consensus", 400, "The consensus does not fit the engine";
    NetworkNodes = "network.nodes", 400, "The number of nodes does not fit the consensus";
    NetworkChainId = "network.chain_id", 409, "The chain id is in use";
    NetworkGenesis = "network.genesis", 400, "The genesis does not fit";
    NetworkState = "network.state", 409, "The network's state does not allow this now";
    NetworkAttached = "network.attached", 409, "The network is attached: others run its nodes";
    NetworkIdentity = "network.identity", 409, "The address answers as another chain";
    AddressInvalid = "address.invalid", 422, "The address cannot be used";
    AddressRefused = "address.refused", 403, "The address may not be called";
    ValidatorFew = "validator.few", 409, "Too few validators would be up";
    ValidatorVote = "validator.vote", 409, "The vote cannot be given";
    ChannelName = "channel.name", 400, "The channel's name does not fit";
    ChannelMembers = "channel.members", 400, "The channel's members do not fit";
    NodeState = "node.state", 409, "The node's state does not allow this now";
    NodeUnreachable = "node.unreachable", 503, "No node of the network answers";
    RpcCredential = "rpc.credential", 401, "The application's credential is missing or wrong";
    RpcMethod = "rpc.method", 403, "The application may not call this method";
    RpcLimit = "rpc.limit", 429, "The application has reached a limit";
    OperationState = "operation.state", 409, "The operation's state does not allow this now";
    WaitTimeout = "wait.timeout", 504, "The wait ended before the operation did";
    PortInUse = "host.port_in_use", 409, "The port is in use";
    HostDisk = "host.disk_full", 507, "The disk is full";
    HostFile = "host.file", 500, "A file or directory cannot be used";
    HostProgram = "host.program", 500, "A program could not be started";
    ContractArtifact = "contract.artifact", 400, "The artifact is not a compiled contract";
    ContractArguments = "contract.arguments", 400, "The arguments do not fit the interface";
    ContractFunction = "contract.function", 400, "The interface has no such function";
    ContractPolicy = "contract.policy", 400, "The endorsement policy does not fit";
    ContractCollections = "contract.collections", 400, "The collections of private data do not fit";
    ContractSequence = "contract.sequence", 409, "The sequence number is not the next one";
    ContractFailed = "contract.failed", 502, "The contract's program failed";
    ContractReverted = "contract.reverted", 422, "The contract refused the call";
    TransactionRefused = "transaction.refused", 422, "The ledger refused the transaction";
    TransactionUnknown = "transaction.unknown", 504, "The transaction's outcome is not known yet";
    AccountFunds = "account.funds", 422, "The account cannot pay for the transaction";
    AccountForbidden = "account.forbidden", 403, "The account belongs to another member";
    StoreBusy = "store.busy", 503, "The database is busy";
    StoreCorrupt = "store.corrupt", 500, "The database is damaged";
    StoreVersion = "store.version", 500, "The data directory is of a newer version";
    StoreLocked = "store.locked", 500, "Another server uses the data directory";
    MasterKey = "keys.master_key", 500, "The master key is missing or wrong";
    Unavailable = "unavailable", 503, "The server cannot do this now";
    Internal = "internal", 500, "Something went wrong in the server";
}

impl Code {
    /// A problem document of this code.
    pub fn problem(self, detail: impl Into<String>) -> Problem {
        Problem {
            kind: format!("/errors/{}", self.as_str()),
            title: self.title().into(),
            status: self.status(),
            code: self.as_str().into(),
            detail: detail.into(),
            instance: None,
            fields: Vec::new(),
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
