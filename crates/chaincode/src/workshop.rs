//! One build while it runs: its directories, its tools in their sandbox, and what the tools' words mean.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use host::tool::{self, Ended, Tool};
use host::{Limits, Sandbox};

use crate::files::make;
use crate::{Builds, Error, Result, Source};

/// Longest file that a build may write, in bytes.
const LONGEST_FILE: u64 = 2 << 30;
/// How many processes and threads a build may have.
const PROCESSES: u64 = 4096;
/// How much of what a failed tool said is told.
const LAST_WORDS: usize = 4000;

/// A build while it runs.
pub struct Workshop<'a> {
    builds: &'a Builds,
    /// What is built.
    pub source: &'a Source,
    work: PathBuf,
    /// Settings of the operator's tools that lie where the sandbox cannot read them.
    pub settings: BTreeMap<String, String>,
    began: Instant,
}

/// A call of a tool.
pub struct Call<'a> {
    pub program: &'a str,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    /// The part of the cache that it may write.
    pub cache: Option<&'a Path>,
    /// Whether what it prints on standard output is an answer rather than words for a person.
    pub answers: bool,
    /// Whether it downloads. What runs the source's own scripts does not.
    pub downloads: bool,
}

impl<'a> Workshop<'a> {
    pub fn new(builds: &'a Builds, source: &'a Source) -> Self {
        Self { builds, source, work: PathBuf::new(), settings: BTreeMap::new(), began: Instant::now() }
    }

    /// Unpacks the source and hands it to the sandbox.
    pub fn open(&mut self, work: &Path) -> Result<()> {
        self.work = work.to_owned();
        self.began = Instant::now();
        for directory in [self.source_directory(), self.made(), self.home(), self.temporary()] {
            make(&directory)?;
        }
        self.source.unpack(&self.source_directory())?;
        Ok(self.builds.sandbox.own(&self.room())?)
    }

    /// Takes back from the sandbox what was made, and makes the directory of the result, which no sandbox has ever had.
    pub fn close(&self) -> Result<()> {
        self.builds.sandbox.disown(&self.room())?;
        make(&self.out().join("bin"))
    }

    /// Moves something that was made into the result. `path` lies in the sandbox's room, where anything may be a link to
    /// anywhere, so none is followed. False when it is not there.
    pub fn take(&self, path: &Path, to: &str) -> Result<bool> {
        let inside = path.strip_prefix(self.room()).unwrap_or(path);
        let mut reached = self.room();
        for part in inside {
            let is_folder = std::fs::symlink_metadata(&reached).is_ok_and(|metadata| metadata.is_dir());
            if !is_folder {
                return Ok(false);
            }
            reached.push(part);
        }
        if !std::fs::symlink_metadata(&reached).is_ok_and(|metadata| !metadata.is_symlink()) {
            return Ok(false);
        }
        let to = self.out().join(to);
        std::fs::rename(&reached, &to).map_err(|error| Error::file(&to, error))?;
        Ok(true)
    }

    /// What the sandbox may write.
    fn room(&self) -> PathBuf {
        self.work.join("room")
    }

    /// Where the source is.
    pub fn source_directory(&self) -> PathBuf {
        self.room().join("source")
    }

    /// Where tools put what they make.
    pub fn made(&self) -> PathBuf {
        self.room().join("made")
    }

    /// The result.
    pub fn out(&self) -> PathBuf {
        self.work.join("out")
    }

    pub fn home(&self) -> PathBuf {
        self.room().join("home")
    }

    pub fn temporary(&self) -> PathBuf {
        self.room().join("tmp")
    }

    pub fn downloads(&self) -> bool {
        self.builds.downloads
    }

    /// A part of the cache, made and handed to the sandbox when it is not there.
    pub fn cache(&self, name: &str) -> Result<PathBuf> {
        let path = self.builds.cache.join(name);
        make(&path)?;
        if !self.builds.sandbox.owns(&path) {
            self.builds.sandbox.own(&path)?;
        }
        Ok(path)
    }

