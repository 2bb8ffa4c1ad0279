//! Operations: changes of several steps that can be watched, resumed and undone.
//!
//! What is to be done is in the database before anything is done. [`run`] drives an operation: it records that a step begins,
//! takes it, records that it has ended. Every step can be taken again, so that a crash at any point needs no special case: the
//! next server drives what has not ended.

mod chaincode;
mod engine;
mod growth;
mod run;
mod steps;

pub(crate) use chaincode::{Wanted as Deployment, reference, set_spec};
pub(crate) use growth::Growth;
pub(crate) use run::drive_due;
pub(crate) use steps::plan_network;

use engines::Stage;
use store::networks::{self, Network, Phase};
use store::{NewAudit, Tx, operations};
use types::{Code, Operation, OperationStatus, Page, Permission, Step, new_id, now};

use crate::paging::Paging;
use crate::{Caller, Control, Error, Result};

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    CreateNetwork,
    StartNetwork,
    StopNetwork,
    RestartNetwork,
    DeleteNetwork,
    StartNode,
    StopNode,
    RestartNode,
    AddNode,
    DeleteNode,
    CreateChannel,
    JoinChannel,
    DeployChaincode,
    InstallEngine,
}

/// One kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepKind {
    Place,
    Prepare,
    Start,
    Ready,
    Settle,
    Compile,
    Include,
    Register,
    Exclude,
    Leave,
    Discard,
    Stop,
    Remove,
    Forget,
    Build(engines::Stage),
    Abandon,
}

impl Change {
    const ALL: [Change; 14] = [
        Change::CreateNetwork,
        Change::StartNetwork,
        Change::StopNetwork,
        Change::RestartNetwork,
        Change::DeleteNetwork,
        Change::StartNode,
        Change::StopNode,
        Change::RestartNode,
        Change::AddNode,
        Change::DeleteNode,
        Change::CreateChannel,
        Change::JoinChannel,
        Change::DeployChaincode,
        Change::InstallEngine,
    ];

    /// The word in the API.
    pub fn kind(self) -> &'static str {
        match self {
            Change::CreateNetwork => "network.create",
            Change::StartNetwork => "network.start",
            Change::StopNetwork => "network.stop",
            Change::RestartNetwork => "network.restart",
            Change::DeleteNetwork => "network.delete",
            Change::StartNode => "node.start",
            Change::StopNode => "node.stop",
            Change::RestartNode => "node.restart",
            Change::AddNode => "node.add",
            Change::DeleteNode => "node.delete",
            Change::CreateChannel => "channel.create",
            Change::JoinChannel => "channel.join",
            Change::DeployChaincode => "chaincode.deploy",
            Change::InstallEngine => "engine.install",
        }
    }

    /// Reads [`Change::kind`].
    pub fn parse(kind: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|change| change.kind() == kind)
            .ok_or_else(|| Error::Internal(format!("no such operation: {kind}"), None))
    }

    /// What is done, in order.
    pub fn steps(self) -> &'static [StepKind] {
        use StepKind::*;
        match self {
            Change::CreateNetwork => &[Place, Prepare, Start, Ready, Settle],
            Change::StartNetwork | Change::StartNode => &[Start, Ready],
            Change::StopNetwork | Change::StopNode => &[Stop],
            Change::RestartNetwork | Change::RestartNode => &[Stop, Start, Ready],
            Change::DeleteNetwork => &[Stop, Remove, Forget],
            Change::AddNode | Change::JoinChannel => &[Include, Start, Ready, Settle],
            Change::DeleteNode => &[Leave, Settle, Discard],
            Change::CreateChannel => &[Settle],
            Change::DeployChaincode => &[Compile, Include, Start, Ready, Settle, Register],
            Change::InstallEngine => {
                &[Build(Stage::Check), Build(Stage::Download), Build(Stage::Compile), Build(Stage::Record)]
            }
        }
    }

    /// What takes it back, in order; none when it cannot be.
    pub fn undo_steps(self) -> Option<&'static [StepKind]> {
        use StepKind::*;
        match self {
            Change::CreateNetwork => Some(&[Stop, Remove, Forget]),
            Change::StartNetwork | Change::StartNode => Some(&[Stop]),
            Change::StopNetwork | Change::StopNode => Some(&[Start, Ready]),
            Change::AddNode => Some(&[Leave, Settle, Discard]),
            Change::DeployChaincode => Some(&[Stop, Exclude]),
            Change::InstallEngine => Some(&[Abandon]),
            Change::RestartNetwork
            | Change::DeleteNetwork
            | Change::RestartNode
            | Change::DeleteNode
            | Change::CreateChannel
            | Change::JoinChannel => None,
        }
    }
}

