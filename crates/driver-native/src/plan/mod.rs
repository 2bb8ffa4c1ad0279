//! Planning networks of `polder-node` processes. Pure: keys are made by the nodes themselves (a job that prints the
//! public half), and the genesis follows from the specification and those keys.

mod engine;
mod genesis;
mod options;
#[cfg(test)]
mod tests;

use driver::{
    Accepted, Draft, Endpoints, Error, NetworkSpec, NodeSpec, Planner, Result, field_problem, field_problems,
};
use evm_ledger::RPC_PORT;
use serde_json::Value;
use types::{Code, FieldProblem, PlannedNode, Problem};
use workload::{
    Arg, Content, FileSpec, Job, OutputSource, OutputSpec, Outputs, Placement, Placements, Plan, PortSpec, Probe,
    Program, Resources, Service, Stop, VolumeSpec,
};

use engine::{BFT, MAX_BFT, MIN_BFT, SOLO, VALIDATOR};

/// Where other nodes connect.
const P2P_PORT: &str = "p2p";
/// What the host resolves to the node's program.
const PROGRAM: &str = "polder-node";
/// The node's data directory.
const VOLUME: &str = "data";
const GENESIS_FILE: &str = "genesis.json";
/// The output of the job that makes a node's key.
const PUBLIC_KEY: &str = "publicKey";
/// Making a key or a data directory takes milliseconds; a busy machine may need longer.
const JOB_LIMIT_MS: u64 = 60_000;

/// Plans networks of the built-in chain.
pub(crate) struct NativePlanner;

impl Planner for NativePlanner {
    fn describe(&self) -> types::Engine {
        engine::describe()
    }

    fn accept(&self, draft: &Draft) -> std::result::Result<Accepted, Problem> {
        check_consensus(draft).map_err(|problem| *problem)?;
        if draft.members.is_empty() {
            return Err(field_problem(Code::ConsortiumMembers, "members", "A network needs at least one member."));
        }
        let mut wrong = Vec::new();
        let given = draft.genesis.as_ref().map(|given| genesis::read(given, &mut wrong)).unwrap_or_default();
        if let (Some(asked), Some(found)) = (draft.chain_id, given.chain_id)
            && asked != found
        {
            let message = format!("The request gives chain id {asked}, the genesis {found}: leave one out.");
            wrong.push(FieldProblem { field: "chainId".into(), message });
        }
        if draft.chain_id.is_some_and(|id| id == 0 || i64::try_from(id).is_err()) {
            let message = "A whole number from 1 to 9223372036854775807 is expected.".into();
            wrong.push(FieldProblem { field: "chainId".into(), message });
        }
        contradictions(draft, &given, &mut wrong);
        if !wrong.is_empty() {
            return Err(field_problems(Code::NetworkGenesis, wrong));
        }
        let settled = driver::settle_options(&options::OPTIONS, &draft.options, &given.options, &mut wrong);
        if !wrong.is_empty() {
            return Err(field_problems(Code::RequestInvalid, wrong));
        }
        let nodes: Vec<PlannedNode> = draft
            .members
            .iter()
            .cycle()
            .take(draft.nodes as usize)
            .enumerate()
            .map(|(index, member)| PlannedNode {
                name: format!("{}/node-{}", draft.name, index + 1),
                member: member.clone(),
                role: VALIDATOR.into(),
            })
            .collect();
        let notes = notes(draft, &nodes, &settled);
        Ok(Accepted {
            chain_id: draft.chain_id.or(given.chain_id),
            options: Value::Object(settled),
            nodes,
            channels: vec![],
            accounts: vec![],
            engines: vec![],
            notes,
        })
    }

    fn ports(&self, _role: &str) -> Vec<PortSpec> {
        ports()
    }

