//! Files that only their owner may read.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::{Error, Result};

/// Writes a new file with mode 0600 and makes it durable; fails when it is there. Written beside and linked: a full disk or a
/// crash leaves no half-made file under its name.
pub(crate) fn create_private(path: &Path, contents: &[u8]) -> Result<()> {
    let draft = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(contents)?;
        file.sync_all()?;
        std::fs::hard_link(&draft, path)
    };
    let written = write();
    // The draft holds the secret: it goes, whatever happened.
    let removed = std::fs::remove_file(&draft);
    let synced = || path.parent().map_or(Ok(()), |parent| std::fs::File::open(parent)?.sync_all());
    written.and(removed).and_then(|()| synced()).map_err(|error| Error::File(path.to_owned(), error))
}
