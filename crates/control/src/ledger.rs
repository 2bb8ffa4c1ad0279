//! Reading a network's ledger, and sending what was signed elsewhere.

use std::collections::HashMap;
use std::sync::Arc;

use driver::{BlockId, Driver, Ledger, LedgerNetwork, NetworkSpec, Position};
use serde_json::Value;
use store::Connection;
use store::networks::Network;
use types::{
    Address, Block, BlockSummary, Code, Page, PageQuery, Permission, RawTransaction, Transaction, TransactionDraft,
    TransactionResult, TransactionStatus, TransactionSummary, TransactionTerms,
};

use crate::networks::network_spec;
use crate::paging::Paging;
use crate::send::{WAIT_LIMIT, pending};
use crate::{Caller, Control, Error, Result};

/// Most contracts whose interfaces are used for decoding.
const MOST_INTERFACES: i64 = 1000;

impl Control {
    /// Blocks of a network, newest first.
    pub async fn blocks(
        &self,
        caller: &Caller,
        network: &str,
        channel: Option<&str>,
        query: &PageQuery,
    ) -> Result<Page<BlockSummary>> {
        let paging = Paging::new("blocks", query)?;
        let before = paging.after_number()?.map(i64::cast_unsigned);
        let (_, ledger) = self.readable_ledger(caller, network, channel).await?;
        let blocks = ledger.blocks(before, paging.fetch()).await?;
        Ok(paging.page(blocks, |block| block.number.to_string()))
    }

    /// One block, by its height, its hash or `latest`.
    pub async fn block(&self, caller: &Caller, network: &str, channel: Option<&str>, reference: &str) -> Result<Block> {
        let id: BlockId = reference.parse()?;
        let (network, ledger) = self.readable_ledger(caller, network, channel).await?;
        let interfaces = self.interfaces(&network).await?;
        ledger.block(&id, &|address| interfaces.get(address)).await?.ok_or_else(|| Error::not_found("block", reference))
    }

    /// Transactions of a network, newest first.
    pub async fn transactions(
        &self,
        caller: &Caller,
        network: &str,
        channel: Option<&str>,
        query: &PageQuery,
    ) -> Result<Page<TransactionSummary>> {
        let paging = Paging::new("transactions", query)?;
        let before = paging.after().map(parse_position).transpose()?;
        let (network, ledger) = self.readable_ledger(caller, network, channel).await?;
        let interfaces = self.interfaces(&network).await?;
        let slice = ledger.transactions(before, paging.limit(), &|address| interfaces.get(address)).await?;
        Ok(Page {
            items: slice.items,
            next: slice.next.map(|place| paging.cursor(&format!("{}.{}", place.block, place.index))),
        })
    }

    /// One transaction, also one that waits or is only recorded here.
    pub async fn transaction(
        &self,
        caller: &Caller,
        network: &str,
        channel: Option<&str>,
        hash: &str,
    ) -> Result<Transaction> {
        let (network, ledger) = self.readable_ledger(caller, network, channel).await?;
        let interfaces = self.interfaces(&network).await?;
        let hash = hash.to_ascii_lowercase();
        if let Some(transaction) = ledger.transaction(&hash, &|address| interfaces.get(address)).await? {
            return Ok(transaction);
        }
        // No node knows it: it may have gone through here.
        let recorded = store::transactions::get(&mut *self.store().read().await?, &network.id, &hash).await?;
        let recorded = recorded.ok_or_else(|| Error::not_found("transaction", &hash))?;
        if recorded.state == store::transactions::State::Refused {
            let reason = recorded.message.unwrap_or_else(|| "the ledger refused it".into());
            return Err(Error::new(
                Code::TransactionRefused,
                format!("The transaction {hash} is not in the ledger: {reason}."),
            ));
        }
        Err(Error::new(
            Code::TransactionUnknown,
            format!(
                "The transaction {hash} was recorded here, but no node that answers knows it yet. It is being found out; look again later."
            ),
        ))
    }

    /// What an address has, with the names by which it is known here.
    pub async fn address(
        &self,
        caller: &Caller,
        network: &str,
        channel: Option<&str>,
        address: &str,
    ) -> Result<Address> {
        let (network, ledger) = self.readable_ledger(caller, network, channel).await?;
        let mut shown = ledger.address(&ledger.canonical_address(address)?).await?;
        let mut read = self.store().read().await?;
        shown.contract =
            store::contracts::find(&mut read, &network.id, &shown.address).await?.pop().map(|contract| contract.name);
        shown.member = network_spec(&network)?
            .accounts
            .into_iter()
            .find(|account| account.address.eq_ignore_ascii_case(&shown.address))
            .map(|account| account.member);
        Ok(shown)
    }

    /// What a signer elsewhere needs to make a transaction.
    pub async fn transaction_terms(
        &self,
        caller: &Caller,
        network: &str,
        draft: &TransactionDraft,
    ) -> Result<TransactionTerms> {
        let (_, ledger) = self.readable_ledger(caller, network, None).await?;
        Ok(ledger.terms(draft).await?)
    }

