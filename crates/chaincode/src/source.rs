//! Sources: what a person uploads, checked before anything of it touches a disk.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// Most bytes of a source, unpacked.
const MOST_BYTES: u64 = 64 << 20;
/// Most files of a source.
const MOST_FILES: usize = 10_000;
/// Longest path in a source.
const LONGEST_PATH: usize = 1024;
/// Folders that are no part of a source, wherever they lie.
const SKIPPED: [&str; 4] = [".git", ".hg", ".svn", "node_modules"];
/// Folders at the top that a language's tools make, by the file that tells the language. Elsewhere, and for other languages,
/// such a name is as good as any.
const MADE: [(&str, &[&str]); 2] = [("pom.xml", &["target"]), ("tsconfig.json", &["build", "dist", "out"])];

/// What a chaincode is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Language {
    /// Go, found by `go.mod`.
    Go,
    /// JavaScript, found by `package.json`.
    JavaScript,
    /// TypeScript, found by `package.json` and `tsconfig.json`.
    TypeScript,
    /// Java, found by `pom.xml`.
    Java,
}

/// A source directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    files: BTreeMap<String, File>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    executable: bool,
    content: Vec<u8>,
}

impl Source {
    /// Packs a directory as a tar.gz: the same files always give the same bytes. Leaves out what is made from the source, and
    /// links.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Source`] when it is too large.
    pub fn pack(directory: &Path) -> Result<Vec<u8>> {
        let mut source = Self { files: BTreeMap::new() };
        let made = MADE.iter().filter(|(file, _)| directory.join(file).exists()).flat_map(|(_, folders)| *folders);
        let made: Vec<&str> = made.copied().collect();
        let mut bytes = 0;
        source.collect(directory, "", &made, &mut bytes)?;
        if source.files.is_empty() {
            return Err(Error::Source(format!("{} holds no files", directory.display())));
        }
        source.to_bytes()
    }

    fn collect(&mut self, directory: &Path, prefix: &str, skipped: &[&str], bytes: &mut u64) -> Result<()> {
        for entry in std::fs::read_dir(directory).map_err(|error| Error::file(directory, error))? {
            let entry = entry.map_err(|error| Error::file(directory, error))?;
            let path = entry.path();
            let name = entry.file_name().into_string();
            let name = name.map_err(|_| Error::Source(format!("the name of {} is not UTF-8", path.display())))?;
            let metadata = entry.metadata().map_err(|error| Error::file(&path, error))?;
            if metadata.is_dir() {
                if !SKIPPED.contains(&name.as_str()) && !skipped.contains(&name.as_str()) {
                    self.collect(&path, &format!("{prefix}{name}/"), &[], bytes)?;
                }
            } else if metadata.is_file() {
                *bytes += metadata.len();
                self.check_size(*bytes)?;
                let content = std::fs::read(&path).map_err(|error| Error::file(&path, error))?;
                let executable = metadata.permissions().mode() & 0o100 != 0;
                self.files.insert(format!("{prefix}{name}"), File { executable, content });
            }
        }
        Ok(())
    }

