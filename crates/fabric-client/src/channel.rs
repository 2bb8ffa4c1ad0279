//! A channel's configuration, and the block that it starts from.
//!
//! The layout is that of Fabric's `configtxgen`, and so are the usual policies: each organisation's `Readers`, `Writers`,
//! `Admins` and `Endorsement` by role, and above them "any" and "majority" of the organisations'. One thing is stricter:
//! with raft, a block must bear the signature of an *orderer* of some organisation, where `ANY Writers` would
//! let any client of a member sign blocks. With BFT a quorum of the consenters signs, as `configtxgen` has it.

use std::time::{Duration, SystemTime};

use prost::Message;

use crate::codec::{go_duration, sha256, timestamp};
use crate::msp::Msp;
use crate::policy::{Policy, PrincipalRole};
use crate::proto::common::{
    self, Block, BlockData, BlockDataHashingStructure, BlockHeader, BlockMetadata, Capability, ChannelHeader, Config,
    ConfigEnvelope, ConfigGroup, ConfigPolicy, ConfigValue, Envelope, HashingAlgorithm, Header, HeaderType,
    ImplicitMetaPolicy, LastConfig, Metadata, MspPrincipal, OrdererBlockMetadata, Orderers, Payload, SignatureHeader,
    SignaturePolicy, SignaturePolicyEnvelope, implicit_meta_policy::Rule, msp_principal::Classification,
    policy::PolicyType, signature_policy,
};
use crate::proto::{etcdraft, msp::SerializedIdentity, orderer, protos};
use crate::{Error, Result};

pub(crate) const ADMINS: &str = "Admins";

/// An application channel that is to be.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its name: lower-case letters, digits, dots and dashes, a letter first.
    pub name: String,
    /// Organisations whose peers take part.
    pub organisations: Vec<Organisation>,
    /// Organisations that run the orderers; one may be both.
    pub orderer_organisations: Vec<OrdererOrganisation>,
    /// How blocks are agreed on.
    pub consensus: Consensus,
    /// How blocks are cut.
    pub batch: Batch,
}

/// An organisation whose peers take part.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// Its name in the configuration.
    pub name: String,
    /// Its certificates.
    pub msp: Msp,
    /// Peers by which other organisations' peers find its own.
    pub anchors: Vec<Address>,
}

/// An organisation that runs orderers.
#[derive(Clone, Debug)]
pub struct OrdererOrganisation {
    /// Its name in the configuration.
    pub name: String,
    /// Its certificates.
    pub msp: Msp,
    /// Where its orderers are reached.
    pub endpoints: Vec<Address>,
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name or IP address.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Address {
    /// Of its parts.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

/// How blocks are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// A block is cut this long after its first transaction. BFT goes by its own interval.
    pub timeout: Duration,
    /// Most transactions in a block. BFT goes by its own number.
    pub messages: u32,
    /// No block is larger, in bytes.
    pub absolute_bytes: u32,
    /// Blocks are about this large, in bytes.
    pub preferred_bytes: u32,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(500),
            messages: 500,
            absolute_bytes: 10 * 1024 * 1024,
            preferred_bytes: 2 * 1024 * 1024,
        }
    }
}

/// How orderers agree.
#[derive(Clone, Debug)]
pub enum Consensus {
    /// Raft: any minority may crash.
    Raft {
        /// Its settings.
        options: RaftOptions,
        /// The orderers.
        consenters: Vec<Consenter>,
    },
    /// SmartBFT: fewer than a third may do whatever they like. Needs 3.x.
    Bft {
        /// Its settings.
        options: BftOptions,
        /// The orderers, four at least.
        consenters: Vec<Consenter>,
    },
}

