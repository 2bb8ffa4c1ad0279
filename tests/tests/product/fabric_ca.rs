//! A Fabric network whose members have Fabric CA: Fabric's own clients register and enrol people there, and the network takes
//! them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::deployment::{Deployment, eventually, processes};
use crate::fabric::{created, deployed};
use crate::text;

const NETWORK: &str = "with-ca";

#[test]
fn members_enrol_their_people_at_their_own_fabric_ca() {
    let mut deployment = Deployment::start();
    deployment.found();
    let developer = deployment.user("dora", "developer:beta");
    let create = ["network", "create", NETWORK, "--engine", "fabric", "--consensus", "raft", "--orderers", "1"];
    let more = ["--members", "alpha,beta", "--peers", "1", "--option", "certificateAuthority=fabric-ca"];
    let network = deployment.admin.json(&[&create[..], &more, &["--wait"]].concat());
    let nodes = network["nodes"].as_array().unwrap();
    let authorities: Vec<&Value> = nodes.iter().filter(|node| node["kind"] == "ca").collect();
    let names: Vec<&Value> = authorities.iter().map(|node| &node["name"]).collect();
    assert_eq!(names, ["with-ca/ca-alpha", "with-ca/ca-beta"], "{network}");
    assert!(authorities.iter().all(|node| node["status"] == "running" && node["height"].is_null()), "{network}");
    deployed(&deployment.admin, NETWORK, "go", "asset-go");
    created(&developer, NETWORK, "asset-go", "one");

    let (alpha, beta) = (Shell::of(&deployment, "alpha"), Shell::of(&deployment, "beta"));
    kept_secret(&deployment, authorities[0], &alpha);
    enrolled(&alpha);
    foreign(&alpha, &beta);
    back_after_kills(&mut deployment, &alpha, text(authorities[0], "id"));
    let developer = developer.at(&deployment.url);
    created(&developer, NETWORK, "asset-go", "two");
    assert!(alpha.asks("ann", "two").status.success(), "who was enrolled before is known still");

    let lines = deployment.admin.json(&["node", "logs", "with-ca/ca-alpha", "--lines", "1000"]);
    assert!(lines.to_string().contains("Listening on https://"), "{lines}");
    assert!(!lines.to_string().contains(&alpha.password), "{lines}");
    deployment.admin.json(&["network", "delete", NETWORK, "--yes", "--wait"]);
    assert!(processes(&deployment.data(), "nodes").is_empty(), "no process is left");
    assert!(!alpha.home_of_ca.exists(), "nor a secret");
}

/// A shell in the folder of a member's profile, with Fabric's programs.
struct Shell {
    directory: tempfile::TempDir,
    facts: Value,
    password: String,
    /// Where the member's Fabric CA has its settings.
    home_of_ca: PathBuf,
}

impl Shell {
    fn of(deployment: &Deployment, member: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().to_str().unwrap();
        deployment.admin.json(&["network", "profile", NETWORK, "--member", member, "--dir", folder]);
        let path = directory.path().join("ca.json");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let facts: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let connection = fs::read(directory.path().join("connection.json")).unwrap();
        let connection: Value = serde_json::from_slice(&connection).unwrap();
        assert_eq!(connection["certificateAuthorities"][text(&facts, "name")]["url"], facts["url"]);
        let password = text(&facts["registrar"], "enrollSecret").to_owned();
        let ca = deployment.admin.json(&["node", "show", &format!("{NETWORK}/ca-{member}")]);
        let home_of_ca =
            arguments_of(&ca).into_iter().find_map(|own| own.strip_suffix("/settings.yaml").map(PathBuf::from));
        Self { directory, facts, password, home_of_ca: home_of_ca.unwrap() }
    }

    /// Where who enrols with a password connects to.
    fn url(&self, name: &str, password: &str) -> String {
        text(&self.facts, "url").replace("https://", &format!("https://{name}:{password}@"))
    }

    fn run(&self, script: &str, environment: &[(&str, &str)]) -> Output {
        let programs = ["fabric-3.1.1", "fabric-ca-1.5.21"].map(|engine| tests::engines().join(engine).join("bin"));
        Command::new("bash")
            .args(["-c", &format!("set -e; . ./env.sh; {script}")])
            .current_dir(self.directory.path())
            .env("PATH", format!("{}:{}:/usr/bin:/bin", programs[0].display(), programs[1].display()))
            .env("FABRIC_LOGGING_SPEC", "error")
            .envs(environment.iter().copied())
            .output()
            .unwrap()
    }

    fn succeeds(&self, script: &str, environment: &[(&str, &str)]) -> String {
        let output = self.run(script, environment);
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Enrols with a password, and makes of it what Fabric's programs read.
    fn enrol(&self, name: &str, password: &str, folder: &str) {
        let script = format!("fabric-ca-client enroll -M {folder} && cp msp/user/config.yaml ca/{folder}/");
        self.succeeds(&script, &[("FABRIC_CA_CLIENT_URL", &self.url(name, password))]);
    }

    /// A query by `peer` as one who was enrolled.
    fn asks(&self, folder: &str, asset: &str) -> Output {
        let query = json!({ "Args": ["ReadAsset", asset] });
        let script = format!("peer chaincode query -C main -n asset-go -c '{query}'");
        self.run(&script, &[("FABRIC_MSP", &self.msp(folder))])
    }

    fn msp(&self, folder: &str) -> String {
        self.directory.path().join("ca").join(folder).display().to_string()
    }
}

fn arguments_of(node: &Value) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{}/cmdline", node["pid"])).unwrap();
    text.split('\0').map(str::to_owned).collect()
}

