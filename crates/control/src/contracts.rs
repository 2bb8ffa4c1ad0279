//! Contracts: deploying, registering, asking, sending.

use std::time::Duration;

use driver::{Action, Outcome, Query};
use serde_json::Value;
use store::networks::Network;
use store::transactions::Deployment;
use store::{Connection, NewAudit};
use types::{
    CallResult, Code, Contract, ContractCall, CreatedContract, NewContract, Page, PageQuery, Permission,
    TransactionResult, TransactionStatus, new_id, now,
};

use crate::idempotency::{self, Idempotency};
use crate::names::check_title;
use crate::networks::network_spec;
use crate::paging::Paging;
use crate::send::{Remember, WAIT_LIMIT, Wanted};
use crate::{Caller, Control, Error, Result};

impl Control {
    /// Contracts that are known of a network.
    pub async fn contracts(&self, caller: &Caller, network: &str, query: &PageQuery) -> Result<Page<Contract>> {
        let paging = Paging::new("contracts", query)?;
        let mut read = self.store().read().await?;
        let network = self.find_network(&mut read, caller, Permission::LedgerRead, network).await?.network;
        let rows = store::contracts::list(
            &mut read,
            &network.id,
            paging.after().unwrap_or_default(),
            i64::from(paging.fetch()),
        )
        .await?;
        let mut contracts = Vec::with_capacity(rows.len());
        for row in rows {
            contracts.push(show(&mut read, row).await?);
        }
        Ok(paging.page(contracts, |contract| contract.id.clone()))
    }

    /// One contract, by its address, id or name.
    pub async fn contract(&self, caller: &Caller, network: &str, reference: &str) -> Result<Contract> {
        let mut read = self.store().read().await?;
        let network = self.find_network(&mut read, caller, Permission::LedgerRead, network).await?.network;
        let row = find(&mut read, &network, reference).await?;
        show(&mut read, row).await
    }

    /// Deploys a contract from its artifact with a member's account, or registers one that was deployed otherwise. The end of a
    /// deployment is waited for as long as `patience` lasts.
    ///
    /// # Errors
    /// `contract.artifact`, `contract.arguments`, `contract.reverted`, `account.forbidden`, `transaction.refused`, `node.unreachable`.
    pub async fn create_contract(
        &self,
        caller: &Caller,
        network: &str,
        idempotency: Option<&Idempotency>,
        new: &NewContract,
        patience: Duration,
    ) -> Result<CreatedContract> {
        caller.require(Permission::ContractsWrite)?;
        let mut tx = self.store().begin().await?;
        let network = self.find_network(&mut tx, caller, Permission::ContractsWrite, network).await?.network;
        if let Some(result) = idempotency::repeated::<TransactionResult>(&mut tx, caller, idempotency).await? {
            drop(tx);
            return self.deployed(&network, self.look_again(&network, result, patience).await?).await;
        }
        let account = match (&new.address, &new.transaction_hash) {
            (None, None) => Some(self.choose_account(&mut tx, caller, &network, new.from.as_deref()).await?),
            (Some(_), Some(_)) => {
                return Err(Error::field(
                    Code::RequestInvalid,
                    "address",
                    "Give the address or the transaction's hash, not both.",
                ));
            }
            _ => None,
        };
        // Nothing was written: deploying takes longer than a transaction of the database may.
        tx.rollback().await?;
        let artifact = self.ledger_of(&network).await?.artifact(&new.artifact)?;
        let name = new.name.clone().or(artifact.name).unwrap_or_else(|| "contract".into());
        check_title("name", &name)?;
        let deployment = Deployment { name, interface: artifact.interface };
        match account {
            Some(account) => {
                if !artifact.deployable {
                    return Err(Error::field(
                        Code::ContractArtifact,
                        "artifact",
                        "The artifact has no bytecode, so there is nothing to deploy. An interface or abstract contract has none.",
                    ));
                }
                self.audit_use(
                    caller,
                    &network,
                    &account,
                    "contract.deploy",
                    serde_json::json!({"name": deployment.name}),
                )
                .await?;
                let remember = idempotency.map(|idempotency| Remember { caller, idempotency });
                let action =
                    Action::Deploy { artifact: new.artifact.clone(), args: new.args.clone().unwrap_or(Value::Null) };
                let result = self
                    .send_from(
                        &network,
                        &account,
                        Wanted {
                            action,
                            value: None,
                            transient: Default::default(),
                            channel: None,
                            deploys: Some(deployment),
                            patience,
                            remember,
                        },
                    )
                    .await?;
                self.deployed(&network, result).await
            }
            // Registering twice gives the same as once.
            None => self.register(caller, &network, new, deployment).await,
        }
    }

