//! Signing in, users, access keys, organisations, consortia and the audit log through the real server.

mod support;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Auth, PASSWORD, TestServer, problem};

#[tokio::test]
async fn a_session_needs_its_cookie_and_its_csrf_token() {
    let server = TestServer::start().await;
    let anonymous = server.anonymous();
    problem(anonymous.get("/session").await, "auth.required").await;
    problem(anonymous.post("/session", json!({"user": "admin", "password": "wrong password"})).await, "auth.failed")
        .await;
    problem(anonymous.post("/session", json!({"user": "nobody", "password": "wrong password"})).await, "auth.failed")
        .await;

    let response = anonymous.post("/session", json!({"user": "admin", "password": PASSWORD})).await;
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("polder_session="), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "plain HTTP on loopback: {cookie}");

    let mut administrator = server.administrator().await;
    let session = administrator.get_ok("/session").await;
    assert_eq!(session["user"]["name"], "admin");
    assert_eq!(session["user"]["grants"], json!([{"role": "platform-administrator", "organisation": null}]));
    assert!(session["permissions"].as_array().unwrap().contains(&json!("users:write")));
    assert!(!session["permissions"].as_array().unwrap().contains(&json!("ledger:write")));

    let Auth::Csrf(token) = std::mem::replace(&mut administrator.auth, Auth::None) else { unreachable!() };
    problem(administrator.post("/organisations", json!({"name": "a"})).await, "auth.csrf").await;
    administrator.auth = Auth::Csrf("0".repeat(64));
    problem(administrator.post("/organisations", json!({"name": "a"})).await, "auth.csrf").await;
    administrator.auth = Auth::Csrf(token);
    administrator.create("/organisations", json!({"name": "a"})).await;
    assert_eq!(administrator.delete("/session").await.status(), StatusCode::NO_CONTENT);
    problem(administrator.get("/session").await, "auth.required").await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn guessing_a_password_is_slowed_down() {
    let server = TestServer::start().await;
    let anonymous = server.anonymous();
    for _ in 0..5 {
        problem(anonymous.post("/session", json!({"user": "admin", "password": "wrong"})).await, "auth.failed").await;
    }
    let response = anonymous.post("/session", json!({"user": "admin", "password": PASSWORD})).await;
    assert!(response.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
    problem(response, "auth.throttled").await;
}

#[tokio::test]
async fn a_member_is_administered_by_its_own_people_only() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    for name in ["alpha", "beta"] {
        admin.create("/organisations", json!({"name": name})).await;
    }
    let grant = |role: &str, organisation: &str| json!({"role": role, "organisation": organisation});
    let user = |name: &str, grants: Value| json!({"name": name, "password": PASSWORD, "grants": grants});
    admin.create("/users", user("ann", json!([grant("organisation-administrator", "alpha")]))).await;
    admin.create("/users", user("bob", json!([grant("auditor", "beta")]))).await;
    admin.create("/users", user("both", json!([grant("operator", "alpha"), grant("operator", "beta")]))).await;

    let ann = server.sign_in("ann", PASSWORD).await;
    let seen = ann.get_ok("/users").await;
    let names: Vec<&str> =
        seen["items"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ann", "both"]);
    problem(ann.get("/users/bob").await, "not_found").await;
    assert_eq!(ann.get_ok("/users/both").await["grants"].as_array().unwrap().len(), 1, "only what concerns alpha");

    ann.create("/users", user("dev", json!([grant("developer", "alpha")]))).await;
    problem(ann.post("/users", user("evil", json!([grant("developer", "beta")]))).await, "auth.forbidden").await;
    let platform = json!([{"role": "platform-administrator"}]);
    problem(ann.post("/users", user("evil", platform)).await, "auth.forbidden").await;
    problem(ann.delete("/users/both").await, "auth.forbidden").await;
    let password = json!({"password": "a brand new password"});
    let response = ann.request(Method::PATCH, "/users/both").json(&password).send().await.unwrap();
    problem(response, "auth.forbidden").await;
    let response = ann.request(Method::PATCH, "/users/both").json(&json!({"grants": []})).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let left = admin.get_ok("/users/both").await;
    assert_eq!(left["grants"].as_array().unwrap().len(), 1, "beta's grant stays: {left}");

    let bob = server.sign_in("bob", PASSWORD).await;
    problem(bob.post("/users", user("x", json!([]))).await, "auth.forbidden").await;
    let audit = bob.get_ok("/audit").await;
    for entry in audit["items"].as_array().unwrap() {
        assert!(entry["organisation"].is_string(), "{entry}");
    }
    // A new password by an administrator ends the sessions.
    let response = admin.request(Method::PATCH, "/users/bob").json(&password).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    problem(bob.get("/session").await, "auth.expired").await;
    problem(admin.delete("/users/admin").await, "user.last_administrator").await;
    assert_eq!(admin.delete("/users/bob").await.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn ones_own_password() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    let other = server.administrator().await;
    let change = |current: &str, new: &str| json!({"currentPassword": current, "newPassword": new});
    problem(admin.post("/session/password", change("wrong", "a brand new password")).await, "auth.failed").await;
    problem(admin.post("/session/password", change(PASSWORD, "short")).await, "password.weak").await;
    let response = admin.post("/session/password", change(PASSWORD, "a brand new password")).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    admin.get_ok("/session").await;
    problem(other.get("/session").await, "auth.expired").await;
    server.sign_in("admin", "a brand new password").await;
    // What `polder server reset-password` does.
    let drawn = control::reset_password(server.control.store(), "admin", None).await.unwrap().unwrap();
    problem(admin.get("/session").await, "auth.expired").await;
    server.sign_in("admin", drawn.expose()).await;
}

#[tokio::test]
async fn an_access_key_is_shown_once_and_does_no_more_than_its_user() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    let organisation = admin.create("/organisations", json!({"name": "alpha"})).await;
    let grants =
        json!([{"role": "operator", "organisation": organisation["id"]}, {"role": "auditor", "organisation": "alpha"}]);
    admin.create("/users", json!({"name": "op", "password": PASSWORD, "grants": grants})).await;
    let op = server.sign_in("op", PASSWORD).await;

    let only = json!([{"role": "auditor", "organisation": "alpha"}]);
    let made = op.create("/access-keys", json!({"name": "ci", "grants": only})).await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with(&format!("polder_{}_", made["id"].as_str().unwrap())));
    problem(op.post("/access-keys", json!({"name": "ci"})).await, "name.taken").await;
    let more = json!({"name": "more", "grants": [{"role": "developer", "organisation": "alpha"}]});
    problem(op.post("/access-keys", more).await, "auth.forbidden").await;
    problem(op.post("/access-keys", json!({"name": "past", "expiresAt": 1})).await, "request.invalid").await;

    let listed = op.get_ok("/access-keys").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert!(!listed.to_string().contains("secret"), "{listed}");
    let program = server.with_key(secret);
    let session = program.get_ok("/session").await;
    assert_eq!(session["csrfToken"], Value::Null);
    assert_eq!(session["user"]["grants"].as_array().unwrap().len(), 1);
    program.get_ok("/audit").await;
    assert!(op.get_ok("/access-keys").await["items"][0]["lastUsedAt"].is_i64());

    // What the user loses, the key loses.
    let none = json!({"grants": []});
    admin.request(Method::PATCH, "/users/op").json(&none).send().await.unwrap().error_for_status().unwrap();
    problem(program.get("/audit").await, "auth.forbidden").await;
    let wrong = format!("{}0", &secret[..secret.len() - 1]);
    if wrong != secret {
        problem(server.with_key(&wrong).get("/session").await, "auth.expired").await;
    }
    for nonsense in ["polder_", "x", "polder_key_1_2", "polder__"] {
        problem(server.with_key(nonsense).get("/session").await, "auth.expired").await;
    }
    let path = format!("/access-keys/{}", made["id"].as_str().unwrap());
    assert_eq!(op.delete(&path).await.status(), StatusCode::NO_CONTENT);
    problem(program.get("/session").await, "auth.expired").await;
}

