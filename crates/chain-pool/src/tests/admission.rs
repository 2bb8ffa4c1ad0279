//! Who gets in, who is refused with which words, who gives way.

use alloy_consensus::{SignableTransaction, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Bytes, TxKind};

use super::*;

fn refusal(pool: &Pool, tx: Tx) -> String {
    submit(pool, tx, Origin::Local).unwrap_err().to_string()
}

#[test]
fn a_refusal_says_precisely_why() {
    let (pool, accounts) = pool(Limits::default());
    accounts.set(1, 5, 1_000);
    let ok = tx(1, 5);
    assert_eq!(refusal(&pool, tx(1, 4)), "nonce too low: next nonce 5, tx nonce 4");
    assert_eq!(
        refusal(&pool, ok.value(1_001)),
        "insufficient funds for gas * price + value: balance 1000, tx cost 1001, overshot 1"
    );
    assert_eq!(refusal(&pool, Tx { gas: 20_999, ..ok }), "intrinsic gas too low: gas 20999, minimum needed 21000");
    assert_eq!(refusal(&pool, Tx { gas: 30_000_001, ..ok }), "exceeds block gas limit: gas 30000001, limit 30000000");
    assert_eq!(refusal(&pool, Tx { chain: 7, ..ok }), "invalid chain id for signer: have 7 want 4242");
    submit(&pool, ok.value(600), Origin::Local).unwrap();
    assert_eq!(refusal(&pool, ok.value(600)), "already known");
    assert_eq!(refusal(&pool, ok.value(1)), "replacement transaction underpriced");
    assert_eq!(
        refusal(&pool, tx(1, 6).value(500)),
        "insufficient funds for gas * price + value: balance 1000, queued cost 600, tx cost 500, overshot 100"
    );

    let offer =
        |raw: Vec<u8>| futures::executor::block_on(pool.submit(raw.into(), Origin::Local)).unwrap_err().to_string();
    assert_eq!(offer(vec![3, 1, 2, 3]), "transaction type not supported");
    assert!(offer(vec![0xf8, 0x00]).starts_with("rlp: invalid transaction: "));
    assert!(offer(Vec::new()).starts_with("rlp: "));
    let unprotected: TxEnvelope =
        TxLegacy { gas_limit: 21_000, ..TxLegacy::default() }.into_signed(signature(1)).into();
    assert_eq!(offer(unprotected.encoded_2718()), "only replay-protected (EIP-155) transactions allowed over RPC");
    let legacy = TxLegacy {
        chain_id: Some(CHAIN),
        nonce: 9,
        gas_limit: 5_000_000,
        to: TxKind::Create,
        input: Bytes::from(vec![1; 49_153]),
        ..TxLegacy::default()
    };
    let create: TxEnvelope = legacy.into_signed(signature(1)).into();
    assert_eq!(offer(create.encoded_2718()), "max initcode size exceeded: code size 49153, limit 49152");
    assert_eq!(offer(vec![2; 200_000]), "oversized data: transaction size 200000, limit 131072");
}

#[test]
fn a_price_below_the_chains_is_refused() {
    let accounts = Arc::new(Accounts { base_fee: 10, ..Accounts::default() });
    let pool = Pool::open(config(Limits::default(), None), accounts).unwrap();
    assert_eq!(refusal(&pool, tx(1, 0).fee(9)), "transaction underpriced: max fee per gas 9, minimum needed 10");
    submit(&pool, tx(1, 0).fee(10), Origin::Local).unwrap();
}

