//! The pool against a model that is simple enough to be right: a map of senders to nonces.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Submit {
        sender: u8,
        nonce: u64,
        fee: u128,
        local: bool,
    },
    /// The first few candidates become a block.
    Block {
        count: usize,
    },
    /// A block with a transaction that the pool never saw.
    Foreign {
        sender: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..5_u8, 0..12_u64, 0..40_u128, any::<bool>())
            .prop_map(|(sender, nonce, fee, local)| Step::Submit { sender, nonce, fee, local }),
        2 => (0..8_usize).prop_map(|count| Step::Block { count }),
        1 => (1..5_u8).prop_map(|sender| Step::Foreign { sender }),
    ]
}

#[derive(Default)]
struct Model {
    nonces: BTreeMap<u8, u64>,
    waiting: BTreeMap<(u8, u64), (u128, bool)>,
}

impl Model {
    fn nonce(&self, sender: u8) -> u64 {
        self.nonces.get(&sender).copied().unwrap_or(0)
    }

    fn executable(&self, sender: u8) -> Vec<u64> {
        (self.nonce(sender)..).take_while(|nonce| self.waiting.contains_key(&(sender, *nonce))).collect()
    }

    fn include(&mut self, sender: u8, nonce: u64) {
        self.nonces.insert(sender, nonce + 1);
        self.waiting.retain(|(other, used), _| *other != sender || *used > nonce);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_the_model(steps in proptest::collection::vec(step(), 1..120)) {
        let (pool, accounts) = pool(Limits::default());
        let mut model = Model::default();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Submit { sender, nonce, fee, local } => {
                    let origin = if local { Origin::Local } else { Origin::Peer };
                    let result = submit(&pool, tx(sender, nonce).fee(fee), origin);
                    match model.waiting.get(&(sender, nonce)).copied() {
                        _ if nonce < model.nonce(sender) => {
                            let next = model.nonce(sender);
                            prop_assert_eq!(result, Err(Refusal::NonceTooLow { next, nonce }));
                        }
                        Some((old, _)) if old == fee => prop_assert_eq!(result, Err(Refusal::AlreadyKnown)),
                        Some((old, _)) if fee <= old || fee * 10 < old * 11 => {
                            prop_assert_eq!(result, Err(Refusal::ReplacementUnderpriced));
                        }
                        old => {
                            prop_assert!(result.is_ok());
                            let local = local || old.is_some_and(|(_, local)| local);
                            model.waiting.insert((sender, nonce), (fee, local));
                        }
                    }
                }
                Step::Block { count } => {
                    let block: Vec<Tx> = names(pool.candidates())
                        .into_iter()
                        .take(count)
                        .map(|(sender, nonce)| tx(sender, nonce).fee(model.waiting[&(sender, nonce)].0))
                        .collect();
                    for tx in &block {
                        model.include(tx.sender, tx.nonce);
                    }
                    finalize(&pool, &accounts, number as u64, &block);
                }
                Step::Foreign { sender } => {
                    let foreign = tx(sender, model.nonce(sender)).fee(1_000);
                    model.include(sender, foreign.nonce);
                    finalize(&pool, &accounts, number as u64, &[foreign]);
                }
            }
            let status = pool.status();
            let executable: usize = (1..5).map(|sender| model.executable(sender).len()).sum();
            prop_assert_eq!((status.pending, status.queued), (executable, model.waiting.len() - executable));
            let bytes: usize = model.waiting.iter().map(|((s, n), (fee, _))| tx(*s, *n).fee(*fee).raw().len()).sum();
            prop_assert_eq!(status.bytes, bytes);
            let candidates = names(pool.candidates());
            prop_assert_eq!(candidates.len(), executable);
            for sender in 1..5 {
                let own: Vec<_> = candidates.iter().filter(|(s, _)| *s == sender).map(|(_, nonce)| *nonce).collect();
                prop_assert_eq!(&own, &model.executable(sender));
                let next = model.nonce(sender) + own.len() as u64;
                prop_assert_eq!(pool.pending_nonce(&address(sender)), Some(next));
            }
            let local = model.waiting.values().filter(|(_, local)| *local).count();
            prop_assert_eq!(pool.0.shared.live().len(), local);
        }
    }
}
