//! What is accepted, what is refused and why, and what plans look like.

use std::collections::BTreeSet;

use driver::{NodeSpec, conformance};
use fabric_client::SecretKey;
use fabric_client::authority::{self, Authority, AuthorityRequest, Purpose, Request, Role, Validity};
use serde_json::{Value, json};
use types::Code;
use workload::{Arg, Content, HostPort, Piece, PortAddress, Probe, Usage, VolumeSpec};

use super::*;
use crate::layout;

fn draft(consensus: &str, nodes: u32) -> Draft {
    Draft {
        name: "demo".into(),
        consensus: consensus.into(),
        version: None,
        nodes,
        members: vec!["alpha".into(), "beta".into()],
        chain_id: None,
        genesis: None,
        options: Value::Null,
    }
}

fn with_ca(draft: Draft) -> Draft {
    Draft { options: json!({ "certificateAuthority": "fabric-ca" }), ..draft }
}

fn planned(index: usize, node: PlannedNode, contract: Option<String>) -> NodeSpec {
    NodeSpec::new(format!("node_{index}"), node, contract)
}

fn spec(draft: &Draft) -> NetworkSpec {
    let accepted = FabricPlanner.accept(draft).unwrap();
    NetworkSpec {
        id: "net_1".into(),
        name: draft.name.clone(),
        consensus: draft.consensus.clone(),
        version: draft.version.clone(),
        engines: accepted.engines.into_iter().map(|name| (name, "1.5.21".to_owned())).collect(),
        chain_id: None,
        created_at: 1_700_000_000_000_000,
        genesis: None,
        options: accepted.options,
        nodes: accepted.nodes.into_iter().enumerate().map(|(index, node)| planned(index, node, None)).collect(),
        accounts: accepted.accounts,
        channels: accepted.channels,
        contracts: vec![],
        spent_names: Vec::new(),
        attached: None,
    }
}

fn placements(spec: &NetworkSpec) -> Placements {
    let mut next = 9000;
    let mut address = || {
        next += 1;
        let at = |host: &str| HostPort { host: host.into(), port: next };
        PortAddress { inside: at("127.0.0.1"), between: at("10.0.0.1"), outside: at("node.example") }
    };
    let mut node = |node: &NodeSpec| {
        let ports = ports(&node.role).into_iter().map(|port| (port.name, address()));
        (node.id.clone(), Placement { ports: ports.collect() })
    };
    spec.nodes.iter().map(&mut node).collect()
}

/// Certificates that are only text.
fn outputs(spec: &NetworkSpec, placements: &Placements) -> Outputs {
    let identities = FabricPlanner.plan(spec, placements, &Outputs::new()).unwrap().identities;
    let output = |name: &str, part: &str| (part.to_owned(), format!("{part} of {name}\n"));
    identities
        .into_iter()
        .map(|own| {
            let usage = if own.usage == Usage::Tls { "tls" } else { "signing" };
            let values = [output(&own.name, "certificate"), output(&format!("{} {usage}", own.member), "authority")];
            (own.name, values.into())
        })
        .collect()
}

fn contract(sequence: u64) -> ContractSpec {
    ContractSpec {
        name: "asset".into(),
        channel: "main".into(),
        version: "1.0".into(),
        sequence,
        program: "contract/asset".into(),
        policy: None,
        collections: None,
        init: false,
    }
}

fn add(spec: &mut NetworkSpec, contract: ContractSpec) {
    let reference = layout::contract_reference(&contract);
    for node in FabricPlanner.accept_contract(spec, &contract).unwrap() {
        spec.nodes.push(planned(spec.nodes.len(), node, Some(reference.clone())));
    }
    spec.contracts.push(contract);
}

fn plan(spec: &NetworkSpec) -> Plan {
    let placements = placements(spec);
    FabricPlanner.plan(spec, &placements, &outputs(spec, &placements)).unwrap()
}