/// An orderer that takes part in consensus.
#[derive(Clone, Debug)]
pub struct Consenter {
    /// Its number, from 1; not used by raft.
    pub id: u32,
    /// Where other orderers reach it.
    pub address: Address,
    /// Its organisation's MSP; not used by raft.
    pub msp_id: String,
    /// Its identity's certificate, PEM: what BFT knows it by.
    pub identity: String,
    /// The TLS certificate that it shows as a server, PEM: with the next, what raft knows it by.
    pub server_tls_certificate: String,
    /// The TLS certificate that it shows as a client, PEM.
    pub client_tls_certificate: String,
}

/// Raft's settings. The defaults are those of Fabric's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaftOptions {
    /// The clock's tick.
    pub tick: Duration,
    /// Ticks without a leader before an election.
    pub election_ticks: u32,
    /// Ticks between a leader's heartbeats.
    pub heartbeat_ticks: u32,
    /// Blocks under way at once.
    pub blocks_in_flight: u32,
    /// Bytes after which a snapshot is taken.
    pub snapshot_bytes: u32,
}

impl Default for RaftOptions {
    fn default() -> Self {
        Self {
            tick: Duration::from_millis(500),
            election_ticks: 10,
            heartbeat_ticks: 1,
            blocks_in_flight: 5,
            snapshot_bytes: 16 * 1024 * 1024,
        }
    }
}

/// BFT's settings. The defaults are those of Fabric's samples, but for the time-outs after which a leader is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BftOptions {
    /// Most transactions in a block.
    pub batch_messages: u64,
    /// Most bytes in a block.
    pub batch_bytes: u64,
    /// A block is cut this long after its first transaction.
    pub batch_interval: Duration,
    /// A follower hands a transaction to the leader after this time.
    pub forward_after: Duration,
    /// And complains of the leader after this further time.
    pub complain_after: Duration,
    /// A transaction that is not ordered is dropped after this time.
    pub drop_after: Duration,
    /// A change of leader is asked for again after this time.
    pub view_change_resend: Duration,
    /// A change of leader takes this long at most.
    pub view_change: Duration,
    /// A leader that is not heard of for so long is replaced.
    pub leader_heartbeat: Duration,
    /// Waiting for the others' state after a restart.
    pub collect: Duration,
}

impl Default for BftOptions {
    fn default() -> Self {
        Self {
            batch_messages: 100,
            batch_bytes: 10 * 1024 * 1024,
            batch_interval: Duration::from_millis(50),
            forward_after: Duration::from_secs(2),
            // The samples wait for 20 s: as long as that, nothing is ordered after a leader's death.
            complain_after: Duration::from_secs(5),
            drop_after: Duration::from_secs(180),
            view_change_resend: Duration::from_secs(5),
            view_change: Duration::from_secs(20),
            leader_heartbeat: Duration::from_secs(20),
            collect: Duration::from_secs(1),
        }
    }
}

impl Channel {
    /// The channel's first configuration.
    pub fn config(&self) -> Result<Config> {
        self.check()?;
        let mut root = group();
        put_meta_policies(&mut root);
        put(&mut root, "HashingAlgorithm", &HashingAlgorithm { name: "SHA256".to_owned() });
        put(&mut root, "BlockDataHashingStructure", &BlockDataHashingStructure { width: u32::MAX });
        let channel_capability = match self.consensus {
            Consensus::Raft { .. } => "V2_0",
            Consensus::Bft { .. } => "V3_0",
        };
        put(&mut root, "Capabilities", &capabilities(channel_capability));
        root.groups.insert("Orderer".to_owned(), self.orderer_group()?);
        root.groups.insert("Application".to_owned(), self.application_group());
        Ok(Config { sequence: 0, channel_group: Some(root) })
    }