    fn plan(&self, spec: &NetworkSpec, placements: &Placements, outputs: &Outputs) -> Result<Plan> {
        let mut jobs: Vec<Job> = spec.nodes.iter().map(key_job).collect();
        let Some(keys) = keys(spec, outputs)? else {
            return Ok(Plan { jobs, ..Plan::default() });
        };
        let genesis = genesis::file(spec, &keys);
        jobs.extend(spec.nodes.iter().map(|node| init_job(node, &genesis)));
        let addresses = spec
            .nodes
            .iter()
            .zip(&keys)
            .map(|(node, key)| Ok(format!("{key}@{}", port(placements, node, P2P_PORT)?.between)))
            .collect::<Result<Vec<String>>>()?;
        let services = spec
            .nodes
            .iter()
            .enumerate()
            .map(|(index, node)| {
                port(placements, node, RPC_PORT)?;
                let peers = addresses.iter().enumerate().filter(|(other, _)| *other != index);
                Ok(service(node, peers.map(|(_, address)| address)))
            })
            .collect::<Result<Vec<Service>>>()?;
        Ok(Plan { jobs, services, complete: true, ..Plan::default() })
    }

    fn endpoints(&self, placement: &Placement) -> Endpoints {
        let address = |scheme: &str| placement.port(RPC_PORT).map(|port| format!("{scheme}://{}", port.outside));
        Endpoints { rpc: address("http"), ws: address("ws") }
    }
}

fn check_consensus(draft: &Draft) -> std::result::Result<(), Box<Problem>> {
    let nodes = |message: &str| Err(Box::new(field_problem(Code::NetworkNodes, "nodes", message)));
    match (draft.consensus.as_str(), draft.nodes) {
        (BFT, 0) => nodes("A BFT network has at least 4 nodes."),
        (BFT, 1) => {
            nodes("One node cannot agree with others: use the consensus `solo` for one node, or give BFT at least 4.")
        }
        (BFT, count @ 2..MIN_BFT) => nodes(&format!(
            "{count} nodes cannot run BFT: with less than 4, one failure stops them all, so they would be less reliable \
             than a single node. Use `solo` with one node now, or 4 nodes; a Raft consensus, which suits 3 nodes that \
             trust one another, comes later."
        )),
        (BFT, MIN_BFT..=MAX_BFT) | (SOLO, 1) => Ok(()),
        (BFT, count) => nodes(&format!(
            "{count} nodes are too many: every block needs votes of two thirds of them. At most {MAX_BFT} are offered."
        )),
        (SOLO, _) => nodes("A solo network has exactly one node. For several use the consensus `bft` with at least 4."),
        (other, _) => Err(Box::new(field_problem(
            Code::NetworkConsensus,
            "consensus",
            &format!("The engine has no consensus `{other}`: use `bft` (at least 4 nodes) or `solo` (one node)."),
        ))),
    }
}

/// A setting that the request and the genesis both give must be the same in both.
fn contradictions(draft: &Draft, given: &genesis::Given, wrong: &mut Vec<FieldProblem>) {
    for (name, found) in &given.options {
        if let Some(asked) = draft.options.get(name).filter(|asked| !asked.is_null() && *asked != found) {
            let message = format!("The request gives {asked}, the genesis {found}: leave one out.");
            wrong.push(FieldProblem { field: format!("options.{name}"), message });
        }
    }
}

fn notes(draft: &Draft, nodes: &[PlannedNode], options: &serde_json::Map<String, Value>) -> Vec<String> {
    let number = |name: &str| options.get(name).and_then(Value::as_u64).unwrap_or_default();
    let mut notes = Vec::new();
    if draft.consensus == SOLO {
        notes.push(format!(
            "{} runs the only validator: it alone decides, and when it is down the network stands still.",
            nodes[0].member
        ));
    } else {
        let count = nodes.len();
        let tolerated = (count - 1) / 3;
        notes.push(format!(
            "Each block needs the votes of {} of {count} validators: {tolerated} may be down or dishonest at a time.",
            count - tolerated
        ));
        for member in &draft.members {
            let own = nodes.iter().filter(|node| node.member == *member).count();
            if own > tolerated {
                notes.push(format!(
                    "{member} runs {own} of {count} validators: when all of them are down, the network stands still."
                ));
            } else if own == 0 {
                notes.push(format!("{member} runs no validator: there are more members than nodes."));
            }
        }
    }
    notes.push("A block is final as soon as it is made: there are no forks and nothing has to be waited for.".into());
    notes.push(format!(
        "A transaction on an idle network is taken at once; under load a block comes about each {} ms; without transactions, one each {} ms.",
        number("blockIntervalMs"),
        number("heartbeatMs")
    ));
    notes.push(match number("minGasPrice") {
        0 => "Gas is free: senders need no balance.".into(),
        price => format!(
            "Gas costs {price} wei: each sender needs a balance. The members' accounts have one from the start."
        ),
    });
    notes
}

