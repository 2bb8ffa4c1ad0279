//! How the process ends: `sysexits.h`' numbers, so that a supervisor can tell a full disk from a wrong file.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Wrong usage of the command line.
pub const USAGE: u8 = 64;
/// A defect, or a part that ended: a restart may help.
pub const SOFTWARE: u8 = 70;
/// The disk or a file failed: a restart helps once the cause is removed.
pub const STORAGE: u8 = 74;
/// A wrong genesis, key, address or data directory: a restart does not help.
pub const CONFIGURATION: u8 = 78;

/// With less than this left, a disk is called full: files grow by pieces of some mebibytes.
const FULL_BELOW: u64 = 16 * 1024 * 1024;

/// The data directory of the node that runs in this process.
static DATA: OnceLock<PathBuf> = OnceLock::new();

/// Tells [`fatal`] whose disk to look at.
pub(crate) fn data_directory(path: &Path) {
    // A process runs one node.
    let _ = DATA.set(path.into());
}

/// The one line that a failing node leaves on standard error. The libraries below do not always say why a write
/// failed; where the disk is full, the line does.
pub fn fatal(message: &dyn std::fmt::Display, code: u8) {
    let full = DATA.get().filter(|_| code == STORAGE).and_then(|path| {
        let disk = rustix::fs::statvfs(path).ok()?;
        full_disk(path, disk.f_bavail.saturating_mul(disk.f_frsize))
    });
    eprintln!("fatal: {message}{}", full.unwrap_or_default());
}

fn full_disk(path: &Path, free: u64) -> Option<String> {
    (free < FULL_BELOW).then(|| {
        format!(
            "; the disk of {} is full ({} KiB are free): make room and start the node again, nothing that it acknowledged is lost",
            path.display(),
            free / 1024,
        )
    })
}

/// What to do with a panic: `None` where it ends one request only, else the line for [`fatal`] and the exit status.
///
/// The consensus' libraries panic when their storage fails, so that nothing goes on with what may not be on disk. The
/// message tells such a panic from a defect.
pub fn panicked(thread: Option<&str>, message: &str, place: &str) -> Option<(String, u8)> {
    if thread.is_some_and(|name| name.starts_with(crate::rpc::THREADS)) {
        return None;
    }
    let message = message.lines().next().unwrap_or_default();
    // Another process was faster than this one between the check at start and the network's opening.
    if message.starts_with("failed to bind listener") {
        return Some(("cannot listen for other nodes: the address was taken meanwhile".into(), SOFTWARE));
    }
    if STORAGE_WORDS.iter().any(|word| message.contains(word)) {
        return Some((format!("storage: {message} ({place})"), STORAGE));
    }
    Some((format!("{message} ({place})"), SOFTWARE))
}

const STORAGE_WORDS: [&str; 11] = [
    "failed to sync",
    "must sync",
    "sync failed",
    "io error",
    "os error",
    "No space left",
    "write failed",
    "read failed",
    "blob ",
    "journal",
    "archive",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_disk_is_told_from_a_defect() {
        let (line, code) =
            panicked(Some("tokio-rt-worker"), "failed to sync blocks: No space left on device (os error 28)", "a.rs:1")
                .unwrap();
        assert_eq!((line.starts_with("storage: "), code), (true, STORAGE));
        let (line, code) = panicked(None, "`async fn` resumed after panicking\nmore", "a.rs:1").unwrap();
        assert_eq!((line.as_str(), code), ("`async fn` resumed after panicking (a.rs:1)", SOFTWARE));
    }

    #[test]
    fn a_full_disk_is_named() {
        let line = full_disk(Path::new("/data/node"), 4096).unwrap();
        assert!(line.contains("/data/node is full (4 KiB are free)"), "{line}");
        assert_eq!(full_disk(Path::new("/data/node"), FULL_BELOW), None);
    }

    #[test]
    fn a_panic_in_one_request_does_not_end_the_node() {
        assert_eq!(panicked(Some("rpc-1"), "index out of bounds", "a.rs:1"), None);
    }
}
