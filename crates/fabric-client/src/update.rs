//! Changing a channel's configuration: edits, the difference between two configurations as Fabric wants it, and the
//! signed envelope.

use std::collections::BTreeMap;
use std::time::Duration;

use prost::Message as _;

use crate::channel::{
    Address, Batch, Consenter, OrdererOrganisation, Organisation, anchor_peers, bft_consenter, endpoints, put, quorum,
};
use crate::codec::{decode, go_duration};
use crate::msp::Msp;
use crate::proto::common::{
    Block, Config, ConfigEnvelope, ConfigGroup, ConfigPolicy, ConfigSignature, ConfigUpdate, ConfigUpdateEnvelope,
    ConfigValue, Envelope, HeaderType, Orderers, Payload,
};
use crate::proto::msp::{FabricMspConfig, MspConfig};
use crate::proto::{etcdraft, orderer};
use crate::transaction::{Signed, envelope};
use crate::{Error, Identity, Result, TransactionId};

/// The configuration in a configuration block.
pub fn config_of(block: &Block) -> Result<Config> {
    let what = "a configuration block";
    let data = block.data.as_ref().and_then(|data| data.data.first()).ok_or_else(|| Error::missing(what))?;
    let envelope: Envelope = decode(what, data)?;
    let payload: Payload = decode(what, &envelope.payload)?;
    let config: ConfigEnvelope = decode(what, &payload.data)?;
    config.config.ok_or_else(|| Error::missing(what))
}

/// Edits of a configuration. Each leaves the parts that it is not about as they are.
pub trait Edit {
    /// Sets the peers by which an organisation's peers are found.
    fn set_anchors(&mut self, organisation: &str, anchors: &[Address]) -> Result<()>;

    /// Sets how long a block waits for more transactions.
    fn set_batch_timeout(&mut self, timeout: Duration) -> Result<()>;

    /// Sets how blocks are cut, the time-out included.
    fn set_batch(&mut self, batch: &Batch) -> Result<()>;

    /// Whether an organisation with peers takes part.
    fn has_organisation(&self, organisation: &str) -> bool;

    /// Admits an organisation with peers, or replaces its part (new certificates).
    fn set_organisation(&mut self, organisation: &Organisation) -> Result<()>;

    /// Lets an organisation with peers go.
    fn remove_organisation(&mut self, organisation: &str) -> Result<()>;

    /// Replaces an organisation's certificates and revocation lists wherever it stands: with peers, with orderers or both.
    fn set_msp(&mut self, msp: &Msp) -> Result<()>;

    /// Goes one step towards the orderers that are to agree, as Fabric takes one change at a time: admits the first that is
    /// missing, else lets go of the first that is too many. They are told apart by their addresses; those that stay keep their
    /// numbers.
    fn approach_consenters(&mut self, wanted: &[Consenter]) -> Result<()>;

    /// Sets who runs orderers, and where these are reached. Of an organisation that runs some already nothing else changes.
    fn set_orderer_organisations(&mut self, organisations: &[OrdererOrganisation]) -> Result<()>;
}

impl Edit for Config {
    fn set_anchors(&mut self, organisation: &str, anchors: &[Address]) -> Result<()> {
        put(below(self, &["Application", organisation])?, "AnchorPeers", &anchor_peers(anchors));
        Ok(())
    }

    fn set_batch_timeout(&mut self, timeout: Duration) -> Result<()> {
        put(below(self, &["Orderer"])?, "BatchTimeout", &orderer::BatchTimeout { timeout: go_duration(timeout) });
        Ok(())
    }

    fn set_batch(&mut self, batch: &Batch) -> Result<()> {
        self.set_batch_timeout(batch.timeout)?;
        let size = orderer::BatchSize {
            max_message_count: batch.messages,
            absolute_max_bytes: batch.absolute_bytes,
            preferred_max_bytes: batch.preferred_bytes,
        };
        put(below(self, &["Orderer"])?, "BatchSize", &size);
        Ok(())
    }

    fn has_organisation(&self, organisation: &str) -> bool {
        let root = self.channel_group.as_ref();
        root.and_then(|root| root.groups.get("Application")).is_some_and(|own| own.groups.contains_key(organisation))
    }

    fn set_organisation(&mut self, organisation: &Organisation) -> Result<()> {
        below(self, &["Application"])?.groups.insert(organisation.name.clone(), organisation.group());
        Ok(())
    }

    fn remove_organisation(&mut self, organisation: &str) -> Result<()> {
        let removed = below(self, &["Application"])?.groups.remove(organisation);
        removed.map(drop).ok_or_else(|| absent(organisation))
    }

    fn set_msp(&mut self, msp: &Msp) -> Result<()> {
        let mut found = false;
        for section in ["Application", "Orderer"] {
            for group in below(self, &[section])?.groups.values_mut() {
                let value = group.values.get("MSP").ok_or_else(|| absent("MSP"))?;
                let outer: MspConfig = decode("a configuration", &value.value)?;
                let inner: FabricMspConfig = decode("a configuration", &outer.config)?;
                if inner.name == msp.id {
                    put(group, "MSP", &msp.config());
                    found = true;
                }
            }
        }
        if found { Ok(()) } else { Err(absent(&msp.id)) }
    }

