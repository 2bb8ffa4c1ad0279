//! How the process ends: `sysexits.h`' numbers, so that a supervisor can tell a full disk from a wrong file.

/// Wrong usage of the command line.
pub const USAGE: u8 = 64;
/// A defect, or a part that ended: a restart may help.
pub const SOFTWARE: u8 = 70;
/// The disk or a file failed: a restart helps once the cause is removed.
pub const STORAGE: u8 = 74;
/// A wrong genesis, key, address or data directory: a restart does not help.
pub const CONFIGURATION: u8 = 78;

/// The one line that a failing node leaves on standard error.
pub fn fatal(message: &dyn std::fmt::Display) {
    eprintln!("fatal: {message}");
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
    fn a_panic_in_one_request_does_not_end_the_node() {
        assert_eq!(panicked(Some("rpc-1"), "index out of bounds", "a.rs:1"), None);
    }
}
