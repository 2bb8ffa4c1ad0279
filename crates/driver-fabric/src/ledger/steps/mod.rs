//! Steps of a plan: whether each is done, and taking it.
//!
//! Each is looked at before it is taken and can be taken again. What needs time to spread through the network is waited
//! for, and an error says what was waited for.

mod channel;
mod contract;

use std::time::Duration;

use driver::{ContractSpec, Error, NodeSpec, Result};
use tokio::time::Instant;
use types::{ChaincodeReadiness, Code};
use workload::StepSpec;

use crate::ledger::FabricLedger;
use crate::plan::steps::{
    ADMIT, ANCHORS, ANNOUNCE, APPROVE, COMMIT, CONTRACT_READY, ENDORSERS, INSTALL, JOIN_ORDERER, JOIN_PEER, ORDERERS,
};

/// How long a step may take.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// The parameters of a step.
struct Parameters<'a>(&'a StepSpec);

impl<'a> Parameters<'a> {
    fn get(&self, name: &str) -> Result<&'a str> {
        let value = self.0.parameters.get(name);
        value.map(String::as_str).ok_or_else(|| Error::Protocol(format!("step {} lacks `{name}`", self.0.name)))
    }

    fn node<'l>(&self, ledger: &'l FabricLedger) -> Result<&'l NodeSpec> {
        ledger.clients.node(self.get("node")?)
    }
}

/// The change of a channel's configuration that a step is.
fn edit<'a>(step: &StepSpec, parameters: &Parameters<'a>) -> Result<channel::Edit<'a>> {
    Ok(match step.action.as_str() {
        ADMIT => channel::Edit::Admit(parameters.get("member")?),
        ANCHORS => channel::Edit::Anchors(parameters.get("member")?),
        _ => channel::Edit::Orderers,
    })
}

pub(crate) async fn done(ledger: &FabricLedger, step: &StepSpec) -> Result<bool> {
    let parameters = Parameters(step);
    let channel = parameters.get("channel")?;
    match step.action.as_str() {
        JOIN_ORDERER => channel::orderer_joined(ledger, parameters.node(ledger)?, channel).await,
        JOIN_PEER => channel::peer_joined(ledger, parameters.node(ledger)?, channel).await,
        ADMIT | ANCHORS | ORDERERS => edit(step, &parameters)?.done(ledger, channel).await,
        ANNOUNCE => channel::announced(ledger, parameters.node(ledger)?, channel).await,
        ENDORSERS => Ok(channel::not_ready(ledger, channel).await?.is_none()),
        INSTALL | APPROVE | COMMIT | CONTRACT_READY => contract::Contract::of(ledger, &parameters)?.done(step).await,
        other => Err(Error::Protocol(format!("step {} is of the unknown kind `{other}`", step.name))),
    }
}

pub(crate) async fn readiness(ledger: &FabricLedger, contract: &ContractSpec) -> Result<ChaincodeReadiness> {
    contract::Contract::readiness(ledger, contract).await
}

pub(crate) async fn take(ledger: &FabricLedger, step: &StepSpec) -> Result<()> {
    let parameters = Parameters(step);
    let channel = parameters.get("channel")?;
    let end = Instant::now() + PATIENCE;
    loop {
        // What has come true by itself, or by an attempt whose answer was lost, is not done again.
        let failure = match done(ledger, step).await {
            Ok(true) => return Ok(()),
            Ok(false) => match attempt(ledger, step, channel, &parameters).await {
                Ok(waiting) => waiting.map(|what| Error::problem(Code::Unavailable, what)),
                Err(failure) if is_final(&failure) => return Err(failure),
                Err(failure) => Some(failure),
            },
            Err(failure) => Some(failure),
        };
        if Instant::now() >= end {
            let failure = failure.as_ref().map_or_else(|| "its effect does not show".to_owned(), said);
            let failure = failure.trim_end_matches('.');
            let detail = format!("`{}` was tried for {} s: {failure}.", step.title, PATIENCE.as_secs());
            return Err(Error::problem(Code::Unavailable, detail));
        }
        if failure.is_some() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn said(failure: &Error) -> String {
    match failure {
        Error::Problem(problem) => problem.detail.clone(),
        other => other.to_string(),
    }
}

/// What no waiting will change.
fn is_final(failure: &Error) -> bool {
    match failure {
        Error::Unsupported(_) => true,
        Error::Problem(problem) => problem.code == Code::ContractPolicy.as_str(),
        _ => false,
    }
}

/// Tries once; gives what is to be waited for.
async fn attempt(
    ledger: &FabricLedger,
    step: &StepSpec,
    channel: &str,
    parameters: &Parameters<'_>,
) -> Result<Option<String>> {
    match step.action.as_str() {
        JOIN_ORDERER => channel::join_orderer(ledger, parameters.node(ledger)?, channel).await.map(|()| None),
        JOIN_PEER => channel::join_peer(ledger, parameters.node(ledger)?, channel).await,
        ANNOUNCE => Ok(Some(format!("{} is not known in channel {channel} yet", parameters.node(ledger)?.name))),
        ADMIT | ANCHORS | ORDERERS => edit(step, parameters)?.attempt(ledger, channel).await,
        ENDORSERS => channel::not_ready(ledger, channel).await,
        _ => contract::Contract::of(ledger, parameters)?.attempt(step).await,
    }
}
