//! Building a version's programs with the operator's Go, in stages that can each be taken again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use host::tool::{self, Tool};
use serde::Deserialize;
use types::{now, version_numbers};

use crate::catalogue::GoRecipe;
use crate::directory::{clear, hashes};
use crate::{Directory, Error, Installed, Origin, Recipe, Result, Source};

/// Space that a build takes at most, its caches included.
const SPACE: u64 = 4_000_000_000;
/// A slow machine takes long; one that hangs must not do so for ever.
const LONGEST: Duration = Duration::from_secs(3 * 3600);

/// What builds: found in the operator's `PATH`, with the settings of the operator's Go.
#[derive(Clone, Debug, Default)]
pub struct Toolchain {
    /// What the tools find in their environment: `PATH`, `HOME`, and what begins with `GO` or names a proxy.
    pub environment: BTreeMap<String, String>,
}

/// A version that is being built.
#[derive(Clone, Debug)]
pub struct Build {
    directory: Directory,
    recipe: Recipe,
    go: GoRecipe,
    version: String,
    source: Source,
    toolchain: Toolchain,
}

/// A part of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Looks for what building needs, and settles what is built.
    Check,
    /// Downloads the modules.
    Download,
    /// Compiles the programs.
    Compile,
    /// Records what was built and puts it into its place.
    Record,
}

/// Is told how far a stage has come.
pub type Progress<'a> = &'a (dyn Fn(String) + Send + Sync);

/// `go env -json`.
#[derive(Deserialize)]
struct GoEnvironment {
    #[serde(rename = "GOVERSION")]
    version: String,
}

/// `go list -m -json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GoModule {
    version: Option<String>,
    dir: Option<PathBuf>,
}

impl Build {
    /// Prepares to build a version.
    ///
    /// # Errors
    /// [`Error::NotBuilt`], [`Error::Version`].
    pub fn new(directory: Directory, recipe: &Recipe, version: &str, toolchain: Toolchain) -> Result<Self> {
        let source = recipe.source(version)?;
        let recipe = recipe.of(version);
        let go = recipe.go.clone().ok_or_else(|| Error::NotBuilt(recipe.name.clone()))?;
        Ok(Self { directory, recipe, go, version: version.into(), source, toolchain })
    }

