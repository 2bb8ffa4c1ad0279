//! A host and an engine in memory that outlive the control plane, as real processes do, and that fail on demand.
//!
//! Each call that acts on the host passes two gates, one before and one after its effect. A gate can hold a caller for ever: the
//! test then drops the control plane, which is what a crash at this point looks like.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use driver::{
    Accepted, Action, Artifact, BlockId, Call, Draft, Driver, Drivers, Endpoints, Error, Event, Inclusion, Interfaces,
    Ledger, LedgerNetwork, NetworkSpec, NodeHealth, NodeSpec, Outcome, Planner, Position, Query, Signed, Signer,
    TransactionSlice,
};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use host::{ByteStream, Host, LogQuery, Observation, State};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;
use types::{
    Address, Block, BlockSummary, Code, LogLine, PlannedNode, Problem, Transaction, TransactionDraft, TransactionTerms,
    now,
};
use workload::{
    HostPort, Job, OutputSource, OutputSpec, Outputs, Placement, Placements, Plan, PortAddress, PortSpec, Service,
};

/// What the test sees and does.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    engine: &'static str,
    state: Mutex<WorldState>,
    /// Gates passed so far, and the one that holds.
    gates: Mutex<(usize, Option<usize>)>,
    held: watch::Sender<bool>,
}

#[derive(Default)]
struct WorldState {
    ports: BTreeMap<String, Placement>,
    running: BTreeMap<String, (u32, i64)>,
    stopped: BTreeSet<String>,
    pids: u32,
    job_runs: Vec<String>,
    broken_programs: bool,
    chains: HashMap<String, Chain>,
    next_send: NextSend,
    listeners: HashMap<String, std::net::SocketAddr>,
}

/// What happens to the next transaction that is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NextSend {
    #[default]
    Arrives,
    /// It arrives, but the sender does not learn of it.
    AnswerLost,
    /// It does not arrive, and the sender does not learn of it.
    Lost,
    /// The ledger refuses it for good.
    Refused,
}

#[derive(Default)]
struct Chain {
    included: Vec<Signed>,
    offers: Vec<String>,
}

impl World {
    pub fn of_engine(engine: &'static str) -> Self {
        Self(Arc::new(Inner {
            engine,
            state: Mutex::default(),
            gates: Mutex::default(),
            held: watch::channel(false).0,
        }))
    }

    pub fn host(&self) -> Arc<dyn Host> {
        Arc::new(self.clone())
    }

    pub fn drivers(&self) -> Drivers {
        Drivers::new(vec![Arc::new(self.clone())])
    }

    /// Holds whoever comes to the gate of this number, counted from now.
    pub fn hold_at(&self, gate: usize) {
        self.0.held.send_replace(false);
        *self.0.gates.lock() = (0, Some(gate));
    }

    /// Lets everybody pass again.
    pub fn release(&self) {
        *self.0.gates.lock() = (0, None);
        self.0.held.send_replace(false);
    }

    /// Follows whether somebody is held.
    pub fn held(&self) -> watch::Receiver<bool> {
        self.0.held.subscribe()
    }

    async fn gate(&self) {
        let hold = {
            let mut gates = self.0.gates.lock();
            gates.0 += 1;
            Some(gates.0 - 1) == gates.1
        };
        if hold {
            self.0.held.send_replace(true);
            std::future::pending::<()>().await;
        }
    }

    pub fn running(&self) -> Vec<String> {
        self.0.state.lock().running.keys().cloned().collect()
    }

    /// Whether the host has anything at all.
    pub fn is_empty(&self) -> bool {
        let state = self.0.state.lock();
        state.running.is_empty() && state.ports.is_empty()
    }

    pub fn job_runs(&self) -> Vec<String> {
        self.0.state.lock().job_runs.clone()
    }

    /// Ends a node's process, with nothing left on the host that would start it again.
    pub fn lose(&self, node: &str) {
        self.0.state.lock().running.remove(node);
    }

