//! Contracts that run beside the nodes: from source to a version that every member has approved.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use chaincode::{Builds, Source};
use driver::{ContractSpec, NetworkSpec};
use host::{Isolation, Sandbox};
use store::networks;
use store::networks::Network;
use types::{Chaincode, ChaincodeState, Code, NewChaincode, Operation, Page, Permission};

use crate::idempotency::{self, Idempotency};
use crate::networks::{network_spec, refuse_while_busy};
use crate::operations::{Change, Deployment, Wish, begin, reference};
use crate::{Caller, Control, Error, Result};

/// Dependencies of Java and Node.js take their time on a small machine.
const BUILD_LIMIT: Duration = Duration::from_secs(1200);

impl Control {
    /// What was deployed on a network's channels, the newest version of each.
    pub async fn chaincodes(&self, caller: &Caller, network: &str) -> Result<Page<Chaincode>> {
        let mut read = self.store().read().await?;
        let network = self.find_network(&mut read, caller, Permission::LedgerRead, network).await?.network;
        let spec = network_spec(&network)?;
        let items = spec.contracts.iter().map(|contract| shown(self, &network, &spec, contract)).collect();
        Ok(Page { items, next: None })
    }

    /// The newest version of a contract, and what each member has done for it.
    ///
    /// # Errors
    /// `not_found`; `name.ambiguous` when the name is on several channels and none is given; what the ledger's nodes say.
    pub async fn chaincode(
        &self,
        caller: &Caller,
        network: &str,
        channel: Option<&str>,
        name: &str,
    ) -> Result<ChaincodeState> {
        let mut read = self.store().read().await?;
        let network = self.find_network(&mut read, caller, Permission::LedgerRead, network).await?.network;
        drop(read);
        let spec = network_spec(&network)?;
        let fits = |one: &&ContractSpec| one.name == name && channel.is_none_or(|channel| one.channel == channel);
        let newest = spec.contracts.iter().filter(fits).max_by_key(|one| one.sequence);
        let contract = newest.ok_or_else(|| Error::not_found("chaincode", name))?;
        let mut channels: Vec<&str> = spec.contracts.iter().filter(fits).map(|one| one.channel.as_str()).collect();
        channels.sort_unstable();
        channels.dedup();
        if channels.len() > 1 {
            let detail = format!("“{name}” is on several channels. Give one of them: {}.", channels.join(", "));
            return Err(Error::new(Code::NameAmbiguous, detail));
        }
        let ledger = self.channel_ledger(&network, Some(&contract.channel)).await?;
        let readiness = ledger.readiness(contract).await?;
        Ok(ChaincodeState { chaincode: shown(self, &network, &spec, contract), readiness })
    }

