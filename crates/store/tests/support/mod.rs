//! Runs a suite of store tests over SQLite and over a PostgreSQL server of its own.

#![allow(dead_code, reason = "each suite uses a part")]

mod postgres;

pub use postgres::Postgres;
use store::{Location, Store};

/// One test of a suite: gets a fresh, empty store.
pub type Case = (&'static str, fn(Store) -> std::pin::Pin<Box<dyn Future<Output = ()>>>);

/// Names the tests of a suite.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), |store| Box::pin($name(store)))),*] };
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs the tests, each with a SQLite file of its own.
pub fn over_sqlite(cases: &[Case]) {
    for (name, case) in cases {
        eprintln!("sqlite: {name}");
        let directory = tempfile::tempdir().unwrap();
        runtime().block_on(async {
            let store = Store::open(&Location::Sqlite(directory.path().join("polder #1?.db"))).await.unwrap();
            case(store.clone()).await;
            store.close().await;
        });
    }
}

/// Runs the tests, each with a PostgreSQL database of its own.
pub fn over_postgres(cases: &[Case]) {
    let Some(server) = Postgres::start() else { return };
    for (name, case) in cases {
        eprintln!("postgresql: {name}");
        runtime().block_on(async {
            let store = Store::open(&Location::Postgres(server.database(name))).await.unwrap();
            case(store.clone()).await;
            store.close().await;
        });
    }
}