    pub fn break_programs(&self, broken: bool) {
        self.0.state.lock().broken_programs = broken;
    }

    pub fn next_send(&self, next: NextSend) {
        self.0.state.lock().next_send = next;
    }

    /// Where a node's ports are answered; nowhere with none.
    #[allow(dead_code, reason = "the API's tests use it")]
    pub fn listen(&self, node: &str, at: Option<std::net::SocketAddr>) {
        let mut state = self.0.state.lock();
        match at {
            Some(at) => state.listeners.insert(node.into(), at),
            None => state.listeners.remove(node),
        };
    }

    /// Hashes of what the ledger includes, in order.
    pub fn included(&self, network: &str) -> Vec<String> {
        self.0
            .state
            .lock()
            .chains
            .get(network)
            .map(|chain| chain.included.iter().map(|signed| signed.id.clone()).collect())
            .unwrap_or_default()
    }

    /// How often something was handed to the ledger.
    pub fn offers(&self, network: &str) -> usize {
        self.0.state.lock().chains.get(network).map_or(0, |chain| chain.offers.len())
    }
}

impl Host for World {
    fn name(&self) -> &str {
        "memory"
    }

    fn reserve<'a>(&'a self, node: &'a str, ports: &'a [PortSpec]) -> BoxFuture<'a, host::Result<Placement>> {
        Box::pin(async move {
            self.gate().await;
            let placement = {
                let mut state = self.0.state.lock();
                let taken = state.ports.len();
                let make = || {
                    let address = |index: usize| HostPort {
                        host: "127.0.0.1".into(),
                        port: u16::try_from(20_000 + taken * 10 + index).unwrap(),
                    };
                    let port = |(index, spec): (usize, &PortSpec)| {
                        (
                            spec.name.clone(),
                            PortAddress { inside: address(index), between: address(index), outside: address(index) },
                        )
                    };
                    Placement { ports: ports.iter().enumerate().map(port).collect() }
                };
                state.ports.entry(node.into()).or_insert_with(make).clone()
            };
            self.gate().await;
            Ok(placement)
        })
    }

    fn run_job<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, host::Result<BTreeMap<String, String>>> {
        Box::pin(async move {
            self.gate().await;
            if self.0.state.lock().broken_programs {
                return Err(host::Error::Job { job: job.name.clone(), reason: "the program is broken".into() });
            }
            self.0.state.lock().job_runs.push(job.name.clone());
            self.gate().await;
            Ok(job
                .outputs
                .iter()
                .map(|output| (output.name.clone(), format!("{}-{}", job.node, output.name)))
                .collect())
        })
    }

    fn start<'a>(&'a self, service: &'a Service) -> BoxFuture<'a, host::Result<()>> {
        Box::pin(async move {
            self.gate().await;
            {
                let mut state = self.0.state.lock();
                if state.broken_programs {
                    return Err(host::Error::Program { path: "node".into(), reason: "it is broken".into() });
                }
                state.pids += 1;
                let pid = state.pids;
                state.stopped.remove(&service.node);
                state.running.entry(service.node.clone()).or_insert((pid, now()));
            }
            self.gate().await;
            Ok(())
        })
    }

    fn stop<'a>(&'a self, node: &'a str) -> BoxFuture<'a, host::Result<()>> {
        Box::pin(async move {
            self.gate().await;
            {
                let mut state = self.0.state.lock();
                if state.running.remove(node).is_some() {
                    state.stopped.insert(node.into());
                }
            }
            self.gate().await;
            Ok(())
        })
    }

    fn remove<'a>(&'a self, node: &'a str) -> BoxFuture<'a, host::Result<()>> {
        Box::pin(async move {
            self.gate().await;
            {
                let mut state = self.0.state.lock();
                state.running.remove(node);
                state.stopped.remove(node);
                state.ports.remove(node);
            }
            self.gate().await;
            Ok(())
        })
    }

    fn observe<'a>(&'a self, node: &'a str) -> BoxFuture<'a, host::Result<Observation>> {
        Box::pin(async move {
            let state = self.0.state.lock();
            let usage = types::Usage { at: now(), cpu: 0.1, memory_bytes: 1 << 20, disk_bytes: 1 << 10 };
            let (seen, usage) = match state.running.get(node) {
                Some((pid, since)) => (State::Running { pid: *pid, since: *since, ready: true }, Some(usage)),
                None if state.stopped.contains(node) => (State::Stopped, None),
                None if state.ports.contains_key(node) => (State::Lost, None),
                None => (State::Absent, None),
            };
            Ok(Observation { state: seen, restarts: 0, last_exit: None, usage, limits: None })
        })
    }

    fn nodes(&self) -> BoxFuture<'_, host::Result<Vec<String>>> {
        Box::pin(async move { Ok(self.0.state.lock().ports.keys().cloned().collect()) })
    }

    fn logs<'a>(&'a self, _: &'a str, query: LogQuery) -> BoxFuture<'a, host::Result<Vec<LogLine>>> {
        Box::pin(async move {
            Ok((0..query.lines.min(2))
                .map(|line| LogLine { at: 0, stream: "stdout".into(), text: format!("line {line}") })
                .collect())
        })
    }

    fn follow<'a>(
        &'a self,
        node: &'a str,
        query: LogQuery,
    ) -> BoxFuture<'a, host::Result<BoxStream<'static, host::Result<LogLine>>>> {
        Box::pin(async move {
            let lines: Vec<_> = self.logs(node, query).await?.into_iter().map(Ok).collect();
            Ok(Box::pin(futures::stream::iter(lines)) as BoxStream<'static, _>)
        })
    }

    fn connect<'a>(&'a self, node: &'a str, port: &'a str) -> BoxFuture<'a, host::Result<Box<dyn ByteStream>>> {
        Box::pin(async move {
            let at = self.0.state.lock().listeners.get(node).copied();
            let unknown = || host::Error::PortUnknown { node: node.into(), port: port.into() };
            let stream = tokio::net::TcpStream::connect(at.ok_or_else(unknown)?).await.map_err(|_| unknown())?;
            Ok(Box::new(stream) as Box<dyn ByteStream>)
        })
    }
}