    /// Reads a tar.gz of a source directory, or of a folder that holds nothing but one.
    ///
    /// # Errors
    /// [`Error::Source`]: what it holds that it must not.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        // Names and headers count too: a few bytes can unpack to any number of them.
        let most = MOST_BYTES + (MOST_FILES as u64) * 2048;
        let mut archive = tar::Archive::new(GzDecoder::new(bytes).take(most));
        let unreadable = |error: std::io::Error| Error::Source(format!("it is no tar.gz that can be read: {error}"));
        let mut source = Self { files: BTreeMap::new() };
        let mut length = 0;
        for entry in archive.entries().map_err(unreadable)? {
            let mut entry = entry.map_err(unreadable)?;
            let kind = entry.header().entry_type();
            // What `git archive` writes first: a comment.
            if kind == tar::EntryType::XGlobalHeader {
                continue;
            }
            let path = plain_path(&entry.path_bytes())?;
            match kind {
                tar::EntryType::Directory => continue,
                tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {}
                _ => {
                    return Err(Error::Source(format!(
                        "`{path}` is neither a file nor a folder (links are not allowed)"
                    )));
                }
            }
            length += entry.size();
            source.check_size(length)?;
            let executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(unreadable)?;
            if source.files.insert(path.clone(), File { executable, content }).is_some() {
                return Err(Error::Source(format!("`{path}` is in it twice")));
            }
        }
        source.check_folders()?;
        source.strip();
        if source.files.is_empty() {
            return Err(Error::Source("it holds no files".into()));
        }
        Ok(source)
    }

    /// The source as a tar.gz: sorted, without times and owners, and not compressed, because two versions of a compressor may
    /// differ.
    ///
    /// # Errors
    /// [`Error::Source`] for a path that an archive cannot hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let failed = |error: std::io::Error| Error::Source(error.to_string());
        let mut archive = tar::Builder::new(Vec::new());
        for (path, file) in &self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(file.content.len() as u64);
            header.set_mode(file.mode());
            header.set_mtime(0);
            archive.append_data(&mut header, path, file.content.as_slice()).map_err(failed)?;
        }
        let bytes = archive.into_inner().map_err(failed)?;
        let mut gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::none());
        gzip.write_all(&bytes).map_err(failed)?;
        gzip.finish().map_err(failed)
    }

    /// SHA-256 of what the source holds, hexadecimal: of each file in the order of their paths the path's length and the path,
    /// its mode, its length and its content, numbers as 8 bytes, big end first. However it was packed, the same files give
    /// the same digest.
    pub fn digest(&self) -> String {
        self.digest_of(|_| true)
    }

    /// The digest of some of the files.
    pub(crate) fn digest_of(&self, wanted: impl Fn(&str) -> bool) -> String {
        let mut hash = Sha256::new();
        for (path, file) in self.files.iter().filter(|(path, _)| wanted(path)) {
            hash.update((path.len() as u64).to_be_bytes());
            hash.update(path);
            hash.update(u64::from(file.mode()).to_be_bytes());
            hash.update((file.content.len() as u64).to_be_bytes());
            hash.update(&file.content);
        }
        hex::encode(hash.finalize())
    }

    /// What it is written in.
    ///
    /// # Errors
    /// [`Error::Language`]: what was looked for.
    pub fn language(&self) -> Result<Language> {
        let has = |path: &str| self.files.contains_key(path);
        if has("go.mod") {
            Ok(Language::Go)
        } else if has("package.json") {
            Ok(if has("tsconfig.json") { Language::TypeScript } else { Language::JavaScript })
        } else if has("pom.xml") {
            Ok(Language::Java)
        } else if has("build.gradle") || has("build.gradle.kts") {
            Err(Error::Language("Gradle is not offered: give the chaincode a pom.xml, Maven builds it".into()))
        } else {
            Err(Error::Language(
                "the language of the source is not known: at its top there is no go.mod (Go), package.json (JavaScript, or \
                 TypeScript with tsconfig.json) or pom.xml (Java)"
                    .into(),
            ))
        }
    }

    /// The text of a file at the top.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(&self.files.get(path)?.content).ok()
    }

    /// Whether a file or a folder is there.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path) || self.files.keys().any(|other| other.starts_with(&format!("{path}/")))
    }

    /// Writes the files into a directory that is empty.
    pub(crate) fn unpack(&self, directory: &Path) -> Result<()> {
        for (path, file) in &self.files {
            let path = directory.join(path);
            let parent = path.parent().unwrap_or(directory);
            std::fs::create_dir_all(parent).map_err(|error| Error::file(parent, error))?;
            std::fs::write(&path, &file.content).map_err(|error| Error::file(&path, error))?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(file.mode()))
                .map_err(|error| Error::file(&path, error))?;
        }
        Ok(())
    }

    fn check_size(&self, bytes: u64) -> Result<()> {
        if bytes > MOST_BYTES {
            return Err(Error::Source(format!("it holds more than {} MiB", MOST_BYTES >> 20)));
        }
        if self.files.len() >= MOST_FILES {
            return Err(Error::Source(format!("it holds more than {MOST_FILES} files")));
        }
        Ok(())
    }

    /// Refuses a file that is a folder as well.
    fn check_folders(&self) -> Result<()> {
        for path in self.files.keys() {
            let folder = Path::new(path)
                .ancestors()
                .skip(1)
                .filter_map(Path::to_str)
                .find(|above| self.files.contains_key(*above));
            if let Some(folder) = folder {
                return Err(Error::Source(format!("`{folder}` is in it as a file and as a folder")));
            }
        }
        Ok(())
    }

    /// Leaves out the folder that holds everything.
    fn strip(&mut self) {
        let Some(folder) =
            self.files.keys().next().and_then(|path| path.split_once('/')).map(|(folder, _)| format!("{folder}/"))
        else {
            return;
        };
        if self.files.keys().all(|path| path.starts_with(&folder)) {
            let files = std::mem::take(&mut self.files);
            self.files = files.into_iter().map(|(path, file)| (path[folder.len()..].to_owned(), file)).collect();
        }
    }
}

impl File {
    fn mode(&self) -> u32 {
        if self.executable { 0o755 } else { 0o644 }
    }
}