    /// Where the operator's `PATH` has a program.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        let path = self.builds.environment.get("PATH")?;
        std::env::split_paths(path).map(|directory| directory.join(program)).find(|path| path.is_file())
    }

    /// What a tool of the operator says of itself, with the operator's own settings: no code of the source is near.
    pub async fn ask(&self, program: &str, args: &[&str], install: &str) -> Result<String> {
        let path = self.find(program).ok_or_else(|| missing(program, install))?;
        let mut env = self.builds.environment.clone();
        env.insert("GOTOOLCHAIN".into(), "local".into());
        let tool = Tool {
            program: path,
            args: args.iter().map(|arg| (*arg).into()).collect(),
            env,
            directory: "/".into(),
            time_limit: self.builds.time_limit,
            sandbox: None,
        };
        let ended = tool::run(&tool, |_| {}).await?;
        if !ended.success {
            return Err(Error::Toolchain(format!("{program} does not work here: {}", last_words(&ended))));
        }
        Ok(format!("{}{}", ended.out, ended.err))
    }

    /// Runs a tool on the source; gives what it prints. Lines of standard error go to `each` as they come.
    pub async fn run(&self, call: Call<'_>, each: impl FnMut(&str) + Send) -> Result<String> {
        let program = self.find(call.program).ok_or_else(|| missing(call.program, call.program))?;
        let mut env = self.builds.environment.clone();
        env.extend(self.settings.clone());
        env.insert("HOME".into(), self.home().display().to_string());
        env.insert("TMPDIR".into(), self.temporary().display().to_string());
        env.extend(call.env);
        let seconds = self.builds.time_limit.as_secs();
        let time_limit = self.builds.time_limit.saturating_sub(self.began.elapsed());
        let network = call.downloads && self.builds.downloads;
        let sandbox = Some(self.sandbox(call.cache, network));
        let tool = Tool { program, args: call.args, env, directory: self.source_directory(), time_limit, sandbox };
        let mut ended = tool::run(&tool, each).await.map_err(|error| match error {
            // The whole build's limit, not what was left of it.
            host::Error::TimeLimit { .. } => Error::TimeLimit(seconds),
            other => other.into(),
        })?;
        if ended.success {
            return Ok(ended.out);
        }
        if call.answers {
            ended.out.clear();
        }
        Err(self.failure(&ended, call.downloads))
    }

    fn sandbox(&self, cache: Option<&Path>, network: bool) -> Sandbox {
        let limits = Limits {
            // Of each process; the time limit counts for all together.
            cpu_seconds: Some(self.builds.time_limit.as_secs().max(1) * 4),
            file_bytes: Some(LONGEST_FILE),
            processes: Some(PROCESSES),
        };
        let mut sandbox = self.builds.sandbox.clone().limited(limits);
        sandbox = sandbox.hiding(&self.builds.directory).hiding(&self.builds.cache).writing(self.room());
        sandbox = cache.into_iter().fold(sandbox, Sandbox::writing);
        if network { sandbox } else { sandbox.without_network() }
    }

    /// What a tool's words mean.
    fn failure(&self, ended: &Ended, downloads: bool) -> Error {
        let said = format!("{}{}", ended.out, ended.err);
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if has(&["no space left on device", "No space left on device", "ENOSPC", "disk quota exceeded"]) {
            return Error::DiskFull(self.builds.directory.clone());
        }
        let unreachable = has(&[
            "dial tcp",
            "no such host",
            "disabled by GOPROXY",
            "code ENOTCACHED",
            "code ENOTFOUND",
            "code EAI_AGAIN",
            "code ECONNREFUSED",
            "code ENETUNREACH",
            "Unknown host",
            "UnknownHostException",
            "Network is unreachable",
            "Connection refused",
            "in offline mode",
        ]);
        match (downloads && unreachable, self.builds.downloads) {
            (true, true) => Error::Registry(last_words(ended)),
            (true, false) => Error::DownloadsOff(last_words(ended)),
            (false, _) => Error::Build(last_words(ended)),
        }
    }
}

/// The end of what a tool said that is of use to a person.
fn last_words(ended: &Ended) -> String {
    let noise = |line: &&str| {
        let line = line.trim();
        let npm = line.starts_with("npm warn")
            || line.starts_with("npm notice")
            || line.contains("A complete log of this run");
        let maven = ["[INFO]", "[ERROR] [Help", "[ERROR] To see", "[ERROR] Re-run", "[ERROR] For more"];
        line.is_empty()
            || line == "[ERROR]"
            || npm
            || line.starts_with("go: downloading")
            || maven.iter().any(|word| line.starts_with(word))
    };
    let both = format!("{}\n{}", ended.out, ended.err);
    let lines: Vec<&str> = both.lines().filter(|line| !noise(line)).collect();
    let text = lines.join("\n");
    let start = text.len().saturating_sub(LAST_WORDS);
    let start = (start..=text.len()).find(|index| text.is_char_boundary(*index)).unwrap_or(start);
    text[start..].trim().to_owned()
}

fn missing(program: &str, install: &str) -> Error {
    Error::Toolchain(format!("`{program}` is missing: install {install} so that the server finds it in its PATH"))
}

/// Whether a version such as `1.26.0` is at least another.
pub fn at_least(version: &str, wanted: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let digits = text.split(|letter: char| !letter.is_ascii_digit());
        digits.filter_map(|part| part.parse().ok()).take(3).collect()
    };
    numbers(version) >= numbers(wanted)
}