fn consensus_kind(name: &str) -> types::ConsensusKind {
    types::ConsensusKind {
        name: name.into(),
        role: "validator".into(),
        addable: vec!["validator".into()],
        ..Default::default()
    }
}

/// A job per node makes a key; a second one needs the keys of all.
impl Planner for World {
    fn describe(&self) -> types::Engine {
        types::Engine {
            name: self.0.engine.into(),
            title: "In memory".into(),
            description: "For tests.".into(),
            version: Some("1".into()),
            versions: vec![],
            maintenance: None,
            consensus: ["bft", "solo"].map(consensus_kind).to_vec(),
            roles: vec!["validator".into()],
            capabilities: vec!["accounts".into(), "chain-id".into(), "json-rpc".into()],
            options: json!({}),
        }
    }

    fn accept(&self, draft: &Draft) -> Result<Accepted, Problem> {
        if draft.consensus == "bft" && draft.nodes < 4 {
            return Err(Code::NetworkNodes.problem("Use 4."));
        }
        let nodes = (0..draft.nodes as usize).map(|index| PlannedNode {
            name: format!("{}/node{}", draft.name, index + 1),
            member: draft.members[index % draft.members.len()].clone(),
            role: "validator".into(),
        });
        Ok(Accepted {
            chain_id: draft.chain_id,
            options: json!({"pace": 1}),
            nodes: nodes.collect(),
            channels: vec![],
            accounts: vec![],
            engines: serde_json::from_value(draft.options["engines"].clone()).unwrap_or_default(),
            notes: vec!["A note.".into()],
        })
    }

    fn ports(&self, _: &str) -> Vec<PortSpec> {
        vec![PortSpec::tcp("rpc"), PortSpec::tcp("p2p")]
    }

