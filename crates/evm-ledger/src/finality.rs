//! Up to which height blocks are final.

use alloy_primitives::U64;
use driver::{Error, Result};
use serde_json::json;

use crate::rpc::{Answer, Request, parsed, wire};
use crate::{EvmLedger, Finality};

const HEIGHT: &str = "eth_blockNumber";
const BLOCK: &str = "eth_getBlockByNumber";

impl Finality {
    /// What a node is asked to find the height.
    pub(crate) fn requests(self) -> Vec<Request> {
        let mut requests = vec![(HEIGHT, json!([]))];
        if self == Self::Announced {
            requests.push((BLOCK, json!(["finalized", false])));
        }
        requests
    }

    /// The height of the newest final block, by the answers to [`Finality::requests`].
    pub(crate) fn height(self, answers: impl IntoIterator<Item = Answer>) -> Result<u64> {
        let mut answers = answers.into_iter();
        let missing = || Error::Protocol("a request without an answer".into());
        let head = parsed::<U64>(HEIGHT, answers.next().ok_or_else(missing)?)?.to::<u64>();
        Ok(match self {
            Self::Immediate => head,
            // The first block is everybody's: nothing can replace it.
            Self::Depth(depth) => head.saturating_sub(depth),
            Self::Announced => match answers.next().ok_or_else(missing)? {
                // Neither a node that knows no tags nor one that knows no final block can say more than its head.
                Err(_) => head,
                answer => parsed::<Option<wire::Block>>(BLOCK, answer)?.map_or(head, |block| block.number()),
            },
        })
    }
}

/// The height of the newest final block.
pub(crate) async fn head(ledger: &EvmLedger) -> Result<u64> {
    let finality = ledger.settings.finality;
    finality.height(ledger.client.ask_all(&finality.requests()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeError;

    #[test]
    fn young_blocks_are_not_final() {
        let at = |height: &str| vec![Ok(json!(height))];
        assert_eq!(Finality::Immediate.height(at("0x5")).unwrap(), 5);
        assert_eq!(Finality::Depth(3).height(at("0x5")).unwrap(), 2);
        assert_eq!(Finality::Depth(3).height(at("0x1")).unwrap(), 0);
        assert!(Finality::Immediate.height(vec![]).is_err());
    }

    #[test]
    fn a_node_without_the_tag_has_its_head() {
        let unknown = NodeError::new(-32602, "hex string without 0x prefix");
        assert_eq!(Finality::Announced.height([Ok(json!("0x9")), Err(unknown)]).unwrap(), 9);
        assert_eq!(Finality::Announced.height([Ok(json!("0x9")), Ok(json!(null))]).unwrap(), 9);
    }
}
