//! Reading, verifying and subscribing through the handle.

use std::time::Duration;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256};
use chain_types::Block;
use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::world::{History, OTHER, RECORDER, limits, open, record};
use crate::{Chain, LogEntry, StoreConfig, StoreError, Verify};

/// Every log of the range, one by one.
fn scan(chain: &Chain, from: u64, to: u64, addresses: &[Address], topics: &[Vec<B256>; 4]) -> Vec<LogEntry> {
    let mut found = Vec::new();
    for number in from..=to.min(chain.head().block.number()) {
        let sealed = chain.sealed_by_number(number).unwrap().unwrap();
        let mut log_index = 0;
        for (index, receipt) in sealed.receipts.iter().enumerate() {
            for log in receipt.logs() {
                let address = addresses.is_empty() || addresses.contains(&log.address);
                let topics = (0..4).all(|place: usize| {
                    topics[place].is_empty()
                        || log.data.topics().get(place).is_some_and(|topic| topics[place].contains(topic))
                });
                if address && topics {
                    found.push(LogEntry {
                        block_hash: sealed.block.hash(),
                        block_number: number,
                        block_timestamp: sealed.block.header().timestamp,
                        transaction_hash: *sealed.block.transactions()[index].tx_hash(),
                        transaction_index: index as u64,
                        log_index,
                        log: log.clone(),
                    });
                }
                log_index += 1;
            }
        }
    }
    found
}

#[test]
fn logs_are_those_of_a_naive_scan() {
    deterministic::Runner::seeded(3).start(|context| async move {
        let chain = open(context.child("a"), StoreConfig::default()).await.unwrap();
        let mut history = History::new(3);
        let mut rng = StdRng::seed_from_u64(3);
        let mut hits = 0;
        for round in 0..60 {
            let block = history.propose(&chain, 4).await;
            let durable = chain.finalize(block).await.unwrap();
            // The range ends sometimes in the ledger, sometimes in memory.
            if round % 7 == 0 {
                durable.await.unwrap();
            }
            for _ in 0..40 {
                let (from, to) = (rng.random_range(0..=round), rng.random_range(0..=round + 3));
                let addresses: Vec<_> =
                    [RECORDER, OTHER, Address::ZERO].into_iter().filter(|_| rng.random_bool(0.3)).collect();
                let mut topics: [Vec<B256>; 4] = Default::default();
                for place in &mut topics[..3] {
                    for _ in 0..rng.random_range(0..3) {
                        place.push(B256::from(U256::from(rng.random_range(0..24))));
                    }
                }
                let wanted = scan(&chain, from, to, &addresses, &topics);
                hits += wanted.len();
                let found = chain.logs(from, to, &addresses, &topics, wanted.len()).unwrap();
                assert_eq!(found, wanted);
                if !wanted.is_empty() {
                    let few = chain.logs(from, to, &addresses, &topics, wanted.len() - 1);
                    assert!(matches!(few, Err(StoreError::TooManyLogs { .. })));
                }
            }
        }
        assert!(hits > 500, "{hits}");
    });
}

#[test]
fn wrong_blocks_are_refused_for_ever_and_unknown_parents_are_not() {
    deterministic::Runner::seeded(1).start(|context| async move {
        let chain = open(context.child("a"), StoreConfig { partition_prefix: "a".into(), ..Default::default() });
        let other = open(context.child("b"), StoreConfig { partition_prefix: "b".into(), ..Default::default() });
        let (chain, other) = (chain.await.unwrap(), other.await.unwrap());
        assert_eq!(chain.genesis_hash(), other.genesis_hash());
        let mut history = History::new(1);
        let first = history.propose(&chain, 5).await;
        let second = history.propose(&chain, 5).await;

        assert!(matches!(other.verify(second.clone()).await, Err(Verify::MissingParent)));
        let header = Header { state_root: B256::repeat_byte(1), ..first.header().clone() };
        let wrong = Block::new(header, first.transactions().to_vec());
        assert!(matches!(other.verify(wrong.clone()).await, Err(Verify::Invalid(reason)) if reason.contains("root")));
        assert!(other.candidate(&wrong.hash()).is_none());
        let header = Header { gas_used: 1, ..first.header().clone() };
        let wrong = Block::new(header, first.transactions().to_vec());
        assert!(matches!(other.verify(wrong).await, Err(Verify::Invalid(_))));

        other.verify(first.clone()).await.unwrap();
        other.verify(first.clone()).await.unwrap();
        other.verify(second.clone()).await.unwrap();
        history.models[2].assert_state(&*other.candidate_state(&second.hash()).unwrap(), 2);
        history.models[1].assert_state(&*other.candidate_state(&first.hash()).unwrap(), 1);
        assert_eq!(other.head().block.number(), 0);
        assert!(matches!(other.state_at(1), Err(StoreError::UnknownBlock { number: 1, head: 0 })));
        assert!(other.transaction(&B256::ZERO).unwrap().is_none());
        assert!(other.sealed_by_hash(&first.hash()).unwrap().is_none(), "it is not final");
        let nowhere = other.propose(&B256::ZERO, 1, Box::new(std::iter::empty()), limits()).await;
        assert!(matches!(nowhere, Err(StoreError::UnknownParent(_))));

        // A candidate that includes a transaction with a used nonce says so.
        let parent = first.hash();
        let mut stale = vec![record(0, 1_000, RECORDER, 1, 1)].into_iter();
        let proposed = other.propose(&parent, 9_000, Box::new(std::iter::from_fn(move || stale.next())), limits());
        let proposed = proposed.await.unwrap();
        assert_eq!((proposed.skipped.len(), proposed.block.transactions().len()), (1, 0));
    });
}