    fn plan(&self, spec: &NetworkSpec, placements: &Placements, outputs: &Outputs) -> driver::Result<Plan> {
        let job = |kind: &str, node: &str, after: Vec<String>| Job {
            name: format!("{kind}-{node}"),
            title: kind.into(),
            node: node.into(),
            after,
            program: Default::default(),
            volumes: vec![],
            outputs: if kind == "key" {
                vec![OutputSpec { name: "publicKey".into(), source: OutputSource::Stdout }]
            } else {
                vec![]
            },
            time_limit_ms: 1000,
        };
        let mut plan =
            Plan { jobs: spec.nodes.iter().map(|node| job("key", &node.id, vec![])).collect(), ..Plan::default() };
        if spec.nodes.iter().any(|node| !outputs.contains_key(&format!("key-{}", node.id))) {
            return Ok(plan);
        }
        plan.complete = true;
        for node in &spec.nodes {
            if !placements.contains_key(&node.id) {
                return Err(Error::Protocol(format!("node {} has no placement", node.id)));
            }
            plan.jobs.push(job("init", &node.id, vec![format!("key-{}", node.id)]));
            plan.services.push(Service {
                name: node.name.clone(),
                node: node.id.clone(),
                after: vec![],
                program: Default::default(),
                ports: vec![],
                volumes: vec![],
                readiness: Default::default(),
                stop: Default::default(),
                resources: Default::default(),
            });
        }
        Ok(plan)
    }

    fn accept_node(&self, spec: &NetworkSpec, member: &str, role: &str) -> Result<PlannedNode, Problem> {
        Ok(PlannedNode { name: spec.next_name("node"), member: member.into(), role: role.into() })
    }

    fn accept_removal(&self, spec: &NetworkSpec, _: &NodeSpec) -> Result<(), Problem> {
        if spec.nodes.len() <= 4 { Err(Code::NodeState.problem("It takes 4.")) } else { Ok(()) }
    }

    fn endpoints(&self, placement: &Placement) -> Endpoints {
        Endpoints { rpc: placement.port("rpc").map(|port| format!("http://{}", port.outside)), ws: None }
    }
}

impl Driver for World {
    fn planner(&self) -> &dyn Planner {
        self
    }

    fn ledger(&self, network: LedgerNetwork) -> Arc<dyn Ledger> {
        Arc::new(MemoryLedger {
            world: self.clone(),
            network: network.spec.id.clone(),
            nodes: network.spec.node_ids().cloned().collect(),
        })
    }
}

/// A chain that includes a transaction in a block of its own as soon as it is sent.
struct MemoryLedger {
    world: World,
    network: String,
    nodes: Vec<String>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Raw {
    unsigned: Vec<u8>,
    signature: Vec<u8>,
}

impl MemoryLedger {
    fn up(&self) -> usize {
        let state = self.world.0.state.lock();
        self.nodes.iter().filter(|node| state.running.contains_key(*node)).count()
    }

    fn quorum(&self) -> usize {
        self.nodes.len() - (self.nodes.len() - 1) / 3
    }

    fn reach(&self) -> driver::Result<()> {
        if self.up() == 0 { Err(Error::Unreachable("all are down".into())) } else { Ok(()) }
    }

    fn with<T>(&self, read: impl FnOnce(&mut Chain) -> T) -> T {
        read(self.world.0.state.lock().chains.entry(self.network.clone()).or_default())
    }

    fn next(&self, address: &str) -> u64 {
        self.with(|chain| chain.included.iter().filter(|signed| signed.from == address).count() as u64)
    }

    fn summary(number: usize) -> BlockSummary {
        BlockSummary {
            number: number as u64,
            hash: format!("0x{number:064x}"),
            parent_hash: format!("0x{:064x}", number.saturating_sub(1)),
            at: now(),
            transactions: 1,
            gas_used: None,
            gas_limit: None,
            size: None,
        }
    }

