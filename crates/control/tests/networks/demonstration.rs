//! The demonstration and its traffic.

use control::demo;
use types::{Code, NetworkStatus, PageQuery};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_is_made_once_and_its_traffic_can_be_stopped() {
    let deployment = Deployment::of_engine("polder");
    let control = deployment.open().await;
    demo::ensure(&control).await.unwrap();
    demo::ensure(&control).await.unwrap();
    let network = control.network(&admin(), "demo/demo").await.unwrap();
    assert_eq!((network.status, network.nodes.len()), (NetworkStatus::Running, 4));
    let consortium = control.get_consortium(&admin(), "demo").await.unwrap();
    assert_eq!((consortium.title.as_str(), consortium.members.len()), ("Demo", 4));
    let token = control.contract(&admin(), "demo", "Token").await.unwrap();
    assert!(token.interface.as_array().unwrap().iter().any(|entry| entry["name"] == "transfer"));
    eventually(async || {
        let sent = deployment.world.included(&network.id).len();
        if sent >= 3 { Ok(()) } else { Err(format!("{sent} transactions")) }
    })
    .await;

    assert_eq!(control.stop_task(&admin(), "drive-operations").await.unwrap_err().code(), Code::RequestInvalid);
    assert_eq!(control.stop_task(&admin(), demo::TRAFFIC).await.unwrap().status, "stopped");
    control.close().await;
    drop(control);

    let control = deployment.open().await;
    demo::ensure(&control).await.unwrap();
    let task = |tasks: Vec<types::Task>| tasks.into_iter().find(|task| task.name == demo::TRAFFIC).unwrap();
    assert_eq!(task(control.tasks(&admin()).unwrap().items).status, "stopped", "it stays stopped");
    assert_eq!(control.start_task(&admin(), demo::TRAFFIC).await.unwrap().status, "running");
    let before = deployment.world.included(&network.id).len();
    eventually(async || {
        let sent = deployment.world.included(&network.id).len();
        if sent > before { Ok(()) } else { Err(format!("{sent} transactions")) }
    })
    .await;

    succeeded(&control, &control.delete_network(&admin(), "demo").await.unwrap()).await;
    demo::ensure(&control).await.unwrap();
    assert!(
        control.networks(&admin(), &PageQuery::default()).await.unwrap().items.is_empty(),
        "what was deleted stays away"
    );
    control.close().await;
}
