//! First runs, later runs, and data directories that are not as they should be.

#[path = "../../store/tests/support/postgres.rs"]
mod postgres;

use std::path::Path;

use control::{ADMINISTRATOR, Config, Foundation, reset_password};
use keys::{MasterKeySource, Secret};
use types::{Code, Role};

#[test]
fn all_of_it_on_postgresql() {
    postgres::again_on_postgres("all_of_it_on_postgresql");
}

/// Settings with the data directory's own database.
fn config(data: &Path) -> Config {
    Config { database: postgres::database_of(data).map(Secret::new), ..Config::new(data) }
}

async fn refused(config: Config) -> Code {
    Foundation::open(config).await.map(|_| ()).unwrap_err().code()
}

#[tokio::test]
async fn a_first_run_makes_the_administrator_and_a_later_one_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(&directory.path().join("data"));
    let first = Foundation::open(config.clone()).await.unwrap();
    let password = first.first_password.clone().expect("a password was drawn");
    assert!(password.expose().len() >= 20);
    assert!(matches!(first.master_key_source, MasterKeySource::Generated(_)));
    let admin = store::users::find(&mut first.store.read().await.unwrap(), ADMINISTRATOR).await.unwrap().unwrap();
    assert_eq!(admin.grants[0].role, Role::PlatformAdministrator);
    assert_eq!(refused(config.clone()).await, Code::StoreLocked);
    drop(first);

    let mut again = config.clone();
    again.admin_password = Some(Secret::new("of no use any more"));
    let later = Foundation::open(again).await.unwrap();
    assert!(later.first_password.is_none());
    assert!(matches!(later.master_key_source, MasterKeySource::DataDirectory(_)));
    let stored = store::users::password(&mut later.store.read().await.unwrap(), &admin.id).await.unwrap().unwrap();
    assert!(keys::verify_password(&password, &stored).unwrap());

    let new = Secret::new("a brand new password");
    assert!(reset_password(&later.store, ADMINISTRATOR, Some(new.clone())).await.unwrap().is_none());
    let stored = store::users::password(&mut later.store.read().await.unwrap(), &admin.id).await.unwrap().unwrap();
    assert!(keys::verify_password(&new, &stored).unwrap());
    assert_eq!(reset_password(&later.store, "nobody", None).await.unwrap_err().code(), Code::NotFound);
    let weak = reset_password(&later.store, ADMINISTRATOR, Some(Secret::new("short"))).await;
    assert_eq!(weak.unwrap_err().code(), Code::PasswordWeak);
    let check = store::audit::check(&mut later.store.read().await.unwrap()).await.unwrap();
    assert!(check.intact && check.entries == 2, "{check:?}");
}

/// Has something to say where the database is not in the data directory.
#[tokio::test]
async fn a_servers_database_belongs_to_one_data_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (directory.path().join("one"), directory.path().join("other"));
    let first = config(&one);
    drop(Foundation::open(first.clone()).await.unwrap());
    drop(Foundation::open(first.clone()).await.unwrap());
    if first.database.is_none() {
        assert!(!one.join("id").exists());
        return;
    }
    let second = Config { data: other.clone(), master_key_file: Some(one.join("master.key")), ..first };
    assert_eq!(refused(second.clone()).await, Code::StoreLocked);
    // The directory was moved: its file says so.
    std::fs::copy(one.join("id"), other.join("id")).unwrap();
    Foundation::open(second).await.unwrap();
}

#[tokio::test]
async fn a_weak_first_password_makes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.admin_password = Some(Secret::new("short"));
    assert_eq!(refused(config.clone()).await, Code::PasswordWeak);
    config.admin_password = Some(Secret::new("long enough to use"));
    assert!(Foundation::open(config).await.unwrap().first_password.is_none());
}

#[tokio::test]
async fn the_master_key_must_be_the_right_one() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let config = config(&data);
    drop(Foundation::open(config.clone()).await.unwrap());
    let (own, kept) = (data.join("master.key"), directory.path().join("kept.key"));
    std::fs::rename(&own, &kept).unwrap();
    assert_eq!(refused(config.clone()).await, Code::MasterKey);
    assert!(!own.exists(), "a new key would read nothing");
    std::fs::write(&own, format!("{}\n", "ab".repeat(32))).unwrap();
    assert_eq!(refused(config.clone()).await, Code::MasterKey);
    std::fs::write(&own, "no key").unwrap();
    assert_eq!(refused(config.clone()).await, Code::MasterKey);
    std::fs::remove_file(&own).unwrap();
    let mut given = config;
    given.master_key_file = Some(directory.path().join("none.key"));
    assert_eq!(refused(given.clone()).await, Code::MasterKey);
    given.master_key_file = Some(kept);
    Foundation::open(given).await.unwrap();
}

#[tokio::test]
async fn a_damaged_or_newer_directory_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::new(directory.path());
    let foundation = Foundation::open(config.clone()).await.unwrap();
    foundation.store.close().await;
    drop(foundation);
    std::fs::write(directory.path().join("format"), "2\n").unwrap();
    assert_eq!(refused(config.clone()).await, Code::StoreVersion);
    std::fs::write(directory.path().join("format"), "1\n").unwrap();
    let database = directory.path().join("polder.db");
    let whole = std::fs::read(&database).unwrap();
    std::fs::write(&database, "not a database at all").unwrap();
    assert_eq!(refused(config.clone()).await, Code::StoreCorrupt);
    std::fs::write(&database, whole).unwrap();
    Foundation::open(config.clone()).await.unwrap();
    let mut unreachable = config;
    unreachable.database = Some(Secret::new("postgres://polder@localhost/none?host=%2Fnowhere"));
    assert_eq!(refused(unreachable).await, Code::Unavailable);
}
