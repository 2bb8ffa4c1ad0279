//! One network's life: planned, started, joined; a contract on it; transactions and what is shown of them; orderers that die.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use driver::{
    Action, BlockId, Call, ChannelSpec, ContractSpec, Driver as _, Ledger, Outcome, Position, Query, Signed, Signer,
    Transient, conformance, no_interfaces,
};
use serde_json::{Value, json};
use tokio::time::Instant;
use types::{Code, TransactionStatus};

use crate::growth::grows;
use crate::host::{Network, write};
use crate::members::Account;
use crate::outage::orderers_die;
use crate::programs::{engines, sample_chaincode, shell};

pub const LONG: Duration = Duration::from_secs(60);
const CONTRACT: &str = "asset";

fn contract(sequence: u64) -> ContractSpec {
    ContractSpec {
        name: CONTRACT.into(),
        channel: "main".into(),
        version: format!("1.{sequence}"),
        sequence,
        program: format!("contract/{CONTRACT}"),
        policy: Some("AND('alphaMSP.peer', 'betaMSP.peer')".into()),
        collections: Some(json!([{
            "name": "details", "policy": "or('alphaMSP.member')", "requiredPeerCount": 0, "maxPeerCount": 1,
            "memberOnlyRead": true, "endorsementPolicy": { "signaturePolicy": "OR('alphaMSP.peer')" },
        }])),
        init: false,
    }
}

pub async fn run(version: &str, consensus: &str, nodes: u32, options: Value) -> anyhow::Result<()> {
    let program = sample_chaincode()?;
    let mut network = Network::start(version, consensus, nodes, options).await?;
    network.say("READY");
    healthy(&network).await?;
    network.deploy(contract(1), &program).await?;
    network.say("contract ready");
    let (alpha, beta) = (network.members.account("alpha"), network.members.account("beta"));
    let ledger = network.ledger();
    let (id, outcome) = execute(&*ledger, &alpha, &create(&alpha, "first")).await?;
    network.say("FIRST TRANSACTION");
    ensure!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    conforms(&network, &alpha).await;
    network.say("conforms");
    explored(&*ledger, &id).await?;
    asked(&*ledger, &alpha, &beta).await?;
    private(&*ledger, &alpha).await?;
    conflict(&*ledger, &alpha).await?;
    pace(&network, &*ledger, &alpha).await?;
    anchors_move(&network).await?;
    network.say("told");
    network.deploy(contract(2), &program).await?;
    let (_, outcome) = execute(&*network.ledger(), &beta, &create(&beta, "upgraded")).await?;
    ensure!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    network.say("contract upgraded");
    second_channel(&mut network, &program, &alpha, &beta).await?;
    network.say("second channel");
    command_lines(&network)?;
    grows(&mut network, &alpha, &beta).await?;
    orderers_die(&mut network, &alpha).await
}

fn send(from: &Account, function: &str, args: Value) -> Call {
    let action = Action::Send { contract: CONTRACT.into(), interface: Value::Null, function: function.into(), args };
    Call { from: from.address().into(), action, value: None, nonce: None, gas: None, transient: Transient::new() }
}

pub fn create(from: &Account, id: &str) -> Call {
    send(from, "CreateAsset", json!([id, "blue", 5, "tom", "300"]))
}

pub fn query(from: Option<&Account>, function: &str, args: Value) -> Query {
    Query {
        from: from.map(|from| from.address().to_owned()),
        contract: CONTRACT.into(),
        interface: Value::Null,
        function: function.into(),
        args,
        value: None,
        transient: Transient::new(),
    }
}

async fn commit(ledger: &dyn Ledger, signed: &Signed) -> anyhow::Result<Outcome> {
    ledger.send(signed).await?;
    Ok(ledger.wait(&signed.id, LONG).await?)
}

pub async fn execute(ledger: &dyn Ledger, from: &Account, call: &Call) -> anyhow::Result<(String, Outcome)> {
    let signed = ledger.sign(call, from).await?;
    let outcome = commit(ledger, &signed).await?;
    Ok((signed.id, outcome))
}

async fn healthy(network: &Network) -> anyhow::Result<()> {
    let ledger = network.ledger();
    for node in network.ids("peer") {
        let others = network.ids("peer").len() - 1;
        let mut health = ledger.health(&node).await?;
        // Peers learn of each other one by one.
        let end = Instant::now() + LONG;
        while health.peers.len() != others && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(100)).await;
            health = ledger.health(&node).await?;
        }
        assert_eq!((health.height, health.peers.len()), (Some(0), others), "{health:?}");
        assert_eq!(health.facts["channels"], json!(["main"]));
        assert_eq!(health.facts["version"].as_str(), network.spec.version.as_deref());
        assert!(health.head.as_ref().is_some_and(|hash| hash.len() == 64) && health.head_at.is_some());
    }
    let mut leaders = Vec::new();
    for node in network.ids("orderer") {
        let health = ledger.health(&node).await?;
        assert_eq!((health.height, &health.halted), (Some(0), &None), "{health:?}");
        assert_eq!((&health.facts["relation"], &health.facts["status"]), (&json!("consenter"), &json!("active")));
        assert!(health.peers.iter().all(|peer| peer.connected));
        leaders.push(health.leader.context("a leader")?);
    }
    assert!(leaders.windows(2).all(|pair| pair[0] == pair[1]), "{leaders:?}");
    Ok(())
}

