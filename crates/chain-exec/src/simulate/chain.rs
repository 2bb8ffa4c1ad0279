//! The headers of simulated blocks: numbers and times in order, gaps filled.

use alloy_consensus::Header;
use alloy_primitives::{B256, U256};
use alloy_rpc_types_eth::{
    BlockOverrides,
    simulate::{MAX_SIMULATE_BLOCKS, SimBlock},
};

use crate::{CallError, Executor, header::millis};

const BLOCK_NUMBER: i32 = -38020;
const BLOCK_TIME: i32 = -38021;
const CLIENT_LIMIT: i32 = -38026;

/// Seconds between simulated blocks that name no time of their own.
const STEP: u64 = 1;

/// Gives every block a number and a time and puts empty blocks into gaps of numbers.
pub(super) fn complete(base: &Header, blocks: Vec<SimBlock>) -> Result<Vec<SimBlock>, CallError> {
    if blocks.is_empty() {
        return Err(CallError::InvalidParams("empty input".into()));
    }
    let refused = |code, message| CallError::Simulation { code, message };
    let too_many = || refused(CLIENT_LIMIT, "too many blocks".into());
    let (mut number, mut time) = (base.number, base.timestamp);
    let mut complete = Vec::with_capacity(blocks.len());
    for mut block in blocks {
        let overrides = block.block_overrides.get_or_insert_default();
        let wanted = overrides.number.unwrap_or_else(|| U256::from(number + 1));
        if wanted <= U256::from(number) {
            return Err(refused(BLOCK_NUMBER, format!("block numbers must be in order: {wanted} <= {number}")));
        }
        if wanted > U256::from(base.number) + U256::from(MAX_SIMULATE_BLOCKS) {
            return Err(too_many());
        }
        // Below the base's number and 256.
        let wanted = wanted.saturating_to::<u64>();
        while number + 1 < wanted {
            (number, time) = (number + 1, time.saturating_add(STEP));
            complete.push(empty(number, time));
        }
        let at = overrides.time.unwrap_or(time.saturating_add(STEP));
        if at <= time {
            return Err(refused(BLOCK_TIME, format!("block timestamps must be in order: {at} <= {time}")));
        }
        (number, time) = (wanted, at);
        overrides.number = Some(U256::from(number));
        overrides.time = Some(time);
        complete.push(block);
    }
    Ok(complete)
}

fn empty(number: u64, time: u64) -> SimBlock {
    let overrides = BlockOverrides { number: Some(U256::from(number)), time: Some(time), ..BlockOverrides::default() };
    SimBlock { block_overrides: Some(overrides), ..SimBlock::default() }
}

/// The header of a block that [`complete`] numbered, on `parent`, before its calls. Without validation
/// the base fee is zero unless it is overridden.
pub(super) fn header(
    executor: &Executor,
    parent: &Header,
    parent_hash: B256,
    overrides: &BlockOverrides,
    validation: bool,
) -> Header {
    let when_ms = overrides.time.map_or(millis(parent), |time| time.saturating_mul(1000));
    let own = executor.next_header(parent, parent_hash, when_ms);
    let base_fee = match overrides.base_fee {
        Some(fee) => fee.saturating_to(),
        None if validation => executor.base_fee(),
        None => 0,
    };
    Header {
        number: overrides.number.map_or(own.number, |number| number.saturating_to()),
        timestamp: overrides.time.unwrap_or(own.timestamp),
        gas_limit: overrides.gas_limit.unwrap_or(own.gas_limit),
        beneficiary: overrides.coinbase.unwrap_or(own.beneficiary),
        mix_hash: overrides.random.unwrap_or(own.mix_hash),
        difficulty: overrides.difficulty.unwrap_or(own.difficulty),
        base_fee_per_gas: Some(base_fee),
        parent_beacon_block_root: overrides.beacon_root.or(own.parent_beacon_block_root),
        ..own
    }
}