#[tokio::test]
async fn a_consortium_is_signed_by_each_member() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    for name in ["alpha", "beta", "gamma"] {
        admin.create("/organisations", json!({"name": name, "title": name.to_uppercase()})).await;
    }
    let found = |members: Value| json!({"name": "demo", "members": members});
    for (members, field) in
        [(json!([]), "members"), (json!(["alpha", "zeta"]), "members[1]"), (json!(["alpha", "alpha"]), "members[1]")]
    {
        let wrong = problem(admin.post("/consortia", found(members)).await, "consortium.members").await;
        assert_eq!(wrong["fields"][0]["field"], field);
    }
    let consortium = admin.create("/consortia", found(json!(["beta", "alpha"]))).await;
    let id = consortium["id"].as_str().unwrap();
    let statement = {
        let mut connection = server.control.store().read().await.unwrap();
        store::consortia::statement(&mut connection, id).await.unwrap().unwrap()
    };
    let parsed: Value = serde_json::from_str(&statement).unwrap();
    assert_eq!(parsed["statement"], "polder consortium founding v1");
    assert_eq!(parsed["id"], id);
    let members = consortium["members"].as_array().unwrap();
    assert_eq!(members.iter().map(|member| member["name"].as_str().unwrap()).collect::<Vec<_>>(), ["beta", "alpha"]);
    for (index, member) in members.iter().enumerate() {
        assert_eq!(parsed["members"][index]["publicKey"], member["publicKey"]);
        let (key, signature) = (member["publicKey"].as_str().unwrap(), member["signature"].as_str().unwrap());
        assert!(keys::verify(key, statement.as_bytes(), signature));
        assert!(!keys::verify(key, b"something else", signature));
    }
    assert_eq!(admin.get_ok("/consortia/demo").await, consortium);
    problem(admin.post("/consortia", found(json!(["alpha"]))).await, "name.taken").await;
    problem(admin.delete("/organisations/alpha").await, "in_use").await;

    // Gamma is no member and sees neither the consortium nor the others.
    let grants = json!([{"role": "auditor", "organisation": "gamma"}]);
    admin.create("/users", json!({"name": "gus", "password": PASSWORD, "grants": grants})).await;
    let gus = server.sign_in("gus", PASSWORD).await;
    problem(gus.get("/consortia/demo").await, "not_found").await;
    problem(gus.get("/organisations/alpha").await, "not_found").await;
    let grants = json!([{"role": "auditor", "organisation": "alpha"}]);
    admin.create("/users", json!({"name": "ali", "password": PASSWORD, "grants": grants})).await;
    let ali = server.sign_in("ali", PASSWORD).await;
    assert_eq!(ali.get_ok("/organisations/beta").await["title"], "BETA");
    let joined = ali.get_ok("/audit").await;
    assert!(joined["items"].as_array().unwrap().iter().any(|entry| entry["action"] == "consortium.join"), "{joined}");

    assert_eq!(admin.delete("/consortia/demo").await.status(), StatusCode::NO_CONTENT);
    assert_eq!(admin.delete("/organisations/alpha").await.status(), StatusCode::NO_CONTENT);
    assert_eq!(ali.get_ok("/session").await["user"]["grants"], json!([]), "grants for it are gone");
    let check = admin.get_ok("/audit/check").await;
    assert_eq!(check["intact"], true, "{check}");
    assert!(check["entries"].as_i64().unwrap() > 10);
}