#[test]
fn a_replacement_pays_a_tenth_more_and_the_replaced_has_a_fate() {
    let (pool, accounts) = pool(Limits::default());
    let first = tx(1, 0).fee(100);
    submit(&pool, first, Origin::Local).unwrap();
    assert_eq!(refusal(&pool, first.fee(109)), "replacement transaction underpriced");
    let second = first.fee(110);
    submit(&pool, second, Origin::Peer).unwrap();
    assert_eq!(pool.fate(&first.hash()), Some(Fate::Replaced { by: second.hash() }));
    assert_eq!(pool.status().pending, 1);
    finalize(&pool, &accounts, 1, &[second]);
    assert_eq!(pool.fate(&second.hash()), Some(Fate::Included { number: 1 }));
    assert_eq!(pool.status(), crate::PoolStatus::default());
}

#[test]
fn what_a_block_makes_invalid_leaves_with_its_reason() {
    let (pool, accounts) = pool(Limits::default());
    accounts.set(1, 0, 100);
    let (other, waiting, after) = (tx(1, 0).value(90), tx(1, 0).fee(0).value(1), tx(1, 1).value(50));
    submit(&pool, waiting, Origin::Local).unwrap();
    submit(&pool, after, Origin::Local).unwrap();
    finalize(&pool, &accounts, 1, &[other]);
    assert_eq!(pool.fate(&waiting.hash()), Some(Fate::Replaced { by: other.hash() }));
    let Some(Fate::Dropped { why }) = pool.fate(&after.hash()) else { panic!("{:?}", pool.fate(&after.hash())) };
    assert!(why.contains("balance 10, tx cost 50"), "{why}");
}

#[test]
fn a_full_pool_refuses_and_never_evicts_a_local_transaction() {
    let limits = Limits { transactions: 10, per_sender: 4, ..Limits::default() };
    let (pool, _) = pool(limits);
    for nonce in 0..4 {
        submit(&pool, tx(1, nonce), Origin::Local).unwrap();
    }
    let error = submit(&pool, tx(1, 4), Origin::Local).unwrap_err();
    assert!(matches!(error, Refusal::SenderLimit { limit: 4, .. }) && error.is_overload());
    for sender in 2..8 {
        submit(&pool, tx(sender, 0), Origin::Peer).unwrap();
    }
    // Six of ten are peers': a local one takes the newest one's place, down to half of the pool.
    assert!(matches!(submit(&pool, tx(8, 0), Origin::Peer), Err(Refusal::Full { .. })));
    submit(&pool, tx(9, 0), Origin::Local).unwrap();
    assert_eq!(pool.fate(&tx(7, 0).hash()), Some(Fate::Dropped { why: "the pool was full".into() }));
    assert!(matches!(submit(&pool, tx(10, 0), Origin::Local), Err(Refusal::Full { .. })));
    // Whoever pays more gets in while there are peers' that pay less, and not a step further.
    for sender in 11..16 {
        submit(&pool, tx(sender, 0).fee(5), Origin::Local).unwrap();
    }
    assert!(matches!(submit(&pool, tx(16, 0).fee(1_000), Origin::Local), Err(Refusal::Full { .. })));
    assert_eq!(pool.status().pending, 10);
    assert!((0..4).all(|nonce| pool.get(&tx(1, nonce).hash()).is_some()));
}

#[test]
fn transactions_behind_a_gap_have_a_limit_of_their_own() {
    let (pool, _) = pool(Limits { queued: 2, ..Limits::default() });
    submit(&pool, tx(1, 3), Origin::Local).unwrap();
    submit(&pool, tx(1, 2), Origin::Local).unwrap();
    assert!(matches!(submit(&pool, tx(2, 1), Origin::Local), Err(Refusal::QueueFull { limit: 2, next: 0 })));
    submit(&pool, tx(2, 0), Origin::Local).unwrap();
    submit(&pool, tx(2, 1), Origin::Local).unwrap();
    assert_eq!(pool.pending_nonce(&address(1)), Some(0));
    submit(&pool, tx(1, 0), Origin::Local).unwrap();
    submit(&pool, tx(1, 1), Origin::Local).unwrap();
    assert_eq!(pool.pending_nonce(&address(1)), Some(4));
    assert_eq!((pool.status().pending, pool.status().queued), (6, 0));
}