    /// Takes a stage. Does nothing once the version is installed.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn take(&self, stage: Stage, progress: Progress<'_>) -> Result<()> {
        let _lock = self.lock(progress).await?;
        if self.directory.place(&self.recipe.name, &self.version).join("engine.json").exists() {
            return Ok(());
        }
        match stage {
            Stage::Check => self.check(progress).await,
            Stage::Download => self.download(progress).await,
            Stage::Compile => self.compile(progress).await,
            Stage::Record => self.record().await,
        }
    }

    /// Removes what an unfinished build has left; the caches stay.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn abandon(&self) -> Result<()> {
        clear(&self.work())
    }

    /// One build of a version at a time, also of several servers that share the directory.
    async fn lock(&self, progress: Progress<'_>) -> Result<std::fs::File> {
        let work = self.work();
        let path = work.with_added_extension("lock");
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| Error::file(parent, error))?;
        }
        let file = std::fs::File::create(&path).map_err(|error| Error::file(&path, error))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(error)) => return Err(Error::file(&path, error)),
            }
            progress("another server builds it; waiting for that".into());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn check(&self, progress: Progress<'_>) -> Result<()> {
        let go = self.go_version().await?;
        progress(format!("Go {go}"));
        if self.go.cgo && ["cc", "gcc", "clang"].iter().all(|name| self.find(name).is_none()) {
            return Err(Error::Tool(format!("{} needs a C compiler: install gcc", self.recipe.name)));
        }
        self.check_space()?;
        let (go_mod, go_sum) = match &self.source {
            Source::Locked { go_mod, go_sum } => (go_mod.clone(), go_sum.clone()),
            Source::Asked(query) => {
                let version = self.resolve(query).await?;
                progress(format!("{} is {version}", self.what()));
                (self.go.go_mod.replace("{module-version}", &version), String::new())
            }
        };
        let wanted = go_mod.lines().find_map(|line| line.strip_prefix("go ")).unwrap_or("1.0").trim().to_owned();
        if !at_least(&go, &wanted) {
            return Err(Error::Tool(format!("{} needs Go {wanted} or newer, here is {go}: install it", self.what())));
        }
        let work = self.work();
        std::fs::create_dir_all(&work).map_err(|error| Error::file(&work, error))?;
        // What an earlier try has found out stays.
        if self.is_locked() || !work.join("go.sum").exists() {
            write(&work.join("go.mod"), &go_mod)?;
            write(&work.join("go.sum"), &go_sum)?;
        }
        Ok(())
    }

    async fn download(&self, progress: Progress<'_>) -> Result<()> {
        let packages = self.packages(progress).await?;
        progress(format!("{packages} packages are here"));
        Ok(())
    }

    /// Downloads the modules that the programs need; answers how many packages they consist of.
    async fn packages(&self, progress: Progress<'_>) -> Result<usize> {
        let mut args = vec!["list".into(), self.module_mode().into(), "-deps".into(), "-f={{.ImportPath}}".into()];
        args.extend(self.paths());
        let mut modules = 0;
        let listed = self
            .run(&self.work(), args, |line| {
                if let Some(module) = line.strip_prefix("go: downloading ") {
                    modules += 1;
                    progress(format!("{modules} modules downloaded, now {module}"));
                }
            })
            .await?;
        Ok(listed.lines().count())
    }

    async fn compile(&self, progress: Progress<'_>) -> Result<()> {
        let packages = self.packages(&|_| {}).await?;
        let bin = self.work().join("bin");
        std::fs::create_dir_all(&bin).map_err(|error| Error::file(&bin, error))?;
        let mut args = vec!["build".into(), self.module_mode().into(), "-v".into(), "-buildvcs=false".into()];
        args.extend(self.go.flags.iter().map(|flag| flag.replace("{version}", &self.version)));
        args.extend(["-o".into(), format!("{}/", bin.display())]);
        args.extend(self.paths());
        let mut compiled = 0;
        self.run(&self.work(), args, |line| {
            // A line with a space is the compiler's word; a package's path has none.
            if !line.contains(' ') {
                compiled += 1;
                progress(format!("{compiled} of up to {packages} packages compiled"));
            }
        })
        .await?;
        for (name, path) in &self.go.folders {
            let module = self.module().await?;
            let from = module.dir.unwrap_or_default().join(path);
            let to = self.work().join(name);
            clear(&to)?;
            copy(&from, &to)?;
        }
        Ok(())
    }

    async fn record(&self) -> Result<()> {
        let work = self.work();
        let programs = hashes(&self.recipe, &work.join("bin"))?;
        let sums = std::fs::read_to_string(work.join("go.sum")).map_err(|error| Error::file(&work, error))?;
        let module = self.go.origin.as_ref().unwrap_or(&self.go.module);
        let (version, checksum) = sums
            .lines()
            .filter_map(|line| line.strip_prefix(module.as_str())?.strip_prefix(' ')?.split_once(' '))
            .find(|(version, _)| !version.ends_with("/go.mod"))
            .ok_or_else(|| Error::Checksum(format!("go.sum does not name {module}")))?;
        let record = Installed {
            engine: self.recipe.name.clone(),
            version: self.version.clone(),
            programs,
            origin: Origin::Built {
                module: format!("{module}@{version}"),
                checksum: checksum.into(),
                go: self.go_version().await?,
            },
            tested: self.is_locked(),
            installed_at: now(),
        };
        self.directory.put(&work, &record)
    }

    /// The module version that a query means: itself, or what the registry says of a commit or tag.
    async fn resolve(&self, query: &str) -> Result<String> {
        if query.starts_with('v') && query.contains('.') {
            return Ok(query.into());
        }
        let module = self.go.origin.as_ref().unwrap_or(&self.go.module);
        let args = vec!["list".into(), "-m".into(), "-json".into(), format!("{module}@{query}")];
        let answer: GoModule = parse(&self.run(self.directory.path(), args, |_| {}).await?)?;
        answer.version.ok_or_else(|| Error::Refused { what: self.what(), said: "it names no version".into() })
    }

    async fn module(&self) -> Result<GoModule> {
        let args = vec!["list".into(), self.module_mode().into(), "-m".into(), "-json".into(), self.go.module.clone()];
        parse(&self.run(&self.work(), args, |_| {}).await?)
    }

    async fn go_version(&self) -> Result<String> {
        let args = vec!["env".into(), "-json".into(), "GOVERSION".into()];
        let environment: GoEnvironment = parse(&self.run(self.directory.path(), args, |_| {}).await?)?;
        Ok(environment.version.trim_start_matches("go").into())
    }

    /// Runs Go; gives what it prints. Lines of standard error go to `each` as they come.
    async fn run(&self, directory: &Path, args: Vec<String>, each: impl FnMut(&str) + Send) -> Result<String> {
        let program = self.find("go").ok_or_else(|| {
            Error::Tool("Go is missing: install it (golang.org/dl, or a package of the system) so that the server finds `go` in its PATH".into())
        })?;
        let cache = self.directory.path().join(".cache");
        let mut env = self.toolchain.environment.clone();
        let path = |name: &str| cache.join(name).display().to_string();
        env.extend([
            ("GOPATH".into(), path("go")),
            ("GOMODCACHE".into(), path("mod")),
            ("GOCACHE".into(), path("build")),
            // Another toolchain than the operator's is not downloaded behind the operator's back.
            ("GOTOOLCHAIN".into(), "local".into()),
            // So that the cache can be removed like any directory.
            ("GOFLAGS".into(), "-modcacherw".into()),
            ("GOWORK".into(), "off".into()),
            ("CGO_ENABLED".into(), if self.go.cgo { "1" } else { "0" }.into()),
        ]);
        std::fs::create_dir_all(&cache).map_err(|error| Error::file(&cache, error))?;
        let tool = Tool { program, args, env, directory: directory.to_owned(), time_limit: LONGEST, sandbox: None };
        let end = tool::run(&tool, each).await?;
        if end.success { Ok(end.out) } else { Err(self.failure(&end.err)) }
    }

    /// What Go's words mean.
    fn failure(&self, said: &str) -> Error {
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let last = || {
            let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("go: downloading")).collect();
            lines[lines.len().saturating_sub(6)..].join(" ").trim().to_owned()
        };
        if has(&["no space left on device", "disk quota exceeded"]) {
            Error::DiskFull(self.directory.path().to_owned())
        } else if has(&["SECURITY ERROR", "checksum mismatch"]) {
            Error::Checksum(last())
        } else if has(&[
            "dial tcp",
            "no such host",
            "i/o timeout",
            "connection re",
            "TLS handshake",
            "disabled by GOPROXY",
        ]) {
            Error::Network(last())
        } else if has(&[
            "404 Not Found",
            "410 Gone",
            "403 Forbidden",
            "unknown revision",
            "invalid version",
            "not found: ",
        ]) {
            Error::Refused { what: self.what(), said: last() }
        } else {
            Error::Build { what: self.what(), said: last() }
        }
    }

    fn find(&self, program: &str) -> Option<PathBuf> {
        let path = self.toolchain.environment.get("PATH")?;
        std::env::split_paths(path).map(|directory| directory.join(program)).find(|path| path.is_file())
    }

    fn check_space(&self) -> Result<()> {
        let path = self.directory.path();
        let space = nix::sys::statvfs::statvfs(path).map_err(|errno| Error::file(path, errno.into()))?;
        if space.blocks_available() * space.fragment_size() < SPACE {
            return Err(Error::DiskFull(path.to_owned()));
        }
        Ok(())
    }

    fn paths(&self) -> impl Iterator<Item = String> + '_ {
        self.go.packages.iter().map(|package| format!("{}/{package}", self.go.module))
    }

    fn module_mode(&self) -> &'static str {
        if self.is_locked() { "-mod=readonly" } else { "-mod=mod" }
    }

    fn is_locked(&self) -> bool {
        matches!(self.source, Source::Locked { .. })
    }

    fn work(&self) -> PathBuf {
        self.directory.workshop(&self.recipe.name, &self.version)
    }

    fn what(&self) -> String {
        format!("{} {}", self.recipe.name, self.version)
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| Error::file(path, error))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).map_err(|error| Error::file(to, error))?;
    for entry in std::fs::read_dir(from).map_err(|error| Error::file(from, error))? {
        let entry = entry.map_err(|error| Error::file(from, error))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            // Read and written, not copied: modules in the cache may be read-only, and what comes of them must not be.
            let content = std::fs::read(entry.path()).map_err(|error| Error::file(&entry.path(), error))?;
            std::fs::write(&target, content).map_err(|error| Error::file(&target, error))?;
        }
    }
    Ok(())
}

