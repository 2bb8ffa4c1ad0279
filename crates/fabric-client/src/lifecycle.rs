//! Chaincode lifecycle (the system chaincode `_lifecycle`): install, approve, check, commit, query.
//!
//! Approving and committing are transactions: what is here gives their [`Call`], to be endorsed by the approving
//! organisation's own peer, or by peers of a majority, and submitted like any other.

use std::collections::BTreeMap;

use prost::Message;
use serde::{Deserialize, Serialize};

use crate::codec::decode;
use crate::policy::Policy;
use crate::proto::lifecycle as wire;
use crate::proto::protos::{
    self, ApplicationPolicy, CollectionConfig, CollectionConfigPackage, CollectionPolicyConfig, StaticCollectionConfig,
    application_policy, collection_config, collection_policy_config,
};
use crate::{Call, Error, Identity, Peer, Result};

const CHAINCODE: &str = "_lifecycle";

/// Who has to endorse a chaincode's transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Endorsement {
    /// The channel's default: a majority of the organisations.
    #[default]
    Default,
    /// Signatures, such as `AND('AMSP.peer','BMSP.peer')`.
    Signatures(Policy),
    /// A policy of the channel's configuration, such as `/Channel/Application/Endorsement`.
    Channel(String),
}

/// A chaincode as a channel's members agree on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// Its name on the channel.
    pub name: String,
    /// Its version, any text.
    pub version: String,
    /// 1 for the first definition, and one more with each change.
    pub sequence: i64,
    /// Who endorses.
    pub endorsement: Endorsement,
    /// Private data collections.
    pub collections: Vec<Collection>,
    /// Whether the chaincode refuses calls until one that initialises it.
    pub init_required: bool,
}

/// A private data collection, in the JSON form that Fabric's own command line reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Collection {
    /// Its name.
    pub name: String,
    /// Who holds it: a signature policy whose organisations count, not its gates.
    pub policy: String,
    /// Peers that must have it before an endorsement is given.
    #[serde(default)]
    pub required_peer_count: i32,
    /// Peers that it is given to at once, at most.
    #[serde(default)]
    pub max_peer_count: i32,
    /// Blocks after which it is deleted; 0 for never.
    #[serde(default)]
    pub block_to_live: u64,
    /// Whether only members' clients may read.
    #[serde(default)]
    pub member_only_read: bool,
    /// Whether only members' clients may write.
    #[serde(default)]
    pub member_only_write: bool,
    /// Who endorses its changes, where it is not the chaincode's own policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endorsement_policy: Option<CollectionEndorsement>,
}

/// A collection's own endorsement policy: one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CollectionEndorsement {
    /// Signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_policy: Option<String>,
    /// A policy of the channel's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_config_policy: Option<String>,
}

/// Reads collections from JSON.
pub fn collections_from_json(json: &str) -> Result<Vec<Collection>> {
    let collections: Vec<Collection> =
        serde_json::from_str(json).map_err(|failure| Error::invalid("collections", failure.to_string()))?;
    collection_package(&collections)?;
    Ok(collections)
}

fn collection_package(collections: &[Collection]) -> Result<Option<CollectionConfigPackage>> {
    if collections.is_empty() {
        return Ok(None);
    }
    let mut config = Vec::new();
    for (at, collection) in collections.iter().enumerate() {
        let refuse =
            |reason: &str| Err(Error::invalid("collections", format!("collection `{}` {reason}", collection.name)));
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if collection.name.is_empty() || !collection.name.bytes().all(legal) {
            return refuse("has no legal name: letters, digits, dashes and underscores");
        }
        if collections[..at].iter().any(|other| other.name == collection.name) {
            return refuse("is there twice");
        }
        if collection.required_peer_count < 0 || collection.max_peer_count < collection.required_peer_count {
            return refuse("asks for more peers than it gives to");
        }
        let endorsement_policy = match &collection.endorsement_policy {
            None => None,
            Some(CollectionEndorsement { signature_policy: Some(text), channel_config_policy: None }) => {
                Some(Endorsement::Signatures(text.parse()?))
            }
            Some(CollectionEndorsement { signature_policy: None, channel_config_policy: Some(name) }) => {
                Some(Endorsement::Channel(name.clone()))
            }
            Some(_) => return refuse("has not one of signaturePolicy and channelConfigPolicy"),
        };
        let members: Policy = collection.policy.parse()?;
        let payload = StaticCollectionConfig {
            name: collection.name.clone(),
            member_orgs_policy: Some(CollectionPolicyConfig {
                payload: Some(collection_policy_config::Payload::SignaturePolicy(members.envelope())),
            }),
            required_peer_count: collection.required_peer_count,
            maximum_peer_count: collection.max_peer_count,
            block_to_live: collection.block_to_live,
            member_only_read: collection.member_only_read,
            member_only_write: collection.member_only_write,
            endorsement_policy: endorsement_policy.as_ref().and_then(application_policy),
        };
        config.push(CollectionConfig { payload: Some(collection_config::Payload::StaticCollectionConfig(payload)) });
    }
    Ok(Some(CollectionConfigPackage { config }))
}

