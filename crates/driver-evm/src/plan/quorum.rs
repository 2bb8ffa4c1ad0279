//! GoQuorum: jobs and command line.

use driver::Result;
use serde_json::json;
use workload::{Arg, Content, FileSpec, Job, PortAddress, Probe, Program, Service, VolumeSpec};

use crate::plan::jobs::{self, DATA, KEY_FILE, KEYS, within};
use crate::plan::{Family, Member, Network, apart, engine, options, program};

/// Raft alone looks for its peers here, and numbers its nodes by their order in it.
const PEERS_FILE: &str = "geth/static-nodes.json";

pub(crate) fn jobs(network: &Network<'_>, member: &Member<'_>) -> Vec<Job> {
    let geth = program(Family::Quorum, network.spec, "geth");
    vec![jobs::init(&geth, member.node, &network.genesis, &[], vec![jobs::public_key_name(member.node)])]
}

pub(crate) fn service(network: &Network<'_>, member: &Member<'_>) -> Result<Service> {
    let (raft_host, raft_port) = apart(&member.third.unwrap_or(member.p2p).inside);
    let mut args = common_args(network);
    let mut data = VolumeSpec::new(DATA);
    let mut modules = vec!["admin", "eth", "net", "txpool", "web3"];
    if network.spec.consensus == engine::RAFT {
        let block_time = network.option(options::RAFT_BLOCK_TIME).to_string();
        args.extend(["--raft".into(), "--raftport".into(), raft_port.into()]);
        args.extend(["--raftblocktime".into(), block_time.into()]);
        // It ends without; nothing is paid to it, as gas is free.
        args.extend(["--miner.etherbase".into(), member.address.to_string().into()]);
        let resolves = raft_host.parse::<std::net::IpAddr>().is_err();
        if resolves {
            args.push("--raftdnsenable".into());
        }
        let peers: Vec<String> = network.nodes.iter().map(raft_address).collect();
        data = data.with_file(PEERS_FILE, json!(peers).to_string());
        modules.push("raft");
    } else {
        args.extend(["--mine", "--miner.threads", "1"].map(Arg::from));
        // Each vote and each proposed block, whole and in hexadecimal, are information to it: warnings, and the news of what
        // else a person looks for.
        args.extend(
            ["--verbosity", "2", "--vmodule", "blockchain_insert.go=3,rpcstack.go=3,server.go=3"].map(Arg::from),
        );
        modules.push("istanbul");
    }
    // A target of its own besides the limit: without it, blocks drift towards the program's default.
    args.extend(["--miner.gastarget".into(), network.option(options::GAS_LIMIT).to_string().into()]);
    args.extend(rpc_args(member.rpc, &modules));
    let program = Program {
        name: program(Family::Quorum, network.spec, "geth"),
        args,
        // No transaction manager: private transactions are off.
        env: [("PRIVATE_CONFIG".to_owned(), Arg::from("ignore"))].into(),
        files: vec![config_file(network, member)],
        ..Program::default()
    };
    // Its HTTP server answers a plain GET as soon as it serves (go-ethereum, rpc/http.go).
    let ready = Probe::Http { port: evm_ledger::RPC_PORT.into(), path: "/".into() };
    let volumes = vec![VolumeSpec::new(KEYS), data];
    Ok(Service { volumes, ..crate::plan::service(Family::Quorum, member.node, program, ready) })
}

const CONFIG_FILE: &str = "config.toml";

/// Peers and where to listen for them. The command line has no way to listen on one address only.
pub(crate) fn config_file(network: &Network<'_>, member: &Member<'_>) -> FileSpec {
    let peers: Vec<String> = network.others(member).map(Member::enode).collect();
    // JSON's texts and lists of them are TOML's, too.
    let text =
        format!("[Node.P2P]\nListenAddr = {}\nStaticNodes = {}\n", json!(member.p2p.inside.to_string()), json!(peers));
    FileSpec { name: CONFIG_FILE.into(), content: Content::Text(text) }
}

/// What GoQuorum and geth have alike.
pub(crate) fn common_args(network: &Network<'_>) -> Vec<Arg> {
    let mut args: Vec<Arg> = vec!["--config".into(), Arg::File(CONFIG_FILE.into())];
    args.extend(["--datadir".into(), Arg::Volume(DATA.into()), "--nodekey".into(), within(KEYS, KEY_FILE)]);
    args.extend(["--networkid".into(), network.spec.chain_id.unwrap_or_default().to_string().into()]);
    // Nobody is looked for beyond the network's own nodes, and no router is asked to let others in.
    args.extend(["--nodiscover", "--nat", "none", "--ipcdisable"].map(Arg::from));
    args.extend(["--maxpeers".into(), (network.nodes.len().max(25) * 2).to_string().into()]);
    // Each block's state is written with it. With less, a node that is killed goes back to the last state that it has
    // written, and if all are, what was acknowledged since then is lost.
    args.extend(["--syncmode", "full", "--gcmode", "archive", "--snapshot=false", "--cache", "128"].map(Arg::from));
    args.extend(["--miner.gaslimit".into(), network.option(options::GAS_LIMIT).to_string().into()]);
    // One sender, such as a gateway, may have all of what waits.
    for (limit, count) in
        [("accountslots", 8192), ("globalslots", 16384), ("accountqueue", 8192), ("globalqueue", 16384)]
    {
        args.extend([Arg::Text(format!("--txpool.{limit}")), count.to_string().into()]);
    }
    args
}

/// HTTP and WebSocket, on one port.
pub(crate) fn rpc_args(address: &PortAddress, modules: &[&str]) -> Vec<Arg> {
    let (host, port) = apart(&address.inside);
    let mut args = Vec::new();
    for kind in ["http", "ws"] {
        args.push(Arg::Text(format!("--{kind}")));
        for (name, value) in [("addr", host.clone()), ("port", port.clone()), ("api", modules.join(","))] {
            args.extend([Arg::Text(format!("--{kind}.{name}")), value.into()]);
        }
    }
    args
}

/// How Raft finds a node.
fn raft_address(member: &Member<'_>) -> String {
    let port = member.third.unwrap_or(member.p2p).between.port;
    format!("{}?discport=0&raftport={port}", member.enode())
}
