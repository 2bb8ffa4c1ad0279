//! What a node says of itself: asked by each driver in its engine's own words.

use driver::{NodeHealth, Result};
use futures::future::BoxFuture;

use crate::rpc::{Answer, Client, Request, parsed, wire};
use crate::{Finality, Header};

/// Asks a node how it is.
pub trait Health: Send + Sync {
    /// What the node says.
    fn health<'a>(&'a self, node: NodeClient<'a>) -> BoxFuture<'a, Result<NodeHealth>>;
}

/// One node, to be asked by a [`Health`]. No other node answers in its place.
#[derive(Clone, Copy)]
pub struct NodeClient<'a> {
    pub(crate) client: &'a Client,
    pub(crate) node: &'a str,
    pub(crate) chain_id: u64,
    pub(crate) finality: Finality,
    pub(crate) time: fn(&Header) -> types::Micros,
}

impl NodeClient<'_> {
    /// The chain id that the network has.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// When a block was made.
    pub fn time(&self, header: &Header) -> types::Micros {
        (self.time)(header)
    }

    /// Requests that the node answers together, within a few seconds.
    ///
    /// # Errors
    /// `Unreachable` when it does not answer.
    pub async fn ask_all(&self, requests: &[Request]) -> Result<Vec<Answer>> {
        self.client.ask_own(self.node, requests).await
    }

    /// The node's newest final block.
    ///
    /// # Errors
    /// `Unreachable` when it does not answer.
    pub async fn newest(&self) -> Result<Header> {
        const METHOD: &str = "eth_getBlockByNumber";
        let block = |id: String| [(METHOD, serde_json::json!([id, false]))];
        let mut answers = match self.finality {
            Finality::Immediate => self.ask_all(&block("latest".into())).await?,
            finality => {
                let height = finality.height(self.ask_all(&finality.requests()).await?)?;
                self.ask_all(&block(format!("{height:#x}"))).await?
            }
        };
        Ok(parsed::<wire::Block>(METHOD, answers.remove(0))?.header)
    }
}