    /// The block that orderers and peers join the channel with. The same channel and time give the same block.
    pub fn genesis_block(&self, created: SystemTime) -> Result<Block> {
        let config = ConfigEnvelope { config: Some(self.config()?), last_update: None }.encode_to_vec();
        // Fabric wants 24 bytes here and asks nothing else of them: these make the block a function of its inputs.
        let nonce = sha256(&[self.name.as_bytes(), &timestamp(created).encode_to_vec(), &config])[..24].to_vec();
        let channel_header = ChannelHeader {
            r#type: HeaderType::Config.into(),
            version: 1,
            timestamp: Some(timestamp(created)),
            channel_id: self.name.clone(),
            tx_id: hex::encode(sha256(&[&nonce])),
            ..ChannelHeader::default()
        };
        let payload = Payload {
            header: Some(Header {
                channel_header: channel_header.encode_to_vec(),
                signature_header: SignatureHeader { creator: Vec::new(), nonce }.encode_to_vec(),
            }),
            data: config,
        };
        let envelope = Envelope { payload: payload.encode_to_vec(), signature: Vec::new() }.encode_to_vec();
        let last = LastConfig { index: 0 };
        let orderer = OrdererBlockMetadata { last_config: Some(last), consenter_metadata: Vec::new() };
        let metadata = |value: Vec<u8>| Metadata { value, signatures: Vec::new() }.encode_to_vec();
        Ok(Block {
            header: Some(BlockHeader {
                number: 0,
                previous_hash: Vec::new(),
                data_hash: sha256(&[&envelope]).to_vec(),
            }),
            data: Some(BlockData { data: vec![envelope] }),
            metadata: Some(BlockMetadata {
                // In the order of `BlockMetadataIndex`: signatures, last configuration, and three that stay empty.
                metadata: vec![
                    metadata(orderer.encode_to_vec()),
                    metadata(last.encode_to_vec()),
                    Vec::new(),
                    Vec::new(),
                    Vec::new(),
                ],
            }),
        })
    }

    fn check(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::invalid("a channel", reason));
        let mut letters = self.name.bytes();
        let first = letters.next().is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = letters.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte));
        if !first || !rest || self.name.len() > 249 {
            return refuse(format!(
                "`{}` is no channel name: a lower-case letter, then such letters, digits, dots and dashes, 249 at most",
                self.name
            ));
        }
        if self.organisations.is_empty() || self.orderer_organisations.is_empty() {
            return refuse("it needs an organisation with peers and one with orderers".to_owned());
        }
        let (kind, least, consenters) = match &self.consensus {
            Consensus::Raft { consenters, .. } => ("raft", 1, consenters),
            Consensus::Bft { consenters, .. } => ("BFT", 4, consenters),
        };
        if consenters.len() < least {
            return refuse(format!("{kind} needs {least} orderers or more, and there are {}", consenters.len()));
        }
        for consenter in consenters {
            if !self.orderer_organisations.iter().any(|own| own.msp.id == consenter.msp_id) {
                return refuse(format!("orderer {} is of `{}`, which runs none", consenter.address, consenter.msp_id));
            }
        }
        for names in [
            self.organisations.iter().map(|own| &own.name).collect::<Vec<_>>(),
            self.orderer_organisations.iter().map(|own| &own.name).collect(),
        ] {
            if let Some(name) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
                return refuse(format!("organisation `{}` is in it twice", name.1));
            }
        }
        Ok(())
    }

    fn orderer_group(&self) -> Result<ConfigGroup> {
        let mut orderers = group();
        put_meta_policies(&mut orderers);
        let size = orderer::BatchSize {
            max_message_count: self.batch.messages,
            absolute_max_bytes: self.batch.absolute_bytes,
            preferred_max_bytes: self.batch.preferred_bytes,
        };
        put(&mut orderers, "BatchSize", &size);
        put(&mut orderers, "BatchTimeout", &orderer::BatchTimeout { timeout: go_duration(self.batch.timeout) });
        put(&mut orderers, "ChannelRestrictions", &orderer::ChannelRestrictions { max_count: 0 });
        put(&mut orderers, "Capabilities", &capabilities("V2_0"));
        let (kind, metadata) = match &self.consensus {
            Consensus::Raft { options, consenters } => {
                put_policy(&mut orderers, "BlockValidation", implicit(Rule::Any, "BlockValidation"));
                ("etcdraft", raft_metadata(options, consenters).encode_to_vec())
            }
            Consensus::Bft { options, consenters } => {
                let mapping: Vec<common::Consenter> = consenters.iter().map(bft_consenter).collect();
                put_policy(&mut orderers, "BlockValidation", quorum(&mapping));
                put(&mut orderers, "Orderers", &Orderers { consenter_mapping: mapping });
                ("BFT", bft_metadata(options).encode_to_vec())
            }
        };
        let consensus = orderer::ConsensusType { r#type: kind.to_owned(), metadata, state: 0 };
        put(&mut orderers, "ConsensusType", &consensus);
        for organisation in &self.orderer_organisations {
            orderers.groups.insert(organisation.name.clone(), organisation.group()?);
        }
        Ok(orderers)
    }

    fn application_group(&self) -> ConfigGroup {
        let mut application = group();
        put_meta_policies(&mut application);
        for name in ["LifecycleEndorsement", "Endorsement"] {
            put_policy(&mut application, name, implicit(Rule::Majority, "Endorsement"));
        }
        put(&mut application, "Capabilities", &capabilities("V2_5"));
        for organisation in &self.organisations {
            application.groups.insert(organisation.name.clone(), organisation.group());
        }
        application
    }
}