fn word(arg: &Arg) -> String {
    match arg {
        Arg::Text(text) => text.clone(),
        Arg::Listen(name) => format!("<listen {name}>"),
        Arg::Volume(name) => format!("<{name}>"),
        Arg::File(name) => format!("<file {name}>"),
        Arg::Secrets => "<secrets>".into(),
        Arg::Engine(path) => format!("<engine {path}>"),
        Arg::In(volume, path) => format!("<{volume}>/{path}"),
        Arg::Joined(parts) => parts.iter().map(word).collect(),
    }
}

/// A service as a person reviews it.
fn written(plan: &Plan, name: &str) -> String {
    let service = plan.services.iter().find(|service| service.name == name).unwrap();
    let mut lines =
        vec![format!("{} {:?}", service.program.name, service.program.args.iter().map(word).collect::<Vec<_>>())];
    lines.extend(service.program.env.iter().map(|(name, value)| format!("{name}={}", word(value))));
    lines.extend(service.program.files.iter().map(|file| match &file.content {
        Content::Secret(reference) => format!("file {}: secret {reference}", file.name),
        Content::Text(text) => format!("file {}: {text}", file.name),
        Content::Pieces(pieces) => {
            let piece = |piece: &Piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Secret(reference) => format!("<secret {reference}>"),
            };
            format!("file {}: {}", file.name, pieces.iter().map(piece).collect::<String>())
        }
    }));
    let in_volume = |volume: &VolumeSpec| {
        let files: Vec<String> = volume
            .files
            .iter()
            .map(|file| format!("  {}{}", file.path, if file.executable { " executable" } else { "" }))
            .collect();
        format!("volume {}\n{}", volume.name, files.join("\n"))
    };
    lines.extend(service.volumes.iter().map(in_volume));
    lines.join("\n")
}

