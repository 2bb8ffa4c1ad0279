//! What was acknowledged survives: restarts, torn files, a disk that refuses.

use std::{fs, path::Path};

use super::*;

fn open(path: &Path, accounts: &Arc<Accounts>) -> Pool {
    Pool::open(config(Limits::default(), Some(path.into())), accounts.clone()).unwrap()
}

#[test]
fn an_acknowledged_transaction_is_there_after_a_restart_and_gossiped_again() {
    let directory = tempfile::tempdir().unwrap();
    let (path, accounts) = (directory.path().join("journal"), Arc::new(Accounts::default()));
    let pool = open(&path, &accounts);
    for nonce in [0, 1, 3] {
        submit(&pool, tx(1, nonce), Origin::Local).unwrap();
    }
    submit(&pool, tx(2, 0).fee(10), Origin::Local).unwrap();
    submit(&pool, tx(2, 0).fee(20), Origin::Local).unwrap();
    submit(&pool, tx(3, 0), Origin::Peer).unwrap();
    finalize(&pool, &accounts, 1, &[tx(1, 0)]);
    drop(pool);

    let pool = open(&path, &accounts);
    assert_eq!(names(pool.candidates()), [(2, 0), (1, 1)]);
    assert!(pool.get(&tx(2, 0).fee(20).hash()).is_some());
    assert_eq!(pool.status().queued, 1);
    assert_eq!(futures::executor::block_on(pool.next_batch()).len(), 3);
    futures::executor::block_on(pool.wait_pending());
    // Written anew at start: three records and the head.
    let live: usize = [tx(1, 1), tx(1, 3), tx(2, 0).fee(20)].iter().map(|tx| tx.raw().len() + 13).sum();
    assert_eq!(fs::metadata(&path).unwrap().len() as usize, 12 + live);
}

#[test]
fn a_file_cut_at_any_byte_loses_only_what_was_cut() {
    let directory = tempfile::tempdir().unwrap();
    let (path, accounts) = (directory.path().join("journal"), Arc::new(Accounts::default()));
    let pool = open(&path, &accounts);
    let count = 4;
    for nonce in 0..count {
        submit(&pool, tx(1, nonce), Origin::Local).unwrap();
    }
    drop(pool);
    let whole = fs::read(&path).unwrap();
    let record = |nonce: u64| tx(1, nonce).raw().len() + 13;
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let mut end = 12;
        let expected = (0..count)
            .take_while(|nonce| {
                end += record(*nonce);
                end <= cut
            })
            .count();
        let pool = open(&path, &accounts);
        assert_eq!(pool.status().pending, expected, "cut at {cut}");
        submit(&pool, tx(9, 0), Origin::Local).unwrap();
        drop(pool);
        assert_eq!(open(&path, &accounts).status().pending, expected + 1, "cut at {cut}");
    }
}

#[test]
fn a_flipped_byte_costs_one_record() {
    let directory = tempfile::tempdir().unwrap();
    let (path, accounts) = (directory.path().join("journal"), Arc::new(Accounts::default()));
    let pool = open(&path, &accounts);
    for sender in 1..=3 {
        submit(&pool, tx(sender, 0), Origin::Local).unwrap();
    }
    drop(pool);
    let whole = fs::read(&path).unwrap();
    for at in 12..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        fs::write(&path, &damaged).unwrap();
        assert_eq!(open(&path, &accounts).status().pending, 2, "byte {at}");
    }
}

#[test]
fn what_became_invalid_does_not_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let (path, accounts) = (directory.path().join("journal"), Arc::new(Accounts::default()));
    accounts.set(1, 0, 100);
    let pool = open(&path, &accounts);
    submit(&pool, tx(1, 1).value(80), Origin::Local).unwrap();
    finalize(&pool, &accounts, 1, &[tx(1, 0).value(50)]);
    assert_eq!(pool.status().queued + pool.status().pending, 0);
    drop(pool);
    accounts.set(1, 1, 1_000);
    assert_eq!(open(&path, &accounts).status().pending, 0);
}

#[test]
fn an_acknowledged_transaction_that_cannot_be_paid_yet_is_kept_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let (path, accounts) = (directory.path().join("journal"), Arc::new(Accounts::default()));
    accounts.set(1, 0, 100);
    let pool = open(&path, &accounts);
    submit(&pool, tx(1, 0).value(80), Origin::Local).unwrap();
    drop(pool);
    // After a crash the state begins before the block that funded the account.
    accounts.set(1, 0, 0);
    let pool = open(&path, &accounts);
    assert_eq!(names(pool.candidates()), []);
    accounts.set(1, 0, 100);
    finalize(&pool, &accounts, 1, &[]);
    assert_eq!(names(pool.candidates()), [(1, 0)]);
}

#[test]
fn other_files_and_newer_versions_are_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    for (content, words) in [(&b"#!/bin/sh\nexit 0\n"[..], "begins with other bytes"), (b"polder-pool\x02", "version")]
    {
        fs::write(&path, content).unwrap();
        let error =
            Pool::open(config(Limits::default(), Some(path.clone())), Arc::new(Accounts::default())).err().unwrap();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn many_submitters_share_commits() {
    let directory = tempfile::tempdir().unwrap();
    let (path, accounts) = (directory.path().join("journal"), Arc::new(Accounts::default()));
    let pool = open(&path, &accounts);
    let all: Vec<_> = (0..20).flat_map(|sender| (0..100).map(move |nonce| tx(sender, nonce))).collect();
    futures::executor::block_on(async {
        let submits = all.iter().map(|tx| pool.submit(tx.raw(), Origin::Local));
        futures::future::try_join_all(submits).await.unwrap();
    });
    assert_eq!(pool.status().pending, 2_000);
    drop(pool);
    assert_eq!(open(&path, &accounts).status().pending, 2_000);
}
