//! A real server with its data directory, and the real command line as programs use it.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;
use tests::{build_cache, engines};

/// Generous for a loaded machine.
pub const LONG: Duration = Duration::from_secs(60);
const PASSWORD: &str = "correct horse battery";

/// Tries until it gives something, and fails after the deadline.
pub fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LONG;
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(Instant::now() < end, "not within {LONG:?}: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// `POLDER_PROGRAM`, else the program beside the test's own directory (`target/debug/polder`).
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("POLDER_PROGRAM") {
        return program.into();
    }
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("polder");
    assert!(program.is_file(), "{} is not there: build it, or set POLDER_PROGRAM", program.display());
    program
}

/// What becomes of the nodes when the server ends.
#[derive(Clone, Copy)]
pub enum OnExit {
    Keep,
    Stop,
}

/// A server, its administrator's access key, and everything that they own. Dropping it ends all of it.
pub struct Deployment {
    directory: TempDir,
    database: Option<String>,
    /// What may be called where a user gives an address.
    pub allow: Vec<String>,
    server: Option<Child>,
    pub url: String,
    pub admin: Program,
}

/// Runs the command line with an access key.
#[derive(Clone)]
pub struct Program {
    home: PathBuf,
    server: String,
    key: Option<String>,
}

impl Deployment {
    /// Starts a server on a fresh data directory and signs its administrator in.
    pub fn start() -> Self {
        Self::start_on(None)
    }

    /// The same, on a PostgreSQL database.
    pub fn start_on(database: Option<String>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let admin = Program { home: directory.path().into(), server: String::new(), key: None };
        let mut deployment = Self { directory, database, allow: Vec::new(), server: None, url: String::new(), admin };
        deployment.run_server(OnExit::Keep);
        deployment.admin = deployment.sign_in("admin", PASSWORD);
        deployment
    }

    /// Where the server keeps its data.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The command that runs a server, on a port that the system gives.
    pub fn server_command(&self, on_exit: OnExit) -> Command {
        let mut command = Command::new(program());
        command.args(["server", "run", "--listen", "127.0.0.1:0", "--log-format", "json", "--data"]).arg(self.data());
        command.args(["--on-exit", if matches!(on_exit, OnExit::Keep) { "keep" } else { "stop" }]);
        command.env("POLDER_ENGINES", engines()).env("POLDER_BUILD_CACHE", build_cache());
        command.env("POLDER_ADMIN_PASSWORD", PASSWORD).stdin(Stdio::null()).stdout(Stdio::null());
        for allowed in &self.allow {
            command.args(["--allow-address", allowed]);
        }
        if let Some(database) = &self.database {
            command.args(["--database", database]);
        }
        command
    }

    /// Starts the server and waits until it serves.
    pub fn run_server(&mut self, on_exit: OnExit) {
        let log = self.directory.path().join("server.log");
        let mut command = self.server_command(on_exit);
        self.server = Some(command.stderr(File::create(&log).unwrap()).spawn().unwrap());
        self.url = eventually("the server listens", || {
            let text = std::fs::read_to_string(&log).unwrap();
            assert!(self.server.as_mut().unwrap().try_wait().unwrap().is_none(), "the server ended: {text}");
            let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let serving = lines.find(|line| line["message"] == "serving")?;
            Some(serving["url"].as_str().unwrap().to_owned())
        });
        self.admin.server = self.url.clone();
        eventually("the server is ready", || (http(&self.url, "/readyz", None).0 == 200).then_some(()));
        assert_eq!(http(&self.url, "/healthz", None).0, 200);
    }

    /// kill -9.
    pub fn kill_server(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// SIGTERM, and waits for the end.
    pub fn stop_server(&mut self) {
        let mut server = self.server.take().unwrap();
        kill(Pid::from_raw(server.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        assert!(server.wait().unwrap().success(), "{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("server.log")).unwrap_or_default()
    }

    /// Makes a user with roles of a member and gives its command line.
    pub fn user(&self, name: &str, role: &str) -> Program {
        let output = self.admin.run_with(&["user", "create", name, "--role", role], PASSWORD);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.sign_in(name, PASSWORD)
    }

    fn sign_in(&self, user: &str, password: &str) -> Program {
        let home = self.directory.path().join(format!("home-{user}"));
        let session = Program { home, server: self.url.clone(), key: None };
        let output = session.run_with(&["login", "--server", &self.url, "--user", user], password);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let made = session.json(&["access-key", "create", "tests"]);
        session.json(&["access-key", "list"]);
        assert_eq!(session.run(&["logout"]).status.code(), Some(0));
        Program { key: Some(made["secret"].as_str().unwrap().to_owned()), ..session }
    }

    /// Four organisations in a consortium.
    pub fn found(&self) {
        for name in MEMBERS {
            self.admin.json(&["org", "create", name]);
        }
        self.admin.json(&["consortium", "create", "trade", "--members", &MEMBERS.join(",")]);
    }
}

/// The members of the consortium.
pub const MEMBERS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

impl Drop for Deployment {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- server\n{}", self.log());
        }
        if let Some(mut server) = self.server.take() {
            // It may have ended by itself.
            let _ = server.kill();
            let _ = server.wait();
        }
        // Supervisors before what they would start again.
        for of in ["shim", ""] {
            for pid in processes(&self.data(), of) {
                let _ = kill(pid, Signal::SIGKILL);
            }
        }
    }
}

/// Processes that have the data directory and a word among their arguments.
pub fn processes(data: &Path, word: &str) -> Vec<Pid> {
    let data = data.to_str().unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may be gone by now.
        let Ok(arguments) = std::fs::read(entry.path().join("cmdline")) else { continue };
        let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
        if arguments.contains(data) && arguments.contains(word) {
            found.push(Pid::from_raw(pid));
        }
    }
    found
}

impl Program {
    /// The same at a server that was started again.
    pub fn at(&self, url: &str) -> Self {
        Self { server: url.into(), ..self.clone() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).env("HOME", &self.home).env_remove("XDG_CONFIG_HOME");
        command.env("POLDER_SERVER", &self.server).env_remove("POLDER_ACCESS_KEY");
        if let Some(key) = &self.key {
            command.env("POLDER_ACCESS_KEY", key);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    fn run_with(&self, arguments: &[&str], line: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{line}").unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs a command that succeeds, and reads the one JSON document that it prints.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--output", "json"]].concat());
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{out}\n{err}");
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}"))
    }

    /// The items of a list, which ends here.
    pub fn list(&self, arguments: &[&str]) -> Vec<Value> {
        let list = self.json(arguments);
        let keys: Vec<&String> = list.as_object().unwrap().keys().collect();
        assert!(keys == ["items", "next"] && list["next"].is_null(), "{arguments:?}: {list}");
        list["items"].as_array().unwrap().clone()
    }

    /// Runs a command that fails with an exit status, and gives the problem that it reports.
    pub fn fails(&self, status: i32, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--output", "json"]].concat());
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {err}");
        let last = err.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {err}"))
    }
}

/// One request over HTTP/1.1 on loopback: GET, or POST where there is a body. Status 0 when nothing answers.
pub fn http(url: &str, path: &str, body: Option<&Value>) -> (u16, String) {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(url.trim_start_matches("http://"))?;
        let (method, body) = body.map_or(("GET", String::new()), |body| ("POST", body.to_string()));
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().unwrap_or_default();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}