fn ports() -> Vec<PortSpec> {
    vec![PortSpec::tcp(RPC_PORT), PortSpec::tcp(P2P_PORT)]
}

/// The nodes' public keys in the nodes' order; none while one is missing.
fn keys(spec: &NetworkSpec, outputs: &Outputs) -> Result<Option<Vec<String>>> {
    let mut keys = Vec::with_capacity(spec.nodes.len());
    for node in &spec.nodes {
        let Some(output) = outputs.get(&key_job_name(node)) else { return Ok(None) };
        let key = output.get(PUBLIC_KEY).map(String::as_str).unwrap_or_default();
        if key.len() != 64 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::Protocol(format!("the key of {} is not 64 hexadecimal digits: `{key}`", node.name)));
        }
        let key = key.to_ascii_lowercase();
        if keys.contains(&key) {
            return Err(Error::Protocol(format!("{} has the same key as another node", node.name)));
        }
        keys.push(key);
    }
    Ok(Some(keys))
}

fn port<'a>(placements: &'a Placements, node: &NodeSpec, name: &str) -> Result<&'a workload::PortAddress> {
    placements
        .get(&node.id)
        .and_then(|placement| placement.port(name))
        .ok_or_else(|| Error::Protocol(format!("{} has no address for its port `{name}`", node.name)))
}

fn key_job_name(node: &NodeSpec) -> String {
    format!("{}/key", node.name)
}

fn init_job_name(node: &NodeSpec) -> String {
    format!("{}/init", node.name)
}

fn program(args: Vec<Arg>) -> Program {
    Program { name: PROGRAM.into(), args, ..Program::default() }
}

fn key_job(node: &NodeSpec) -> Job {
    Job {
        name: key_job_name(node),
        title: format!("Make the key of {}", node.name),
        node: node.id.clone(),
        after: Vec::new(),
        program: program(vec!["key".into(), "--data".into(), Arg::Volume(VOLUME.into())]),
        volumes: vec![VolumeSpec::new(VOLUME)],
        outputs: vec![OutputSpec { name: PUBLIC_KEY.into(), source: OutputSource::Stdout }],
        time_limit_ms: JOB_LIMIT_MS,
    }
}

fn init_job(node: &NodeSpec, genesis: &str) -> Job {
    let file = FileSpec { name: GENESIS_FILE.into(), content: Content::Text(genesis.into()) };
    let args = vec![
        "init".into(),
        "--genesis".into(),
        Arg::File(GENESIS_FILE.into()),
        "--data".into(),
        Arg::Volume(VOLUME.into()),
    ];
    Job {
        name: init_job_name(node),
        title: format!("Prepare the data directory of {}", node.name),
        node: node.id.clone(),
        after: vec![key_job_name(node)],
        program: Program { files: vec![file], ..program(args) },
        volumes: vec![VolumeSpec::new(VOLUME)],
        outputs: Vec::new(),
        time_limit_ms: JOB_LIMIT_MS,
    }
}

fn service<'a>(node: &NodeSpec, peers: impl Iterator<Item = &'a String>) -> Service {
    let mut args: Vec<Arg> = vec!["run".into(), "--data".into(), Arg::Volume(VOLUME.into())];
    args.extend(["--http".into(), Arg::Listen(RPC_PORT.into()), "--p2p".into(), Arg::Listen(P2P_PORT.into())]);
    for peer in peers {
        args.extend(["--peer".into(), peer.as_str().into()]);
    }
    Service {
        name: node.name.clone(),
        node: node.id.clone(),
        after: vec![init_job_name(node)],
        program: program(args),
        ports: ports(),
        volumes: vec![VolumeSpec::new(VOLUME)],
        readiness: Probe::Http { port: RPC_PORT.into(), path: "/healthz".into() },
        stop: Stop::default(),
        resources: Resources::default(),
    }
}