fn application_policy(endorsement: &Endorsement) -> Option<ApplicationPolicy> {
    let kind = match endorsement {
        Endorsement::Default => return None,
        Endorsement::Signatures(policy) => application_policy::Type::SignaturePolicy(policy.envelope()),
        Endorsement::Channel(name) => application_policy::Type::ChannelConfigPolicyReference(name.clone()),
    };
    Some(ApplicationPolicy { r#type: Some(kind) })
}

impl Definition {
    fn validation_parameter(&self) -> Vec<u8> {
        application_policy(&self.endorsement).map(|policy| policy.encode_to_vec()).unwrap_or_default()
    }

    /// The transaction by which an organisation approves, with the package that its peers run; none when they run none.
    pub fn approval(&self, channel: &str, package_id: Option<&str>) -> Result<Call> {
        let source = match package_id {
            Some(id) => {
                wire::chaincode_source::Type::LocalPackage(wire::chaincode_source::Local { package_id: id.to_owned() })
            }
            None => wire::chaincode_source::Type::Unavailable(wire::chaincode_source::Unavailable {}),
        };
        let arguments = wire::ApproveChaincodeDefinitionForMyOrgArgs {
            sequence: self.sequence,
            name: self.name.clone(),
            version: self.version.clone(),
            validation_parameter: self.validation_parameter(),
            collections: collection_package(&self.collections)?,
            init_required: self.init_required,
            source: Some(wire::ChaincodeSource { r#type: Some(source) }),
            ..Default::default()
        };
        Ok(call(channel, "ApproveChaincodeDefinitionForMyOrg", &arguments))
    }

    /// The transaction that makes the definition the channel's.
    pub fn commitment(&self, channel: &str) -> Result<Call> {
        let arguments = wire::CommitChaincodeDefinitionArgs {
            sequence: self.sequence,
            name: self.name.clone(),
            version: self.version.clone(),
            validation_parameter: self.validation_parameter(),
            collections: collection_package(&self.collections)?,
            init_required: self.init_required,
            ..Default::default()
        };
        Ok(call(channel, "CommitChaincodeDefinition", &arguments))
    }
}

/// A package on a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its id.
    pub package_id: String,
    /// Its label.
    pub label: String,
    /// The chaincodes that use it: channel, name, version.
    pub used_by: Vec<(String, String, String)>,
}

/// A definition that a channel has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The definition.
    pub definition: Definition,
    /// Which organisations approved it, by MSP; only when one chaincode was asked for.
    pub approvals: BTreeMap<String, bool>,
}

fn call(channel: &str, function: &str, arguments: &impl Message) -> Call {
    Call::new(channel, CHAINCODE, function, [arguments.encode_to_vec()])
}

/// Installs a package, and gives its id. A package that is there already is no error.
pub async fn install(peer: &Peer, identity: &Identity, package: &[u8]) -> Result<String> {
    let operation = "install a chaincode";
    let arguments = wire::InstallChaincodeArgs { chaincode_install_package: package.to_vec() };
    let answer = peer.ask(operation, identity, &call("", "InstallChaincode", &arguments)).await;
    match answer {
        Ok(answer) => Ok(decode::<wire::InstallChaincodeResult>("an installed package", &answer)?.package_id),
        Err(Error::Chaincode { message, .. }) if message.contains("chaincode already successfully installed") => {
            let hash = hex::encode(crate::codec::sha256(&[package]));
            let installed = installed(peer, identity).await?;
            let found = installed.into_iter().find(|own| own.package_id.ends_with(&hash));
            found.map(|own| own.package_id).ok_or_else(|| Error::missing("an installed package"))
        }
        Err(failure) => Err(failure),
    }
}

/// The packages on a peer.
pub async fn installed(peer: &Peer, identity: &Identity) -> Result<Vec<Installed>> {
    let arguments = wire::QueryInstalledChaincodesArgs {};
    let answer = peer.ask("list packages", identity, &call("", "QueryInstalledChaincodes", &arguments)).await?;
    let found: wire::QueryInstalledChaincodesResult = decode("a list of packages", &answer)?;
    let one = |own: wire::query_installed_chaincodes_result::InstalledChaincode| Installed {
        package_id: own.package_id,
        label: own.label,
        used_by: own
            .references
            .into_iter()
            .flat_map(|(channel, users)| {
                users.chaincodes.into_iter().map(move |user| (channel.clone(), user.name, user.version))
            })
            .collect(),
    };
    Ok(found.installed_chaincodes.into_iter().map(one).collect())
}

/// The bytes of a package on a peer.
pub async fn installed_package(peer: &Peer, identity: &Identity, package_id: &str) -> Result<Vec<u8>> {
    let arguments = wire::GetInstalledChaincodePackageArgs { package_id: package_id.to_owned() };
    let answer = peer.ask("read a package", identity, &call("", "GetInstalledChaincodePackage", &arguments)).await?;
    Ok(decode::<wire::GetInstalledChaincodePackageResult>("a package", &answer)?.chaincode_install_package)
}

/// Who has approved exactly this definition, by MSP.
pub async fn readiness(
    peer: &Peer,
    identity: &Identity,
    channel: &str,
    definition: &Definition,
) -> Result<BTreeMap<String, bool>> {
    let arguments = wire::CheckCommitReadinessArgs {
        sequence: definition.sequence,
        name: definition.name.clone(),
        version: definition.version.clone(),
        validation_parameter: definition.validation_parameter(),
        collections: collection_package(&definition.collections)?,
        init_required: definition.init_required,
        ..Default::default()
    };
    let answer = peer.ask("check approvals", identity, &call(channel, "CheckCommitReadiness", &arguments)).await?;
    Ok(decode::<wire::CheckCommitReadinessResult>("approvals", &answer)?.approvals)
}

/// The definition that the peer's organisation approved, and the package that it named; none when there is none.
pub async fn approved(
    peer: &Peer,
    identity: &Identity,
    channel: &str,
    name: &str,
    sequence: i64,
) -> Result<Option<(Definition, Option<String>)>> {
    let arguments = wire::QueryApprovedChaincodeDefinitionArgs { name: name.to_owned(), sequence };
    let answer =
        peer.ask("read an approval", identity, &call(channel, "QueryApprovedChaincodeDefinition", &arguments)).await;
    let answer = match answer {
        Err(Error::Chaincode { message, .. }) if message.contains("could not fetch approved chaincode definition") => {
            return Ok(None);
        }
        answer => answer?,
    };
    let found: wire::QueryApprovedChaincodeDefinitionResult = decode("an approval", &answer)?;
    let package = match found.source.and_then(|source| source.r#type) {
        Some(wire::chaincode_source::Type::LocalPackage(local)) => Some(local.package_id),
        _ => None,
    };
    let definition = Definition {
        name: name.to_owned(),
        version: found.version,
        sequence: found.sequence,
        endorsement: endorsement_from(&found.validation_parameter)?,
        collections: collections_from(found.collections)?,
        init_required: found.init_required,
    };
    Ok(Some((definition, package)))
}

/// The definition that a channel has of a chaincode; none when there is none.
pub async fn committed(peer: &Peer, identity: &Identity, channel: &str, name: &str) -> Result<Option<Committed>> {
    let arguments = wire::QueryChaincodeDefinitionArgs { name: name.to_owned() };
    let answer = peer.ask("read a definition", identity, &call(channel, "QueryChaincodeDefinition", &arguments)).await;
    let answer = match answer {
        Err(Error::Chaincode { status: 404, .. }) => return Ok(None),
        Err(Error::Chaincode { message, .. }) if message.contains("is not defined") => return Ok(None),
        answer => answer?,
    };
    let found: wire::QueryChaincodeDefinitionResult = decode("a definition", &answer)?;
    let definition = Definition {
        name: name.to_owned(),
        version: found.version,
        sequence: found.sequence,
        endorsement: endorsement_from(&found.validation_parameter)?,
        collections: collections_from(found.collections)?,
        init_required: found.init_required,
    };
    Ok(Some(Committed { definition, approvals: found.approvals }))
}

/// The definitions that a channel has.
pub async fn all_committed(peer: &Peer, identity: &Identity, channel: &str) -> Result<Vec<Definition>> {
    let arguments = wire::QueryChaincodeDefinitionsArgs {};
    let answer =
        peer.ask("list definitions", identity, &call(channel, "QueryChaincodeDefinitions", &arguments)).await?;
    let found: wire::QueryChaincodeDefinitionsResult = decode("definitions", &answer)?;
    let one = |own: wire::query_chaincode_definitions_result::ChaincodeDefinition| {
        Ok(Definition {
            name: own.name,
            version: own.version,
            sequence: own.sequence,
            endorsement: endorsement_from(&own.validation_parameter)?,
            collections: collections_from(own.collections)?,
            init_required: own.init_required,
        })
    };
    found.chaincode_definitions.into_iter().map(one).collect()
}

fn endorsement_from(parameter: &[u8]) -> Result<Endorsement> {
    match decode::<ApplicationPolicy>("an endorsement policy", parameter)?.r#type {
        Some(application_policy::Type::SignaturePolicy(envelope)) => {
            Ok(Endorsement::Signatures(Policy::from_envelope(&envelope)?))
        }
        // What Fabric puts in when nothing is asked for.
        Some(application_policy::Type::ChannelConfigPolicyReference(name))
            if name == "/Channel/Application/Endorsement" =>
        {
            Ok(Endorsement::Default)
        }
        Some(application_policy::Type::ChannelConfigPolicyReference(name)) => Ok(Endorsement::Channel(name)),
        None => Ok(Endorsement::Default),
    }
}

fn collections_from(package: Option<protos::CollectionConfigPackage>) -> Result<Vec<Collection>> {
    let what = "collections";
    let mut collections = Vec::new();
    for config in package.unwrap_or_default().config {
        let Some(collection_config::Payload::StaticCollectionConfig(own)) = config.payload else { continue };
        let members = own.member_orgs_policy.and_then(|policy| policy.payload).ok_or_else(|| Error::missing(what))?;
        let collection_policy_config::Payload::SignaturePolicy(members) = members;
        let endorsement_policy = match own.endorsement_policy.and_then(|policy| policy.r#type) {
            None => None,
            Some(application_policy::Type::SignaturePolicy(envelope)) => Some(CollectionEndorsement {
                signature_policy: Some(Policy::from_envelope(&envelope)?.to_string()),
                channel_config_policy: None,
            }),
            Some(application_policy::Type::ChannelConfigPolicyReference(name)) => {
                Some(CollectionEndorsement { signature_policy: None, channel_config_policy: Some(name) })
            }
        };
        collections.push(Collection {
            name: own.name,
            policy: Policy::from_envelope(&members)?.to_string(),
            required_peer_count: own.required_peer_count,
            max_peer_count: own.maximum_peer_count,
            block_to_live: own.block_to_live,
            member_only_read: own.member_only_read,
            member_only_write: own.member_only_write,
            endorsement_policy,
        });
    }
    Ok(collections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_are_read_as_fabric_s_command_line_reads_them() -> anyhow::Result<()> {
        let json = r#"[{"name":"col1","policy":"OR('Org1MSP.member', 'Org2MSP.member')","requiredPeerCount":0,
            "maxPeerCount":1,"blockToLive":0,"memberOnlyRead":true,"memberOnlyWrite":false,
            "endorsementPolicy":{"signaturePolicy":"OR('Org1MSP.member', 'Org2MSP.member')"}}]"#;
        let collections = collections_from_json(json)?;
        assert_eq!(collections_from(collection_package(&collections)?)?, collections);
        Ok(())
    }

    #[test]
    fn bad_collections_say_what_is_wrong() {
        let cases = [
            (r#"[{"name":"c","policy":"OR('A.boss')"}]"#, "`boss` is no role"),
            (r#"[{"name":"c d","policy":"OR('A.member')"}]"#, "`c d` has no legal name"),
            (r#"[{"name":"c","policy":"OR('A.member')","requiredPeerCount":2}]"#, "asks for more peers"),
            (r#"[{"name":"c","policy":"OR('A.member')","endorsementPolicy":{}}]"#, "has not one of"),
            (r#"[{"name":"c","policy":"OR('A.member')"},{"name":"c","policy":"OR('A.member')"}]"#, "is there twice"),
            (r#"[{"name":"c"}]"#, "missing field `policy`"),
            (r#"{"name":"c"}"#, "invalid type"),
        ];
        for (json, reason) in cases {
            let failure = collections_from_json(json).expect_err(json);
            assert!(failure.to_string().contains(reason), "{failure}");
        }
    }
}
