//! Jobs that several engines share: making a node's key and preparing its data directory.

use driver::NodeSpec;
use workload::{Arg, Content, FileSpec, Job, OutputSource, OutputSpec, Program, VolumeSpec};

use crate::plan::{Family, PUBLIC_KEY};

/// The volume with the node's key.
pub(crate) const KEYS: &str = "keys";
/// The volume with its chain.
pub(crate) const DATA: &str = "data";
/// The key's file: 64 hexadecimal digits.
pub(crate) const KEY_FILE: &str = "/nodekey";

const GENESIS_FILE: &str = "genesis.json";
/// Each takes a second or less; a busy machine may need longer.
pub(crate) const LIMIT_MS: u64 = 60_000;

/// The job whose output is the public key.
pub(crate) fn public_key_name(node: &NodeSpec) -> String {
    format!("{}/public-key", node.name)
}

/// The job after which a node can start.
pub(crate) fn last_name(family: Family, node: &NodeSpec) -> String {
    match family {
        Family::Quorum | Family::Geth => init_name(node),
        Family::Besu => public_key_name(node),
    }
}

fn key_name(node: &NodeSpec) -> String {
    format!("{}/key", node.name)
}

fn init_name(node: &NodeSpec) -> String {
    format!("{}/init", node.name)
}

/// A path in a volume, as an argument.
pub(crate) fn within(volume: &str, path: &str) -> Arg {
    Arg::Joined(vec![Arg::Volume(volume.into()), path.into()])
}

/// Makes a node's key, in one job, and tells its public half, in another: a program either writes a key or reads one.
/// Making it again is harmless as long as nothing has read it, and what reads it comes after.
pub(crate) fn bootnode_key(bootnode: &str, node: &NodeSpec) -> [Job; 2] {
    let job = |name: String, title: String, args: Vec<Arg>| Job {
        name,
        title,
        node: node.id.clone(),
        after: Vec::new(),
        program: Program { name: bootnode.into(), args, ..Program::default() },
        volumes: vec![VolumeSpec::new(KEYS)],
        outputs: Vec::new(),
        time_limit_ms: LIMIT_MS,
    };
    let make = vec!["-genkey".into(), within(KEYS, KEY_FILE)];
    let tell = vec!["-nodekey".into(), within(KEYS, KEY_FILE), "-writeaddress".into()];
    let told = Job {
        after: vec![key_name(node)],
        outputs: vec![OutputSpec { name: PUBLIC_KEY.into(), source: OutputSource::Stdout }],
        ..job(public_key_name(node), format!("Read the public key of {}", node.name), tell)
    };
    [job(key_name(node), format!("Make the key of {}", node.name), make), told]
}

/// Writes the first block into a new data directory. One that was cut short starts anew.
pub(crate) fn init(geth: &str, node: &NodeSpec, genesis: &str, flags: &[&str], after: Vec<String>) -> Job {
    let mut args = vec!["--datadir".into(), Arg::Volume(DATA.into()), "init".into()];
    args.extend(flags.iter().copied().map(Arg::from));
    args.push(Arg::File(GENESIS_FILE.into()));
    Job {
        name: init_name(node),
        title: format!("Prepare the data directory of {}", node.name),
        node: node.id.clone(),
        after,
        program: Program { name: geth.into(), args, files: vec![genesis_file(genesis)], ..Program::default() },
        volumes: vec![VolumeSpec::emptied(DATA)],
        outputs: Vec::new(),
        time_limit_ms: LIMIT_MS,
    }
}

/// The genesis beside a program.
pub(crate) fn genesis_file(genesis: &str) -> FileSpec {
    FileSpec { name: GENESIS_FILE.into(), content: Content::Text(genesis.into()) }
}
