//! The two files by which host and shim speak: `shim.json` (what to run) and `state.json` (what happens).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use types::{Micros, NodeLimits};
use workload::{Service, Signal};

use crate::groups::Groups;
use crate::process::ProcessIdentity;
use crate::{Exit, LogLimits, Sandbox};

/// What a shim is to run: a service with everything resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShimSpec {
    /// Distinguishes one start by the host from the next.
    pub generation: String,
    /// What it was resolved from, to tell whether a wanted service is another.
    pub service: Service,
    pub program: PathBuf,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    /// Working directory.
    pub directory: PathBuf,
    /// Removed when the shim stops.
    pub secrets: Option<PathBuf>,
    /// Where the program is other people's code.
    #[serde(default)]
    pub sandbox: Option<Sandbox>,
    /// Where a group for its limits can be made.
    #[serde(default)]
    pub groups: Option<Groups>,
    pub log: LogLimits,
    pub back_off: BackOff,
}

/// How a program that ends unasked is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackOff {
    /// First pause in milliseconds; doubled each time.
    pub first_ms: u64,
    /// Longest pause in milliseconds.
    pub longest_ms: u64,
    /// A program that ran this many milliseconds starts again after the first pause.
    pub stable_ms: u64,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { first_ms: 200, longest_ms: 30_000, stable_ms: 60_000 }
    }
}

impl BackOff {
    /// The pause after one of `last` milliseconds (0 for none) when the program ran for `ran` milliseconds.
    pub(crate) fn next(&self, last: u64, ran: u64) -> u64 {
        if last == 0 || ran >= self.stable_ms { self.first_ms } else { (last * 2).min(self.longest_ms) }
    }
}

/// What a shim does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShimState {
    pub generation: String,
    pub shim: ProcessIdentity,
    pub phase: Phase,
    pub restarts: u32,
    pub last_exit: Option<Exit>,
    /// What it may use, and who sees to it.
    #[serde(default)]
    pub limits: Option<NodeLimits>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Phase {
    Starting,
    Running {
        program: ProcessIdentity,
        since: Micros,
        ready: bool,
    },
    Waiting {
        until: Micros,
    },
    /// The program cannot be started at all; the shim has ended.
    Failed {
        reason: String,
    },
    Stopped,
}

impl ShimState {
    /// The program, as far as it is known to have run last.
    pub fn program(&self) -> Option<&ProcessIdentity> {
        match &self.phase {
            Phase::Running { program, .. } => Some(program),
            _ => None,
        }
    }
}

/// A signal of a plan in the operating system's words.
pub(crate) fn os_signal(signal: Signal) -> nix::sys::signal::Signal {
    match signal {
        Signal::Term => nix::sys::signal::Signal::SIGTERM,
        Signal::Interrupt => nix::sys::signal::Signal::SIGINT,
        Signal::Quit => nix::sys::signal::Signal::SIGQUIT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_begin_again_after_a_stable_run() {
        let back_off = BackOff { first_ms: 200, longest_ms: 1000, stable_ms: 60_000 };
        assert_eq!(back_off.next(0, 5), 200);
        assert_eq!(back_off.next(200, 5), 400);
        assert_eq!(back_off.next(800, 5), 1000);
        assert_eq!(back_off.next(1000, 60_000), 200);
    }
}
