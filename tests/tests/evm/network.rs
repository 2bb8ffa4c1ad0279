//! A network of an engine's real programs, from its plan, on a local host.

use std::{
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, keccak256};
use driver::{
    AccountSpec, Connection, Connector, Draft, Driver, Ledger, LedgerNetwork, NetworkSpec, Signer, conformance,
};
use futures::{FutureExt as _, future::BoxFuture};
use host::{Host, LocalConfig, LocalHost, LogQuery, NoSecrets, State};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use secp256k1::{Message, SECP256K1, SecretKey};
use workload::{Outputs, Placements, Plan};

/// Generous for a loaded machine.
pub const LONG: Duration = Duration::from_secs(120);

/// One network at a time: several at once would be slow on a small machine, and their times would say nothing.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Someone with an account.
pub struct Member {
    key: SecretKey,
    address: String,
}

impl Member {
    pub fn new(seed: u8) -> Self {
        let key = SecretKey::from_byte_array([seed; 32]).unwrap();
        let public = key.public_key(SECP256K1).serialize_uncompressed();
        let address = Address::from_slice(&keccak256(&public[1..])[12..]).to_string();
        Self { key, address }
    }

    pub fn address(&self) -> String {
        self.address.clone()
    }
}

impl Signer for Member {
    fn address(&self) -> &str {
        &self.address
    }

    fn sign(&self, digest: &[u8]) -> driver::Result<Vec<u8>> {
        let digest = Message::from_digest(digest.try_into().unwrap());
        let (recovery, bytes) = SECP256K1.sign_ecdsa_recoverable(digest, &self.key).serialize_compact();
        let mut signature = bytes.to_vec();
        signature.push(i32::from(recovery) as u8);
        Ok(signature)
    }
}

/// What is to run.
pub struct Wanted<'a> {
    pub driver: &'a dyn Driver,
    pub consensus: &'a str,
    pub version: Option<&'a str>,
    pub nodes: u32,
    pub engines: PathBuf,
}

/// A running network.
pub struct Network {
    pub host: Arc<LocalHost>,
    pub ids: Vec<String>,
    pub ledger: Arc<dyn Ledger>,
    pub alice: Member,
    pub consensus: String,
}

