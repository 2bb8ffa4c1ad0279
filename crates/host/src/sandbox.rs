//! Other people's code, kept apart from Polder's files and from one another.
//!
//! A [`Sandbox`] turns a command into one that util-linux's `unshare`, `mount`, `prlimit` and `setpriv` run in a mount
//! namespace of its own: Polder's directories, the temporary ones and what a closed directory holds are covered by empty file
//! systems in memory, and only the directories that it was given lie in them again. It can gain no privileges. Where the
//! server is root the command gets a user id of its own; elsewhere it gets a user namespace, in which it owns no more than
//! the server's user does. What lies outside of the covered directories stays readable as it is for that user.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What holds temporary files of everybody; a sandbox has its own, empty and in memory.
const TEMPORARY: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];
/// Where users' message buses and agents listen: through them a program could have others act for it.
const SOCKETS: &str = "/run/user";
/// One of these holds what a sandbox is given while the places of it are covered.
const STAGES: [&str; 5] = ["/mnt", "/media", "/srv", "/opt", "/home"];

/// Where the system's programs are.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// How a machine can keep other people's code apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Isolation {
    /// A user id of its own and a mount namespace: the server is root.
    User,
    /// A user namespace and a mount namespace: the server is not root.
    Namespaces,
    /// Not at all. An administrator has accepted it.
    Nothing,
}

impl Isolation {
    /// The best that this machine offers; found by trying, once.
    ///
    /// # Errors
    /// [`Error::Sandbox`] when it offers none and nobody has accepted that.
    pub fn of_this_machine(accept_nothing: bool) -> Result<Self> {
        static FOUND: OnceLock<std::result::Result<Isolation, String>> = OnceLock::new();
        let found = FOUND.get_or_init(|| {
            let best = if nix::unistd::geteuid().is_root() { Self::User } else { Self::Namespaces };
            Sandbox::new(best, "probe").try_out().map(|()| best)
        });
        match found {
            Ok(isolation) => Ok(*isolation),
            Err(_) if accept_nothing => Ok(Self::Nothing),
            Err(reason) => Err(Error::Sandbox(reason.clone())),
        }
    }
}

/// What a process in a sandbox may use; none means no limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// CPU time of each process, in seconds.
    pub cpu_seconds: Option<u64>,
    /// Length of each file that it writes.
    pub file_bytes: Option<u64>,
    /// Processes and threads together. Only where it has a user id of its own: elsewhere the server's would count.
    pub processes: Option<u64>,
}

/// A command as it is meant, and as it is run.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommandLine {
    pub program: PathBuf,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub directory: PathBuf,
}

/// What other people's code is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sandbox {
    isolation: Isolation,
    user: u32,
    hidden: Vec<PathBuf>,
    readable: Vec<PathBuf>,
    writable: Vec<PathBuf>,
    network: bool,
    limits: Limits,
}

impl Sandbox {
    /// A sandbox that is given nothing but the network. `name`, which must be unique on the machine, such as a directory,
    /// settles the user id.
    pub fn new(isolation: Isolation, name: &str) -> Self {
        Self {
            isolation,
            user: user_of(name),
            hidden: Vec::new(),
            readable: Vec::new(),
            writable: Vec::new(),
            network: true,
            limits: Limits::default(),
        }
    }

    /// Hides a directory with all below it, apart from what the sandbox is given.
    #[must_use]
    pub fn hiding(mut self, path: impl Into<PathBuf>) -> Self {
        self.hidden.push(path.into());
        self
    }

    /// Gives a directory to read.
    #[must_use]
    pub fn reading(mut self, path: impl Into<PathBuf>) -> Self {
        self.readable.push(path.into());
        self
    }

    /// Gives a directory to write.
    #[must_use]
    pub fn writing(mut self, path: impl Into<PathBuf>) -> Self {
        self.writable.push(path.into());
        self
    }

    /// Takes the network away.
    #[must_use]
    pub fn without_network(mut self) -> Self {
        self.network = false;
        self
    }

