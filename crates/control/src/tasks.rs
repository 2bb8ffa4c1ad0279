//! The server's background tasks: named, listed, some of them stopped and started by a person.
//!
//! A task runs on a timer and when it is woken. When a run fails, the error is logged and shown, and the next run comes as
//! usual. When the server closes, what a task does is dropped at its next await: everything here can be taken up again
//! from the database, as after a crash.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use parking_lot::Mutex;
use store::NewAudit;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::{Code, Micros, Page, Permission, Task, now};

use crate::{Caller, Control, Error, Result};

/// The tasks of one server.
#[derive(Default)]
pub(crate) struct Tasks {
    entries: Mutex<BTreeMap<&'static str, Arc<Entry>>>,
    closing: CancellationToken,
    tracker: TaskTracker,
}

impl Control {
    /// Starts the reconcilers. Without them, use cases answer but nothing is done. Call it once.
    pub fn start(&self) {
        crate::reconcile::start(self);
    }

    /// Ends all background tasks. What they did goes on at the next start; nodes keep running.
    pub async fn close(&self) {
        self.runtime().tasks.close().await;
        if let Err(error) = self.record_usage().await {
            tracing::error!(error = error.chain(), "the newest calls of applications are not counted");
        }
    }

    /// Stops every node on the host, without changing what is wanted: the next start brings them back. Call [`Control::close`] first.
    pub async fn stop_nodes(&self) -> Result<()> {
        let nodes = self.host().nodes().await?;
        let stops = nodes.iter().map(|node| self.host().stop(node));
        for result in futures::future::join_all(stops).await {
            result?;
        }
        Ok(())
    }

    /// The background tasks by name.
    pub fn tasks(&self, caller: &Caller) -> Result<Page<Task>> {
        caller.require(Permission::ServerRead)?;
        Ok(Page { items: self.runtime().tasks.list(), next: None })
    }

    /// Lets a task run.
    pub async fn start_task(&self, caller: &Caller, name: &str) -> Result<Task> {
        self.want_task(caller, name, true).await
    }

    /// Stops a task until it is started again, over restarts of the server.
    pub async fn stop_task(&self, caller: &Caller, name: &str) -> Result<Task> {
        self.want_task(caller, name, false).await
    }

    async fn want_task(&self, caller: &Caller, name: &str, wanted: bool) -> Result<Task> {
        caller.require(Permission::ServerWrite)?;
        let tasks = &self.runtime().tasks;
        let task = tasks.get(name).ok_or_else(|| Error::not_found("task", name))?;
        if !task.stoppable {
            return Err(Error::new(
                Code::RequestInvalid,
                format!("The task {name} belongs to the server's work and always runs."),
            ));
        }
        let mut tx = self.store().begin().await?;
        store::statistics::set_task_wanted(&mut tx, name, wanted).await?;
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action: if wanted { "task.start" } else { "task.stop" },
            subject: format!("task {name}"),
            organisation: None,
            details: serde_json::json!({}),
        });
        tx.change("task", name, None);
        tx.commit().await?;
        tasks.set_wanted(name, wanted);
        tasks.get(name).ok_or_else(|| Error::not_found("task", name))
    }
}

/// What a task is.
pub(crate) struct TaskSpec {
    pub name: &'static str,
    pub description: &'static str,
    /// It runs at least this often.
    pub period: Duration,
    /// It runs when this is notified.
    pub wake: Arc<Notify>,
    /// Whether a person may stop and start it.
    pub stoppable: bool,
    /// Whether it runs from the start.
    pub wanted: bool,
}

struct Entry {
    spec: TaskSpec,
    wanted: watch::Sender<bool>,
    newest: Mutex<Newest>,
}

#[derive(Default)]
struct Newest {
    run_at: Option<Micros>,
    error: Option<String>,
}

impl Tasks {
    /// Starts a task that does `work` again and again.
    pub fn spawn<W, F>(&self, spec: TaskSpec, work: W)
    where
        W: Fn() -> F + Send + 'static,
        F: Future<Output = Result<()>> + Send,
    {
        let entry = Arc::new(Entry { wanted: watch::channel(spec.wanted).0, newest: Mutex::default(), spec });
        self.entries.lock().insert(entry.spec.name, entry.clone());
        self.run(async move {
            let mut wanted = entry.wanted.subscribe();
            loop {
                if !*wanted.borrow_and_update() {
                    if wanted.changed().await.is_err() {
                        return;
                    }
                    continue;
                }
                let outcome = AssertUnwindSafe(work()).catch_unwind().await;
                entry.note(match outcome {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(error.chain()),
                    Err(_) => Some("it panicked; see the log".into()),
                });
                tokio::select! {
                    () = tokio::time::sleep(entry.spec.period) => {}
                    () = entry.spec.wake.notified() => {}
                    _ = wanted.changed() => {}
                }
            }
        });
    }

    /// Runs something until it ends or the server closes.
    pub fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        let closing = self.closing.clone();
        self.tracker.spawn(async move {
            closing.run_until_cancelled(work).await;
        });
    }

    /// What the tasks do.
    pub fn list(&self) -> Vec<Task> {
        self.entries.lock().values().map(|entry| entry.show()).collect()
    }

    /// One task.
    pub fn get(&self, name: &str) -> Option<Task> {
        self.entries.lock().get(name).map(|entry| entry.show())
    }

    /// Lets a task run or not.
    pub fn set_wanted(&self, name: &str, wanted: bool) {
        if let Some(entry) = self.entries.lock().get(name) {
            entry.wanted.send_replace(wanted);
        }
    }

    /// Ends everything and waits for it.
    pub async fn close(&self) {
        self.closing.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

impl Entry {
    fn note(&self, error: Option<String>) {
        let mut newest = self.newest.lock();
        if error != newest.error {
            match &error {
                Some(error) => {
                    tracing::error!(task = self.spec.name, error, "a background task failed; it will be tried again")
                }
                None => tracing::info!(task = self.spec.name, "a background task works again"),
            }
        }
        *newest = Newest { run_at: Some(now()), error };
    }

    fn show(&self) -> Task {
        let newest = self.newest.lock();
        let status = match (*self.wanted.borrow(), &newest.error) {
            (false, _) => "stopped",
            (true, Some(_)) => "failed",
            (true, None) => "running",
        };
        Task {
            name: self.spec.name.into(),
            description: self.spec.description.into(),
            status: status.into(),
            error: newest.error.clone(),
            last_run_at: newest.run_at,
            stoppable: self.spec.stoppable,
        }
    }
}