/// Runs a network, tells a story with it, and removes it whatever happened.
pub async fn with(wanted: Wanted<'_>, story: impl AsyncFnOnce(&Network)) {
    let _alone = ALONE.lock().await;
    let directory = tempfile::tempdir().unwrap();
    let mut config = LocalConfig::new(directory.path(), Path::new(env!("CARGO_BIN_EXE_shim")));
    config.shim_args = Vec::new();
    config.runtime_directory = directory.path().join("run");
    config.engines = wanted.engines.clone();
    let host = Arc::new(LocalHost::open(config, Arc::new(NoSecrets)).unwrap());
    let whole = async {
        let network = start(&wanted, host.clone()).await;
        story(&network).await;
    };
    let result = AssertUnwindSafe(whole).catch_unwind().await;
    for node in host.nodes().await.unwrap() {
        if result.is_err() {
            let lines = host.logs(&node, LogQuery { lines: 40 }).await.unwrap_or_default();
            let text: Vec<String> = lines.into_iter().map(|line| line.text).collect();
            eprintln!("--- {node}\n{}", text.join("\n"));
        }
        host.remove(&node).await.unwrap();
    }
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

async fn start(wanted: &Wanted<'_>, host: Arc<LocalHost>) -> Network {
    let alice = Member::new(1);
    let (planner, spec) = (wanted.driver.planner(), spec(wanted, &alice));
    let mut placements = Placements::new();
    for node in &spec.nodes {
        placements.insert(node.id.clone(), host.reserve(&node.id, &planner.ports(&node.role)).await.unwrap());
    }
    let begin = Instant::now();
    let mut outputs = Outputs::new();
    let plan = loop {
        let plan = planner.plan(&spec, &placements, &outputs).unwrap();
        if plan.complete && plan.is_prepared(&outputs) {
            break plan;
        }
        run_jobs(&*host, &plan, &mut outputs).await;
    };
    let prepared = begin.elapsed();
    for service in &plan.services {
        host.start(service).await.unwrap();
    }
    let ids: Vec<String> = spec.nodes.iter().map(|node| node.id.clone()).collect();
    let network = LedgerNetwork::new(spec.clone(), connector(host.clone()));
    let network =
        Network { ledger: wanted.driver.ledger(network), host, ids, alice, consensus: spec.consensus.clone() };
    let started = Instant::now();
    for node in &network.ids {
        network.until(node, "ready", async |network| network.is_ready(node).await).await;
    }
    let ready = started.elapsed();
    println!(
        "{} {}: jobs {:.1} s, all answer {:.1} s after their start",
        planner.describe().name,
        wanted.consensus,
        prepared.as_secs_f64(),
        ready.as_secs_f64()
    );
    for node in &network.ids {
        network
            .until(node, "not halted", async |network| {
                network.ledger.health(node).await.is_ok_and(|health| health.halted.is_none())
            })
            .await;
    }
    println!("  all take part {:.1} s after their start", started.elapsed().as_secs_f64());
    for step in &plan.steps {
        if !network.ledger.step_done(step).await.unwrap() {
            network.ledger.take_step(step).await.unwrap();
        }
        println!("  {} {:.1} s after their start", step.title, started.elapsed().as_secs_f64());
    }
    // Raft makes no block until there is a transaction.
    if wanted.consensus != "raft" {
        network
            .until(&network.ids[0], "past block 0", async |network| {
                network.ledger.health(&network.ids[0]).await.is_ok_and(|health| health.height > Some(0))
            })
            .await;
        println!("  first final block {:.1} s after their start", started.elapsed().as_secs_f64());
    }
    network
}

/// Each job again, as after a crash before its end was recorded: it must come to the same, or to what nobody has seen yet.
async fn run_jobs(host: &dyn Host, plan: &Plan, outputs: &mut Outputs) {
    let due: Vec<_> = plan.due_jobs(outputs).cloned().collect();
    assert!(!due.is_empty());
    let run = due.iter().map(|job| async move {
        host.run_job(job).await.unwrap_or_else(|error| panic!("{}: {error}", job.name));
        host.run_job(job).await.unwrap_or_else(|error| panic!("{} again: {error}", job.name))
    });
    let done = futures::future::join_all(run).await;
    outputs.extend(due.iter().map(|job| job.name.clone()).zip(done));
}

fn spec(wanted: &Wanted<'_>, alice: &Member) -> NetworkSpec {
    let draft = Draft {
        name: "live".into(),
        consensus: wanted.consensus.into(),
        version: wanted.version.map(Into::into),
        nodes: wanted.nodes,
        members: vec!["alpha".into(), "beta".into()],
        chain_id: Some(424_242),
        genesis: None,
        options: Default::default(),
    };
    let accepted = wanted.driver.planner().accept(&draft).unwrap();
    let spec = conformance::settle(&draft, &accepted);
    let account = AccountSpec { address: alice.address(), member: "alpha".into(), balance: None, identity: None };
    NetworkSpec { created_at: types::now(), accounts: vec![account], ..spec }
}

fn connector(host: Arc<LocalHost>) -> Connector {
    Arc::new(move |node, port| {
        let host = host.clone();
        let connect = async move {
            let stream = host.connect(&node, &port).await.map_err(std::io::Error::other)?;
            Ok(Box::new(stream) as Box<dyn Connection>)
        };
        Box::pin(connect) as BoxFuture<'static, _>
    })
}

impl Network {
    /// Waits until something is so.
    pub async fn until(&self, node: &str, what: &str, so: impl AsyncFn(&Self) -> bool) {
        let end = Instant::now() + LONG;
        while !so(self).await {
            if Instant::now() > end {
                let seen = self.host.observe(node).await;
                let health = self.ledger.health(node).await;
                panic!("waited for {node} to be {what}; it is {seen:?}, {health:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether a node answers.
    pub async fn is_ready(&self, node: &str) -> bool {
        self.host.observe(node).await.unwrap().state.is_ready()
    }

    /// kill -9.
    pub async fn kill(&self, node: &str) -> u32 {
        let State::Running { pid, .. } = self.host.observe(node).await.unwrap().state else { panic!("{node} runs") };
        kill(Pid::from_raw(pid as i32), Signal::SIGKILL).unwrap();
        pid
    }

    /// Waits until a node that was killed takes part again.
    pub async fn back(&self, node: &str, killed: u32, height: u64) {
        self.until(node, "back", async |network| {
            let seen = network.host.observe(node).await.unwrap().state;
            matches!(seen, State::Running { pid, ready: true, .. } if pid != killed)
                && network
                    .ledger
                    .health(node)
                    .await
                    .is_ok_and(|health| health.halted.is_none() && health.height >= Some(height))
        })
        .await;
    }
}