    /// Sets limits.
    #[must_use]
    pub fn limited(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How it keeps the code apart.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Whether a directory is the sandbox's.
    pub fn owns(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        self.isolation != Isolation::User || path.metadata().is_ok_and(|metadata| metadata.uid() == self.user)
    }

    /// Makes a directory and all in it the sandbox's. Links are not followed.
    ///
    /// # Errors
    /// A file cannot be changed.
    pub fn own(&self, path: &Path) -> Result<()> {
        if self.isolation == Isolation::User { chown(path, self.user) } else { Ok(()) }
    }

    /// Makes a directory and all in it the server's again. Nothing of the sandbox may run any more.
    ///
    /// # Errors
    /// A file cannot be changed.
    pub fn disown(&self, path: &Path) -> Result<()> {
        if self.isolation == Isolation::User { chown(path, nix::unistd::geteuid().as_raw()) } else { Ok(()) }
    }

    /// The command of a tool: all that it starts ends with it, so its process id is another one outside.
    pub(crate) fn of_tool(&self, command: CommandLine) -> CommandLine {
        // The shell stays as the first process of the namespace and as root: a change of the user would undo the signal that
        // it gets when `unshare` is killed.
        let run = "status=0\n\"$@\" || status=$?\nexit $status";
        self.command(&["--pid", "--fork", "--kill-child", "--mount-proc"], run, command)
    }

    /// The command of a service: it keeps its process id, by which the shim knows it.
    pub(crate) fn of_service(&self, command: CommandLine) -> CommandLine {
        self.command(&[], "exec \"$@\"", command)
    }

    fn command(&self, unshare: &[&str], run: &str, command: CommandLine) -> CommandLine {
        if self.isolation == Isolation::Nothing {
            return command;
        }
        let mut args: Vec<String> = ["--mount", "--ipc"].map(str::to_owned).to_vec();
        args.extend(unshare.iter().map(|word| (*word).to_owned()));
        if self.isolation == Isolation::Namespaces {
            args.extend(["--user", "--map-root-user"].map(str::to_owned));
        }
        if !self.network {
            args.push("--net".into());
        }
        args.extend(["--", "/bin/sh", "-c", &self.script(&command.directory, run), "sandbox"].map(str::to_owned));
        args.extend(self.privileges());
        // What the environment says is for the command alone: read by a loader or a shell that is still root, it would be
        // run as root. So it travels under other names and not in arguments, which everybody on the machine can read.
        let given = command.env.keys().enumerate();
        let given: String =
            given.map(|(number, name)| format!(" {}\"$E{number}\"", quoted(&format!("{name}=")))).collect();
        let start = format!("exec {} -i{given} \"$@\"", find("env").display());
        args.extend(["/bin/sh".into(), "-c".into(), start, "sandbox".into(), command.program.display().to_string()]);
        args.extend(command.args);
        let env = command.env.into_values().enumerate().map(|(number, value)| (format!("E{number}"), value)).collect();
        CommandLine { program: find("unshare"), args, env, directory: "/".into() }
    }

    /// Commands that limit what follows and take all privileges from it.
    fn privileges(&self) -> Vec<String> {
        let prlimit = find("prlimit").display().to_string();
        let mut words = vec![prlimit.clone(), "--core=0".into()];
        words.extend(self.limits.cpu_seconds.map(|seconds| format!("--cpu={seconds}")));
        words.extend(self.limits.file_bytes.map(|bytes| format!("--fsize={bytes}")));
        words.push(find("setpriv").display().to_string());
        words.extend(["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"].map(str::to_owned));
        if self.isolation == Isolation::User {
            words.extend([format!("--reuid={}", self.user), format!("--regid={}", self.user), "--clear-groups".into()]);
            // After the change of the user: before it, root's processes would count.
            if let Some(count) = self.limits.processes {
                words.extend([prlimit, format!("--nproc={count}")]);
            }
        }
        words
    }

    /// Covers what is hidden, with what is given in it, and goes to the directory.
    fn script(&self, directory: &Path, run: &str) -> String {
        let given: Vec<PathBuf> = self.readable.iter().chain(&self.writable).map(|path| real(path)).collect();
        let covered = self.covered(&given);
        let stage = STAGES
            .iter()
            .map(Path::new)
            .find(|stage| stage.is_dir() && given.iter().all(|path| !path.starts_with(stage)));
        let stage = stage.unwrap_or(Path::new(STAGES[0]));
        let mut script: Vec<String> = vec!["set -eu".into(), format!("PATH={}", FOLDERS.join(":"))];
        script.push(format!("mount -t tmpfs -o mode=0700 sandbox {0}\ncd {0}", quoted_path(stage)));
        for (number, path) in given.iter().enumerate() {
            script.push(format!("mkdir {number}\nmount --bind {} {number}", quoted_path(path)));
        }
        for path in &covered {
            let everybody = TEMPORARY.iter().any(|temporary| path == Path::new(temporary));
            let mode = if everybody { "mode=1777,size=256m" } else { "mode=0755,size=1m" };
            script.push(format!("mount -t tmpfs -o nosuid,nodev,{mode} sandbox {}", quoted_path(path)));
        }
        for (number, path) in given.iter().enumerate() {
            // Relative to the stage: its own path may be covered by now.
            script.push(format!("mkdir -p {0}\nmount --no-canonicalize --bind ./{number} {0}", quoted_path(path)));
            if number < self.readable.len() {
                script.push(format!("mount -o remount,bind,ro,nosuid,nodev {}", quoted_path(path)));
            }
        }
        script.push(format!("cd /\numount -l {}", quoted_path(stage)));
        if !self.network {
            script.push("ip link set lo up 2>/dev/null || true".into());
        }
        // A service's own directory is not given; it holds its volumes.
        let directory = quoted_path(&real(directory));
        script.push(format!("[ -d {directory} ] || mkdir -p {directory}\ncd {directory}"));
        script.push(run.into());
        script.join("\n")
    }

    /// Directories that are covered, none within another.
    fn covered(&self, given: &[PathBuf]) -> Vec<PathBuf> {
        let mut covered: Vec<PathBuf> = self.hidden.iter().map(|path| real(path)).collect();
        covered.extend(TEMPORARY.iter().chain([&SOCKETS]).map(PathBuf::from));
        if self.isolation == Isolation::User {
            // What lies in a directory that others may not enter could not be reached by its path. Nothing is lost when all
            // of that directory is covered: the user that the command gets may not enter it either.
            let closed: Vec<PathBuf> = covered.iter().chain(given).filter_map(|path| closed_above(path)).collect();
            covered.extend(closed);
        }
        covered.retain(|path| path.is_dir());
        covered.sort();
        covered.dedup();
        let all = covered.clone();
        covered.retain(|path| !all.iter().any(|other| other != path && path.starts_with(other)));
        covered
    }

    /// Runs a program that does nothing; the reason why it cannot.
    fn try_out(&self) -> std::result::Result<(), String> {
        let command = CommandLine { program: "/bin/true".into(), directory: "/".into(), ..CommandLine::default() };
        let command = self.of_tool(command);
        let output = Command::new(command.program).args(command.args).env_clear().stdin(Stdio::null()).output();
        match output {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(format!("unshare of util-linux cannot be run: {error}")),
        }
    }
}

/// A program of the system, by its whole path.
fn find(name: &str) -> PathBuf {
    FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists()).unwrap_or_else(|| name.into())
}