fn parse<T: for<'a> Deserialize<'a>>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|source| Error::Record { path: "the answer of go".into(), source })
}

/// Compares versions of Go by their numbers.
fn at_least(found: &str, wanted: &str) -> bool {
    version_numbers(found) >= version_numbers(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalogue;

    #[test]
    fn versions_of_go_are_compared_by_numbers() {
        for (found, wanted, fits) in
            [("1.26.8", "1.20", true), ("1.9", "1.20", false), ("1.24.0", "1.24", true), ("1.25rc1", "1.24.1", true)]
        {
            assert_eq!(at_least(found, wanted), fits, "{found} {wanted}");
        }
    }

    #[test]
    fn what_go_says_is_told_apart() {
        let catalogue = Catalogue::embedded().unwrap();
        let recipe = catalogue.recipe("quorum").unwrap();
        let build = Build::new(Directory::new("/none"), recipe, "22.7.4", Toolchain::default()).unwrap();
        assert!(matches!(build.failure("write x: no space left on device"), Error::DiskFull(_)));
        assert!(matches!(build.failure("verifying m@v1: checksum mismatch"), Error::Checksum(_)));
        assert!(matches!(build.failure("Get \"https://p\": dial tcp: lookup p: no such host"), Error::Network(_)));
        assert!(matches!(build.failure("m@v9: reading p: 404 Not Found"), Error::Refused { .. }));
        assert!(matches!(build.failure("x.go:1:2: undefined: y"), Error::Build { .. }));
    }
}
