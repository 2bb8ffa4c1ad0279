//! What a member's clients need to use a network, its private keys included: exported only when asked for, and audited.

use std::collections::BTreeMap;

use store::{NewAudit, networks};
use types::{NetworkProfile, Permission, ProfileFile};

use crate::networks::network_spec;
use crate::{Caller, Control, Error, Result};

impl Control {
    /// A member's profile of a network: addresses, roots of trust, and its identities with their keys.
    ///
    /// # Errors
    /// `not_found` for who is no member, `auth.forbidden`, `request.invalid` where the engine has no profiles.
    pub async fn network_profile(&self, caller: &Caller, network: &str, member: &str) -> Result<NetworkProfile> {
        let mut tx = self.store().begin().await?;
        let network = self.find_network(&mut tx, caller, Permission::IdentitiesExport, network).await?.network;
        let members = networks::named_members(&mut tx, &network.id).await?;
        let (member, organisation) = members
            .into_iter()
            .find(|(name, id)| name == member || id == member)
            .ok_or_else(|| Error::not_found("member of the network", member))?;
        caller.require_for(Permission::IdentitiesExport, &organisation)?;
        let keys = self.member_keys(&mut tx, &network.id, &organisation).await?;
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action: "identity.export",
            subject: format!("network {}", network.id),
            organisation: Some(organisation),
            details: serde_json::json!({"network": network.name, "member": member}),
        });
        // Written down before anything is given out.
        tx.commit().await?;
        let known = self.ledger_network(&network, network_spec(&network)?, None).await?;
        let key = |name: &str| {
            let missing = || driver::Error::Protocol(format!("{member} has no identity {name}"));
            keys.get(name).cloned().ok_or_else(missing)
        };
        let files = self.driver(&network.engine)?.planner().profile(&known, &member, &key)?;
        let text = |(path, file): (String, driver::ProfileFile)| {
            let text = std::str::from_utf8(&file.contents)
                .map_err(|error| Error::internal(format!("the profile's file {path}"), error))?;
            Ok((path, ProfileFile { text: text.into(), secret: file.secret }))
        };
        Ok(NetworkProfile { member, files: files.into_iter().map(text).collect::<Result<BTreeMap<_, _>>>()? })
    }
}