/// The password and the keys are in the program's run-time directory alone.
fn kept_secret(deployment: &Deployment, ca: &Value, shell: &Shell) {
    assert!(shell.password.len() >= 32);
    let environment = fs::read(format!("/proc/{}/environ", ca["pid"])).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains(&shell.password));
    assert!(!arguments_of(ca).concat().contains(&shell.password));
    let mode = fs::metadata(&shell.home_of_ca).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700, "{}", shell.home_of_ca.display());
    let settings = fs::read_to_string(shell.home_of_ca.join("settings.yaml")).unwrap();
    assert!(settings.contains(&shell.password), "this is what is looked for");
    let mut folders = vec![deployment.data()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.extend((path != shell.home_of_ca).then_some(path));
            } else if let Ok(bytes) = fs::read(&path) {
                seen += 1;
                let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|own| own == needle);
                assert!(!holds(shell.password.as_bytes()), "{}", path.display());
                let below_ca = path.starts_with(deployment.data().join("nodes").join(text(ca, "id")));
                assert!(!(below_ca && holds(b"PRIVATE KEY")), "{}", path.display());
            }
        }
    }
    assert!(seen > 10, "{seen} files");
}

fn enrolled(shell: &Shell) {
    shell.enrol("admin", &shell.password, "registrar");
    let wrong =
        shell.run("fabric-ca-client enroll -M nobody", &[("FABRIC_CA_CLIENT_URL", &shell.url("admin", "guess"))]);
    assert!(!wrong.status.success());
    for (name, kind) in [("ann", "client"), ("olga", "admin")] {
        let id = format!("--id.name {name} --id.secret {name}-pw --id.type {kind}");
        shell.succeeds(&format!("fabric-ca-client register -M registrar -u {} {id}", text(&shell.facts, "url")), &[]);
        shell.enrol(name, &format!("{name}-pw"), name);
    }
    let answer = shell.asks("ann", "one");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&answer.stdout).unwrap()["Owner"], "tom");
    // What administrators of a peer alone may ask.
    let installed = "peer lifecycle chaincode queryinstalled --output json";
    let packages = shell.succeeds(installed, &[("FABRIC_MSP", &shell.msp("olga"))]);
    assert!(packages.contains("asset-go_1"), "{packages}");
    let refused = shell.run(installed, &[("FABRIC_MSP", &shell.msp("ann"))]);
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("not an admin"), "{told}");
    // What the network itself knew before is known still.
    shell.succeeds(installed, &[]);
}

/// Who was enrolled by another member's authority is nobody here.
fn foreign(alpha: &Shell, beta: &Shell) {
    beta.enrol("admin", &beta.password, "registrar");
    assert!(beta.asks("registrar", "one").status.success(), "in its own member's name");
    let query = "peer chaincode query -C main -n asset-go -c '{\"Args\":[\"ReadAsset\",\"one\"]}'";
    let refused = alpha.run(query, &[("FABRIC_MSP", &beta.msp("registrar"))]);
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("access denied"), "{told}");
    let elsewhere = [("FABRIC_CA_CLIENT_URL", &*alpha.url("admin", &beta.password))];
    assert!(!alpha.run("fabric-ca-client enroll -M nobody", &elsewhere).status.success());
}

/// What was registered is there after the CA was killed, and after everything was.
fn back_after_kills(deployment: &mut Deployment, shell: &Shell, ca: &str) {
    let registered = format!("fabric-ca-client identity list -M registrar -u {}", text(&shell.facts, "url"));
    let known = || {
        // The server may not have seen yet that it is gone, or that it answers again.
        let answered = || Some(shell.run(&registered, &[])).filter(|output| output.status.success());
        let list = String::from_utf8(eventually("the CA answers", answered).stdout).unwrap();
        assert!(list.contains("Name: ann") && list.contains("Name: olga"), "{list}");
        shell.enrol("ann", "ann-pw", "ann");
    };
    killed(deployment, ca);
    known();
    deployment.kill_server();
    let pid = processes(&deployment.data(), "fabric-ca-server").into_iter().find(|pid| is_program(*pid, shell));
    kill(pid.expect("it outlives the server"), Signal::SIGKILL).unwrap();
    deployment.run_server(crate::deployment::OnExit::Keep);
    eventually("the CA runs again", || {
        (deployment.admin.json(&["node", "show", ca])["status"] == "running").then_some(())
    });
    known();
}

/// Whether a process is the member's Fabric CA itself and no supervisor.
fn is_program(pid: Pid, shell: &Shell) -> bool {
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    let arguments = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    program.ends_with(Path::new("bin/fabric-ca-server")) && arguments.contains(shell.home_of_ca.to_str().unwrap())
}

fn killed(deployment: &Deployment, node: &str) {
    let before = deployment.admin.json(&["node", "show", node]);
    let pid = before["pid"].as_i64().unwrap();
    kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL).unwrap();
    eventually("the CA is back", || {
        let after = deployment.admin.json(&["node", "show", node]);
        (after["status"] == "running" && after["pid"] != before["pid"]).then_some(())
    });
}
