//! The local host conforms, and does what only real processes show: adoption after the server's end, shims and
//! programs that are killed, ports that others take, secrets, rotation, limits.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use host::conformance::{self, PROGRAM, echo, job, observe_until, ready, service};
use host::{BackOff, Error, Host, LocalConfig, LocalHost, LogLimits, LogQuery, NoSecrets, Secrets, State};
use workload::{Arg, Content, FileSpec, Piece, PortSpec, Probe};

const NODE: &str = "node-1";

/// A host with a directory of its own; its nodes are removed at the end, whatever happened.
struct Fixture {
    directory: tempfile::TempDir,
    host: Arc<LocalHost>,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let host = Arc::new(open(directory.path(), Arc::new(NoSecrets), |_| ()));
        Self { directory, host }
    }

    /// What a new server finds: the same directory, another host value.
    fn reopened(&mut self) {
        self.host = Arc::new(open(self.directory.path(), Arc::new(NoSecrets), |_| ()));
    }

    fn state(&self, node: &str) -> serde_json::Value {
        let path = self.directory.path().join("nodes").join(node).join("state.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    async fn serving(&self) -> u32 {
        self.host.reserve(NODE, &[PortSpec::tcp("echo")]).await.unwrap();
        self.host.start(&service(NODE, &["serve"])).await.unwrap();
        pid(&ready(&*self.host, NODE).await.state)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // A test that failed must leave no process: the shims' own files tell which ones.
        let Ok(nodes) = std::fs::read_dir(self.directory.path().join("nodes")) else { return };
        for node in nodes.flatten() {
            for (file, pointer) in [("shim.lock", "/pid"), ("state.json", "/phase/running/program/pid")] {
                let json: serde_json::Value = std::fs::read(node.path().join(file))
                    .ok()
                    .and_then(|bytes| serde_json::from_slice(&bytes).ok())
                    .unwrap_or_default();
                if let Some(pid) = json.pointer(pointer).and_then(serde_json::Value::as_i64) {
                    let ours = std::fs::read_to_string(format!("/proc/{pid}/cmdline"))
                        .is_ok_and(|line| line.contains(PROGRAM));
                    if ours {
                        kill(pid as u32);
                    }
                }
            }
        }
    }
}

fn open(directory: &Path, secrets: Arc<dyn Secrets>, change: impl FnOnce(&mut LocalConfig)) -> LocalHost {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_host-test-program"));
    let mut config = LocalConfig::new(directory, &program);
    config.runtime_directory = directory.join("run");
    config.back_off = BackOff { first_ms: 20, longest_ms: 1000, stable_ms: 60_000 };
    change(&mut config);
    LocalHost::open(config, secrets).unwrap()
}

fn kill(pid: u32) {
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGKILL);
}

fn pid(state: &State) -> u32 {
    match state {
        State::Running { pid, .. } => *pid,
        other => panic!("does not run: {other:?}"),
    }
}

#[tokio::test]
async fn conforms() {
    let fixture = Fixture::new();
    conformance::run(fixture.host.clone()).await;
}

#[tokio::test]
async fn a_new_server_finds_what_runs() {
    let mut fixture = Fixture::new();
    let before = fixture.serving().await;
    let placement = fixture.host.reserve(NODE, &[]).await.unwrap();
    fixture.reopened();
    assert_eq!(pid(&fixture.host.observe(NODE).await.unwrap().state), before);
    assert_eq!(fixture.host.reserve(NODE, &[]).await.unwrap(), placement);
    assert_eq!(echo(&*fixture.host, NODE, "still here").await.unwrap(), "still here");
    fixture.host.start(&service(NODE, &["serve"])).await.unwrap();
    assert_eq!(pid(&fixture.host.observe(NODE).await.unwrap().state), before, "starting it again changes nothing");
    let shim = fixture.state(NODE).pointer("/shim/pid").unwrap().as_i64().unwrap() as i32;
    let session = nix::unistd::getsid(Some(nix::unistd::Pid::from_raw(shim))).unwrap();
    assert_eq!(session.as_raw(), shim, "the shim leads a session of its own");

    // With no server at all the shim brings the program back.
    kill(before);
    let seen =
        observe_until(&*fixture.host, NODE, "a restart", |seen| seen.restarts == 1 && seen.state.is_ready()).await;
    assert_ne!(pid(&seen.state), before);
    assert_eq!(seen.last_exit.unwrap().signal, Some(9));
    fixture.host.stop_all().await.unwrap();
    assert_eq!(fixture.host.observe(NODE).await.unwrap().state, State::Stopped);
}

