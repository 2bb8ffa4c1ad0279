//! Runs a suite of store tests over SQLite and over a PostgreSQL server of its own.
//!
//! PostgreSQL comes from the distribution (`/usr/lib/postgresql/*/bin`, Debian package `postgresql`). It runs in a temporary
//! directory, on a Unix socket, as user `postgres` when the tests run as root, which PostgreSQL refuses. Without the program the
//! suite fails when `CI` is `true`, and says that it was skipped otherwise.

#![allow(dead_code, reason = "each suite uses a part")]

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{User, chown, geteuid};
use store::{Location, Store};
use tempfile::TempDir;

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
            let store = Store::open(&server.database(name)).await.unwrap();
            case(store.clone()).await;
            store.close().await;
        });
    }
}

/// A PostgreSQL server that ends with the test.
pub struct Postgres {
    bin: PathBuf,
    directory: TempDir,
    user: Option<User>,
}

impl Postgres {
    pub fn start() -> Option<Postgres> {
        let Some(bin) = newest_bin() else {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "PostgreSQL is not installed (Debian package postgresql)"
            );
            eprintln!(
                "\n==== SKIP: PostgreSQL is not installed (Debian package postgresql); these tests did NOT run ====\n"
            );
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let user = geteuid().is_root().then(|| User::from_name("postgres").unwrap().expect("a user “postgres”"));
        if let Some(user) = &user {
            chown(directory.path(), Some(user.uid), Some(user.gid)).unwrap();
        }
        let server = Postgres { bin, directory, user };
        let path = |name: &str| server.directory.path().join(name).to_str().unwrap().to_owned();
        server.run("initdb", &["-D", &path("data"), "-U", "polder", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]);
        let socket = server.directory.path().to_str().unwrap();
        let options =
            format!("-c listen_addresses='' -c unix_socket_directories='{socket}' -c fsync=off -c max_connections=50");
        server.run("pg_ctl", &["-D", &path("data"), "-l", &path("log"), "-o", &options, "-w", "-t", "60", "start"]);
        Some(server)
    }

    /// Makes a database.
    pub fn database(&self, name: &str) -> Location {
        let socket = self.directory.path().to_str().unwrap();
        self.run("createdb", &["-h", socket, "-U", "polder", name]);
        Location::Postgres(format!("postgres://polder@localhost/{name}?host={}", socket.replace('/', "%2F")))
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.bin.join(program));
        command.args(arguments).current_dir(self.directory.path());
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        // pg_ctl leaves a server behind that keeps its output open: a file, not a pipe.
        let output = std::fs::File::create(self.directory.path().join("output")).unwrap();
        command.stdin(std::process::Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let status = command.status().unwrap();
        assert!(
            status.success(),
            "{program}: {}",
            std::fs::read_to_string(self.directory.path().join("output")).unwrap()
        );
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.directory.path().join("data");
        let mut command = Command::new(self.bin.join("pg_ctl"));
        command.args(["-D", data.to_str().unwrap(), "-m", "immediate", "-w", "stop"]);
        command.stdout(std::process::Stdio::null());
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        let _ = command.status();
    }
}

fn newest_bin() -> Option<PathBuf> {
    let versions = std::fs::read_dir(Path::new("/usr/lib/postgresql")).ok()?;
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            bin.join("initdb").is_file().then_some((version, bin))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin)
}
