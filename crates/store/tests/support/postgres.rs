//! A PostgreSQL server of a test program's own; included by the tests of several crates.
//!
//! PostgreSQL comes from the distribution (`/usr/lib/postgresql/*/bin`, Debian package `postgresql`). It runs in a temporary
//! directory, on a Unix socket, as user `postgres` when the tests run as root, which PostgreSQL refuses. Without the program the
//! tests fail when `CI` is `true`, and say that they were skipped otherwise.

#![allow(dead_code, reason = "each test program uses a part")]

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use nix::unistd::{User, chown, geteuid};
use tempfile::TempDir;

/// Variable that names the socket's directory while a test program runs again on PostgreSQL.
const SOCKET: &str = "POLDER_TEST_POSTGRES";

/// Runs all tests of this test program but the calling one once more, with [`database_of`] on PostgreSQL.
pub fn again_on_postgres(caller: &str) {
    let Some(server) = Postgres::start() else { return };
    let mut again = Command::new(std::env::current_exe().unwrap());
    let output = again.args(["--skip", caller]).env(SOCKET, server.directory.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "on PostgreSQL:\n{text}{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        server.log()
    );
    assert!(!text.contains("running 0 tests"), "{text}");
}

/// Address of the PostgreSQL database that belongs to a data directory, made when first asked for; none where the tests run on
/// SQLite.
pub fn database_of(directory: &Path) -> Option<String> {
    static MADE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let socket = std::env::var(SOCKET).ok()?;
    let name: String = directory.to_str().unwrap().chars().filter(char::is_ascii_alphanumeric).collect();
    if MADE.lock().unwrap().insert(directory.to_owned()) {
        let mut make = Command::new(newest_bin().unwrap().join("createdb"));
        let output = make.args(["-h", &socket, "-U", "polder", &name]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Some(address(&socket, &name))
}

fn address(socket: &str, name: &str) -> String {
    format!("postgres://polder@localhost/{name}?host={}", socket.replace('/', "%2F"))
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
            format!("-c listen_addresses='' -c unix_socket_directories='{socket}' -c fsync=off -c max_connections=200");
        server.run("pg_ctl", &["-D", &path("data"), "-l", &path("log"), "-o", &options, "-w", "-t", "60", "start"]);
        Some(server)
    }

    /// Makes a database and gives its address.
    pub fn database(&self, name: &str) -> String {
        let socket = self.directory.path().to_str().unwrap();
        self.run("createdb", &["-h", socket, "-U", "polder", name]);
        address(socket, name)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
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
