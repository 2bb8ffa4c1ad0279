//! The file that acknowledged transactions survive in.
//!
//! Twelve bytes of head, then records: length of the payload (u32, little-endian), kind (one byte),
//! the first eight bytes of keccak-256 over kind and payload, the payload. A *transaction* record holds
//! a raw EIP-2718 transaction, a *gone* record the hash of one that left for another reason than
//! inclusion. Records are only appended; the file is written anew, without what is dead, when the
//! pool is opened and when most of it is dead.
//!
//! A crash can leave a torn record at the end. Bytes that are no record are skipped up to the next
//! one, so that damage never costs more than what it hit.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use alloy_primitives::{B256, Keccak256};

use crate::PoolError;

const HEAD: &[u8; 12] = b"polder-pool\x01";
const RECORD_HEAD: usize = 4 + 1 + 8;
const TRANSACTION: u8 = 1;
const GONE: u8 = 2;

/// No record is longer; what claims to be is damage.
const LONGEST: usize = 4 * 1024 * 1024;

/// A file smaller than this is not written anew while the pool runs.
const COMPACT_FROM: u64 = 16 * 1024 * 1024;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// Accepted.
    Transaction(Vec<u8>),
    /// Left, not by inclusion.
    Gone(B256),
}

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    /// A write failed: what the file's end holds is not known until it is written anew.
    damaged: bool,
    /// At this length the file is looked at again.
    compact_at: u64,
}

/// Appends a transaction's record to `buffer`.
pub(crate) fn transaction_record(buffer: &mut Vec<u8>, raw: &[u8]) {
    record(buffer, TRANSACTION, raw);
}

/// Appends a departed transaction's record to `buffer`.
pub(crate) fn gone_record(buffer: &mut Vec<u8>, hash: &B256) {
    record(buffer, GONE, hash.as_slice());
}

fn record(buffer: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    buffer.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    buffer.push(kind);
    buffer.extend_from_slice(&checksum(kind, payload));
    buffer.extend_from_slice(payload);
}

fn checksum(kind: u8, payload: &[u8]) -> [u8; 8] {
    let mut hasher = Keccak256::new();
    hasher.update([kind]);
    hasher.update(payload);
    let mut sum = [0; 8];
    sum.copy_from_slice(&hasher.finalize()[..8]);
    sum
}

/// The records in a journal's bytes, and how many bytes belong to none.
pub(crate) fn parse(bytes: &[u8]) -> (Vec<Record>, usize) {
    let mut records = Vec::new();
    let mut skipped = 0;
    let mut rest = bytes;
    while !rest.is_empty() {
        match read(rest) {
            Some((record, length)) => {
                records.push(record);
                rest = &rest[length..];
            }
            None => {
                skipped += 1;
                rest = &rest[1..];
            }
        }
    }
    (records, skipped)
}

fn read(bytes: &[u8]) -> Option<(Record, usize)> {
    let (head, rest) = bytes.split_first_chunk::<RECORD_HEAD>()?;
    let [l0, l1, l2, l3, kind, sum @ ..] = *head;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length == 0 || length > LONGEST || !(kind == TRANSACTION || (kind == GONE && length == 32)) {
        return None;
    }
    let payload = rest.get(..length)?;
    if checksum(kind, payload) != sum {
        return None;
    }
    let record = match kind {
        GONE => Record::Gone(B256::from_slice(payload)),
        _ => Record::Transaction(payload.to_vec()),
    };
    Some((record, RECORD_HEAD + length))
}

impl Journal {
    /// Reads a journal's records; none when there is no file.
    ///
    /// # Errors
    /// When it cannot be read or is another kind of file.
    pub(crate) fn load(path: &Path) -> Result<Vec<Record>, PoolError> {
        let failed = |source| PoolError::Journal { path: path.into(), source };
        let mut bytes = Vec::new();
        match File::open(path) {
            Ok(mut file) => file.read_to_end(&mut bytes).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let Some(records) = bytes.strip_prefix(HEAD.as_slice()) else {
            let name = &HEAD[..HEAD.len() - 1];
            let reason = match bytes.get(..name.len()) {
                // The file was being made when the node stopped.
                _ if HEAD.starts_with(&bytes) => return Ok(Vec::new()),
                Some(start) if start == name => "its version is another one",
                _ => "it begins with other bytes",
            };
            return Err(PoolError::NotAJournal { path: path.into(), reason });
        };
        let (records, skipped) = parse(records);
        if skipped > 0 {
            tracing::warn!(path = %path.display(), bytes = skipped, "the transaction journal has bytes that are no record; skipped");
        }
        Ok(records)
    }

    /// Makes a journal that holds exactly `live`, in the place of the one at `path`.
    ///
    /// # Errors
    /// When it cannot be written; the old one is untouched then.
    pub(crate) fn create(path: &Path, live: &[Vec<u8>]) -> io::Result<Self> {
        let mut bytes = HEAD.to_vec();
        for raw in live {
            transaction_record(&mut bytes, raw);
        }
        let new = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        if let Some(directory) = path.parent() {
            File::open(directory)?.sync_all()?;
        }
        let length = bytes.len() as u64;
        Ok(Self { path: path.into(), file, length, damaged: false, compact_at: COMPACT_FROM.max(length * 4) })
    }

    /// Appends records and waits until they are on the disk.
    ///
    /// # Errors
    /// When they are not; [`Self::is_damaged`] from then on.
    pub(crate) fn append(&mut self, records: &[u8]) -> io::Result<()> {
        let result = self.file.write_all(records).and_then(|()| self.file.sync_data());
        match result {
            Ok(()) => self.length += records.len() as u64,
            Err(_) => self.damaged = true,
        }
        result
    }

    /// A write failed: the file takes nothing until it is written anew.
    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// Whether most of the file is dead, given how much is alive.
    pub(crate) fn is_mostly_dead(&self, live_bytes: usize) -> bool {
        self.length >= self.compact_at && self.length / 4 > live_bytes as u64
    }

    /// Writes the file anew with what is alive.
    ///
    /// # Errors
    /// When it cannot be; the old file is kept and tried again when it has grown.
    pub(crate) fn compact(&mut self, live: &[Vec<u8>]) -> io::Result<()> {
        match Self::create(&self.path, live) {
            Ok(new) => {
                *self = new;
                Ok(())
            }
            Err(error) => {
                self.compact_at = self.length * 2;
                Err(error)
            }
        }
    }
}
