//! Which Ethereum rules hold when: Cancun from the first block, later forks by time.

use alloy_eips::eip7840::BlobParams;
use alloy_genesis::ChainConfig;
use alloy_hardforks::{EthereumHardfork, EthereumHardforks, ForkCondition};

use crate::ExecError;

/// The fork schedule of a genesis.
#[derive(Clone, Debug)]
pub(crate) struct Forks {
    prague: Option<u64>,
    osaka: Option<u64>,
}

impl Forks {
    pub(crate) fn new(config: &ChainConfig) -> Result<Self, ExecError> {
        let not_offered = [("amsterdamTime", config.amsterdam_time), ("bogotaTime", config.bogota_time)];
        if let Some((name, _)) = not_offered.iter().find(|(_, time)| time.is_some()) {
            return Err(ExecError::Genesis(format!("config.{name} names a fork that is not offered")));
        }
        match (config.prague_time, config.osaka_time) {
            (None, Some(_)) => Err(ExecError::Genesis("config.osakaTime needs config.pragueTime".into())),
            (Some(prague), Some(osaka)) if osaka < prague => {
                Err(ExecError::Genesis("config.osakaTime is before config.pragueTime".into()))
            }
            (prague, osaka) => Ok(Self { prague, osaka }),
        }
    }

    /// Blob transactions are refused, but BLOBBASEFEE still has a value.
    pub(crate) fn blob_params(&self, timestamp: u64) -> BlobParams {
        if self.is_osaka_active_at_timestamp(timestamp) {
            BlobParams::osaka()
        } else if self.is_prague_active_at_timestamp(timestamp) {
            BlobParams::prague()
        } else {
            BlobParams::cancun()
        }
    }
}

impl EthereumHardforks for Forks {
    fn ethereum_fork_activation(&self, fork: EthereumHardfork) -> ForkCondition {
        let at = |time: Option<u64>| time.map_or(ForkCondition::Never, ForkCondition::Timestamp);
        match fork {
            EthereumHardfork::Dao => ForkCondition::Never,
            EthereumHardfork::Shanghai | EthereumHardfork::Cancun => ForkCondition::Timestamp(0),
            EthereumHardfork::Prague => at(self.prague),
            EthereumHardfork::Osaka => at(self.osaka),
            // Only blob parameters change in these, and there are no blobs.
            EthereumHardfork::Bpo1
            | EthereumHardfork::Bpo2
            | EthereumHardfork::Bpo3
            | EthereumHardfork::Bpo4
            | EthereumHardfork::Bpo5
            | EthereumHardfork::Amsterdam => ForkCondition::Never,
            // Everything up to the merge is in force from the first block.
            fork if fork < EthereumHardfork::Shanghai => ForkCondition::Block(0),
            _ => ForkCondition::Never,
        }
    }
}
