//! geth with Clique: jobs and command line.

use driver::Result;
use workload::{Arg, Job, Probe, Program, Service, StepSpec, VolumeSpec};

use crate::plan::jobs::{self, KEY_FILE, KEYS, LIMIT_MS, within};
use crate::plan::quorum::{common_args, config_file, rpc_args};
use crate::plan::{Family, Member, Network, options, program};

/// The volume with the signer's key as geth wants it.
const KEYSTORE: &str = "keystore";
/// The keystore's password.
const PASSWORD_FILE: &str = "/password";

/// geth signs blocks only with an account of a keystore, which has a password. The node's key lies in its volume in clear,
/// as geth can read it only so; a password that were kept safer than the key would protect nothing. So it is made in the
/// same place (0600, by the same program: 64 random digits) and is known to nobody else.
pub(crate) fn jobs(network: &Network<'_>, member: &Member<'_>) -> Vec<Job> {
    let node = member.node;
    let geth = program(Family::Geth, network.spec, "geth");
    let (password, import) = (format!("{}/password", node.name), format!("{}/account", node.name));
    let job = |name: &String, title: String, program: &str, args: Vec<Arg>, volumes: Vec<VolumeSpec>| Job {
        name: name.clone(),
        title,
        node: node.id.clone(),
        after: vec![jobs::public_key_name(node)],
        program: Program { name: program.into(), args, ..Program::default() },
        volumes,
        outputs: Vec::new(),
        time_limit_ms: LIMIT_MS,
    };
    let make = job(
        &password,
        format!("Make the password of {}'s account", node.name),
        &program(Family::Geth, network.spec, "bootnode"),
        vec!["-genkey".into(), within(KEYS, PASSWORD_FILE)],
        vec![VolumeSpec::new(KEYS)],
    );
    // A random password needs no slow hash. An account that is there already would be refused: hence from empty.
    let args = vec![
        "account".into(),
        "import".into(),
        "--lightkdf".into(),
        "--keystore".into(),
        Arg::Volume(KEYSTORE.into()),
        "--password".into(),
        within(KEYS, PASSWORD_FILE),
        within(KEYS, KEY_FILE),
    ];
    let volumes = vec![VolumeSpec::new(KEYS), VolumeSpec::emptied(KEYSTORE)];
    let title = format!("Make the account by which {} signs blocks", node.name);
    let import_job = Job { after: vec![password], ..job(&import, title, &geth, args, volumes) };
    vec![make, import_job, jobs::init(&geth, node, &network.genesis, &[], vec![import])]
}

/// Waits until signers follow one another.
pub(crate) fn first_block(network: &Network<'_>) -> StepSpec {
    StepSpec {
        name: format!("{}/first-block", network.spec.name),
        title: "Wait for the first blocks".into(),
        after: network.nodes.iter().map(|member| member.node.name.clone()).collect(),
        action: crate::first_block::ACTION.into(),
        parameters: [("period".to_owned(), network.option(options::BLOCK_PERIOD).to_string())].into(),
        restart: None,
    }
}

pub(crate) fn service(network: &Network<'_>, member: &Member<'_>) -> Result<Service> {
    let address = member.address.to_string();
    let mut args = common_args(network);
    args.extend(["--keystore".into(), Arg::Volume(KEYSTORE.into())]);
    args.extend(["--mine".into(), "--miner.etherbase".into(), address.clone().into()]);
    // Unlocked for as long as it runs, or it could not sign. Who reaches the RPC could spend what the signer has earned and
    // sign messages, but no blocks: it listens on loopback, behind the platform.
    args.extend(["--unlock".into(), address.into(), "--password".into(), within(KEYS, PASSWORD_FILE)]);
    args.push("--allow-insecure-unlock".into());
    args.extend(price_and_listener(network.option(options::GAS_PRICE)));
    args.extend(rpc_args(member.rpc, &["admin", "eth", "net", "txpool", "web3", "clique"]));
    let program = Program {
        name: program(Family::Geth, network.spec, "geth"),
        args,
        files: vec![config_file(network, member)],
        ..Program::default()
    };
    let volumes = [KEYS, KEYSTORE, jobs::DATA].map(VolumeSpec::new).to_vec();
    let ready = Probe::Http { port: evm_ledger::RPC_PORT.into(), path: "/".into() };
    Ok(Service { volumes, ..crate::plan::service(Family::Geth, member.node, program, ready) })
}

/// The least price that geth takes, from its own clients and from another node; and the listener for a consensus program, which
/// none of these networks has: on any port, or nodes would meet on one.
pub(crate) fn price_and_listener(price: u64) -> Vec<Arg> {
    let price = price.to_string();
    let mut args = vec!["--miner.gasprice".into(), price.clone().into(), "--txpool.pricelimit".into(), price.into()];
    args.extend(["--authrpc.addr", "127.0.0.1", "--authrpc.port", "0"].map(Arg::from));
    args
}