#[tokio::test]
async fn a_killed_shim_is_noticed_and_never_leaves_two_programs() {
    let fixture = Fixture::new();
    let orphan = fixture.serving().await;
    kill(fixture.state(NODE).pointer("/shim/pid").unwrap().as_u64().unwrap() as u32);
    observe_until(&*fixture.host, NODE, "the loss", |seen| seen.state == State::Lost).await;
    fixture.host.start(&service(NODE, &["serve"])).await.unwrap();
    let seen = ready(&*fixture.host, NODE).await;
    assert_ne!(pid(&seen.state), orphan);
    assert!(
        !Path::new(&format!("/proc/{orphan}")).exists()
            || std::fs::read_to_string(format!("/proc/{orphan}/stat")).unwrap().contains(" Z ")
    );
    assert_eq!(echo(&*fixture.host, NODE, "one").await.unwrap(), "one");

    // Stopping ends an orphan, too.
    let orphan = pid(&seen.state);
    kill(fixture.state(NODE).pointer("/shim/pid").unwrap().as_u64().unwrap() as u32);
    observe_until(&*fixture.host, NODE, "the loss", |seen| seen.state == State::Lost).await;
    fixture.host.stop(NODE).await.unwrap();
    assert!(
        std::fs::read_to_string(format!("/proc/{orphan}/stat")).is_ok_and(|stat| stat.contains(" Z "))
            || !Path::new(&format!("/proc/{orphan}")).exists()
    );
    assert_eq!(fixture.host.observe(NODE).await.unwrap().state, State::Stopped);
}

#[tokio::test]
async fn a_taken_port_is_said_and_a_stopped_nodes_port_is_held() {
    let fixture = Fixture::new();
    let placement = fixture.host.reserve(NODE, &[PortSpec::tcp("echo")]).await.unwrap();
    let address = placement.port("echo").unwrap().inside.to_string();
    assert!(std::net::TcpListener::bind(&address).is_err(), "held before the first start");
    fixture.host.start(&service(NODE, &["serve"])).await.unwrap();
    ready(&*fixture.host, NODE).await;
    fixture.host.stop(NODE).await.unwrap();
    fixture.host.remove(NODE).await.unwrap();

    // Another host's node has the address now, but a program listens there.
    let second = tempfile::tempdir().unwrap();
    let nodes = second.path().join("nodes").join("other");
    std::fs::create_dir_all(&nodes).unwrap();
    std::fs::write(nodes.join("placement.json"), serde_json::to_vec(&placement).unwrap()).unwrap();
    let taken = std::net::TcpListener::bind(&address).unwrap();
    let rival = open(second.path(), Arc::new(NoSecrets), |_| ());
    let error = rival.start(&service("other", &["serve"])).await.unwrap_err();
    assert!(matches!(error, Error::PortInUse { port, .. } if port == taken.local_addr().unwrap().port()), "{error}");
    assert_eq!(error.code(), types::Code::PortInUse);
    drop(taken);
    rival.start(&service("other", &["serve"])).await.unwrap();
    ready(&rival, "other").await;
    rival.remove("other").await.unwrap();
}