    fn approach_consenters(&mut self, wanted: &[Consenter]) -> Result<()> {
        let group = below(self, &["Orderer"])?;
        let value = group.values.get("ConsensusType").ok_or_else(|| absent("ConsensusType"))?;
        let mut consensus: orderer::ConsensusType = decode("a configuration", &value.value)?;
        match consensus.r#type.as_str() {
            "etcdraft" => {
                let mut metadata: etcdraft::ConfigMetadata = decode("a configuration", &consensus.metadata)?;
                let new = crate::channel::raft_metadata(&Default::default(), wanted).consenters;
                approach(&mut metadata.consenters, new, |own| (own.host.clone(), own.port));
                consensus.metadata = metadata.encode_to_vec();
                put(group, "ConsensusType", &consensus);
            }
            "BFT" => {
                let value = group.values.get("Orderers").ok_or_else(|| absent("Orderers"))?;
                let Orderers { consenter_mapping: mut mapping } = decode("a configuration", &value.value)?;
                let next = mapping.iter().map(|own| own.id).max().unwrap_or_default() + 1;
                let new = wanted.iter().map(|own| crate::proto::common::Consenter { id: next, ..bft_consenter(own) });
                approach(&mut mapping, new.collect(), |own| (own.host.clone(), own.port));
                let policy = group.policies.get_mut("BlockValidation").ok_or_else(|| absent("BlockValidation"))?;
                policy.policy = Some(quorum(&mapping));
                put(group, "Orderers", &Orderers { consenter_mapping: mapping });
            }
            other => return Err(Error::invalid("an update", format!("consensus `{other}` is not known"))),
        }
        Ok(())
    }

    fn set_orderer_organisations(&mut self, organisations: &[OrdererOrganisation]) -> Result<()> {
        let groups = &mut below(self, &["Orderer"])?.groups;
        groups.retain(|name, _| organisations.iter().any(|own| own.name == *name));
        for own in organisations {
            match groups.get_mut(&own.name) {
                Some(group) => put(group, "Endpoints", &endpoints(&own.endpoints)),
                None => drop(groups.insert(own.name.clone(), own.group()?)),
            }
        }
        Ok(())
    }
}

/// Adds the first of `wanted` that is not there, else removes the first that is not wanted.
fn approach<T>(there: &mut Vec<T>, wanted: Vec<T>, address: impl Fn(&T) -> (String, u32)) {
    let within = |all: &[T], one: &T| all.iter().any(|own| address(own) == address(one));
    if let Some(surplus) = there.iter().position(|one| !within(&wanted, one))
        && wanted.iter().all(|one| within(there, one))
    {
        there.remove(surplus);
    } else if let Some(missing) = wanted.into_iter().find(|one| !within(there, one)) {
        there.push(missing);
    }
}

fn absent(name: &str) -> Error {
    Error::invalid("an update", format!("the channel has no `{name}`"))
}

fn below<'a>(config: &'a mut Config, path: &[&str]) -> Result<&'a mut ConfigGroup> {
    let root = config.channel_group.as_mut().ok_or_else(|| Error::missing("a configuration"))?;
    path.iter().try_fold(root, |group, name| group.groups.get_mut(*name).ok_or_else(|| absent(name)))
}

/// The difference that leads from one configuration to another; none when there is none.
///
/// As Fabric's "Updating a channel configuration" and its `configtxlator` have it: the read set names what the change relies on, by
/// version; the write set holds what is new, with its version one higher; a group whose own members change is named in
/// whole, its unchanged members by version.
pub fn difference(channel: &str, original: &Config, updated: &Config) -> Result<Option<ConfigUpdate>> {
    let missing = || Error::missing("a configuration");
    let original = original.channel_group.as_ref().ok_or_else(missing)?;
    let updated = updated.channel_group.as_ref().ok_or_else(missing)?;
    let change = compare(original, updated);
    Ok(change.changed.then(|| ConfigUpdate {
        channel_id: channel.to_owned(),
        read_set: Some(change.read),
        write_set: Some(change.write),
        ..ConfigUpdate::default()
    }))
}

/// A part of a configuration: it has a version and perhaps a new form.
trait Entry: Clone {
    fn same(&self, updated: &Self) -> bool;
    /// Its mention: the version and nothing else.
    fn mention(&self) -> Self;
    fn version(&self) -> u64;
    fn at(&self, version: u64) -> Self;
}

impl Entry for ConfigValue {
    fn same(&self, updated: &Self) -> bool {
        self.mod_policy == updated.mod_policy && self.value == updated.value
    }

    fn mention(&self) -> Self {
        Self { version: self.version, ..Self::default() }
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn at(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }
}

impl Entry for ConfigPolicy {
    fn same(&self, updated: &Self) -> bool {
        self.mod_policy == updated.mod_policy && self.policy == updated.policy
    }