#[tokio::test]
async fn a_repeated_creation_creates_once() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    let send = async |path: &str, key: &str, body: Value| {
        admin.request(Method::POST, path).header("idempotency-key", key).json(&body).send().await.unwrap()
    };
    let first: Value = send("/organisations", "k1", json!({"name": "alpha"})).await.json().await.unwrap();
    let response = send("/organisations", "k1", json!({"name": "alpha"})).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(response.json::<Value>().await.unwrap(), first);
    problem(send("/organisations", "k1", json!({"name": "beta"})).await, "request.idempotency_conflict").await;
    problem(
        send("/users", "k1", json!({"name": "u", "password": PASSWORD, "grants": []})).await,
        "request.idempotency_conflict",
    )
    .await;
    problem(send("/organisations", "k2", json!({"name": "alpha"})).await, "name.taken").await;
    problem(send("/organisations", "a b", json!({"name": "beta"})).await, "request.invalid").await;

    let key: Value = send("/access-keys", "k3", json!({"name": "ci"})).await.json().await.unwrap();
    let again: Value = send("/access-keys", "k3", json!({"name": "ci"})).await.json().await.unwrap();
    assert_eq!(again["id"], key["id"]);
    assert!(key["secret"].is_string() && again.get("secret").is_none(), "the secret is shown once: {again}");
}

#[tokio::test]
async fn lists_page_and_refuse_what_they_do_not_know() {
    let server = TestServer::start().await;
    let admin = server.administrator().await;
    for number in 0..5 {
        admin.create("/organisations", json!({"name": format!("org{number}")})).await;
    }
    let mut names = Vec::new();
    let mut path = "/organisations?limit=2".to_owned();
    loop {
        let page = admin.get_ok(&path).await;
        names.extend(page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/organisations?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["org0", "org1", "org2", "org3", "org4"]);
    let cursor = path.rsplit('=').next().unwrap();
    problem(admin.get(&format!("/users?cursor={cursor}")).await, "request.cursor").await;
    problem(admin.get("/organisations?limit=0").await, "request.invalid").await;
    problem(admin.get("/organisations?colour=red").await, "request.invalid").await;
}

#[test]
fn all_of_it_on_postgresql() {
    support::postgres::again_on_postgres("all_of_it_on_postgresql");
}