    /// What became of a transaction that an earlier request sent.
    async fn look_again(
        &self,
        network: &Network,
        before: TransactionResult,
        patience: Duration,
    ) -> Result<TransactionResult> {
        let ledger = self.channel_ledger(network, before.channel.as_deref()).await?;
        let result = self.await_end(network, &ledger, &before.transaction_hash, false, patience).await?;
        Ok(TransactionResult { channel: before.channel, ..result })
    }

    async fn deployed(&self, network: &Network, result: TransactionResult) -> Result<CreatedContract> {
        let contract = match (&result.address, result.status) {
            (Some(address), TransactionStatus::Success) => {
                let mut read = self.store().read().await?;
                let row = find(&mut read, network, address).await?;
                Some(show(&mut read, row).await?)
            }
            _ => None,
        };
        Ok(CreatedContract { contract, result: Some(result) })
    }

    /// Registers what was deployed otherwise: by its address, or by the hash of its transaction.
    async fn register(
        &self,
        caller: &Caller,
        network: &Network,
        new: &NewContract,
        deployment: Deployment,
    ) -> Result<CreatedContract> {
        let ledger = self.ledger_of(network).await?;
        let (address, result) = match (&new.address, &new.transaction_hash) {
            (Some(address), _) => (ledger.canonical_address(address)?, None),
            (None, Some(hash)) => {
                let outcome = ledger.wait(hash, WAIT_LIMIT).await?;
                let result = TransactionResult {
                    address: outcome.inclusion().and_then(|inclusion| inclusion.contract.clone()),
                    transaction_hash: hash.clone(),
                    channel: None,
                    block_number: outcome.inclusion().map(|inclusion| inclusion.block),
                    gas_used: outcome.inclusion().and_then(|inclusion| inclusion.gas_used),
                    status: outcome.status(),
                };
                match (&outcome, &result.address) {
                    (Outcome::Committed(_), Some(address)) => (address.clone(), Some(result)),
                    (Outcome::Committed(_), None) => {
                        return Err(Error::field(
                            Code::RequestInvalid,
                            "transactionHash",
                            "This transaction makes no contract.",
                        ));
                    }
                    _ => return Ok(CreatedContract { contract: None, result: Some(result) }),
                }
            }
            (None, None) => return Err(Error::Internal("a registration names nothing to register".into(), None)),
        };
        if ledger.address(&address).await?.code_size == 0 {
            return Err(Error::field(
                Code::RequestInvalid,
                "address",
                format!("There is no contract at {address} on the network {}.", network.name),
            ));
        }
        let mut tx = self.store().begin().await?;
        let contract = store::contracts::Contract {
            id: new_id("ctr"),
            network: network.id.clone(),
            name: deployment.name,
            address,
            channel: None,
            interface: deployment.interface,
            transaction_hash: new.transaction_hash.clone(),
            organisation: None,
            created_at: now(),
        };
        let contract = store::contracts::put(&mut tx, &contract).await?;
        let members = store::networks::members(&mut tx, &network.id).await?;
        let entry = NewAudit {
            actor: caller.actor().to_string(),
            action: "contract.register",
            subject: format!("contract {}", contract.id),
            organisation: None,
            details: serde_json::json!({"network": network.name, "name": contract.name, "address": contract.address}),
        };
        tx.audit_each(&members, entry);
        tx.change("contract", &contract.id, Some(&network.id));
        let contract = show(&mut tx, contract).await?;
        tx.commit().await?;
        Ok(CreatedContract { contract: Some(contract), result })
    }