/// A path that stays below the directory that it is unpacked in, without what changes nothing.
fn plain_path(bytes: &[u8]) -> Result<String> {
    let shown = String::from_utf8_lossy(bytes);
    let refused = |reason: &str| Err(Error::Source(format!("the path `{shown}` {reason}")));
    let Ok(path) = std::str::from_utf8(bytes) else { return refused("is not UTF-8") };
    if path.len() > LONGEST_PATH {
        return Err(Error::Source(format!("a path is longer than {LONGEST_PATH} bytes")));
    }
    if path.chars().any(char::is_control) {
        return refused("holds control characters");
    }
    let mut parts = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str().unwrap_or_default()),
            Component::CurDir => {}
            Component::ParentDir => return refused("leaves the source by `..`"),
            Component::RootDir | Component::Prefix(_) => return refused("is absolute"),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            // Written by hand: the library would not write what must be refused.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            header.set_mtime(7);
            header.set_cksum();
            archive.append(&header, *content).unwrap();
        }
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&archive.into_inner().unwrap()).unwrap();
        gzip.finish().unwrap()
    }

    fn refusal(entries: &[(&str, tar::EntryType, &[u8])]) -> String {
        Source::from_bytes(&archive(entries)).unwrap_err().to_string()
    }

    #[test]
    fn what_a_source_must_not_hold_is_refused_with_the_reason() {
        use tar::EntryType::{Char, Link, Regular, Symlink};
        for (path, kind, reason) in [
            ("../evil", Regular, "`..`"),
            ("a/../../evil", Regular, "`..`"),
            ("/etc/passwd", Regular, "absolute"),
            ("a\nb", Regular, "control"),
            ("link", Symlink, "neither a file nor a folder"),
            ("link", Link, "neither a file nor a folder"),
            ("device", Char, "neither a file nor a folder"),
        ] {
            let said = refusal(&[("go.mod", Regular, b"x"), (path, kind, b"")]);
            assert!(said.contains(reason), "{path}: {said}");
        }
        assert!(refusal(&[("a", Regular, b""), ("./a", Regular, b"")]).contains("twice"));
        assert!(refusal(&[("a", Regular, b""), ("a/b", Regular, b"")]).contains("as a file and as a folder"));
        assert!(refusal(&[]).contains("no files"));
        assert!(matches!(Source::from_bytes(b"no archive"), Err(Error::Source(_))));
    }

    #[test]
    fn a_source_that_unpacks_to_too_much_is_refused() {
        let large = vec![0; (MOST_BYTES + 1) as usize];
        let bytes = archive(&[("zeros", tar::EntryType::Regular, &large)]);
        assert!(bytes.len() < 1 << 20, "a small upload");
        assert!(Source::from_bytes(&bytes).unwrap_err().to_string().contains("64 MiB"));
        let names: Vec<String> = (0..=MOST_FILES).map(|number| format!("f{number}")).collect();
        let entries: Vec<_> = names.iter().map(|name| (name.as_str(), tar::EntryType::Regular, &b""[..])).collect();
        assert!(refusal(&entries).contains("10000 files"));
        assert!(Source::from_bytes(&archive(&entries[1..])).is_ok());
    }

    #[test]
    fn the_same_files_are_the_same_source_however_they_are_packed() {
        let directory = tempfile::tempdir().unwrap();
        for (path, content) in
            [("go.mod", "module x"), ("lib/a.go", "package lib"), ("node_modules/x/y", "z"), (".git/HEAD", "r")]
        {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let packed = Source::pack(directory.path()).unwrap();
        assert_eq!(packed, Source::pack(directory.path()).unwrap());
        let source = Source::from_bytes(&packed).unwrap();
        assert_eq!(source.files.keys().collect::<Vec<_>>(), ["go.mod", "lib/a.go"]);
        assert_eq!(source.to_bytes().unwrap(), packed);

        use tar::EntryType::{Directory, Regular, XGlobalHeader};
        let other = archive(&[
            ("pax_global_header", XGlobalHeader, b"13 comment=x\n"),
            ("asset-1.0/", Directory, b""),
            ("asset-1.0/lib/a.go", Regular, b"package lib"),
            ("./asset-1.0/go.mod", Regular, b"module x"),
        ]);
        assert_eq!(
            Source::from_bytes(&other).unwrap().digest(),
            source.digest(),
            "a folder around it, other times and order"
        );
        std::fs::set_permissions(directory.path().join("go.mod"), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_ne!(Source::from_bytes(&Source::pack(directory.path()).unwrap()).unwrap().digest(), source.digest());
        assert!(Source::pack(&directory.path().join("none")).is_err());
    }

    #[test]
    fn the_language_is_told_by_what_lies_at_the_top() {
        let language = |names: &[&str]| {
            let file = |name: &&str| ((*name).to_owned(), File { executable: false, content: Vec::new() });
            Source { files: names.iter().map(file).collect() }.language()
        };
        assert_eq!(language(&["go.mod"]).unwrap(), Language::Go);
        assert_eq!(language(&["package.json"]).unwrap(), Language::JavaScript);
        assert_eq!(language(&["package.json", "tsconfig.json"]).unwrap(), Language::TypeScript);
        assert_eq!(language(&["pom.xml", "build.gradle"]).unwrap(), Language::Java);
        assert!(language(&["build.gradle.kts"]).unwrap_err().to_string().contains("Maven"));
        assert!(language(&["sub/go.mod", "README"]).unwrap_err().to_string().contains("no go.mod"));
    }
}
