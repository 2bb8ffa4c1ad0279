//! When a leader proposes, and how long the others wait for it.
//!
//! An idle chain makes a block at once when a transaction waits and a heartbeat block after a while of silence. Under
//! load, blocks keep a distance, so that they carry many transactions: each block costs every validator messages,
//! signatures and disk syncs whatever its size.

use std::time::Duration;

use chain_types::{Block, MAX_BLOCK_BYTES, timestamp_millis};

/// A block further ahead of the local clock than this waits before it is voted for.
pub(crate) const MAX_AHEAD: Duration = Duration::from_secs(2);

/// A block with this many transactions counts as a busy one, however little gas they used: it is what a few thousand a
/// second leave for a block that follows at once, and blocks that small cost more than they carry.
const BUSY_TRANSACTIONS: usize = 16;

/// When a leader proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    block_interval_ms: u64,
    heartbeat_ms: u64,
}

impl Pace {
    /// `block_interval_ms` is kept after a busy block; `heartbeat_ms` is the longest silence.
    pub fn new(block_interval_ms: u64, heartbeat_ms: u64) -> Self {
        Self { block_interval_ms, heartbeat_ms }
    }

    /// When the child of `parent` may be built, in milliseconds since 1970: now, or after the block interval when the
    /// parent was a quarter full or more. `now_ms` bounds what a parent from a fast clock can cost.
    pub(crate) fn earliest_ms(&self, parent: &Block, now_ms: u64) -> u64 {
        if !is_busy(parent) {
            return now_ms;
        }
        let due = timestamp_millis(parent.header()).saturating_add(self.block_interval_ms);
        due.clamp(now_ms, now_ms.saturating_add(self.block_interval_ms))
    }

    /// When the child of `parent` is built though no transaction waits, in milliseconds since 1970.
    pub(crate) fn heartbeat_ms(&self, parent: &Block, now_ms: u64) -> u64 {
        let due = timestamp_millis(parent.header()).saturating_add(self.heartbeat_ms);
        due.clamp(now_ms, now_ms.saturating_add(self.heartbeat_ms))
    }

    /// The engine's time-outs.
    pub fn timeouts(&self) -> Timeouts {
        let heartbeat = Duration::from_millis(self.heartbeat_ms);
        Timeouts {
            leader: heartbeat + Duration::from_millis(500),
            certification: heartbeat + Duration::from_millis(1000),
            skip: heartbeat + Duration::from_millis(2000),
            retry: Duration::from_millis(500),
        }
    }
}

fn is_busy(block: &Block) -> bool {
    let header = block.header();
    header.gas_used.saturating_mul(4) >= header.gas_limit
        || block.rlp_length() * 4 >= MAX_BLOCK_BYTES
        || block.transactions().len() >= BUSY_TRANSACTIONS
}

/// How long a validator waits. An idle leader holds its proposal for a heartbeat, so every time-out is above that;
/// each must be above the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the leader's proposal.
    pub leader: Duration,
    /// For the proposal to be certified.
    pub certification: Duration,
    /// Silence after which a leader's turns are skipped at once.
    pub skip: Duration,
    /// Between repeated votes to skip a view.
    pub retry: Duration,
}

#[cfg(test)]
mod tests {
    use chain_types::{Header, extra_data};

    use super::*;

    fn block(millis: u64, gas_used: u64) -> Block {
        let header = Header {
            timestamp: millis / 1000,
            extra_data: extra_data((millis % 1000) as u16),
            gas_limit: 1_000_000,
            gas_used,
            ..Default::default()
        };
        Block::new(header, Vec::new())
    }

    #[test]
    fn a_busy_parent_keeps_the_interval_and_a_light_one_does_not() {
        let pace = Pace::new(30, 1000);
        assert_eq!(pace.earliest_ms(&block(5_000, 0), 5_001), 5_001);
        assert_eq!(pace.earliest_ms(&block(5_000, 249_999), 5_001), 5_001);
        assert_eq!(pace.earliest_ms(&block(5_000, 250_000), 5_001), 5_030);
        assert_eq!(pace.earliest_ms(&block(5_000, 250_000), 5_040), 5_040);
    }

    #[test]
    fn a_parent_from_a_fast_clock_costs_one_interval_at_most() {
        let pace = Pace::new(30, 1000);
        assert_eq!(pace.earliest_ms(&block(9_000, 1_000_000), 5_000), 5_030);
        assert_eq!(pace.heartbeat_ms(&block(9_000, 0), 5_000), 6_000);
    }

    #[test]
    fn the_heartbeat_counts_from_the_parent() {
        let pace = Pace::new(30, 1000);
        assert_eq!(pace.heartbeat_ms(&block(5_000, 0), 5_400), 6_000);
        assert_eq!(pace.heartbeat_ms(&block(0, 0), 5_400), 5_400);
    }

    #[test]
    fn time_outs_are_above_the_heartbeat_and_in_order() {
        for heartbeat in [100, 1000, 60_000] {
            let timeouts = Pace::new(30, heartbeat).timeouts();
            assert!(timeouts.leader > Duration::from_millis(heartbeat));
            assert!(timeouts.certification > timeouts.leader);
            assert!(timeouts.skip > timeouts.certification && timeouts.skip > timeouts.retry);
        }
    }
}
