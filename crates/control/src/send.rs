//! Sending transactions: recorded before they are sent, one after the other for each account, followed to their end.
//!
//! An account's next counter is what the ledger says, or one above the highest of its transactions whose end is not known yet.
//! Whose turn it is to use an account is decided by a queue in this process; on several servers the ledger itself refuses the
//! second transaction of a counter, which is then reported as refused.

use std::sync::Arc;
use std::time::Duration;

use driver::{Action, Call, Ledger, Outcome, Signed};
use store::accounts::Account;
use store::networks::Network;
use store::transactions::{self, Deployment, Finding, State, Transaction};
use types::{TransactionResult, TransactionStatus, new_id, now};

use crate::idempotency::{self, Idempotency};
use crate::{Caller, Control, Error, Result};

/// How long a caller waits at most for a transaction to be final.
pub const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// A transaction that is wanted.
pub(crate) struct Wanted<'a> {
    pub action: Action,
    pub value: Option<String>,
    pub transient: driver::Transient,
    pub channel: Option<String>,
    pub deploys: Option<Deployment>,
    /// How long its end is waited for.
    pub patience: Duration,
    /// Under what the answer is kept.
    pub remember: Option<Remember<'a>>,
}

/// An idempotency key. The transaction's hash is kept under it together with the transaction, so that a repetition finds the
/// transaction and never makes a second one, also after a crash in between.
#[derive(Clone, Copy)]
pub(crate) struct Remember<'a> {
    pub caller: &'a Caller,
    pub idempotency: &'a Idempotency,
}

/// Where a transaction comes from and goes to.
#[derive(Default)]
struct Origin {
    /// The account that signed, when held here.
    account: Option<String>,
    channel: Option<String>,
    deploys: Option<Deployment>,
}

impl Control {
    /// Signs with an account, sends, and waits until the end is known or the patience is over.
    pub(crate) async fn send_from(
        &self,
        network: &Network,
        account: &Account,
        wanted: Wanted<'_>,
    ) -> Result<TransactionResult> {
        let ledger = self.channel_ledger(network, wanted.channel.as_deref()).await?;
        let (patience, channel) = (wanted.patience, wanted.channel.clone());
        let (hash, certain) = self.submit(network, &ledger, account, wanted).await?;
        let result = self.await_end(network, &ledger, &hash, certain, patience).await?;
        Ok(TransactionResult { channel, ..result })
    }

    /// Signs, records and sends. Says the transaction's hash, and whether the ledger is known to have it.
    async fn submit(
        &self,
        network: &Network,
        ledger: &Arc<dyn Ledger>,
        account: &Account,
        wanted: Wanted<'_>,
    ) -> Result<(String, bool)> {
        let turns = self.runtime().turns(&account.id);
        let _turn = turns.acquire().await.map_err(|error| Error::internal("the account's queue is closed", error))?;
        let open = transactions::highest_open_nonce(&mut *self.store().read().await?, &account.id).await?;
        // Where the ledger counts, transactions that wait here are counted too.
        let next = ledger.nonce(&account.address).await?;
        let nonce = next.map(|next| next.max(open.map_or(0, |open| open + 1)));
        let call = Call {
            from: account.address.clone(),
            action: wanted.action,
            value: wanted.value,
            nonce,
            gas: None,
            transient: wanted.transient,
        };
        let signer = self.signer(network, account).await?;
        let signed = ledger.sign(&call, &*signer).await?;
        drop(signer);
        let signer = Some(account.id.clone());
        let origin = Origin { account: signer, channel: wanted.channel, deploys: wanted.deploys };
        self.record(network, &signed, origin, wanted.remember).await?;
        let certain = self.hand_over(network, ledger, &signed).await?;
        Ok((signed.id, certain))
    }

    /// Records a transaction and sends it; it was signed elsewhere.
    pub(crate) async fn send_signed(
        &self,
        network: &Network,
        ledger: &Arc<dyn Ledger>,
        signed: &Signed,
    ) -> Result<bool> {
        self.record(network, signed, Origin::default(), None).await?;
        self.hand_over(network, ledger, signed).await
    }

