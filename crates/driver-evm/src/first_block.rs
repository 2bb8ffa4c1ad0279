//! A new Clique network's first blocks.
//!
//! Until a signer has heard of the others' blocks it signs one of its own, and then waits for somebody else to sign the next.
//! Two nodes tell each other what they have when they connect. If all of them sign their first block in that very moment,
//! none hears of the others', and all wait for good. Connecting them anew is the cure.

use std::time::Duration;

use alloy_primitives::U64;
use driver::{Error, Result};
use evm_ledger::{NodeClient, Steps, parsed};
use futures::future::{BoxFuture, join_all};
use serde_json::json;
use tokio::time::{Instant, sleep};
use types::Code;
use workload::StepSpec;

use crate::health::wire::PeerInfo;

/// The step's action.
pub(crate) const ACTION: &str = "first-block";
/// Blocks that show that signers follow one another. A forked first block is followed by none.
const ENOUGH: u64 = 2;
/// How long nodes may need to find each other, and after having connected anew to fetch each other's blocks: geth looks for
/// better ones each 10 s.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest that the step takes, at usual block periods.
const LIMIT: Duration = Duration::from_secs(90);

/// Takes the step.
pub(crate) struct FirstBlock;

impl Steps for FirstBlock {
    fn done<'a>(&'a self, step: &'a StepSpec, nodes: Vec<NodeClient<'a>>) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            check(step)?;
            Ok(height(&nodes).await >= ENOUGH)
        })
    }

    fn take<'a>(&'a self, step: &'a StepSpec, nodes: Vec<NodeClient<'a>>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            check(step)?;
            let period = step.parameters.get("period").and_then(|text| text.parse().ok()).unwrap_or(1);
            let (patience, limit) =
                (PATIENCE + Duration::from_secs(2 * period), LIMIT + Duration::from_secs(10 * period));
            let begin = Instant::now();
            let mut quiet = begin;
            while height(&nodes).await < ENOUGH {
                if begin.elapsed() > limit {
                    let detail = "The signers do not follow one another: none has signed a block on another's. Look at \
                                  the logs of the network's nodes.";
                    return Err(Error::problem(Code::Unavailable, detail));
                }
                if quiet.elapsed() > patience {
                    join_all(nodes.iter().map(connect_anew)).await;
                    quiet = Instant::now();
                }
                sleep(Duration::from_millis(100)).await;
            }
            Ok(())
        })
    }
}

fn check(step: &StepSpec) -> Result<()> {
    if step.action == ACTION { Ok(()) } else { Err(Error::Protocol(format!("unknown step `{}`", step.action))) }
}

/// The greatest height that a node tells; 0 while none answers.
async fn height(nodes: &[NodeClient<'_>]) -> u64 {
    const METHOD: &str = "eth_blockNumber";
    let requests = [(METHOD, json!([]))];
    let heights = join_all(nodes.iter().map(|node| node.ask_all(&requests))).await;
    let known =
        heights.into_iter().flatten().flatten().filter_map(|answer| parsed::<U64>(METHOD, Ok(answer.ok()?)).ok());
    known.map(|height| height.to()).max().unwrap_or(0)
}

/// Parts a node from its peers and brings it together with them. One that does not answer is left as it is.
async fn connect_anew(node: &NodeClient<'_>) {
    let peers = node.ask_all(&[("admin_peers", json!([]))]).await;
    let peers = peers.ok().and_then(|mut answers| parsed::<Vec<PeerInfo>>("admin_peers", answers.remove(0)).ok());
    for enode in peers.unwrap_or_default().into_iter().map(|peer| peer.enode) {
        for method in ["admin_removePeer", "admin_addPeer"] {
            // What fails is tried again with the next round.
            let _ = node.ask_all(&[(method, json!([enode]))]).await;
        }
    }
}