impl StepKind {
    /// Its name in an operation.
    pub fn name(self, undoing: bool) -> &'static str {
        match (self, undoing) {
            (StepKind::Place, _) => "place",
            (StepKind::Prepare, _) => "prepare",
            (StepKind::Start, false) => "start",
            (StepKind::Start, true) => "undo-start",
            (StepKind::Ready, false) => "ready",
            (StepKind::Ready, true) => "undo-ready",
            (StepKind::Settle, false) => "settle",
            (StepKind::Settle, true) => "undo-settle",
            (StepKind::Compile, _) => "build",
            (StepKind::Include, _) => "include",
            (StepKind::Register, _) => "register",
            (StepKind::Exclude, _) => "undo-include",
            (StepKind::Leave, false) => "leave",
            (StepKind::Leave, true) => "undo-include",
            (StepKind::Discard, false) => "discard",
            (StepKind::Discard, true) => "undo-start",
            (StepKind::Stop, false) => "stop",
            (StepKind::Stop, true) => "undo-stop",
            (StepKind::Remove, false) => "remove",
            (StepKind::Remove, true) => "undo-remove",
            (StepKind::Forget, false) => "forget",
            (StepKind::Forget, true) => "undo-forget",
            (StepKind::Build(Stage::Check), _) => "check",
            (StepKind::Build(Stage::Download), _) => "download",
            (StepKind::Build(Stage::Compile), _) => "compile",
            (StepKind::Build(Stage::Record), _) => "record",
            (StepKind::Abandon, _) => "undo-build",
        }
    }

    /// What it does, for a person.
    pub fn title(self) -> &'static str {
        match self {
            StepKind::Place => "Reserve addresses",
            StepKind::Prepare => "Make keys and the genesis, initialise the nodes",
            StepKind::Start => "Start",
            StepKind::Ready => "Wait until the nodes answer and agree",
            StepKind::Settle => "Set up the ledger",
            StepKind::Compile => "Build the source",
            StepKind::Include => "Reserve addresses, make keys and certificates for the new processes",
            StepKind::Register => "Read its interface, and end the processes of the version that it replaces",
            StepKind::Exclude => "Remove the processes that were to run it",
            StepKind::Leave => "Take it out of the network's plan",
            StepKind::Discard => "Stop it, and remove its data, logs and keys",
            StepKind::Stop => "Stop",
            StepKind::Remove => "Remove processes, data and logs, and give the addresses back",
            StepKind::Forget => "Remove the records",
            StepKind::Build(Stage::Check) => "Look for Go, a C compiler where one is needed, and space",
            StepKind::Build(Stage::Download) => "Download the modules and check them",
            StepKind::Build(Stage::Compile) => "Compile",
            StepKind::Build(Stage::Record) => "Record what was built and put it into its place",
            StepKind::Abandon => "Remove the unfinished build",
        }
    }
}

/// What an operation changes.
pub(crate) struct Subject<'a> {
    /// Id of the network, the node or the engine's version.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Of this one operation at a time is under way: the network, or the engine's version.
    pub scope: &'a str,
    /// The network's consortium; empty for an engine.
    pub consortium: &'a str,
}

