//! Real Fabric networks, made with this crate alone: certificates, channel and packages are its own, and nothing of
//! Fabric's tools takes part but where they are compared with.
//!
//! The programs are found below `POLDER_ENGINES` (`fabric-3.1.1/bin/peer`, …); without them the tests fail. Ended by the
//! tests themselves, also when they fail.

mod members;
mod network;
mod programs;
mod story;
mod tools;

use network::Ordering;

/// One network at a time: two would only slow each other down.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fabric_3_with_bft() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    story::run("3.1.1", Ordering::Bft).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fabric_3_with_raft() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    story::run("3.1.1", Ordering::Raft).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fabric_2_with_raft() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    story::run("2.5.0", Ordering::Raft).await
}
