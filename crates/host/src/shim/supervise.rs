//! What the shim does: run, watch, record, start again, stop.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;
use types::{LimitsKeeper, NodeLimits};
use workload::{Probe, Resources};

use super::{Phase, ShimSpec, ShimState, os_signal};
use crate::groups::Group;
use crate::layout::{NodeDirectory, make_directory, read_json, remove, write_json_in_place};
use crate::log::{LONGEST_LINE, LogWriter, Stream};
use crate::process::ProcessIdentity;
use crate::sandbox::CommandLine;
use crate::{Error, Exit, Result};

/// How often the watchdog looks.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);
/// How long a program may use more CPU than its limit before the watchdog ends it.
const CPU_PATIENCE: Duration = Duration::from_secs(30);
/// Output that comes after the program's end, by children that it left, is read for so long.
const LAST_OUTPUT: Duration = Duration::from_millis(500);

/// Runs a node until SIGTERM.
pub(super) async fn run(directory: PathBuf) -> Result<()> {
    let directory = NodeDirectory(directory);
    // First of all, so that no signal finds the default action.
    let mut asked_to_stop = signal(SignalKind::terminate()).map_err(|error| Error::file(&directory.0, error))?;
    let _interrupts = signal(SignalKind::interrupt()).map_err(|error| Error::file(&directory.0, error))?;
    let _hang_ups = signal(SignalKind::hangup()).map_err(|error| Error::file(&directory.0, error))?;
    let _lock = lock(&directory).await?;
    let spec: ShimSpec = read_json(&directory.spec())?
        .ok_or_else(|| Error::file(directory.spec(), std::io::ErrorKind::NotFound.into()))?;
    make_directory(&directory.log())?;
    let mut shim = Shim {
        log: LogWriter::open(&directory.log(), spec.log),
        state: ShimState {
            generation: spec.generation.clone(),
            shim: identity(std::process::id())?,
            phase: Phase::Starting,
            restarts: 0,
            last_exit: None,
            limits: None,
        },
        group: None,
        directory,
        spec,
    };
    shim.end_orphan().await?;
    shim.limit();
    write_json_in_place(&shim.directory.state(), &shim.state)?;
    shim.supervise(&mut asked_to_stop).await
}

/// Takes the lock; waits a little for a shim that is about to end.
async fn lock(directory: &NodeDirectory) -> Result<Flock<std::fs::File>> {
    let path = directory.lock();
    let open =
        || std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = open().map_err(|error| Error::file(&path, error))?;
    for attempt in 0.. {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut lock) => {
                let me = serde_json::to_vec(&identity(std::process::id())?)
                    .map_err(|error| Error::file(&path, error.into()))?;
                lock.set_len(0).and_then(|()| lock.write_all(&me)).map_err(|error| Error::file(&path, error))?;
                return Ok(lock);
            }
            Err((_, nix::errno::Errno::EAGAIN)) if attempt < 100 => tokio::time::sleep(Duration::from_millis(20)).await,
            Err((_, errno)) => return Err(Error::file(&path, errno.into())),
        }
        file = open().map_err(|error| Error::file(&path, error))?;
    }
    unreachable!("the loop has no end but a return")
}

fn identity(pid: u32) -> Result<ProcessIdentity> {
    ProcessIdentity::of(pid)
        .ok_or_else(|| Error::file(format!("/proc/{pid}/stat"), std::io::ErrorKind::NotFound.into()))
}

struct Shim {
    directory: NodeDirectory,
    spec: ShimSpec,
    state: ShimState,
    /// Where the kernel keeps the program within its limits.
    group: Option<Group>,
    log: LogWriter,
}

/// What ended a run of the program.
enum End {
    Asked(ExitStatus),
    Unasked(ExitStatus, Option<String>),
}

impl Shim {
    /// Ends a program that a shim left behind when it was killed: two of a node must never run.
    async fn end_orphan(&self) -> Result<()> {
        // An unreadable state is one that was cut short; a program that still runs keeps the new one out by its own lock.
        let old: Option<ShimState> = read_json(&self.directory.state()).unwrap_or_default();
        let Some(old) = old else { return Ok(()) };
        let Some(program) = old.program() else { return Ok(()) };
        let stop = &self.spec.service.stop;
        if program.end(os_signal(stop.signal), Duration::from_millis(stop.grace_ms)).await {
            Ok(())
        } else {
            Err(Error::StopTimeout(self.spec.service.node.clone()))
        }
    }

