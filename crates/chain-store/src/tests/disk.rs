//! Disks that are full or damaged, and data that are not this chain's.

use std::{sync::Arc, time::Duration};

use chain_exec::Executor;
use commonware_runtime::{Clock as _, Runner as _, Supervisor as _, deterministic, tokio as real};
use commonware_utils::probability;

use super::world::{History, genesis_with, open};
use crate::{Chain, MemoryFile, SCHEMA, StoreConfig, StoreError};

fn config(memory: &MemoryFile) -> StoreConfig {
    StoreConfig { cache_bytes: 1 << 20, memory: memory.clone(), ..StoreConfig::default() }
}

/// Goes on until the store fails.
async fn until_it_fails(chain: &Chain, history: &mut History) -> StoreError {
    loop {
        let block = history.propose_if_possible(chain, 40).await;
        let Some(block) = block else { return chain.failed().await };
        match chain.finalize(block).await {
            Ok(durable) => {
                if durable.await.is_err() {
                    return chain.failed().await;
                }
            }
            Err(error) => {
                assert!(error.is_fatal(), "{error}");
                return chain.failed().await;
            }
        }
        assert!(history.blocks.len() < 2_000, "the disk never got full");
    }
}

#[test]
fn a_full_disk_under_the_ledger_stops_the_store_and_more_space_mends_it() {
    let file = MemoryFile::default();
    let mut history = History::new(8);
    let (durable, checkpoint) = deterministic::Runner::seeded(8).start_and_recover(async |context| {
        let chain = open(context.child("a"), config(&file)).await.expect("it opens");
        file.set_limit(file.length() + 300_000);
        let error = until_it_fails(&chain, &mut history).await;
        assert!(matches!(&error, StoreError::Storage { what: "writing the ledger", .. }), "{error}");
        let durable = chain.durable_height();
        file.kill();
        durable
    });
    file.set_limit(usize::MAX);
    deterministic::Runner::from(checkpoint).start(async |context| {
        let chain = open(context.child("a"), config(&file)).await.expect("it opens with space");
        assert_eq!(chain.head().block.number(), durable);
        for block in history.blocks.clone() {
            chain.finalize(block).await.expect("valid").await.expect("there is space");
        }
        history.assert_chain(&chain);
    });
}

#[test]
fn a_failing_disk_under_the_commitment_stops_the_store() {
    let file = MemoryFile::default();
    let mut history = History::new(9);
    let (durable, checkpoint) = deterministic::Runner::seeded(9).start_and_recover(async |context| {
        let chain = open(context.child("a"), config(&file)).await.expect("it opens");
        let block = history.propose(&chain, 10).await;
        chain.finalize(block).await.expect("valid").await.expect("the disk works");
        let faults = context.storage_fault_config();
        faults.write().sync_rate = Some(probability!(1.0));
        let error = until_it_fails(&chain, &mut history).await;
        assert!(matches!(&error, StoreError::Storage { .. }), "{error}");
        faults.write().sync_rate = None;
        file.kill();
        chain.durable_height()
    });
    assert_eq!(durable, 1);
    deterministic::Runner::from(checkpoint).start(async |context| {
        let chain = open(context.child("a"), config(&file)).await.expect("it opens again");
        assert_eq!(chain.head().block.number(), durable);
        for block in history.blocks.clone() {
            chain.finalize(block).await.expect("valid").await.expect("the disk works");
        }
        history.assert_chain(&chain);
    });
}

#[test]
fn a_start_that_was_cut_short_starts_afresh() {
    // The commitment got its genesis, the ledger did not.
    let ((), checkpoint) = deterministic::Runner::seeded(1).start_and_recover(async |context| {
        let full = MemoryFile::default();
        let chain = open(context.child("a"), config(&full)).await.expect("it opens");
        chain.close().await.expect("it closes");
    });
    deterministic::Runner::from(checkpoint).start(async |context| {
        let chain = open(context.child("a"), config(&MemoryFile::default())).await.expect("it opens");
        let mut history = History::new(1);
        let block = history.propose(&chain, 10).await;
        chain.finalize(block).await.expect("valid").await.expect("the disk works");
        history.assert_chain(&chain);
    });
}

#[test]
fn another_genesis_and_a_newer_schema_are_refused() {
    let file = MemoryFile::default();
    deterministic::Runner::seeded(1).start(async |context| {
        let chain = open(context.child("a"), config(&file)).await.expect("it opens");
        chain.close().await.expect("it closes");
        drop(chain);
        let other = genesis_with(4711);
        let executor = Executor::new(&other).expect("valid");
        let error = Chain::open(context.child("b"), config(&file), &other, executor).await.expect_err("not its data");
        assert!(matches!(error, StoreError::OtherGenesis { given, .. } if given == other.fingerprint()), "{error}");

        crate::ledger::write_schema_for_test(&file, SCHEMA + 1);
        let error = open(context.child("c"), config(&file)).await.expect_err("too new");
        assert!(matches!(error, StoreError::NewerSchema { found, supported: SCHEMA } if found == SCHEMA + 1));
        assert!(error.to_string().contains("newer version"), "{error}");
    });
}