impl Organisation {
    /// Its part of the configuration: what is added when it joins a channel that exists.
    pub fn group(&self) -> ConfigGroup {
        use PrincipalRole::{Admin, Client, Peer};
        let mut own = group();
        put(&mut own, "MSP", &self.msp.config());
        let policies: [(&str, &[PrincipalRole]); 4] = [
            ("Readers", &[Admin, Peer, Client]),
            ("Writers", &[Admin, Client]),
            ("Admins", &[Admin]),
            ("Endorsement", &[Peer]),
        ];
        for (name, roles) in policies {
            put_policy(&mut own, name, one_of(&self.msp.id, roles));
        }
        if !self.anchors.is_empty() {
            put(&mut own, "AnchorPeers", &anchor_peers(&self.anchors));
        }
        own
    }
}

impl OrdererOrganisation {
    /// Its part of the configuration.
    pub fn group(&self) -> Result<ConfigGroup> {
        if self.endpoints.is_empty() {
            return Err(Error::invalid("a channel", format!("organisation `{}` has no orderer's address", self.name)));
        }
        let mut own = group();
        put(&mut own, "MSP", &self.msp.config());
        let policies: [(&str, &[PrincipalRole]); 4] = [
            ("Readers", &[PrincipalRole::Member]),
            ("Writers", &[PrincipalRole::Member]),
            ("Admins", &[PrincipalRole::Admin]),
            ("BlockValidation", &[PrincipalRole::Orderer]),
        ];
        for (name, roles) in policies {
            put_policy(&mut own, name, one_of(&self.msp.id, roles));
        }
        put(&mut own, "Endpoints", &endpoints(&self.endpoints));
        Ok(own)
    }
}

fn group() -> ConfigGroup {
    ConfigGroup { mod_policy: ADMINS.to_owned(), ..ConfigGroup::default() }
}

pub(crate) fn put(group: &mut ConfigGroup, key: &str, value: &impl Message) {
    let value = ConfigValue { version: 0, value: value.encode_to_vec(), mod_policy: ADMINS.to_owned() };
    group.values.insert(key.to_owned(), value);
}

fn put_policy(group: &mut ConfigGroup, key: &str, policy: common::Policy) {
    let policy = ConfigPolicy { version: 0, policy: Some(policy), mod_policy: ADMINS.to_owned() };
    group.policies.insert(key.to_owned(), policy);
}

fn put_meta_policies(group: &mut ConfigGroup) {
    put_policy(group, "Readers", implicit(Rule::Any, "Readers"));
    put_policy(group, "Writers", implicit(Rule::Any, "Writers"));
    put_policy(group, "Admins", implicit(Rule::Majority, "Admins"));
}

