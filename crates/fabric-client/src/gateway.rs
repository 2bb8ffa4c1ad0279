//! A peer's gateway service: evaluate, endorse, submit, and learn what became of a transaction.
//!
//! `submit` never says that a transaction failed unless it certainly was not ordered. With BFT ordering the gateway wants a
//! quorum of the orderers to answer "taken"; under load some answer that they have the transaction already, and the gateway
//! reports a failure though the transaction is ordered. The same holds for a broken connection and for a deadline. All of
//! these are [`Error::Unknown`]; [`Gateway::resolve`] finds the truth by the transaction's id.

use std::pin::Pin;
use std::time::Duration;

use futures::StreamExt as _;
use prost::Message as _;
use tokio::time::Instant;
use tonic::Code;
use tonic::transport::Channel;

use crate::codec::within;
use crate::connection::LARGEST_MESSAGE;
use crate::proto::gateway::gateway_client::GatewayClient;
use crate::proto::gateway::{
    ChaincodeEventsRequest, CommitStatusRequest, EndorseRequest, EvaluateRequest, SignedChaincodeEventsRequest,
    SignedCommitStatusRequest, SubmitRequest,
};
use crate::proto::orderer::{SeekPosition, SeekSpecified, seek_position};
use crate::proto::protos::TxValidationCode;
use crate::{Call, Endorsed, Error, Identity, Node, Peer, Proposal, Result, Signed};

/// What became of an ordered transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub transaction: String,
    /// The block that it is in.
    pub block: u64,
    /// `VALID`, or why it changed nothing (`MVCC_READ_CONFLICT`, …).
    pub code: TxValidationCode,
}

impl Commit {
    /// Whether it took effect.
    pub fn is_valid(&self) -> bool {
        self.code == TxValidationCode::Valid
    }
}

/// An event that a chaincode set in a valid transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChaincodeEvent {
    /// The block.
    pub block: u64,
    /// The transaction.
    pub transaction: String,
    /// The chaincode.
    pub chaincode: String,
    /// The event's name.
    pub name: String,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// Events in order; the next may be long in coming.
pub type ChaincodeEvents = Pin<Box<dyn futures::Stream<Item = Result<ChaincodeEvent>> + Send>>;

/// The gateway of a peer.
#[derive(Clone)]
pub struct Gateway {
    client: GatewayClient<Channel>,
    peer: Peer,
    deadline: Duration,
}

impl Gateway {
    /// At a peer's gRPC port. It connects at the first call.
    pub fn new(node: Node) -> Self {
        let channel = node.channel();
        let client = GatewayClient::new(channel.clone())
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(LARGEST_MESSAGE);
        Self { client, peer: Peer::over(node, channel), deadline: Duration::from_secs(30) }
    }

