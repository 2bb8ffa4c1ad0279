//! One network's life: from processes to committed transactions, through a change of its configuration, under load, and
//! past the death of the orderer that leads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use fabric_client::authority::Role;
use fabric_client::block::{self, Content};
use fabric_client::channel::Address;
use fabric_client::lifecycle::{self, Definition, Endorsement};
use fabric_client::package::{self, Service};
use fabric_client::proto::protos::TxValidationCode;
use fabric_client::update::{self, Edit as _, Update};
use fabric_client::{Call, Commit, Discovery, Error, Gateway, Identity, Participation, Signed, Start};
use futures::StreamExt as _;

use crate::network::{CHANNEL, Network, Ordering, ports, until, write};
use crate::programs::{Process, run as run_program, sample_chaincode};

const CHAINCODE: &str = "asset";
const A_WHILE: Duration = Duration::from_secs(60);

pub async fn run(version: &str, ordering: Ordering) -> anyhow::Result<()> {
    let program = sample_chaincode()?;
    let mut network = Network::start(version, ordering)?;
    let say = |network: &Network, what: &str| {
        eprintln!("{version} {ordering:?}: {what} after {:.2} s", network.started.elapsed().as_secs_f64());
    };
    join(&network).await?;
    say(&network, "joined");
    network.leader(None).await?;
    say(&network, "a leader");
    if network.channel.organisations.iter().all(|own| own.anchors.is_empty()) {
        set_anchors(&network).await?;
        say(&network, "anchor peers");
    }
    endorsers(&network, "_lifecycle").await?;
    say(&network, "members see each other");
    let chaincode = deploy(&network, ordering, &program).await?;
    say(&network, "chaincode committed");
    endorsers(&network, CHAINCODE).await?;
    let first = create(&network, "first").await?;
    say(&network, "first transaction");
    calls(&network).await?;
    private_data(&network).await?;
    ledger(&network, &first).await?;
    events(&network, &first).await?;
    conflict(&network).await?;
    change_batch_timeout(&network).await?;
    refusals(&network).await?;
    command_lines(&network)?;
    revoked(&network).await?;
    say(&network, "told");
    storm(&network, ordering).await?;
    say(&network, "storm over");
    leader_dies(&mut network).await?;
    say(&network, "leader replaced");
    drop(chaincode);
    Ok(())
}

async fn join(network: &Network) -> anyhow::Result<()> {
    for at in 0..network.orderers.len() {
        let participation = network.participation(at)?;
        until("the orderer answers", Duration::from_secs(20), async || Ok(participation.channels().await?)).await?;
        assert_eq!(participation.channel(CHANNEL).await?, None);
        let status = participation.join(&network.block).await?;
        assert_eq!((status.name.as_str(), status.relation.as_str(), status.height), (CHANNEL, "consenter", 1));
        assert_eq!(participation.channels().await?, [CHANNEL]);
        joined_twice(&participation, network).await;
    }
    for (at, running) in network.peers.iter().enumerate() {
        let (peer, admin) = (network.peer(at)?, &network.members[running.member].admin);
        until("the peer answers", Duration::from_secs(20), async || Ok(peer.channels(admin).await?)).await?;
        peer.join(admin, &network.block).await?;
        assert_eq!(peer.channels(admin).await?, [CHANNEL]);
        assert_eq!(peer.config(admin, CHANNEL).await?, network.channel.config()?);
    }
    Ok(())
}

async fn joined_twice(participation: &Participation, network: &Network) {
    let refused = participation.join(&network.block).await.expect_err("it has joined already");
    assert!(matches!(refused, Error::Participation { status: 405, .. }), "{refused}");
}

/// Sends an update to the first orderer that takes it.
async fn send_update(network: &Network, update: &Update, sender: &Identity) -> anyhow::Result<()> {
    let submission = update.submission(sender).await?;
    until("an orderer takes the update", A_WHILE, async || {
        for at in 0..network.orderers.len() {
            if network.orderer(at)?.broadcast(&submission).await.is_ok() {
                return Ok(());
            }
        }
        anyhow::bail!("none does")
    })
    .await
}

