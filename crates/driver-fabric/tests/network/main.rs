//! The planner's plan run with Fabric's own programs, and the ledger against them.
//!
//! The programs are found below `POLDER_ENGINES` (`fabric-3.1.1/bin/peer`, …), else in the cache directory; without them the
//! tests fail. All processes end with the tests, also when they fail.

mod fabric_ca;
mod growth;
mod host;
mod members;
mod outage;
mod programs;
mod story;

use serde_json::{Value, json};

/// One network at a time: two would only slow each other down.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fabric_3_with_raft() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    story::run("3.1.1", "raft", 3, Value::Null).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fabric_3_with_bft() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    story::run("3.1.1", "bft", 4, Value::Null).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fabric_2_with_raft() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    story::run("2.5.0", "raft", 3, json!({ "peers": 2, "ordererMember": "beta", "channel": "main" })).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_versions_with_fabric_ca() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    for version in ["3.1.1", "2.5.0"] {
        fabric_ca::run(version).await?;
    }
    Ok(())
}