    /// Has the program's limits kept by the kernel where it can, and by the watchdog else.
    fn limit(&mut self) {
        let limits = &self.spec.service.resources;
        if *limits == Resources::default() {
            return;
        }
        let made = self.spec.groups.as_ref().map(|groups| groups.make(&group_name(&self.state.generation), limits));
        self.group = match made.transpose() {
            Ok(group) => group,
            Err(error) => {
                let text = format!("the kernel does not keep its limits, a watchdog does: {error}");
                self.log.line(Stream::Host, &text);
                None
            }
        };
        self.state.limits = Some(NodeLimits {
            memory_bytes: limits.memory_bytes,
            cpus: limits.cpus,
            kept_by: self.group.as_ref().map_or(LimitsKeeper::Watchdog, Group::keeper),
        });
    }

    async fn supervise(&mut self, asked_to_stop: &mut Signals) -> Result<()> {
        let mut pause = 0;
        loop {
            let started = Instant::now();
            match self.spawn() {
                Ok(child) => match self.watch(child, asked_to_stop).await? {
                    End::Asked(status) => {
                        self.note_exit(status, None);
                        return self.stopped();
                    }
                    End::Unasked(status, reason) => self.note_exit(status, reason),
                },
                // The first start tells the caller at once; a later one may succeed when tried again (an upgrade
                // in between, a disk that was full).
                Err(error) if self.state.restarts == 0 => {
                    let reason = error.to_string();
                    self.log.line(Stream::Host, &format!("cannot be started: {reason}"));
                    self.state.phase = Phase::Failed { reason };
                    self.save();
                    self.remove_secrets();
                    return Ok(());
                }
                Err(error) => self.log.line(Stream::Host, &format!("cannot be started: {error}")),
            }
            pause = self.spec.back_off.next(pause, started.elapsed().as_millis() as u64);
            self.state.restarts += 1;
            self.state.phase = Phase::Waiting { until: types::now() + pause as i64 * 1000 };
            self.save();
            self.log.line(Stream::Host, &format!("starting again in {pause} ms"));
            tokio::select! {
                _ = tokio::time::sleep(Duration::from_millis(pause)) => {}
                _ = asked_to_stop.recv() => return self.stopped(),
            }
        }
    }

    fn spawn(&self) -> std::io::Result<Child> {
        let mut command = CommandLine {
            program: self.spec.program.clone(),
            args: self.spec.args.clone(),
            env: self.spec.env.clone(),
            directory: self.spec.directory.clone(),
        };
        if let Some(sandbox) = &self.spec.sandbox {
            command = sandbox.of_service(command);
        }
        let mut process = Command::new(command.program);
        process
            .args(command.args)
            .env_clear()
            .envs(command.env)
            .current_dir(command.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what it leaves behind can be ended with it.
            .process_group(0);
        match &self.group {
            Some(group) => group.around(|| process.spawn()),
            None => process.spawn(),
        }
    }

    /// Watches the program to its end.
    async fn watch(&mut self, mut child: Child, asked_to_stop: &mut Signals) -> Result<End> {
        let pid = child.id().unwrap_or_default();
        // A program that has ended already is still in the process table: nobody has waited for it.
        let program = identity(pid)?;
        let mut ready = self.spec.service.readiness == Probe::None;
        let since = types::now();
        self.state.phase = Phase::Running { program: program.clone(), since, ready };
        self.save();
        let (sender, mut lines) = mpsc::channel(256);
        if let Some(out) = child.stdout.take() {
            tokio::spawn(read_lines(out, Stream::Out, sender.clone()));
        }
        if let Some(err) = child.stderr.take() {
            tokio::spawn(read_lines(err, Stream::Err, sender));
        }
        let killed_before = self.group.as_ref().map(Group::killed_for_memory);
        let mut watchdog = (self.group.is_none() && self.state.limits.is_some()).then(|| Watchdog::new(&self.spec));
        let mut look = tokio::time::interval(WATCH_INTERVAL);
        let mut stopping: Option<Instant> = None;
        let mut reason = None;
        let status = loop {
            tokio::select! {
                line = lines.recv(), if !lines.is_closed() || !lines.is_empty() => {
                    let Some((stream, text)) = line else { continue };
                    if self.take_line(stream, &text, &mut reason) && !ready {
                        ready = true;
                        self.state.phase = Phase::Running { program: program.clone(), since, ready };
                        self.save();
                    }
                }
                status = child.wait() => break status.map_err(|error| Error::file(&self.spec.program, error))?,
                _ = asked_to_stop.recv(), if stopping.is_none() => {
                    let stop = &self.spec.service.stop;
                    stopping = Some(Instant::now() + Duration::from_millis(stop.grace_ms));
                    program.signal(os_signal(stop.signal));
                }
                () = until(stopping) => {
                    self.log.line(Stream::Host, "did not stop in time: killed");
                    program.signal_group(Signal::SIGKILL);
                    stopping = Some(Instant::now() + Duration::from_secs(1));
                }
                _ = look.tick(), if watchdog.is_some() => {
                    if let Some(text) = watchdog.as_mut().and_then(|watchdog| watchdog.above(&program)) {
                        self.log.line(Stream::Host, &text);
                        reason = Some(text);
                        program.signal_group(Signal::SIGKILL);
                    }
                }
            }
        };
        // Its children go with it: they would hold its ports and files.
        let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(pid as i32), Signal::SIGKILL);
        let killed_for_memory = self.group.as_ref().map(Group::killed_for_memory) > killed_before;
        if let Some(group) = &self.group {
            group.kill();
        }
        let end = Instant::now() + LAST_OUTPUT;
        while let Ok(Some((stream, text))) = tokio::time::timeout_at(end, lines.recv()).await {
            self.take_line(stream, &text, &mut reason);
        }
        if killed_for_memory {
            let limit = self.spec.service.resources.memory_bytes.unwrap_or_default();
            let text = format!("used more memory than its limit of {limit} bytes: killed by the kernel");
            self.log.line(Stream::Host, &text);
            reason = Some(text);
        }
        Ok(if stopping.is_some() { End::Asked(status) } else { End::Unasked(status, reason) })
    }

