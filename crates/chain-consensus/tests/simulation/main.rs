//! Whole networks in the seeded simulator: lossy links, partitions, crashes of all nodes, epoch boundaries, followers.
//! A failing seed fails again the same way.

mod network;

use std::time::Duration;

use chain_consensus::channel;
use commonware_runtime::{Clock as _, Runner as _, deterministic};
use network::{LINK, LOSSY, Network, Settings};

/// Runs a scenario and returns the runtime's fingerprint of everything that happened.
fn simulate<F: Future<Output = ()>>(seed: u64, scenario: impl FnOnce(deterministic::Context) -> F) -> String {
    let config = deterministic::Config::new().with_seed(seed).with_timeout(Some(Duration::from_secs(600)));
    deterministic::Runner::new(config).start(|context| async move {
        let auditor = context.auditor();
        scenario(context).await;
        auditor.state()
    })
}

async fn loss_and_partition(context: deterministic::Context) {
    let mut network = Network::start(context, Settings { link: LOSSY, ..Settings::default() }).await;
    network.all_reach(5).await;

    network.isolate(3).await;
    let away = network.height(3);
    network.reach(&[0, 1, 2], away + 8).await;
    assert!(network.height(3) <= away + 1, "a node without a connection cannot finalise");

    network.heal().await;
    network.all_reach(away + 12).await;
    network.assert_one_chain();
}

#[test]
fn lossy_links_and_a_partition_delay_and_do_not_fork() {
    for seed in 0..4 {
        simulate(seed, loss_and_partition);
    }
}

#[test]
fn a_seed_decides_everything() {
    let first = simulate(7, loss_and_partition);
    assert_eq!(first, simulate(7, loss_and_partition));
    assert_ne!(first, simulate(8, loss_and_partition));
}

#[test]
fn without_a_quorum_nothing_is_final_and_the_status_says_why() {
    simulate(1, |context| async move {
        let mut network = Network::start(context, Settings::default()).await;
        network.all_reach(3).await;
        network.crash(2);
        network.crash(3);
        // What was under way may still finish.
        network.context.sleep(Duration::from_secs(2)).await;
        let halted = network.height(0).max(network.height(1));
        network.context.sleep(Duration::from_secs(20)).await;
        assert_eq!(network.height(0).max(network.height(1)), halted);

        network.restart(2).await;
        network.restart(3).await;
        let back = network.context.current();
        network.all_reach(halted + 1).await;
        let took = network.context.current().duration_since(back).unwrap();
        assert!(took < Duration::from_secs(5), "back after {took:?}");
        network.assert_one_chain();
    });
}

#[test]
fn a_node_that_was_away_over_epochs_comes_back_and_votes() {
    for seed in 0..3 {
        simulate(seed, |context| async move {
            let settings = Settings { epoch_length: 16, heartbeat_ms: 200, ..Settings::default() };
            let mut network = Network::start(context, settings).await;
            network.all_reach(4).await;
            network.crash(3);
            network.reach(&[0, 1, 2], 40).await;
            network.restart(3).await;
            network.all_reach(44).await;

            // Now its vote is needed: with another one away, three of four must agree.
            network.crash(0);
            network.reach(&[1, 2, 3], 70).await;
            assert!(network.status(3).epoch >= 4);
            network.restart(0).await;
            network.all_reach(72).await;
            network.assert_one_chain();
        });
    }
}

#[test]
fn a_partition_across_a_boundary_heals() {
    simulate(5, |context| async move {
        let settings = Settings { epoch_length: 16, heartbeat_ms: 200, link: LOSSY, ..Settings::default() };
        let mut network = Network::start(context, settings).await;
        network.all_reach(14).await;
        network.isolate(1).await;
        network.reach(&[0, 2, 3], 35).await;
        network.heal().await;
        network.all_reach(50).await;
        network.assert_one_chain();
    });
}

#[test]
fn a_follower_follows_over_epochs() {
    simulate(3, |context| async move {
        let settings = Settings { epoch_length: 16, heartbeat_ms: 200, followers: 1, ..Settings::default() };
        let mut network = Network::start(context, settings).await;
        network.all_reach(20).await;
        network.crash(4);
        network.reach(&[0, 1, 2, 3], 60).await;
        network.restart(4).await;
        network.all_reach(65).await;
        assert_eq!(network.status(4).role, chain_consensus::Role::Follower);
        network.assert_one_chain();
    });
}

