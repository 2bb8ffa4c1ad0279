//! Who is counted, who leads, and when a node is halted.

use alloy_primitives::{Address, hex};

use super::consensus::round;
use super::*;

fn accounts(bytes: &[u8]) -> Vec<Address> {
    bytes.iter().map(|byte| Address::repeat_byte(*byte)).collect()
}

fn votes(bytes: &[u8]) -> Consensus {
    Consensus::Votes { validators: accounts(bytes), proposer: None, committers: Vec::new(), round: None }
}

#[test]
fn a_validator_without_enough_others_is_halted() {
    let own = Some(Address::repeat_byte(1));
    let consensus = votes(&[1, 2, 3, 4]);
    assert_eq!(
        consensus.halted(own, &accounts(&[2])).as_deref(),
        Some("2 of 4 validators are connected, 3 are needed")
    );
    assert_eq!(consensus.halted(own, &accounts(&[2, 4])), None);
    assert!(votes(&[1, 2, 3, 4, 5]).halted(own, &accounts(&[2, 3])).is_some(), "4 of 5 are needed");
    let signers = Consensus::Turns { signers: accounts(&[1, 2, 3]), signer: None };
    assert!(signers.halted(own, &[]).is_some());
    assert_eq!(signers.halted(own, &accounts(&[3])), None);
    let raft = |leader| Consensus::Raft { nodes: Some(3), leader };
    assert_eq!(raft(own).halted(own, &[]).as_deref(), Some("1 of 3 nodes are connected, 2 are needed"));
    assert_eq!(raft(None).halted(own, &accounts(&[2])).as_deref(), Some("the nodes have no leader"));
    assert_eq!(raft(own).halted(own, &accounts(&[2])), None);
    assert_eq!(
        Consensus::Raft { nodes: None, leader: own }.halted(own, &[]),
        None,
        "attached: nobody has said how many"
    );
    assert_eq!(Consensus::Untold.halted(own, &[]), None);
}

#[test]
fn validators_that_are_not_connected_are_peers_too() {
    let seen = peers(Some(Address::repeat_byte(1)), &accounts(&[2, 9]), &accounts(&[1, 2, 3]));
    let expected = [(2, true), (9, true), (3, false)]
        .map(|(byte, connected)| Peer { identity: Address::repeat_byte(byte).to_string(), connected });
    assert_eq!(seen, expected);
}

#[test]
fn the_round_is_read_from_a_block_of_qbft() {
    let zeros = "00".repeat(32);
    let extra = |rest: &str| hex::decode(format!("{:02x}a0{zeros}{rest}", 0xc0 + 33 + rest.len() / 2)).expect("hex");
    assert_eq!(round(&extra("c0c080c0")), Some(0));
    assert_eq!(round(&extra("c0c007c0")), Some(7));
    assert_eq!(round(&hex::decode(format!("{zeros}c3c080c0")).expect("hex")), None, "IBFT");
    assert_eq!(round(&[]), None);
}

#[test]
fn keys_lead_to_accounts() {
    // The key of the secret 1.
    let key = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
               483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
    let account = wire::account(&format!("enode://{key}@127.0.0.1:30303?discport=0")).expect("a node");
    assert_eq!(account.to_string(), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
    assert_eq!(wire::account(&format!("0x{key}")), Some(account));
    assert_eq!(wire::account(key), Some(account));
    assert_eq!(wire::account(&key[..64]), None, "a hash is no key");
}