    /// Logs a line and keeps the last words; tells whether it is the one that shows readiness.
    fn take_line(&mut self, stream: Stream, text: &str, last_words: &mut Option<String>) -> bool {
        self.log.line(stream, text);
        if stream == Stream::Err && !text.trim().is_empty() {
            *last_words = Some(text.chars().take(500).collect());
        }
        matches!(&self.spec.service.readiness, Probe::Line(wanted) if stream == Stream::Out && text.contains(wanted))
    }

    fn note_exit(&mut self, status: ExitStatus, reason: Option<String>) {
        let text = match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with status {code}"),
            (None, Some(signal)) => format!("ended by signal {signal}"),
            (None, None) => "ended".into(),
        };
        self.log.line(Stream::Host, &text);
        self.state.last_exit = Some(Exit { code: status.code(), signal: status.signal(), at: types::now(), reason });
    }

    fn stopped(&mut self) -> Result<()> {
        self.remove_secrets();
        if let Some(group) = self.group.take()
            && let Err(error) = group.remove()
        {
            self.log.line(Stream::Host, &format!("the group of its limits cannot be removed: {error}"));
        }
        self.state.phase = Phase::Stopped;
        // The last write counts: without it the host would find a node that should run.
        write_json_in_place(&self.directory.state(), &self.state)
    }

    /// Saves the state. Where even that fails, the program must go on; the next change tries again.
    fn save(&mut self) {
        if let Err(error) = write_json_in_place(&self.directory.state(), &self.state) {
            self.log.line(Stream::Host, &format!("the shim cannot save its state: {error}"));
        }
    }

    fn remove_secrets(&mut self) {
        if let Some(path) = &self.spec.secrets
            && let Err(error) = remove(path)
        {
            self.log.line(Stream::Host, &format!("the shim cannot remove the run-time directory: {error}"));
        }
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// The name of a node's control group, by the generation of its start.
pub(crate) fn group_name(generation: &str) -> String {
    format!("polder-{generation}")
}

/// Keeps limits where the kernel does not. It sees the program alone, not its children.
struct Watchdog {
    limits: Resources,
    /// CPU ticks of the program, and when it had used them.
    since: Option<(u64, Instant)>,
}

impl Watchdog {
    fn new(spec: &ShimSpec) -> Self {
        Self { limits: spec.service.resources.clone(), since: None }
    }

    /// Why the program must be ended.
    fn above(&mut self, program: &ProcessIdentity) -> Option<String> {
        let stat = program.stat()?;
        let used = stat.rss * procfs::page_size();
        if let Some(limit) = self.limits.memory_bytes.filter(|limit| used > *limit) {
            return Some(format!("used {used} bytes of memory, more than its limit of {limit}: killed"));
        }
        let (limit, ticks) = (self.limits.cpus?, stat.utime + stat.stime);
        let (before, since) = *self.since.get_or_insert_with(|| (ticks, Instant::now()));
        let elapsed = since.elapsed();
        if elapsed < CPU_PATIENCE {
            return None;
        }
        self.since = Some((ticks, Instant::now()));
        let cores = ticks.saturating_sub(before) as f64 / procfs::ticks_per_second() as f64 / elapsed.as_secs_f64();
        // A program that is at its limit is measured a little above it now and then.
        (cores > limit * 1.05).then(|| {
            let seconds = elapsed.as_secs();
            format!("used {cores:.2} cores for {seconds} s, more than its limit of {limit}: killed")
        })
    }
}

/// Reads a stream by lines; a line that is too long is cut.
async fn read_lines(stream: impl AsyncRead + Unpin, kind: Stream, lines: mpsc::Sender<(Stream, String)>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        match (&mut reader).take(LONGEST_LINE as u64).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        if lines.send((kind, String::from_utf8_lossy(&line).into_owned())).await.is_err() {
            return;
        }
    }
}