#[test]
fn a_boundary_costs_no_time_out() {
    for seed in 0..3 {
        simulate(seed, |context| async move {
            let settings = Settings { epoch_length: 16, heartbeat_ms: 200, ..Settings::default() };
            let network = Network::start(context, settings).await;
            network.all_reach(50).await;
            let times = network.times(0);
            for pair in times[1..].windows(2) {
                assert!(pair[1] - pair[0] < 400, "{} ms between two blocks: {times:?}", pair[1] - pair[0]);
            }
        });
    }
}

/// Old blocks come from the ledger and old certificates from their own archive, also for a peer that starts anew.
#[test]
fn what_left_the_recent_archives_is_still_there_for_peers() {
    simulate(9, |context| async move {
        let settings = Settings { heartbeat_ms: 100, epoch_length: 64, followers: 1, ..Settings::default() };
        let mut network = Network::start(context, settings).await;
        network.all_reach(4).await;
        network.crash(4);
        network.reach(&[0, 1, 2, 3], 2100).await;
        network.crash(1);
        network.restart(1).await;
        network.restart(4).await;
        network.all_reach(2110).await;
        network.assert_one_chain();
    });
}

#[test]
fn a_validator_that_sends_rubbish_is_blocked_and_the_others_go_on() {
    // The first byte is an epoch on the channels that are sorted by it: the one that runs, or another.
    let rubbish =
        [(channel::TRANSACTIONS, 0x5a), (channel::VOTES, 0), (channel::CERTIFICATES, 0), (channel::CERTIFICATES, 90)];
    for (channel, first) in rubbish {
        simulate(11, |context| async move {
            let mut network = Network::start(context, Settings::default()).await;
            network.all_reach(3).await;
            network.crash(3);
            let mut bytes = [0x5a; 40];
            bytes[0] = first;
            network.send(3, channel, &bytes).await;
            while network.blockers(3).await < 3 {
                network.context.sleep(Duration::from_millis(10)).await;
            }
            let height = network.height(0);
            network.reach(&[0, 1, 2], height + 4).await;
            network.assert_one_chain();
        });
    }
}

#[test]
fn one_validator_alone_is_a_chain() {
    simulate(2, |context| async move {
        let settings = Settings { validators: 1, epoch_length: 16, heartbeat_ms: 100, ..Settings::default() };
        let mut network = Network::start(context, settings).await;
        network.all_reach(40).await;
        network.crash(0);
        network.restart(0).await;
        network.all_reach(60).await;
    });
}

#[test]
fn a_chain_that_was_lost_is_replayed_from_the_archive() {
    simulate(4, |context| async move {
        let mut network = Network::start(context, Settings { epoch_length: 16, ..Settings::default() }).await;
        network.all_reach(20).await;
        network.crash(2);
        network.lose_chain(2);
        network.restart(2).await;
        network.all_reach(30).await;
        network.assert_one_chain();
    });
}

/// Stops every node at once, again and again, at moments that the seed draws, so that many of them fall between a
/// block's notarisation and its finalisation. What any node had finalised before must be there afterwards.
#[test]
fn all_nodes_crash_at_once_and_lose_nothing() {
    for seed in 0..6_u64 {
        let config = deterministic::Config::new().with_seed(seed).with_timeout(Some(Duration::from_secs(600)));
        let mut runner = deterministic::Runner::new(config);
        let mut before = network::Finalised::default();
        let disks = network::Disks::default();
        for crash in 0..6_u64 {
            let (known, disks) = (before.clone(), disks.clone());
            let (after, checkpoint) = runner.start_and_recover(|context| async move {
                let settings =
                    Settings { epoch_length: 16, heartbeat_ms: 150, link: LINK, disks, ..Settings::default() };
                let network = Network::start(context, settings).await;
                let target = known.height() + 1;
                network.all_reach(target).await;
                // Not a multiple of anything that the protocol does.
                let moment = 37 + (seed * 131 + crash * 71) % 400;
                network.context.sleep(Duration::from_millis(moment)).await;
                network.assert_one_chain();
                network.finalised()
            });
            after.assert_extends(&before, seed, crash);
            before = after;
            runner = deterministic::Runner::from(checkpoint);
        }
        assert!(before.height() > 6);
    }
}
