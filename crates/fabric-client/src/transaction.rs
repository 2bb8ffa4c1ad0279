//! Transactions on their way: a call becomes a signed proposal, endorsements make it an envelope, and that is signed and
//! sent. The id is known, and can be stored, before anything is sent.

use std::collections::BTreeMap;
use std::time::SystemTime;

use prost::Message as _;

use crate::codec::{decode, random, sha256, timestamp};
use crate::proto::common::{ChannelHeader, Envelope, Header, HeaderType, Payload, SignatureHeader};
use crate::proto::protos::{
    self, ChaincodeAction, ChaincodeActionPayload, ChaincodeEndorsedAction, ChaincodeHeaderExtension, ChaincodeId,
    ChaincodeInput, ChaincodeInvocationSpec, ChaincodeProposalPayload, ChaincodeSpec, ProposalResponse,
    ProposalResponsePayload, SignedProposal, Transaction, TransactionAction, chaincode_spec,
};
use crate::{Error, Identity, Result};

/// A transaction's id, hexadecimal SHA-256 of a nonce and the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionId {
    id: String,
    nonce: [u8; 24],
}

impl TransactionId {
    /// A new one for a sender.
    pub fn new(sender: &Identity) -> Result<Self> {
        Self::of(sender.creator())
    }

    fn of(creator: &[u8]) -> Result<Self> {
        let nonce = random()?;
        Ok(Self { id: hex::encode(sha256(&[&nonce, creator])), nonce })
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.id
    }

    pub(crate) fn signature_header(&self, sender: &Identity) -> Vec<u8> {
        self.signature_header_of(sender.creator())
    }

    fn signature_header_of(&self, creator: &[u8]) -> Vec<u8> {
        SignatureHeader { creator: creator.to_vec(), nonce: self.nonce.to_vec() }.encode_to_vec()
    }
}

/// A call of a chaincode.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The channel; empty for a peer's own affairs.
    pub channel: String,
    /// The chaincode.
    pub chaincode: String,
    /// The function, as the chaincode takes it (`CreateAsset`, or `contract:CreateAsset`), and its arguments.
    pub arguments: Vec<Vec<u8>>,
    /// Values that the chaincode sees but that do not go into the ledger.
    pub transient: BTreeMap<String, Vec<u8>>,
    /// Whether this is the call that initialises a chaincode whose definition asks for one.
    pub is_init: bool,
}

impl Call {
    /// A function with arguments.
    pub fn new<A: Into<Vec<u8>>>(
        channel: &str,
        chaincode: &str,
        function: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let function = function.as_bytes().to_vec();
        Self {
            channel: channel.to_owned(),
            chaincode: chaincode.to_owned(),
            arguments: std::iter::once(function).chain(arguments.into_iter().map(Into::into)).collect(),
            ..Self::default()
        }
    }

    /// With a transient value.
    #[must_use]
    pub fn with_transient(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.transient.insert(name.to_owned(), value.into());
        self
    }

    /// Signs it as a proposal.
    pub async fn propose(&self, sender: &Identity) -> Result<Proposal> {
        let unsigned = self.prepare(sender.creator())?;
        let signature = sender.sign(unsigned.message()).await?;
        Ok(unsigned.signed(signature))
    }

    /// Makes a proposal of it that is to be signed elsewhere, by the holder of a certificate
    /// (see [`creator`](crate::creator)).
    pub fn prepare(&self, creator: &[u8]) -> Result<UnsignedProposal> {
        let id = TransactionId::of(creator)?;
        let extension = ChaincodeHeaderExtension { chaincode_id: Some(self.chaincode_id()) }.encode_to_vec();
        let header = header(creator, &id, HeaderType::EndorserTransaction, &self.channel, extension);
        let spec = ChaincodeInvocationSpec {
            chaincode_spec: Some(ChaincodeSpec {
                r#type: chaincode_spec::Type::Golang.into(),
                chaincode_id: Some(self.chaincode_id()),
                input: Some(ChaincodeInput {
                    args: self.arguments.clone(),
                    decorations: BTreeMap::new(),
                    is_init: self.is_init,
                }),
                timeout: 0,
            }),
        };
        let payload = ChaincodeProposalPayload { input: spec.encode_to_vec(), transient_map: self.transient.clone() };
        let proposal = protos::Proposal {
            header: header.encode_to_vec(),
            payload: payload.encode_to_vec(),
            extension: Vec::new(),
        };
        Ok(UnsignedProposal(Proposal {
            transaction: id.id,
            channel: self.channel.clone(),
            header,
            // What goes into the ledger leaves the transient values out.
            input: ChaincodeProposalPayload { input: payload.input, transient_map: BTreeMap::new() }.encode_to_vec(),
            signed: SignedProposal { proposal_bytes: proposal.encode_to_vec(), signature: Vec::new() },
        }))
    }

