//! The shim: one small process per node that outlives the server.
//!
//! It is the server's own program, called as `polder shim --directory DIR`. It leads a session of its own, holds
//! `shim.lock` as long as it lives, runs what `shim.json` says, owns and rotates the log, keeps `state.json` up
//! to date, and starts the program again, ever more slowly, when it ends unasked. It is told to stop by SIGTERM:
//! then it stops the program, removes the run-time directory with its secrets, and ends. After a restart of the
//! server it is found by its lock file, process id, start time and boot id.

mod record;
mod supervise;

use std::path::PathBuf;
use std::process::ExitCode;

pub use record::BackOff;
pub(crate) use record::{Phase, ShimSpec, ShimState, os_signal};
pub(crate) use supervise::group_name;

/// Runs the shim until it is told to stop. `args` are the arguments after `shim`.
///
/// Must be called before the process has started threads. Exit status: 0 stopped as asked, 1 could not start,
/// 2 wrong arguments. What went wrong is printed on standard error.
pub fn main(args: impl IntoIterator<Item = String>) -> ExitCode {
    let args: Vec<String> = args.into_iter().collect();
    let [flag, directory] = args.as_slice() else { return usage() };
    if flag != "--directory" {
        return usage();
    }
    // Fails only for a process that leads a group already; then it has a session of its own as far as is needed.
    let _ = nix::unistd::setsid();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(supervise::run(PathBuf::from(directory))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn usage() -> ExitCode {
    print_error("usage: shim --directory DIR");
    ExitCode::from(2)
}

fn failed(error: &dyn std::fmt::Display) -> ExitCode {
    print_error(&error.to_string());
    ExitCode::FAILURE
}

fn print_error(text: &str) {
    use std::io::Write;
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}
