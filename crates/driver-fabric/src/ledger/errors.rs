//! The client's failures as a driver's.

use driver::Error;
use fabric_client::{Error as Failure, GrpcCode};
use types::Code;

/// A failure with its causes, in one line.
pub(crate) fn told(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut cause = std::error::Error::source(failure);
    while let Some(source) = cause {
        let next = source.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = source.source();
    }
    text
}

/// Whether another node may do better.
pub(crate) fn is_absence(failure: &Failure) -> bool {
    // A peer that has not joined the channel. What a contract says may sound the same, and counts as an answer.
    let absent = |message: &str| {
        !message.contains("chaincode response ")
            && (message.contains("Invalid chain ID")
                || message.contains("channel does not exist")
                || message.contains("channel '") && message.contains("not found"))
    };
    match failure {
        Failure::Connection { .. } | Failure::Deadline { .. } => true,
        Failure::Call { code, message, .. } => *code == GrpcCode::Unavailable || absent(message),
        Failure::Chaincode { message, .. } => absent(message),
        _ => false,
    }
}

/// What a failure is to a driver's caller.
pub(crate) fn error(failure: Failure) -> Error {
    match &failure {
        Failure::Deadline { operation: "evaluate" | "endorse", deadline } => {
            let detail = format!(
                "No peer answered the call within {} s: the contract takes too long, or its peers are overloaded. Look at the \
                 contract's and the peers' nodes.",
                deadline.as_secs()
            );
            Error::problem(Code::ContractFailed, detail)
        }
        Failure::Connection { .. } | Failure::Deadline { .. } => Error::Unreachable(told(&failure)),
        Failure::Unknown { transaction, reason } => Error::Unknown { id: transaction.clone(), reason: reason.clone() },
        Failure::Signing(_) => Error::Protocol(told(&failure)),
        _ => match refusal(&failure) {
            Some(message) => Error::problem(Code::ContractReverted, message),
            None => unclear(&failure),
        },
    }
}

/// What the contract said when it refused a call, as far as the failure is that.
fn refusal(failure: &Failure) -> Option<String> {
    match failure {
        // Asked of a peer itself: the peer's own failures have the same form, but for how they begin.
        Failure::Chaincode { message, .. } if !message.contains("failed to execute transaction") => {
            Some(message.clone())
        }
        Failure::Call { message, nodes, .. } => {
            let mut told = nodes.iter().map(|node| node.message.as_str()).chain([message.as_str()]);
            told.find_map(|text| {
                // `chaincode response 500, the message`
                let (_, after) = text.split_once("chaincode response ")?;
                let (_, said) = after.split_once(", ")?;
                Some(said.to_owned())
            })
        }
        _ => None,
    }
}

fn unclear(failure: &Failure) -> Error {
    let text = told(failure);
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if text.contains("chaincode stream terminated") {
        let detail = "The contract's program ended while it ran the call: it failed, or it used more memory than it may. It is \
                      started again; the log of its node says why.";
        return Error::problem(Code::ContractFailed, detail);
    }
    if text.contains("timeout expired while executing transaction") {
        let detail = "The contract did not end in time: a call may take as long as the peers' `executetimeout`, 14 s. What it began \
                      may still run: restart its node if it uses CPU without being called.";
        return Error::problem(Code::ContractFailed, detail);
    }
    if text.contains("could not launch chaincode") {
        let detail = "The contract's program does not run at the peers that were asked: it starts, or it failed. Look at its nodes, \
                      and try again.";
        return Error::problem(Code::Unavailable, detail);
    }
    if has(&[
        "no combination of peers",
        "no peers available",
        "No metadata was found",
        "failed to execute transaction",
        "chaincode registration failed",
        "no Raft leader",
        "no orderer",
    ]) {
        let detail = format!("The network cannot do this now: {text}. Look at its nodes, and try again later.");
        return Error::problem(Code::Unavailable, detail);
    }
    if has(&["chaincode definition for", "make sure the chaincode", "is not defined", "namespace"])
        && has(&["not found", "not defined", "installed", "no chaincode"])
    {
        return Error::problem(Code::NotFound, format!("The channel has no such contract: {text}."));
    }
    if has(&[
        "access denied",
        "creator org unknown",
        "Failed to deserialize creator identity",
        "signature validation failed",
        "PermissionDenied",
    ]) {
        let detail = format!("The network does not let this identity do it: {text}.");
        return Error::problem(Code::TransactionRefused, detail);
    }
    match failure {
        Failure::Call { .. } | Failure::Orderer { .. } | Failure::EndorsersDisagree { .. } => {
            Error::problem(Code::TransactionRefused, format!("The ledger refused the transaction: {text}."))
        }
        Failure::Chaincode { message, .. } => {
            Error::problem(Code::ContractReverted, format!("The contract refused the call: {message}."))
        }
        _ => Error::Protocol(text),
    }
}
