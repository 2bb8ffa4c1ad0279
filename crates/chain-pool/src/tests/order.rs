//! The order of candidates, gossip and what subscribers hear.

use std::{collections::HashMap, time::Duration};

use super::*;

#[test]
fn best_price_first_then_turns_then_arrival_and_nonces_in_order() {
    let (pool, _) = pool(Limits::default());
    for nonce in (0..1000).rev() {
        submit(&pool, tx(1, nonce), Origin::Peer).unwrap();
    }
    for sender in 2..200 {
        submit(&pool, tx(sender, 0), Origin::Peer).unwrap();
    }
    submit(&pool, tx(201, 0).fee(1), Origin::Peer).unwrap();
    submit(&pool, tx(201, 1), Origin::Peer).unwrap();
    let order = names(pool.candidates());
    assert_eq!(order.len(), 1000 + 198 + 2);
    assert_eq!(order[0], (201, 0));
    let own: Vec<u64> = order.iter().filter(|(sender, _)| *sender == 1).map(|(_, nonce)| *nonce).collect();
    assert_eq!(own, (0..1000).collect::<Vec<_>>());
    // A thousand of one sender do not keep the others waiting for more than its turn.
    let last_other = order.iter().rposition(|(sender, _)| *sender != 1).unwrap();
    assert!(last_other < 198 + 2 + 16, "{last_other}");
}

#[test]
fn candidates_continue_after_unfinal_blocks() {
    let (pool, _) = pool(Limits::default());
    for nonce in [0, 1, 2, 4, 5] {
        submit(&pool, tx(1, nonce), Origin::Peer).unwrap();
    }
    assert_eq!(names(pool.candidates()), [(1, 0), (1, 1), (1, 2)]);
    let after = |next| names(pool.candidates_after(HashMap::from([(address(1), next)])));
    assert_eq!(after(2), [(1, 2)]);
    assert_eq!(after(3), []);
    // The block had nonce 3 from elsewhere.
    assert_eq!(after(4), [(1, 4), (1, 5)]);
}

#[test]
fn only_local_transactions_are_gossiped_and_announced_again() {
    let (pool, _) = pool(Limits::default());
    submit(&pool, tx(1, 0), Origin::Peer).unwrap();
    submit(&pool, tx(2, 0), Origin::Local).unwrap();
    submit(&pool, tx(2, 1), Origin::Local).unwrap();
    let batch = futures::executor::block_on(pool.next_batch());
    assert_eq!(batch, [tx(2, 0).raw(), tx(2, 1).raw()]);
    assert!(pool.reannounce(Duration::from_secs(60)).is_empty());
    std::thread::sleep(Duration::from_millis(2));
    assert_eq!(pool.reannounce(Duration::from_millis(1)).len(), 2);
}

#[test]
fn subscribers_and_leaders_hear_of_what_becomes_executable() {
    let (pool, accounts) = pool(Limits::default());
    let mut heard = pool.subscribe_pending();
    submit(&pool, tx(1, 1), Origin::Local).unwrap();
    assert_eq!(pool.arrivals(), 0);
    assert!(heard.try_recv().is_err());
    submit(&pool, tx(1, 0), Origin::Peer).unwrap();
    assert_eq!(pool.arrivals(), 2);
    let heard: Vec<_> = std::iter::from_fn(|| heard.try_recv().ok()).collect();
    assert_eq!(names(heard.into_iter()), [(1, 0), (1, 1)]);
    futures::executor::block_on(pool.wait_pending());
    assert_eq!(futures::executor::block_on(pool.wait_arrival(1)), 2);
    finalize(&pool, &accounts, 1, &[tx(1, 0)]);
    assert_eq!(pool.arrivals(), 2, "what was executable is not new");
}

#[test]
fn what_no_block_can_have_leaves_and_what_follows_can_be_sent_anew() {
    let (pool, _) = pool(Limits::default());
    for nonce in 0..3 {
        submit(&pool, tx(1, nonce), Origin::Local).unwrap();
    }
    pool.invalid(&tx(1, 1).hash(), "too much gas".into());
    assert_eq!(pool.fate(&tx(1, 1).hash()), Some(Fate::Dropped { why: "too much gas".into() }));
    assert_eq!(names(pool.candidates()), [(1, 0)]);
    assert_eq!((pool.status().pending, pool.status().queued), (1, 1));
    submit(&pool, tx(1, 1).value(1), Origin::Local).unwrap();
    assert_eq!(names(pool.candidates()), [(1, 0), (1, 1), (1, 2)]);
    // Unknown ones are nobody's.
    pool.invalid(&tx(9, 9).hash(), "too much gas".into());
}
