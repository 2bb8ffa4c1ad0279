//! Opening a database that is not as it should be.

mod support;

use std::io::{Seek, SeekFrom, Write};

use store::{Error, Location, Store, settings};
use types::Code;

/// Pretends that a newer program was here.
async fn age(location: &Location) {
    let store = Store::open(location).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let statement = match store.database() {
        store::Database::Sqlite => {
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 1)"
        }
        store::Database::Postgres => {
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', true, '\\x00', 1)"
        }
    };
    sqlx::query(statement).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
}

async fn refuses_a_newer_schema(location: Location) {
    age(&location).await;
    let error = Store::open(&location).await.unwrap_err();
    assert!(matches!(error, Error::Newer { found: 9999, known } if known < 9999), "{error:?}");
    assert_eq!(error.code(), Code::StoreVersion);
}

#[tokio::test]
async fn a_newer_sqlite_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    refuses_a_newer_schema(Location::Sqlite(directory.path().join("polder.db"))).await;
}

#[tokio::test]
async fn a_newer_postgresql_database_is_refused() {
    let Some(server) = support::Postgres::start() else { return };
    refuses_a_newer_schema(Location::Postgres(server.database("newer"))).await;
    let none = Location::Postgres("postgres://polder@localhost/none?host=%2Fnowhere".into());
    assert!(matches!(Store::open(&none).await, Err(Error::Connect(_))));
    let wrong = Location::Postgres("mysql://polder@localhost/none".into());
    assert!(matches!(Store::open(&wrong).await, Err(Error::Address(_))));
}

#[tokio::test]
async fn a_damaged_file_is_found_before_it_is_used() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("polder.db");
    let location = Location::Sqlite(path.clone());
    let store = Store::open(&location).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    for number in 0..2000 {
        settings::set(&mut tx, &format!("setting {number}"), &"x".repeat(100)).await.unwrap();
    }
    tx.commit().await.unwrap();
    store.close().await;

    let store = Store::open(&location).await.unwrap();
    assert!(
        settings::get(&mut store.read().await.unwrap(), "setting 7").await.unwrap().is_some(),
        "it survives a restart"
    );
    store.close().await;

    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(length / 2)).unwrap();
    file.write_all(&[0xa5; 16384]).unwrap();
    drop(file);
    let error = Store::open(&location).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreCorrupt, "{error:?}");

    std::fs::write(&path, "this is no database, however long it may be ".repeat(100)).unwrap();
    let error = Store::open(&location).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreCorrupt, "{error:?}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_does_not_last() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&Location::Sqlite(directory.path().join("polder.db"))).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    // The smallest limit is what the file has: nothing more fits.
    sqlx::query("PRAGMA max_page_count = 1").execute(&mut *tx).await.unwrap();
    let mut failure = None;
    for number in 0..2000 {
        if let Err(error) = settings::set(&mut tx, &format!("setting {number}"), &"x".repeat(1000)).await {
            failure = Some(error);
            break;
        }
    }
    let failure = failure.expect("the file has a limit");
    assert_eq!(failure.code(), Code::HostDisk, "{failure:?}");
    drop(tx);

    let mut tx = store.begin().await.expect("the failure of one transaction is not that of the next");
    assert!(settings::get(&mut tx, "setting 0").await.unwrap().is_none(), "nothing of it stays");
    settings::set(&mut tx, "after", "space is back").await.unwrap();
    tx.commit().await.unwrap();
    assert!(settings::get(&mut store.read().await.unwrap(), "after").await.unwrap().is_some());
    store.close().await;
}
