//! The steps that bring a contract beside the nodes, from its source to the processes that run it.

use std::time::Duration;

use chaincode::Source;
use driver::{ContractSpec, NetworkSpec, NodeSpec};
use serde::{Deserialize, Serialize};
use store::Tx;
use store::networks::{self, Network, PlacedPort};
use store::operations::Operation;
use tokio::sync::watch;
use types::{Id, new_id, now};
use workload::Placement;

use super::steps::Progress;
use super::{StepKind, growth};
use crate::networks::network_spec;
use crate::{Control, Error, Result};

/// How often a build's progress is written down.
const INTERVAL: Duration = Duration::from_millis(500);

/// What a deployment is to bring about.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    /// All but the program, which the build gives.
    pub contract: ContractSpec,
    /// Digest of the source.
    pub source: String,
    /// Who asked for it: the organisation that the contract is registered for.
    pub organisation: Option<Id>,
}

pub(super) async fn take(
    control: &Control,
    operation: &Operation,
    kind: StepKind,
    progress: &Progress<'_>,
) -> Result<()> {
    let wanted: Wanted = serde_json::from_value(operation.details.clone())
        .map_err(|error| Error::internal("what an operation is to bring about", error))?;
    let network = networks::get(&mut *control.store().read().await?, &operation.scope)
        .await?
        .ok_or_else(|| Error::not_found("network", &operation.scope))?;
    match kind {
        StepKind::Compile => compile(control, &wanted, progress).await.map(|_| ()),
        StepKind::Include => include(control, &network, &operation.shown.subject, wanted, progress).await,
        StepKind::Register => register(control, &network, &wanted).await,
        StepKind::Exclude => growth::exclude(control, &network, &operation.shown.subject).await,
        other => Err(Error::Internal(format!("{other:?} is no step of a deployment"), None)),
    }
}

/// Builds the source, or finds what was built of it before; gives the program's name.
async fn compile(control: &Control, wanted: &Wanted, progress: &Progress<'_>) -> Result<String> {
    let archive = control.sources().join(&wanted.source);
    let bytes = tokio::fs::read(&archive)
        .await
        .map_err(|error| Error::internal(format!("the source {}", archive.display()), error))?;
    let source = Source::from_bytes(&bytes)?;
    let (said, mut heard) = watch::channel(String::new());
    let say = |message| {
        said.send_replace(message);
    };
    let builds = control.builds()?;
    let mut work = Box::pin(builds.build(&source, &say));
    loop {
        tokio::select! {
            built = &mut work => return Ok(format!("chaincode:{}/chaincode", built?.id)),
            () = tokio::time::sleep(INTERVAL) => {}
        }
        if heard.has_changed().unwrap_or(false) {
            let message = heard.borrow_and_update().clone();
            progress.say(message).await?;
        }
    }
}

/// Makes the contract and its nodes a part of the network.
async fn include(
    control: &Control,
    network: &Network,
    subject: &str,
    wanted: Wanted,
    progress: &Progress<'_>,
) -> Result<()> {
    let mut spec = network_spec(network)?;
    if spec.contracts.iter().any(|contract| reference(contract) == subject) {
        return Ok(());
    }
    let contract = ContractSpec { program: compile(control, &wanted, progress).await?, ..wanted.contract };
    let nodes = control.driver(&network.engine)?.planner().accept_contract(&spec, &contract)?;
    spec.nodes.extend(nodes.into_iter().map(|node| NodeSpec::new(new_id("node"), node, Some(subject.into()))));
    spec.contracts.push(contract);
    growth::admit(control, network, spec, progress).await
}

/// Makes the contract known with the interface that it tells, and removes the nodes of the versions that it replaces.
async fn register(control: &Control, network: &Network, wanted: &Wanted) -> Result<()> {
    let contract = &wanted.contract;
    let ledger = control.channel_ledger(network, Some(&contract.channel)).await?;
    let interface = ledger.metadata(&contract.name).await?.unwrap_or_else(|| serde_json::json!({}));
    // The same name may be on other channels.
    let address = format!("{}/{}", contract.channel, contract.name);
    let mut tx = control.store().begin().await?;
    let row = store::contracts::Contract {
        id: new_id("ctr"),
        network: network.id.clone(),
        name: contract.name.clone(),
        address,
        channel: Some(contract.channel.clone()),
        interface,
        transaction_hash: None,
        organisation: wanted.organisation.clone(),
        created_at: now(),
    };
    let row = store::contracts::put(&mut tx, &row).await?;
    tx.change("contract", &row.id, Some(&network.id));
    tx.commit().await?;
    let spec = network_spec(network)?;
    let replaced: Vec<String> = spec
        .contracts
        .iter()
        .filter(|one| (&one.name, &one.channel) == (&contract.name, &contract.channel))
        .filter(|one| one.sequence < contract.sequence)
        .map(reference)
        .collect();
    for subject in replaced {
        growth::exclude(control, network, &subject).await?;
    }
    Ok(())
}

/// How a version of a contract is named in its network: `CHANNEL/NAME/SEQUENCE`.
pub(crate) fn reference(contract: &ContractSpec) -> String {
    format!("{}/{}/{}", contract.channel, contract.name, contract.sequence)
}

pub(crate) async fn set_spec(tx: &mut Tx, network: &Network, spec: &NetworkSpec) -> Result<()> {
    let value = serde_json::to_value(spec).map_err(|error| Error::internal("a specification", error))?;
    networks::set_spec(tx, &network.id, &value).await?;
    tx.change("network", &network.id, Some(&network.id));
    Ok(())
}

/// Records where a host put a node's ports.
pub(super) async fn place(tx: &mut Tx, node: &str, placement: &Placement, host: &str) -> Result<()> {
    for (port, address) in &placement.ports {
        let placed = PlacedPort {
            node: node.into(),
            port: port.clone(),
            host: host.into(),
            number: address.inside.port,
            address: serde_json::to_value(address)
                .map_err(|error| Error::internal("an address cannot be stored", error))?,
        };
        networks::place(tx, &placed).await?;
    }
    Ok(())
}