    /// With another deadline for each call.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self.peer = self.peer.with_deadline(deadline);
        self
    }

    /// The peer that it is, over the same connection.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Runs a call without a transaction and gives the chaincode's answer.
    ///
    /// `organisations` limits where it runs, by MSP, as a call with transient data should; none are limited by an empty list.
    pub async fn evaluate(&self, identity: &Identity, call: &Call, organisations: &[&str]) -> Result<Vec<u8>> {
        let operation = "evaluate";
        let proposal = call.propose(identity).await?;
        let request = EvaluateRequest {
            transaction_id: proposal.transaction.clone(),
            channel_id: proposal.channel.clone(),
            proposed_transaction: Some(proposal.signed),
            target_organizations: owned(organisations),
        };
        let answer = within(operation, self.deadline, self.client.clone().evaluate(request)).await?.into_inner();
        let answer = answer.result.ok_or_else(|| Error::missing("an answer"))?;
        if answer.status >= 400 {
            return Err(Error::Chaincode { operation, status: answer.status, message: answer.message });
        }
        Ok(answer.payload)
    }

    /// Gathers the endorsements that the chaincode's policy asks for, at the given organisations' peers or, by an empty
    /// list, where the peer thinks best.
    pub async fn endorse(&self, proposal: &Proposal, organisations: &[&str]) -> Result<Endorsed> {
        let request = EndorseRequest {
            transaction_id: proposal.transaction.clone(),
            channel_id: proposal.channel.clone(),
            proposed_transaction: Some(proposal.signed.clone()),
            endorsing_organizations: owned(organisations),
        };
        let answer = within("endorse", self.deadline, self.client.clone().endorse(request)).await?.into_inner();
        let envelope = answer.prepared_transaction.ok_or_else(|| Error::missing("a prepared transaction"))?;
        Endorsed::prepared(proposal, envelope)
    }

    /// Sends a transaction to the orderers. That it was taken does not mean that it is committed.
    ///
    /// An [`Error::Call`] means that it certainly was not ordered by this attempt.
    pub async fn submit(&self, signed: &Signed) -> Result<()> {
        let request = SubmitRequest {
            transaction_id: signed.transaction.clone(),
            channel_id: signed.channel.clone(),
            prepared_transaction: Some(signed.envelope.clone()),
        };
        let answer = within("submit", self.deadline, self.client.clone().submit(request)).await;
        match answer {
            Ok(_) => Ok(()),
            Err(failure) if never_ordered(&failure) => Err(failure),
            Err(failure) => {
                Err(Error::Unknown { transaction: signed.transaction.clone(), reason: failure.to_string() })
            }
        }
    }

    /// Waits until a transaction is committed. When the deadline passes it may still be so later.
    pub async fn commit_status(
        &self,
        identity: &Identity,
        channel: &str,
        transaction: &str,
        deadline: Duration,
    ) -> Result<Commit> {
        let request = CommitStatusRequest {
            transaction_id: transaction.to_owned(),
            channel_id: channel.to_owned(),
            identity: identity.creator().to_vec(),
        }
        .encode_to_vec();
        let signature = identity.sign(&request).await?;
        let signed = SignedCommitStatusRequest { request, signature };
        let answer =
            within("wait for a commit", deadline, self.client.clone().commit_status(signed)).await?.into_inner();
        let code = answer.result();
        if code == TxValidationCode::DuplicateTxid {
            // The second of two copies of one envelope came by. The first is the one that counts, and it is in the ledger.
            if let Some(first) = self.in_ledger(identity, channel, transaction).await? {
                return Ok(first);
            }
        }
        Ok(Commit { transaction: transaction.to_owned(), block: answer.block_number, code })
    }

    /// Finds out what became of a transaction whose outcome is unknown: waits for its commit, and at the end looks into the
    /// ledger. [`Error::Unknown`] again means that it is not in this peer's ledger *yet*: it may still be ordered, and only
    /// the very same [`Signed`] may be sent again.
    pub async fn resolve(
        &self,
        identity: &Identity,
        channel: &str,
        transaction: &str,
        deadline: Duration,
    ) -> Result<Commit> {
        let end = Instant::now() + deadline;
        let mut reason = String::from("no time was given");
        // The gateway ends the wait itself when it restarts or loses its ledger: then it is asked again.
        while Instant::now() < end {
            match self.commit_status(identity, channel, transaction, end - Instant::now()).await {
                Ok(commit) => return Ok(commit),
                Err(failure) => {
                    let refused = matches!(
                        failure,
                        Error::Call {
                            code: Code::InvalidArgument | Code::PermissionDenied | Code::Unauthenticated,
                            ..
                        }
                    );
                    reason = failure.to_string();
                    if refused {
                        break;
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(200).min(end.saturating_duration_since(Instant::now()))).await;
        }
        match self.in_ledger(identity, channel, transaction).await {
            Ok(Some(commit)) => Ok(commit),
            Ok(None) => Err(Error::Unknown { transaction: transaction.to_owned(), reason }),
            Err(failure) => Err(Error::Unknown { transaction: transaction.to_owned(), reason: failure.to_string() }),
        }
    }

    /// Submits a transaction and waits until it is committed; an unknown outcome is found out.
    pub async fn submit_and_wait(&self, identity: &Identity, signed: &Signed, deadline: Duration) -> Result<Commit> {
        match self.submit(signed).await {
            Ok(()) | Err(Error::Unknown { .. }) => {
                self.resolve(identity, &signed.channel, &signed.transaction, deadline).await
            }
            Err(failure) => Err(failure),
        }
    }

    /// Endorses a call, submits it and waits until it is committed: the chaincode's answer and the commit.
    pub async fn execute(&self, identity: &Identity, call: &Call, deadline: Duration) -> Result<(Vec<u8>, Commit)> {
        let proposal = call.propose(identity).await?;
        let endorsed = self.endorse(&proposal, &[]).await?;
        let result = endorsed.result().to_vec();
        let commit = self.submit_and_wait(identity, &endorsed.sign(identity).await?, deadline).await?;
        Ok((result, commit))
    }

    /// A chaincode's events from the given block on, after the given transaction of it; from now on when none is given.
    ///
    /// The stream is opened when it is first polled.
    pub async fn chaincode_events(
        &self,
        identity: &Identity,
        channel: &str,
        chaincode: &str,
        from: Option<(u64, Option<&str>)>,
    ) -> Result<ChaincodeEvents> {
        let operation = "chaincode events";
        let position = |number| SeekPosition { r#type: Some(seek_position::Type::Specified(SeekSpecified { number })) };
        let request = ChaincodeEventsRequest {
            channel_id: channel.to_owned(),
            chaincode_id: chaincode.to_owned(),
            identity: identity.creator().to_vec(),
            start_position: from.map(|(block, _)| position(block)),
            after_transaction_id: from.and_then(|(_, after)| after).unwrap_or_default().to_owned(),
        }
        .encode_to_vec();
        let signature = identity.sign(&request).await?;
        let signed = SignedChaincodeEventsRequest { request, signature };
        // The peer answers with the first event, which may be long in coming: only connecting has a deadline.
        let mut client = self.client.clone();
        let opened = async move { client.chaincode_events(signed).await };
        let stream = futures::stream::once(opened).flat_map(move |opened| match opened {
            Err(status) => futures::stream::iter([Err(Error::status(operation, status))]).boxed(),
            Ok(answers) => answers
                .into_inner()
                .flat_map(move |answer| {
                    futures::stream::iter(match answer {
                        Err(status) => vec![Err(Error::status(operation, status))],
                        Ok(answer) => events(answer),
                    })
                })
                .boxed(),
        });
        Ok(Box::pin(stream))
    }

    async fn in_ledger(&self, identity: &Identity, channel: &str, transaction: &str) -> Result<Option<Commit>> {
        let Some(found) = self.peer.transaction(identity, channel, transaction).await? else { return Ok(None) };
        let block = self.peer.block_of(identity, channel, transaction).await?;
        let number = block.and_then(|block| block.header).ok_or_else(|| Error::missing("a block"))?.number;
        let code = TxValidationCode::try_from(found.validation_code).unwrap_or(TxValidationCode::InvalidOtherReason);
        Ok(Some(Commit { transaction: transaction.to_owned(), block: number, code }))
    }
}

fn events(answer: crate::proto::gateway::ChaincodeEventsResponse) -> Vec<Result<ChaincodeEvent>> {
    let block = answer.block_number;
    let one = |event: crate::proto::protos::ChaincodeEvent| {
        Ok(ChaincodeEvent {
            block,
            transaction: event.tx_id,
            chaincode: event.chaincode_id,
            name: event.event_name,
            payload: event.payload,
        })
    };
    answer.events.into_iter().map(one).collect()
}

fn owned(organisations: &[&str]) -> Vec<String> {
    organisations.iter().map(|&organisation| organisation.to_owned()).collect()
}

/// Whether the gateway refused a transaction before it handed it to any orderer, or an orderer refused it for good: the
/// codes that Fabric's `Submit` gives for these, and for nothing else. That there are no orderers is told as
/// `UNAVAILABLE`, like a lost quorum, so it counts as unknown.
fn never_ordered(failure: &Error) -> bool {
    let Error::Call { code, .. } = failure else { return false };
    matches!(
        code,
        Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::NotFound
            | Code::Aborted
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::ResourceExhausted
            | Code::Unimplemented
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certain_refusals_are_failures() {
        let refused =
            |code| never_ordered(&Error::Call { operation: "submit", code, message: String::new(), nodes: vec![] });
        for code in [Code::InvalidArgument, Code::FailedPrecondition, Code::Aborted, Code::ResourceExhausted] {
            assert!(refused(code), "{code}");
        }
        for code in [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled, Code::Unknown, Code::Internal] {
            assert!(!refused(code), "{code}");
        }
        assert!(!never_ordered(&Error::Deadline { operation: "submit", deadline: Duration::from_secs(1) }));
    }
}
