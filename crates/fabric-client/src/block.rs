//! Blocks as plain values: transactions with who sent and endorsed them, what they called, what they read and wrote, and
//! what became of them.
//!
//! Anybody may have put anything into a block, also into one that is final: a transaction that cannot be read is a
//! [`Content::Unreadable`] with its reason, never an error for the block.

use prost::Message;

use crate::authority;
use crate::codec::{decode, sha256};
use crate::proto::common::{
    self, BlockHeader, BlockMetadataIndex, ChannelHeader, ConfigEnvelope, Envelope, HeaderType, Payload,
    SignatureHeader,
};
use crate::proto::kvrwset::{HashedRwSet, KvRead, KvReadHash, KvWriteHash, KvrwSet, Version};
use crate::proto::msp::SerializedIdentity;
use crate::proto::protos::{
    ChaincodeAction, ChaincodeActionPayload, ChaincodeEvent, ChaincodeHeaderExtension, ChaincodeInvocationSpec,
    ChaincodeProposalPayload, ProposalResponsePayload, TxValidationCode,
};
use crate::proto::rwset::{CollectionHashedReadWriteSet, NsReadWriteSet, TxReadWriteSet};
use crate::{Error, Result};

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Hash of its header.
    pub hash: Vec<u8>,
    /// Hash of the header before.
    pub previous_hash: Vec<u8>,
    /// Hash of its data.
    pub data_hash: Vec<u8>,
    /// The orderers that signed it.
    pub signers: Vec<Party>,
    /// Its transactions.
    pub transactions: Vec<Transaction>,
}

/// Somebody with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The organisation's MSP.
    pub msp_id: String,
    /// The certificate's subject; empty when it cannot be read.
    pub subject: String,
    /// The subject's common name; empty when there is none.
    pub common_name: String,
}

/// An entry of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its id; empty where there is none.
    pub id: String,
    /// Its channel.
    pub channel: String,
    /// When its sender says that it was made, microseconds since the epoch.
    pub timestamp: i64,
    /// Who sent it; none for the first block's.
    pub creator: Option<Party>,
    /// What the peers found; none in a block that comes from an orderer.
    pub validation: Option<TxValidationCode>,
    /// What it is.
    pub content: Content,
}

/// What an entry of a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Calls of chaincode: one, in every transaction that Fabric's own programs make.
    Calls(Vec<CallRecord>),
    /// A new configuration.
    Config {
        /// Its number.
        sequence: u64,
    },
    /// Another kind of envelope.
    Other {
        /// Its number in `common.HeaderType`.
        kind: i32,
    },
    /// It cannot be read.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// A call of a chaincode that was endorsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// The chaincode that was called.
    pub chaincode: String,
    /// Its version; empty where the endorsers did not say.
    pub version: String,
    /// The function.
    pub function: String,
    /// Its arguments.
    pub arguments: Vec<Vec<u8>>,
    /// Whether it initialised the chaincode.
    pub is_init: bool,
    /// The chaincode's status.
    pub status: i32,
    /// The chaincode's message.
    pub message: String,
    /// What the chaincode answered.
    pub result: Vec<u8>,
    /// Who endorsed it.
    pub endorsers: Vec<Party>,
    /// What was read and written, by chaincode.
    pub namespaces: Vec<Namespace>,
    /// The event that it set: name and payload.
    pub event: Option<(String, Vec<u8>)>,
}

/// Reads and writes of one chaincode's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// The chaincode.
    pub name: String,
    /// Keys that were read.
    pub reads: Vec<Read>,
    /// Ranges that were read: first and last key.
    pub ranges: Vec<(String, String)>,
    /// Keys that were written.
    pub writes: Vec<Write>,
    /// Private data, by hashes.
    pub collections: Vec<CollectionHashes>,
}

/// A key that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The key.
    pub key: String,
    /// What was read; none when there was nothing.
    pub version: Option<KeyVersion>,
}

/// The transaction that wrote a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyVersion {
    /// Its block.
    pub block: u64,
    /// Its position in the block, from 0.
    pub transaction: u64,
}

/// A key that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The key.
    pub key: String,
    /// The new value; none when it was deleted.
    pub value: Option<Vec<u8>>,
}

/// Reads and writes of a private collection, by hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionHashes {
    /// The collection.
    pub name: String,
    /// Hashes of keys that were read, with versions as in [`Read`].
    pub reads: Vec<(Vec<u8>, Option<KeyVersion>)>,
    /// Hashes of keys that were written, and of their values; none when deleted.
    pub writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Hash of all that was read and written in the collection.
    pub hash: Vec<u8>,
}

