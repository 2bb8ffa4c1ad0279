//! Small things around encoding that every part needs: decoding with a precise error, time, hashes, deadlines.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prost::Message;
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// Reads a message and names it when it cannot be read.
pub(crate) fn decode<M: Message + Default>(what: &'static str, bytes: &[u8]) -> Result<M> {
    M::decode(bytes).map_err(|source| Error::Decode { what, source: source.into() })
}

pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

pub(crate) fn timestamp(time: SystemTime) -> prost_types::Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    prost_types::Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        // Fewer than 10^9, so it fits.
        nanos: since.subsec_nanos() as i32,
    }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|failure| Error::certificate("a random number", failure.to_string()))?;
    Ok(bytes)
}

/// A duration as Go prints it (`time.Duration.String`): `500ms`, `1m0s`, `1.5s`. Fabric's configuration holds durations
/// in this form.
pub(crate) fn go_duration(duration: Duration) -> String {
    let fraction = |value: f64| {
        let text = format!("{value:.9}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let nanos = duration.as_nanos();
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", fraction(nanos as f64 / 1e3)),
        1_000_000..1_000_000_000 => format!("{}ms", fraction(nanos as f64 / 1e6)),
        _ => {
            let (hours, minutes) = (duration.as_secs() / 3600, duration.as_secs() / 60 % 60);
            let seconds = fraction((duration.as_secs() % 60) as f64 + f64::from(duration.subsec_nanos()) / 1e9);
            match (hours, minutes) {
                (0, 0) => format!("{seconds}s"),
                (0, _) => format!("{minutes}m{seconds}s"),
                _ => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// Waits for an answer, but no longer than the deadline.
pub(crate) async fn within<T>(
    operation: &'static str,
    deadline: Duration,
    work: impl Future<Output = std::result::Result<T, tonic::Status>>,
) -> Result<T> {
    match tokio::time::timeout(deadline, work).await {
        Err(_) => Err(Error::Deadline { operation, deadline }),
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(status)) => Err(Error::status(operation, status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        let cases = [
            (0, "0s"),
            (50_000_000, "50ms"),
            (1_500_000, "1.5ms"),
            (1_000_000_000, "1s"),
            (1_500_000_000, "1.5s"),
            (20_000_000_000, "20s"),
            (60_000_000_000, "1m0s"),
            (180_000_000_000, "3m0s"),
            (3_600_000_000_000, "1h0m0s"),
            (5_025_000_000_000, "1h23m45s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(go_duration(Duration::from_nanos(nanos)), text);
        }
    }
}
