//! Members' Fabric CA: who is enrolled there is taken by the peers of the member, and by nobody else's.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use driver::Driver as _;
use driver_fabric::FabricDriver;
use serde_json::{Value, json};

use crate::host::{Network, write};
use crate::programs::{engines, shell};

pub async fn run(version: &str) -> anyhow::Result<()> {
    let mut network = Network::start(version, "raft", 1, json!({ "certificateAuthority": "fabric-ca" })).await?;
    network.say("READY");
    let (alpha, beta) = (profile(&network, "alpha")?, profile(&network, "beta")?);
    enrol(&network, &alpha, "admin", "password-of-alpha")?;
    enrol(&network, &beta, "admin", "password-of-beta")?;
    ensure!(enrol(&network, &alpha, "admin", "password-of-beta").is_err(), "another member's password");
    for (name, kind) in [("ann", "client"), ("olga", "admin")] {
        let id = format!("--id.name {name} --id.secret {name}-pw --id.type {kind}");
        run_as(&network, &alpha, "admin", &format!("fabric-ca-client register -M admin -u $URL {id}"))?;
        enrol(&network, &alpha, name, &format!("{name}-pw"))?;
    }
    used(&network, &alpha, &beta)?;
    let ca = network.ids("ca").swap_remove(0);
    let health = network.ledger().health(&ca).await?;
    assert_eq!((health.height, &health.facts["version"]), (None, &json!("1.5.21")));
    assert!(health.facts["certificatesUntil"].is_string(), "{}", health.facts);
    network.kill(&ca);
    ensure!(network.ledger().health(&ca).await.is_err(), "it is gone");
    network.reconcile().await?;
    network.say("the CA is back");
    let known = run_as(&network, &alpha, "admin", "fabric-ca-client identity list -M admin -u $URL")?;
    ensure!(known.contains("Name: ann") && known.contains("Name: olga"), "{known}");
    enrol(&network, &alpha, "ann", "ann-pw")?;
    used(&network, &alpha, &beta)
}

/// What each may do; the certificates that Polder issued go on to be good.
fn used(network: &Network, alpha: &Path, beta: &Path) -> anyhow::Result<()> {
    const READ: &str = "peer channel getinfo -c main";
    const ADMINISTER: &str = "peer lifecycle chaincode queryinstalled";
    for (who, script) in [("ann", READ), ("olga", READ), ("olga", ADMINISTER)] {
        run_as(network, alpha, who, script)?;
    }
    let refused = run_as(network, alpha, "ann", ADMINISTER).expect_err("no administrator");
    ensure!(refused.to_string().contains("not an admin"), "{refused}");
    run_as(network, beta, "admin", READ)?;
    let foreign = beta.join("ca/admin").display().to_string();
    let script = format!("export FABRIC_MSP={foreign}\n. ./env.sh\n{READ}");
    let refused = shell(&script, alpha, &environment(network)?.each()).expect_err("of another member");
    ensure!(refused.to_string().contains("access denied"), "{refused}");
    shell(&format!(". ./env.sh\n{READ}\n{ADMINISTER}"), alpha, &environment(network)?.each())?;
    Ok(())
}

/// Writes a member's profile and gives where.
fn profile(network: &Network, member: &str) -> anyhow::Result<PathBuf> {
    let directory = network.directory.path().join(format!("profile-{member}"));
    let keys = |name: &str| network.members.key(name);
    for (path, file) in FabricDriver.planner().profile(&network.opened(), member, &keys)? {
        write(&directory.join(path), &file.contents, if file.secret { 0o600 } else { 0o644 })?;
    }
    Ok(directory)
}

fn enrol(network: &Network, profile: &Path, name: &str, password: &str) -> anyhow::Result<String> {
    let facts: Value = serde_json::from_slice(&std::fs::read(profile.join("ca.json"))?)?;
    let url = facts["url"].as_str().unwrap_or_default().replace("https://", &format!("https://{name}:{password}@"));
    let script = format!(
        ". ./env.sh\nexport FABRIC_CA_CLIENT_URL={url}\nfabric-ca-client enroll -M {name}\ncp msp/user/config.yaml ca/{name}/"
    );
    shell(&script, profile, &environment(network)?.each())
}

/// Runs a line as one who was enrolled; `$URL` is where the Fabric CA is.
fn run_as(network: &Network, profile: &Path, name: &str, line: &str) -> anyhow::Result<String> {
    let facts: Value = serde_json::from_slice(&std::fs::read(profile.join("ca.json"))?)?;
    let url = facts["url"].as_str().unwrap_or_default();
    let script = format!("URL={url}\nexport FABRIC_MSP=$PWD/ca/{name}\n. ./env.sh\n{line}");
    shell(&script, profile, &environment(network)?.each())
}

struct Environment(String);

impl Environment {
    fn each(&self) -> [(&str, &str); 2] {
        [("FABRIC_LOGGING_SPEC", "error"), ("PATH", &self.0)]
    }
}

fn environment(network: &Network) -> anyhow::Result<Environment> {
    let version = network.spec.version.as_deref().unwrap_or_default();
    let programs = |engine: &str| Ok::<_, anyhow::Error>(engines()?.join(engine).join("bin").display().to_string());
    let path = std::env::var("PATH")?;
    Ok(Environment(format!("{}:{}:{path}", programs(&format!("fabric-{version}"))?, programs("fabric-ca-1.5.21")?)))
}
