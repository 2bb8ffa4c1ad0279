//! Who validates in which epoch, and the schemes that sign and check for them.

use std::{collections::HashMap, sync::Arc};

use chain_types::{Genesis, ValidatorKey};
use commonware_codec::{Copying, DecodeExt};
use commonware_consensus::types::Epoch;
use commonware_cryptography::{
    Signer as _,
    certificate::{Provider, Scoped},
};
use commonware_utils::{TryCollect, ordered::Set};
use parking_lot::Mutex;

use crate::{Error, PrivateKey, PublicKey, Scheme};

/// A validator's key as the network knows it.
///
/// # Errors
/// When the bytes are not a point of the curve.
pub fn public_key(key: &ValidatorKey) -> Result<PublicKey, Error> {
    PublicKey::decode(Copying(&key.0)).map_err(|_| Error::InvalidValidator(*key))
}

/// A network key as the genesis writes it.
pub fn validator_key(key: &PublicKey) -> ValidatorKey {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(key.as_ref());
    ValidatorKey(bytes)
}

/// A private key from its 32 bytes; `None` when they are not one.
pub fn private_key(seed: &[u8; 32]) -> Option<PrivateKey> {
    PrivateKey::decode(Copying(seed)).ok()
}

/// The validators as a function of the epoch. Today each epoch has those of the genesis.
#[derive(Clone, Debug)]
pub struct Membership {
    genesis: Set<PublicKey>,
}

impl Membership {
    /// The validators that a genesis names.
    ///
    /// # Errors
    /// When a key is not an ed25519 key.
    pub fn new(genesis: &Genesis) -> Result<Self, Error> {
        let keys: Vec<_> = genesis.polder.validators.iter().map(public_key).collect::<Result<_, _>>()?;
        let genesis = keys.into_iter().try_collect().expect("a checked genesis has no validator twice");
        Ok(Self { genesis })
    }

    /// The validators of an epoch.
    pub fn validators(&self, _epoch: Epoch) -> Set<PublicKey> {
        self.genesis.clone()
    }
}

/// Gives marshal and the engines the scheme of each epoch: one that signs where this node validates, else one that
/// checks only.
#[derive(Clone)]
pub(crate) struct Schemes {
    namespace: Arc<[u8]>,
    membership: Membership,
    key: PrivateKey,
    // Building a scheme decodes every key, and marshal asks for each certificate.
    recent: Arc<Mutex<HashMap<u64, Scoped<Scheme>>>>,
}

/// Epochs of which the schemes are kept.
const RECENT_EPOCHS: usize = 16;

impl Schemes {
    pub(crate) fn new(namespace: &[u8], membership: Membership, key: PrivateKey) -> Self {
        Self { namespace: namespace.into(), membership, key, recent: Arc::default() }
    }

    /// Whether this node validates in the epoch.
    pub(crate) fn validates(&self, epoch: Epoch) -> bool {
        self.membership.validators(epoch).position(&self.key.public_key()).is_some()
    }

    fn build(&self, epoch: Epoch) -> Scoped<Scheme> {
        let validators = self.membership.validators(epoch);
        match Scheme::signer(&self.namespace, validators.clone(), self.key.clone()) {
            Some(scheme) => Scoped::scheme(Arc::new(scheme)),
            None => Scoped::verifier(Arc::new(Scheme::verifier(&self.namespace, validators))),
        }
    }
}

impl Provider for Schemes {
    type Scope = Epoch;
    type Scheme = Scheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Scheme>> {
        let mut recent = self.recent.lock();
        if !recent.contains_key(&epoch.get()) && recent.len() >= RECENT_EPOCHS {
            recent.clear();
        }
        Some(recent.entry(epoch.get()).or_insert_with(|| self.build(epoch)).clone())
    }
}
