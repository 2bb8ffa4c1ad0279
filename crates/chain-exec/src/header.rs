//! The header that follows from a parent, and what is wrong with one that does not.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header, constants::EMPTY_WITHDRAWALS};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::B256;
use chain_types::{extra_data, timestamp_millis};

use crate::{Executor, Invalid};

/// Latest second of a block: its milliseconds, and those of some blocks after it, fit 64 bits.
pub(crate) const LATEST: u64 = u64::MAX / 2000;

/// Characters of a wrong value that are told; of the longest sound one, a bloom, the beginning.
const LONGEST_TEXT: usize = 200;

/// A header's time in milliseconds since 1970; [`LATEST`] for any later one, which only overrides name.
pub(crate) fn millis(header: &Header) -> u64 {
    if header.timestamp > LATEST { LATEST * 1000 } else { timestamp_millis(header) }
}

impl Executor {
    /// The header of an empty block on `parent`, made at `when_ms` (milliseconds since 1970; the
    /// parent's time when that is later). Roots of the empty block; state root zero.
    pub(crate) fn next_header(&self, parent: &Header, parent_hash: B256, when_ms: u64) -> Header {
        let when_ms = when_ms.max(millis(parent));
        let timestamp = when_ms / 1000;
        let rules = &self.rules;
        Header {
            parent_hash,
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: rules.beneficiary,
            number: parent.number + 1,
            gas_limit: parent.gas_limit,
            timestamp,
            // The remainder is below 1000.
            extra_data: extra_data((when_ms % 1000) as u16),
            mix_hash: parent_hash,
            base_fee_per_gas: Some(rules.base_fee),
            withdrawals_root: Some(EMPTY_WITHDRAWALS),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(B256::ZERO),
            requests_hash: rules.forks.is_prague_active_at_timestamp(timestamp).then_some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        }
    }

    /// Checks everything in a header that does not depend on the outcome of its transactions.
    pub(crate) fn check_header(&self, parent: &Header, header: &Header) -> Result<(), Invalid> {
        let parent_hash = parent.hash_slow();
        if header.timestamp > LATEST {
            let (found, expected) = (header.timestamp.to_string(), format!("at most {LATEST}"));
            return Err(Invalid::Header { field: "timestamp", found, expected });
        }
        let (parent_ms, ms) = (millis(parent), millis(header));
        if ms < parent_ms {
            return Err(Invalid::TimeGoesBack { parent_ms, ms });
        }
        let mut expected = self.next_header(parent, parent_hash, ms);
        expected.state_root = header.state_root;
        expected.transactions_root = header.transactions_root;
        expected.receipts_root = header.receipts_root;
        expected.logs_bloom = header.logs_bloom;
        expected.gas_used = header.gas_used;
        if header.requests_hash.is_some() && expected.requests_hash.is_some() {
            expected.requests_hash = header.requests_hash;
        }
        compare(&expected, header)
    }
}

/// Finds the first field in which a header differs from the one that it should be.
pub(crate) fn compare(expected: &Header, header: &Header) -> Result<(), Invalid> {
    if expected == header {
        return Ok(());
    }
    macro_rules! fields {
        ($($field:ident),* $(,)?) => {
            $(if expected.$field != header.$field {
                return Err(Invalid::Header {
                    field: stringify!($field),
                    found: shorten(format!("{:?}", header.$field)),
                    expected: format!("{:?}", expected.$field),
                });
            })*
        };
    }
    fields!(
        number,
        parent_hash,
        timestamp,
        extra_data,
        gas_limit,
        base_fee_per_gas,
        beneficiary,
        mix_hash,
        difficulty,
        nonce,
        ommers_hash,
        withdrawals_root,
        blob_gas_used,
        excess_blob_gas,
        parent_beacon_block_root,
        transactions_root,
        gas_used,
        receipts_root,
        logs_bloom,
        requests_hash,
        state_root,
    );
    Err(Invalid::Header {
        field: "header",
        found: shorten(format!("{header:?}")),
        expected: "no fields of later forks".into(),
    })
}

/// Whoever proposes a block writes its header: what is wrong with it goes to the log, not all of it.
fn shorten(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST_TEXT) {
        text.truncate(end);
        text.push('…');
    }
    text
}