    fn mention(&self) -> Self {
        Self { version: self.version, ..Self::default() }
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn at(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }
}

/// What became of the entries of one kind in a group.
struct Entries<T> {
    read: BTreeMap<String, T>,
    write: BTreeMap<String, T>,
    same: BTreeMap<String, T>,
    members_changed: bool,
}

impl<T: Clone> Entries<T> {
    fn keep_unchanged(&mut self) {
        self.read.extend(self.same.clone());
        self.write.extend(std::mem::take(&mut self.same));
    }
}

fn entries<T: Entry>(original: &BTreeMap<String, T>, updated: &BTreeMap<String, T>) -> Entries<T> {
    let mut found = Entries {
        read: BTreeMap::new(),
        write: BTreeMap::new(),
        same: BTreeMap::new(),
        members_changed: original.keys().any(|key| !updated.contains_key(key)),
    };
    for (key, new) in updated {
        match original.get(key) {
            Some(old) if old.same(new) => drop(found.same.insert(key.clone(), old.mention())),
            Some(old) => drop(found.write.insert(key.clone(), new.at(old.version() + 1))),
            None => {
                found.members_changed = true;
                found.write.insert(key.clone(), new.at(0));
            }
        }
    }
    found
}

struct Change {
    read: ConfigGroup,
    write: ConfigGroup,
    changed: bool,
}

fn groups(original: &ConfigGroup, updated: &ConfigGroup) -> Entries<ConfigGroup> {
    let mut found = Entries {
        read: BTreeMap::new(),
        write: BTreeMap::new(),
        same: BTreeMap::new(),
        members_changed: original.groups.keys().any(|key| !updated.groups.contains_key(key)),
    };
    for (key, new) in &updated.groups {
        match original.groups.get(key) {
            Some(old) => {
                let change = compare(old, new);
                if change.changed {
                    found.read.insert(key.clone(), change.read);
                    found.write.insert(key.clone(), change.write);
                } else {
                    found.same.insert(key.clone(), change.read);
                }
            }
            None => {
                found.members_changed = true;
                let whole = compare(&ConfigGroup::default(), new).write;
                let group = ConfigGroup { version: 0, mod_policy: new.mod_policy.clone(), ..whole };
                found.write.insert(key.clone(), group);
            }
        }
    }
    found
}

fn compare(original: &ConfigGroup, updated: &ConfigGroup) -> Change {
    let mut policies = entries(&original.policies, &updated.policies);
    let mut values = entries(&original.values, &updated.values);
    let mut groups = groups(original, updated);
    let own = policies.members_changed
        || values.members_changed
        || groups.members_changed
        || original.mod_policy != updated.mod_policy;
    let changed = own || !(policies.write.is_empty() && values.write.is_empty() && groups.write.is_empty());
    if own {
        policies.keep_unchanged();
        values.keep_unchanged();
        groups.keep_unchanged();
    }
    Change {
        read: ConfigGroup {
            version: original.version,
            groups: groups.read,
            values: values.read,
            policies: policies.read,
            mod_policy: String::new(),
        },
        write: ConfigGroup {
            version: original.version + u64::from(own),
            groups: groups.write,
            values: values.write,
            policies: policies.write,
            mod_policy: if own { updated.mod_policy.clone() } else { String::new() },
        },
        changed,
    }
}

/// An update and who agreed to it. It can be stored and sent between members as bytes while signatures are gathered.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    channel: String,
    update: Vec<u8>,
    signatures: Vec<ConfigSignature>,
}

impl Update {
    /// Nobody has signed it yet.
    pub fn new(update: &ConfigUpdate) -> Self {
        Self { channel: update.channel_id.clone(), update: update.encode_to_vec(), signatures: Vec::new() }
    }

    /// Reads an update with its signatures.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let envelope: ConfigUpdateEnvelope = decode("an update", bytes)?;
        let update: ConfigUpdate = decode("an update", &envelope.config_update)?;
        Ok(Self { channel: update.channel_id, update: envelope.config_update, signatures: envelope.signatures })
    }

    /// As Fabric's `ConfigUpdateEnvelope`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.envelope().encode_to_vec()
    }

    fn envelope(&self) -> ConfigUpdateEnvelope {
        ConfigUpdateEnvelope { config_update: self.update.clone(), signatures: self.signatures.clone() }
    }

    /// Adds an administrator's agreement.
    pub async fn sign(&mut self, identity: &Identity) -> Result<()> {
        let header = TransactionId::new(identity)?.signature_header(identity);
        let message = [header.as_slice(), &self.update].concat();
        let signature = identity.sign(&message).await?;
        self.signatures.push(ConfigSignature { signature_header: header, signature });
        Ok(())
    }

    /// Wraps it for an orderer; the sender signs the wrapping, which is no agreement.
    pub async fn submission(&self, sender: &Identity) -> Result<Signed> {
        envelope(sender, HeaderType::ConfigUpdate, &self.channel, self.to_bytes()).await
    }
}