    fn inclusion(chain: &Chain, index: usize) -> Inclusion {
        Inclusion {
            block: index as u64 + 1,
            index: 0,
            gas_used: Some(21_000),
            contract: chain.included[index].contract.clone(),
        }
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    alloy_primitives::keccak256(bytes).0
}

/// The address whose key made a signature.
fn signer(digest: &[u8; 32], signature: &[u8; 65]) -> Option<String> {
    use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
    let recovery = RecoveryId::try_from(i32::from(signature[64])).ok()?;
    let signature = RecoverableSignature::from_compact(&signature[..64], recovery).ok()?;
    let key = secp256k1::SECP256K1.recover_ecdsa(secp256k1::Message::from_digest(*digest), &signature).ok()?;
    Some(alloy_primitives::Address::from_slice(&hash(&key.serialize_uncompressed()[1..])[12..]).to_string())
}

impl Ledger for MemoryLedger {
    fn terms<'a>(&'a self, draft: &'a TransactionDraft) -> BoxFuture<'a, driver::Result<TransactionTerms>> {
        Box::pin(async move {
            Ok(TransactionTerms { chain_id: 1, nonce: self.next(&draft.from), gas: 21_000, gas_price: "0".into() })
        })
    }

    fn nonce<'a>(&'a self, address: &'a str) -> BoxFuture<'a, driver::Result<Option<u64>>> {
        Box::pin(async move {
            self.reach()?;
            Ok(Some(self.next(address)))
        })
    }

    fn sign<'a>(&'a self, call: &'a Call, signer: &'a dyn Signer) -> BoxFuture<'a, driver::Result<Signed>> {
        Box::pin(async move {
            self.reach()?;
            let unsigned = serde_json::to_vec(call).unwrap();
            let signature = signer.sign(&hash(&unsigned))?;
            self.read(&serde_json::to_vec(&Raw { unsigned, signature }).unwrap())
        })
    }

    fn read(&self, raw: &[u8]) -> driver::Result<Signed> {
        let refused = || Error::problem(Code::TransactionRefused, "These are not the bytes of a transaction.");
        let parsed: Raw = serde_json::from_slice(raw).map_err(|_| refused())?;
        let call: Call = serde_json::from_slice(&parsed.unsigned).map_err(|_| refused())?;
        let digest = hash(&parsed.unsigned);
        let signature: &[u8; 65] = parsed.signature.as_slice().try_into().map_err(|_| refused())?;
        let signer = signer(&digest, signature).ok_or_else(refused)?;
        if signer != call.from {
            return Err(Error::problem(Code::TransactionRefused, format!("{signer} signed for {}.", call.from)));
        }
        let contract =
            matches!(call.action, Action::Deploy { .. }).then(|| format!("0x{}", hex::encode(&digest[..20])));
        Ok(Signed {
            id: format!("0x{}", hex::encode(hash(raw))),
            raw: raw.to_vec(),
            from: call.from,
            nonce: call.nonce,
            contract,
        })
    }

    fn send<'a>(&'a self, signed: &'a Signed) -> BoxFuture<'a, driver::Result<()>> {
        Box::pin(async move {
            self.reach()?;
            // Gives other senders the chance to come in between.
            tokio::task::yield_now().await;
            self.with(|chain| chain.offers.push(signed.id.clone()));
            let next = std::mem::take(&mut self.world.0.state.lock().next_send);
            let lost = || Error::Unknown { id: signed.id.clone(), reason: "the connection broke".into() };
            match next {
                NextSend::Lost => return Err(lost()),
                NextSend::Refused => return Err(Error::problem(Code::TransactionRefused, "insufficient funds")),
                NextSend::Arrives | NextSend::AnswerLost => {}
            }
            if self.with(|chain| chain.included.iter().any(|one| one.id == signed.id)) {
                return Ok(());
            }
            let expected = self.next(&signed.from);
            if signed.nonce != Some(expected) {
                return Err(Error::problem(
                    Code::TransactionRefused,
                    format!("nonce {:?} instead of {expected}", signed.nonce),
                ));
            }
            self.with(|chain| chain.included.push(signed.clone()));
            if next == NextSend::AnswerLost { Err(lost()) } else { Ok(()) }
        })
    }

