//! Transactions through members' accounts.

use control::{Idempotency, WAIT_LIMIT};
use serde_json::{Value, json};
use types::{Code, ContractCall, CreatedContract, NewContract, Role, TransactionStatus};

use super::world::NextSend;
use super::*;

fn artifact(name: &str) -> NewContract {
    NewContract {
        name: None,
        artifact: json!({"contractName": name, "abi": [{"type": "function", "name": "set"}], "bytecode": "0x00"}),
        args: None,
        from: None,
        address: None,
        transaction_hash: None,
    }
}

fn call(function: &str) -> ContractCall {
    ContractCall { function: function.into(), args: Some(json!([1])), from: None, value: None, transient: None }
}

async fn deploy(control: &Control, caller: &Caller) -> CreatedContract {
    control.create_contract(caller, "one", None, &artifact("Box"), WAIT_LIMIT).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_is_deployed_called_and_sent_to() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    running_network(&control, "one").await;
    let developer = member(&control, Role::Developer, "beta").await;
    let created = deploy(&control, &developer).await;
    let contract = created.contract.unwrap();
    assert_eq!((contract.name.as_str(), contract.member.as_deref()), ("Box", Some("beta")));
    let result = created.result.unwrap();
    assert_eq!(
        (result.status, result.block_number, result.address.as_ref()),
        (TransactionStatus::Success, Some(1), Some(&contract.address))
    );
    let answer = control.call_contract(&developer, "one", "Box", &call("get")).await.unwrap().result;
    assert_eq!(answer["function"], "get");
    let sent =
        control.send_to_contract(&developer, "one", &contract.address, None, &call("set"), WAIT_LIMIT).await.unwrap();
    assert_eq!(sent.block_number, Some(2));
    let unknown = control.contract(&developer, "one", "Bix").await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    let mut registered = artifact("Again");
    registered.address = Some(contract.address.clone());
    let again =
        control.create_contract(&admin(), "one", None, &registered, WAIT_LIMIT).await.unwrap().contract.unwrap();
    assert_eq!((again.id, again.name.as_str()), (contract.id, "Again"), "an administrator may register");
    registered.address = Some("0x00".into());
    assert_eq!(
        control.create_contract(&admin(), "one", None, &registered, WAIT_LIMIT).await.unwrap_err().code(),
        Code::RequestInvalid
    );
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_used_by_its_member_alone() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    running_network(&control, "one").await;
    let developer = member(&control, Role::Developer, "beta").await;
    let contract = deploy(&control, &developer).await.contract.unwrap().address;

    let code = async |caller: &Caller, from: Option<&str>| {
        let mut call = call("set");
        call.from = from.map(str::to_owned);
        control
            .send_to_contract(caller, "one", &contract, None, &call, WAIT_LIMIT)
            .await
            .map(|result| result.status)
            .map_err(|error| error.code())
    };
    assert_eq!(code(&developer, Some("beta")).await, Ok(TransactionStatus::Success));
    assert_eq!(code(&developer, Some("alpha")).await, Err(Code::AccountForbidden));
    assert_eq!(code(&developer, Some("nobody")).await, Err(Code::NotFound));
    let operator = member(&control, Role::Operator, "beta").await;
    assert_eq!(code(&operator, None).await, Err(Code::Forbidden), "the role sends nothing at all");
    assert_eq!(code(&admin(), Some("beta")).await, Err(Code::Forbidden));
    let mut deployment_as_admin = artifact("Box");
    for from in [None, Some("beta".to_owned())] {
        deployment_as_admin.from = from;
        let refused =
            control.create_contract(&admin(), "one", None, &deployment_as_admin, WAIT_LIMIT).await.unwrap_err();
        assert_eq!(refused.code(), Code::AccountForbidden, "an administrator of the platform uses no member's account");
    }
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_sends_use_each_counter_once() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let network = running_network(&control, "one").await;
    let developer = member(&control, Role::Developer, "beta").await;
    let contract = deploy(&control, &developer).await.contract.unwrap().address;
    let sends = (0..24).map(|_| {
        let (control, developer, contract) = (control.clone(), developer.clone(), contract.clone());
        tokio::spawn(async move {
            control.send_to_contract(&developer, "one", &contract, None, &call("set"), WAIT_LIMIT).await
        })
    });
    let mut hashes = Vec::new();
    for send in sends.collect::<Vec<_>>() {
        let result = send.await.unwrap().unwrap();
        assert_eq!(result.status, TransactionStatus::Success);
        hashes.push(result.transaction_hash);
    }
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 24);
    assert_eq!(deployment.world.included(&network.id).len(), 25);
    assert_eq!(deployment.world.offers(&network.id), 25, "none was refused and tried again");
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_unknown_and_found_out() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let network = running_network(&control, "one").await;
    let developer = member(&control, Role::Developer, "beta").await;
    deployment.world.next_send(NextSend::AnswerLost);
    let created = deploy(&control, &developer).await;
    // The wait finds it, although the answer to sending was lost.
    assert_eq!(created.result.unwrap().status, TransactionStatus::Success);
    assert!(created.contract.is_some());
    assert_eq!(deployment.world.offers(&network.id), 1);
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_transaction_is_unknown_then_the_same_one_is_offered_again() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let network = running_network(&control, "one").await;
    let developer = member(&control, Role::Developer, "beta").await;
    deployment.world.next_send(NextSend::Lost);
    let created = deploy(&control, &developer).await;
    let result = created.result.unwrap();
    assert_eq!(result.status, TransactionStatus::Unknown);
    assert!(created.contract.is_none());
    let error = control.transaction(&developer, "one", None, &result.transaction_hash).await.unwrap_err();
    assert_eq!(error.code(), Code::TransactionUnknown);
    control.close().await;
    drop(control);

    // A later server finds it out, and registers the contract that it makes.
    let control = deployment.open().await;
    eventually(async || control.contract(&admin(), "one", "Box").await.map_err(|error| error.to_string())).await;
    assert_eq!(
        deployment.world.included(&network.id),
        [result.transaction_hash],
        "the same transaction, and only once"
    );
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_transaction_frees_its_counter() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let network = running_network(&control, "one").await;
    let developer = member(&control, Role::Developer, "beta").await;
    deployment.world.next_send(NextSend::Refused);
    let refused = control.create_contract(&developer, "one", None, &artifact("Box"), WAIT_LIMIT).await.unwrap_err();
    assert_eq!(refused.code(), Code::TransactionRefused);
    assert!(deploy(&control, &developer).await.contract.is_some());
    assert_eq!(deployment.world.included(&network.id).len(), 1);
    control.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_sends_nothing_twice() {
    let deployment = Deployment::new();
    let control = deployment.found().await;
    let network = running_network(&control, "one").await;
    let developer = member(&control, Role::Developer, "beta").await;
    let key = Idempotency::new("deploy-1", "h".into()).unwrap();
    let first = control.create_contract(&developer, "one", Some(&key), &artifact("Box"), WAIT_LIMIT).await.unwrap();
    let second = control.create_contract(&developer, "one", Some(&key), &artifact("Box"), WAIT_LIMIT).await.unwrap();
    assert_eq!(first.contract.unwrap().address, second.contract.unwrap().address);
    assert_eq!(deployment.world.included(&network.id).len(), 1);
    let statistics = eventually(async || {
        let statistics = control.network_statistics(&developer, "one", 15).await.unwrap();
        let counted: u32 = statistics.points.iter().map(|point| point.transactions).sum();
        let timed = statistics.points.iter().any(|point| point.latency_p50_ms.is_some());
        if counted >= 1 && timed { Ok(statistics) } else { Err(format!("{counted} transactions")) }
    })
    .await;
    assert_eq!(statistics.interval_seconds, 5);
    assert_eq!(serde_json::to_value(statistics.points[0].latency_p99_ms).unwrap(), Value::Null);
    control.close().await;
}