/// A queued operation that `caller` asked for.
pub(crate) fn new_operation(change: Change, subject: &Subject<'_>, caller: &Caller) -> operations::Operation {
    let steps = change
        .steps()
        .iter()
        .map(|kind| Step {
            name: kind.name(false).into(),
            title: kind.title().into(),
            status: OperationStatus::Queued,
            message: None,
            attempts: 0,
            started_at: None,
            finished_at: None,
        })
        .collect();
    operations::Operation {
        scope: subject.scope.into(),
        consortium: subject.consortium.into(),
        undoing: false,
        details: serde_json::Value::Null,
        shown: Operation {
            id: new_id("op"),
            kind: change.kind().into(),
            subject: subject.id.into(),
            subject_name: subject.name.into(),
            status: OperationStatus::Queued,
            steps,
            error: None,
            actor: caller.actor().to_string(),
            created_at: now(),
            started_at: None,
            finished_at: None,
        },
    }
}

/// An operation on a network that is to be recorded.
pub(crate) struct Wish<'a> {
    pub change: Change,
    /// Id and name of what it changes.
    pub subject: (&'a str, &'a str),
    /// What it is to bring about, for its steps.
    pub details: serde_json::Value,
    /// What the audit log tells of it.
    pub audited: serde_json::Value,
}

/// Records an operation that `caller` asked for, and tells each of the network's members of it.
pub(crate) async fn begin(tx: &mut Tx, caller: &Caller, network: &Network, wish: Wish<'_>) -> Result<Operation> {
    let (id, name) = wish.subject;
    let subject = Subject { id, name, scope: &network.id, consortium: &network.consortium };
    let operation = operations::Operation { details: wish.details, ..new_operation(wish.change, &subject, caller) };
    operations::insert(tx, &operation).await?;
    let entry = NewAudit {
        actor: caller.actor().to_string(),
        action: wish.change.kind(),
        subject: format!("network {}", network.id),
        organisation: None,
        details: wish.audited,
    };
    let members = networks::members(tx, &network.id).await?;
    tx.audit_each(&members, entry);
    tx.change("operation", &operation.shown.id, Some(&network.id));
    Ok(operation.shown)
}

/// Which operations to list.
#[derive(Clone, Debug, Default)]
pub struct OperationQuery {
    /// Id of what they change, or of its network.
    pub subject: Option<String>,
    /// Their state.
    pub status: Option<OperationStatus>,
    /// From `next` of the page before.
    pub cursor: Option<String>,
    /// Most entries to answer.
    pub limit: Option<u32>,
}

impl Control {
    /// Operations that the caller may see, newest first.
    pub async fn operations(&self, caller: &Caller, query: &OperationQuery) -> Result<Page<Operation>> {
        let paging = Paging::from_parts("operations", query.cursor.as_deref(), query.limit)?;
        let mut read = self.store().read().await?;
        let consortia = self.visible_consortia(&mut read, caller, Permission::OperationsRead).await?;
        let filter = operations::Filter { consortia, subject: query.subject.clone(), status: query.status };
        let rows =
            operations::list(&mut read, &filter, paging.after().unwrap_or_default(), i64::from(paging.fetch())).await?;
        Ok(paging.page(rows.into_iter().map(|row| row.shown).collect(), |operation: &Operation| operation.id.clone()))
    }

    /// One operation with its steps.
    pub async fn operation(&self, caller: &Caller, id: &str) -> Result<Operation> {
        let mut read = self.store().read().await?;
        Ok(self.find_operation(&mut read, caller, id).await?.shown)
    }

    /// Goes on with an operation that failed, from the step that failed.
    ///
    /// # Errors
    /// `operation.state` when it has not failed or was followed by another one.
    pub async fn resume_operation(&self, caller: &Caller, id: &str) -> Result<Operation> {
        self.requeue_operation(caller, id, Requeue::Resume).await
    }

    /// Takes back what an operation did. One that runs is stopped first.
    ///
    /// # Errors
    /// `operation.state` when it has succeeded, was followed by another one, or is of a kind that cannot be taken back.
    pub async fn undo_operation(&self, caller: &Caller, id: &str) -> Result<Operation> {
        self.requeue_operation(caller, id, Requeue::Undo).await
    }

