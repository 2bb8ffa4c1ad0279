//! What this crate makes, compared with what Fabric's own tools make of the same.

use std::path::Path;
use std::time::{Duration, SystemTime};

use fabric_client::authority::Role;
use fabric_client::channel::{
    Address, Batch, BftOptions, Channel, Consensus, Consenter, OrdererOrganisation, Organisation, RaftOptions,
};
use fabric_client::package::{self, Service};
use fabric_client::policy::Policy;
use fabric_client::proto::common::{Block, Config, ConfigGroup, ConfigUpdate};
use fabric_client::update::{self, Edit as _};
use prost::Message as _;

use crate::members::Member;
use crate::network::write;
use crate::programs::{engine, run};

/// An edit of a configuration.
type Change<'a> = Box<dyn Fn(&mut Config) -> fabric_client::Result<()> + 'a>;

struct Drawn {
    channel: Channel,
    /// The same, as `configtx.yaml` has it.
    yaml: String,
}

/// A channel of two members that run the orderers too, and its description for `configtxgen`.
fn draw(below: &Path, bft: bool) -> anyhow::Result<Drawn> {
    let members = [Member::new("Alpha")?, Member::new("Beta")?];
    let mut consenters = Vec::new();
    let mut mapping = String::new();
    for id in 1..=4_u32 {
        let member = &members[id as usize % 2];
        let issued = member.issue(&format!("orderer{id}"), Role::Orderer)?;
        let folder = below.join(format!("orderer{id}"));
        write(&member.msp.local_folder(&issued.identity, &issued.identity_key), &folder)?;
        write(&member.msp.tls_folder(&issued.tls, &issued.tls_key), &folder)?;
        let path = folder.display();
        let tls = format!("ClientTLSCert: {path}/server.crt, ServerTLSCert: {path}/server.crt");
        mapping.push_str(&match bft {
            true => format!(
                "        - {{ID: {id}, Host: o{id}.example, Port: 7050, MSPID: {}, Identity: {path}/signcerts/cert.pem, {tls}}}\n",
                member.msp.id
            ),
            false => format!("          - {{Host: o{id}.example, Port: 7050, {tls}}}\n"),
        });
        consenters.push(Consenter {
            id,
            address: Address::new(format!("o{id}.example"), 7050),
            msp_id: member.msp.id.clone(),
            identity: issued.identity,
            server_tls_certificate: issued.tls.clone(),
            client_tls_certificate: issued.tls,
        });
    }
    let endpoint = |name: &str| Address::new(format!("{}.example", name.to_lowercase()), 7050);
    let channel = Channel {
        name: "main".to_owned(),
        organisations: members
            .iter()
            .map(|own| Organisation {
                name: own.name.clone(),
                msp: own.msp.clone(),
                anchors: vec![Address::new("peer.example", 7051)],
            })
            .collect(),
        orderer_organisations: members
            .iter()
            .map(|own| OrdererOrganisation {
                name: own.name.clone(),
                msp: own.msp.clone(),
                endpoints: vec![endpoint(&own.name)],
            })
            .collect(),
        consensus: match bft {
            true => Consensus::Bft { options: BftOptions::default(), consenters },
            false => Consensus::Raft { options: RaftOptions::default(), consenters },
        },
        batch: Batch::default(),
    };
    let meta = "Readers: {Type: ImplicitMeta, Rule: ANY Readers}, Writers: {Type: ImplicitMeta, Rule: ANY Writers}, \
                Admins: {Type: ImplicitMeta, Rule: MAJORITY Admins}";
    let (mut peers, mut orderers) = (String::new(), String::new());
    for member in &members {
        let (name, id) = (&member.name, &member.msp.id);
        let folder = below.join(name);
        write(&member.msp.folder(), &folder)?;
        let folder = folder.display();
        let one_of = |roles: &[&str]| {
            let parts: Vec<String> = roles.iter().map(|role| format!("'{id}.{role}'")).collect();
            format!("{{Type: Signature, Rule: \"OR({})\"}}", parts.join(","))
        };
        peers.push_str(&format!(
            "        - {{Name: {name}, ID: {id}, MSPDir: {folder}, AnchorPeers: [{{Host: peer.example, Port: 7051}}], Policies: {{Readers: {}, Writers: {}, Admins: {}, Endorsement: {}}}}}\n",
            one_of(&["admin", "peer", "client"]), one_of(&["admin", "client"]), one_of(&["admin"]), one_of(&["peer"])
        ));
        orderers.push_str(&format!(
            "        - {{Name: {name}, ID: {id}, MSPDir: {folder}, OrdererEndpoints: [\"{}\"], Policies: {{Readers: {member}, Writers: {member}, Admins: {}, BlockValidation: {}}}}}\n",
            endpoint(name), one_of(&["admin"]), one_of(&["orderer"]), member = one_of(&["member"])
        ));
    }
    let consensus = match bft {
        true => format!(
            "      OrdererType: BFT\n      SmartBFT: {{RequestBatchMaxCount: 100, RequestBatchMaxBytes: 10485760, \
             RequestBatchMaxInterval: 50ms, IncomingMessageBufferSize: 200, RequestPoolSize: 100000, \
             RequestForwardTimeout: 2s, RequestComplainTimeout: 5s, RequestAutoRemoveTimeout: 3m0s, \
             ViewChangeResendInterval: 5s, ViewChangeTimeout: 20s, LeaderHeartbeatTimeout: 20s, \
             LeaderHeartbeatCount: 10, CollectTimeout: 1s}}\n      ConsenterMapping:\n{mapping}"
        ),
        false => format!(
            "      OrdererType: etcdraft\n      EtcdRaft:\n        Options: {{TickInterval: 500ms, ElectionTick: 10, \
             HeartbeatTick: 1, MaxInflightBlocks: 5, SnapshotIntervalSize: 16 MB}}\n        Consenters:\n{mapping}"
        ),
    };
    let capability = if bft { "V3_0" } else { "V2_0" };
    let yaml = format!(
        "Profiles:\n  Main:\n    Policies: {{{meta}}}\n    Capabilities: {{{capability}: true}}\n    Application:\n      \
         Policies: {{{meta}, LifecycleEndorsement: {{Type: ImplicitMeta, Rule: MAJORITY Endorsement}}, Endorsement: \
         {{Type: ImplicitMeta, Rule: MAJORITY Endorsement}}}}\n      Capabilities: {{V2_5: true}}\n      \
         Organizations:\n{peers}    Orderer:\n      BatchTimeout: 500ms\n      BatchSize: {{MaxMessageCount: 500, \
         AbsoluteMaxBytes: 10 MB, PreferredMaxBytes: 2 MB}}\n      Policies: {{{meta}, BlockValidation: {{Type: \
         ImplicitMeta, Rule: ANY BlockValidation}}}}\n      Capabilities: {{V2_0: true}}\n      \
         Organizations:\n{orderers}{consensus}"
    );
    Ok(Drawn { channel, yaml })
}

