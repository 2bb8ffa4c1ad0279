//! Waiting for an operation, with its steps on standard error.

use std::{collections::HashMap, io::IsTerminal as _, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;
use types::{Code, Network, Operation, OperationStatus, Transaction, TransactionResult, TransactionStatus};

use crate::{
    Error,
    client::{Client, encode, on_channel},
    output::word,
};

/// How long the server waits for a transaction when it is asked to.
const SERVER_WAIT: Duration = Duration::from_secs(30);
/// Between two looks at a transaction.
const TRANSACTION_PAUSE: Duration = Duration::from_millis(100);

/// Reads `30s`, `10m`, `1h`, `500ms` or a number of seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| format!("`{text}` is not a time such as 30s, 10m or 1h"))?;
    match &text[digits.len()..] {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        "h" => Ok(Duration::from_secs(number * 3600)),
        unit => Err(format!("`{unit}` is not a unit of time: use ms, s, m or h")),
    }
}

/// Follows an operation to its end.
///
/// # Errors
/// [`Error::WaitTimeout`] when the time is up, [`Error::Server`] with the operation's error when it failed.
pub async fn operation(client: &Client, id: &str, timeout: Duration) -> Result<Operation, Error> {
    let deadline = Instant::now() + timeout;
    let mut progress = Progress::new();
    let mut pause = Duration::from_millis(25);
    loop {
        let operation: Operation = client.get(&format!("operations/{id}")).await?;
        progress.show(&operation);
        match operation.status {
            OperationStatus::Succeeded | OperationStatus::Undone => return Ok(operation),
            OperationStatus::Failed => {
                return Err(operation.error.map_or_else(
                    || Error::Failed(Code::Internal, format!("{id} failed, and the server does not say why")),
                    |problem| Error::Server(Box::new(problem)),
                ));
            }
            OperationStatus::Queued | OperationStatus::Running | OperationStatus::Waiting => {}
        }
        if Instant::now() + pause > deadline {
            return Err(Error::WaitTimeout { what: id.into(), show: format!("operation show {id}") });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_millis(300));
    }
}

/// How the end of a transaction is waited for.
pub struct Waiting {
    wanted: bool,
    timeout: Duration,
    deadline: Instant,
}

impl Waiting {
    /// Until `timeout` from now, where it is wanted.
    pub fn new(wanted: bool, timeout: Duration) -> Self {
        Self { wanted, timeout, deadline: Instant::now() + timeout }
    }

    /// Whether the server is asked to wait before it answers: it does so for a time of its own.
    pub fn at_the_server(&self) -> bool {
        self.wanted && self.timeout >= SERVER_WAIT
    }

    /// Follows a transaction from what is known of it to its end, if that is wanted.
    ///
    /// # Errors
    /// [`Error::WaitTimeout`] when the time is up.
    pub async fn end(
        &self,
        client: &Client,
        network: &Network,
        mut known: TransactionResult,
    ) -> Result<TransactionResult, Error> {
        let hash = known.transaction_hash.clone();
        while self.wanted && matches!(known.status, TransactionStatus::Pending | TransactionStatus::Unknown) {
            if Instant::now() + TRANSACTION_PAUSE > self.deadline {
                let channel = known.channel.map(|channel| format!(" --channel {channel}")).unwrap_or_default();
                let show = format!("tx show {hash} --network {}{channel}", network.id);
                return Err(Error::WaitTimeout { what: hash, show });
            }
            tokio::time::sleep(TRANSACTION_PAUSE).await;
            let channel = on_channel(known.channel.as_deref());
            let path = format!("networks/{}/transactions/{}{channel}", network.id, encode(&hash));
            let seen: Transaction = match client.get(&path).await {
                // It may not have come to the node that was asked.
                Err(Error::Server(problem)) if problem.code == Code::NotFound.as_str() => continue,
                seen => seen?,
            };
            known.status = seen.summary.status;
            known.block_number = seen.summary.block;
            known.gas_used = seen.gas_used;
            known.address = seen.contract_address.or(known.address);
        }
        Ok(known)
    }
}

/// A spinner on a terminal; else one line for each change of a step.
struct Progress {
    bar: Option<ProgressBar>,
    seen: HashMap<String, OperationStatus>,
}

impl Progress {
    fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = ProgressBar::new_spinner().with_style(style);
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { bar, seen: HashMap::new() }
    }

    fn show(&mut self, operation: &Operation) {
        for step in &operation.steps {
            if self.seen.insert(step.name.clone(), step.status) == Some(step.status) {
                continue;
            }
            match (&self.bar, step.status) {
                (_, OperationStatus::Queued) => {}
                (Some(bar), OperationStatus::Running | OperationStatus::Waiting) => bar.set_message(step.title.clone()),
                (Some(bar), status) => bar.println(format!("{:>9}  {}", word(&status), step.title)),
                (None, status) => eprintln!("{:>9}  {}", word(&status), step.title),
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