/// The hash of a block's header: SHA-256 of the ASN.1 sequence of number, previous hash and data hash
/// (Fabric's `protoutil.BlockHeaderHash`).
pub fn header_hash(header: &BlockHeader) -> Vec<u8> {
    let mut number: Vec<u8> = header.number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    // A positive ASN.1 integer starts with a zero bit, and has one byte at least.
    if number.first().is_none_or(|first| first & 0x80 != 0) {
        number.insert(0, 0);
    }
    let mut body = element(0x02, &number);
    body.extend(element(0x04, &header.previous_hash));
    body.extend(element(0x04, &header.data_hash));
    sha256(&[&element(0x30, &body)]).to_vec()
}

fn element(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    if let Ok(short) = u8::try_from(body.len())
        && short < 0x80
    {
        bytes.push(short);
    } else {
        let length: Vec<u8> = body.len().to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        // At most eight bytes of length.
        bytes.push(0x80 | length.len() as u8);
        bytes.extend(length);
    }
    bytes.extend_from_slice(body);
    bytes
}

/// Reads a block.
pub fn read(block: &common::Block) -> Result<Block> {
    let header = block.header.as_ref().ok_or_else(|| Error::missing("a block"))?;
    let data = block.data.as_ref().ok_or_else(|| Error::missing("a block"))?;
    let metadata = |index: BlockMetadataIndex| {
        let list = block.metadata.as_ref().map(|metadata| metadata.metadata.as_slice()).unwrap_or_default();
        list.get(index as usize).map(Vec::as_slice).unwrap_or_default()
    };
    let codes = metadata(BlockMetadataIndex::TransactionsFilter);
    let transactions = data.data.iter().enumerate().map(|(at, bytes)| {
        let validation = codes.get(at).and_then(|code| TxValidationCode::try_from(i32::from(*code)).ok());
        // What a peer has not validated yet is marked so.
        transaction(bytes, validation.filter(|code| *code != TxValidationCode::NotValidated))
    });
    let signatures: common::Metadata = decode("a block's signatures", metadata(BlockMetadataIndex::Signatures))?;
    let signer = |signature: &common::MetadataSignature| {
        let header: SignatureHeader = decode("a signature", &signature.signature_header).ok()?;
        // A BFT block names its signers by number instead: those are in the channel's configuration.
        (!header.creator.is_empty()).then(|| party(&header.creator))
    };
    Ok(Block {
        number: header.number,
        hash: header_hash(header),
        previous_hash: header.previous_hash.clone(),
        data_hash: header.data_hash.clone(),
        signers: signatures.signatures.iter().filter_map(signer).collect(),
        transactions: transactions.collect(),
    })
}

/// Reads one entry of a block, or what QSCC gives for a transaction.
pub fn transaction(envelope: &[u8], validation: Option<TxValidationCode>) -> Transaction {
    let unreadable = |reason: String| Transaction {
        id: String::new(),
        channel: String::new(),
        timestamp: 0,
        creator: None,
        validation,
        content: Content::Unreadable { reason },
    };
    match frame(envelope) {
        Err(failure) => unreadable(chain(&failure)),
        Ok((header, signature, data)) => {
            let content =
                content(&header, &data).unwrap_or_else(|failure| Content::Unreadable { reason: chain(&failure) });
            let time = header.timestamp.unwrap_or_default();
            Transaction {
                id: header.tx_id,
                channel: header.channel_id,
                timestamp: time.seconds.saturating_mul(1_000_000).saturating_add(i64::from(time.nanos) / 1000),
                creator: (!signature.creator.is_empty()).then(|| party(&signature.creator)),
                validation,
                content,
            }
        }
    }
}

fn chain(failure: &Error) -> String {
    match std::error::Error::source(failure) {
        Some(source) => format!("{failure}: {source}"),
        None => failure.to_string(),
    }
}

fn frame(envelope: &[u8]) -> Result<(ChannelHeader, SignatureHeader, Vec<u8>)> {
    let what = "an envelope";
    let envelope: Envelope = decode(what, envelope)?;
    let payload: Payload = decode(what, &envelope.payload)?;
    let header = payload.header.ok_or_else(|| Error::missing(what))?;
    Ok((decode(what, &header.channel_header)?, decode(what, &header.signature_header)?, payload.data))
}