    fn chaincode_id(&self) -> ChaincodeId {
        ChaincodeId { path: String::new(), name: self.chaincode.clone(), version: String::new() }
    }
}

/// A call that waits for its sender's signature.
#[derive(Clone, Debug)]
pub struct UnsignedProposal(Proposal);

impl UnsignedProposal {
    /// What is to be signed: ECDSA on P-256 of its SHA-256, in DER, low S.
    pub fn message(&self) -> &[u8] {
        &self.0.signed.proposal_bytes
    }

    /// With its signature.
    pub fn signed(mut self, signature: Vec<u8>) -> Proposal {
        self.0.signed.signature = signature;
        self.0
    }
}

/// A signed call, to be endorsed or evaluated.
#[derive(Clone, Debug)]
pub struct Proposal {
    pub(crate) transaction: String,
    pub(crate) channel: String,
    header: Header,
    input: Vec<u8>,
    pub(crate) signed: SignedProposal,
}

impl Proposal {
    /// The transaction's id.
    pub fn transaction(&self) -> &str {
        &self.transaction
    }

    /// Makes a transaction of endorsements that were gathered at peers: they must all be of the same result.
    pub fn assemble(&self, responses: Vec<ProposalResponse>) -> Result<Endorsed> {
        let operation = "endorse";
        let payload = match responses.split_first() {
            None => return Err(Error::invalid("a transaction", "nobody endorsed it")),
            Some((first, rest)) if rest.iter().all(|other| other.payload == first.payload) => first.payload.clone(),
            Some(_) => return Err(Error::EndorsersDisagree { operation }),
        };
        let result = result_of(&payload)?;
        let endorsements = responses.into_iter().filter_map(|response| response.endorsement).collect();
        let action = ChaincodeActionPayload {
            chaincode_proposal_payload: self.input.clone(),
            action: Some(ChaincodeEndorsedAction { proposal_response_payload: payload, endorsements }),
        };
        let transaction = Transaction {
            actions: vec![TransactionAction {
                header: self.header.signature_header.clone(),
                payload: action.encode_to_vec(),
            }],
        };
        let payload = Payload { header: Some(self.header.clone()), data: transaction.encode_to_vec() };
        Ok(Endorsed {
            transaction: self.transaction.clone(),
            channel: self.channel.clone(),
            payload: payload.encode_to_vec(),
            result,
        })
    }
}

/// What the chaincode answered, from a proposal response's payload.
fn result_of(payload: &[u8]) -> Result<Vec<u8>> {
    let payload: ProposalResponsePayload = decode("an endorsement", payload)?;
    let action: ChaincodeAction = decode("an endorsement", &payload.extension)?;
    Ok(action.response.unwrap_or_default().payload)
}

/// An endorsed transaction that its sender has yet to sign.
#[derive(Clone, Debug)]
pub struct Endorsed {
    transaction: String,
    channel: String,
    payload: Vec<u8>,
    result: Vec<u8>,
}