/// Says where two groups differ, which their whole text would not.
fn same_group(path: &str, ours: &ConfigGroup, theirs: &ConfigGroup) {
    assert_eq!(ours.policies.keys().collect::<Vec<_>>(), theirs.policies.keys().collect::<Vec<_>>(), "{path}");
    assert_eq!(ours.values.keys().collect::<Vec<_>>(), theirs.values.keys().collect::<Vec<_>>(), "{path}");
    assert_eq!(ours.groups.keys().collect::<Vec<_>>(), theirs.groups.keys().collect::<Vec<_>>(), "{path}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_debug().to_string();
    for (key, value) in &ours.values {
        assert_eq!(text(&value.value), text(&theirs.values[key].value), "{path}/{key}");
    }
    for (key, policy) in &ours.policies {
        assert_eq!(policy, &theirs.policies[key], "{path}/{key}");
    }
    for (key, group) in &ours.groups {
        same_group(&format!("{path}/{key}"), group, &theirs.groups[key]);
    }
}

fn same_as_configtxgen(version: &str, bft: bool) -> anyhow::Result<()> {
    let engine = engine(version)?;
    let directory = tempfile::tempdir()?;
    let drawn = draw(directory.path(), bft)?;
    std::fs::write(directory.path().join("configtx.yaml"), &drawn.yaml)?;
    let output = directory.path().join("block").display().to_string();
    let arguments = ["-profile", "Main", "-channelID", "main", "-outputBlock", &output];
    run(&engine.join("bin/configtxgen"), &arguments, &[("FABRIC_CFG_PATH", &directory.path().display().to_string())])?;
    let theirs = Block::decode(std::fs::read(&output)?.as_slice())?;
    let ours = drawn.channel.genesis_block(SystemTime::now())?;
    let group = |block: &Block| fabric_client::Result::Ok(update::config_of(block)?.channel_group.unwrap_or_default());
    let (mine, other): (ConfigGroup, ConfigGroup) = (group(&ours)?, group(&theirs)?);
    same_group("Channel", &mine, &other);
    assert_eq!(mine, other);
    let lengths =
        |block: &Block| block.metadata.iter().flat_map(|own| own.metadata.iter().map(Vec::len)).collect::<Vec<_>>();
    assert_eq!(lengths(&ours), lengths(&theirs));
    Ok(())
}

#[test]
fn a_channel_is_the_one_that_configtxgen_makes() -> anyhow::Result<()> {
    same_as_configtxgen("3.1.1", true)?;
    same_as_configtxgen("3.1.1", false)?;
    same_as_configtxgen("2.5.0", false)
}

#[test]
fn updates_are_those_that_configtxlator_computes() -> anyhow::Result<()> {
    let translator = engine("3.1.1")?.join("bin/configtxlator");
    let directory = tempfile::tempdir()?;
    for bft in [true, false] {
        let channel = draw(directory.path(), bft)?.channel;
        let original = channel.config()?;
        let consenters = match &channel.consensus {
            Consensus::Raft { consenters, .. } | Consensus::Bft { consenters, .. } => consenters.clone(),
        };
        let stranger = Organisation { name: "Gamma".to_owned(), msp: Member::new("Gamma")?.msp, anchors: Vec::new() };
        let newcomer = Consenter { address: Address::new("newcomer", 7050), ..consenters[0].clone() };
        let more: Vec<Consenter> = consenters.iter().cloned().chain([newcomer]).collect();
        let edits: [(&str, Change<'_>); 8] = [
            ("anchors", Box::new(|config| config.set_anchors("Alpha", &[Address::new("other", 1)]))),
            ("time-out", Box::new(|config| config.set_batch_timeout(Duration::from_secs(90)))),
            ("batch", Box::new(|config| config.set_batch(&Batch { messages: 7, ..Batch::default() }))),
            ("admit", Box::new(|config| config.set_organisation(&stranger))),
            ("let go", Box::new(|config| config.remove_organisation("Beta"))),
            ("one orderer less", Box::new(|config| config.approach_consenters(&consenters[..consenters.len() - 1]))),
            ("one orderer more", Box::new(|config| config.approach_consenters(&more))),
            (
                "several",
                Box::new(|config| {
                    config.set_organisation(&stranger)?;
                    config.remove_organisation("Alpha")?;
                    config.set_anchors("Beta", &[])?;
                    config.set_batch_timeout(Duration::from_millis(1))
                }),
            ),
        ];
        for (name, edit) in edits {
            let mut updated = original.clone();
            edit(&mut updated)?;
            let ours = update::difference("main", &original, &updated)?;
            let path = |name: &str| directory.path().join(name).display().to_string();
            std::fs::write(path("original"), original.encode_to_vec())?;
            std::fs::write(path("updated"), updated.encode_to_vec())?;
            let (first, second, output) = (path("original"), path("updated"), path("update"));
            let arguments = [
                "compute_update",
                "--channel_id",
                "main",
                "--original",
                &first,
                "--updated",
                &second,
                "--output",
                &output,
            ];
            run(&translator, &arguments, &[])?;
            let theirs = ConfigUpdate::decode(std::fs::read(&output)?.as_slice())?;
            assert_eq!(ours, Some(theirs), "{name}");
        }
    }
    Ok(())
}

#[test]
fn package_ids_and_policies_are_those_of_fabric_s_programs() -> anyhow::Result<()> {
    let engine = engine("3.1.1")?;
    let directory = tempfile::tempdir()?;
    let package = package::service("asset_1", &Service::at("localhost:9999"), &Default::default())?;
    let path = directory.path().join("package.tgz");
    std::fs::write(&path, &package.bytes)?;
    let config = engine.join("config");
    let arguments = ["lifecycle", "chaincode", "calculatepackageid", &path.display().to_string()];
    let id = run(&engine.join("bin/peer"), &arguments, &[("FABRIC_CFG_PATH", &config.display().to_string())])?;
    assert_eq!(id.trim(), package.id);
    // A policy's bytes, by way of a channel that holds it.
    for text in [
        "AND('AlphaMSP.peer','BetaMSP.peer')",
        "OR('AlphaMSP.member',AND('BetaMSP.admin','BetaMSP.client'))",
        "OutOf(2,'AlphaMSP.peer','BetaMSP.peer','AlphaMSP.orderer')",
        "outof(1, and(\"AlphaMSP.peer\", 'a-b.c.peer'), or('BetaMSP.peer','BetaMSP.peer'))",
    ] {
        let drawn = draw(directory.path(), false)?;
        let quoted = text.replace('"', "\\\"");
        let own = format!("Policies: {{Own: {{Type: Signature, Rule: \"{quoted}\"}}, Readers");
        std::fs::write(directory.path().join("configtx.yaml"), drawn.yaml.replacen("Policies: {Readers", &own, 1))?;
        let output = directory.path().join("block").display().to_string();
        let arguments = ["-profile", "Main", "-channelID", "main", "-outputBlock", &output];
        run(
            &engine.join("bin/configtxgen"),
            &arguments,
            &[("FABRIC_CFG_PATH", &directory.path().display().to_string())],
        )?;
        let config = update::config_of(&Block::decode(std::fs::read(&output)?.as_slice())?)?;
        let group = config.channel_group.unwrap_or_default();
        let theirs = group.policies["Own"].policy.clone().unwrap_or_default().value;
        assert_eq!(text.parse::<Policy>()?.envelope().encode_to_vec(), theirs, "{text}");
    }
    Ok(())
}
