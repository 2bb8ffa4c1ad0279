//! Every route of the API description, called without credentials and with each role: who lacks the permission is refused, who
//! has it is not. A new route is covered as soon as it is described.

mod support;

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Client, PASSWORD, TestServer};
use types::{Permission, Role};

fn role_name(role: Role) -> String {
    serde_json::to_value(role).unwrap().as_str().unwrap().to_owned()
}

/// A client of a user with just this role, for the organisation `alpha`. Access keys: a walk must not sign itself out.
async fn client_of(server: &TestServer, admin: &Client, role: Role) -> Client {
    let name = role_name(role);
    let organisation = role.needs_organisation().then_some("alpha");
    let grants = json!([{"role": name, "organisation": organisation}]);
    admin.create("/users", json!({"name": name, "password": PASSWORD, "grants": grants})).await;
    let user = server.sign_in(&name, PASSWORD).await;
    let key = user.create("/access-keys", json!({"name": "walk"})).await;
    server.with_key(key["secret"].as_str().unwrap())
}

/// A path with something that is not there for each parameter.
fn concrete(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "nothing-here" } else { part }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_refuses_who_lacks_its_permission() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    admin.create("/organisations", json!({"name": "alpha"})).await;
    let mut clients = Vec::new();
    for role in Role::ALL {
        clients.push((*role, client_of(&server, &admin, *role).await));
    }
    let document = api::document();
    let mut calls = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let permission = operation["x-permission"].as_str().unwrap();
            let permission = *Permission::ALL.iter().find(|known| known.as_str() == permission).unwrap();
            let method: Method = method.to_uppercase().parse().unwrap();
            let target = if path.starts_with("/api/") { concrete(path) } else { format!("/{}", concrete(path)) };
            let call = async |client: &Client| client.request(method.clone(), &target).send().await.unwrap().status();
            let status = call(&server.anonymous()).await;
            match permission {
                Permission::Public => {
                    assert_ne!(status, StatusCode::UNAUTHORIZED, "{method} {path} without credentials")
                }
                _ => assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} without credentials"),
            }
            let status = call(&server.with_key("polder_key_0_0")).await;
            if permission != Permission::Public {
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} with a wrong key");
            }
            for (role, client) in &clients {
                let status = call(client).await;
                calls += 1;
                if permission == Permission::Application {
                    assert_eq!(
                        status,
                        StatusCode::UNAUTHORIZED,
                        "{method} {path} as {role:?}: no key of an application"
                    );
                } else if permission == Permission::Public || permission.roles().contains(role) {
                    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
                    assert!(!refused, "{method} {path} as {role:?}: {status}");
                    assert!(
                        !status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE,
                        "{method} {path} as {role:?}: {status}"
                    );
                } else {
                    assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path} as {role:?}");
                }
            }
        }
    }
    assert!(calls > 100, "only {calls} calls");
    server.stop().await.unwrap();
}

/// The matrix that a person reviews: permissions, who has them, and the routes behind them.
#[test]
fn the_permission_matrix() {
    let document = api::document();
    let mut routes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let permission = operation["x-permission"].as_str().unwrap().to_owned();
            routes.entry(permission).or_default().push(format!("{} {path}", method.to_uppercase()));
        }
    }
    let mut text = format!("{:22}", "permission");
    for role in Role::ALL {
        text.push_str(&format!("{:28}", role_name(*role)));
    }
    text = format!("{}\n", text.trim_end());
    for permission in Permission::ALL {
        let mut line = format!("{:22}", permission.as_str());
        for role in Role::ALL {
            line.push_str(&format!("{:28}", if permission.roles().contains(role) { "yes" } else { "-" }));
        }
        text.push_str(line.trim_end());
        text.push('\n');
        let mut routes = routes.remove(permission.as_str()).unwrap_or_default();
        routes.sort();
        for route in routes {
            text.push_str(&format!("    {route}\n"));
        }
    }
    assert_eq!(Value::from(routes.len()), 0, "routes with unknown permissions: {routes:?}");
    insta::assert_snapshot!(text);
}