#[test]
fn subscribers_hear_each_final_block_once_and_in_order() {
    deterministic::Runner::seeded(2).start(|context| async move {
        let chain = open(context.child("a"), StoreConfig::default()).await.unwrap();
        let mut news = chain.subscribe();
        let mut history = History::new(2);
        let mut durable = Vec::new();
        for _ in 0..5 {
            let block = history.propose(&chain, 3).await;
            durable.push(chain.finalize(block.clone()).await.unwrap());
            durable.push(chain.finalize(block).await.unwrap());
        }
        for block in &history.blocks {
            assert_eq!(news.recv().await.unwrap().block, *block);
        }
        assert!(news.try_recv().is_err());
        for durable in durable {
            durable.await.unwrap();
        }
        assert_eq!(chain.durable_height(), 5);
        let (head, state) = chain.head_state();
        assert_eq!(head.block.number(), 5);
        history.model().assert_state(&*state, 5);
        assert!(chain.finalize(history.blocks[2].clone()).await.unwrap().await.is_ok(), "an old block comes again");
    });
}

#[test]
fn a_view_stays_right_while_the_chain_goes_on() {
    deterministic::Runner::seeded(4).start(|context| async move {
        let chain = open(context.child("a"), StoreConfig::default()).await.unwrap();
        let mut history = History::new(4);
        let mut views = Vec::new();
        for number in 1..40u64 {
            let block = history.propose(&chain, 6).await;
            views.push((number, chain.candidate_state(&block.hash()).unwrap()));
            let durable = chain.finalize(block).await.unwrap();
            views.push((number, chain.state_at(number).unwrap()));
            if number % 5 == 0 {
                durable.await.unwrap();
            }
        }
        for (number, view) in views {
            history.models[number as usize].assert_state(&*view, number);
        }
    });
}

#[test]
fn a_final_block_that_is_wrong_stops_the_store() {
    deterministic::Runner::seeded(6).start(|context| async move {
        let chain = open(context.child("a"), StoreConfig::default()).await.unwrap();
        let mut history = History::new(6);
        let first = history.propose(&chain, 5).await;
        let header = Header { state_root: B256::repeat_byte(1), ..first.header().clone() };
        let wrong = Block::new(header, first.transactions().to_vec());
        let error = chain.finalize(wrong).await.unwrap_err();
        assert!(matches!(error, StoreError::InvalidFinal { number: 1, .. }), "{error}");
        assert!(error.is_fatal());
        assert!(matches!(chain.failed().await, StoreError::InvalidFinal { .. }));
        let after = chain.finalize(first).await.unwrap_err();
        assert!(matches!(&after, StoreError::Stopped(Some(_))) && after.is_fatal());
        assert_eq!(chain.head().block.number(), 0);
    });
}

#[test]
fn a_final_block_does_not_wait_for_the_one_that_is_executed() {
    deterministic::Runner::timed(Duration::from_secs(10)).start(|context| async move {
        let chain = open(context.child("a"), StoreConfig::default()).await.unwrap();
        let mut history = History::new(2);
        let block = history.propose(&chain, 4).await;
        let _executing = chain.0.execution.lock().await;
        chain.finalize(block.clone()).await.unwrap().await.unwrap();
        assert_eq!(chain.head().block, block);
    });
}

#[test]
fn blocks_that_never_become_final_do_not_fill_the_memory() {
    deterministic::Runner::seeded(6).start(|context| async move {
        let chain = open(context.child("a"), StoreConfig::default()).await.unwrap();
        let parent = chain.genesis_hash();
        let mut blocks = Vec::new();
        for when in 0..400 {
            let proposed = chain.propose(&parent, 1_000 + when, Box::new(std::iter::empty()), limits()).await.unwrap();
            blocks.push(proposed.block);
        }
        let kept = blocks.iter().filter(|block| chain.candidate(&block.hash()).is_some()).count();
        assert!(kept < 150, "{kept} blocks are kept");
        // One that was forgotten is executed again when it becomes final.
        assert!(chain.candidate(&blocks[0].hash()).is_none());
        chain.finalize(blocks[0].clone()).await.unwrap().await.unwrap();
        assert_eq!(chain.durable_height(), 1);
    });
}
