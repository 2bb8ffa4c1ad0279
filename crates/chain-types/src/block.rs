//! A block and its encodings.

use std::sync::Arc;

use alloy_consensus::{Header, TxEnvelope, proofs, transaction::SignerRecoverable};
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
    /// When the bytes are not exactly one block, in the encoding that [`Self::to_rlp`] gives it.
    pub fn from_rlp(bytes: &[u8]) -> alloy_rlp::Result<Self> {
        let inner = Inner::decode(&mut &*bytes)?;
        // Also what follows a block is told by this, and what the decoder of envelopes does not look at: the length of the
        // string that each is in.
        if alloy_rlp::encode(&inner) != bytes {
            return Err(alloy_rlp::Error::Custom("another encoding of a block"));
        }
        Ok(Self { hash: inner.header.hash_slow(), rlp_length: bytes.len(), inner: Arc::new(inner) })
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
        let block = Self::from_rlp(&bytes).map_err(|_| CodecError::Invalid("block", "not the RLP of a block"))?;
        // Consensus agrees on the header's hash and takes any block that has it: a proposer that sent other
        // transactions under the same header would make a node store them as final.
        if proofs::calculate_transaction_root(block.transactions()) != block.header().transactions_root {
            return Err(CodecError::Invalid("block", "not the transactions of its header"));
        }
        Ok(block)
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

#[cfg(test)]
mod tests {
    use alloy_consensus::{SignableTransaction, TxEip1559};
    use alloy_primitives::Signature;
    use commonware_codec::{Decode as _, Encode as _};
    use proptest::prelude::*;

    use super::*;

    fn block(nonces: std::ops::Range<u64>) -> Block {
        let transactions: Vec<TxEnvelope> = nonces
            .map(|nonce| {
                let signature =
                    Signature::from_scalars_and_parity(B256::with_last_byte(1), B256::with_last_byte(1), false);
                TxEip1559 { nonce, ..Default::default() }.into_signed(signature).into()
            })
            .collect();
        let transactions_root = proofs::calculate_transaction_root(&transactions);
        Block::new(Header { transactions_root, number: 7, ..Default::default() }, transactions)
    }

    fn decode(bytes: &[u8]) -> Result<Block, CodecError> {
        Block::decode_cfg(Bytes::copy_from_slice(bytes).0, &())
    }

    #[test]
    fn a_block_comes_back_and_its_transactions_are_those_of_its_header() {
        let whole = block(0..3);
        assert_eq!(decode(&whole.encode()).unwrap(), whole);
        let swapped = Block::new(whole.header().clone(), block(1..4).transactions().to_vec());
        assert_eq!(swapped.hash(), whole.hash());
        assert!(decode(&swapped.encode()).is_err());
    }

    proptest! {
        #[test]
        fn anything_may_come_as_a_block(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(decode(&bytes).is_err());
        }

        #[test]
        fn what_is_decoded_has_one_encoding(at in 0_usize..2000, byte in any::<u8>(), cut in 0_usize..2000) {
            let mut bytes = block(0..3).encode().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(bytes.len() - if cut % 4 == 0 { cut % 20 } else { 0 });
            if let Ok(block) = decode(&bytes) {
                let again = block.encode();
                prop_assert_eq!(again.as_ref(), bytes.as_slice());
            }
        }
    }
}
