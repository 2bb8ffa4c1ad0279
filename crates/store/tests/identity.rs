//! Users, sessions, keys, organisations, consortia and the books, over both databases.

mod support;

use std::time::Duration;

use serde_json::json;
use store::{
    Error, NewAudit, Store, access_keys, audit, changes, consortia, idempotency, organisations, sessions, settings,
    users,
};
use support::Case;
use types::{AccessKey, Consortium, Grant, Member, Organisation, Role, User};

const CASES: &[Case] = cases![
    users_and_their_grants,
    sessions_and_keys_go_with_their_user,
    organisations_and_consortia_hold_each_other,
    the_audit_log_is_append_only_and_shows_tampering,
    side_by_side_changes_get_an_order_without_gaps,
    what_is_undone_tells_no_one,
    answers_are_recorded_once,
];

#[test]
fn sqlite() {
    support::over_sqlite(CASES);
}

#[test]
fn postgresql() {
    support::over_postgres(CASES);
}

fn user(name: &str, grants: &[(Role, Option<&str>)]) -> User {
    let grants = grants
        .iter()
        .map(|(role, organisation)| Grant { role: *role, organisation: organisation.map(str::to_owned) })
        .collect();
    User { id: format!("user_{name}"), name: name.into(), grants, created_at: 1 }
}

fn organisation(name: &str) -> Organisation {
    Organisation {
        id: format!("org_{name}"),
        name: name.into(),
        title: name.to_uppercase(),
        public_key: "00".into(),
        created_at: 1,
    }
}

fn consortium(name: &str, members: &[&str]) -> Consortium {
    let members = members
        .iter()
        .map(|member| Member {
            organisation: format!("org_{member}"),
            name: (*member).into(),
            title: member.to_uppercase(),
            public_key: "00".into(),
            signature: "11".into(),
            joined_at: 2,
        })
        .collect();
    Consortium { id: format!("con_{name}"), name: name.into(), title: "ünï".into(), members, created_at: 2 }
}

