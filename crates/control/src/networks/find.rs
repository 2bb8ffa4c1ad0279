//! Finding what a caller names, among what the caller may see.

use store::Connection;
use store::networks::Network;
use types::{Code, Consortium, Id, Permission};

use crate::{Caller, Control, Error, Result};

/// A network with the consortium that it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub network: Network,
    pub consortium: Consortium,
}

impl Control {
    /// Ids of the consortia that a permission reaches; none for all.
    pub(crate) async fn visible_consortia(
        &self,
        read: &mut Connection,
        caller: &Caller,
        permission: Permission,
    ) -> Result<Option<Vec<Id>>> {
        caller.require(permission)?;
        let scope = caller.scope(permission);
        let Some(organisations) = scope.organisations() else { return Ok(None) };
        let consortia = store::consortia::list(read, Some(organisations), None, u32::MAX).await?;
        Ok(Some(consortia.into_iter().map(|consortium| consortium.id).collect()))
    }

    /// A network by its id, its name or `CONSORTIUM/NAME`.
    pub(crate) async fn find_network(
        &self,
        read: &mut Connection,
        caller: &Caller,
        permission: Permission,
        reference: &str,
    ) -> Result<Found> {
        let visible = self.visible_consortia(read, caller, permission).await?;
        let (prefix, name) = match reference.split_once('/') {
            Some((consortium, name)) => (Some(consortium), name),
            None => (None, reference),
        };
        let mut candidates = store::networks::by_name(read, name).await?;
        if prefix.is_none() {
            candidates.extend(store::networks::get(read, name).await?);
        }
        let mut found = Vec::new();
        for network in candidates {
            if visible.as_ref().is_some_and(|visible| !visible.contains(&network.consortium)) {
                continue;
            }
            let consortium = self.consortium_of(read, &network).await?;
            if prefix.is_none_or(|prefix| prefix == consortium.name || prefix == consortium.id) {
                found.push(Found { network, consortium });
            }
        }
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(one), false) => {
                found.push(one);
                let names: Vec<String> =
                    found.iter().map(|one| format!("{}/{}", one.consortium.name, one.network.name)).collect();
                Err(Error::new(
                    Code::NameAmbiguous,
                    format!("There is more than one network “{reference}”. Say which one: {}.", names.join(", ")),
                ))
            }
            (None, _) => Err(Error::not_found("network", reference)),
        }
    }

    /// Fails unless a permission reaches every organisation that takes part in a network: what is done to a network is
    /// done to the nodes of all of them.
    pub(crate) async fn require_for_network(
        &self,
        read: &mut Connection,
        caller: &Caller,
        permission: Permission,
        network: &Network,
    ) -> Result<()> {
        for organisation in store::networks::members(read, &network.id).await? {
            caller.require_for(permission, &organisation)?;
        }
        Ok(())
    }

    async fn consortium_of(&self, read: &mut Connection, network: &Network) -> Result<Consortium> {
        store::consortia::find(read, &network.consortium)
            .await?
            .ok_or_else(|| Error::Internal(format!("network {} has no consortium", network.id), None))
    }
}
