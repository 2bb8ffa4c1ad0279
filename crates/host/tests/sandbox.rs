//! What other people's code can reach, tried from within, by both ways of keeping it apart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use host::tool::{self, Ended, Tool};
use host::{Error, Host, Isolation, Limits, LocalConfig, LocalHost, LogQuery, Sandbox, Secrets, conformance};
use types::LimitsKeeper;
use workload::{Arg, Content, FileSpec, PortSpec, Resources, VolumeSpec};

/// Every way that can be tried here: as root both, else the one that there is.
fn ways() -> Vec<Isolation> {
    let best = Isolation::of_this_machine(false).expect("the tests need a sandbox");
    if best == Isolation::User { vec![Isolation::User, Isolation::Namespaces] } else { vec![best] }
}

async fn shell(sandbox: &Sandbox, directory: &Path, script: &str) -> Ended {
    let tool = Tool {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        env: BTreeMap::from([
            ("PATH".into(), "/usr/bin:/bin:/usr/sbin".into()),
            ("LD_DEBUG".into(), "".into()),
            ("WORD".into(), "it's".into()),
        ]),
        directory: directory.to_owned(),
        time_limit: Duration::from_secs(20),
        sandbox: Some(sandbox.clone()),
    };
    tool::run(&tool, |_| {}).await.unwrap()
}

/// A data directory with a secret, and a directory in it that a sandbox is given.
fn data() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let data = temporary.path().join("data");
    let given = data.join("it's given");
    std::fs::create_dir_all(&given).unwrap();
    std::fs::create_dir(data.join("read")).unwrap();
    std::fs::write(data.join("read/file"), "to be read").unwrap();
    std::fs::write(data.join("master.key"), "secret").unwrap();
    (temporary, data, given)
}

#[tokio::test]
async fn only_what_is_given_is_there() {
    for way in ways() {
        let (_temporary, data, given) = data();
        let sandbox = Sandbox::new(way, "test").hiding(&data).reading(data.join("read")).writing(&given);
        sandbox.own(&given).unwrap();
        let script = format!(
            "cat ../master.key; cat {0}/master.key; cat /proc/1/root{0}/master.key; echo x > {0}/read/file; ls {0}; \
             umount {0}; unshare --user --map-root-user umount {0}; kill -9 {1} && echo killed; echo made > file; cat {0}/read/file; \
             id -u > id; printenv WORD; mkdir -p $HOME/x; grep NoNewPrivs /proc/self/status; grep CapEff /proc/self/status",
            data.display(),
            std::process::id(),
        );
        let ended = shell(&sandbox, &given, &script).await;
        let lines: Vec<&str> = ended.out.lines().collect();
        assert_eq!(
            lines,
            ["it's given", "read", "to be readit's", "NoNewPrivs:\t1", "CapEff:\t0000000000000000"],
            "{way:?}: {}",
            ended.err
        );
        sandbox.disown(&given).unwrap();
        assert_eq!(std::fs::read_to_string(given.join("file")).unwrap(), "made\n");
        assert_eq!(std::fs::read_to_string(data.join("read/file")).unwrap(), "to be read");
        let id = std::fs::read_to_string(given.join("id")).unwrap();
        assert!(way != Isolation::User || id.trim().parse::<u32>().unwrap() >= 64_000, "{id}");
        assert!(
            Path::new("/mnt").is_dir() && std::fs::read_dir("/dev/shm").is_ok(),
            "the machine's own are as they were"
        );
    }
}

#[tokio::test]
async fn without_network_nothing_outside_answers_and_limits_hold() {
    for way in ways() {
        let (_temporary, data, given) = data();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let connect = format!("bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}' && echo connected");
        let limits = Limits { file_bytes: Some(4096), cpu_seconds: Some(1), processes: None };
        let sandbox = Sandbox::new(way, "test").hiding(&data).writing(&given).limited(limits);
        sandbox.own(&given).unwrap();
        assert_eq!(shell(&sandbox, &given, &connect).await.out, "connected\n", "{way:?}");
        assert_eq!(shell(&sandbox.clone().without_network(), &given, &connect).await.out, "", "{way:?}");
        shell(&sandbox, &given, "head -c 100000 /dev/zero > big").await;
        assert_eq!(std::fs::metadata(given.join("big")).unwrap().len(), 4096, "{way:?}");
        assert!(!shell(&sandbox, &given, "while :; do :; done").await.success, "{way:?}: its CPU time is limited");
    }
}

#[tokio::test]
async fn a_tool_that_is_ended_leaves_nothing_behind() {
    for way in ways() {
        let (_temporary, data, given) = data();
        let sandbox = Sandbox::new(way, "test").hiding(&data).writing(&given);
        sandbox.own(&given).unwrap();
        let tool = Tool {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), "touch up; setsid sh -c 'sleep 2; touch late' & sleep 60".into()],
            env: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
            directory: given.clone(),
            time_limit: Duration::from_secs(1),
            sandbox: Some(sandbox),
        };
        assert!(matches!(tool::run(&tool, |_| {}).await, Err(Error::TimeLimit { seconds: 1, .. })));
        assert!(given.join("up").exists(), "{way:?}");
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert!(!given.join("late").exists(), "{way:?}: a session of its own went on");
    }
}

