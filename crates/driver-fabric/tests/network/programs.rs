//! Fabric's programs: where they are, and processes that end with the test.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The directory of installed engines.
pub fn engines() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("POLDER_ENGINES") {
        return Ok(path.into());
    }
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").context("no HOME")?).join(".cache"),
    };
    Ok(cache.join("polder/engines"))
}

/// A program of an installed engine: `ENGINE-VERSION/PROGRAM`.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let (engine, program) = name.split_once('/').context("ENGINE/PROGRAM")?;
    let path = engines()?.join(engine).join("bin").join(program);
    if !path.is_file() {
        bail!("{} is missing: build it from `engines/{engine}`, or set POLDER_ENGINES", path.display());
    }
    Ok(path)
}

/// Runs a shell's lines to their end and gives what they printed.
pub fn shell(lines: &str, directory: &Path, environment: &[(&str, &str)]) -> anyhow::Result<String> {
    let mut command = Command::new("sh");
    let output = command.arg("-ec").arg(lines).current_dir(directory).envs(environment.iter().copied()).output()?;
    if !output.status.success() {
        bail!("{lines}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Builds the sample chaincode; quick when nothing changed.
pub fn sample_chaincode() -> anyhow::Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/fabric/go");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("asset");
    let mut command = Command::new("go");
    command.current_dir(&source).env("CGO_ENABLED", "0").env("GOFLAGS", "-mod=readonly");
    let output = command.args(["build", "-trimpath", "-o"]).arg(&program).arg(".").output();
    let output = output.context("the sample chaincode needs Go to be built")?;
    if !output.status.success() {
        bail!("the sample chaincode does not build: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(program)
}

/// A running program in a process group of its own, killed when dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program with this environment and a path to find others by; what it prints goes to a file.
    pub fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(String, String)],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child, log: log.to_owned() })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::env::var_os("POLDER_TEST_LOGS").is_some() {
            let text = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            eprintln!("--- {}\n{}", self.log.display(), lines[lines.len().saturating_sub(12)..].join("\n"));
        }
        if let Ok(pid) = i32::try_from(self.child.id())
            && matches!(self.child.try_wait(), Ok(None))
        {
            let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}