impl Endorsed {
    /// Reads what the gateway prepared.
    pub(crate) fn prepared(proposal: &Proposal, envelope: Envelope) -> Result<Self> {
        let what = "a prepared transaction";
        let payload: Payload = decode(what, &envelope.payload)?;
        let header: ChannelHeader =
            decode(what, &payload.header.as_ref().ok_or_else(|| Error::missing(what))?.channel_header)?;
        // It is about to be signed, so it must be the transaction that was asked for.
        if header.tx_id != proposal.transaction || header.channel_id != proposal.channel {
            return Err(Error::Decode { what, source: "it is another transaction".into() });
        }
        let transaction: Transaction = decode(what, &payload.data)?;
        let action = transaction.actions.first().ok_or_else(|| Error::missing(what))?;
        let action: ChaincodeActionPayload = decode(what, &action.payload)?;
        if action.chaincode_proposal_payload != proposal.input {
            return Err(Error::Decode { what, source: "it is another call".into() });
        }
        let action = action.action.ok_or_else(|| Error::missing(what))?;
        Ok(Self {
            transaction: proposal.transaction.clone(),
            channel: proposal.channel.clone(),
            payload: envelope.payload,
            result: result_of(&action.proposal_response_payload)?,
        })
    }

    /// The transaction's id.
    pub fn transaction(&self) -> &str {
        &self.transaction
    }

    /// What the chaincode answered.
    pub fn result(&self) -> &[u8] {
        &self.result
    }

    /// Signs it.
    pub async fn sign(self, sender: &Identity) -> Result<Signed> {
        let signature = sender.sign(&self.payload).await?;
        Ok(self.signed(signature))
    }

    /// What is to be signed where the sender signs elsewhere.
    pub fn message(&self) -> &[u8] {
        &self.payload
    }

    /// With a signature that was made elsewhere: ECDSA on P-256 of the SHA-256 of the message, in DER, low S.
    pub fn signed(self, signature: Vec<u8>) -> Signed {
        let envelope = Envelope { payload: self.payload, signature };
        Signed { transaction: self.transaction, channel: self.channel, envelope }
    }
}

/// A signed envelope, ready to be sent. Fabric takes the same envelope once at most, however often it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Signed {
    pub(crate) transaction: String,
    pub(crate) channel: String,
    pub(crate) envelope: Envelope,
}

impl Signed {
    /// The transaction's id.
    pub fn transaction(&self) -> &str {
        &self.transaction
    }

    /// The channel.
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// As bytes, to be stored before it is sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.envelope.encode_to_vec()
    }

    /// Reads a stored one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let what = "a signed transaction";
        let envelope: Envelope = decode(what, bytes)?;
        let payload: Payload = decode(what, &envelope.payload)?;
        let header: ChannelHeader = decode(what, &payload.header.ok_or_else(|| Error::missing(what))?.channel_header)?;
        Ok(Self { transaction: header.tx_id, channel: header.channel_id, envelope })
    }
}

fn header(creator: &[u8], id: &TransactionId, kind: HeaderType, channel: &str, extension: Vec<u8>) -> Header {
    let channel_header = ChannelHeader {
        r#type: kind.into(),
        timestamp: Some(timestamp(SystemTime::now())),
        channel_id: channel.to_owned(),
        tx_id: id.id.clone(),
        extension,
        ..ChannelHeader::default()
    };
    Header { channel_header: channel_header.encode_to_vec(), signature_header: id.signature_header_of(creator) }
}

/// An envelope around anything that is not a chaincode's transaction.
pub(crate) async fn envelope(sender: &Identity, kind: HeaderType, channel: &str, data: Vec<u8>) -> Result<Signed> {
    bound_envelope(sender, kind, channel, data, Vec::new()).await
}

/// The same, bound to the TLS certificate of the connection that it is sent over.
pub(crate) async fn bound_envelope(
    sender: &Identity,
    kind: HeaderType,
    channel: &str,
    data: Vec<u8>,
    tls_cert_hash: Vec<u8>,
) -> Result<Signed> {
    let id = TransactionId::new(sender)?;
    let channel_header = ChannelHeader {
        r#type: kind.into(),
        timestamp: Some(timestamp(SystemTime::now())),
        channel_id: channel.to_owned(),
        tx_id: id.id.clone(),
        tls_cert_hash,
        ..ChannelHeader::default()
    };
    let header =
        Header { channel_header: channel_header.encode_to_vec(), signature_header: id.signature_header(sender) };
    let payload = Payload { header: Some(header), data }.encode_to_vec();
    let signature = sender.sign(&payload).await?;
    Ok(Signed { transaction: id.id, channel: channel.to_owned(), envelope: Envelope { payload, signature } })
}
