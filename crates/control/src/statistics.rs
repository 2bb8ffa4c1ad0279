//! Throughput, block intervals and latency of a network.

use std::collections::BTreeMap;

use store::Connection;
use types::{Code, Statistics, StatisticsPoint, now};

use crate::{Error, Result};

/// Length of one interval.
pub(crate) const INTERVAL_US: i64 = 5_000_000;
const MOST_MINUTES: u32 = 1440;
/// Most points that are answered; longer times are shown in longer intervals.
const MOST_POINTS: i64 = 360;

/// What was counted of a network in the last minutes. Intervals in which nothing happened are there, too, as zeros.
pub(crate) async fn of_network(read: &mut Connection, network: &str, minutes: u32) -> Result<Statistics> {
    if !(1..=MOST_MINUTES).contains(&minutes) {
        return Err(Error::field(Code::RequestInvalid, "minutes", format!("Ask for 1 to {MOST_MINUTES} minutes.")));
    }
    let span = i64::from(minutes) * 60_000_000;
    let step = INTERVAL_US * (span / (INTERVAL_US * MOST_POINTS)).max(1);
    let now = now();
    let end = now - now.rem_euclid(step);
    let start = end - span - span.rem_euclid(step);

    #[derive(Default)]
    struct Sum {
        blocks: i64,
        transactions: i64,
        interval_sum_us: i64,
        intervals: i64,
        latencies: Vec<i64>,
    }
    let mut sums: BTreeMap<i64, Sum> =
        (0..).map(|index| start + index * step).take_while(|at| *at <= end).map(|at| (at, Sum::default())).collect();
    for counted in store::statistics::since(read, network, start).await? {
        if let Some(sum) = sums.get_mut(&(counted.at - counted.at.rem_euclid(step))) {
            sum.blocks += counted.blocks;
            sum.transactions += counted.transactions;
            sum.interval_sum_us += counted.interval_sum_us;
            sum.intervals += counted.intervals;
        }
    }
    for (submitted_at, finished_at) in store::transactions::latencies(read, network, start).await? {
        if let Some(sum) = sums.get_mut(&(finished_at - finished_at.rem_euclid(step))) {
            sum.latencies.push(finished_at - submitted_at);
        }
    }
    let points = sums
        .into_iter()
        .map(|(at, mut sum)| {
            sum.latencies.sort_unstable();
            StatisticsPoint {
                at,
                blocks: u32::try_from(sum.blocks).unwrap_or(u32::MAX),
                transactions: u32::try_from(sum.transactions).unwrap_or(u32::MAX),
                block_interval_ms: (sum.intervals > 0)
                    .then(|| sum.interval_sum_us as f64 / sum.intervals as f64 / 1000.0),
                latency_p50_ms: percentile(&sum.latencies, 50),
                latency_p99_ms: percentile(&sum.latencies, 99),
            }
        })
        .collect();
    Ok(Statistics { interval_seconds: u32::try_from(step / 1_000_000).unwrap_or(u32::MAX), points })
}

/// The value, in milliseconds, that `percent` of the sorted microseconds do not exceed.
fn percentile(sorted: &[i64], percent: usize) -> Option<f64> {
    let index = (sorted.len() * percent).div_ceil(100).checked_sub(1)?;
    sorted.get(index).map(|value| *value as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_take_the_nearest_rank() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[7_000], 50), Some(7.0));
        assert_eq!(percentile(&[7_000], 99), Some(7.0));
        let hundred: Vec<i64> = (1..=100).map(|value| value * 1_000).collect();
        assert_eq!((percentile(&hundred, 50), percentile(&hundred, 99)), (Some(50.0), Some(99.0)));
    }
}
