//! The genesis file: Ethereum's, with a `polder` section in `config`.

use alloy_primitives::{B256, hex};
use serde::{Deserialize, Serialize};

/// A validator's ed25519 public key, 32 bytes, written as hex without a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValidatorKey(pub [u8; 32]);

impl std::fmt::Display for ValidatorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::str::FromStr for ValidatorKey {
    type Err = GenesisError;

    fn from_str(text: &str) -> Result<Self, GenesisError> {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).map_err(|_| GenesisError::ValidatorKey(text.into()))?;
        Ok(Self(key))
    }
}

impl Serialize for ValidatorKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ValidatorKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// `config.polder` in the genesis file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolderConfig {
    /// The validators of the first epoch: one (solo) or at least four (BFT).
    pub validators: Vec<ValidatorKey>,
    /// Blocks in an epoch. A height's epoch never changes, so this is fixed for the chain's life.
    #[serde(default = "default_epoch_length")]
    pub epoch_length: u64,
    /// Shortest time between two blocks under load, in milliseconds.
    #[serde(default = "default_block_interval")]
    pub block_interval_ms: u64,
    /// A block at least this often, also when nothing happens, in milliseconds.
    #[serde(default = "default_heartbeat")]
    pub heartbeat_ms: u64,
    /// Price of gas in wei below which nothing is accepted; 0 makes gas free.
    #[serde(default)]
    pub min_gas_price: u64,
}

fn default_epoch_length() -> u64 {
    256
}

fn default_block_interval() -> u64 {
    30
}

fn default_heartbeat() -> u64 {
    1000
}

/// A parsed and checked genesis file.
#[derive(Clone, Debug)]
pub struct Genesis {
    /// The Ethereum part: chain id, forks, gas limit, allocations.
    pub ethereum: alloy_genesis::Genesis,
    /// The `config.polder` section.
    pub polder: PolderConfig,
}

/// Why a genesis file is refused.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// Not the JSON of a genesis.
    #[error("the genesis file is not valid: {0}")]
    Json(#[from] serde_json::Error),
    /// `config.polder` is absent.
    #[error("the genesis has no config.polder section")]
    NoPolderSection,
    /// A key that is not 32 bytes of hex.
    #[error("`{0}` is not a validator key: 64 hexadecimal digits are expected")]
    ValidatorKey(String),
    /// Two or three validators.
    #[error("{0} validators cannot run BFT: it needs at least 4 (they tolerate 1 failure); use 1 (solo)")]
    ValidatorCount(usize),
    /// The same key twice.
    #[error("validator {0} is listed twice")]
    DuplicateValidator(ValidatorKey),
    /// A number outside its range.
    #[error("{field} is {value}: {expected}")]
    OutOfRange {
        /// The field's path.
        field: &'static str,
        /// What stands there.
        value: u64,
        /// What is allowed.
        expected: &'static str,
    },
    /// A fork that this chain needs is not active from block 0.
    #[error("{0} must be active at time 0: this chain has no earlier rules")]
    ForkMissing(&'static str),
}

impl Genesis {
    /// Parses and checks a genesis file.
    ///
    /// # Errors
    /// See [`GenesisError`].
    pub fn from_json(text: &str) -> Result<Self, GenesisError> {
        let ethereum: alloy_genesis::Genesis = serde_json::from_str(text)?;
        let section = ethereum.config.extra_fields.get("polder").ok_or(GenesisError::NoPolderSection)?;
        let polder: PolderConfig = serde_json::from_value(section.clone())?;
        let genesis = Self { ethereum, polder };
        genesis.check()?;
        Ok(genesis)
    }

    /// The chain id.
    pub fn chain_id(&self) -> u64 {
        self.ethereum.config.chain_id
    }

    fn check(&self) -> Result<(), GenesisError> {
        let polder = &self.polder;
        if !(polder.validators.len() == 1 || polder.validators.len() >= 4) {
            return Err(GenesisError::ValidatorCount(polder.validators.len()));
        }
        let mut sorted = polder.validators.clone();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(GenesisError::DuplicateValidator(pair[0]));
        }
        let ranges = [
            ("config.polder.epochLength", polder.epoch_length, 16, 1 << 32, "16 to 4294967296 blocks"),
            ("config.polder.blockIntervalMs", polder.block_interval_ms, 1, 60_000, "1 to 60000 milliseconds"),
            ("config.polder.heartbeatMs", polder.heartbeat_ms, 100, 3_600_000, "100 to 3600000 milliseconds"),
            ("gasLimit", self.ethereum.gas_limit, 1_000_000, 10_000_000_000, "1000000 to 10000000000"),
            ("config.chainId", self.chain_id(), 1, i64::MAX as u64, "1 to 2^63-1"),
        ];
        for (field, value, low, high, expected) in ranges {
            if !(low..=high).contains(&value) {
                return Err(GenesisError::OutOfRange { field, value, expected });
            }
        }
        for (name, time) in
            [("shanghaiTime", self.ethereum.config.shanghai_time), ("cancunTime", self.ethereum.config.cancun_time)]
        {
            if time != Some(0) {
                return Err(GenesisError::ForkMissing(name));
            }
        }
        Ok(())
    }

    /// keccak-256 of the whole genesis, addresses of nodes not being part of it. Peers with another
    /// value are on another chain; it also separates signatures of different chains.
    pub fn fingerprint(&self) -> B256 {
        // Serialised from the parsed form, so white space and the order of keys do not count.
        let json = serde_json::to_vec(&self.ethereum).expect("a genesis always serialises");
        alloy_primitives::keccak256(json)
    }
}
