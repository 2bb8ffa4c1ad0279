//! The demonstration: a consortium of four organisations, a network, a sample token, and a little traffic.
//!
//! It is made once for a deployment. Whoever deletes it does not get it back at the next start.

use std::time::Duration;

use driver::{Action, Transient};
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};
use store::accounts::Account;
use store::networks::{self, Network};
use store::settings;
use store::transactions::Deployment;
use tokio::sync::Notify;
use types::{Code, NetworkStatus, NewConsortium, NewNetwork, NewOrganisation, OperationStatus, TransactionStatus};

use crate::send::{WAIT_LIMIT, Wanted};
use crate::tasks::TaskSpec;
use crate::{Caller, Control, Error, Result};

/// The task that sends.
pub const TRAFFIC: &str = "demo-traffic";
const CONSORTIUM: &str = "demo";
const NETWORK: &str = "demo";
const ENGINE: &str = "polder";
const TOKEN: &str = "Token";
const ORGANISATIONS: [(&str, &str); 4] = [
    ("noordzee", "Noordzee Shipping"),
    ("meridian", "Meridian Bank"),
    ("hanse", "Hanse Insurance"),
    ("delta", "Delta Customs"),
];
/// Says in the settings what was made: `made`, once all is there.
const SETTING: &str = "demo";
/// At most two transactions a second.
const PAUSE: Duration = Duration::from_millis(600);
/// The sample contract, compiled.
const ARTIFACT: &str = include_str!("../../../contracts/artifacts/Token.json");

/// Makes what is missing of the demonstration, unless it was made before, and starts its traffic.
///
/// # Errors
/// Those of the creations that it is made of.
pub async fn ensure(control: &Control) -> Result<()> {
    let made = settings::get(&mut *control.store().read().await?, SETTING).await?;
    if made.is_none() {
        make(control).await?;
        let mut tx = control.store().begin().await?;
        settings::set(&mut tx, SETTING, "made").await?;
        tx.commit().await?;
    }
    if control.runtime().tasks.get(TRAFFIC).is_none() {
        start_traffic(control).await?;
    }
    Ok(())
}

async fn make(control: &Control) -> Result<()> {
    let caller = Caller::server();
    for (name, title) in ORGANISATIONS {
        let new = NewOrganisation { name: name.into(), title: Some(title.into()) };
        unless_taken(control.create_organisation(&caller, None, &new).await)?;
    }
    let members = ORGANISATIONS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let new = NewConsortium { name: CONSORTIUM.into(), title: Some("Demo".into()), members };
    unless_taken(control.create_consortium(&caller, None, &new).await)?;
    let new = NewNetwork {
        name: NETWORK.into(),
        version: None,
        consortium: Some(CONSORTIUM.into()),
        engine: ENGINE.into(),
        consensus: "bft".into(),
        nodes: Some(4),
        members: None,
        chain_id: None,
        genesis: None,
        options: None,
    };
    unless_taken(control.create_network(&caller, None, &new).await)?;
    wait_until_made(control).await?;
    deploy_token(control).await
}

fn unless_taken<T>(result: Result<T>) -> Result<()> {
    match result {
        Err(error) if error.code() == Code::NameTaken => Ok(()),
        other => other.map(|_| ()),
    }
}

async fn wait_until_made(control: &Control) -> Result<()> {
    let mut watch = control.store().watch_changes();
    // What made an earlier start fail may be gone.
    let mut resumed = false;
    loop {
        let operation = {
            let mut read = control.store().read().await?;
            let network = network(&mut read).await?;
            store::operations::newest_of(&mut read, &network.id).await?
        };
        match operation.map(|operation| operation.shown) {
            Some(operation) if operation.status == OperationStatus::Failed && !resumed => {
                control.resume_operation(&Caller::server(), &operation.id).await?;
                resumed = true;
            }
            Some(operation) if operation.status == OperationStatus::Failed => {
                let detail = operation.error.map(|problem| problem.detail).unwrap_or_default();
                return Err(Error::new(
                    Code::NetworkState,
                    format!("The demonstration's network could not be made: {detail}"),
                ));
            }
            Some(operation) if operation.status != OperationStatus::Succeeded => watch.wait().await,
            _ => return Ok(()),
        }
    }
}

async fn network(read: &mut store::Connection) -> Result<Network> {
    let consortium =
        store::consortia::find(read, CONSORTIUM).await?.ok_or_else(|| Error::not_found("consortium", CONSORTIUM))?;
    let found = networks::by_name(read, NETWORK).await?.into_iter().find(|network| network.consortium == consortium.id);
    found.ok_or_else(|| Error::not_found("network", NETWORK))
}