    /// Asks a contract; changes nothing.
    pub async fn call_contract(
        &self,
        caller: &Caller,
        network: &str,
        reference: &str,
        call: &ContractCall,
    ) -> Result<CallResult> {
        let mut read = self.store().read().await?;
        let network = self.find_network(&mut read, caller, Permission::LedgerRead, network).await?.network;
        let contract = find(&mut read, &network, reference).await?;
        let from = match &call.from {
            Some(from) => Some(self.address_of(&network, from).await?),
            None => None,
        };
        drop(read);
        let query = Query {
            from,
            contract: contract.address,
            interface: contract.interface,
            function: call.function.clone(),
            args: call.args.clone().unwrap_or(Value::Null),
            value: call.value.clone(),
            transient: call.transient.clone().unwrap_or_default(),
        };
        let ledger = self.channel_ledger(&network, contract.channel.as_deref()).await?;
        Ok(CallResult { result: ledger.query(&query).await? })
    }

    /// Sends to a function of a contract with a member's account and waits until it is final, for as long as `patience` lasts.
    pub async fn send_to_contract(
        &self,
        caller: &Caller,
        network: &str,
        reference: &str,
        idempotency: Option<&Idempotency>,
        call: &ContractCall,
        patience: Duration,
    ) -> Result<TransactionResult> {
        caller.require(Permission::LedgerWrite)?;
        let mut tx = self.store().begin().await?;
        let network = self.find_network(&mut tx, caller, Permission::LedgerRead, network).await?.network;
        if let Some(result) = idempotency::repeated::<TransactionResult>(&mut tx, caller, idempotency).await? {
            drop(tx);
            return self.look_again(&network, result, patience).await;
        }
        drop(tx);
        let mut read = self.store().read().await?;
        let contract = find(&mut read, &network, reference).await?;
        let account = self.choose_account(&mut read, caller, &network, call.from.as_deref()).await?;
        drop(read);
        let details = serde_json::json!({"contract": contract.address, "function": call.function});
        self.audit_use(caller, &network, &account, "contract.send", details).await?;
        let remember = idempotency.map(|idempotency| Remember { caller, idempotency });
        let action = Action::Send {
            contract: contract.address,
            interface: contract.interface,
            function: call.function.clone(),
            args: call.args.clone().unwrap_or(Value::Null),
        };
        let wanted = Wanted {
            action,
            value: call.value.clone(),
            transient: call.transient.clone().unwrap_or_default(),
            channel: contract.channel,
            deploys: None,
            patience,
            remember,
        };
        self.send_from(&network, &account, wanted).await
    }

    /// Writes down who uses a member's account, before it is used.
    pub(crate) async fn audit_use(
        &self,
        caller: &Caller,
        network: &Network,
        account: &store::accounts::Account,
        action: &'static str,
        mut details: Value,
    ) -> Result<()> {
        details["network"] = network.name.clone().into();
        details["account"] = account.address.clone().into();
        let mut tx = self.store().begin().await?;
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action,
            subject: format!("account {}", account.id),
            organisation: Some(account.organisation.clone()),
            details,
        });
        Ok(tx.commit().await?)
    }

    /// An address from an address, a member's name or an account's id; reading as somebody needs no authority.
    async fn address_of(&self, network: &Network, from: &str) -> Result<String> {
        let known = store::accounts::get(&mut *self.store().read().await?, from).await?;
        if let Some(account) = known.filter(|account| account.network == network.id) {
            return Ok(account.address);
        }
        let accounts = network_spec(network)?.accounts;
        match accounts.into_iter().find(|account| account.member == from) {
            Some(account) => Ok(account.address),
            None => Ok(self.ledger_of(network).await?.canonical_address(from)?),
        }
    }
}

async fn find(read: &mut Connection, network: &Network, reference: &str) -> Result<store::contracts::Contract> {
    let mut found = store::contracts::find(read, &network.id, reference).await?;
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(one), false) => {
            found.push(one);
            let addresses: Vec<String> = found.into_iter().map(|one| one.address).collect();
            Err(Error::new(
                Code::NameAmbiguous,
                format!("There is more than one contract “{reference}”. Give its address: {}.", addresses.join(", ")),
            ))
        }
        (None, _) => Err(Error::not_found("contract", reference)),
    }
}

async fn show(read: &mut Connection, contract: store::contracts::Contract) -> Result<Contract> {
    let member = match &contract.organisation {
        Some(organisation) => {
            store::organisations::find(read, organisation).await?.map(|organisation| organisation.name)
        }
        None => None,
    };
    Ok(Contract {
        id: contract.id,
        network: contract.network,
        name: contract.name,
        address: contract.address,
        channel: contract.channel,
        interface: contract.interface,
        transaction_hash: contract.transaction_hash,
        member,
        created_at: contract.created_at,
    })
}