struct OneSecret;

impl Secrets for OneSecret {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, host::Result<zeroize::Zeroizing<Vec<u8>>>> {
        async move { Ok(b"s3cret".to_vec().into()) }.boxed()
    }
}

/// Ends a node's shim, also when the test has failed.
struct EndShim(PathBuf);

impl Drop for EndShim {
    fn drop(&mut self) {
        let lock = std::fs::read(&self.0).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
        if let Some(pid) = lock.and_then(|lock| lock["pid"].as_i64()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGTERM);
        }
    }
}

#[tokio::test]
async fn a_service_of_other_people_reaches_its_own_files_only() {
    let (_temporary, data, _) = data();
    let mut config = LocalConfig::new(&data, &PathBuf::from(env!("CARGO_BIN_EXE_host-test-program")));
    config.runtime_directory = data.join("run");
    config.programs.insert("sh".into(), "/bin/sh".into());
    config.environment.insert("PATH".into(), "/usr/bin:/bin".into());
    let host = Arc::new(LocalHost::open(config, Arc::new(OneSecret)).unwrap());
    let script = "cat \"$1/master.key\"; ls \"$1\" \"$1/nodes\"; echo kept > \"$2/file\"; cat \"$3\"; echo; cat \"$4\"; echo; \
                  cat \"$1/nodes/other/data/out.txt\"; kill -9 $5 && echo killed; echo ready; exec sleep 600";
    let mut service = conformance::service("mine", &[]);
    service.program.name = "sh".into();
    service.program.foreign = true;
    service.program.args = vec!["-c".into(), script.into(), "sh".into(), Arg::Text(data.display().to_string())];
    service.program.args.extend([Arg::Volume("data".into()), Arg::File("key".into()), Arg::File("text".into())]);
    service.program.args.push(std::process::id().to_string().into());
    let file = |name: &str, content| FileSpec { name: name.into(), content };
    service.program.files =
        vec![file("key", Content::Secret("key".into())), file("text", Content::Text("given".into()))];
    std::fs::create_dir_all(data.join("nodes/other/data")).unwrap();
    std::fs::write(data.join("nodes/other/data/out.txt"), "of another").unwrap();
    host.reserve("mine", &[PortSpec::tcp("echo")]).await.unwrap();
    let _shim = EndShim(data.join("nodes/mine/shim.lock"));
    host.start(&service).await.unwrap();
    conformance::ready(&*host, "mine").await;
    let lines = host.logs("mine", LogQuery { lines: 100 }).await.unwrap();
    let printed = lines.iter().filter(|line| line.stream == "stdout").map(|line| line.text.as_str());
    let printed: Vec<&str> = printed.collect();
    let data_directory = data.display().to_string();
    assert_eq!(
        printed.join("\n").replace(&data_directory, "DATA"),
        "DATA:\nnodes\nrun\n\nDATA/nodes:\nmine\ns3cret\ngiven\nready",
        "{lines:?}"
    );
    assert_eq!(std::fs::read_to_string(data.join("nodes/mine/data/file")).unwrap(), "kept\n");

    // It stays what the host knows: stopped, started again with its volume, limited.
    host.stop("mine").await.unwrap();
    host.start(&service).await.unwrap();
    conformance::ready(&*host, "mine").await;
    service.program.args[1] = "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ready; sleep 600".into();
    service.resources = Resources { memory_bytes: Some(50 << 20), cpus: None };
    host.start(&service).await.unwrap();
    let seen = conformance::observe_until(&*host, "mine", "the limit", |seen| seen.restarts >= 1).await;
    assert!(seen.last_exit.unwrap().reason.unwrap().contains("memory"));

    // CPU: the kernel gives it no more. Without control groups a watchdog sees to it, only later.
    service.program.args[1] = "echo ready; while :; do :; done".into();
    service.resources = Resources { memory_bytes: Some(50 << 20), cpus: Some(0.2) };
    host.start(&service).await.unwrap();
    conformance::ready(&*host, "mine").await;
    host.observe("mine").await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let seen = host.observe("mine").await.unwrap();
    let (limits, usage) = (seen.limits.unwrap(), seen.usage.unwrap());
    assert_eq!((limits.memory_bytes, limits.cpus), (Some(50 << 20), Some(0.2)));
    if limits.kept_by == LimitsKeeper::Watchdog {
        println!("no control groups here: the CPU is left to the watchdog");
    } else {
        assert!((0.05..0.35).contains(&usage.cpu), "{} cores", usage.cpu);
    }

    service.volumes = vec![VolumeSpec::new("data").with_file("x", "y".into())];
    assert!(matches!(host.start(&service).await, Err(Error::Plan(_))), "a link in the volume could lead it astray");
    host.remove("mine").await.unwrap();
}
