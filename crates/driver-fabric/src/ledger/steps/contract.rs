//! A contract's way onto a channel: installed and approved by each member, committed by a majority, and ready to be called.

use std::time::Duration;

use driver::{ContractSpec, Error, NodeSpec, Result};
use fabric_client::lifecycle::{self, Definition, Endorsement};
use fabric_client::{Call, Error as Failure, Identity};
use types::{ChaincodeApproval, ChaincodeReadiness, Code};
use workload::StepSpec;

use super::Parameters;
use super::channel::members_unseen;
use crate::layout;
use crate::ledger::FabricLedger;
use crate::ledger::clients::Access;
use crate::ledger::errors::{error, told};
use crate::ledger::query::METADATA;
use crate::ledger::send::is_uninitialised;
use crate::plan::read_collections;
use crate::plan::steps::{APPROVE, COMMIT, INSTALL};

/// How long a definition's transaction may take to be committed.
const COMMITTED: Duration = Duration::from_secs(20);

/// A version of a contract, and the member that a step concerns.
pub(super) struct Contract<'a> {
    ledger: &'a FabricLedger,
    spec: &'a ContractSpec,
    member: Option<&'a str>,
}

impl<'a> Contract<'a> {
    pub(super) fn of(ledger: &'a FabricLedger, parameters: &Parameters<'a>) -> Result<Self> {
        let (channel, name) = (parameters.get("channel")?, parameters.get("name")?);
        let sequence = parameters.get("sequence")?;
        let contracts = &ledger.clients.network.spec.contracts;
        let fits =
            |own: &&ContractSpec| own.channel == channel && own.name == name && own.sequence.to_string() == sequence;
        let spec = contracts.iter().find(fits);
        let spec = spec.ok_or_else(|| Error::Protocol(format!("there is no contract {channel}/{name}/{sequence}")))?;
        Ok(Self { ledger, spec, member: parameters.get("member").ok() })
    }

    fn channel(&self) -> &str {
        &self.spec.channel
    }

    fn sequence(&self) -> i64 {
        i64::try_from(self.spec.sequence).unwrap_or(i64::MAX)
    }

    /// The member that the step concerns; where it concerns all, the first whose administrator can sign here.
    async fn acting(&self) -> Result<(&'a str, Identity)> {
        let clients = &self.ledger.clients;
        if let Some(member) = self.member {
            return Ok((member, clients.admin(member).await?));
        }
        let mut refused = None;
        for member in clients.members(&self.spec.channel) {
            match clients.admin(member).await {
                Ok(admin) => return Ok((member, admin)),
                Err(failure) => refused = Some(failure),
            }
        }
        Err(refused.unwrap_or_else(|| Error::Protocol(format!("channel {} has no members", self.channel()))))
    }

