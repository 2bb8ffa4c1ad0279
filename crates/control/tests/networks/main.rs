//! Networks through the control plane, with a host and an engine in memory, on SQLite and on PostgreSQL.

mod crashes;
mod demonstration;
mod lifecycle;
#[path = "../../../store/tests/support/postgres.rs"]
mod postgres;
mod sending;
mod world;

use std::time::Duration;

use control::{Actor, Caller, Config, Control, Foundation};
use types::{
    Grant, Network, NetworkStatus, NewConsortium, NewNetwork, NewOrganisation, Operation, OperationStatus, Role,
};

use world::World;

/// Everything here answers at once, but the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(30);
const MEMBERS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

/// A deployment that can be opened again and again.
struct Deployment {
    directory: tempfile::TempDir,
    world: World,
}

impl Deployment {
    fn new() -> Self {
        Self::of_engine("memory")
    }

    fn of_engine(engine: &'static str) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), world: World::of_engine(engine) }
    }

    async fn open(&self) -> Control {
        let mut config = Config::new(self.directory.path());
        config.admin_password = Some(keys::Secret::new("correct horse battery"));
        config.database = postgres::database_of(self.directory.path()).map(keys::Secret::new);
        let foundation = Foundation::open(config).await.unwrap();
        let control = Control::new(foundation, self.world.host(), self.world.drivers());
        control.start();
        control
    }

    /// Opens it for the first time, with four organisations in one consortium.
    async fn found(&self) -> Control {
        let control = self.open().await;
        for name in MEMBERS {
            let new = NewOrganisation { name: name.into(), title: None };
            control.create_organisation(&admin(), None, &new).await.unwrap();
        }
        let new = NewConsortium { name: "con".into(), title: None, members: MEMBERS.map(str::to_owned).to_vec() };
        control.create_consortium(&admin(), None, &new).await.unwrap();
        control
    }
}

#[test]
fn all_of_it_on_postgresql() {
    postgres::again_on_postgres("all_of_it_on_postgresql");
}

fn admin() -> Caller {
    Caller::server()
}

/// A caller with one role in one organisation.
async fn member(control: &Control, role: Role, organisation: &str) -> Caller {
    let organisation = control.get_organisation(&admin(), organisation).await.unwrap().id;
    Caller::new(
        Actor::User { id: format!("user_{organisation}"), name: "tester".into() },
        vec![Grant { role, organisation: Some(organisation) }],
    )
}

fn new_network(name: &str) -> NewNetwork {
    NewNetwork {
        name: name.into(),
        version: None,
        consortium: None,
        engine: "memory".into(),
        consensus: "bft".into(),
        nodes: Some(4),
        members: None,
        chain_id: None,
        genesis: None,
        options: None,
    }
}

/// Waits until an operation has ended.
async fn ended(control: &Control, operation: &str) -> Operation {
    eventually(async || {
        let operation = control.operation(&admin(), operation).await.unwrap();
        let done =
            matches!(operation.status, OperationStatus::Succeeded | OperationStatus::Failed | OperationStatus::Undone);
        if done { Ok(operation) } else { Err(format!("{operation:?}")) }
    })
    .await
}

async fn succeeded(control: &Control, operation: &Operation) -> Operation {
    let operation = ended(control, &operation.id).await;
    assert_eq!(operation.status, OperationStatus::Succeeded, "{operation:#?}");
    operation
}

/// Makes a network and waits until it runs.
async fn running_network(control: &Control, name: &str) -> Network {
    let created = control.create_network(&admin(), None, &new_network(name)).await.unwrap();
    succeeded(control, &created.operation).await;
    control.network(&admin(), name).await.unwrap()
}

async fn status_is(control: &Control, network: &str, status: NetworkStatus) -> Network {
    eventually(async || {
        let network = control.network(&admin(), network).await.unwrap();
        if network.status == status {
            Ok(network)
        } else {
            Err(format!("{:?}: {:?}", network.status, network.status_reason))
        }
    })
    .await
}

/// Tries until it is so, and fails with the last reason.
async fn eventually<T>(mut check: impl AsyncFnMut() -> Result<T, String>) -> T {
    let end = tokio::time::Instant::now() + DEADLINE;
    loop {
        match check().await {
            Ok(value) => return value,
            Err(reason) if tokio::time::Instant::now() >= end => panic!("not in time: {reason}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
