//! Channels: the sub-ledgers of a network.

use driver::{ChannelSpec, NetworkSpec, NodeSpec};
use store::networks;
use store::networks::Network;
use types::{Channel, ChannelNode, NewChannel, NewChannelMember, Operation, Page, Permission, new_id, now};

use crate::chaincodes::shown as shown_chaincode;
use crate::idempotency::{self, Idempotency};
use crate::networks::{begin_growth, network_spec, refuse_stopped, refuse_while_busy};
use crate::operations::{Change, Growth, Wish, begin, set_spec};
use crate::{Caller, Control, Error, Result};

impl Control {
    /// The channels of a network.
    pub async fn channels(&self, caller: &Caller, network: &str) -> Result<Page<Channel>> {
        let mut read = self.store().read().await?;
        let network = self.find_network(&mut read, caller, Permission::NetworksRead, network).await?.network;
        drop(read);
        let spec = network_spec(&network)?;
        let mut items = Vec::with_capacity(spec.channels.len());
        for channel in &spec.channels {
            items.push(self.show_channel(&network, &spec, channel).await?);
        }
        Ok(Page { items, next: None })
    }

    /// One channel, with what each node says of it.
    pub async fn channel(&self, caller: &Caller, network: &str, name: &str) -> Result<Channel> {
        let mut read = self.store().read().await?;
        let network = self.find_network(&mut read, caller, Permission::NetworksRead, network).await?.network;
        drop(read);
        let spec = network_spec(&network)?;
        let channel = spec.channels.iter().find(|channel| channel.name == name);
        let channel = channel.ok_or_else(|| Error::not_found("channel", name))?;
        self.show_channel(&network, &spec, channel).await
    }

    /// Makes a channel: the operation joins the nodes of its members to it.
    ///
    /// # Errors
    /// `name.taken`, what the engine says of the name and the members, `network.state`.
    pub async fn create_channel(
        &self,
        caller: &Caller,
        network: &str,
        idempotency: Option<&Idempotency>,
        new: &NewChannel,
    ) -> Result<Operation> {
        let mut tx = self.store().begin().await?;
        if let Some(answer) = idempotency::repeated(&mut tx, caller, idempotency).await? {
            return Ok(answer);
        }
        let network = self.find_network(&mut tx, caller, Permission::NetworksRead, network).await?.network;
        self.require_for_network(&mut tx, caller, Permission::NetworksWrite, &network).await?;
        refuse_while_busy(&mut tx, &network).await?;
        let mut spec = network_spec(&network)?;
        let all = networks::named_members(&mut tx, &network.id).await?;
        let members = match &new.members {
            None => all.iter().map(|(name, _)| name.clone()).collect(),
            Some(given) => given
                .iter()
                .map(|given| all.iter().find(|(name, id)| name == given || id == given).map_or(given, |(name, _)| name))
                .cloned()
                .collect(),
        };
        let channel = ChannelSpec { name: new.name.clone(), members, joined: Vec::new(), created_at: Some(now()) };
        self.driver(&network.engine)?.planner().accept_channel(&spec, &channel)?;
        let audited = serde_json::json!({"name": channel.name, "members": channel.members});
        spec.channels.push(channel);
        set_spec(&mut tx, &network, &spec).await?;
        let wish = Wish {
            change: Change::CreateChannel,
            subject: (&network.id, &network.name),
            details: serde_json::Value::Null,
            audited,
        };
        let operation = begin(&mut tx, caller, &network, wish).await?;
        idempotency::record(&mut tx, caller, idempotency, &operation).await?;
        tx.commit().await?;
        self.runtime().reopen_ledgers(&network.id);
        self.runtime().operations_due.notify_one();
        Ok(operation)
    }

    /// Has a member join a channel: the other members admit it, its peers join, and it runs, installs and approves the contracts
    /// that are in force.
    ///
    /// # Errors
    /// `not_found`, what the engine says of the member, `network.state`.
    pub async fn join_channel(
        &self,
        caller: &Caller,
        network: &str,
        channel: &str,
        idempotency: Option<&Idempotency>,
        new: &NewChannelMember,
    ) -> Result<Operation> {
        let mut tx = self.store().begin().await?;
        if let Some(answer) = idempotency::repeated(&mut tx, caller, idempotency).await? {
            return Ok(answer);
        }
        let network = self.find_network(&mut tx, caller, Permission::NetworksRead, network).await?.network;
        // In the name of each member: all that have joined admit it.
        self.require_for_network(&mut tx, caller, Permission::NetworksWrite, &network).await?;
        refuse_while_busy(&mut tx, &network).await?;
        refuse_stopped(&network)?;
        let spec = network_spec(&network)?;
        if spec.channels.iter().all(|known| known.name != channel) {
            return Err(Error::not_found("channel", channel));
        }
        let members = networks::named_members(&mut tx, &network.id).await?;
        let member = members.iter().find(|(name, id)| *name == new.member || *id == new.member);
        let member = member.map_or(&new.member, |(name, _)| name);
        let nodes = self.driver(&network.engine)?.planner().accept_member(&spec, channel, member)?;
        let nodes = nodes.into_iter().map(|(node, contract)| NodeSpec::new(new_id("node"), node, Some(contract)));
        let nodes = nodes.collect();
        let growth = Growth { nodes, joins: Some((channel.to_owned(), member.clone())) };
        let subject = (network.id.as_str(), network.name.as_str());
        let operation = begin_growth(&mut tx, caller, &network, Change::JoinChannel, subject, &growth).await?;
        idempotency::record(&mut tx, caller, idempotency, &operation).await?;
        tx.commit().await?;
        self.runtime().operations_due.notify_one();
        Ok(operation)
    }

    async fn show_channel(&self, network: &Network, spec: &NetworkSpec, channel: &ChannelSpec) -> Result<Channel> {
        let ledger = self.channel_ledger(network, Some(&channel.name)).await?;
        let planner = self.driver(&network.engine)?.planner();
        let own = spec.nodes.iter().filter(|node| planner.keeps_ledger(&node.role));
        let looks = own.map(|node| {
            let ledger = ledger.clone();
            async move {
                // A node that does not answer is shown without a height.
                let health = ledger.health(&node.id).await.ok();
                ChannelNode {
                    id: node.id.clone(),
                    name: node.name.clone(),
                    member: node.member.clone(),
                    kind: node.role.clone(),
                    height: health.as_ref().and_then(|health| health.height),
                    facts: health.map_or(serde_json::Value::Null, |health| health.facts),
                }
            }
        });
        let nodes = futures::future::join_all(looks).await;
        Ok(Channel {
            name: channel.name.clone(),
            network: network.id.clone(),
            members: channel.members.clone(),
            height: nodes.iter().filter_map(|node| node.height).max(),
            nodes,
            chaincodes: spec
                .contracts
                .iter()
                .filter(|contract| contract.channel == channel.name)
                .map(|contract| shown_chaincode(self, network, spec, contract))
                .collect(),
            created_at: channel.created_at.unwrap_or(network.created_at),
        })
    }
}