fn content(header: &ChannelHeader, data: &[u8]) -> Result<Content> {
    match HeaderType::try_from(header.r#type) {
        Ok(HeaderType::EndorserTransaction) => {
            let transaction: crate::proto::protos::Transaction = decode("a transaction", data)?;
            let extension: ChaincodeHeaderExtension = decode("a transaction", &header.extension)?;
            let called = extension.chaincode_id.unwrap_or_default().name;
            let calls = transaction.actions.iter().map(|action| call(&called, &action.payload));
            Ok(Content::Calls(calls.collect::<Result<_>>()?))
        }
        Ok(HeaderType::Config) => {
            let config: ConfigEnvelope = decode("a configuration", data)?;
            Ok(Content::Config { sequence: config.config.unwrap_or_default().sequence })
        }
        _ => Ok(Content::Other { kind: header.r#type }),
    }
}

fn call(called: &str, payload: &[u8]) -> Result<CallRecord> {
    let what = "a transaction's action";
    let payload: ChaincodeActionPayload = decode(what, payload)?;
    let proposal: ChaincodeProposalPayload = decode(what, &payload.chaincode_proposal_payload)?;
    let invocation: ChaincodeInvocationSpec = decode(what, &proposal.input)?;
    let input = invocation.chaincode_spec.unwrap_or_default().input.unwrap_or_default();
    let endorsed = payload.action.ok_or_else(|| Error::missing(what))?;
    let response: ProposalResponsePayload = decode(what, &endorsed.proposal_response_payload)?;
    let action: ChaincodeAction = decode(what, &response.extension)?;
    let sets: TxReadWriteSet = decode(what, &action.results)?;
    let event: ChaincodeEvent = decode(what, &action.events)?;
    let answer = action.response.unwrap_or_default();
    let mut arguments = input.args;
    let function = match arguments.is_empty() {
        true => String::new(),
        false => String::from_utf8_lossy(&arguments.remove(0)).into_owned(),
    };
    let id = action.chaincode_id.unwrap_or_default();
    Ok(CallRecord {
        chaincode: if id.name.is_empty() { called.to_owned() } else { id.name },
        version: id.version,
        function,
        arguments,
        is_init: input.is_init,
        status: answer.status,
        message: answer.message,
        result: answer.payload,
        endorsers: endorsed.endorsements.iter().map(|endorsement| party(&endorsement.endorser)).collect(),
        namespaces: sets.ns_rwset.iter().map(namespace).collect::<Result<_>>()?,
        event: (!event.event_name.is_empty()).then_some((event.event_name, event.payload)),
    })
}

fn namespace(set: &NsReadWriteSet) -> Result<Namespace> {
    let keys: KvrwSet = decode("a read/write set", &set.rwset)?;
    Ok(Namespace {
        name: set.namespace.clone(),
        reads: keys.reads.into_iter().map(|KvRead { key, version }| Read { key, version: place(version) }).collect(),
        ranges: keys.range_queries_info.into_iter().map(|range| (range.start_key, range.end_key)).collect(),
        writes: keys
            .writes
            .into_iter()
            .map(|write| Write { key: write.key, value: (!write.is_delete).then_some(write.value) })
            .collect(),
        collections: set.collection_hashed_rwset.iter().map(collection).collect::<Result<_>>()?,
    })
}

fn collection(set: &CollectionHashedReadWriteSet) -> Result<CollectionHashes> {
    let hashes: HashedRwSet = decode("a private read/write set", &set.hashed_rwset)?;
    let read = |KvReadHash { key_hash, version }| (key_hash, place(version));
    let write = |own: KvWriteHash| (own.key_hash, (!own.is_delete && !own.is_purge).then_some(own.value_hash));
    Ok(CollectionHashes {
        name: set.collection_name.clone(),
        reads: hashes.hashed_reads.into_iter().map(read).collect(),
        writes: hashes.hashed_writes.into_iter().map(write).collect(),
        hash: set.pvt_rwset_hash.clone(),
    })
}

fn place(version: Option<Version>) -> Option<KeyVersion> {
    version.map(|version| KeyVersion { block: version.block_num, transaction: version.tx_num })
}

fn party(creator: &[u8]) -> Party {
    let identity = SerializedIdentity::decode(creator).unwrap_or_default();
    let certificate = std::str::from_utf8(&identity.id_bytes).ok().and_then(|pem| authority::read(pem).ok());
    let (subject, common_name) =
        certificate.map(|own| (own.subject, own.common_name.unwrap_or_default())).unwrap_or_default();
    Party { msp_id: identity.mspid, subject, common_name }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rubbish_is_said_to_be_unreadable(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4)) {
            let block = common::Block {
                header: Some(BlockHeader::default()),
                data: Some(common::BlockData { data: entries.clone() }),
                metadata: None,
            };
            let read = read(&block).expect("a block");
            prop_assert_eq!(read.transactions.len(), entries.len());
        }
    }

    #[test]
    fn header_hashes_are_of_the_der_form() {
        // Numbers at the borders of an ASN.1 integer's length; the bytes are those that Go's encoding/asn1 gives.
        for (number, der) in
            [(0_u64, "020100"), (127, "02017f"), (128, "02020080"), (u64::MAX, "020900ffffffffffffffff")]
        {
            let header = BlockHeader { number, previous_hash: vec![1; 32], data_hash: vec![2; 32] };
            let mut body = hex::decode(der).expect("hexadecimal");
            body.extend([0x04, 32].iter().chain(&[1; 32]).chain([0x04, 32].iter()).chain(&[2; 32]));
            let mut whole = vec![0x30, u8::try_from(body.len()).expect("is short")];
            whole.extend(body);
            assert_eq!(header_hash(&header), sha256(&[&whole]).to_vec());
        }
    }
}