    /// Sends a transaction that was signed elsewhere; with `wait`, waits until it is final, at most 30 s.
    pub async fn send_raw_transaction(
        &self,
        caller: &Caller,
        network: &str,
        raw: &RawTransaction,
        wait: bool,
    ) -> Result<TransactionResult> {
        caller.require(Permission::RawTransactions)?;
        let (network, ledger) = self.ledger_for(caller, Permission::RawTransactions, network, None).await?;
        let bytes = hex::decode(raw.raw.strip_prefix("0x").unwrap_or(&raw.raw)).map_err(|_| {
            Error::field(Code::RequestInvalid, "raw", "The transaction must be hexadecimal, with 0x in front.")
        })?;
        let signed = ledger.read(&bytes)?;
        let certain = self.send_signed(&network, &ledger, &signed).await?;
        if wait {
            return self.await_end(&network, &ledger, &signed.id, certain, WAIT_LIMIT).await;
        }
        let status = if certain { TransactionStatus::Pending } else { TransactionStatus::Unknown };
        Ok(TransactionResult { status, ..pending(&signed) })
    }

    /// The driver of an engine that a stored network has.
    pub(crate) fn driver(&self, engine: &str) -> Result<&Arc<dyn Driver>> {
        self.drivers().get(engine).ok_or_else(|| match self.drivers().attacher(Some(engine)) {
            Some(_) => crate::networks::attached_error(""),
            None => Error::new(
                Code::NetworkEngine,
                format!("This server has no engine “{engine}”, which a network needs. Start a version that has it."),
            ),
        })
    }

    /// The ledger of a network; of its first channel, where it has channels.
    pub(crate) async fn ledger_of(&self, network: &Network) -> Result<Arc<dyn Ledger>> {
        self.channel_ledger(network, None).await
    }

    /// The ledger of a channel of a network.
    ///
    /// # Errors
    /// `not_found` when the network has no such channel.
    pub(crate) async fn channel_ledger(&self, network: &Network, channel: Option<&str>) -> Result<Arc<dyn Ledger>> {
        let spec = network_spec(network)?;
        let channel = match channel {
            Some(name) if spec.channels.iter().all(|channel| channel.name != name) => {
                return Err(Error::not_found("channel", name));
            }
            Some(name) => Some(name.to_owned()),
            None => spec.channels.first().map(|channel| channel.name.clone()),
        };
        if let Some(ledger) = self.runtime().ledger(&network.id, channel.as_deref()) {
            return Ok(ledger);
        }
        let opened = match &spec.attached {
            Some(attached) => self.attached_ledger(network, &spec, attached)?,
            None => self.driver(&network.engine)?.ledger(self.ledger_network(network, spec, channel.clone()).await?),
        };
        Ok(self.runtime().keep_ledger(&network.id, channel, opened))
    }

    /// A network as drivers take it.
    pub(crate) async fn ledger_network(
        &self,
        network: &Network,
        spec: NetworkSpec,
        channel: Option<String>,
    ) -> Result<LedgerNetwork> {
        let mut read = self.store().read().await?;
        Ok(LedgerNetwork {
            spec,
            channel,
            placements: crate::networks::placements(&mut read, &network.id).await?,
            outputs: store::networks::outputs(&mut read, &network.id).await?,
            connector: crate::runtime::connector(self.host().clone()),
            identities: self.key_store().of_network(&network.id),
        })
    }

    async fn readable_ledger(
        &self,
        caller: &Caller,
        network: &str,
        channel: Option<&str>,
    ) -> Result<(Network, Arc<dyn Ledger>)> {
        self.ledger_for(caller, Permission::LedgerRead, network, channel).await
    }

    async fn ledger_for(
        &self,
        caller: &Caller,
        permission: Permission,
        network: &str,
        channel: Option<&str>,
    ) -> Result<(Network, Arc<dyn Ledger>)> {
        let mut read = self.store().read().await?;
        let network = self.find_network(&mut read, caller, permission, network).await?.network;
        drop(read);
        let ledger = self.channel_ledger(&network, channel).await?;
        Ok((network, ledger))
    }

    async fn interfaces(&self, network: &Network) -> Result<Interfaces> {
        Interfaces::load(&mut *self.store().read().await?, network).await
    }
}

/// The interfaces of a network's known contracts, by address in lower case.
struct Interfaces(HashMap<String, Value>);

impl Interfaces {
    async fn load(read: &mut Connection, network: &Network) -> Result<Self> {
        let contracts = store::contracts::list(read, &network.id, "", MOST_INTERFACES).await?;
        Ok(Self(
            contracts.into_iter().map(|contract| (contract.address.to_ascii_lowercase(), contract.interface)).collect(),
        ))
    }

    fn get(&self, address: &str) -> Option<Value> {
        self.0.get(&address.to_ascii_lowercase()).cloned()
    }
}

fn parse_position(text: &str) -> Result<Position> {
    let parse = || {
        let (block, index) = text.split_once('.')?;
        Some(Position { block: block.parse().ok()?, index: index.parse().ok()? })
    };
    parse().ok_or_else(|| {
        Error::field(
            Code::CursorInvalid,
            "cursor",
            "The cursor is not one that this list gave. Start again without one.",
        )
    })
}
