//! Nodes: listing them, their logs and what they use.

use futures::stream::BoxStream;
use host::LogQuery;
use store::Connection;
use types::{Code, LogLine, Node, Page, PageQuery, Permission, Usage, now};

use crate::networks::{attached_error, network_spec};
use crate::paging::Paging;
use crate::{Caller, Control, Error, Result};

/// How far back usage samples go.
pub(crate) const SAMPLES_KEPT_US: i64 = 60 * 60 * 1_000_000;
const MOST_LOG_LINES: u32 = 10_000;

impl Control {
    /// Nodes that the caller may see; of one network when it is given.
    pub async fn nodes(&self, caller: &Caller, network: Option<&str>, query: &PageQuery) -> Result<Page<Node>> {
        let paging = Paging::new("nodes", query)?;
        let mut read = self.store().read().await?;
        let networks = match network {
            Some(reference) => {
                vec![self.find_network(&mut read, caller, Permission::NodesRead, reference).await?.network]
            }
            None => {
                let consortia = self.visible_consortia(&mut read, caller, Permission::NodesRead).await?;
                store::networks::list(&mut read, consortia.as_deref(), "", i64::MAX).await?
            }
        };
        let ids: Vec<String> = networks.iter().map(|network| network.id.clone()).collect();
        let rows =
            store::nodes::list(&mut read, &ids, paging.after().unwrap_or_default(), i64::from(paging.fetch())).await?;
        let mut nodes = Vec::with_capacity(rows.len());
        for network in &networks {
            let own = rows.iter().filter(|row| row.network == network.id).cloned().collect();
            nodes.extend(self.show_nodes(&mut read, network, own).await?);
        }
        nodes.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(paging.page(nodes, |node| node.id.clone()))
    }

    /// One node, by its id or `NETWORK/NODE`.
    pub async fn node(&self, caller: &Caller, reference: &str) -> Result<Node> {
        let mut read = self.store().read().await?;
        let (network, node) = self.find_node(&mut read, caller, Permission::NodesRead, reference).await?;
        let mut shown = self.show_nodes(&mut read, &network, vec![node]).await?;
        Ok(shown.remove(0))
    }

    /// The newest lines (1 to 10000) of a node's log, oldest first.
    pub async fn node_logs(&self, caller: &Caller, reference: &str, lines: u32) -> Result<Vec<LogLine>> {
        let (node, query) = self.log_query(caller, reference, lines).await?;
        Ok(self.host().logs(&node, query).await?)
    }

    /// The newest lines of a node's log, then each new one.
    pub async fn follow_node_logs(
        &self,
        caller: &Caller,
        reference: &str,
        lines: u32,
    ) -> Result<BoxStream<'static, host::Result<LogLine>>> {
        let (node, query) = self.log_query(caller, reference, lines).await?;
        Ok(self.host().follow(&node, query).await?)
    }

    /// Samples of what a node used in the last hour, oldest first.
    pub async fn node_usage(&self, caller: &Caller, reference: &str) -> Result<Vec<Usage>> {
        let mut read = self.store().read().await?;
        let (_, node) = self.find_node(&mut read, caller, Permission::NodesRead, reference).await?;
        Ok(store::nodes::samples(&mut read, &node.id, now() - SAMPLES_KEPT_US).await?)
    }

    async fn log_query(&self, caller: &Caller, reference: &str, lines: u32) -> Result<(String, LogQuery)> {
        if !(1..=MOST_LOG_LINES).contains(&lines) {
            return Err(Error::field(Code::RequestInvalid, "lines", format!("Ask for 1 to {MOST_LOG_LINES} lines.")));
        }
        let mut read = self.store().read().await?;
        let (_, node) = self.find_node(&mut read, caller, Permission::NodesRead, reference).await?;
        Ok((node.id, LogQuery { lines: lines as usize }))
    }

    /// A node by its id, `NETWORK/NODE` or `CONSORTIUM/NETWORK/NODE`.
    pub(crate) async fn find_node(
        &self,
        read: &mut Connection,
        caller: &Caller,
        permission: Permission,
        reference: &str,
    ) -> Result<(store::networks::Network, store::nodes::Node)> {
        let unknown = || Error::not_found("node", reference);
        if let Some((network, name)) = reference.rsplit_once('/') {
            let network = self.find_network(read, caller, permission, network).await?.network;
            if network_spec(&network)?.attached.is_some() {
                return Err(attached_error(&network.name));
            }
            let node = store::nodes::of_network(read, &network.id)
                .await?
                .into_iter()
                .find(|node| node.name == name)
                .ok_or_else(unknown)?;
            return Ok((network, node));
        }
        let node = store::nodes::get(read, reference).await?.ok_or_else(unknown)?;
        let network = self.find_network(read, caller, permission, &node.network).await.map_err(|_| unknown())?.network;
        Ok((network, node))
    }
}
