//! Processes that are recognised again, also after a restart of the server or of the machine.

use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// A process that cannot be taken for another that has got its id later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProcessIdentity {
    pub pid: u32,
    /// Field 22 of `/proc/PID/stat`: ticks from boot to the start of the process.
    pub start_ticks: u64,
    pub boot_id: String,
}

impl ProcessIdentity {
    /// The identity of a process that exists.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = procfs::process::Process::new(pid as i32).and_then(|process| process.stat()).ok()?;
        Some(Self { pid, start_ticks: stat.starttime, boot_id: boot_id() })
    }

    /// Whether it runs. A zombie does not.
    pub fn alive(&self) -> bool {
        self.stat().is_some_and(|stat| stat.state != 'Z' && stat.state != 'X')
    }

    /// Its entry of the process table, if it is still the same process.
    pub fn stat(&self) -> Option<procfs::process::Stat> {
        if self.boot_id != boot_id() {
            return None;
        }
        let stat = procfs::process::Process::new(self.pid as i32).and_then(|process| process.stat()).ok()?;
        (stat.starttime == self.start_ticks).then_some(stat)
    }

    /// Sends a signal, if it is still the same process.
    pub fn signal(&self, signal: Signal) {
        if self.alive() {
            // It may end between the check and the call: then there is nobody to tell.
            let _ = kill(Pid::from_raw(self.pid as i32), signal);
        }
    }

    /// Sends a signal to it and to all processes of its group, which it must lead.
    pub fn signal_group(&self, signal: Signal) {
        if self.alive() {
            let _ = killpg(Pid::from_raw(self.pid as i32), signal);
        }
    }

    /// Waits for its end; false when it still runs after `limit`.
    pub async fn ended_within(&self, limit: Duration) -> bool {
        let end = tokio::time::Instant::now() + limit;
        while self.alive() {
            if tokio::time::Instant::now() >= end {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }

    /// Stops a process that nobody waits for: by a signal, then by force. False when it still runs.
    pub async fn end(&self, signal: Signal, grace: Duration) -> bool {
        self.signal(signal);
        if self.ended_within(grace).await {
            return true;
        }
        self.signal_group(Signal::SIGKILL);
        self.signal(Signal::SIGKILL);
        self.ended_within(Duration::from_secs(5)).await
    }
}

/// The kernel's name for this run of the machine; empty where there is none.
pub(crate) fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_with_the_same_id_is_not_the_same() {
        let me = ProcessIdentity::of(std::process::id()).unwrap();
        assert!(me.alive());
        assert!(!ProcessIdentity { start_ticks: me.start_ticks + 1, ..me.clone() }.alive());
        assert!(!ProcessIdentity { boot_id: "other".into(), ..me }.alive());
    }

    #[tokio::test]
    async fn a_process_ends_by_force_when_it_must() {
        let mut child = tokio::process::Command::new("sh")
            .args(["-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"])
            .stdout(std::process::Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let process = ProcessIdentity::of(child.id().unwrap()).unwrap();
        let mut line = String::new();
        tokio::io::AsyncBufReadExt::read_line(&mut tokio::io::BufReader::new(child.stdout.take().unwrap()), &mut line)
            .await
            .unwrap();
        let waiting = tokio::spawn(async move { child.wait().await });
        assert!(process.end(Signal::SIGTERM, Duration::from_millis(100)).await);
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&waiting.await.unwrap().unwrap()), Some(9));
    }
}