#[tokio::test]
async fn damaged_addresses_of_one_node_leave_the_others_alone() {
    let mut fixture = Fixture::new();
    let before = fixture.serving().await;
    let damaged = fixture.directory.path().join("nodes").join("damaged");
    std::fs::create_dir_all(&damaged).unwrap();
    std::fs::write(damaged.join("placement.json"), "{").unwrap();
    fixture.reopened();
    assert_eq!(pid(&fixture.host.observe(NODE).await.unwrap().state), before);
    let error = fixture.host.start(&service("damaged", &["serve"])).await.unwrap_err();
    assert!(error.to_string().contains("placement.json"), "{error}");
    fixture.host.remove("damaged").await.unwrap();
    assert!(!damaged.exists());
}

#[tokio::test]
async fn a_program_that_cannot_run_is_said() {
    // One directory a host: two hosts on one directory hold its ports against each other, as they should.
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken");
    std::fs::write(&broken, "not a program").unwrap();
    for (mode, words) in [(0o644, "not executable"), (0o755, "Exec format error")] {
        std::fs::set_permissions(&broken, std::fs::Permissions::from_mode(mode)).unwrap();
        let host = open(&directory.path().join(words), Arc::new(NoSecrets), |config| {
            config.programs.insert(PROGRAM.into(), broken.clone());
        });
        host.reserve(NODE, &[PortSpec::tcp("echo")]).await.unwrap();
        let error = host.start(&service(NODE, &["serve"])).await.unwrap_err();
        assert!(matches!(&error, Error::Program { reason, .. } if reason.contains(words)), "{error}");
        assert_eq!(error.code(), types::Code::HostProgram);
        assert!(host.run_job(&job(NODE, vec!["print".into(), "x".into()])).await.is_err());
    }
    let fixture = Fixture::new();
    fixture.host.reserve(NODE, &[PortSpec::tcp("echo")]).await.unwrap();
    let other = directory.path().join("other");
    let host = open(&other, Arc::new(NoSecrets), |config| config.shim_program = "/no/such/shim".into());
    host.reserve(NODE, &[PortSpec::tcp("echo")]).await.unwrap();
    let error = host.start(&service(NODE, &["serve"])).await.unwrap_err();
    assert!(matches!(&error, Error::Program { path, .. } if path.ends_with("shim")), "{error}");
    drop(host);
    // What failed leaves nothing in the way: the same directory with a shim that is there.
    let host = open(&other, Arc::new(NoSecrets), |_| ());
    host.start(&service(NODE, &["serve"])).await.unwrap();
    ready(&host, NODE).await;
    host.remove(NODE).await.unwrap();
    fixture.serving().await;
    fixture.host.remove(NODE).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_said() {
    // Every write to it fails with "no space left on device".
    let error = std::fs::write("/dev/full", "x").unwrap_err();
    let error = Error::file("/data/nodes/x", error);
    assert!(matches!(error, Error::DiskFull(_)), "{error:?}");
    assert_eq!(error.problem().code, "host.disk_full");
}

struct OneSecret;

impl Secrets for OneSecret {
    fn resolve<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, host::Result<zeroize::Zeroizing<Vec<u8>>>> {
        async move {
            if reference == "org/key" {
                Ok(b"s3cret".to_vec().into())
            } else {
                Err(Error::Secret { reference: reference.into(), reason: "unknown".into() })
            }
        }
        .boxed()
    }
}

#[tokio::test]
async fn secrets_are_there_only_while_the_program_runs() {
    let fixture = Fixture::new();
    let host = open(fixture.directory.path(), Arc::new(OneSecret), |config| {
        config.environment.insert("GREETING".into(), "hello".into());
    });
    let file = |content| FileSpec { name: "key".into(), content };
    let mut cat = job(NODE, vec!["cat".into(), Arg::File("key".into())]);
    cat.program.files = vec![file(Content::Secret("org/key".into()))];
    assert_eq!(host.run_job(&cat).await.unwrap()["text"], "s3cret");
    let run = fixture.directory.path().join("run").join(NODE);
    assert!(!run.join("job").exists());
    cat.program.files = vec![file(Content::Text("open".into()))];
    assert_eq!(host.run_job(&cat).await.unwrap()["text"], "open");
    let pieces = [Piece::Text("password: ".into()), Piece::Secret("org/key".into()), Piece::Text("!".into())];
    cat.program.files = vec![file(Content::Pieces(pieces.to_vec()))];
    assert_eq!(host.run_job(&cat).await.unwrap()["text"], "password: s3cret!");
    assert!(!run.join("job").exists());
    cat.program.files = vec![file(Content::Secret("other".into()))];
    assert!(matches!(host.run_job(&cat).await.unwrap_err(), Error::Secret { .. }));
    assert_eq!(
        host.run_job(&job(NODE, vec!["env".into()])).await.unwrap()["text"],
        "GREETING=hello",
        "nothing of the server's environment"
    );

    host.reserve(NODE, &[PortSpec::tcp("echo")]).await.unwrap();
    let mut serve = service(NODE, &["serve"]);
    serve.program.files = vec![file(Content::Secret("org/key".into()))];
    host.start(&serve).await.unwrap();
    ready(&host, NODE).await;
    let path = run.join("service").join("key");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    host.stop(NODE).await.unwrap();
    assert!(!path.exists());
    host.remove(NODE).await.unwrap();
}

#[tokio::test]
async fn logs_rotate_and_a_limit_ends_a_program() {
    let fixture = Fixture::new();
    let host = open(fixture.directory.path(), Arc::new(NoSecrets), |config| {
        config.log = LogLimits { file_bytes: 10_000, old_files: 2 }
    });
    host.reserve(NODE, &[PortSpec::tcp("echo")]).await.unwrap();
    host.start(&service(NODE, &["flood", "3000"])).await.unwrap();
    ready(&host, NODE).await;
    let lines = host.logs(NODE, LogQuery { lines: 100 }).await.unwrap();
    assert_eq!(lines.last().unwrap().text, "ready");
    assert_eq!(lines.len(), 100);
    assert!(lines.iter().any(|line| line.text == "line 2999"));
    let files: Vec<_> =
        std::fs::read_dir(fixture.directory.path().join("nodes").join(NODE).join("log")).unwrap().flatten().collect();
    assert_eq!(files.len(), 3);
    assert!(files.iter().all(|file| file.metadata().unwrap().len() < 11_000));

    let mut hog = service(NODE, &["hog"]);
    hog.resources.memory_bytes = Some(50 << 20);
    host.start(&hog).await.unwrap();
    let seen = observe_until(&host, NODE, "the limit", |seen| seen.restarts >= 1).await;
    assert!(seen.last_exit.unwrap().reason.unwrap().contains("memory"));
    host.remove(NODE).await.unwrap();
}

#[tokio::test]
async fn probes_ask_ports() {
    let fixture = Fixture::new();
    fixture.host.reserve(NODE, &[PortSpec::tcp("echo")]).await.unwrap();
    let mut serve = service(NODE, &["serve"]);
    serve.readiness = Probe::Tcp("echo".into());
    fixture.host.start(&serve).await.unwrap();
    ready(&*fixture.host, NODE).await;
    // An echo is no HTTP: never ready.
    serve.readiness = Probe::Http { port: "echo".into(), path: "/healthz".into() };
    fixture.host.start(&serve).await.unwrap();
    observe_until(&*fixture.host, NODE, "running", |seen| matches!(seen.state, State::Running { .. })).await;
    assert_eq!(echo(&*fixture.host, NODE, "up").await.unwrap_or_default(), "up");
    assert!(!fixture.host.observe(NODE).await.unwrap().state.is_ready());
    fixture.host.remove(NODE).await.unwrap();
}