fn implicit(rule: Rule, below: &str) -> common::Policy {
    let value = ImplicitMetaPolicy { sub_policy: below.to_owned(), rule: rule.into() };
    common::Policy { r#type: PolicyType::ImplicitMeta.into(), value: value.encode_to_vec() }
}

fn one_of(msp_id: &str, roles: &[PrincipalRole]) -> common::Policy {
    let rules = roles.iter().map(|role| Policy::Principal { msp_id: msp_id.to_owned(), role: *role }).collect();
    let policy = Policy::OutOf { threshold: 1, rules };
    common::Policy { r#type: PolicyType::Signature.into(), value: policy.envelope().encode_to_vec() }
}

/// `common.Capabilities` as Go writes it: a map's entry with its value even when that is empty, which the generated type
/// leaves out. To Fabric both are the same, but they are not the same bytes.
#[derive(Clone, PartialEq, prost::Message)]
struct CapabilityList {
    #[prost(message, repeated, tag = "1")]
    capabilities: Vec<CapabilityEntry>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct CapabilityEntry {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<Capability>,
}

fn capabilities(name: &str) -> CapabilityList {
    CapabilityList { capabilities: vec![CapabilityEntry { key: name.to_owned(), value: Some(Capability {}) }] }
}

pub(crate) fn endpoints(orderers: &[Address]) -> common::OrdererAddresses {
    common::OrdererAddresses { addresses: orderers.iter().map(Address::to_string).collect() }
}

pub(crate) fn anchor_peers(anchors: &[Address]) -> protos::AnchorPeers {
    let peers = anchors.iter().map(|own| protos::AnchorPeer { host: own.host.clone(), port: own.port.into() });
    protos::AnchorPeers { anchor_peers: peers.collect() }
}

pub(crate) fn raft_metadata(options: &RaftOptions, consenters: &[Consenter]) -> etcdraft::ConfigMetadata {
    etcdraft::ConfigMetadata {
        consenters: consenters
            .iter()
            .map(|own| etcdraft::Consenter {
                host: own.address.host.clone(),
                port: own.address.port.into(),
                client_tls_cert: own.client_tls_certificate.clone().into_bytes(),
                server_tls_cert: own.server_tls_certificate.clone().into_bytes(),
            })
            .collect(),
        options: Some(etcdraft::Options {
            tick_interval: go_duration(options.tick),
            election_tick: options.election_ticks,
            heartbeat_tick: options.heartbeat_ticks,
            max_inflight_blocks: options.blocks_in_flight,
            snapshot_interval_size: options.snapshot_bytes,
        }),
    }
}

pub(crate) fn bft_consenter(own: &Consenter) -> common::Consenter {
    common::Consenter {
        id: own.id,
        host: own.address.host.clone(),
        port: own.address.port.into(),
        msp_id: own.msp_id.clone(),
        identity: own.identity.clone().into_bytes(),
        client_tls_cert: own.client_tls_certificate.clone().into_bytes(),
        server_tls_cert: own.server_tls_certificate.clone().into_bytes(),
    }
}

fn bft_metadata(options: &BftOptions) -> orderer::smartbft::Options {
    orderer::smartbft::Options {
        request_batch_max_count: options.batch_messages,
        request_batch_max_bytes: options.batch_bytes,
        request_batch_max_interval: go_duration(options.batch_interval),
        incoming_message_buffer_size: 200,
        request_pool_size: 100_000,
        request_forward_timeout: go_duration(options.forward_after),
        request_complain_timeout: go_duration(options.complain_after),
        request_auto_remove_timeout: go_duration(options.drop_after),
        view_change_resend_interval: go_duration(options.view_change_resend),
        view_change_timeout: go_duration(options.view_change),
        leader_heartbeat_timeout: go_duration(options.leader_heartbeat),
        leader_heartbeat_count: 10,
        collect_timeout: go_duration(options.collect),
        ..orderer::smartbft::Options::default()
    }
}

/// A quorum of the consenters' signatures: of n nodes of which f = (n - 1) / 3 may fail, (n + f + 1) / 2, rounded up
/// (SmartBFT's own quorum, so that any two have an honest node in common).
pub(crate) fn quorum(consenters: &[common::Consenter]) -> common::Policy {
    let count = consenters.len();
    let quorum = (count + count.saturating_sub(1) / 3 + 1).div_ceil(2);
    let signed_by = |at: usize| SignaturePolicy {
        r#type: Some(signature_policy::Type::SignedBy(i32::try_from(at).unwrap_or(i32::MAX))),
    };
    let identity = |own: &common::Consenter| MspPrincipal {
        principal_classification: Classification::Identity.into(),
        principal: SerializedIdentity { mspid: own.msp_id.clone(), id_bytes: own.identity.clone() }.encode_to_vec(),
    };
    let envelope = SignaturePolicyEnvelope {
        version: 0,
        rule: Some(SignaturePolicy {
            r#type: Some(signature_policy::Type::NOutOf(signature_policy::NOutOf {
                n: i32::try_from(quorum).unwrap_or(i32::MAX),
                rules: (0..count).map(signed_by).collect(),
            })),
        }),
        identities: consenters.iter().map(identity).collect(),
    };
    common::Policy { r#type: PolicyType::Signature.into(), value: envelope.encode_to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(name: &str, orderers: u32) -> Channel {
        let msp = Msp { id: "AlphaMSP".to_owned(), ..Msp::default() };
        let consenters = (1..=orderers)
            .map(|id| Consenter {
                id,
                address: Address::new("127.0.0.1", 7000),
                msp_id: msp.id.clone(),
                identity: String::new(),
                server_tls_certificate: String::new(),
                client_tls_certificate: String::new(),
            })
            .collect();
        Channel {
            name: name.to_owned(),
            organisations: vec![Organisation { name: "Alpha".to_owned(), msp: msp.clone(), anchors: Vec::new() }],
            orderer_organisations: vec![OrdererOrganisation {
                name: "Alpha".to_owned(),
                msp,
                endpoints: vec![Address::new("127.0.0.1", 7000)],
            }],
            consensus: Consensus::Bft { options: BftOptions::default(), consenters },
            batch: Batch::default(),
        }
    }

    #[test]
    fn the_same_channel_and_time_give_the_same_block() -> anyhow::Result<()> {
        let block = channel("main", 4).genesis_block(SystemTime::UNIX_EPOCH)?;
        assert_eq!(block, channel("main", 4).genesis_block(SystemTime::UNIX_EPOCH)?);
        assert_ne!(block, channel("other", 4).genesis_block(SystemTime::UNIX_EPOCH)?);
        Ok(())
    }

    #[test]
    fn what_fabric_would_refuse_is_refused_here() {
        assert!(channel("main", 4).config().is_ok());
        for (name, orderers, reason) in [
            ("Main", 4, "is no channel name"),
            ("4ever", 4, "is no channel name"),
            ("", 4, "is no channel name"),
            ("main", 3, "BFT needs 4 orderers or more, and there are 3"),
        ] {
            let failure = channel(name, orderers).config().expect_err(name);
            assert!(failure.to_string().contains(reason), "{failure}");
        }
        let mut foreign = channel("main", 4);
        foreign.orderer_organisations[0].msp.id = "BetaMSP".to_owned();
        assert!(foreign.config().expect_err("foreign").to_string().contains("which runs none"));
    }

    #[test]
    fn quorums_are_smart_bft_s() {
        for (count, needed) in [(4, 3), (5, 4), (6, 4), (7, 5), (10, 7)] {
            let policy = quorum(&vec![common::Consenter::default(); count]);
            let envelope = SignaturePolicyEnvelope::decode(policy.value.as_slice()).expect("was encoded here");
            let Some(signature_policy::Type::NOutOf(rule)) = envelope.rule.and_then(|rule| rule.r#type) else {
                panic!("no rule");
            };
            assert_eq!(rule.n, needed, "of {count}");
        }
    }
}
