//! Planning networks of trivial programs, in two rounds as real engines need: keys first, the rest from the keys.

use serde_json::{Value, json};
use types::{Code, ConsensusKind, Engine, FieldProblem, PlannedNode, Problem};
use workload::{
    Arg, Content, FileSpec, Job, OutputSource, OutputSpec, Outputs, Placement, Placements, Plan, PortSpec, Probe,
    Program, Resources, Service, Stop, VolumeSpec,
};

use super::{ENGINE, PORT};
use crate::{Accepted, Draft, Endpoints, Error, NetworkSpec, NodeSpec, Planner, Result};

/// The keys of the nodes that a network was made with: what a genesis is to real engines.
const KEYS: &str = "keys";

pub(super) struct MemoryPlanner {
    pub program: String,
}

impl Planner for MemoryPlanner {
    fn describe(&self) -> Engine {
        Engine {
            name: ENGINE.into(),
            title: "In memory".into(),
            description: "For tests.".into(),
            version: Some("1".into()),
            versions: vec![],
            maintenance: None,
            consensus: vec![ConsensusKind {
                name: "none".into(),
                title: "None".into(),
                description: "Each transaction makes a block.".into(),
                role: "node".into(),
                min_nodes: 1,
                max_nodes: 9,
                default_nodes: 1,
                capabilities: vec!["validators".into()],
                addable: vec!["node".into()],
                ..ConsensusKind::default()
            }],
            roles: vec!["node".into()],
            capabilities: ["chain-id", "contracts", "events", "accounts"].map(String::from).to_vec(),
            options: json!({"type": "object", "additionalProperties": false, "properties": {"greeting": {"type": "string", "default": "hello"}}}),
        }
    }

    fn accept(&self, draft: &Draft) -> std::result::Result<Accepted, Problem> {
        let refuse = |code: Code, field: &str, message: &str| Problem {
            fields: vec![FieldProblem { field: field.into(), message: message.into() }],
            ..code.problem(message)
        };
        if draft.consensus != "none" {
            return Err(refuse(Code::NetworkConsensus, "consensus", "The engine has the consensus none."));
        }
        if !(1..=9).contains(&draft.nodes) {
            return Err(refuse(Code::NetworkNodes, "nodes", "1 to 9 nodes are expected."));
        }
        if draft.members.is_empty() {
            return Err(refuse(Code::ConsortiumMembers, "members", "A network needs at least one member."));
        }
        if draft.genesis.is_some() {
            return Err(refuse(Code::NetworkGenesis, "genesis", "The engine takes no genesis."));
        }
        let options = match &draft.options {
            Value::Null => json!({"greeting": "hello"}),
            Value::Object(given)
                if given.keys().all(|key| key == "greeting") && given.values().all(Value::is_string) =>
            {
                json!({"greeting": given.get("greeting").and_then(Value::as_str).unwrap_or("hello")})
            }
            _ => return Err(refuse(Code::RequestInvalid, "options", "The one option is `greeting`, a text.")),
        };
        let members = draft.members.iter().cycle();
        let nodes = (1..=draft.nodes).zip(members);
        let nodes = nodes.map(|(number, member)| PlannedNode {
            name: format!("{}/node-{number}", draft.name),
            member: member.clone(),
            role: "node".into(),
        });
        Ok(Accepted {
            chain_id: draft.chain_id,
            options,
            nodes: nodes.collect(),
            channels: vec![],
            accounts: vec![],
            engines: vec![],
            notes: vec!["It is gone when the server ends.".into()],
        })
    }

    fn ports(&self, _role: &str) -> Vec<PortSpec> {
        vec![PortSpec::tcp(PORT)]
    }

    fn plan(&self, spec: &NetworkSpec, placements: &Placements, outputs: &Outputs) -> Result<Plan> {
        let mut plan = Plan { jobs: spec.nodes.iter().map(|node| self.key(node)).collect(), ..Plan::default() };
        if !plan.is_prepared(outputs) {
            return Ok(plan);
        }
        let key = |node: &NodeSpec| outputs.get(&key_name(node)).and_then(|outputs| outputs.get("publicKey")).cloned();
        let keys: Option<Vec<String>> = spec.nodes.iter().map(key).collect();
        let keys = keys.ok_or_else(|| Error::Protocol("a key is missing".into()))?.join("\n");
        let recorded = outputs.get(KEYS).and_then(|record| record.get(KEYS)).cloned();
        let keys = recorded.unwrap_or(keys);
        plan.records = [(KEYS.to_owned(), [(KEYS.to_owned(), keys.clone())].into())].into();
        for node in &spec.nodes {
            if placements.get(&node.id).and_then(|placement| placement.port(PORT)).is_none() {
                return Err(Error::Protocol(format!("{} has no address", node.name)));
            }
            plan.jobs.push(self.init(node, &keys));
            plan.services.push(self.service(node));
        }
        plan.complete = true;
        Ok(plan)
    }

    fn accept_node(&self, spec: &NetworkSpec, member: &str, role: &str) -> std::result::Result<PlannedNode, Problem> {
        Ok(PlannedNode { name: spec.next_name("node"), member: member.into(), role: role.into() })
    }

    fn accept_removal(&self, spec: &NetworkSpec, _node: &NodeSpec) -> std::result::Result<(), Problem> {
        if spec.nodes.len() == 1 {
            return Err(Code::NodeState.problem("It is the network's only node."));
        }
        Ok(())
    }

    fn endpoints(&self, placement: &Placement) -> Endpoints {
        let at = |scheme: &str| placement.port(PORT).map(|port| format!("{scheme}://{}", port.outside));
        Endpoints { rpc: at("http"), ws: at("ws") }
    }
}

fn short(node: &NodeSpec) -> &str {
    node.name.rsplit('/').next().unwrap_or(&node.name)
}

fn key_name(node: &NodeSpec) -> String {
    format!("key-{}", short(node))
}

impl MemoryPlanner {
    fn program(&self, args: Vec<Arg>) -> Program {
        Program { name: self.program.clone(), args, ..Program::default() }
    }

    fn key(&self, node: &NodeSpec) -> Job {
        Job {
            name: key_name(node),
            title: format!("Make the key of {}", node.name),
            node: node.id.clone(),
            after: vec![],
            program: self.program(vec!["print".into(), Arg::Text(format!("key of {}", node.name))]),
            volumes: vec![VolumeSpec::new("data")],
            outputs: vec![OutputSpec { name: "publicKey".into(), source: OutputSource::Stdout }],
            time_limit_ms: 30_000,
        }
    }

    fn init(&self, node: &NodeSpec, keys: &str) -> Job {
        let keys = FileSpec { name: "keys".into(), content: Content::Text(keys.into()) };
        Job {
            name: format!("init-{}", short(node)),
            title: format!("Prepare {}", node.name),
            after: vec![key_name(node)],
            program: Program { files: vec![keys], ..self.program(vec!["print".into(), Arg::File("keys".into())]) },
            outputs: vec![],
            ..self.key(node)
        }
    }

    fn service(&self, node: &NodeSpec) -> Service {
        Service {
            name: format!("run-{}", short(node)),
            node: node.id.clone(),
            after: vec![format!("init-{}", short(node))],
            program: self.program(vec!["serve".into(), Arg::Listen(PORT.into())]),
            ports: vec![PortSpec::tcp(PORT)],
            volumes: vec![VolumeSpec::new("data")],
            readiness: Probe::Line("ready".into()),
            stop: Stop { grace_ms: 5_000, ..Stop::default() },
            resources: Resources::default(),
        }
    }
}
