//! The state root depends on the finalised blocks and on nothing else.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
use commonware_utils::NZU64;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::commitment::{Commitment, Entry, Qmdb, QmdbConfig, StageError};

fn config(name: &str) -> QmdbConfig {
    // Small files, so that much is released.
    QmdbConfig { operations_per_file: NZU64!(64), ..QmdbConfig::new(name, 64 * 4096) }
}

/// A block's entries: real changes of a model, in the order of their keys.
fn entries(rng: &mut StdRng, state: &mut BTreeMap<B256, B256>) -> Vec<Entry> {
    let mut changes = BTreeMap::new();
    for _ in 0..rng.random_range(0..30) {
        let mut key = [0; 32];
        // Keys that share their first eight bytes collide in the index.
        key[0] = rng.random_range(0..12);
        key[31] = rng.random_range(0..6);
        let value = rng.random_bool(0.7).then(|| B256::repeat_byte(rng.random_range(1..9)));
        changes.insert(B256::from(key), value);
    }
    changes.retain(|key, value| state.get(key) != value.as_ref());
    for (key, value) in &changes {
        match value {
            Some(value) => state.insert(*key, *value),
            None => state.remove(key),
        };
    }
    changes.into_iter().collect()
}

/// Blocks as a node that syncs after each of them sees them: entries and roots.
async fn reference(context: deterministic::Context, blocks: &[Vec<Entry>]) -> Vec<B256> {
    let mut node = Qmdb::create(context, &config("reference")).await.expect("storage works");
    let mut roots = Vec::new();
    for block in blocks {
        let (staged, root) = node.stage(None, block.clone()).await.expect("not stale");
        node.apply(staged).await.expect("storage works");
        node.sync().await.expect("storage works").await.expect("storage works");
        assert_eq!(node.root(), root);
        roots.push(root);
    }
    roots
}

/// Stages ahead, sees forks that are abandoned, applies in groups, syncs or not, releases, and is taken back to what
/// the ledger has, as after a crash.
async fn unsteady(context: deterministic::Context, seed: u64, blocks: &[Vec<Entry>], roots: &[B256]) -> u64 {
    let mut rng = StdRng::seed_from_u64(seed);
    let config = config("unsteady");
    let mut node = Qmdb::create(context.child("first"), &config).await.expect("storage works");
    // What the ledger would have: blocks, position.
    let mut durable = (0usize, node.position());
    let mut applied = 0;
    let mut restarts = 0;
    while durable.0 < blocks.len() {
        // A chain of candidates above what is applied, with forks beside it.
        let mut candidates = Vec::new();
        for number in applied..(applied + rng.random_range(1..6)).min(blocks.len()) {
            let parent = candidates.last().cloned();
            for _ in 0..rng.random_range(0..3) {
                let fork = entries(&mut rng, &mut BTreeMap::new());
                let (fork, _) = node.stage(parent.as_ref(), fork).await.expect("not stale");
                if rng.random_bool(0.5) {
                    let above = entries(&mut rng, &mut BTreeMap::new());
                    node.stage(Some(&fork), above).await.expect("not stale");
                }
            }
            let (staged, root) = node.stage(parent.as_ref(), blocks[number].clone()).await.expect("not stale");
            assert_eq!(root, roots[number], "block {number} with seed {seed}");
            candidates.push(staged);
        }
        let (abandoned, _) = node.stage(None, vec![(B256::ZERO, Some(B256::ZERO))]).await.expect("not stale");
        let moves = !candidates.is_empty();
        // Some of them become final, perhaps with more staged on top in between.
        let last = candidates.len();
        for (index, staged) in candidates.into_iter().enumerate() {
            let top = staged.clone();
            node.apply(staged).await.expect("storage works");
            applied += 1;
            if index + 1 == last && applied < blocks.len() {
                let (_, root) = node.stage(Some(&top), blocks[applied].clone()).await.expect("not stale");
                assert_eq!(root, roots[applied]);
            }
        }
        assert!(!moves || matches!(node.stage(Some(&abandoned), Vec::new()).await, Err(StageError::Stale)));
        assert!(applied == 0 || node.root() == roots[applied - 1]);
        let (position, obsolete) = (node.position(), node.obsolete());
        if applied == blocks.len() || rng.random_bool(0.7) {
            let synced = node.sync().await.expect("storage works");
            if rng.random_bool(0.8) {
                synced.await.expect("storage works");
                durable = (applied, position);
                if rng.random_bool(0.7) {
                    node.release(obsolete).await.expect("storage works");
                }
            }
        }
        if rng.random_bool(0.3) {
            drop(node);
            restarts += 1;
            node = Qmdb::open(context.child("again").with_attribute("n", restarts), &config, durable.1)
                .await
                .expect("the ledger's position is there");
            applied = durable.0;
            if applied > 0 {
                assert_eq!(node.root(), roots[applied - 1], "after a restart at {applied} with seed {seed}");
            }
        }
    }
    assert!(restarts > 0, "seed {seed} tested no restart");
    node.stored_operations()
}

#[test]
fn roots_follow_from_the_blocks_alone() {
    for seed in 0..12 {
        deterministic::Runner::seeded(seed).start(|context| async move {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut state = BTreeMap::new();
            let blocks: Vec<_> = (0..120).map(|_| entries(&mut rng, &mut state)).collect();
            let roots = reference(context.child("reference"), &blocks).await;
            let distinct: std::collections::BTreeSet<_> = roots.iter().collect();
            assert_eq!(distinct.len(), roots.len());
            let written: usize = blocks.iter().map(Vec::len).sum();
            let stored = unsteady(context.child("unsteady"), seed + 100, &blocks, &roots).await;
            // Obsolete operations do not pile up: at most 72 keys live, files of 64 operations.
            assert!(stored < 600, "{stored} operations are stored of more than {written}");
        });
    }
}

#[test]
fn a_position_that_is_not_there_is_an_error() {
    deterministic::Runner::default().start(|context| async move {
        let config = config("short");
        let mut node = Qmdb::create(context.child("first"), &config).await.expect("storage works");
        let (staged, _) = node.stage(None, Vec::new()).await.expect("not stale");
        node.apply(staged).await.expect("storage works");
        let lost = node.position();
        drop(node);
        // Never synced, so it may be gone; beyond it, it certainly is.
        let error = Qmdb::open(context.child("second"), &config, lost + 10).await.err().expect("it is not there");
        assert!(matches!(error, crate::StoreError::Corrupt { .. }), "{error}");
        let again = Qmdb::create(context.child("third"), &config).await.expect("what is left is removed");
        assert_eq!(again.position(), 1);
    });
}