async fn set_anchors(network: &Network) -> anyhow::Result<()> {
    for (at, running) in network.peers.iter().enumerate() {
        let member = &network.members[running.member];
        let orderer = network.orderer(0)?;
        let before = orderer.config(&member.admin, CHANNEL).await?;
        let mut after = before.clone();
        after.set_anchors(&member.name, &[Address::new("127.0.0.1", running.port)])?;
        let difference = update::difference(CHANNEL, &before, &after)?.context("a difference")?;
        let mut update = Update::new(&difference);
        update.sign(&member.admin).await?;
        send_update(network, &Update::from_bytes(&update.to_bytes())?, &member.admin).await?;
        let sequence = before.sequence + 1;
        until("the peers know the new configuration", A_WHILE, async || {
            let config = network.peer(at)?.config(&member.admin, CHANNEL).await?;
            ensure!(config.sequence == sequence, "it is {}", config.sequence);
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// Waits until each peer would find endorsers at both members.
async fn endorsers(network: &Network, chaincode: &str) -> anyhow::Result<()> {
    for at in 0..network.peers.len() {
        let discovery = Discovery::new(network.peer_node(at)?);
        let user = &network.members[at].admin;
        until("discovery finds both members", A_WHILE, async || {
            let found = discovery.endorsers(user, CHANNEL, chaincode, &[]).await?;
            ensure!(found.organisations() == ["AlphaMSP", "BetaMSP"], "{found:?}");
            Ok(())
        })
        .await?;
        let peers = discovery.peers(user, CHANNEL).await?;
        let ports: BTreeSet<String> = peers.iter().map(|peer| peer.endpoint.clone()).collect();
        assert_eq!(ports, network.peers.iter().map(|peer| format!("127.0.0.1:{}", peer.port)).collect());
        let config = discovery.config(user, CHANNEL).await?;
        assert_eq!(config.orderers.values().flatten().count(), network.orderers.len());
        assert_eq!(discovery.local_peers(user).await?.len(), 2);
    }
    Ok(())
}

async fn deploy(network: &Network, ordering: Ordering, program: &Path) -> anyhow::Result<Process> {
    let address = format!("127.0.0.1:{}", ports(1)?[0]);
    let mut service = Service::at(&address);
    let mut environment = vec![("CHAINCODE_SERVER_ADDRESS".to_owned(), address)];
    if ordering == Ordering::Bft {
        // Over TLS, with a certificate of the first member's authority.
        let member = &network.members[0];
        let issued = member.issue("chaincode", Role::Client)?;
        let home = network.directory.path().join("chaincode");
        write(&member.msp.tls_folder(&issued.tls, &issued.tls_key), &home)?;
        service.tls_required = true;
        service.root_cert = member.msp.tls_roots.concat();
        for (name, file) in [("CHAINCODE_TLS_CERT", "server.crt"), ("CHAINCODE_TLS_KEY", "server.key")] {
            environment.push((name.to_owned(), home.join(file).display().to_string()));
        }
    }
    let package = package::service("asset_1", &service, &BTreeMap::new())?;
    let definition = Definition {
        name: CHAINCODE.to_owned(),
        version: "1".to_owned(),
        sequence: 1,
        endorsement: Endorsement::Signatures("AND('AlphaMSP.peer','BetaMSP.peer')".parse()?),
        collections: lifecycle::collections_from_json(
            r#"[{"name":"details","policy":"OR('AlphaMSP.member')","requiredPeerCount":0,"maxPeerCount":1,
                 "memberOnlyRead":true,"endorsementPolicy":{"signaturePolicy":"OR('AlphaMSP.peer')"}}]"#,
        )?,
        init_required: false,
    };
    for at in 0..2 {
        let (peer, admin) = (network.peer(at)?, &network.members[at].admin);
        assert_eq!(lifecycle::install(&peer, admin, &package.bytes).await?, package.id);
        assert_eq!(lifecycle::install(&peer, admin, &package.bytes).await?, package.id, "the second time");
        let installed = lifecycle::installed(&peer, admin).await?;
        assert_eq!(installed.iter().map(|own| &own.package_id).collect::<Vec<_>>(), [&package.id]);
        assert_eq!(lifecycle::installed_package(&peer, admin, &package.id).await?, package.bytes);
    }
    environment.push(("CHAINCODE_ID".to_owned(), package.id.clone()));
    let process = Process::start(program, &[], &environment, &network.directory.path().join("chaincode.log"))?;
    for at in 0..2 {
        let (gateway, member) = (network.gateway(at)?, &network.members[at]);
        assert_eq!(lifecycle::approved(&network.peer(at)?, &member.admin, CHANNEL, CHAINCODE, 1).await?, None);
        let call = definition.approval(CHANNEL, Some(&package.id))?;
        let proposal = call.propose(&member.admin).await?;
        let endorsed = gateway.endorse(&proposal, &[&member.msp.id]).await?;
        let signed = endorsed.sign(&member.admin).await?;
        let commit = gateway.submit_and_wait(&member.admin, &signed, A_WHILE).await?;
        ensure!(commit.is_valid(), "{commit:?}");
        let approved = lifecycle::approved(&network.peer(at)?, &member.admin, CHANNEL, CHAINCODE, 1).await?;
        assert_eq!(approved, Some((definition.clone(), Some(package.id.clone()))));
    }
    let (gateway, peer, admin) = (network.gateway(0)?, network.peer(0)?, &network.members[0].admin);
    until("both approvals are known", A_WHILE, async || {
        let approvals = lifecycle::readiness(&peer, admin, CHANNEL, &definition).await?;
        ensure!(approvals.len() == 2 && approvals.values().all(|approved| *approved), "{approvals:?}");
        Ok(())
    })
    .await?;
    assert_eq!(lifecycle::committed(&peer, admin, CHANNEL, CHAINCODE).await?, None);
    // Endorsed at the peers themselves, without the gateway, for once.
    let proposal = definition.commitment(CHANNEL)?.propose(admin).await?;
    let answers = vec![peer.endorse(&proposal).await?, network.peer(1)?.endorse(&proposal).await?];
    let signed = proposal.assemble(answers)?.sign(admin).await?;
    let commit = gateway.submit_and_wait(admin, &Signed::from_bytes(&signed.to_bytes())?, A_WHILE).await?;
    ensure!(commit.is_valid(), "{commit:?}");
    let committed = lifecycle::committed(&peer, admin, CHANNEL, CHAINCODE).await?.context("committed")?;
    assert_eq!(committed.definition, definition);
    assert!(committed.approvals.values().all(|approved| *approved));
    assert_eq!(lifecycle::all_committed(&peer, admin, CHANNEL).await?, [definition]);
    Ok(process)
}

fn asset(id: &str) -> Call {
    Call::new(CHANNEL, CHAINCODE, "CreateAsset", [id, "blue", "5", "tom", "300"])
}

async fn create(network: &Network, id: &str) -> anyhow::Result<Commit> {
    let (_, commit) = network.gateway(0)?.execute(&network.members[0].user, &asset(id), A_WHILE).await?;
    ensure!(commit.is_valid(), "{commit:?}");
    Ok(commit)
}

async fn calls(network: &Network) -> anyhow::Result<()> {
    let (gateway, user) = (network.gateway(1)?, &network.members[1].user);
    let call = |function: &str, arguments: &[&str]| Call::new(CHANNEL, CHAINCODE, function, arguments.iter().copied());
    let (before, commit) = gateway.execute(user, &call("TransferAsset", &["first", "ann"]), A_WHILE).await?;
    assert_eq!((before.as_slice(), commit.is_valid()), (&b"tom"[..], true));
    let (_, commit) =
        gateway.execute(user, &call("UpdateAsset", &["first", "red", "6", "ann", "301"]), A_WHILE).await?;
    assert!(commit.is_valid());
    let stored = gateway.evaluate(user, &call("ReadAsset", &["first"]), &[]).await?;
    let expected = r#"{"ID":"first","Color":"red","Size":6,"Owner":"ann","AppraisedValue":301}"#;
    assert_eq!(String::from_utf8(stored)?, expected);
    let peer = network.peer(1)?;
    assert_eq!(peer.query(user, &call("GetAllAssets", &[])).await?, format!("[{expected}]").as_bytes());
    create(network, "second").await?;
    let (_, commit) = gateway.execute(user, &call("DeleteAsset", &["second"]), A_WHILE).await?;
    assert!(commit.is_valid());
    assert_eq!(gateway.evaluate(user, &call("AssetExists", &["second"]), &[]).await?, b"false");
    Ok(())
}

async fn private_data(network: &Network) -> anyhow::Result<()> {
    let (alpha, beta) = (network.gateway(0)?, network.gateway(1)?);
    let (user, other) = (&network.members[0].user, &network.members[1].user);
    let put = Call::new(CHANNEL, CHAINCODE, "PutAssetDetails", ["first"]).with_transient("details", "a secret");
    let proposal = put.propose(user).await?;
    let endorsed = alpha.endorse(&proposal, &["AlphaMSP"]).await?;
    let signed = endorsed.sign(user).await?;
    assert!(!signed.to_bytes().windows(8).any(|window| window == b"a secret"), "the ledger must not see it");
    let commit = alpha.submit_and_wait(user, &signed, A_WHILE).await?;
    ensure!(commit.is_valid(), "{commit:?}");
    let get = Call::new(CHANNEL, CHAINCODE, "GetAssetDetails", ["first"]);
    assert_eq!(alpha.evaluate(user, &get, &["AlphaMSP"]).await?, b"a secret");
    assert!(beta.evaluate(other, &get, &["BetaMSP"]).await.is_err(), "Beta is no member of the collection");
    let block = network.peer(0)?.block(user, CHANNEL, commit.block).await?.context("the block")?;
    let block = block::read(&block)?;
    let transaction = block.transactions.iter().find(|own| own.id == commit.transaction).context("the transaction")?;
    let Content::Calls(calls) = &transaction.content else { anyhow::bail!("{transaction:?}") };
    let collection = calls[0].namespaces.iter().flat_map(|own| &own.collections).next().context("a private write")?;
    assert_eq!((collection.name.as_str(), collection.writes.len()), ("details", 1));
    use sha2::Digest as _;
    let (key, value) = (sha2::Sha256::digest(b"first").to_vec(), sha2::Sha256::digest(b"a secret").to_vec());
    assert_eq!(collection.writes[0], (key, Some(value)));
    Ok(())
}

async fn ledger(network: &Network, first: &Commit) -> anyhow::Result<()> {
    let (peer, user) = (network.peer(0)?, &network.members[0].user);
    let raw = peer.block(user, CHANNEL, first.block).await?.context("the block")?;
    let read = block::read(&raw)?;
    assert_eq!(peer.block_by_hash(user, CHANNEL, &read.hash).await?.as_ref(), Some(&raw));
    assert_eq!(peer.block_of(user, CHANNEL, &first.transaction).await?.as_ref(), Some(&raw));
    assert_eq!(peer.block(user, CHANNEL, 1_000_000).await?, None);
    assert_eq!(peer.block_of(user, CHANNEL, "no such").await?, None);
    assert_eq!(peer.block_by_hash(user, CHANNEL, &[7; 32]).await?, None);
    assert_eq!(peer.transaction(user, CHANNEL, "no such").await?, None);
    let found = peer.transaction(user, CHANNEL, &first.transaction).await?.context("the transaction")?;
    assert_eq!(found.validation_code, i32::from(TxValidationCode::Valid));
    let transaction = read.transactions.iter().find(|own| own.id == first.transaction).context("the transaction")?;
    assert_eq!(transaction.validation, Some(TxValidationCode::Valid));
    assert_eq!(transaction.channel, CHANNEL);
    let creator = transaction.creator.as_ref().context("a creator")?;
    assert_eq!((creator.msp_id.as_str(), creator.common_name.as_str()), ("AlphaMSP", "user"));
    let Content::Calls(calls) = &transaction.content else { anyhow::bail!("{transaction:?}") };
    let call = &calls[0];
    assert_eq!((call.chaincode.as_str(), call.function.as_str(), call.status), (CHAINCODE, "CreateAsset", 200));
    assert_eq!(call.arguments, ["first", "blue", "5", "tom", "300"].map(|text| text.as_bytes().to_vec()));
    let endorsers: BTreeSet<(&str, &str)> =
        call.endorsers.iter().map(|own| (own.msp_id.as_str(), own.common_name.as_str())).collect();
    assert_eq!(endorsers, BTreeSet::from([("AlphaMSP", "peer0"), ("BetaMSP", "peer1")]));
    let keys = call.namespaces.iter().find(|own| own.name == CHAINCODE).context("its keys")?;
    assert_eq!((keys.reads[0].key.as_str(), keys.reads[0].version), ("first", None));
    assert_eq!(keys.writes[0].key, "first");
    assert_eq!(call.event.as_ref().map(|event| event.0.as_str()), Some("CreateAsset"));
    let head = peer.chain_head(user, CHANNEL).await?;
    // Peers and orderers deliver the same blocks, each bearing the hash of the one before.
    let all: Vec<_> = peer.blocks(user, CHANNEL, Start::Block(0), Some(head.height - 1)).await?.collect().await;
    let all: Vec<block::Block> =
        all.into_iter().map(|own| own.and_then(|own| block::read(&own))).collect::<Result<_, _>>()?;
    assert_eq!(all.len() as u64, head.height);
    assert_eq!(all.last().map(|own| &own.hash), Some(&head.hash));
    assert!(all.windows(2).all(|pair| pair[0].hash == pair[1].previous_hash));
    assert_eq!(all[0].transactions[0].content, Content::Config { sequence: 0 });
    let unreadable = |own: &block::Transaction| matches!(own.content, Content::Unreadable { .. });
    assert!(!all.iter().flat_map(|own| &own.transactions).any(unreadable));
    let orderer = network.orderer(1)?;
    let mut ordered = orderer.blocks(user, CHANNEL, Start::Block(first.block), None).await?;
    let same = ordered.next().await.context("a block")??;
    // One that starts at a block that is not there yet, on a channel where nothing happens.
    let mut coming = peer.blocks(user, CHANNEL, Start::Block(head.height), None).await?;
    let nothing = tokio::time::timeout(Duration::from_millis(300), coming.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    assert_eq!(block::header_hash(&same.header.context("a header")?), read.hash);
    assert!(orderer.newest_block(user, CHANNEL).await?.header.is_some_and(|header| header.number + 1 >= head.height));
    let stranger = orderer.newest_block(user, "nowhere").await.expect_err("there is no such channel");
    assert!(matches!(stranger, Error::Orderer { .. }), "{stranger}");
    Ok(())
}

async fn events(network: &Network, first: &Commit) -> anyhow::Result<()> {
    let (gateway, user) = (network.gateway(0)?, &network.members[0].user);
    let mut again = gateway.chaincode_events(user, CHANNEL, CHAINCODE, Some((first.block, None))).await?;
    let event = tokio::time::timeout(A_WHILE, again.next()).await?.context("an event")??;
    assert_eq!((event.name.as_str(), &event.transaction), ("CreateAsset", &first.transaction));
    assert_eq!((event.block, event.chaincode.as_str()), (first.block, CHAINCODE));
    let from = Some((first.block, Some(first.transaction.as_str())));
    let mut after = gateway.chaincode_events(user, CHANNEL, CHAINCODE, from).await?;
    let event = tokio::time::timeout(A_WHILE, after.next()).await?.context("an event")??;
    assert_eq!(event.name, "TransferAsset", "the checkpoint's own event is not given again");
    // One that waits for what is to come.
    let mut live = gateway.chaincode_events(user, CHANNEL, CHAINCODE, None).await?;
    let (event, commit) = tokio::join!(tokio::time::timeout(A_WHILE, live.next()), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        create(network, "third").await
    });
    assert_eq!(event?.context("an event")??.transaction, commit?.transaction);
    Ok(())
}

/// Two endorsements of the same state: the second is ordered and changes nothing.
async fn conflict(network: &Network) -> anyhow::Result<()> {
    let (gateway, user) = (network.gateway(0)?, &network.members[0].user);
    let mut signed = Vec::new();
    for owner in ["eve", "bob"] {
        let call = Call::new(CHANNEL, CHAINCODE, "TransferAsset", ["third", owner]);
        let endorsed = gateway.endorse(&call.propose(user).await?, &[]).await?;
        signed.push(endorsed.sign(user).await?);
    }
    let first = gateway.submit_and_wait(user, &signed[0], A_WHILE).await?;
    let second = gateway.submit_and_wait(user, &signed[1], A_WHILE).await?;
    assert_eq!((first.code, second.code), (TxValidationCode::Valid, TxValidationCode::MvccReadConflict));
    // The same envelope once more: whatever the orderers say, what became of it does not change.
    let again = gateway.submit_and_wait(user, &signed[0], A_WHILE).await?;
    assert_eq!(again, first);
    Ok(())
}

async fn change_batch_timeout(network: &Network) -> anyhow::Result<()> {
    let admin = &network.members[0].admin;
    let before = network.orderer(0)?.config(admin, CHANNEL).await?;
    let mut after = before.clone();
    after.set_batch_timeout(Duration::from_millis(150))?;
    let difference = update::difference(CHANNEL, &before, &after)?.context("a difference")?;
    let mut update = Update::new(&difference);
    // Nobody's agreement is not enough.
    let refused = network.orderer(0)?.broadcast(&update.submission(admin).await?).await.expect_err("nobody signed");
    assert!(matches!(refused, Error::Orderer { .. }), "{refused}");
    for orderer in &network.channel.orderer_organisations {
        let member = network.members.iter().find(|own| own.name == orderer.name).context("a member")?;
        update.sign(&member.admin).await?;
    }
    send_update(network, &update, admin).await?;
    until("the time-out has changed", A_WHILE, async || {
        let config = network.peer(1)?.config(&network.members[1].admin, CHANNEL).await?;
        ensure!(config.sequence == before.sequence + 1, "not yet");
        assert_eq!(update::difference(CHANNEL, &config, &config)?, None);
        let group = config.channel_group.context("a group")?;
        assert_eq!(group.groups["Orderer"].values["BatchTimeout"].value, b"\n\x05150ms");
        Ok(())
    })
    .await
}

async fn refusals(network: &Network) -> anyhow::Result<()> {
    let (gateway, user) = (network.gateway(0)?, &network.members[0].user);
    let missing = Call::new(CHANNEL, CHAINCODE, "ReadAsset", ["nothing"]);
    let refused = gateway.evaluate(user, &missing, &[]).await.expect_err("there is no such asset");
    assert!(format!("{refused}").contains("the asset nothing does not exist"), "{refused}");
    let refused = gateway.endorse(&missing.propose(user).await?, &[]).await.expect_err("there is no such asset");
    let Error::Call { nodes, .. } = &refused else { anyhow::bail!("{refused}") };
    assert!(nodes.iter().any(|node| node.msp_id == "AlphaMSP" || node.msp_id == "BetaMSP"), "{refused}");
    // A certificate of another organisation's authority.
    let stranger = crate::members::Member::new("Alpha")?;
    let refused = gateway.evaluate(&stranger.user, &missing, &[]).await.expect_err("a stranger");
    assert!(matches!(refused, Error::Call { .. } | Error::Chaincode { .. }), "{refused}");
    let tls = stranger.anonymous_tls()?;
    let elsewhere = Gateway::new(crate::network::node(network.peers[0].port, tls)?);
    let refused = elsewhere.evaluate(user, &missing, &[]).await.expect_err("the certificate is not trusted");
    assert!(matches!(refused, Error::Connection { .. }), "{refused}");
    let short = network.gateway(0)?.with_deadline(Duration::from_micros(1));
    assert!(matches!(short.evaluate(user, &missing, &[]).await, Err(Error::Deadline { .. })));
    Ok(())
}

/// Fabric's own command lines, with folders that this crate wrote.
fn command_lines(network: &Network) -> anyhow::Result<()> {
    let home = network.directory.path().join("admin");
    let member = &network.members[0];
    write(&member.admin_folder, &home)?;
    let path = |below: &str| home.join(below).display().to_string();
    let (msp, root) = (path("msp"), path("tls/ca.crt"));
    let (certificate, key) = (path("msp/signcerts/cert.pem"), path("msp/keystore/key_sk"));
    let (engine, address) = (&network.engine, format!("127.0.0.1:{}", network.peers[0].port));
    let config = engine.join("config").display().to_string();
    let environment = [
        ("FABRIC_CFG_PATH", config.as_str()),
        ("FABRIC_LOGGING_SPEC", "error"),
        ("CORE_PEER_LOCALMSPID", &member.msp.id),
        ("CORE_PEER_MSPCONFIGPATH", &msp),
        ("CORE_PEER_ADDRESS", &address),
        ("CORE_PEER_TLS_ENABLED", "true"),
        ("CORE_PEER_TLS_ROOTCERT_FILE", &root),
    ];
    let arguments = ["lifecycle", "chaincode", "querycommitted", "-C", CHANNEL, "-n", CHAINCODE];
    let answer = run_program(&engine.join("bin/peer"), &arguments, &environment)?;
    assert!(answer.contains("Approvals: [AlphaMSP: true, BetaMSP: true]"), "{answer}");
    let who = ["--peerTLSCA", &root, "--userKey", &key, "--userCert", &certificate, "--MSP", &member.msp.id];
    let what = ["peers", "--channel", CHANNEL, "--server", &address];
    let answer = run_program(&engine.join("bin/discover"), &[&who[..], &what[..]].concat(), &environment)?;
    assert!(answer.contains(&format!("127.0.0.1:{}", network.peers[1].port)), "{answer}");
    let orderer = &network.orderers[0];
    let home = network.directory.path().join("orderer-admin");
    write(&network.members[orderer.member].admin_folder, &home)?;
    let path = |below: &str| home.join(below).display().to_string();
    let (root, certificate, key) = (path("tls/ca.crt"), path("tls/server.crt"), path("tls/server.key"));
    let at = format!("127.0.0.1:{}", orderer.second_port);
    let who = ["--ca-file", &root, "--client-cert", &certificate, "--client-key", &key];
    let what = ["channel", "list", "--channelID", CHANNEL, "-o", &at];
    let answer = run_program(&engine.join("bin/osnadmin"), &[&what[..], &who[..]].concat(), &[])?;
    assert!(answer.contains("\"consensusRelation\": \"consenter\""), "{answer}");
    Ok(())
}

/// A user whose certificate is revoked by an update of the organisation's MSP.
async fn revoked(network: &Network) -> anyhow::Result<()> {
    let (gateway, member) = (network.gateway(0)?, &network.members[0]);
    let (former, certificate) = member.another_user()?;
    let read = Call::new(CHANNEL, CHAINCODE, "ReadAsset", ["first"]);
    gateway.evaluate(&former, &read, &[]).await?;
    let before = network.orderer(0)?.config(&member.admin, CHANNEL).await?;
    let mut after = before.clone();
    let mut msp = member.msp.clone();
    msp.revocation_lists.push(member.revoke(&certificate)?);
    after.set_msp(&msp)?;
    let mut update = Update::new(&update::difference(CHANNEL, &before, &after)?.context("a difference")?);
    update.sign(&member.admin).await?;
    send_update(network, &update, &member.admin).await?;
    until("the former user is refused", A_WHILE, async || {
        let answer = gateway.evaluate(&former, &read, &[]).await;
        ensure!(answer.is_err(), "still there");
        Ok(())
    })
    .await?;
    gateway.evaluate(&member.user, &read, &[]).await?;
    Ok(())
}

/// Many transactions in flight: whatever the answers were, each outcome is found out. Every tenth is given so little time
/// that its outcome is unknown, beside those of which BFT's orderers leave it open.
async fn storm(network: &Network, ordering: Ordering) -> anyhow::Result<()> {
    let (count, in_flight) = match ordering {
        Ordering::Raft => (200, 50),
        Ordering::Bft => (1000, 200),
    };
    let (gateway, user) = (network.gateway(0)?, &network.members[0].user);
    gateway.evaluate(user, &Call::new(CHANNEL, CHAINCODE, "ReadAsset", ["first"]), &[]).await?;
    let started = Instant::now();
    for number in 0..10 {
        let (_, commit) = gateway.execute(user, &asset(&format!("single{number}")), A_WHILE).await?;
        ensure!(commit.is_valid(), "{commit:?}");
    }
    eprintln!("    one transaction at a time: {} ms each", started.elapsed().as_millis() / 10);
    let hasty = network.gateway(0)?.with_deadline(Duration::from_millis(3));
    let started = Instant::now();
    let outcomes: Vec<anyhow::Result<(Option<String>, Commit)>> = futures::stream::iter(0..count)
        .map(|number| {
            let (gateway, hasty) = (gateway.clone(), hasty.clone());
            async move {
                let endorsed = gateway.endorse(&asset(&format!("storm{number}")).propose(user).await?, &[]).await?;
                let signed = endorsed.sign(user).await?;
                let submitted = if number % 10 == 0 { &hasty } else { &gateway }.submit(&signed).await;
                let unknown = match submitted {
                    Ok(()) => None,
                    Err(Error::Unknown { transaction, reason }) => {
                        assert_eq!(transaction, signed.transaction());
                        Some(reason)
                    }
                    Err(failure) => return Err(failure.into()),
                };
                // Looked for before it is sent again: most are on their way.
                let found = gateway.resolve(user, CHANNEL, signed.transaction(), Duration::from_secs(5)).await;
                let commit = match found {
                    Err(Error::Unknown { .. }) => finally(&gateway, user, &signed).await?,
                    found => found?,
                };
                Ok((unknown, commit))
            }
        })
        .buffer_unordered(in_flight)
        .collect()
        .await;
    let outcomes: Vec<(Option<String>, Commit)> = outcomes.into_iter().collect::<anyhow::Result<_>>()?;
    let took = started.elapsed().as_secs_f64();
    assert!(outcomes.iter().all(|(_, commit)| commit.is_valid()));
    let ids: BTreeSet<&str> = outcomes.iter().map(|(_, commit)| commit.transaction.as_str()).collect();
    assert_eq!(ids.len(), outcomes.len());
    let reasons: Vec<&str> = outcomes.iter().filter_map(|(unknown, _)| unknown.as_deref()).collect();
    assert!(!reasons.is_empty(), "no outcome was unknown");
    let open = reasons.iter().filter(|reason| reason.contains("insufficient number of orderers")).count();
    eprintln!(
        "    {count} transactions, {in_flight} in flight: {took:.1} s, {} with an unknown outcome ({open} for want of a \
         quorum's answers), all found out",
        reasons.len()
    );
    Ok(())
}

/// The leader is killed while transactions are under way; each of them is found out, and new ones are ordered.
async fn leader_dies(network: &mut Network) -> anyhow::Result<()> {
    let leader = network.leader(None).await?;
    let (gateway, user) = (network.gateway(0)?, network.members[0].user.clone());
    let mut signed = Vec::new();
    for number in 0..10 {
        let endorsed = gateway.endorse(&asset(&format!("orphan{number}")).propose(&user).await?, &[]).await?;
        signed.push(endorsed.sign(&user).await?);
    }
    network.orderers[leader].kill();
    let killed = Instant::now();
    let outcomes = futures::future::join_all(signed.iter().map(|signed| finally(&gateway, &user, signed))).await;
    for outcome in outcomes {
        let outcome = outcome?;
        ensure!(outcome.is_valid(), "{outcome:?}");
    }
    let next = network.leader(Some(leader)).await?;
    assert_ne!(next, leader);
    create(network, "after").await?;
    eprintln!("    the leader's death was got over in {:.1} s", killed.elapsed().as_secs_f64());
    network.orderers[leader].start()?;
    let participation = network.participation(leader)?;
    let height = network.peer(0)?.chain_head(&user, CHANNEL).await?.height;
    until("the orderer has caught up", A_WHILE, async || {
        let status = participation.channel(CHANNEL).await?.context("its part")?;
        ensure!(status.height >= height, "{status:?}");
        Ok(())
    })
    .await
}

/// Sends a transaction until its outcome is known: each time it is looked for, and only when the ledger still does not
/// have it is the very same envelope sent again.
async fn finally(gateway: &Gateway, user: &Identity, signed: &Signed) -> anyhow::Result<Commit> {
    until("the outcome is known", Duration::from_secs(120), async || {
        Ok(gateway.submit_and_wait(user, signed, Duration::from_secs(5)).await?)
    })
    .await
}
