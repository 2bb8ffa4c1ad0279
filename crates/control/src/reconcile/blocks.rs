//! Counts blocks and their transactions by intervals, for the charts.

use std::collections::BTreeMap;

use futures::future::join_all;
use store::networks::{self, Network, Phase};
use store::statistics::{self, Counted};
use types::{BlockSummary, NetworkStatus};

use crate::statistics::INTERVAL_US;
use crate::{Control, Result};

/// Blocks read in one pass. A network that makes more than this between two passes is counted later, up to [`MOST_BEHIND`].
const BATCH: u32 = 200;
/// What lies further back is left out: the charts show what happens, not history.
const MOST_BEHIND: u64 = 5_000;

/// Counts the new blocks of all networks.
pub(super) async fn count(control: &Control) -> Result<()> {
    let networks = networks::all(&mut *control.store().read().await?).await?;
    let alive = networks.iter().filter(|network| {
        // A failed one is an attached one that is another chain now.
        network.phase == Phase::Ready && !matches!(network.status, NetworkStatus::Stopped | NetworkStatus::Failed)
    });
    join_all(alive.map(|network| count_network(control, network))).await.into_iter().collect()
}

async fn count_network(control: &Control, network: &Network) -> Result<()> {
    let Some(height) = network.height else { return Ok(()) };
    // The first time, history is left out as well, and so is the genesis.
    let mut mark = network.counted.unwrap_or_else(|| height.saturating_sub(u64::from(BATCH)));
    mark = mark.max(height.saturating_sub(MOST_BEHIND));
    if height <= mark {
        return Ok(());
    }
    let top = height.min(mark + u64::from(BATCH));
    // The block below the first new one tells the first interval.
    let limit = u32::try_from(top - mark + 1).unwrap_or(BATCH + 1);
    let Ok(mut blocks) = control.ledger_of(network).await?.blocks(Some(top + 1), limit).await else {
        // Whether nodes answer is shown by their state; the blocks are counted once they do.
        return Ok(());
    };
    blocks.reverse();
    let Some(newest) = blocks.last().map(|block| block.number) else { return Ok(()) };
    let counted = tally(&blocks, mark);
    let mut tx = control.store().begin().await?;
    if networks::get(&mut tx, &network.id).await?.is_some() {
        statistics::add(&mut tx, &network.id, &counted, newest).await?;
    }
    Ok(tx.commit().await?)
}

/// Adds up blocks above `mark`; `blocks` are oldest first.
fn tally(blocks: &[BlockSummary], mark: u64) -> Vec<Counted> {
    let mut intervals: BTreeMap<i64, Counted> = BTreeMap::new();
    for (index, block) in blocks.iter().enumerate().filter(|(_, block)| block.number > mark) {
        let at = block.at - block.at.rem_euclid(INTERVAL_US);
        let counted = intervals.entry(at).or_insert(Counted { at, ..Counted::default() });
        counted.blocks += 1;
        counted.transactions += i64::from(block.transactions);
        // The genesis carries no time that an interval could start at.
        let before = index.checked_sub(1).map(|before| &blocks[before]).filter(|before| before.number > 0);
        if let Some(before) = before {
            counted.interval_sum_us += (block.at - before.at).max(0);
            counted.intervals += 1;
        }
    }
    intervals.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u64, at: i64, transactions: u32) -> BlockSummary {
        BlockSummary {
            number,
            hash: String::new(),
            parent_hash: String::new(),
            at,
            transactions,
            gas_used: None,
            gas_limit: None,
            size: None,
        }
    }

    #[test]
    fn blocks_are_counted_once_and_intervals_start_at_the_block_before() {
        let base = 100 * INTERVAL_US;
        let blocks = [
            block(4, base - 1_000_000, 9),
            block(5, base, 2),
            block(6, base + 500_000, 3),
            block(7, base + INTERVAL_US, 1),
        ];
        let counted = tally(&blocks, 4);
        assert_eq!(
            counted,
            [
                Counted { at: base, blocks: 2, transactions: 5, interval_sum_us: 1_500_000, intervals: 2 },
                Counted {
                    at: base + INTERVAL_US,
                    blocks: 1,
                    transactions: 1,
                    interval_sum_us: INTERVAL_US - 500_000,
                    intervals: 1
                },
            ]
        );
        let first = tally(&[block(0, 0, 0), block(1, base, 1)], 0);
        assert_eq!(first[0].intervals, 0, "the time since the genesis is no interval");
    }
}
