//! Programs that run once for the server itself, outside of any node: compilers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use crate::sandbox::CommandLine;
use crate::{Error, Result, Sandbox};

/// A program to run. It gets nothing of the server's own environment.
#[derive(Clone, Debug)]
pub struct Tool {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment.
    pub env: BTreeMap<String, String>,
    /// Where it runs.
    pub directory: PathBuf,
    /// It is ended after this time.
    pub time_limit: Duration,
    /// Where it is other people's code, or runs such.
    pub sandbox: Option<Sandbox>,
}

/// How a tool ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Whether its exit status was 0.
    pub success: bool,
    /// What it printed on standard output.
    pub out: String,
    /// The end of what it printed on standard error.
    pub err: String,
}

/// Longest end of standard error that is kept.
const LONGEST_ERR: usize = 64 << 10;

/// Runs a tool to its end. Each line of its standard error goes to `each` as it comes. When the future is dropped, the tool
/// and what it started are killed.
///
/// # Errors
/// [`Error::Program`] when it cannot be started, [`Error::TimeLimit`].
pub async fn run(tool: &Tool, mut each: impl FnMut(&str) + Send) -> Result<Ended> {
    let failed = |reason: String| Error::Program { path: tool.program.clone(), reason };
    let mut command = CommandLine {
        program: tool.program.clone(),
        args: tool.args.clone(),
        env: tool.env.clone(),
        directory: tool.directory.clone(),
    };
    if let Some(sandbox) = &tool.sandbox {
        command = sandbox.of_tool(command);
    }
    let mut child = tokio::process::Command::new(command.program)
        .args(command.args)
        .env_clear()
        .envs(command.env)
        .current_dir(command.directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let _group = Group(child.id());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let read_out = async {
        let mut kept = Vec::new();
        if let Some(mut out) = out {
            out.read_to_end(&mut kept).await?;
        }
        std::io::Result::Ok(String::from_utf8_lossy(&kept).into_owned())
    };
    let read_err = async {
        let mut kept = String::new();
        if let Some(err) = err {
            let mut lines = BufReader::new(err).split(b'\n');
            while let Some(line) = lines.next_segment().await? {
                let line = String::from_utf8_lossy(&line);
                each(&line);
                kept.push_str(&line);
                kept.push('\n');
                if kept.len() > 2 * LONGEST_ERR {
                    let start = (kept.len() - LONGEST_ERR..).find(|index| kept.is_char_boundary(*index));
                    kept.drain(..start.unwrap_or_default());
                }
            }
        }
        std::io::Result::Ok(kept)
    };
    let work = async { tokio::try_join!(read_out, read_err, child.wait()) };
    let (out, err, status) = tokio::time::timeout(tool.time_limit, work)
        .await
        .map_err(|_| Error::TimeLimit { path: tool.program.clone(), seconds: tool.time_limit.as_secs() })?
        .map_err(|error| failed(error.to_string()))?;
    Ok(Ended { success: status.success(), out, err })
}

/// Kills a process group when it goes out of scope: a compiler's own children, too.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0.and_then(|pid| i32::try_from(pid).ok()) {
            // It has usually ended by itself; then there is no such group.
            let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Tool {
        Tool {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into()), ("WORD".into(), "given".into())]),
            directory: "/".into(),
            time_limit: Duration::from_secs(20),
            sandbox: None,
        }
    }

    #[tokio::test]
    async fn output_and_status_come_back_line_by_line() {
        let mut lines = Vec::new();
        let ended = run(&shell("echo $WORD; echo one >&2; echo two >&2; exit 3"), |line| lines.push(line.to_owned()))
            .await
            .unwrap();
        assert!(!ended.success);
        assert_eq!((ended.out.as_str(), ended.err.as_str()), ("given\n", "one\ntwo\n"));
        assert_eq!(lines, ["one", "two"]);
        assert!(run(&Tool { program: "/no/such".into(), ..shell("") }, |_| {}).await.is_err());
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended_with_its_children() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("late");
        let script = format!("(sleep 1; touch {}) & wait", file.display());
        let tool = Tool { time_limit: Duration::from_millis(200), ..shell(&script) };
        assert!(matches!(run(&tool, |_| {}).await, Err(Error::TimeLimit { .. })));
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert!(!file.exists(), "the child went on");
    }
}