/// A user id that nobody has by accident: the same for a name on every start, others for other names.
fn user_of(name: &str) -> u32 {
    const MANY: (u32, u32) = (0x6000_0000, 1 << 24);
    /// Where only 65,536 are mapped, as in many containers.
    const FEW: (u32, u32) = (64_000, 1_500);
    let mut map = String::new();
    let read = std::fs::File::open("/proc/self/uid_map").and_then(|mut file| file.read_to_string(&mut map));
    let highest = map.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace().filter_map(|number| number.parse::<u64>().ok());
        Some(numbers.next()? + numbers.nth(1)?)
    });
    let all = read.is_err() || highest.max().is_some_and(|highest| highest > u64::from(MANY.0 + MANY.1));
    let (first, count) = if all { MANY } else { FEW };
    // FNV-1a: it needs to be the same with every version of the program, nothing more.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    first + (hash % u64::from(count)) as u32
}

/// The outermost directory above a path that others may not enter.
fn closed_above(path: &Path) -> Option<PathBuf> {
    let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.reverse();
    let closed = |path: &Path| std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 == 0);
    above.into_iter().find(|path| closed(path)).map(Path::to_owned)
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// One word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn quoted_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

fn chown(path: &Path, user: u32) -> Result<()> {
    let change =
        |path: &Path| std::os::unix::fs::lchown(path, Some(user), Some(user)).map_err(|error| Error::file(path, error));
    change(path)?;
    let mut open = vec![path.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).map_err(|error| Error::file(&directory, error))? {
            let entry = entry.map_err(|error| Error::file(&directory, error))?;
            change(&entry.path())?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
        }
    }
    Ok(())
}