async fn conforms(network: &Network, signer: &Account) {
    let asset = json!({ "ID": "conform", "Color": "red", "Size": 7, "Owner": "ann", "AppraisedValue": 70 });
    let case = conformance::LedgerCase {
        ledger: &*network.ledger(),
        node: &network.ids("peer")[0],
        signer,
        standing: Some(CONTRACT),
        artifact: json!({ "contracts": {} }),
        constructor: Value::Null,
        set: ("CreateAsset", json!(["conform", "red", "7", "ann", "70"])),
        get: ("ReadAsset", json!(["conform"]), asset),
        fail: ("ReadAsset", json!(["nothing"]), "the asset nothing does not exist"),
        voters: vec![],
    };
    conformance::ledger(&case).await;
}

async fn explored(ledger: &dyn Ledger, id: &str) -> anyhow::Result<()> {
    let metadata = json!({ "contracts": { "asset": { "transactions": [{
        "name": "CreateAsset", "parameters": [{ "name": "id", "schema": { "type": "string" } }],
    }] } } });
    let interfaces = |contract: &str| (contract == CONTRACT).then(|| metadata.clone());
    let shown = ledger.transaction(id, &interfaces).await?.context("it is there")?;
    assert_eq!((shown.summary.from.as_str(), shown.summary.to.as_deref()), ("alphaMSP/user", Some(CONTRACT)));
    assert_eq!(
        (shown.summary.method.as_deref(), shown.summary.status),
        (Some("CreateAsset"), TransactionStatus::Success)
    );
    let decoded = shown.decoded.context("a call")?;
    assert_eq!((decoded.arguments[0].name.as_str(), &decoded.arguments[2].value), ("id", &json!("5")));
    let event = &shown.logs[0];
    assert_eq!((event.address.as_str(), event.topics[0].as_str()), (CONTRACT, "CreateAsset"));
    assert_eq!(event.decoded.as_ref().context("text")?.arguments[0].value["Owner"], "tom");
    let call = &shown.raw["calls"][0];
    let mut endorsers: Vec<&str> =
        call["endorsers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    endorsers.sort_unstable();
    assert_eq!(endorsers.len(), 2);
    let both = endorsers.iter().zip(["alphaMSP/peer-alpha-", "betaMSP/peer-beta-"]);
    assert!(both.clone().all(|(name, member)| name.starts_with(member)), "{endorsers:?}");
    let namespaces = call["namespaces"].as_array().context("namespaces")?;
    let own = namespaces.iter().find(|own| own["name"] == CONTRACT).context("its keys")?;
    assert_eq!((&own["writes"][0]["key"], &own["reads"][0]["version"]), (&json!("first"), &Value::Null));
    assert_eq!(shown.raw["validationCode"], "VALID");

    let first = ledger.block(&BlockId::Number(0), &no_interfaces).await?.context("the first block")?;
    assert_eq!((first.items[0].method.as_deref(), first.items[0].to.as_deref()), (Some("config"), None));
    let config = ledger.transaction(&first.items[0].hash, &no_interfaces).await?.context("the configuration")?;
    assert_eq!(config.raw["configuration"]["sequence"], 0);
    let newest = ledger.block(&BlockId::Latest, &no_interfaces).await?.context("the newest block")?;
    assert!(newest.summary.number > 0 && newest.summary.size.is_some_and(|size| size > 0));
    let (events, _) = ledger.events(Position::default(), 1).await?;
    assert_eq!(events[0].transaction, id, "the first event is the first transaction's");
    assert!(ledger.transaction("no such", &no_interfaces).await?.is_none());
    assert_eq!(ledger.outcome("no such").await?, Outcome::Unknown);
    Ok(())
}

async fn asked(ledger: &dyn Ledger, alpha: &Account, beta: &Account) -> anyhow::Result<()> {
    assert_eq!(ledger.query(&query(Some(beta), "AssetExists", json!(["first"]))).await?, json!(true));
    assert_eq!(ledger.query(&query(None, "ReadAsset", json!(["first"]))).await?["Size"], 5);
    let refused = ledger.query(&query(None, "NoSuchFunction", json!([]))).await.expect_err("there is none");
    assert!(
        refused.code() == Code::ContractReverted && refused.to_string().contains("there is no function"),
        "{refused}"
    );
    let nowhere = Query { contract: "nowhere".into(), ..query(None, "Get", Value::Null) };
    let missing = ledger.query(&nowhere).await.expect_err("there is no such contract");
    assert_eq!(missing.code(), Code::NotFound, "{missing}");
    let stranger = Query { from: Some("gammaMSP/user".into()), ..query(None, "ReadAsset", json!(["first"])) };
    assert_eq!(ledger.query(&stranger).await.expect_err("a stranger").code(), Code::RequestInvalid);
    let metadata = ledger.metadata(CONTRACT).await?.context("the contract tells of itself")?;
    let first = metadata.pointer("/contracts/AssetContract/transactions/0/name");
    assert_eq!(first, Some(&json!("CreateAsset")), "{metadata}");
    assert_eq!(ledger.address(alpha.address()).await?.code_size, 0);
    let other = Call { from: beta.address().into(), ..create(alpha, "not so") };
    assert_eq!(ledger.sign(&other, alpha).await.expect_err("another signs").code(), Code::TransactionRefused);
    Ok(())
}

async fn private(ledger: &dyn Ledger, alpha: &Account) -> anyhow::Result<()> {
    let mut put = send(alpha, "PutAssetDetails", json!(["first"]));
    let refused = ledger.sign(&put, alpha).await.expect_err("its data is missing");
    assert!(refused.to_string().contains("transient value"), "{refused}");
    put.transient.insert("details".into(), "a secret".into());
    let signed = ledger.sign(&put, alpha).await?;
    assert!(!signed.raw.windows(8).any(|window| window == b"a secret"), "the ledger must not see it");
    let outcome = commit(ledger, &signed).await?;
    ensure!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    assert_eq!(ledger.query(&query(Some(alpha), "GetAssetDetails", json!(["first"]))).await?, "a secret");
    let shown = ledger.transaction(&signed.id, &no_interfaces).await?.context("it is there")?;
    let namespaces = shown.raw["calls"][0]["namespaces"].as_array().context("namespaces")?;
    let hashed = namespaces.iter().filter_map(|own| own["collections"].get(0)).next().context("a collection")?;
    assert_eq!((&hashed["name"], hashed["writes"].as_array().map(Vec::len)), (&json!("details"), Some(1)));
    Ok(())
}

/// Two transactions from the same state: the second is ordered and changes nothing. And the first once more.
async fn conflict(ledger: &dyn Ledger, alpha: &Account) -> anyhow::Result<()> {
    let transfer = |owner: &str| send(alpha, "TransferAsset", json!(["first", owner]));
    let signed = [ledger.sign(&transfer("eve"), alpha).await?, ledger.sign(&transfer("bob"), alpha).await?];
    assert_eq!(ledger.read(&signed[0].raw)?, signed[0]);
    let first = commit(ledger, &signed[0]).await?;
    let second = commit(ledger, &signed[1]).await?;
    ensure!(matches!(first, Outcome::Committed(_)), "{first:?}");
    let Outcome::Invalid { reason, .. } = &second else { anyhow::bail!("{second:?}") };
    assert_eq!(reason, "MVCC_READ_CONFLICT");
    let shown = ledger.transaction(&signed[1].id, &no_interfaces).await?.context("it is there")?;
    assert_eq!(
        (shown.summary.status, shown.error.as_deref()),
        (TransactionStatus::Reverted, Some("MVCC_READ_CONFLICT"))
    );
    assert!(shown.logs.is_empty(), "its event did not happen");
    assert_eq!(commit(ledger, &signed[0]).await?, first);
    Ok(())
}

async fn pace(network: &Network, ledger: &dyn Ledger, alpha: &Account) -> anyhow::Result<()> {
    let start = Instant::now();
    for number in 0..10 {
        let (_, outcome) = execute(ledger, alpha, &create(alpha, &format!("single{number}"))).await?;
        ensure!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    }
    network.say(&format!("one transaction at a time: {} ms each", start.elapsed().as_millis() / 10));
    let start = Instant::now();
    let many = (0..50).map(async |number| execute(ledger, alpha, &create(alpha, &format!("many{number}"))).await);
    for outcome in futures::future::join_all(many).await {
        let (_, outcome) = outcome?;
        ensure!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    }
    network.say(&format!("50 at once: {} ms", start.elapsed().as_millis()));
    Ok(())
}

/// A peer that is reached by another name now: the channel learns it by an update.
async fn anchors_move(network: &Network) -> anyhow::Result<()> {
    let planner = driver_fabric::FabricDriver;
    let plan = planner.planner().plan(&network.spec, &network.placements, &network.outputs)?;
    let step = plan.steps.iter().find(|step| step.name == "anchors main beta").context("the step")?;
    let mut opened = network.opened();
    for placement in opened.placements.values_mut() {
        placement.ports.values_mut().for_each(|port| port.between.host = "localhost".into());
    }
    let moved = planner.ledger(opened);
    assert!(!moved.step_done(step).await?);
    moved.take_step(step).await?;
    assert!(moved.step_done(step).await? && !network.ledger().step_done(step).await?);
    network.ledger().take_step(step).await?;
    Ok(())
}

/// A channel of one member's on the running network, with a contract whose first call initialises it.
async fn second_channel(network: &mut Network, program: &Path, alpha: &Account, beta: &Account) -> anyhow::Result<()> {
    let created_at = Some(types::now());
    network
        .open(ChannelSpec { name: "side".into(), members: vec!["alpha".into()], joined: Vec::new(), created_at })
        .await?;
    let own = ContractSpec { channel: "side".into(), policy: None, collections: None, init: true, ..contract(1) };
    network.deploy(own, program).await?;
    let ledger = &*network.ledger_of("side");
    let (_, outcome) = execute(ledger, alpha, &create(alpha, "only initialises")).await?;
    ensure!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    let (id, outcome) = execute(ledger, alpha, &create(alpha, "aside")).await?;
    ensure!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    assert_eq!(ledger.query(&query(Some(alpha), "ReadAsset", json!(["aside"]))).await?["Owner"], "tom");
    assert!(network.ledger().transaction(&id, &no_interfaces).await?.is_none(), "channels do not share their ledgers");
    let raw = ledger.sign(&create(alpha, "elsewhere"), alpha).await?.raw;
    assert_eq!(network.ledger().read(&raw).expect_err("another channel's").code(), Code::TransactionRefused);
    let stranger = ledger.sign(&create(beta, "not so"), beta).await.expect_err("beta is no member");
    assert_eq!(stranger.code(), Code::TransactionRefused, "{stranger}");
    let outside = ledger.health(&network.ids("peer").pop().context("beta's peer")?).await?;
    assert_eq!((outside.height, &outside.facts["channels"]), (None, &json!(["main"])));
    // Peers that have not joined are passed over.
    let mut opened = network.opened();
    opened.channel = Some("side".into());
    opened.spec.channels.last_mut().context("the channel")?.members.insert(0, "beta".into());
    let wider = driver_fabric::FabricDriver.ledger(opened);
    assert!(wider.block(&BlockId::Number(0), &no_interfaces).await?.is_some());
    assert_eq!(wider.query(&query(Some(alpha), "AssetExists", json!(["aside"]))).await?, json!(true));
    assert_eq!(wider.query(&query(None, "AssetExists", json!(["aside"]))).await?, json!(true));
    let program = ledger.health(&network.ids("chaincode").pop().context("its node")?).await?;
    assert_eq!((program.height, &program.facts["contract"]), (None, &json!("side/asset/1")));
    Ok(())
}

/// Fabric's own command lines with a member's profile.
fn command_lines(network: &Network) -> anyhow::Result<()> {
    let planner = &driver_fabric::FabricDriver;
    let version = network.spec.version.as_deref().unwrap_or_default();
    let directory = network.directory.path().join("profile");
    let keys = |name: &str| network.members.key(name);
    for (path, file) in planner.planner().profile(&network.opened(), "beta", &keys)? {
        assert_eq!(file.secret, path.ends_with(".key") || path.ends_with("_sk"), "{path}");
        write(&directory.join(path), &file.contents, if file.secret { 0o600 } else { 0o644 })?;
    }
    let engine = engines()?.join(format!("fabric-{version}"));
    let config = engine.join("config").display().to_string();
    let path = format!("{}:{}", engine.join("bin").display(), std::env::var("PATH")?);
    let environment = [("FABRIC_CFG_PATH", config.as_str()), ("FABRIC_LOGGING_SPEC", "error"), ("PATH", &path)];
    let peer = ". ./env.sh\npeer lifecycle chaincode querycommitted -C main -n asset\n\
                peer channel fetch newest newest.block -c main -o $ORDERER_ADDRESS --tls --cafile $ORDERER_CA\n\
                peer chaincode query -C main -n asset -c '{\"Args\":[\"AssetExists\",\"first\"]}'";
    let answer = shell(peer, &directory, &environment)?;
    assert!(answer.contains("Sequence: 2") && answer.ends_with("true\n"), "{answer}");
    let orderer = ". ./env.sh\nosnadmin channel list --channelID main -o $OSN_ADMIN_ADDRESS --ca-file $OSN_ADMIN_CA \
                   --client-cert $OSN_ADMIN_CERT --client-key $OSN_ADMIN_KEY";
    let answer = shell(orderer, &directory, &environment)?;
    assert!(answer.contains("\"consensusRelation\": \"consenter\""), "{answer}");
    Ok(())
}
