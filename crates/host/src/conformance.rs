//! What every host must do, as a suite that each implementation runs.
//!
//! The host must know a program `host-test-program` with these commands: [`program`] is it as a closure.
//! - `print TEXT`: prints the text. `fail CODE TEXT`: prints the text on standard error and ends with the code.
//! - `write VOLUME TEXT`: writes the text into `out.txt` of a volume. `read VOLUME`: prints it.
//! - `hang`: never ends by itself; ends with 0 when asked to.
//! - `serve HOST:PORT`: prints `ready`, answers each line of each connection with the same line; `crash N` prints
//!   `crashing` on standard error and ends with N; ends with 0 when asked to.
//! - `stubborn HOST:PORT`: as `serve`, but does not end when asked to.
//! - `flaky`: prints `flaky` on standard error and ends with 3.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use workload::{Arg, Job, OutputSource, OutputSpec, PortSpec, Probe, Program, Resources, Service, Stop, VolumeSpec};

use crate::{Error, Host, Invocation, LogQuery, Observation, ProgramEnd, State};

/// Name of the program that the host must know.
pub const PROGRAM: &str = "host-test-program";
const DEADLINE: Duration = Duration::from_secs(20);

/// Runs the suite. Panics where the host does not conform.
pub async fn run(host: Arc<dyn Host>) {
    ports(&*host).await;
    jobs(&*host).await;
    life(&*host).await;
    crashes(&*host).await;
    stubborn(&*host).await;
    logs(&*host).await;
    mistakes(&*host).await;
    assert!(host.nodes().await.unwrap().is_empty(), "each part removes its nodes");
}

/// A service that runs the test program.
pub fn service(node: &str, args: &[&str]) -> Service {
    let mut args: Vec<Arg> = args.iter().map(|arg| Arg::from(*arg)).collect();
    if matches!(args.first(), Some(Arg::Text(text)) if text == "serve" || text == "stubborn") {
        args.push(Arg::Listen("echo".into()));
    }
    Service {
        name: format!("run-{node}"),
        node: node.into(),
        after: vec![],
        program: Program { name: PROGRAM.into(), args, ..Program::default() },
        ports: vec![PortSpec::tcp("echo")],
        volumes: vec![VolumeSpec::new("data")],
        readiness: Probe::Line("ready".into()),
        stop: Stop { grace_ms: 5000, ..Stop::default() },
        resources: Resources::default(),
    }
}

/// A job that runs the test program and gives its standard output as `text`.
pub fn job(node: &str, args: Vec<Arg>) -> Job {
    Job {
        name: format!("job-{node}"),
        title: "A job of the suite".into(),
        node: node.into(),
        after: vec![],
        program: Program { name: PROGRAM.into(), args, ..Program::default() },
        volumes: vec![VolumeSpec::new("data")],
        outputs: vec![OutputSpec { name: "text".into(), source: OutputSource::Stdout }],
        time_limit_ms: 10_000,
    }
}

