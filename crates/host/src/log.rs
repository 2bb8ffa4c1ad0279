//! A node's log: written and rotated by the shim, read by the host.
//!
//! One file for both streams keeps their order: `log/node.log`, then `node.log.1` and so on, the newest
//! first. A line is `MICROS LETTER TEXT` with the letter `o` (standard output), `e` (standard error) or `h`
//! (the host's own words).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};
use serde::{Deserialize, Serialize};
use types::LogLine;

use crate::{Error, Result};

/// How much of a log is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLimits {
    /// A file is full at this many bytes.
    pub file_bytes: u64,
    /// How many full files are kept beside the one that is written.
    pub old_files: u32,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self { file_bytes: 8 << 20, old_files: 4 }
    }
}

/// Longer lines are cut into several.
pub(crate) const LONGEST_LINE: usize = 64 << 10;

/// Which stream a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
    Host,
}

impl Stream {
    fn letter(self) -> char {
        match self {
            Self::Out => 'o',
            Self::Err => 'e',
            Self::Host => 'h',
        }
    }

    fn name(letter: &str) -> Option<&'static str> {
        match letter {
            "o" => Some("stdout"),
            "e" => Some("stderr"),
            "h" => Some("host"),
            _ => None,
        }
    }
}

/// Writes a log.
pub(crate) struct LogWriter {
    directory: PathBuf,
    limits: LogLimits,
    file: Option<File>,
    written: u64,
    /// Lines that could not be written since the last that could.
    lost: u64,
    /// Whether the file may end within a line.
    cut: bool,
}

impl LogWriter {
    /// Opens a log to append to it.
    pub fn open(directory: &Path, limits: LogLimits) -> Self {
        Self { directory: directory.to_owned(), limits, file: None, written: 0, lost: 0, cut: false }
    }

    /// Writes a line. A full disk loses the line, not the program: it is counted and said later.
    pub fn line(&mut self, stream: Stream, text: &str) {
        if self.lost > 0 && self.try_line(Stream::Host, &format!("{} lines could not be written", self.lost)).is_ok() {
            self.lost = 0;
        }
        if self.try_line(stream, text).is_err() {
            self.lost += 1;
            self.file = None;
        }
    }

    fn try_line(&mut self, stream: Stream, text: &str) -> std::io::Result<()> {
        if self.file.is_some() && self.written >= self.limits.file_bytes {
            self.rotate()?;
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let path = path(&self.directory, 0);
                let file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
                self.written = file.metadata()?.len();
                self.file.insert(file)
            }
        };
        let end = if self.cut { "\n" } else { "" };
        let line = format!("{end}{} {} {text}\n", types::now(), stream.letter());
        // What a full disk took of it stays; the next line then begins a new one.
        self.cut = true;
        file.write_all(line.as_bytes())?;
        self.cut = false;
        self.written += line.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> std::io::Result<()> {
        self.file = None;
        for number in (0..self.limits.old_files).rev() {
            let from = path(&self.directory, number);
            if from.exists() {
                std::fs::rename(from, path(&self.directory, number + 1))?;
            }
        }
        if self.limits.old_files == 0 {
            std::fs::remove_file(path(&self.directory, 0))?;
        }
        Ok(())
    }
}

fn path(directory: &Path, number: u32) -> PathBuf {
    if number == 0 { directory.join("node.log") } else { directory.join(format!("node.log.{number}")) }
}

fn parse(line: &str) -> Option<LogLine> {
    let mut parts = line.splitn(3, ' ');
    let at = parts.next()?.parse().ok()?;
    let stream = Stream::name(parts.next()?)?;
    Some(LogLine { at, stream: stream.into(), text: parts.next().unwrap_or_default().into() })
}

/// A place in a log from which reading goes on.
pub(crate) struct Cursor {
    directory: PathBuf,
    file: Option<File>,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
}

/// The newest lines, oldest first, and the place after them.
pub(crate) fn tail(directory: &Path, lines: usize) -> Result<(Vec<LogLine>, Cursor)> {
    let mut parts: Vec<Vec<LogLine>> = Vec::new();
    let mut cursor = Cursor { directory: directory.to_owned(), file: None, rest: Vec::new() };
    let mut missing = lines;
    let mut seen = Vec::new();
    for number in 0.. {
        let path = path(directory, number);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
            Err(error) => return Err(Error::file(path, error)),
        };
        let mut read = || -> std::io::Result<Option<(Vec<LogLine>, Vec<u8>)>> {
            let inode = file.metadata()?.ino();
            // A rotation in between shows a file a second time under its new name.
            if seen.contains(&inode) {
                return Ok(None);
            }
            seen.push(inode);
            last_lines(&mut file, missing).map(Some)
        };
        let Some((found, rest)) = read().map_err(|error| Error::file(&path, error))? else { continue };
        if number == 0 {
            cursor.file = Some(file);
            cursor.rest = rest;
        }
        missing -= found.len();
        parts.push(found);
        if missing == 0 {
            break;
        }
    }
    Ok((parts.into_iter().rev().flatten().collect(), cursor))
}