    async fn record(
        &self,
        network: &Network,
        signed: &Signed,
        origin: Origin,
        remember: Option<Remember<'_>>,
    ) -> Result<()> {
        let answer = TransactionResult { channel: origin.channel.clone(), ..pending(signed) };
        let transaction = Transaction {
            network: network.id.clone(),
            hash: signed.id.clone(),
            account: origin.account,
            channel: origin.channel,
            nonce: signed.nonce,
            raw: hex::encode(&signed.raw),
            deploys: origin.deploys,
            state: State::Sending,
            message: None,
            offers: 1,
            submitted_at: now(),
            finished_at: None,
            block: None,
            gas_used: None,
            address: None,
        };
        let mut tx = self.store().begin().await?;
        transactions::record(&mut tx, &transaction).await?;
        if let Some(remember) = remember {
            idempotency::record(&mut tx, remember.caller, Some(remember.idempotency), &answer).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Gives a transaction to the ledger for the first time. False when it is not known whether the ledger has it.
    async fn hand_over(&self, network: &Network, ledger: &Arc<dyn Ledger>, signed: &Signed) -> Result<bool> {
        match ledger.send(signed).await {
            Ok(()) => Ok(true),
            Err(
                error @ (driver::Error::Problem(_) | driver::Error::Unreachable(_) | driver::Error::Unsupported(_)),
            ) => {
                // No node has it, and none will: the counter is free again.
                self.note_refused(network, &signed.id, &error.to_problem().detail).await?;
                Err(error.into())
            }
            Err(error @ (driver::Error::Unknown { .. } | driver::Error::Protocol(_))) => {
                tracing::warn!(network = network.id, transaction = signed.id, %error, "it is not known whether the ledger has a transaction; it will be found out");
                let mut finding = Finding::of(State::Unknown);
                finding.message = Some(error.to_string());
                self.note(network, &signed.id, finding).await?;
                Ok(false)
            }
        }
    }

    /// Waits for the end of a transaction for as long as `patience` lasts, and notes it.
    pub(crate) async fn await_end(
        &self,
        network: &Network,
        ledger: &Arc<dyn Ledger>,
        hash: &str,
        certain: bool,
        patience: Duration,
    ) -> Result<TransactionResult> {
        let outcome = match ledger.wait(hash, patience).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(network = network.id, transaction = hash, %error, "the end of a transaction could not be awaited");
                Outcome::Unknown
            }
        };
        self.note_outcome(network, hash, &outcome).await?;
        let inclusion = outcome.inclusion();
        let status = match outcome.status() {
            // The ledger acknowledged it, so it is on its way, whatever a node says that was just started.
            TransactionStatus::Unknown if certain => TransactionStatus::Pending,
            status => status,
        };
        Ok(TransactionResult {
            address: inclusion.and_then(|inclusion| inclusion.contract.clone()),
            transaction_hash: hash.into(),
            channel: None,
            block_number: inclusion.map(|inclusion| inclusion.block),
            gas_used: inclusion.and_then(|inclusion| inclusion.gas_used),
            status,
        })
    }

    /// Notes what became of a transaction; a deployment that has succeeded is registered with it.
    pub(crate) async fn note_outcome(&self, network: &Network, hash: &str, outcome: &Outcome) -> Result<()> {
        let (state, message) = match outcome {
            Outcome::Committed(_) => (State::Success, None),
            Outcome::Invalid { reason, .. } => (State::Reverted, Some(reason.clone())),
            Outcome::Pending => (State::Pending, None),
            Outcome::Unknown => (State::Unknown, None),
        };
        let mut finding = Finding::of(state);
        finding.message = message;
        if let Some(inclusion) = outcome.inclusion() {
            finding.block = Some(inclusion.block);
            finding.gas_used = inclusion.gas_used;
            finding.address.clone_from(&inclusion.contract);
        }
        self.note(network, hash, finding).await
    }

    /// Notes that a transaction is not in the ledger and will not come into it.
    pub(crate) async fn note_refused(&self, network: &Network, hash: &str, reason: &str) -> Result<()> {
        let mut finding = Finding::of(State::Refused);
        finding.message = Some(reason.into());
        self.note(network, hash, finding).await
    }

    async fn note(&self, network: &Network, hash: &str, finding: Finding) -> Result<()> {
        let mut tx = self.store().begin().await?;
        let ended = transactions::note(&mut tx, &network.id, hash, &finding).await?;
        if ended
            && finding.state == State::Success
            && let Some(address) = &finding.address
        {
            let transaction = transactions::get(&mut tx, &network.id, hash).await?;
            if let Some(Transaction { deploys: Some(deploys), account, .. }) = transaction {
                let organisation = match account {
                    Some(account) => store::accounts::get(&mut tx, &account).await?.map(|account| account.organisation),
                    None => None,
                };
                let contract = store::contracts::Contract {
                    id: new_id("ctr"),
                    network: network.id.clone(),
                    name: deploys.name,
                    address: address.clone(),
                    channel: None,
                    interface: deploys.interface,
                    transaction_hash: Some(hash.into()),
                    organisation,
                    created_at: now(),
                };
                let contract = store::contracts::put(&mut tx, &contract).await?;
                tx.change("contract", &contract.id, Some(&network.id));
            }
        }
        Ok(tx.commit().await?)
    }
}

/// What is known of a transaction that was just handed over.
pub(crate) fn pending(signed: &Signed) -> TransactionResult {
    TransactionResult {
        address: signed.contract.clone(),
        transaction_hash: signed.id.clone(),
        channel: None,
        block_number: None,
        gas_used: None,
        status: TransactionStatus::Pending,
    }
}
