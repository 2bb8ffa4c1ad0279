//! The reconcilers: they take no input, look at what is wanted and what is, and take the next step. Each runs on a timer
//! and when woken.

mod attached;
mod blocks;
pub(crate) mod observe;
mod status;
mod transactions;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use types::now;

use crate::tasks::TaskSpec;
use crate::{Control, Result};

const SECOND: Duration = Duration::from_secs(1);
/// How long ended transactions are remembered; the ledger keeps them.
const TRANSACTIONS_KEPT_US: i64 = 24 * 60 * 60 * 1_000_000;
/// How long counted blocks are kept.
const STATISTICS_KEPT_US: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// Starts all of them.
pub(crate) fn start(control: &Control) {
    let tasks = &control.runtime().tasks;
    let spec = |name, description, period, wake: &Arc<Notify>| TaskSpec {
        name,
        description,
        period,
        wake: wake.clone(),
        stoppable: false,
        wanted: true,
    };
    let never = Arc::new(Notify::new());
    let runtime = control.runtime();

    let own = control.clone();
    tasks.spawn(
        spec(
            "drive-operations",
            "Takes the steps of operations that have not ended.",
            5 * SECOND,
            &runtime.operations_due,
        ),
        move || {
            let control = own.clone();
            async move { crate::operations::drive_due(&control).await }
        },
    );
    let own = control.clone();
    tasks.spawn(
        spec(
            "reconcile-nodes",
            "Starts and stops nodes as wanted, observes them and derives the state of networks.",
            SECOND,
            &runtime.nodes_due,
        ),
        move || {
            let control = own.clone();
            async move { observe::reconcile(&control).await }
        },
    );
    let own = control.clone();
    tasks.spawn(
        spec("watch-attached", "Asks the networks that others run how they are.", 2 * SECOND, &runtime.attached_due),
        move || {
            let control = own.clone();
            async move { attached::watch(&control).await }
        },
    );
    let own = control.clone();
    tasks.spawn(
        spec("count-blocks", "Counts blocks and transactions for the charts.", 2 * SECOND, &never),
        move || {
            let control = own.clone();
            async move { blocks::count(&control).await }
        },
    );
    let own = control.clone();
    tasks.spawn(
        spec("follow-transactions", "Finds out what became of transactions whose outcome is open.", SECOND, &never),
        move || {
            let control = own.clone();
            async move { transactions::follow(&control).await }
        },
    );
    let own = control.clone();
    tasks.run(async move { own.follow_admissions().await });
    let own = control.clone();
    tasks.spawn(spec("count-calls", "Writes down how often applications called.", 10 * SECOND, &never), move || {
        let control = own.clone();
        async move { control.record_usage().await }
    });
    let own = control.clone();
    tasks.spawn(
        spec(
            "remove-old-records",
            "Removes samples, statistics, ended transactions, sessions, answers and changes that are too old.",
            60 * SECOND,
            &never,
        ),
        move || {
            let control = own.clone();
            async move { prune(&control).await }
        },
    );
}

async fn prune(control: &Control) -> Result<()> {
    let mut tx = control.store().begin().await?;
    store::nodes::prune_samples(&mut tx, now() - crate::nodes::SAMPLES_KEPT_US).await?;
    store::transactions::prune(&mut tx, now() - TRANSACTIONS_KEPT_US).await?;
    store::statistics::prune(&mut tx, now() - STATISTICS_KEPT_US).await?;
    tx.commit().await?;
    control.trim().await
}