/// Observes a node until it is as wanted.
pub async fn observe_until(
    host: &dyn Host,
    node: &str,
    what: &str,
    wanted: impl Fn(&Observation) -> bool,
) -> Observation {
    let end = tokio::time::Instant::now() + DEADLINE;
    loop {
        let seen = host.observe(node).await.unwrap();
        if wanted(&seen) {
            return seen;
        }
        if tokio::time::Instant::now() > end {
            let log = host.logs(node, LogQuery::default()).await;
            panic!("waited for {what}; saw {seen:?}; log {log:?}");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Observes a node until it is ready.
pub async fn ready(host: &dyn Host, node: &str) -> Observation {
    observe_until(host, node, "ready", |seen| seen.state.is_ready()).await
}

/// Sends a line to the node's port and gives the answer.
pub async fn echo(host: &dyn Host, node: &str, line: &str) -> crate::Result<String> {
    let mut stream = BufReader::new(host.connect(node, "echo").await?);
    stream.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    // An error is an answer, too: the program may have ended.
    let _ = tokio::time::timeout(DEADLINE, stream.read_line(&mut answer)).await;
    Ok(answer.trim_end().to_owned())
}

async fn ports(host: &dyn Host) {
    let specs = [PortSpec::tcp("a"), PortSpec::tcp("b")];
    let first = host.reserve("n-ports-1", &specs).await.unwrap();
    let again = host.reserve("n-ports-1", &specs).await.unwrap();
    assert_eq!(first, again, "a node keeps its ports");
    let more = host.reserve("n-ports-1", &[PortSpec::tcp("c")]).await.unwrap();
    assert_eq!((more.port("a"), more.ports.len()), (first.port("a"), 3), "a port can be added");
    let (one, two) = tokio::join!(host.reserve("n-ports-2", &specs), host.reserve("n-ports-3", &specs));
    let mut all: Vec<_> = [more, one.unwrap(), two.unwrap()]
        .iter()
        .flat_map(|placement| placement.ports.values().map(|port| port.inside.clone()).collect::<Vec<_>>())
        .collect();
    all.sort_by_key(|port| port.port);
    all.dedup();
    assert_eq!(all.len(), 7, "no two have the same");
    for node in ["n-ports-1", "n-ports-2", "n-ports-3"] {
        host.remove(node).await.unwrap();
    }
}

async fn jobs(host: &dyn Host) {
    let node = "n-jobs";
    let outputs = host.run_job(&job(node, vec!["print".into(), "hello".into()])).await.unwrap();
    assert_eq!(outputs["text"], "hello");
    let mut write = job(node, vec!["write".into(), Arg::Volume("data".into()), "kept".into()]);
    write.outputs = vec![OutputSpec {
        name: "file".into(),
        source: OutputSource::File { volume: "data".into(), path: "out.txt".into() },
    }];
    assert_eq!(host.run_job(&write).await.unwrap()["file"], "kept");
    let read = job(node, vec!["read".into(), Arg::Volume("data".into())]);
    assert_eq!(host.run_job(&read).await.unwrap()["text"], "kept", "a volume outlives its job");

    let mut given = read.clone();
    given.volumes = vec![VolumeSpec::new("data").with_file("out.txt", "given".into())];
    assert_eq!(host.run_job(&given).await.unwrap()["text"], "given", "a file is put into a volume");
    let mut emptied = read.clone();
    emptied.volumes = vec![VolumeSpec::emptied("data")];
    assert!(host.run_job(&emptied).await.is_err(), "a job can find its volume empty");
    assert!(host.run_job(&read).await.is_err(), "and it stays so");
    host.run_job(&write).await.unwrap();

    let error = host.run_job(&job(node, vec!["fail".into(), "7".into(), "no luck".into()])).await.unwrap_err();
    assert!(
        matches!(&error, Error::Job { reason, .. } if reason.contains("no luck") && reason.contains('7')),
        "{error}"
    );
    let mut slow = job(node, vec!["hang".into()]);
    slow.time_limit_ms = 200;
    let error = host.run_job(&slow).await.unwrap_err();
    assert!(matches!(&error, Error::Job { reason, .. } if reason.contains("end")), "{error}");
    assert_eq!(error.code(), types::Code::HostProgram);
    host.remove(node).await.unwrap();
    assert!(host.run_job(&read).await.is_err(), "removing a node removes its volumes");
    host.remove(node).await.unwrap();
}

async fn life(host: &dyn Host) {
    let node = "n-life";
    assert_eq!(host.observe(node).await.unwrap().state, State::Absent);
    host.stop(node).await.unwrap();
    let placement = host.reserve(node, &[PortSpec::tcp("echo")]).await.unwrap();
    let serve = service(node, &["serve"]);
    host.start(&serve).await.unwrap();
    let seen = ready(host, node).await;
    assert_eq!(seen.restarts, 0);
    assert!(seen.usage.is_some_and(|usage| usage.memory_bytes > 0));
    assert_eq!(echo(host, node, "hello").await.unwrap(), "hello");

    let State::Running { pid, since, .. } = seen.state else { unreachable!("it is ready") };
    host.start(&serve).await.unwrap();
    let State::Running { pid: pid_after, since: since_after, .. } = host.observe(node).await.unwrap().state else {
        panic!("it runs")
    };
    assert_eq!((pid, since), (pid_after, since_after), "starting what runs changes nothing");

    let mut other = serve.clone();
    other.program.env.insert("X".into(), "1".into());
    host.start(&other).await.unwrap();
    let State::Running { since: since_other, .. } = ready(host, node).await.state else { unreachable!("it is ready") };
    assert!(since_other > since, "another service replaces it");

    host.stop(node).await.unwrap();
    let seen = host.observe(node).await.unwrap();
    assert_eq!(seen.state, State::Stopped);
    assert_eq!(seen.last_exit.and_then(|exit| exit.code), Some(0), "it was asked, not killed");
    assert!(matches!(host.connect(node, "echo").await, Err(Error::Unreachable { .. })));
    host.stop(node).await.unwrap();

    host.start(&serve).await.unwrap();
    ready(host, node).await;
    assert_eq!(host.reserve(node, &[PortSpec::tcp("echo")]).await.unwrap(), placement, "ports stay over a restart");
    assert!(host.nodes().await.unwrap().contains(&node.to_owned()));
    host.remove(node).await.unwrap();
    assert_eq!(host.observe(node).await.unwrap().state, State::Absent);
    assert!(host.connect(node, "echo").await.is_err());
    host.remove(node).await.unwrap();
}

async fn crashes(host: &dyn Host) {
    let node = "n-crashes";
    host.reserve(node, &[PortSpec::tcp("echo")]).await.unwrap();
    host.start(&service(node, &["serve"])).await.unwrap();
    ready(host, node).await;
    echo(host, node, "crash 5").await.unwrap();
    let seen = observe_until(host, node, "a restart", |seen| seen.restarts == 1 && seen.state.is_ready()).await;
    let exit = seen.last_exit.unwrap();
    assert_eq!((exit.code, exit.signal, exit.reason.as_deref()), (Some(5), None, Some("crashing")));
    assert_eq!(echo(host, node, "again").await.unwrap(), "again");

    host.start(&service(node, &["flaky"])).await.unwrap();
    let seen = observe_until(host, node, "two restarts", |seen| seen.restarts >= 2).await;
    assert!(!seen.state.is_ready());
    assert_eq!(seen.last_exit.unwrap().code, Some(3));
    host.stop(node).await.unwrap();
    assert_eq!(
        host.observe(node).await.unwrap().state,
        State::Stopped,
        "a node can be stopped while it waits for its next start"
    );
    host.remove(node).await.unwrap();
}

async fn stubborn(host: &dyn Host) {
    let node = "n-stubborn";
    host.reserve(node, &[PortSpec::tcp("echo")]).await.unwrap();
    let mut service = service(node, &["stubborn"]);
    service.stop.grace_ms = 200;
    host.start(&service).await.unwrap();
    ready(host, node).await;
    host.stop(node).await.unwrap();
    let exit = host.observe(node).await.unwrap().last_exit.unwrap();
    assert_eq!((exit.code, exit.signal), (None, Some(9)));
    host.remove(node).await.unwrap();
}

async fn logs(host: &dyn Host) {
    let node = "n-logs";
    host.reserve(node, &[PortSpec::tcp("echo")]).await.unwrap();
    host.start(&service(node, &["serve"])).await.unwrap();
    ready(host, node).await;
    let lines = host.logs(node, LogQuery { lines: 10 }).await.unwrap();
    assert!(lines.iter().any(|line| line.stream == "stdout" && line.text == "ready" && line.at > 0), "{lines:?}");
    let mut follow = host.follow(node, LogQuery { lines: 0 }).await.unwrap();
    echo(host, node, "crash 4").await.unwrap();
    let mut texts = Vec::new();
    while !(texts.contains(&"crashing".to_owned()) && texts.contains(&"ready".to_owned())) {
        let line =
            tokio::time::timeout(DEADLINE, follow.next()).await.expect("lines come").expect("it goes on").unwrap();
        texts.push(line.text);
    }
    host.remove(node).await.unwrap();
}

async fn mistakes(host: &dyn Host) {
    let node = "n-mistakes";
    let mut unknown = service(node, &["serve"]);
    unknown.program.name = "no-such-program".into();
    let error = host.start(&unknown).await.unwrap_err();
    assert!(matches!(error, Error::ProgramUnknown { .. }), "{error}");
    assert_eq!(error.code(), types::Code::HostProgram);
    let error = host.start(&service(node, &["serve"])).await.unwrap_err();
    assert!(matches!(error, Error::PortUnknown { .. }), "a port must be reserved first: {error}");
    host.reserve(node, &[PortSpec::tcp("echo")]).await.unwrap();
    let mut emptied = service(node, &["serve"]);
    emptied.volumes = vec![VolumeSpec::emptied("data")];
    let error = host.start(&emptied).await.unwrap_err();
    assert!(matches!(error, Error::Plan(_)), "what a service has kept stays: {error}");
    assert!(!host.observe(node).await.unwrap().state.is_ready());
    host.remove(node).await.unwrap();
}

/// The test program for an [`InMemoryHost`](crate::InMemoryHost).
pub async fn program(mut invocation: Invocation) -> ProgramEnd {
    let args: Vec<String> = invocation.args.clone();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["print", text] => invocation.print(text),
        ["fail", code, text] => {
            invocation.print_error(text);
            return code.parse().unwrap_or(1);
        }
        ["write", volume, text] => {
            invocation.files.lock().insert(((*volume).into(), "out.txt".into()), (*text).into());
        }
        ["read", volume] => {
            let text = invocation.files.lock().get(&((*volume).into(), "out.txt".into())).cloned();
            let Some(text) = text else { return 1 };
            invocation.print(&text);
        }
        ["hang"] => invocation.stop.cancelled().await,
        ["flaky"] => {
            invocation.print_error("flaky");
            return 3;
        }
        [mode @ ("serve" | "stubborn"), _] => {
            invocation.print("ready");
            let (crash, mut crashed) = tokio::sync::mpsc::channel(1);
            loop {
                let stop = invocation.stop.clone();
                tokio::select! {
                    Some((_, stream)) = invocation.connections.recv() => { tokio::spawn(serve(stream, crash.clone())); }
                    Some(code) = crashed.recv() => {
                        invocation.print_error("crashing");
                        return code;
                    }
                    () = stop.cancelled(), if *mode == "serve" => return 0,
                }
            }
        }
        _ => return 2,
    }
    0
}

/// Answers each line with the same line; `crash N` is sent on.
pub async fn serve(stream: impl crate::ByteStream, crash: tokio::sync::mpsc::Sender<i32>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while let Ok(length) = stream.read_line(&mut line).await
        && length > 0
    {
        if let Some(code) = line.trim().strip_prefix("crash ").and_then(|code| code.parse().ok()) {
            // The receiver ends with the program.
            let _ = crash.send(code).await;
            return;
        }
        if stream.write_all(line.as_bytes()).await.is_err() {
            return;
        }
        line.clear();
    }
}