#[test]
fn damage_is_told_not_served() {
    for offset in [0, 9, 70, 4096 + 40] {
        let file = MemoryFile::default();
        deterministic::Runner::seeded(1).start(async |context| {
            let chain = open(context.child("a"), config(&file)).await.expect("it opens");
            let mut history = History::new(1);
            for _ in 0..20 {
                let block = history.propose(&chain, 10).await;
                drop(chain.finalize(block).await.expect("valid"));
            }
            chain.close().await.expect("it closes");
            drop(chain);
            file.kill();
            file.damage(offset, &[0x5a; 256]);
            match open(context.child("b"), config(&file)).await {
                Err(StoreError::Corrupt { .. }) => {}
                Err(error) => panic!("damage at {offset} gives another error: {error}"),
                // A page that nothing reads at the start.
                Ok(chain) => assert_eq!(chain.head().block.number(), 20, "damage at {offset}"),
            }
        });
    }
}

#[test]
fn a_lost_commitment_is_built_again() {
    let file = MemoryFile::default();
    deterministic::Runner::seeded(3).start(async |context| {
        let chain = open(context.child("a"), config(&file)).await.expect("it opens");
        let mut history = History::new(3);
        for _ in 0..300 {
            let block = history.propose(&chain, 10).await;
            drop(chain.finalize(block).await.expect("valid"));
        }
        // Made on the whole commitment, to be accepted on the rebuilt one.
        let next = history.propose(&chain, 10).await;
        chain.close().await.expect("it closes");
        drop(chain);
        let elsewhere = StoreConfig { partition_prefix: "empty".into(), ..config(&file) };
        let chain = open(context.child("b"), elsewhere.clone()).await.expect("it is built again");
        assert!(chain.was_rebuilt());
        history.assert_chain(&chain);
        chain.finalize(next).await.expect("the same root").await.expect("the disk works");
        chain.close().await.expect("it closes");
        drop(chain);
        let chain = open(context.child("c"), elsewhere).await.expect("it opens");
        assert!(!chain.was_rebuilt());
        history.assert_chain(&chain);
    });
}

#[test]
fn a_damaged_commitment_is_built_again() {
    let mut rebuilt = 0;
    for (name, at) in [("log-blobs", 30), ("log-blobs", 5_000), ("nodes-blobs", 5_000), ("nodes-metadata", 20)] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let config = || StoreConfig {
            directory: Some(directory.path().join("ledger")),
            cache_bytes: 4 << 20,
            ..StoreConfig::default()
        };
        let runtime =
            || real::Runner::new(real::Config::new().with_storage_directory(directory.path().join("runtime")));
        let history = runtime().start(|context| async move {
            let chain = open(context.child("store"), config()).await.expect("it opens");
            let mut history = History::new(4);
            for _ in 0..40 {
                let block = history.propose(&chain, 50).await;
                drop(chain.finalize(block).await.expect("valid"));
            }
            chain.close().await.expect("it closes");
            history
        });
        let partition = directory.path().join(format!("runtime/chain-state-{name}"));
        let mut damaged = 0;
        for file in std::fs::read_dir(partition).expect("the partition is there") {
            let path = file.expect("readable").path();
            let mut bytes = std::fs::read(&path).expect("readable");
            if let Some(part) = bytes.get_mut(at..at + 16) {
                part.fill(0x5a);
                damaged += 1;
            }
            std::fs::write(&path, bytes).expect("writable");
        }
        assert!(damaged > 0, "{name} has no byte {at}");
        rebuilt += runtime().start(|context| async move {
            let chain = open(context.child("store"), config()).await;
            let chain = chain.unwrap_or_else(|error| panic!("{name} at {at}: {error}"));
            history.assert_chain(&chain);
            u32::from(chain.was_rebuilt())
        });
    }
    assert!(rebuilt >= 2, "{rebuilt} of the damages were seen");
}

#[test]
fn a_directory_on_a_real_disk() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let config = || StoreConfig {
        directory: Some(directory.path().join("ledger")),
        cache_bytes: 4 << 20,
        ..StoreConfig::default()
    };
    let runtime = || real::Runner::new(real::Config::new().with_storage_directory(directory.path().join("runtime")));
    let mut history = History::new(11);
    // Dropped without being closed each time.
    for round in 1..=4u64 {
        history = runtime().start(|context| async move {
            let chain = open(context.child("store"), config()).await.expect("it opens");
            let durable = chain.head().block.number();
            assert!(durable + 10 >= history.blocks.len() as u64);
            let mut missing = Vec::new();
            for block in &history.blocks[durable as usize..] {
                missing.push(chain.finalize(block.clone()).await.expect("valid"));
            }
            for durable in missing {
                durable.await.expect("the disk works");
            }
            for _ in 0..10 {
                let block = history.propose(&chain, 50).await;
                drop(chain.finalize(block).await.expect("valid"));
                context.sleep(Duration::from_millis(5)).await;
            }
            history.assert_chain(&chain);
            if round == 2 {
                let second = open(context.child("second"), config()).await.expect_err("it is open");
                assert!(matches!(second, StoreError::InUse(_)), "{second}");
            }
            history
        });
    }
    std::fs::write(directory.path().join("ledger/ledger.redb"), b"not a ledger").expect("writable");
    let error = runtime().start(|context| async move { open(context.child("store"), config()).await.map(Arc::new) });
    assert!(matches!(error, Err(StoreError::Corrupt { .. })), "{error:?}");
}