#[test]
fn the_planner_conforms() {
    for (consensus, nodes) in [("raft", 1), ("raft", 3), ("bft", 4), ("bft", 7)] {
        for draft in [draft(consensus, nodes), with_ca(draft(consensus, nodes))] {
            conformance::planner(&FabricPlanner, &draft, |name, part| format!("{part} of {name}"));
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_field() {
    let options = |options: Value| Draft { options, ..draft("raft", 3) };
    let cases = [
        (draft("bft", 3), "nodes", Code::NetworkNodes, "choose raft"),
        (draft("bft", 17), "nodes", Code::NetworkNodes, "at most 16"),
        (draft("raft", 8), "nodes", Code::NetworkNodes, "at most 7"),
        (Draft { version: Some("2.5.0".into()), ..draft("bft", 4) }, "version", Code::NetworkConsensus, "no BFT"),
        (Draft { genesis: Some(json!({})), ..draft("raft", 3) }, "genesis", Code::NetworkGenesis, "no genesis"),
        (Draft { chain_id: Some(7), ..draft("raft", 3) }, "chainId", Code::RequestInvalid, "no chain id"),
        (options(json!({ "channel": "Main" })), "options.channel", Code::RequestInvalid, "lower-case letter"),
        (options(json!({ "channel": 7 })), "options.channel", Code::RequestInvalid, "does not fit"),
        (options(json!({ "ordererMember": "gamma" })), "options.ordererMember", Code::RequestInvalid, "alpha, beta"),
        (
            options(json!({ "certificateAuthority": "own" })),
            "options.certificateAuthority",
            Code::RequestInvalid,
            "`fabric-ca`",
        ),
        (options(json!({ "peers": 10 })), "options.peers", Code::RequestInvalid, "from 1 to 9"),
    ];
    for (draft, field, code, words) in cases {
        let problem = FabricPlanner.accept(&draft).unwrap_err();
        assert_eq!(problem.code, code.as_str(), "{problem:?}");
        assert!(problem.fields.iter().any(|wrong| wrong.field == field), "{field}: {problem:?}");
        assert!(problem.detail.contains(words), "{words}: {problem:?}");
    }
}

#[test]
fn nodes_channels_and_accounts_follow_from_the_draft() {
    let options = json!({ "peers": 2, "channel": "trade", "ordererMember": "beta" });
    let accepted = FabricPlanner.accept(&Draft { options, ..draft("raft", 3) }).unwrap();
    let nodes: Vec<String> =
        accepted.nodes.iter().map(|node| format!("{} {} {}", node.name, node.role, node.member)).collect();
    assert_eq!(
        nodes,
        [
            "demo/orderer-1 orderer beta",
            "demo/orderer-2 orderer beta",
            "demo/orderer-3 orderer beta",
            "demo/peer-alpha-1 peer alpha",
            "demo/peer-alpha-2 peer alpha",
            "demo/peer-beta-1 peer beta",
            "demo/peer-beta-2 peer beta",
        ]
    );
    assert_eq!((&*accepted.channels[0].name, accepted.channels[0].members.len()), ("trade", 2));
    let account = &accepted.accounts[0];
    assert_eq!((&*account.address, account.identity.as_deref()), ("alphaMSP/user", Some("alpha/user")));
    assert!(accepted.notes.join("\n").contains("beta runs all orderers"), "{:?}", accepted.notes);
    let bft = FabricPlanner.accept(&draft("bft", 4)).unwrap();
    assert_eq!((&bft.options["batchTimeoutMs"], &bft.options["batchMessages"]), (&json!(50), &json!(100)));
    assert!(bft.notes.join("\n").contains("3f + 1"));
}

#[test]
fn an_orderer_and_a_peer_are_as_reviewed() {
    let options = json!({ "peers": 2 });
    let plan = plan(&spec(&Draft { options, ..draft("raft", 3) }));
    insta::assert_snapshot!("orderer", written(&plan, "demo/orderer-2"));
    insta::assert_snapshot!("peer", written(&plan, "demo/peer-alpha-1"));
    let orderer = &plan.services[0];
    assert_eq!(orderer.readiness, Probe::Http { port: "operations".into(), path: "/healthz".into() });
    let config = &orderer.volumes[0];
    assert!(config.files.iter().all(|file| !file.text.contains("KEY")), "keys are secrets");
    let roots = config.files.iter().find(|file| file.path == "tls/members.crt").unwrap();
    assert_eq!(roots.text, "authority of alpha tls\nauthority of beta tls\n");
}

#[test]
fn identities_come_first() {
    let spec = spec(&draft("raft", 3));
    let placements = placements(&spec);
    let first = FabricPlanner.plan(&spec, &placements, &Outputs::new()).unwrap();
    assert!(!first.complete && first.services.is_empty() && first.steps.is_empty());
    let names: BTreeSet<&str> = first.identities.iter().map(|own| own.name.as_str()).collect();
    assert_eq!((names.len(), first.identities.len()), (6 + 10, 16));
    let tls = first.identities.iter().find(|own| own.name == "orderer-1/tls").unwrap();
    assert_eq!(tls.names, ["localhost", "127.0.0.1", "10.0.0.1", "node.example"]);
    assert_eq!((&*tls.role, tls.usage, &*tls.member), ("orderer", Usage::Tls, "alpha"));
    let mut outputs = outputs(&spec, &placements);
    outputs.remove("beta/user");
    assert!(!FabricPlanner.plan(&spec, &placements, &outputs).unwrap().complete);
}

#[test]
fn with_fabric_ca_each_member_has_one_with_a_root_of_its_own() {
    let draft = with_ca(draft("raft", 1));
    let accepted = FabricPlanner.accept(&draft).unwrap();
    assert_eq!(accepted.engines, ["fabric-ca"]);
    let names: Vec<&str> = accepted.nodes.iter().skip(3).map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["demo/ca-alpha", "demo/ca-beta"]);
    let spec = spec(&draft);
    let placements = placements(&spec);
    let plan = self::plan(&spec);
    insta::assert_snapshot!("ca", written(&plan, "demo/ca-alpha"));
    let own: Vec<_> = plan.identities.iter().filter(|own| own.name.starts_with("ca-beta/")).collect();
    assert_eq!(own.iter().map(|own| own.usage).collect::<Vec<_>>(), [Usage::Authority, Usage::Password, Usage::Tls]);
    let outputs = outputs(&spec, &placements);
    let msp = layout::msp(&outputs, "alpha").unwrap();
    assert_eq!(msp.roots, ["authority of alpha signing\n", "certificate of ca-alpha/root\n"]);
    let peer = plan.services.iter().find(|service| service.name == "demo/peer-beta-1").unwrap();
    let roots = peer.volumes[0].files.iter().filter(|file| file.path.starts_with("msp/cacerts/"));
    assert_eq!(roots.count(), 2, "its own people are known to a peer by both roots");
    let without = NetworkSpec { engines: Default::default(), ..spec };
    assert!(FabricPlanner.plan(&without, &placements, &outputs).is_err(), "which version is not left to chance");
}

#[test]
fn a_profile_tells_where_the_fabric_ca_is() {
    let spec = spec(&with_ca(draft("raft", 1)));
    let placements = placements(&spec);
    let connector: driver::Connector =
        std::sync::Arc::new(|_, _| Box::pin(async { Err(std::io::ErrorKind::NotFound.into()) }));
    let outputs = issued(&spec, &placements);
    let network = LedgerNetwork { placements, outputs, ..LedgerNetwork::new(spec, connector) };
    let keys = |name: &str| {
        let key = || SecretKey::generate().unwrap().pkcs8_pem();
        Ok(if name == "ca-alpha/registrar" { "s3cret".to_owned().into() } else { key() })
    };
    let profile = FabricPlanner.profile(&network, "alpha", &keys).unwrap();
    let text = |path: &str| String::from_utf8(profile[path].contents.to_vec()).unwrap();
    let facts: Value = serde_json::from_str(&text("ca.json")).unwrap();
    assert!(profile["ca.json"].secret);
    assert_eq!(facts["registrar"], json!({ "enrollId": "admin", "enrollSecret": "s3cret" }));
    let url = facts["url"].as_str().unwrap();
    assert_eq!(facts["enrollUrl"], url.replace("https://", "https://admin:s3cret@"));
    assert!(!text("connection.json").contains("s3cret"));
    let connection: Value = serde_json::from_str(&text("connection.json")).unwrap();
    assert_eq!(connection["organizations"]["beta"]["certificateAuthorities"], json!(["ca-beta"]));
    assert_eq!(connection["certificateAuthorities"]["ca-alpha"]["url"], *url);
    assert!(text("env.sh").contains("FABRIC_CA_CLIENT_CANAME='ca-alpha'"));
}

#[test]
fn steps_come_in_order() {
    let mut spec = spec(&draft("raft", 1));
    add(&mut spec, contract(1));
    add(&mut spec, contract(2));
    let plan = plan(&spec);
    let lines: Vec<String> = plan
        .steps
        .iter()
        .map(|step| format!("{} ({}) after {}", step.name, step.action, step.after.join(", ")))
        .collect();
    insta::assert_snapshot!("steps", lines.join("\n"));
    let known: BTreeSet<&str> = plan
        .steps
        .iter()
        .map(|step| step.name.as_str())
        .chain(plan.services.iter().map(|service| service.name.as_str()))
        .collect();
    assert!(plan.steps.iter().flat_map(|step| &step.after).all(|name| known.contains(name.as_str())));
    // When the nodes of the first version are gone, so are its steps.
    spec.nodes.retain(|node| node.contract.as_deref() != Some("main/asset/1"));
    let later = self::plan(&spec);
    assert!(later.steps.iter().all(|step| !step.name.contains("asset/1")));
    assert!(later.steps.iter().any(|step| step.name == "commit main/asset/2"));
}

#[test]
fn contracts_run_as_services_of_their_members() {
    let mut spec = spec(&draft("raft", 1));
    add(&mut spec, contract(1));
    let names: Vec<&str> = spec.nodes.iter().skip(3).map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["demo/asset-1-alpha", "demo/asset-1-beta"]);
    let plan = plan(&spec);
    let service = plan.service("node_3").unwrap();
    assert_eq!(
        (service.program.name.as_str(), &service.readiness),
        ("contract/asset", &Probe::Tcp("chaincode".into()))
    );
    let id = word(&service.program.env["CHAINCODE_ID"]);
    assert!(id.starts_with("asset_1:") && id.len() == 8 + 64, "{id}");
    assert_ne!(id, word(&plan.service("node_4").unwrap().program.env["CHAINCODE_ID"]), "each at its own address");
    assert_eq!(word(&service.program.env["CHAINCODE_TLS_KEY"]), "<file tls.key>");
    // The same name on another channel must not take the same node's name.
    spec.channels.push(ChannelSpec {
        name: "side".into(),
        members: vec!["alpha".into()],
        joined: Vec::new(),
        created_at: None,
    });
    let other = ContractSpec { channel: "side".into(), ..contract(1) };
    let nodes = FabricPlanner.accept_contract(&spec, &other).unwrap();
    assert_eq!(nodes.iter().map(|node| &*node.name).collect::<Vec<_>>(), ["demo/side-asset-1-alpha"]);
}

#[test]
fn contracts_that_do_not_fit_are_refused() {
    let mut spec = spec(&draft("raft", 1));
    spec.channels.push(ChannelSpec {
        name: "side".into(),
        members: vec!["alpha".into()],
        joined: Vec::new(),
        created_at: None,
    });
    let collections = |policy: &str| Some(json!([{ "name": "details", "policy": policy }]));
    let base = || contract(1);
    let cases = [
        (ContractSpec { channel: "nowhere".into(), ..base() }, Code::ChannelName),
        (ContractSpec { name: "a b".into(), ..base() }, Code::NameInvalid),
        (ContractSpec { name: "-a".into(), ..base() }, Code::NameInvalid),
        (ContractSpec { name: "qscc".into(), ..base() }, Code::NameTaken),
        (ContractSpec { version: "one two".into(), ..base() }, Code::RequestInvalid),
        (contract(2), Code::ContractSequence),
        (ContractSpec { policy: Some("AND('alphaMSP.peer'".into()), ..base() }, Code::ContractPolicy),
        (ContractSpec { policy: Some("OR('gammaMSP.peer')".into()), ..base() }, Code::ContractPolicy),
        (
            ContractSpec { channel: "side".into(), policy: Some("OR('betaMSP.peer')".into()), ..base() },
            Code::ContractPolicy,
        ),
        (ContractSpec { collections: Some(json!({})), ..base() }, Code::ContractCollections),
        (ContractSpec { collections: collections("OR('gammaMSP.member')"), ..base() }, Code::ContractCollections),
        (ContractSpec { collections: collections("OR("), ..base() }, Code::ContractCollections),
    ];
    for (contract, code) in cases {
        let problem = FabricPlanner.accept_contract(&spec, &contract).unwrap_err();
        assert_eq!(problem.code, code.as_str(), "{contract:?}: {problem:?}");
        assert!(!problem.fields.is_empty());
    }
    let fits = ContractSpec {
        policy: Some("AND('alphaMSP.peer', 'betaMSP.peer')".into()),
        collections: collections("OR('alphaMSP.member')"),
        ..base()
    };
    assert_eq!(FabricPlanner.accept_contract(&spec, &fits).unwrap().len(), 2);
}

#[test]
fn members_and_orderers_that_come_later_have_steps_of_their_own() {
    let mut spec = spec(&draft("raft", 3));
    add(&mut spec, contract(1));
    let names = |spec: &NetworkSpec| plan(spec).steps.iter().map(|step| step.name.clone()).collect::<Vec<_>>();
    assert!(!names(&spec).iter().any(|name| name.starts_with("orderers") || name.starts_with("admit")));
    spec.channels.push(ChannelSpec {
        name: "side".into(),
        members: vec!["alpha".into()],
        joined: Vec::new(),
        created_at: None,
    });
    add(&mut spec, ContractSpec { channel: "side".into(), ..contract(1) });
    let nodes = FabricPlanner.accept_member(&spec, "side", "beta").unwrap();
    let found: Vec<_> = nodes.iter().map(|(node, contract)| (node.member.as_str(), contract.as_str())).collect();
    assert_eq!(found, [("beta", "side/asset/1")]);
    for (channel, member, code) in [
        ("nowhere", "beta", Code::ChannelName),
        ("side", "alpha", Code::ChannelMembers),
        ("side", "gamma", Code::ChannelMembers),
    ] {
        assert_eq!(FabricPlanner.accept_member(&spec, channel, member).unwrap_err().code, code.as_str());
    }
    let places = placements(&spec);
    let keys = issued(&spec, &places);
    let first_block = |spec: &NetworkSpec| genesis_block(spec, &spec.channels[1], &keys, &places).unwrap();
    let before = first_block(&spec);
    let side = &mut spec.channels[1];
    side.members.push("beta".into());
    side.joined.push("beta".into());
    let steps = names(&spec);
    let at = |name: &str| steps.iter().position(|step| step == name).unwrap_or_else(|| panic!("{name} in {steps:?}"));
    assert!(at("admit side beta") < at("join side peer-beta-1"), "whoever is not admitted gets no blocks");
    assert!(at("join side peer-beta-1") < at("anchors side beta"));
    assert_eq!(first_block(&spec), before, "the first block stays as it was");

    let orderer = FabricPlanner.accept_node(&spec, "beta", "orderer").unwrap();
    assert_eq!(orderer.name, "demo/orderer-4");
    spec.spent_names.push(orderer.name.clone());
    let index = spec.nodes.len();
    spec.nodes.push(planned(index, orderer, None));
    let steps = names(&spec);
    let at = |name: &str| steps.iter().position(|step| step == name).unwrap_or_else(|| panic!("{name} in {steps:?}"));
    assert!(at("join main orderer-4") < at("orderers main"), "it follows before it is counted on");
    assert_eq!(FabricPlanner.accept_node(&spec, "beta", "orderer").unwrap().name, "demo/orderer-5");
}

#[test]
fn what_a_network_needs_cannot_leave() {
    let refused = |spec: &NetworkSpec, name: &str| {
        let node = spec.nodes.iter().find(|node| node.name == name).unwrap();
        FabricPlanner.accept_removal(spec, node).err().map(|problem| problem.code)
    };
    let code = Some(Code::NodeState.as_str().to_owned());
    let mut raft = spec(&draft("raft", 1));
    add(&mut raft, contract(1));
    assert_eq!(refused(&raft, "demo/orderer-1"), code, "the only one");
    assert_eq!(refused(&raft, "demo/peer-alpha-1"), code, "its member's only one");
    assert_eq!(refused(&raft, "demo/asset-1-alpha"), code, "it goes with its contract");
    assert_eq!(refused(&spec(&draft("raft", 3)), "demo/orderer-1"), None);
    assert_eq!(refused(&spec(&draft("bft", 4)), "demo/orderer-1"), code);
    assert_eq!(refused(&spec(&draft("bft", 5)), "demo/orderer-1"), None);
    assert_eq!(refused(&spec(&with_ca(draft("raft", 3))), "demo/ca-alpha"), code);
    let full = spec(&Draft { options: json!({ "peers": 9 }), ..draft("raft", 7) });
    for kind in ["orderer", "peer"] {
        let problem = FabricPlanner.accept_node(&full, "alpha", kind).unwrap_err();
        assert_eq!((problem.code.as_str(), problem.fields.len()), (Code::NetworkNodes.as_str(), 1), "{problem:?}");
    }
    assert!(FabricPlanner.accept_node(&raft, "alpha", "chaincode").is_err());
}

#[test]
fn channels_that_do_not_fit_are_refused() {
    let spec = spec(&draft("raft", 1));
    let channel = |name: &str, members: &[&str]| ChannelSpec {
        name: name.into(),
        members: members.iter().map(|name| (*name).into()).collect(),
        joined: Vec::new(),
        created_at: None,
    };
    for (channel, code) in [
        (channel("Main", &["alpha"]), Code::ChannelName),
        (channel("main", &["alpha"]), Code::ChannelName),
        (channel("side", &[]), Code::ChannelMembers),
        (channel("side", &["gamma"]), Code::ChannelMembers),
        (channel("side", &["alpha", "alpha"]), Code::ChannelMembers),
    ] {
        assert_eq!(FabricPlanner.accept_channel(&spec, &channel).unwrap_err().code, code.as_str(), "{channel:?}");
    }
    assert!(FabricPlanner.accept_channel(&spec, &channel("side.2", &["beta"])).is_ok());
}

/// Certificates by real authorities: two for each member.
fn issued(spec: &NetworkSpec, placements: &Placements) -> Outputs {
    let validity = Validity::days(std::time::SystemTime::now(), 30);
    let identities = FabricPlanner.plan(spec, placements, &Outputs::new()).unwrap().identities;
    identities
        .into_iter()
        .map(|own| {
            let key = SecretKey::generate().unwrap();
            let request =
                AuthorityRequest { common_name: "ca", organisation: &own.member, purpose: Purpose::Tls, validity };
            let root = authority::authority(&request, &key).unwrap();
            let request = Request {
                common_name: &own.common_name,
                organisation: &own.member,
                role: Role::Peer,
                names: &own.names,
                public_key: key.public_key(),
                validity,
            };
            let certificate = authority::issue_tls(Authority { certificate: &root, key: &key }, &request).unwrap();
            (own.name, [("certificate".to_owned(), certificate), ("authority".to_owned(), root)].into())
        })
        .collect()
}

#[test]
fn a_channel_s_first_block_is_a_function_of_what_is_recorded() {
    for (consensus, nodes) in [("raft", 3), ("bft", 4)] {
        let spec = spec(&draft(consensus, nodes));
        let placements = placements(&spec);
        let outputs = issued(&spec, &placements);
        let make = |channel: &ChannelSpec| genesis_block(&spec, channel, &outputs, &placements).unwrap();
        let block = make(&spec.channels[0]);
        assert_eq!(block, make(&spec.channels[0]));
        let later = ChannelSpec { created_at: Some(1_800_000_000_000_000), ..spec.channels[0].clone() };
        assert_ne!(block, make(&later));
        let config = fabric_client::update::config_of(&block).unwrap();
        let root = config.channel_group.unwrap();
        let application = &root.groups["Application"];
        assert_eq!(application.groups.keys().collect::<Vec<_>>(), ["alpha", "beta"]);
        assert!(application.groups["alpha"].values.contains_key("AnchorPeers"));
        assert_eq!(root.groups["Orderer"].groups.len(), if nodes > 1 { 2 } else { 1 });
    }
}

#[test]
fn a_profile_has_what_clients_need() {
    let spec = spec(&draft("raft", 3));
    let placements = placements(&spec);
    let connector: driver::Connector =
        std::sync::Arc::new(|_, _| Box::pin(async { Err(std::io::ErrorKind::NotFound.into()) }));
    let outputs = issued(&spec, &placements);
    let network = LedgerNetwork { placements, outputs, ..LedgerNetwork::new(spec, connector) };
    let keys = |_: &str| Ok(SecretKey::generate().unwrap().pkcs8_pem());
    let profile = FabricPlanner.profile(&network, "alpha", &keys).unwrap();
    let list: Vec<String> =
        profile.iter().map(|(path, file)| format!("{path}{}", if file.secret { " secret" } else { "" })).collect();
    insta::assert_snapshot!("profile", list.join("\n"));
    let text = |path: &str| String::from_utf8(profile[path].contents.to_vec()).unwrap();
    insta::assert_snapshot!("environment", text("env.sh"));
    let connection: Value = serde_json::from_str(&text("connection.json")).unwrap();
    assert_eq!(connection["peers"]["peer-alpha-1"]["url"], "grpcs://node.example:9010");
    assert!(connection["orderers"]["orderer-1"]["tlsCACerts"]["pem"].as_str().unwrap().contains("BEGIN CERTIFICATE"));
    assert_eq!(connection["organizations"]["beta"]["mspid"], "betaMSP");
    assert_eq!(connection["channels"]["main"]["peers"]["peer-beta-1"]["eventSource"], false);
}
