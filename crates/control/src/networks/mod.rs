//! Networks: making them, showing them, changing what is wanted of them.
//!
//! A use case here writes what is wanted and an operation into the database, in one transaction, and wakes the task that
//! drives operations. It touches no host.

mod attach;
mod change;
mod create;
mod find;
mod growth;
mod view;

pub(crate) use attach::attached_error;
pub(crate) use change::refuse_while_busy;
pub(crate) use create::stored_node;
pub(crate) use growth::{begin as begin_growth, refuse_stopped};
pub(crate) use view::{network_spec, placements};

use types::{Network, NetworkPreview, NewNetwork, Page, PageQuery, Permission, Statistics, Topology};

use crate::paging::Paging;
use crate::{Caller, Control, Result};

impl Control {
    /// The engines that networks can be made of.
    pub fn engines(&self, caller: &Caller) -> Result<Page<types::Engine>> {
        caller.require(Permission::SignedIn)?;
        let mut items = self.drivers().engines();
        for engine in &mut items {
            self.add_versions(engine)?;
        }
        Ok(Page { items, next: None })
    }

    /// The networks that the caller may see, oldest first.
    pub async fn networks(&self, caller: &Caller, query: &PageQuery) -> Result<Page<Network>> {
        let paging = Paging::new("networks", query)?;
        let mut read = self.store().read().await?;
        let consortia = self.visible_consortia(&mut read, caller, Permission::NetworksRead).await?;
        let after = paging.after().unwrap_or_default();
        let rows = store::networks::list(&mut read, consortia.as_deref(), after, i64::from(paging.fetch())).await?;
        let mut networks = Vec::with_capacity(rows.len());
        for row in rows {
            networks.push(self.show_network(&mut read, row).await?);
        }
        Ok(paging.page(networks, |network| network.id.clone()))
    }

    /// One network, by its id, its name or `CONSORTIUM/NAME`.
    pub async fn network(&self, caller: &Caller, reference: &str) -> Result<Network> {
        let mut read = self.store().read().await?;
        let found = self.find_network(&mut read, caller, Permission::NetworksRead, reference).await?;
        self.show_network(&mut read, found.network).await
    }

    /// What a creation would start.
    pub async fn preview_network(&self, caller: &Caller, new: &NewNetwork) -> Result<NetworkPreview> {
        let mut read = self.store().read().await?;
        let (_, accepted) = self.check_new_network(&mut read, caller, new).await?;
        Ok(accepted.accepted.into_preview())
    }

    /// How the nodes of a network are connected, as they say themselves.
    pub async fn topology(&self, caller: &Caller, reference: &str) -> Result<Topology> {
        let network = self.network(caller, reference).await?;
        Ok(view::topology(network.nodes))
    }

    /// What was counted in the last minutes (1 to 1440).
    pub async fn network_statistics(&self, caller: &Caller, reference: &str, minutes: u32) -> Result<Statistics> {
        let mut read = self.store().read().await?;
        let found = self.find_network(&mut read, caller, Permission::NetworksRead, reference).await?;
        crate::statistics::of_network(&mut read, &found.network.id, minutes).await
    }
}