async fn deploy_token(control: &Control) -> Result<()> {
    let mut read = control.store().read().await?;
    let network = network(&mut read).await?;
    if !store::contracts::find(&mut read, &network.id, TOKEN).await?.is_empty() {
        return Ok(());
    }
    let accounts = store::accounts::of_network(&mut read, &network.id).await?;
    drop(read);
    let deployer =
        accounts.first().ok_or_else(|| Error::Internal("the demonstration's network has no accounts".into(), None))?;
    for account in &accounts {
        let details = json!({"for": "the demonstration: its token and its traffic, by the founding shortcut"});
        control.audit_use(&Caller::server(), &network, account, "account.demonstration", details).await?;
    }
    let artifact: Value =
        serde_json::from_str(ARTIFACT).map_err(|error| Error::internal("the sample contract", error))?;
    let deploys = Deployment { name: TOKEN.into(), interface: artifact["abi"].clone() };
    let args = json!(["Demo Token", "DEMO", "1000000000000000000000000"]);
    let wanted = Wanted {
        action: Action::Deploy { artifact, args },
        value: None,
        transient: Transient::new(),
        channel: None,
        deploys: Some(deploys),
        patience: WAIT_LIMIT,
        remember: None,
    };
    let result = control.send_from(&network, deployer, wanted).await?;
    match result.status {
        TransactionStatus::Success => Ok(()),
        status => Err(Error::new(
            Code::TransactionUnknown,
            format!("The sample contract's transaction {} ended as {status:?}.", result.transaction_hash),
        )),
    }
}

async fn start_traffic(control: &Control) -> Result<()> {
    let wanted = store::statistics::task_wanted(&mut *control.store().read().await?, TRAFFIC).await?;
    let spec = TaskSpec {
        name: TRAFFIC,
        description: "Sends tokens between the members of the demonstration's network, at most two transactions a second.",
        period: PAUSE,
        wake: std::sync::Arc::new(Notify::new()),
        stoppable: true,
        wanted: wanted.unwrap_or(true),
    };
    let own = control.clone();
    control.runtime().tasks.spawn(spec, move || {
        let control = own.clone();
        async move { send_one(&control).await }
    });
    Ok(())
}

/// Sends some tokens from one member to another, while the network runs.
async fn send_one(control: &Control) -> Result<()> {
    let mut read = control.store().read().await?;
    // Somebody may have deleted the network or taken the demonstration apart.
    let Ok(network) = network(&mut read).await else { return Ok(()) };
    let token = store::contracts::find(&mut read, &network.id, TOKEN)
        .await?
        .into_iter()
        .find(|contract| contract.transaction_hash.is_some());
    let accounts = store::accounts::of_network(&mut read, &network.id).await?;
    drop(read);
    let Some(token) = token.filter(|_| matches!(network.status, NetworkStatus::Running | NetworkStatus::Degraded))
    else {
        return Ok(());
    };
    let pair: Vec<&Account> = accounts.sample(&mut rand::rng(), 2).collect();
    let (Some(mut from), Some(to)) = (pair.first().copied(), pair.last().copied()) else { return Ok(()) };
    let query = driver::Query {
        from: None,
        contract: token.address.clone(),
        interface: token.interface.clone(),
        function: "balanceOf".into(),
        args: json!([from.address]),
        value: None,
        transient: Transient::new(),
    };
    let balance = control.ledger_of(&network).await?.query(&query).await?;
    let amount = 1_000_000_000_000_000_000u128 * rand::random_range(1..=20u128);
    if balance.as_str().and_then(|balance| balance.parse::<u128>().ok()).is_none_or(|balance| balance < amount) {
        // Whoever deployed the token owns most of it.
        from =
            accounts.iter().find(|account| Some(&account.organisation) == token.organisation.as_ref()).unwrap_or(from);
    }
    let action = Action::Send {
        contract: token.address,
        interface: token.interface,
        function: "transfer".into(),
        args: json!([to.address, amount.to_string()]),
    };
    control
        .send_from(
            &network,
            from,
            Wanted {
                action,
                value: None,
                transient: Transient::new(),
                channel: None,
                deploys: None,
                patience: WAIT_LIMIT,
                remember: None,
            },
        )
        .await?;
    Ok(())
}
