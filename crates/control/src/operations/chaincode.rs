//! The steps that bring a contract beside the nodes, from its source to the processes that run it.

use std::time::Duration;

use chaincode::Source;
use driver::{ContractSpec, NetworkSpec, NodeSpec};
use serde::{Deserialize, Serialize};
use store::networks::{self, Network, PlacedPort};
use store::operations::Operation;
use store::{Tx, nodes};
use tokio::sync::watch;
use types::{Id, new_id, now};
use workload::{Placement, Placements};

use super::StepKind;
use super::steps::Progress;
use crate::networks::{network_spec, placements, stored_node};
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
        StepKind::Exclude => exclude(control, &network, &operation.shown.subject).await,
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

/// Makes the contract and its nodes a part of the network. All that its plan needs is there before the network changes: a plan
/// that is not complete could not heal the other nodes.
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
    let planner = control.driver(&network.engine)?.planner();
    for node in planner.accept_contract(&spec, &contract)? {
        let node = NodeSpec {
            id: new_id("node"),
            name: node.name,
            member: node.member,
            role: node.role,
            contract: Some(subject.into()),
        };
        spec.nodes.push(node);
    }
    spec.contracts.push(contract);
    let added: Vec<&NodeSpec> = spec.nodes.iter().filter(|node| node.contract.as_deref() == Some(subject)).collect();
    let mut read = control.store().read().await?;
    let mut all: Placements = placements(&mut read, &network.id).await?;
    let outputs = networks::outputs(&mut read, &network.id).await?;
    let members = networks::named_members(&mut read, &network.id).await?;
    drop(read);
    for node in &added {
        all.insert(node.id.clone(), control.host().reserve(&node.id, &planner.ports(&node.role)).await?);
    }
    let plan = planner.plan(&spec, &all, &outputs)?;
    let due: Vec<_> = plan.due_identities(&outputs).collect();
    control.issue(network, &members, &due).await?;
    let mut tx = control.store().begin().await?;
    let position = i64::try_from(nodes::of_network(&mut tx, &network.id).await?.len()).unwrap_or(i64::MAX);
    for (number, node) in (position..).zip(added) {
        let owner = members.iter().find(|(name, _)| *name == node.member).map(|(_, id)| id.clone());
        nodes::insert(&mut tx, &stored_node(network, node, number, owner, control.host().name())?).await?;
        tx.change("node", &node.id, Some(&network.id));
        place(&mut tx, &node.id, &all[&node.id], control.host().name()).await?;
    }
    set_spec(&mut tx, network, &spec).await?;
    tx.commit().await?;
    control.runtime().reopen_ledgers(&network.id);
    Ok(())
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
        exclude(control, network, &subject).await?;
    }
    Ok(())
}

/// Removes a contract's nodes and takes it out of the network.
async fn exclude(control: &Control, network: &Network, subject: &str) -> Result<()> {
    // As it is now: several may be removed one after the other.
    let network = networks::get(&mut *control.store().read().await?, &network.id)
        .await?
        .ok_or_else(|| Error::not_found("network", &network.id))?;
    let mut spec = network_spec(&network)?;
    let (gone, kept): (Vec<NodeSpec>, Vec<NodeSpec>) =
        std::mem::take(&mut spec.nodes).into_iter().partition(|node| node.contract.as_deref() == Some(subject));
    spec.nodes = kept;
    spec.contracts.retain(|contract| reference(contract) != subject);
    for node in &gone {
        control.host().remove(&node.id).await?;
    }
    let mut tx = control.store().begin().await?;
    for node in &gone {
        nodes::delete(&mut tx, &node.id).await?;
        tx.change("node", &node.id, Some(&network.id));
    }
    set_spec(&mut tx, &network, &spec).await?;
    tx.commit().await?;
    control.runtime().reopen_ledgers(&network.id);
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