    fn peers(&self, member: &'a str) -> Vec<&'a NodeSpec> {
        layout::peers_of(&self.ledger.clients.network.spec, member).collect()
    }

    fn package(&self, member: &str) -> Result<fabric_client::package::Package> {
        let network = &self.ledger.clients.network;
        let node = layout::contract_node(&network.spec, self.spec, member);
        let node = node.ok_or_else(|| Error::Protocol(format!("{member} runs no node of {}", self.spec.name)))?;
        layout::package(&network.placements, &network.outputs, self.spec, node)
    }

    fn definition(&self) -> Result<Definition> {
        let endorsement = match &self.spec.policy {
            None => Endorsement::Default,
            Some(text) => Endorsement::Signatures(
                text.parse().map_err(|failure: Failure| Error::problem(Code::ContractPolicy, failure.to_string()))?,
            ),
        };
        Ok(Definition {
            name: self.spec.name.clone(),
            version: self.spec.version.clone(),
            sequence: self.sequence(),
            endorsement,
            collections: read_collections(self.spec.collections.as_ref()).map_err(error)?,
            init_required: self.spec.init,
        })
    }

    /// What the channel has of this version, or of one after it.
    async fn committed(&self, node: &NodeSpec, admin: &Identity) -> Result<Option<lifecycle::Committed>> {
        let peer = self.ledger.clients.peer(node)?;
        let found = lifecycle::committed(peer.gateway.peer(), admin, self.channel(), &self.spec.name).await;
        Ok(found.map_err(error)?.filter(|found| found.definition.sequence >= self.sequence()))
    }

    /// The peers of the acting member that lack the package.
    async fn lacking(&self, member: &'a str, admin: &Identity) -> Result<Vec<&'a NodeSpec>> {
        let id = self.package(member)?.id;
        let mut lacking = Vec::new();
        for node in self.peers(member) {
            let peer = self.ledger.clients.peer(node)?;
            let installed = lifecycle::installed(peer.gateway.peer(), admin).await.map_err(error)?;
            if !installed.iter().any(|own| own.package_id == id) {
                lacking.push(node);
            }
        }
        Ok(lacking)
    }

    fn first_peer(&self, member: &'a str) -> Result<&'a NodeSpec> {
        let first = self.peers(member).into_iter().next();
        first.ok_or_else(|| Error::Protocol(format!("{member} runs no peer")))
    }

    /// What the members have done for it. Where a later version is in force, what was done for that one.
    pub(super) async fn readiness(ledger: &'a FabricLedger, spec: &'a ContractSpec) -> Result<ChaincodeReadiness> {
        let own = Self { ledger, spec, member: None };
        let definition = own.definition()?;
        let asked = |access: Access| {
            let definition = &definition;
            async move {
                let (peer, admin, channel) = (access.clients.gateway.peer(), &access.identity, &access.channel);
                let found = lifecycle::committed(peer, admin, channel, &definition.name).await?;
                match found.filter(|found| found.definition.sequence >= definition.sequence) {
                    Some(found) => Ok((true, found.approvals)),
                    None => Ok((false, lifecycle::readiness(peer, admin, channel, definition).await?)),
                }
            }
        };
        let (committed, by_msp) = ledger.clients.ask(&spec.channel, None, asked).await?;
        let mut approvals = Vec::new();
        for member in ledger.clients.members(&spec.channel) {
            let installed = match ledger.clients.admin(member).await {
                Ok(admin) => own.lacking(member, &admin).await.ok().map(|lacking| lacking.is_empty()),
                Err(_) => None,
            };
            let approved = by_msp.get(&layout::msp_id(member)).copied().unwrap_or_default();
            approvals.push(ChaincodeApproval { member: member.clone(), installed, approved });
        }
        Ok(ChaincodeReadiness { committed, approvals })
    }

    pub(super) async fn done(&self, step: &StepSpec) -> Result<bool> {
        let (member, admin) = self.acting().await?;
        let node = self.first_peer(member)?;
        match step.action.as_str() {
            INSTALL => Ok(self.lacking(member, &admin).await?.is_empty()),
            APPROVE => {
                // Whoever joined the channel since approves what is in force.
                match self.committed(node, &admin).await? {
                    Some(found) if found.definition.sequence > self.sequence() => return Ok(true),
                    Some(found) if found.approvals.get(&layout::msp_id(member)) == Some(&true) => return Ok(true),
                    _ => {}
                }
                let peer = self.ledger.clients.peer(node)?;
                let (channel, name) = (self.channel(), &self.spec.name);
                let found = lifecycle::approved(peer.gateway.peer(), &admin, channel, name, self.sequence()).await;
                let id = self.package(member)?.id;
                Ok(found.map_err(error)?.is_some_and(|(own, package)| {
                    own.version == self.spec.version && package.as_deref() == Some(id.as_str())
                }))
            }
            COMMIT => Ok(self.committed(node, &admin).await?.is_some()),
            _ => Ok(self.not_ready().await?.is_none()),
        }
    }

    pub(super) async fn attempt(&self, step: &StepSpec) -> Result<Option<String>> {
        let (member, admin) = self.acting().await?;
        match step.action.as_str() {
            INSTALL => {
                let package = self.package(member)?;
                for node in self.lacking(member, &admin).await? {
                    let peer = self.ledger.clients.peer(node)?;
                    lifecycle::install(peer.gateway.peer(), &admin, &package.bytes).await.map_err(error)?;
                }
                Ok(None)
            }
            APPROVE => {
                let id = self.package(member)?.id;
                let call = self.definition()?.approval(self.channel(), Some(&id)).map_err(error)?;
                self.execute(member, &admin, &call, &[&layout::msp_id(member)]).await
            }
            COMMIT => {
                let call = self.definition()?.commitment(self.channel()).map_err(error)?;
                self.execute(member, &admin, &call, &[]).await
            }
            _ => self.not_ready().await,
        }
    }

    async fn execute(
        &self,
        member: &'a str,
        admin: &Identity,
        call: &Call,
        organisations: &[&str],
    ) -> Result<Option<String>> {
        let gateway = self.ledger.clients.peer(self.first_peer(member)?)?.gateway;
        let proposal = call.propose(admin).await.map_err(error)?;
        let endorsed = gateway.endorse(&proposal, organisations).await.map_err(error)?;
        let signed = endorsed.sign(admin).await.map_err(error)?;
        let commit = gateway.submit_and_wait(admin, &signed, COMMITTED).await.map_err(error)?;
        // Another took it at the same time, perhaps: the next look shows.
        Ok((!commit.is_valid()).then(|| format!("its transaction was refused as {}", commit.code.as_str_name())))
    }

    /// What calling it waits for: endorsers that members see, and programs that answer.
    async fn not_ready(&self) -> Result<Option<String>> {
        if let Some(missing) = members_unseen(self.ledger, self.channel(), &self.spec.name).await? {
            return Ok(Some(missing));
        }
        let clients = &self.ledger.clients;
        for node in clients.channel_peers(self.channel(), None) {
            if layout::contract_node(&clients.network.spec, self.spec, &node.member).is_none() {
                continue;
            }
            let access = clients.access(self.channel(), node).await?;
            let call = Call::new(self.channel(), &self.spec.name, METADATA, [[]; 0]);
            let answer = access.clients.gateway.peer().query(&access.identity, &call).await;
            match answer {
                Ok(_) => {}
                // The peer's own words for a program that does not answer; any others are the program's.
                Err(Failure::Chaincode { message, .. })
                    if is_uninitialised(&message)
                        || !message.contains("could not launch chaincode")
                            && !message.contains("failed to execute") => {}
                Err(failure) => {
                    let why = told(&failure);
                    return Ok(Some(format!("{} does not reach the contract's program yet: {why}", node.name)));
                }
            }
        }
        Ok(None)
    }
}
