//! geth's development chain: one node that makes blocks by itself, by the rules of Ethereum's newest forks.
//!
//! It has no consensus and no peers; a simulated beacon chain inside of geth (since 1.14) decides when a block is made. geth's
//! own genesis for it is not used: that one gives all money to a key that everybody knows.

use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_primitives::{Address, Bytes};
use driver::{NetworkSpec, NodeSpec, Result};
use serde_json::{Map, Value, json};
use workload::{Arg, Placements, Plan, Probe, Program, Service, VolumeSpec};

use crate::plan::geth::price_and_listener;
use crate::plan::jobs::{self, DATA};
use crate::plan::quorum::rpc_args;
use crate::plan::{Family, genesis, options, port, program, service};

/// Where the fees go: nobody has a key for it. Given one, geth neither makes nor unlocks an account of its own.
const NOBODY: &str = "0x000000000000000000000000000000000000dEaD";
/// Each block's state is written with it, so that a node that is killed loses none. And into LevelDB: Pebble, as geth uses it, keeps
/// in memory what it has been given to write (`ethdb/pebble/pebble.go`: `NoSync`).
const DATABASE: [&str; 4] = ["--db.engine", "leveldb", "--state.scheme", "hash"];

pub(crate) fn plan(spec: &NetworkSpec, placements: &Placements) -> Result<Plan> {
    let (mut jobs, mut services) = (Vec::new(), Vec::new());
    for node in &spec.nodes {
        let genesis = genesis::file(Family::Geth, spec, &[]);
        jobs.push(jobs::init(&program(Family::Geth, spec, "geth"), node, &genesis, &DATABASE, Vec::new()));
        services.push(node_service(spec, placements, node)?);
    }
    Ok(Plan { jobs, services, complete: true, ..Plan::default() })
}

fn node_service(spec: &NetworkSpec, placements: &Placements, node: &NodeSpec) -> Result<Service> {
    let option = |name: &str| options::number(spec, name);
    let mut args = vec!["--datadir".into(), Arg::Volume(DATA.into()), "--dev".into()];
    args.extend(["--dev.period".into(), option(options::BLOCK_PERIOD).to_string().into()]);
    args.extend(["--miner.pending.feeRecipient", NOBODY, "--gcmode", "archive", "--cache", "128"].map(Arg::from));
    args.extend(DATABASE.map(Arg::from));
    args.extend(["--miner.gaslimit".into(), option(options::GAS_LIMIT).to_string().into()]);
    args.extend(["--nodiscover", "--nat", "none", "--ipcdisable"].map(Arg::from));
    args.extend(price_and_listener(option(options::GAS_PRICE)));
    args.extend(rpc_args(port(placements, node, evm_ledger::RPC_PORT)?, &["admin", "eth", "net", "txpool", "web3"]));
    let program = Program { name: program(Family::Geth, spec, "geth"), args, ..Program::default() };
    let ready = Probe::Http { port: evm_ledger::RPC_PORT.into(), path: "/".into() };
    Ok(Service { volumes: vec![VolumeSpec::new(DATA)], ..service(Family::Geth, node, program, ready) })
}

/// What the genesis' `config` has beside the forks that all engines have.
pub(crate) fn forks() -> Map<String, Value> {
    // Numbers of EIP-7840's examples, and of EIP-7892 for Osaka, which keeps Prague's.
    let blobs = |target: u64, max: u64, fraction: u64| json!({ "target": target, "max": max, "baseFeeUpdateFraction": fraction });
    let (cancun, prague) = (blobs(3, 6, 3_338_477), blobs(6, 9, 5_007_716));
    let mut forks = Map::new();
    for fork in ["londonBlock", "terminalTotalDifficulty", "shanghaiTime", "cancunTime", "pragueTime", "osakaTime"] {
        forks.insert(fork.into(), 0.into());
    }
    forks.insert("blobSchedule".into(), json!({ "cancun": cancun, "prague": prague.clone(), "osaka": prague }));
    forks
}

/// The contracts that these forks call with each block, for a genesis' `alloc`.
pub(crate) fn system_contracts() -> [(String, Value); 4] {
    let predeployed = |(address, code): (Address, &Bytes)| {
        (format!("{address:#x}"), json!({ "balance": "0x0", "nonce": "0x1", "code": code.to_string() }))
    };
    [
        (eip4788::BEACON_ROOTS_ADDRESS, &eip4788::BEACON_ROOTS_CODE),
        (eip2935::HISTORY_STORAGE_ADDRESS, &eip2935::HISTORY_STORAGE_CODE),
        (eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, &eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE),
        (eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, &eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE),
    ]
    .map(predeployed)
}
