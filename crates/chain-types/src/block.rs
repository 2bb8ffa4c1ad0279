//! A block and its encodings.

use std::sync::Arc;

use alloy_consensus::{Header, TxEnvelope, transaction::SignerRecoverable};
use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error as CodecError, RangeCfg, Read, Write};
use commonware_consensus::{BoundedBlock, Heightable, types::Height};
use commonware_cryptography::{Digestible, keccak256::Digest};

use crate::MAX_BLOCK_BYTES;

/// A block: Ethereum's header and the transactions in their order.
///
/// Encoded for consensus as a length-prefixed RLP list `[header, [transaction, …]]`; transactions
/// are EIP-2718 envelopes inside RLP strings, as in an Ethereum block body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    hash: B256,
    rlp_length: usize,
    inner: Arc<Inner>,
}

#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
struct Inner {
    header: Header,
    transactions: Vec<TxEnvelope>,
}

impl Block {
    /// Seals a header over its transactions; the hash is computed once, here.
    pub fn new(header: Header, transactions: Vec<TxEnvelope>) -> Self {
        let hash = header.hash_slow();
        let inner = Inner { header, transactions };
        Self { hash, rlp_length: inner.length(), inner: Arc::new(inner) }
    }

    /// keccak-256 of the RLP header.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.inner.header
    }

    /// The block's number; equal to its consensus height.
    pub fn number(&self) -> u64 {
        self.inner.header.number
    }

    /// The transactions in the order of execution.
    pub fn transactions(&self) -> &[TxEnvelope] {
        &self.inner.transactions
    }

    /// RLP of `[header, [transaction, …]]`.
    pub fn to_rlp(&self) -> Vec<u8> {
        alloy_rlp::encode(&*self.inner)
    }

    /// Length of [`Self::to_rlp`] in bytes.
    pub fn rlp_length(&self) -> usize {
        self.rlp_length
    }

    /// Reads what [`Self::to_rlp`] wrote.
    ///
    /// # Errors
    /// When the bytes are not exactly one block.
    pub fn from_rlp(mut bytes: &[u8]) -> alloy_rlp::Result<Self> {
        let rlp_length = bytes.len();
        let inner = Inner::decode(&mut bytes)?;
        if !bytes.is_empty() {
            return Err(alloy_rlp::Error::UnexpectedLength);
        }
        Ok(Self { hash: inner.header.hash_slow(), rlp_length, inner: Arc::new(inner) })
    }
}

impl Write for Block {
    fn write(&self, buf: &mut impl BufMut) {
        Bytes::from(self.to_rlp()).0.write(buf);
    }
}

impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        self.rlp_length.encode_size() + self.rlp_length
    }
}

impl Read for Block {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, CodecError> {
        let bytes = bytes::Bytes::read_cfg(buf, &RangeCfg::from(0..=MAX_BLOCK_BYTES))?;
        Self::from_rlp(&bytes).map_err(|_| CodecError::Invalid("block", "not the RLP of a block"))
    }
}

impl Digestible for Block {
    type Digest = Digest;

    fn digest(&self) -> Digest {
        Digest::from(self.hash.0)
    }
}

impl Heightable for Block {
    fn height(&self) -> Height {
        Height::new(self.number())
    }
}

impl commonware_consensus::Block for Block {
    fn parent(&self) -> Digest {
        Digest::from(self.inner.header.parent_hash.0)
    }
}

impl BoundedBlock for Block {
    fn max_encode_size((): &()) -> usize {
        // The length prefix is a varint of at most five bytes for this bound.
        MAX_BLOCK_BYTES + 5
    }
}

/// A transaction with its sender, which costs a signature recovery: recover once, keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Who signed.
    pub sender: Address,
    /// The signed transaction.
    pub transaction: TxEnvelope,
}

impl Recovered {
    /// Recovers the sender.
    ///
    /// # Errors
    /// When the signature is not one.
    pub fn recover(transaction: TxEnvelope) -> Result<Self, alloy_consensus::crypto::RecoveryError> {
        Ok(Self { sender: transaction.recover_signer()?, transaction })
    }

    /// The transaction's hash.
    pub fn hash(&self) -> B256 {
        *self.transaction.tx_hash()
    }
}

/// The header's extra field: version 0, then the milliseconds of the timestamp as two big-endian bytes.
pub fn extra_data(millis: u16) -> Bytes {
    let [high, low] = millis.to_be_bytes();
    Bytes::from(vec![0, high, low])
}

/// When the block was made, in milliseconds since 1970: the header's seconds and its extra field.
pub fn timestamp_millis(header: &Header) -> u64 {
    let millis = match header.extra_data.as_ref() {
        [0, high, low] => u16::from_be_bytes([*high, *low]).min(999),
        _ => 0,
    };
    header.timestamp.saturating_mul(1000).saturating_add(u64::from(millis))
}
