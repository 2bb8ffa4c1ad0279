//! What gas costs, and by which kind of transaction it is paid.

use alloy_primitives::U128;
use driver::Result;
use serde_json::json;

use crate::rpc::{Answer, Request, parsed, wire};

const PRICE: &str = "eth_gasPrice";
const HEAD: &str = "eth_getBlockByNumber";

/// What a transaction offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Price {
    /// A chain before London, whose blocks have no base fee: it knows only transactions with one price.
    Legacy(u128),
    /// By EIP-1559.
    Dynamic {
        /// At most this for a unit of gas.
        most: u128,
        /// Of it for the block's maker.
        tip: u128,
    },
}

impl Price {
    /// Most that a unit of gas costs.
    pub(crate) fn most(self) -> u128 {
        match self {
            Self::Legacy(price) => price,
            Self::Dynamic { most, .. } => most,
        }
    }

    /// What a node is asked to find it.
    pub(crate) fn requests() -> [Request; 2] {
        [(PRICE, json!([])), (HEAD, json!(["latest", false]))]
    }

    /// The price by the answers to [`Price::requests`]. With `room`, for a base fee that doubles before the transaction
    /// is taken.
    pub(crate) fn read(price: Answer, head: Answer, room: bool) -> Result<Self> {
        let price = parsed::<U128>(PRICE, price)?.to::<u128>();
        let base = parsed::<wire::Block>(HEAD, head)?.header.base_fee_per_gas;
        Ok(match base.map(|base| base.saturating_to::<u128>()) {
            None => Self::Legacy(price),
            // What a node suggests is the base fee and a tip.
            Some(base) if room => Self::Dynamic { most: price.saturating_add(base), tip: price.saturating_sub(base) },
            Some(_) => Self::Dynamic { most: price, tip: 0 },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(base: Option<&str>) -> Answer {
        let zero = alloy_primitives::B256::ZERO;
        Ok(json!({
            "number": "0x1", "hash": zero, "parentHash": zero, "timestamp": "0x1", "extraData": "0x", "gasUsed": "0x0",
            "gasLimit": "0x1", "size": "0x1", "stateRoot": zero, "transactionsRoot": zero, "receiptsRoot": zero,
            "miner": "0x0000000000000000000000000000000000000000", "baseFeePerGas": base, "transactions": [],
        }))
    }

    #[test]
    fn the_head_tells_which_kind_of_transaction_a_chain_takes() {
        let read = |price: &str, base, room| Price::read(Ok(json!(price)), head(base), room).unwrap();
        assert_eq!(read("0x0", None, false), Price::Legacy(0));
        assert_eq!(read("0x7", Some("0x7"), false), Price::Dynamic { most: 7, tip: 0 });
        assert_eq!(read("0xa", Some("0x7"), true), Price::Dynamic { most: 17, tip: 3 });
    }
}
