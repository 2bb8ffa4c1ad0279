//! What a node's process uses of the machine. Children of the process are not counted.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use types::Usage;

use crate::process::ProcessIdentity;

/// Samples closer together say nothing about the CPU.
const SHORTEST: Duration = Duration::from_millis(400);
/// How often the directory is walked.
const DISK_INTERVAL: Duration = Duration::from_secs(60);

/// The newest samples of a node.
#[derive(Default)]
pub(super) struct Sampler {
    /// CPU ticks so far, and what was told then.
    last: Option<(ProcessIdentity, u64, Instant, Usage)>,
    disk: Option<(Instant, u64)>,
}

/// Takes a sample, or gives the newest again when it is fresh.
pub(super) async fn sample(sampler: &Mutex<Sampler>, process: &ProcessIdentity, directory: &Path) -> Option<Usage> {
    let disk = disk(sampler, directory).await;
    let stat = process.stat()?;
    let (now, ticks) = (Instant::now(), stat.utime + stat.stime);
    let mut sampler = sampler.lock();
    let cpu = match &sampler.last {
        Some((same, before, at, usage)) if same == process => {
            let elapsed = now - *at;
            if elapsed < SHORTEST {
                return Some(usage.clone());
            }
            ticks.saturating_sub(*before) as f64 / procfs::ticks_per_second() as f64 / elapsed.as_secs_f64()
        }
        _ => 0.0,
    };
    let usage = Usage { at: types::now(), cpu, memory_bytes: stat.rss * procfs::page_size(), disk_bytes: disk };
    sampler.last = Some((process.clone(), ticks, now, usage.clone()));
    Some(usage)
}

async fn disk(sampler: &Mutex<Sampler>, directory: &Path) -> u64 {
    let known = sampler.lock().disk;
    if let Some((at, bytes)) = known
        && at.elapsed() < DISK_INTERVAL
    {
        return bytes;
    }
    let path = directory.to_owned();
    let bytes = tokio::task::spawn_blocking(move || used(path)).await.unwrap_or_default();
    sampler.lock().disk = Some((Instant::now(), bytes));
    bytes
}

/// Bytes that files below a directory take on the disk. What disappears meanwhile is not counted.
fn used(directory: PathBuf) -> u64 {
    let mut bytes = 0;
    let mut open = vec![directory];
    while let Some(directory) = open.pop() {
        let Ok(entries) = std::fs::read_dir(directory) else { continue };
        for entry in entries.flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => open.push(entry.path()),
                Ok(metadata) => bytes += metadata.blocks() * 512,
                Err(_) => {}
            }
        }
    }
    bytes
}