    /// Deploys a contract from source: the operation builds it, runs it for each member of the channel, installs, approves and
    /// commits it.
    ///
    /// # Errors
    /// `chaincode.source` when the archive is refused or its language is not known; what the engine says of the name, the
    /// sequence, the policy and the collections; `network.state`.
    pub async fn deploy_chaincode(
        &self,
        caller: &Caller,
        network: &str,
        idempotency: Option<&Idempotency>,
        new: &NewChaincode,
    ) -> Result<Operation> {
        caller.require(Permission::ContractsWrite)?;
        let archive = base64::engine::general_purpose::STANDARD.decode(&new.source).map_err(|_| {
            Error::field(Code::ChaincodeSource, "source", "The source must be a tar.gz archive in base64.")
        })?;
        let source = Source::from_bytes(&archive)?;
        source.language()?;
        let digest = source.digest();
        let mut tx = self.store().begin().await?;
        if let Some(answer) = idempotency::repeated(&mut tx, caller, idempotency).await? {
            return Ok(answer);
        }
        let network = self.find_network(&mut tx, caller, Permission::LedgerRead, network).await?.network;
        let spec = network_spec(&network)?;
        let channel = match &new.channel {
            Some(name) => spec.channels.iter().find(|channel| channel.name == *name),
            None => spec.channels.first(),
        };
        let channel =
            channel.ok_or_else(|| Error::not_found("channel", new.channel.as_deref().unwrap_or("of this network")))?;
        let members = networks::named_members(&mut tx, &network.id).await?;
        // It is approved in the name of each member.
        for (_, organisation) in members.iter().filter(|(name, _)| channel.members.contains(name)) {
            caller.require_for(Permission::ContractsWrite, organisation)?;
        }
        refuse_while_busy(&mut tx, &network).await?;
        let last = spec
            .contracts
            .iter()
            .filter(|one| one.name == new.name && one.channel == channel.name)
            .map(|one| one.sequence)
            .max();
        let contract = ContractSpec {
            name: new.name.clone(),
            channel: channel.name.clone(),
            version: new.version.clone(),
            sequence: new.sequence.unwrap_or(last.unwrap_or(0) + 1),
            program: "chaincode:unbuilt/chaincode".into(),
            policy: new.policy.clone(),
            collections: new.collections.clone(),
            init: new.init,
        };
        self.driver(&network.engine)?.planner().accept_contract(&spec, &contract)?;
        self.keep_source(&digest, &archive).await?;
        let id = reference(&contract);
        let name = format!("{}/{}", network.name, contract.name);
        let organisation = match members.as_slice() {
            [(_, only)] => Some(only.clone()),
            _ => None,
        };
        let audited = serde_json::json!({
            "network": network.name, "name": contract.name, "channel": contract.channel, "version": contract.version,
            "sequence": contract.sequence, "policy": contract.policy, "source": digest,
        });
        let wanted = Deployment { contract, source: digest, organisation };
        let details = serde_json::to_value(&wanted)
            .map_err(|error| Error::internal("what an operation is to bring about", error))?;
        let wish = Wish { change: Change::DeployChaincode, subject: (&id, &name), details, audited };
        let operation = begin(&mut tx, caller, &network, wish).await?;
        idempotency::record(&mut tx, caller, idempotency, &operation).await?;
        tx.commit().await?;
        self.runtime().operations_due.notify_one();
        Ok(operation)
    }

    /// Where sources are kept, by their digests.
    pub(crate) fn sources(&self) -> PathBuf {
        self.directory().path().join("chaincode/sources")
    }

    /// Builds of sources.
    ///
    /// # Errors
    /// `chaincode.tool` where the machine cannot keep other people's code apart.
    pub(crate) fn builds(&self) -> Result<Builds> {
        let data = self.directory().path();
        let settings = &self.0.builds;
        let directory = self.directory().builds();
        let isolation = Isolation::of_this_machine(settings.accept_no_sandbox)?;
        let cache = settings.cache.clone().unwrap_or_else(|| data.join("chaincode/cache"));
        // Its user is the cache's: settled by where that is.
        let sandbox = Sandbox::new(isolation, &format!("{} builds", cache.display())).hiding(data);
        let sandbox = settings.hidden.iter().fold(sandbox, |sandbox, path| sandbox.hiding(path));
        Ok(Builds {
            cache,
            directory,
            environment: settings.environment.clone(),
            downloads: !settings.offline,
            sandbox,
            time_limit: BUILD_LIMIT,
        })
    }

    /// Keeps a source before it is recorded that it is wanted.
    async fn keep_source(&self, digest: &str, archive: &[u8]) -> Result<()> {
        let directory = self.sources();
        let (path, part) = (directory.join(digest), directory.join(format!("{digest}.part")));
        let write = async {
            tokio::fs::create_dir_all(&directory).await?;
            tokio::fs::write(&part, archive).await?;
            tokio::fs::rename(&part, &path).await
        };
        write.await.map_err(|error| Error::internal(format!("the source {}", path.display()), error))
    }
}

/// A version as the API shows it.
pub(crate) fn shown(control: &Control, network: &Network, spec: &NetworkSpec, contract: &ContractSpec) -> Chaincode {
    let own = reference(contract);
    let id = contract.program.strip_prefix("chaincode:").and_then(|rest| rest.split_once('/')).map(|(id, _)| id);
    let built = id.zip(control.builds().ok()).and_then(|(id, builds)| builds.find(id).ok().flatten());
    Chaincode {
        name: contract.name.clone(),
        network: network.id.clone(),
        channel: contract.channel.clone(),
        version: contract.version.clone(),
        sequence: contract.sequence,
        language: built.and_then(|built| serde_json::to_value(built.language).ok()?.as_str().map(str::to_owned)),
        policy: contract.policy.clone(),
        collections: contract.collections.clone(),
        init: contract.init,
        nodes: spec
            .nodes
            .iter()
            .filter(|node| node.contract.as_deref() == Some(&own))
            .map(|node| node.id.clone())
            .collect(),
    }
}