    fn outcome<'a>(&'a self, id: &'a str) -> BoxFuture<'a, driver::Result<Outcome>> {
        Box::pin(async move {
            self.reach()?;
            Ok(self.with(|chain| match chain.included.iter().position(|signed| signed.id == id) {
                Some(index) => Outcome::Committed(Self::inclusion(chain, index)),
                None => Outcome::Unknown,
            }))
        })
    }

    fn wait<'a>(&'a self, id: &'a str, _: std::time::Duration) -> BoxFuture<'a, driver::Result<Outcome>> {
        self.outcome(id)
    }

    fn query<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, driver::Result<Value>> {
        Box::pin(async move {
            self.reach()?;
            Ok(json!({"function": query.function, "args": query.args}))
        })
    }

    fn block<'a>(&'a self, _: &'a BlockId, _: Interfaces<'a>) -> BoxFuture<'a, driver::Result<Option<Block>>> {
        Box::pin(async move { Ok(None) })
    }

    fn blocks(&self, before: Option<u64>, limit: u32) -> BoxFuture<'_, driver::Result<Vec<BlockSummary>>> {
        Box::pin(async move {
            self.reach()?;
            let height = self.with(|chain| chain.included.len());
            let top = before.map_or(height + 1, |before| (before as usize).min(height + 1));
            Ok((0..top).rev().take(limit as usize).map(Self::summary).collect())
        })
    }

    fn transactions<'a>(
        &'a self,
        _: Option<Position>,
        _: u32,
        _: Interfaces<'a>,
    ) -> BoxFuture<'a, driver::Result<TransactionSlice>> {
        Box::pin(async move { Ok(TransactionSlice { items: vec![], next: None }) })
    }

    fn transaction<'a>(&'a self, _: &'a str, _: Interfaces<'a>) -> BoxFuture<'a, driver::Result<Option<Transaction>>> {
        Box::pin(async move { Ok(None) })
    }

    fn address<'a>(&'a self, address: &'a str) -> BoxFuture<'a, driver::Result<Address>> {
        Box::pin(async move {
            self.reach()?;
            let code =
                self.with(|chain| chain.included.iter().any(|signed| signed.contract.as_deref() == Some(address)));
            Ok(Address {
                address: address.into(),
                balance: Some("1".into()),
                nonce: Some(self.next(address)),
                code_size: u64::from(code),
                contract: None,
                member: None,
            })
        })
    }

    fn events(&self, from: Position, _: u32) -> BoxFuture<'_, driver::Result<(Vec<Event>, Position)>> {
        Box::pin(async move { Ok((vec![], from)) })
    }

    fn health<'a>(&'a self, node: &'a str) -> BoxFuture<'a, driver::Result<NodeHealth>> {
        Box::pin(async move {
            if !self.world.0.state.lock().running.contains_key(node) {
                return Err(Error::Unreachable(format!("{node} is down")));
            }
            let (up, quorum) = (self.up(), self.quorum());
            Ok(NodeHealth {
                height: Some(self.with(|chain| chain.included.len() as u64)),
                head: Some("0x00".into()),
                head_at: Some(now()),
                state_root: None,
                identity: Some(node.into()),
                leader: self.nodes.first().cloned(),
                peers: vec![],
                halted: (up < quorum).then(|| format!("{up} validators are connected, {quorum} are needed")),
                facts: json!({"view": 1}),
            })
        })
    }

    fn artifact(&self, artifact: &Value) -> driver::Result<Artifact> {
        let name = artifact["contractName"]
            .as_str()
            .ok_or_else(|| Error::problem(Code::ContractArtifact, "It has no name."))?;
        Ok(Artifact {
            name: Some(name.into()),
            interface: artifact["abi"].clone(),
            deployable: artifact["bytecode"].is_string(),
        })
    }

    fn canonical_address(&self, address: &str) -> driver::Result<String> {
        Ok(address.to_ascii_lowercase())
    }
}
