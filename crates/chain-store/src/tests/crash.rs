//! Nodes that die at any moment come back with everything that they acknowledged, and agree with all others.

use std::time::Duration;

use commonware_runtime::{Clock as _, Runner as _, Supervisor as _, deterministic};
use commonware_utils::probability;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::world::{History, open};
use crate::{MemoryFile, StoreConfig, Verify};

fn config(name: &str, memory: &MemoryFile) -> StoreConfig {
    StoreConfig {
        partition_prefix: name.into(),
        cache_bytes: 1 << 20,
        memory: memory.clone(),
        ..StoreConfig::default()
    }
}

/// One life of two nodes: `a` proposes, `b` verifies what it happens to hear of, both are told what is final. It ends
/// in the middle of whatever is going on. Returns the heights that were acknowledged.
async fn life(
    context: deterministic::Context,
    history: &mut History,
    files: &[MemoryFile; 2],
    acknowledged: [u64; 2],
) -> [u64; 2] {
    // Of what was not synced, a crash keeps any bytes.
    context.storage_fault_config().write().write_rate = Some(deterministic::WriteConfig {
        failure_rate: probability!(0.0),
        retention_rate: probability!(0.5),
        mode: deterministic::PartialWriteMode::Subset,
    });
    let a = open(context.child("a"), config("a", &files[0])).await.expect("a opens");
    let b = open(context.child("b"), config("b", &files[1])).await.expect("b opens");
    for (chain, acknowledged) in [&a, &b].into_iter().zip(acknowledged) {
        assert!(!chain.was_rebuilt(), "the commitment was behind the ledger");
        assert!(chain.head().block.number() >= acknowledged, "an acknowledged block is gone");
        history.assert_chain(chain);
        // What marshal does after a restart: every block that was not acknowledged comes again, and perhaps more.
        let from = history.rng.random_range(0..=acknowledged);
        for block in &history.blocks[from as usize..] {
            drop(chain.finalize(block.clone()).await.expect("a final block comes again"));
        }
        history.assert_chain(chain);
    }
    let mut waiting = [Vec::new(), Vec::new()];
    for _ in 0..history.rng.random_range(0..12) {
        // A fork that will be abandoned, on both nodes, perhaps with a child.
        let mut fork = History::new(history.rng.random());
        fork.blocks.clone_from(&history.blocks);
        fork.models.clone_from(&history.models);
        for _ in 0..history.rng.random_range(0..3) {
            let block = fork.propose(&a, 6).await;
            if history.rng.random_bool(0.5) {
                match b.verify(block).await {
                    Ok(()) | Err(Verify::MissingParent) => {}
                    Err(error) => panic!("a valid fork is refused: {error}"),
                }
            }
        }
        let ahead = history.rng.random_range(1..4);
        let mut pending = Vec::new();
        for _ in 0..ahead {
            pending.push(history.propose(&a, 12).await);
        }
        for block in pending {
            if history.rng.random_bool(0.5) {
                b.verify(block.clone()).await.expect("a valid block whose parent is known");
            }
            for (chain, waiting) in [&a, &b].into_iter().zip(&mut waiting) {
                let durable = chain.finalize(block.clone()).await.expect("a valid block");
                assert_eq!(chain.head().block, block);
                waiting.push((block.number(), durable));
            }
        }
        if history.rng.random_bool(0.5) {
            context.sleep(Duration::from_millis(history.rng.random_range(0..150))).await;
        }
        if history.rng.random_bool(0.3) {
            history.assert_chain(&b);
        }
    }
    if history.rng.random_bool(0.2) {
        a.close().await.expect("it can be closed");
    }
    let mut result = acknowledged;
    for (result, waiting) in result.iter_mut().zip(waiting) {
        for (number, mut durable) in waiting {
            if durable.try_recv().is_ok() {
                *result = number;
            }
        }
    }
    for (file, chain) in files.iter().zip([&a, &b]) {
        assert!(chain.durable_height() <= chain.head().block.number());
        // The ledger's file loses what was not synced or, when only the process dies, nothing.
        if history.rng.random_bool(0.5) { file.cut_power() } else { file.kill() }
    }
    result
}

#[test]
fn nothing_acknowledged_is_lost_and_roots_agree() {
    for seed in 0..10 {
        let mut history = History::new(seed);
        let files = [MemoryFile::default(), MemoryFile::default()];
        let mut acknowledged = [0, 0];
        let mut checkpoint: Option<deterministic::Checkpoint> = None;
        let mut lives = StdRng::seed_from_u64(seed);
        for _ in 0..lives.random_range(3..8) {
            let runner = match checkpoint.take() {
                Some(checkpoint) => deterministic::Runner::from(checkpoint),
                None => deterministic::Runner::seeded(seed),
            };
            let files = files.clone();
            let (ended, next) =
                runner.start_and_recover(async |context| life(context, &mut history, &files, acknowledged).await);
            acknowledged = ended;
            checkpoint = Some(next);
        }
        assert!(history.blocks.len() > 5, "seed {seed} made no blocks");
        assert!(acknowledged[0] > 0, "seed {seed} acknowledged nothing");
    }
}

#[test]
fn a_closed_store_has_everything_and_resolves_every_wait() {
    let file = MemoryFile::default();
    let mut history = History::new(5);
    let (_, checkpoint) = deterministic::Runner::seeded(5).start_and_recover(async |context| {
        let chain = open(context.child("a"), config("a", &file)).await.expect("it opens");
        let mut waiting = Vec::new();
        for _ in 0..30 {
            let block = history.propose(&chain, 5).await;
            waiting.push(chain.finalize(block).await.expect("a valid block"));
        }
        chain.close().await.expect("it can be closed");
        for durable in waiting {
            durable.await.expect("closing writes everything");
        }
        assert_eq!(chain.durable_height(), 30);
        chain.close().await.expect("closing again does nothing");
        history.assert_chain(&chain);
        file.cut_power();
    });
    deterministic::Runner::from(checkpoint).start(async |context| {
        let chain = open(context.child("a"), config("a", &file)).await.expect("it opens");
        assert_eq!(chain.head().block.number(), 30);
        history.assert_chain(&chain);
    });
}
