//! Transactions on their way: endorsed and signed, then handed to the orderers by a peer's gateway.

use std::time::Duration;

use driver::{Action, Call, Error, Result, Signed, Signer};
use fabric_client::block;
use fabric_client::{Endorsed, Error as Failure, Proposal};
use types::Code;

use crate::layout;
use crate::ledger::clients::Access;
use crate::ledger::errors::{error, told};
use crate::ledger::{FabricLedger, decode, query};

/// A peer that cannot be connected to within this time is passed over.
const CONNECT: Duration = Duration::from_secs(5);

pub(crate) async fn sign(ledger: &FabricLedger, call: &Call, signer: &dyn Signer) -> Result<Signed> {
    let (contract, function, args) = match &call.action {
        Action::Send { contract, function, args, .. } => (ledger.contract_name(contract), function, args),
        Action::Deploy { .. } => return Err(Error::Unsupported("deployment by a transaction")),
        Action::Raw { .. } => return Err(Error::Unsupported("transactions without a contract")),
    };
    if call.value.as_deref().is_some_and(|value| !value.trim_start_matches('0').is_empty()) {
        return Err(Error::Unsupported("amounts that transactions move"));
    }
    let from = signer.address();
    if call.from != from {
        let detail = format!("The transaction is to be signed by {}, but {from} signs.", call.from);
        return Err(Error::problem(Code::TransactionRefused, detail));
    }
    let member = ledger.member_of(from).ok_or_else(|| {
        Error::problem(Code::TransactionRefused, format!("`{from}` is no account of the network's members."))
    })?;
    let certificate = match signer.certificate() {
        Some(own) => own,
        None => layout::certificate(&ledger.clients.network.outputs, &layout::user(member))?,
    };
    let creator = fabric_client::creator(&layout::msp_id(member), certificate);
    let mut wanted = query::call(&ledger.channel, contract, function, args, &call.transient)?;
    let endorsed = loop {
        let unsigned = wanted.prepare(&creator).map_err(error)?;
        let signature = signer.sign(unsigned.message())?;
        match endorse(ledger, member, &unsigned.signed(signature)).await {
            Ok(endorsed) => break endorsed,
            // The first call of a contract that asks for it is the one that initialises it.
            Err(failure) if !wanted.is_init && is_uninitialised(&failure.to_string()) => wanted.is_init = true,
            Err(failure) => return Err(query::or_missing(ledger, contract, failure).await),
        }
    };
    let signature = signer.sign(endorsed.message())?;
    let signed = endorsed.signed(signature);
    Ok(Signed {
        id: signed.transaction().to_owned(),
        raw: signed.to_bytes(),
        from: from.to_owned(),
        nonce: None,
        contract: None,
    })
}

/// Whether a peer says that a contract is to be initialised first.
pub(crate) fn is_uninitialised(message: &str) -> bool {
    message.contains("has not been initialized for this version")
}

/// By the gateway of a peer of the sender's member, else of any: nothing is changed by it, so that another may be asked.
async fn endorse(ledger: &FabricLedger, member: &str, proposal: &Proposal) -> Result<Endorsed> {
    let ask = |access: Access| async move { access.clients.gateway.endorse(proposal, &[]).await };
    ledger.clients.ask(&ledger.channel, Some(member), ask).await
}

pub(crate) fn read(channel: &str, raw: &[u8]) -> Result<Signed> {
    let refuse = |detail: String| Err(Error::problem(Code::RequestInvalid, detail));
    let signed = match fabric_client::Signed::from_bytes(raw) {
        Ok(signed) => signed,
        Err(failure) => return refuse(format!("This is no signed transaction: {}.", told(&failure))),
    };
    if signed.channel() != channel {
        let detail = format!("The transaction is for channel `{}`; this is `{channel}`.", signed.channel());
        return Err(Error::problem(Code::TransactionRefused, detail));
    }
    let shown = block::transaction(raw, None);
    let sender = match (&shown.content, &shown.creator) {
        (block::Content::Calls(_), Some(creator)) if !signed.transaction().is_empty() => decode::party(creator),
        _ => return refuse("This is no transaction of a contract.".into()),
    };
    Ok(Signed { id: signed.transaction().to_owned(), raw: raw.to_vec(), from: sender, nonce: None, contract: None })
}

/// Gives the transaction to the first peer whose gateway has it ordered. The same bytes may be sent again: they take effect
/// once only. What is never done is to call a transaction refused that an orderer may have.
pub(crate) async fn send(ledger: &FabricLedger, signed: &Signed) -> Result<()> {
    let envelope = fabric_client::Signed::from_bytes(&signed.raw).map_err(|failure| {
        Error::problem(Code::RequestInvalid, format!("This is no transaction: {}.", told(&failure)))
    })?;
    let member = ledger.member_of(&signed.from).map(str::to_owned);
    let before = ledger.sent.lock().put(signed.id.clone(), member.clone());
    // A second copy would only fill a block.
    if before.is_some() && matches!(ledger.block_of(&signed.id).await, Ok(Some(_))) {
        return Ok(());
    }
    let (mut ambiguous, mut reasons) = (None, Vec::new());
    for node in ledger.clients.channel_peers(&ledger.channel, member.as_deref()) {
        // The client cannot tell a peer that is not there from one that went away with the transaction.
        let connect = (ledger.clients.network.connector)(node.id.clone(), layout::PEER.into());
        let reason = match tokio::time::timeout(CONNECT, connect).await {
            Ok(Ok(_)) => None,
            Ok(Err(failure)) => Some(failure.to_string()),
            Err(_) => Some("no answer".to_owned()),
        };
        if let Some(reason) = reason {
            ledger.clients.note_silence(node);
            reasons.push(format!("{}: {reason}", node.name));
            continue;
        }
        match ledger.clients.peer(node)?.gateway.submit(&envelope).await {
            Ok(()) => return Ok(()),
            Err(Failure::Unknown { reason, .. }) => ambiguous = Some(reason),
            // Refused here, but an attempt before may have been taken.
            Err(failure) => {
                return match ambiguous {
                    None => Err(refused(&failure)),
                    Some(reason) => settle(ledger, signed, reason).await,
                };
            }
        }
    }
    match ambiguous {
        Some(reason) => settle(ledger, signed, reason).await,
        None if reasons.is_empty() => Err(Error::Unreachable(format!("channel {} has no peers", ledger.channel))),
        None => Err(Error::Unreachable(reasons.join("; "))),
    }
}

/// A transaction that is in the ledger was taken, whatever was said.
async fn settle(ledger: &FabricLedger, signed: &Signed, reason: String) -> Result<()> {
    match ledger.block_of(&signed.id).await {
        Ok(Some(_)) => Ok(()),
        _ => Err(Error::Unknown { id: signed.id.clone(), reason }),
    }
}

fn refused(failure: &Failure) -> Error {
    Error::problem(Code::TransactionRefused, format!("The ledger refused the transaction: {}.", told(failure)))
}
