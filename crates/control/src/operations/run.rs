//! Drives operations, each in a task of its own.

use std::time::Duration;

use futures::future::BoxFuture;
use store::networks::{self, Phase};
use store::{operations, operations::Operation};
use tokio_util::sync::CancellationToken;
use types::{NetworkStatus, OperationStatus, Problem, now};

use super::steps::{self, Progress};
use super::{Change, StepKind};
use crate::{Control, Error, Result};

/// How long an operation rests after the database failed.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Starts to drive every operation that has not ended and that nobody here drives.
pub(crate) async fn drive_due(control: &Control) -> Result<()> {
    let mut read = control.store().read().await?;
    let due = operations::active(&mut read).await?;
    drop(read);
    for operation in due {
        let stop = CancellationToken::new();
        {
            let mut driving = control.runtime().driving.lock();
            if driving.contains_key(&operation.shown.id) {
                continue;
            }
            driving.insert(operation.shown.id.clone(), stop.clone());
        }
        let control = control.clone();
        let guard = Driven { control: control.clone(), id: operation.shown.id.clone() };
        let driver = control.clone();
        control.runtime().tasks.run(async move {
            let _guard = guard;
            let id = operation.shown.id.clone();
            if let Some(Err(error)) = stop.run_until_cancelled(drive(&driver, operation)).await {
                tracing::error!(
                    operation = id,
                    error = error.chain(),
                    "an operation cannot be driven; it will be tried again"
                );
                // The database failed: it gets a moment before the next try.
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        });
    }
    Ok(())
}

/// Takes the operation off the list of those driven here, however its task ends.
struct Driven {
    control: Control,
    id: String,
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.control.runtime().driving.lock().remove(&self.id);
        // It may have been put back into the queue meanwhile.
        self.control.runtime().operations_due.notify_one();
        self.control.runtime().nodes_due.notify_one();
    }
}

/// Takes the steps that are left. An error is one of the database: a step's own failure is recorded.
fn drive(control: &Control, operation: Operation) -> BoxFuture<'_, Result<()>> {
    Box::pin(async move {
        let change = Change::parse(&operation.shown.kind)?;
        let undoing = operation.undoing;
        let kinds = if undoing { change.undo_steps().unwrap_or_default() } else { change.steps() };
        for kind in kinds {
            let name = kind.name(undoing);
            let done =
                operation.shown.steps.iter().any(|step| step.name == name && step.status == OperationStatus::Succeeded);
            if done {
                continue;
            }
            if !begin(control, &operation, name).await? {
                return Ok(());
            }
            let progress = Progress::new(control, &operation, name);
            if let Err(error) = steps::take(control, &operation, *kind, &progress).await {
                return fail(control, &operation, change, name, &error).await;
            }
            let last = kinds.last() == Some(kind);
            if !finish(control, &operation, change, *kind, last).await? {
                return Ok(());
            }
        }
        Ok(())
    })
}

/// Whether the operation is still to be driven as it was read: it may have been put back to be undone.
async fn still_due(tx: &mut store::Tx, operation: &Operation) -> Result<bool> {
    let now = operations::get(tx, &operation.shown.id).await?;
    Ok(now.is_some_and(|now| {
        now.undoing == operation.undoing
            && matches!(now.shown.status, OperationStatus::Queued | OperationStatus::Running | OperationStatus::Waiting)
    }))
}

async fn begin(control: &Control, operation: &Operation, step: &str) -> Result<bool> {
    let mut tx = control.store().begin().await?;
    if !still_due(&mut tx, operation).await? {
        return Ok(false);
    }
    operations::set_status(&mut tx, &operation.shown.id, OperationStatus::Running, None, now()).await?;
    operations::begin_step(&mut tx, &operation.shown.id, step, now()).await?;
    tx.change("operation", &operation.shown.id, operation.network());
    tx.commit().await?;
    Ok(true)
}

async fn finish(control: &Control, operation: &Operation, change: Change, kind: StepKind, last: bool) -> Result<bool> {
    let id = &operation.shown.id;
    let mut tx = control.store().begin().await?;
    if !still_due(&mut tx, operation).await? {
        return Ok(false);
    }
    let nodes = match kind {
        StepKind::Forget => {
            store::nodes::of_network(&mut tx, &operation.scope).await?.into_iter().map(|node| node.id).collect()
        }
        _ => Vec::new(),
    };
    if kind == StepKind::Forget {
        networks::delete(&mut tx, &operation.scope).await?;
        tx.change("network", &operation.scope, Some(&operation.scope));
    }
    operations::set_step(&mut tx, id, kind.name(operation.undoing), OperationStatus::Succeeded, None, Some(now()))
        .await?;
    if last {
        let status = if operation.undoing { OperationStatus::Undone } else { OperationStatus::Succeeded };
        operations::set_status(&mut tx, id, status, None, now()).await?;
        if change == Change::CreateNetwork && !operation.undoing {
            networks::set_phase(&mut tx, &operation.scope, Phase::Ready, NetworkStatus::Running, None).await?;
        }
        note_subject(&mut tx, operation);
    }
    tx.change("operation", id, operation.network());
    tx.commit().await?;
    if kind == StepKind::Forget {
        control.runtime().forget(&operation.scope, &nodes);
    }
    Ok(true)
}

async fn fail(control: &Control, operation: &Operation, change: Change, step: &str, error: &Error) -> Result<()> {
    let problem: Problem = error.problem();
    if error.is_internal() {
        tracing::error!(operation = operation.shown.id, step, error = error.chain(), "a step of an operation failed");
    }
    let mut tx = control.store().begin().await?;
    if !still_due(&mut tx, operation).await? {
        return Ok(());
    }
    operations::set_step(
        &mut tx,
        &operation.shown.id,
        step,
        OperationStatus::Failed,
        Some(&problem.detail),
        Some(now()),
    )
    .await?;
    operations::set_status(&mut tx, &operation.shown.id, OperationStatus::Failed, Some(&problem), now()).await?;
    match change {
        Change::CreateNetwork => {
            networks::set_phase(&mut tx, &operation.scope, Phase::Failed, NetworkStatus::Failed, Some(&problem.detail))
                .await?;
        }
        Change::DeleteNetwork => {
            let reason = format!("It could not be deleted: {}", problem.detail);
            networks::set_phase(&mut tx, &operation.scope, Phase::Deleting, NetworkStatus::Deleting, Some(&reason))
                .await?;
        }
        _ => {}
    }
    tx.change("operation", &operation.shown.id, operation.network());
    note_subject(&mut tx, operation);
    tx.commit().await?;
    Ok(())
}

/// Tells who looks at what the operation changes.
fn note_subject(tx: &mut store::Tx, operation: &Operation) {
    let kind = if operation.network().is_some() { "network" } else { "engine" };
    tx.change(kind, &operation.scope, operation.network());
}
