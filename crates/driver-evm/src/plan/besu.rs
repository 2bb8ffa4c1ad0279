//! Besu: jobs and command line, after its documentation. Runs only where an operator has the program.

pub(crate) use driver::WS_PORT;
use driver::{NetworkSpec, NodeSpec, Result};
use workload::{Arg, Job, OutputSource, OutputSpec, Probe, Program, Service, VolumeSpec};

use crate::plan::jobs::{self, DATA, genesis_file};
use crate::plan::{Family, Member, Network, PUBLIC_KEY, apart, program};

const PUBLIC_KEY_FILE: &str = "key.pub";

/// Makes the node's key in its data directory, unless it is there, and tells its public half.
pub(crate) fn key_job(spec: &NetworkSpec, node: &NodeSpec) -> Job {
    let path = || Arg::Joined(vec![Arg::Volume(DATA.into()), "/".into(), PUBLIC_KEY_FILE.into()]);
    let data = Arg::Joined(vec!["--data-path=".into(), Arg::Volume(DATA.into())]);
    let to = Arg::Joined(vec!["--to=".into(), path()]);
    Job {
        name: jobs::public_key_name(node),
        title: format!("Make the key of {}", node.name),
        node: node.id.clone(),
        after: Vec::new(),
        program: Program {
            name: program(Family::Besu, spec, "besu"),
            args: vec![data, "public-key".into(), "export".into(), to],
            ..Program::default()
        },
        volumes: vec![VolumeSpec::new(DATA)],
        outputs: vec![OutputSpec {
            name: PUBLIC_KEY.into(),
            source: OutputSource::File { volume: DATA.into(), path: PUBLIC_KEY_FILE.into() },
        }],
        // A Java machine on a busy computer.
        time_limit_ms: 2 * jobs::LIMIT_MS,
    }
}

pub(crate) fn service(network: &Network<'_>, member: &Member<'_>) -> Result<Service> {
    let genesis = genesis_file(&network.genesis);
    let option = |name: &str, value: String| Arg::Text(format!("--{name}={value}"));
    let mut args = vec![
        Arg::Joined(vec!["--data-path=".into(), Arg::Volume(DATA.into())]),
        Arg::Joined(vec!["--genesis-file=".into(), Arg::File(genesis.name.clone())]),
        // The ledger asks for states of old blocks, which this format keeps.
        option("data-storage-format", "FOREST".into()),
        option("sync-mode", "FULL".into()),
        option("network-id", network.spec.chain_id.unwrap_or_default().to_string()),
        option("min-gas-price", "0".into()),
        option("discovery-enabled", "false".into()),
        option("nat-method", "NONE".into()),
    ];
    let (host, port) = apart(&member.p2p.inside);
    args.extend([option("p2p-host", member.p2p.between.host.clone()), option("p2p-interface", host)]);
    args.push(option("p2p-port", port));
    // Peers by the static file alone: boot nodes belong to discovery.
    let peers: Vec<String> = network.others(member).map(Member::enode).collect();
    let data = VolumeSpec::new(DATA).with_file("static-nodes.json", serde_json::json!(peers).to_string());
    for (kind, address) in [("http", member.rpc), ("ws", member.third.unwrap_or(member.rpc))] {
        let (host, port) = apart(&address.inside);
        args.push(Arg::Text(format!("--rpc-{kind}-enabled")));
        args.extend([option(&format!("rpc-{kind}-host"), host), option(&format!("rpc-{kind}-port"), port)]);
        args.push(option(&format!("rpc-{kind}-api"), "ADMIN,ETH,NET,QBFT,TXPOOL,WEB3".into()));
    }
    args.extend([option("host-allowlist", "localhost,127.0.0.1".into()), option("rpc-max-logs-range", "0".into())]);
    let program =
        Program { name: program(Family::Besu, network.spec, "besu"), args, files: vec![genesis], ..Program::default() };
    let ready = Probe::Http { port: evm_ledger::RPC_PORT.into(), path: "/liveness".into() };
    Ok(Service { volumes: vec![data], ..crate::plan::service(Family::Besu, member.node, program, ready) })
}