async fn with_organisations(store: &Store, names: &[&str]) {
    let mut tx = store.begin().await.unwrap();
    for name in names {
        organisations::insert(&mut tx, &organisation(name), "sealed").await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn users_and_their_grants(store: Store) {
    with_organisations(&store, &["a", "b"]).await;
    let ann = user("ann", &[(Role::Operator, Some("org_a")), (Role::Operator, Some("org_b"))]);
    let bob = user("bob", &[(Role::PlatformAdministrator, None)]);
    let mut tx = store.begin().await.unwrap();
    users::insert(&mut tx, &ann, "hash").await.unwrap();
    users::insert(&mut tx, &bob, "hash").await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.begin().await.unwrap();
    let error = users::insert(&mut tx, &User { id: "user_x".into(), ..ann.clone() }, "hash").await.unwrap_err();
    assert!(matches!(error, Error::Taken { .. }), "{error:?}");
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    let twice = [bob.grants[0].clone(), bob.grants[0].clone()];
    let error = users::replace_grants(&mut tx, "user_bob", &twice).await.unwrap_err();
    assert!(matches!(error, Error::Taken { .. }), "{error:?}");
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    let nowhere = [Grant { role: Role::Auditor, organisation: Some("org_none".into()) }];
    let error = users::replace_grants(&mut tx, "user_bob", &nowhere).await.unwrap_err();
    assert!(matches!(error, Error::Referenced(_)), "{error:?}");
    drop(tx);

    let mut read = store.read().await.unwrap();
    for key in ["ann", "user_ann"] {
        assert_eq!(users::find(&mut read, key).await.unwrap().unwrap().grants, ann.grants);
    }
    assert!(users::find(&mut read, "Ann").await.unwrap().is_none());
    assert_eq!(users::count(&mut read).await.unwrap(), 2);
    assert_eq!(users::count_role(&mut read, Role::PlatformAdministrator).await.unwrap(), 1);
    let both = ["org_a".to_owned(), "org_b".to_owned()];
    let names = |users: Vec<User>| users.into_iter().map(|user| user.name).collect::<Vec<_>>();
    assert_eq!(names(users::list(&mut read, Some(&both), None, 10).await.unwrap()), ["ann"], "once, though in both");
    assert_eq!(names(users::list(&mut read, None, None, 1).await.unwrap()), ["ann"]);
    assert_eq!(names(users::list(&mut read, None, Some("ann"), 10).await.unwrap()), ["bob"]);
    drop(read);

    let mut tx = store.begin().await.unwrap();
    organisations::delete(&mut tx, "org_a").await.unwrap();
    tx.commit().await.unwrap();
    let left = users::find(&mut store.read().await.unwrap(), "ann").await.unwrap().unwrap().grants;
    assert_eq!(left, ann.grants[1..], "grants go with their organisation");
}

async fn sessions_and_keys_go_with_their_user(store: Store) {
    let ann = user("ann", &[]);
    let session = |hash: &str, expires_at| sessions::Session {
        token_hash: hash.into(),
        user: ann.id.clone(),
        created_at: 1,
        used_at: 1,
        expires_at,
    };
    let key = AccessKey {
        id: "key_1".into(),
        name: "ci".into(),
        user: ann.id.clone(),
        grants: vec![Grant { role: Role::PlatformAdministrator, organisation: None }],
        created_at: 1,
        last_used_at: None,
        expires_at: Some(9),
        secret: None,
    };
    let mut tx = store.begin().await.unwrap();
    users::insert(&mut tx, &ann, "hash").await.unwrap();
    for (hash, end) in [("s1", 10), ("s2", 20), ("s3", 30)] {
        sessions::insert(&mut tx, &session(hash, end)).await.unwrap();
    }
    access_keys::insert(&mut tx, &key, "secret-hash").await.unwrap();
    access_keys::touch(&mut tx, "key_1", 5).await.unwrap();
    sessions::touch(&mut tx, "s2", 5, 25).await.unwrap();
    assert_eq!(sessions::trim(&mut tx, 15).await.unwrap(), 1);
    tx.commit().await.unwrap();

    let mut read = store.read().await.unwrap();
    assert!(sessions::find(&mut read, "s1").await.unwrap().is_none());
    assert_eq!(sessions::find(&mut read, "s2").await.unwrap().unwrap().expires_at, 25);
    let found = access_keys::find(&mut read, "key_1").await.unwrap().unwrap();
    assert_eq!((found.last_used_at, found.expires_at, found.grants), (Some(5), Some(9), key.grants.clone()));
    assert_eq!(access_keys::secret_hash(&mut read, "key_1").await.unwrap().as_deref(), Some("secret-hash"));
    assert_eq!(access_keys::list(&mut read, None, None, 5).await.unwrap().len(), 1);
    assert!(access_keys::list(&mut read, Some("user_bob"), None, 5).await.unwrap().is_empty());
    assert!(access_keys::list(&mut read, Some("user_ann"), Some("key_1"), 5).await.unwrap().is_empty());
    drop(read);

    let mut tx = store.begin().await.unwrap();
    sessions::delete_of_user(&mut tx, &ann.id, "s3").await.unwrap();
    assert!(sessions::find(&mut tx, "s2").await.unwrap().is_none());
    assert!(sessions::find(&mut tx, "s3").await.unwrap().is_some());
    assert!(users::delete(&mut tx, &ann.id).await.unwrap());
    assert!(!users::delete(&mut tx, &ann.id).await.unwrap());
    assert!(sessions::find(&mut tx, "s3").await.unwrap().is_none());
    assert!(access_keys::find(&mut tx, "key_1").await.unwrap().is_none());
    tx.commit().await.unwrap();
}

async fn organisations_and_consortia_hold_each_other(store: Store) {
    with_organisations(&store, &["a", "b", "c"]).await;
    let demo = consortium("demo", &["b", "a"]);
    let mut tx = store.begin().await.unwrap();
    consortia::insert(&mut tx, &demo, "statement").await.unwrap();
    tx.commit().await.unwrap();

    let mut read = store.read().await.unwrap();
    let found = consortia::find(&mut read, "demo").await.unwrap().unwrap();
    assert_eq!(
        serde_json::to_value(&found).unwrap(),
        serde_json::to_value(&demo).unwrap(),
        "members in the order given"
    );
    assert_eq!(consortia::statement(&mut read, "con_demo").await.unwrap().as_deref(), Some("statement"));
    let near = |id: &str| vec![id.to_owned()];
    assert_eq!(consortia::list(&mut read, Some(&near("org_a")), None, 5).await.unwrap().len(), 1);
    assert!(consortia::list(&mut read, Some(&near("org_c")), None, 5).await.unwrap().is_empty());
    let names = |found: Vec<Organisation>| found.into_iter().map(|one| one.name).collect::<Vec<_>>();
    assert_eq!(names(organisations::list(&mut read, Some(&near("org_a")), None, 5).await.unwrap()), ["a", "b"]);
    assert_eq!(names(organisations::list(&mut read, Some(&near("org_c")), None, 5).await.unwrap()), ["c"]);
    assert_eq!(names(organisations::list(&mut read, None, Some("a"), 1).await.unwrap()), ["b"]);
    assert!(organisations::share_consortium(&mut read, "org_a", "org_b").await.unwrap());
    assert!(!organisations::share_consortium(&mut read, "org_a", "org_c").await.unwrap());
    assert_eq!(organisations::sealed_key(&mut read, "org_a").await.unwrap().as_deref(), Some("sealed"));
    drop(read);

    let mut tx = store.begin().await.unwrap();
    let error = organisations::delete(&mut tx, "org_a").await.unwrap_err();
    assert!(matches!(error, Error::Referenced(_)), "{error:?}");
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    assert!(consortia::delete(&mut tx, "con_demo").await.unwrap());
    assert!(organisations::delete(&mut tx, "org_a").await.unwrap());
    tx.commit().await.unwrap();
}

fn entry(number: i64) -> NewAudit {
    NewAudit {
        actor: "user ann".into(),
        action: "test.act",
        subject: format!("thing {number}"),
        organisation: (number % 2 == 0).then(|| "org_a".into()),
        details: json!({"z": number, "a": {"text": "ä\"\n", "fraction": 0.1, "none": null}}),
    }
}

async fn the_audit_log_is_append_only_and_shows_tampering(store: Store) {
    for number in 1..=5 {
        let mut tx = store.begin().await.unwrap();
        tx.audit(entry(number));
        tx.commit().await.unwrap();
    }
    let mut read = store.read().await.unwrap();
    let check = audit::check(&mut read).await.unwrap();
    assert!(check.intact && check.entries == 5, "{check:?}");
    let all = audit::list(&mut read, None, None, 10).await.unwrap();
    assert_eq!(all.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
    assert_eq!(check.head, all[0].hash);
    // What the API answers is enough to follow the chain.
    let answered: types::AuditEntry = serde_json::from_str(&serde_json::to_string(&all[0]).unwrap()).unwrap();
    assert_eq!(audit::chain(&all[1].hash, &answered), all[0].hash);
    let own = ["org_a".to_owned()];
    let some = audit::list(&mut read, Some(&own), Some(4), 10).await.unwrap();
    assert_eq!(some.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [2]);
    drop(read);

    for statement in ["UPDATE audit SET actor = 'user eve' WHERE sequence = 3", "DELETE FROM audit WHERE sequence = 3"]
    {
        let mut tx = store.begin().await.unwrap();
        let error = sqlx::query(statement).execute(&mut *tx).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    let disarm: &[&'static str] = match store.database() {
        store::Database::Sqlite => &["DROP TRIGGER audit_keeps_updates_out", "DROP TRIGGER audit_keeps_deletes_out"],
        store::Database::Postgres => &["DROP TRIGGER audit_keeps_changes_out ON audit"],
    };
    let mut tx = store.begin().await.unwrap();
    for statement in disarm {
        sqlx::query(*statement).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    let tampering = [
        ("UPDATE audit SET actor = 'user eve' WHERE sequence = 3", 3),
        ("UPDATE audit SET details = '{}' WHERE sequence = 5", 5),
        ("UPDATE audit SET organisation = NULL WHERE sequence = 2", 2),
        ("DELETE FROM audit WHERE sequence = 4", 4),
        ("DELETE FROM audit WHERE sequence = 5", 5),
        ("DELETE FROM audit", 1),
    ];
    for (statement, broken_at) in tampering {
        let mut tx = store.begin().await.unwrap();
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
        let check = audit::check(&mut tx).await.unwrap();
        assert_eq!((check.intact, check.broken_at), (false, Some(broken_at)), "{statement}");
        tx.rollback().await.unwrap();
    }
}

async fn side_by_side_changes_get_an_order_without_gaps(store: Store) {
    const WRITERS: i64 = 24;
    let mut watch = store.watch_changes();
    let before = changes::newest(&mut store.read().await.unwrap()).await.unwrap();
    let writing: Vec<_> = (0..WRITERS)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut tx = store.begin().await.unwrap();
                tx.change("thing", &format!("id_{number}"), (number % 2 == 0).then_some("net_1"));
                tx.change("thing", &format!("id_{number}"), (number % 2 == 0).then_some("net_1"));
                tx.audit(entry(number));
                tx.commit().await.unwrap();
            })
        })
        .collect();
    // A follower sees each once and in order, also while they are written.
    let mut seen = Vec::new();
    let mut position = before;
    let following = async {
        while seen.len() < WRITERS as usize {
            watch.wait().await;
            for change in changes::after(&mut store.read().await.unwrap(), position, 7).await.unwrap() {
                position = change.sequence;
                seen.push(change);
            }
            while let Some(change) = changes::after(&mut store.read().await.unwrap(), position, 1).await.unwrap().pop()
            {
                position = change.sequence;
                seen.push(change);
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), following).await.expect("every change arrives");
    for task in writing {
        task.await.unwrap();
    }
    let sequences: Vec<i64> = seen.iter().map(|change| change.sequence).collect();
    assert_eq!(sequences, (before + 1..=before + WRITERS).collect::<Vec<_>>());
    let mut ids: Vec<&str> = seen.iter().map(|change| change.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), WRITERS as usize);
    let check = audit::check(&mut store.read().await.unwrap()).await.unwrap();
    assert!(check.intact && check.entries == WRITERS, "{check:?}");
}

async fn what_is_undone_tells_no_one(store: Store) {
    let mut tx = store.begin().await.unwrap();
    settings::set(&mut tx, "a", "1").await.unwrap();
    tx.change("thing", "id_1", None);
    tx.audit(entry(1));
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    settings::set(&mut tx, "b", "1").await.unwrap();
    settings::set(&mut tx, "b", "2").await.unwrap();
    tx.commit().await.unwrap();
    let mut read = store.read().await.unwrap();
    assert_eq!(settings::get(&mut read, "a").await.unwrap(), None);
    assert_eq!(settings::get(&mut read, "b").await.unwrap().as_deref(), Some("2"));
    assert_eq!(changes::newest(&mut read).await.unwrap(), 0);
    assert_eq!(audit::check(&mut read).await.unwrap().entries, 0);
}

async fn answers_are_recorded_once(store: Store) {
    let recorded = idempotency::Recorded { request_hash: "h".into(), answer: "{}".into() };
    let mut tx = store.begin().await.unwrap();
    idempotency::insert(&mut tx, "user_1", "key", &recorded).await.unwrap();
    idempotency::insert(&mut tx, "user_2", "key", &recorded).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let error = idempotency::insert(&mut tx, "user_1", "key", &recorded).await.unwrap_err();
    assert!(matches!(error, Error::Taken { .. }), "{error:?}");
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(idempotency::find(&mut tx, "user_1", "key").await.unwrap().unwrap().request_hash, "h");
    assert_eq!(idempotency::trim(&mut tx, types::now() + 1).await.unwrap(), 2);
    tx.commit().await.unwrap();
}