/// Reads the last lines of a file from its end, and the unfinished line after them.
fn last_lines(file: &mut File, lines: usize) -> std::io::Result<(Vec<LogLine>, Vec<u8>)> {
    let end = file.metadata()?.len();
    let mut start = end;
    let mut bytes: Vec<u8> = Vec::new();
    while start > 0 && bytes.iter().filter(|byte| **byte == b'\n').count() <= lines {
        let length = start.min(64 << 10);
        start -= length;
        let mut chunk = vec![0; length as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut chunk)?;
        chunk.append(&mut bytes);
        bytes = chunk;
    }
    file.seek(SeekFrom::Start(end))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let rest = bytes.split_off(whole);
    let text = String::from_utf8_lossy(&bytes);
    let mut found: Vec<LogLine> = text.lines().rev().filter_map(parse).take(lines).collect();
    found.reverse();
    Ok((found, rest))
}

impl Cursor {
    /// Complete lines that came since; goes over to the next file after a rotation.
    pub fn read(&mut self) -> Result<Vec<LogLine>> {
        let current = path(&self.directory, 0);
        let mut read = || -> std::io::Result<Vec<LogLine>> {
            let mut lines = Vec::new();
            // Looked at before reading: what is written into the old file until then is read below.
            let newest = match File::open(&current) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            if let Some(file) = &mut self.file {
                drain(file, &mut self.rest, &mut lines)?;
            }
            let Some(mut newest) = newest else { return Ok(lines) };
            let same = match &self.file {
                Some(file) => file.metadata()?.ino() == newest.metadata()?.ino(),
                None => false,
            };
            if !same {
                self.rest.clear();
                drain(&mut newest, &mut self.rest, &mut lines)?;
                self.file = Some(newest);
            }
            Ok(lines)
        };
        read().map_err(|error| Error::file(&current, error))
    }

    /// The lines from here on, as they come.
    pub fn follow(self, first: Vec<LogLine>) -> BoxStream<'static, Result<LogLine>> {
        let first = futures::stream::iter(first.into_iter().map(Ok));
        let rest = futures::stream::unfold(self, |mut cursor| async move {
            loop {
                match cursor.read() {
                    Ok(lines) if lines.is_empty() => tokio::time::sleep(Duration::from_millis(200)).await,
                    Ok(lines) => return Some((lines.into_iter().map(Ok).collect::<Vec<_>>(), cursor)),
                    Err(error) => return Some((vec![Err(error)], cursor)),
                }
            }
        });
        first.chain(rest.map(futures::stream::iter).flatten()).boxed()
    }
}

fn drain(file: &mut File, rest: &mut Vec<u8>, lines: &mut Vec<LogLine>) -> std::io::Result<()> {
    file.read_to_end(rest)?;
    let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    lines.extend(String::from_utf8_lossy(&rest[..whole]).lines().filter_map(parse));
    rest.drain(..whole);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[LogLine]) -> Vec<&str> {
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn rotation_keeps_the_newest_and_reading_spans_files() {
        let directory = tempfile::tempdir().unwrap();
        let limits = LogLimits { file_bytes: 200, old_files: 2 };
        let mut writer = LogWriter::open(directory.path(), limits);
        let (_, mut cursor) = tail(directory.path(), 0).unwrap();
        let mut followed = Vec::new();
        for number in 0..50 {
            writer.line(if number % 2 == 0 { Stream::Out } else { Stream::Err }, &format!("line {number}"));
            followed.extend(cursor.read().unwrap());
        }
        assert_eq!(followed.len(), 50, "a follower that reads often misses nothing");
        let mut files: Vec<_> =
            std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["node.log", "node.log.1", "node.log.2"]);
        let (lines, _) = tail(directory.path(), 10).unwrap();
        assert_eq!(texts(&lines), (40..50).map(|number| format!("line {number}")).collect::<Vec<_>>());
        assert_eq!(lines[9].stream, "stderr");
        let (all, _) = tail(directory.path(), 1000).unwrap();
        assert!(all.len() > 10 && all.len() < 50, "{}", all.len());
    }

    #[test]
    fn a_line_that_was_cut_short_does_not_swallow_the_next() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(path(directory.path(), 0), "1 o first\n2 e sec").unwrap();
        let mut writer = LogWriter { cut: true, ..LogWriter::open(directory.path(), LogLimits::default()) };
        writer.line(Stream::Host, "third");
        writer.line(Stream::Host, "fourth");
        assert_eq!(texts(&tail(directory.path(), 5).unwrap().0), ["first", "sec", "third", "fourth"]);
    }

    #[test]
    fn an_unfinished_line_is_given_when_it_is_finished() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(path(directory.path(), 0), "1 o first\n2 e sec").unwrap();
        let (lines, mut cursor) = tail(directory.path(), 5).unwrap();
        assert_eq!(texts(&lines), ["first"]);
        let mut file = std::fs::OpenOptions::new().append(true).open(path(directory.path(), 0)).unwrap();
        file.write_all(b"ond\n").unwrap();
        assert_eq!(texts(&cursor.read().unwrap()), ["second"]);
        assert!(cursor.read().unwrap().is_empty());
    }
}
