//! A ledger file in memory, with a disk's manners: what was not synced is lost in a power cut, and it can be full.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use redb::StorageBackend;

/// A file that lives in memory and outlives the store that is opened on it. Clones are the same file.
#[derive(Clone, Debug, Default)]
pub struct MemoryFile(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    content: Mutex<Content>,
    /// Counts openings: whoever opened it before no longer reaches it, as if its process had died.
    session: AtomicU64,
}

#[derive(Debug)]
struct Content {
    bytes: Vec<u8>,
    /// The content at the last sync, kept as what it takes to get back there: the length, and the ranges that were
    /// overwritten since, newest last.
    synced_length: usize,
    undo: Vec<(usize, Vec<u8>)>,
    limit: usize,
}

impl Default for Content {
    fn default() -> Self {
        Self { bytes: Vec::new(), synced_length: 0, undo: Vec::new(), limit: usize::MAX }
    }
}

impl MemoryFile {
    /// From now on the file cannot grow beyond `bytes`: writing further fails like a full disk.
    pub fn set_limit(&self, bytes: usize) {
        self.0.content.lock().limit = bytes;
    }

    /// Its length in bytes.
    pub fn length(&self) -> usize {
        self.0.content.lock().bytes.len()
    }

    /// Ends every store that is open on this file, as if its process had been killed. What it wrote stays.
    pub fn kill(&self) {
        let _content = self.0.content.lock();
        self.0.session.fetch_add(1, Ordering::SeqCst);
    }

    /// Like [`Self::kill`], and what was written since the last sync is lost.
    pub fn cut_power(&self) {
        let mut content = self.0.content.lock();
        self.0.session.fetch_add(1, Ordering::SeqCst);
        while let Some((offset, bytes)) = content.undo.pop() {
            let end = offset + bytes.len();
            if content.bytes.len() < end {
                content.bytes.resize(end, 0);
            }
            content.bytes[offset..end].copy_from_slice(&bytes);
        }
        let length = content.synced_length;
        content.bytes.resize(length, 0);
    }

    /// Overwrites bytes behind the store's back, as a failing disk does.
    pub fn damage(&self, offset: usize, bytes: &[u8]) {
        let mut content = self.0.content.lock();
        let end = (offset + bytes.len()).min(content.bytes.len());
        if offset < end {
            content.bytes[offset..end].copy_from_slice(&bytes[..end - offset]);
        }
    }

    pub(super) fn open(&self) -> Opened {
        let _content = self.0.content.lock();
        Opened { session: self.0.session.fetch_add(1, Ordering::SeqCst) + 1, file: self.clone() }
    }
}

/// One opening of a [`MemoryFile`].
#[derive(Debug)]
pub(super) struct Opened {
    file: MemoryFile,
    session: u64,
}

impl Opened {
    fn with<T>(&self, use_content: impl FnOnce(&mut Content) -> io::Result<T>) -> io::Result<T> {
        let mut content = self.file.0.content.lock();
        if self.file.0.session.load(Ordering::SeqCst) != self.session {
            return Err(io::Error::other("the file was taken away"));
        }
        use_content(&mut content)
    }
}

impl Content {
    fn grow_to(&mut self, length: usize) -> io::Result<()> {
        if length > self.limit {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.bytes.resize(length, 0);
        Ok(())
    }

    fn range(&self, offset: u64, length: usize) -> io::Result<std::ops::Range<usize>> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start.checked_add(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        if end > self.bytes.len() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(start..end) }
    }
}

impl StorageBackend for Opened {
    fn len(&self) -> io::Result<u64> {
        self.with(|content| Ok(content.bytes.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|content| {
            let range = content.range(offset, out.len())?;
            out.copy_from_slice(&content.bytes[range]);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|content| {
            let length = usize::try_from(len).map_err(io::Error::other)?;
            if length < content.bytes.len() {
                let cut = content.bytes[length..].to_vec();
                content.undo.push((length, cut));
                content.bytes.truncate(length);
                return Ok(());
            }
            content.grow_to(length)
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|content| {
            content.undo.clear();
            content.synced_length = content.bytes.len();
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.with(|content| {
            let range = content.range(offset, data.len())?;
            let old = content.bytes[range.clone()].to_vec();
            content.undo.push((range.start, old));
            content.bytes[range].copy_from_slice(data);
            Ok(())
        })
    }
}