    async fn requeue_operation(&self, caller: &Caller, id: &str, how: Requeue) -> Result<Operation> {
        let mut tx = self.store().begin().await?;
        let operation = self.find_operation(&mut tx, caller, id).await?;
        let network = match operation.network() {
            Some(network) => {
                let network = networks::get(&mut tx, network).await?.ok_or_else(|| refused("Its network is gone."))?;
                match store::nodes::get(&mut tx, &operation.shown.subject).await? {
                    Some(node) => caller.require_for(Permission::OperationsWrite, &node.organisation)?,
                    None => self.require_for_network(&mut tx, caller, Permission::OperationsWrite, &network).await?,
                }
                Some(network)
            }
            None => {
                caller.require(Permission::EnginesWrite)?;
                None
            }
        };
        let newest = operations::newest_of(&mut tx, &operation.scope).await?;
        if newest.is_some_and(|newest| newest.shown.id != operation.shown.id) {
            return Err(refused("Another operation on the same thing came after it."));
        }
        let undoing = how.check(&operation)?;
        let change = Change::parse(&operation.shown.kind)?;
        operations::requeue(&mut tx, id, undoing).await?;
        if undoing {
            for kind in change.undo_steps().unwrap_or_default() {
                operations::add_step(&mut tx, id, kind.name(true), &format!("Undo: {}", kind.title().to_lowercase()))
                    .await?;
            }
        }
        let entry = NewAudit {
            actor: caller.actor().to_string(),
            action: if undoing { "operation.undo" } else { "operation.resume" },
            subject: format!("operation {id}"),
            organisation: None,
            details: serde_json::json!({"kind": operation.shown.kind, "subject": operation.shown.subject_name}),
        };
        match &network {
            Some(network) => {
                if undoing {
                    steps::want_undone(&mut tx, &operation, network, change).await?;
                } else if change == Change::CreateNetwork {
                    networks::set_phase(&mut tx, &network.id, Phase::Creating, types::NetworkStatus::Creating, None)
                        .await?;
                }
                let members = networks::members(&mut tx, &network.id).await?;
                tx.audit_each(&members, entry);
                tx.change("network", &network.id, Some(&network.id));
            }
            None => tx.audit(entry),
        }
        tx.change("operation", id, operation.network());
        let shown = operations::get(&mut tx, id).await?.map_or(operation.shown, |operation| operation.shown);
        tx.commit().await?;
        // What drives it still does what was wanted before; the task starts it anew once that has ended.
        if let Some(driving) = self.runtime().driving.lock().get(id) {
            driving.cancel();
        }
        self.runtime().operations_due.notify_one();
        Ok(shown)
    }

    async fn find_operation(
        &self,
        read: &mut store::Connection,
        caller: &Caller,
        id: &str,
    ) -> Result<operations::Operation> {
        let visible = self.visible_consortia(read, caller, Permission::OperationsRead).await?;
        let operation = operations::get(read, id).await?;
        operation
            .filter(|operation| visible.is_none_or(|visible| visible.contains(&operation.consortium)))
            .ok_or_else(|| Error::not_found("operation", id))
    }
}

#[derive(Clone, Copy)]
enum Requeue {
    Resume,
    Undo,
}

impl Requeue {
    /// Whether the operation is to be taken back from here on.
    fn check(self, operation: &operations::Operation) -> Result<bool> {
        use OperationStatus::{Failed, Queued, Running, Succeeded, Undone, Waiting};
        let shown = &operation.shown;
        match (self, shown.status) {
            (Requeue::Resume, Failed) => Ok(operation.undoing),
            (Requeue::Resume, Succeeded | Undone) => Err(refused("It has ended.")),
            (Requeue::Resume, Queued | Running | Waiting) => {
                Err(refused("It has not stopped: nothing is to be resumed."))
            }
            (Requeue::Undo, Undone) => Err(refused("It was undone already.")),
            (Requeue::Undo, Succeeded) => Err(refused(
                "It has succeeded. Make the opposite change instead: stop what was started, delete what was made.",
            )),
            (Requeue::Undo, _) if operation.undoing => Err(refused("It is being undone. Resume it if that failed.")),
            (Requeue::Undo, _) if Change::parse(&shown.kind)?.undo_steps().is_none() => {
                Err(refused(&format!("A {} cannot be undone. Resume it.", shown.kind)))
            }
            (Requeue::Undo, _) => Ok(true),
        }
    }
}

fn refused(detail: &str) -> Error {
    Error::new(Code::OperationState, detail)
}
