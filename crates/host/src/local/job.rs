//! Running jobs.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::{AsyncRead, AsyncReadExt};
use workload::{Job, OutputSource};

use super::LocalHost;
use crate::layout::{NodeDirectory, below, make_directory, read_json, remove, write_json};
use crate::process::ProcessIdentity;
use crate::{Error, Result};

/// Longest output that is kept.
const LONGEST_OUTPUT: usize = 1 << 20;
/// How much of what a failed job printed goes into its error.
const LAST_WORDS: usize = 2000;

impl LocalHost {
    pub(super) async fn do_job(&self, job: &Job) -> Result<BTreeMap<String, String>> {
        if job.program.foreign {
            return Err(Error::Plan("other people's code runs as a service only".into()));
        }
        let directory = self.directory(&job.node)?;
        let memory = self.memory(&job.node);
        let _changing = memory.changing.lock().await;
        let program = self.find_program(&job.program.name)?;
        make_directory(&directory.0)?;
        // A server that was killed may have left the job running: two at once would spoil its volume.
        self.end_job(&directory).await?;
        let placement = self.placement(&job.node)?;
        let result = async {
            let prepared = self.prepare("job", &job.node, &job.program, &job.volumes, &placement).await?;
            let mut command = tokio::process::Command::new(&program);
            command.args(prepared.args).env_clear().envs(prepared.env).current_dir(&directory.0);
            run(job, command, &program, &directory).await
        }
        .await;
        remove(&self.secrets_directory(&job.node).join("job"))?;
        remove(&directory.job())?;
        result
    }

    /// Ends a job that nobody waits for any more.
    pub(super) async fn end_job(&self, directory: &NodeDirectory) -> Result<()> {
        let left: Option<ProcessIdentity> = read_json(&directory.job()).unwrap_or_default();
        if let Some(process) = left
            && !process.end(Signal::SIGKILL, Duration::from_secs(5)).await
        {
            return Err(Error::StopTimeout(directory.0.display().to_string()));
        }
        remove(&directory.job())
    }
}

async fn run(
    job: &Job,
    mut command: tokio::process::Command,
    program: &std::path::Path,
    directory: &NodeDirectory,
) -> Result<BTreeMap<String, String>> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Error::Program { path: program.to_owned(), reason: error.to_string() })?;
    let process = child.id().and_then(ProcessIdentity::of);
    if let Some(process) = &process {
        write_json(&directory.job(), process)?;
    }
    let failed = |reason: String| Error::Job { job: job.name.clone(), reason };
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let work = async { tokio::join!(collect(out), collect(err), child.wait()) };
    let Ok((out, err, status)) = tokio::time::timeout(Duration::from_millis(job.time_limit_ms), work).await else {
        if let Some(process) = &process {
            process.signal_group(Signal::SIGKILL);
        }
        return Err(failed(format!("it did not end within {} s", job.time_limit_ms as f64 / 1000.0)));
    };
    let status = status.map_err(|error| failed(error.to_string()))?;
    if !status.success() {
        let said = if err.trim().is_empty() { &out } else { &err };
        return Err(failed(format!("{status}: {}", last_words(said.trim()))));
    }
    let mut outputs = BTreeMap::new();
    for output in &job.outputs {
        let value = match &output.source {
            OutputSource::Stdout => out.trim().to_owned(),
            OutputSource::File { volume, path } => {
                let path = below(&directory.volume(volume)?, path)?;
                let size = std::fs::metadata(&path)
                    .map_err(|error| failed(format!("it left no {}: {error}", path.display())))?
                    .len();
                if size > LONGEST_OUTPUT as u64 {
                    return Err(failed(format!("its output `{}` is too long", output.name)));
                }
                std::fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?
            }
        };
        outputs.insert(output.name.clone(), value);
    }
    Ok(outputs)
}

/// Reads a stream to its end; keeps the beginning of what is too long.
async fn collect(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut kept = Vec::new();
    if let Some(mut stream) = stream {
        let mut chunk = vec![0; 16 << 10];
        while let Ok(length) = stream.read(&mut chunk).await
            && length > 0
        {
            let room = LONGEST_OUTPUT - kept.len();
            kept.extend_from_slice(&chunk[..length.min(room)]);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

fn last_words(text: &str) -> &str {
    let start = text.len().saturating_sub(LAST_WORDS);
    let start = (start..=text.len()).find(|index| text.is_char_boundary(*index)).unwrap_or(start);
    &text[start..]
}
