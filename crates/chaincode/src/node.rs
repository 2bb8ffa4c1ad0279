//! Chaincode in JavaScript and TypeScript: its directory with what it depends on, and a script that starts Node.js.

use std::collections::BTreeMap;

use crate::files::mode;
use crate::workshop::{Call, Workshop, at_least};
use crate::{Error, Language, Progress, Result};

const INSTALL: &str = "Node.js 18 or newer with npm (nodejs.org, or packages of the system)";

/// Hands the start contract to the chaincode server of Node.js.
const START: &str = r#"#!/bin/sh
set -eu
cd "${0%/*}/../app"
set -- server --chaincode-address="$CHAINCODE_SERVER_ADDRESS" --chaincode-id="$CHAINCODE_ID"
if [ -n "${CHAINCODE_TLS_KEY:-}" ]; then
  set -- "$@" --chaincode-tls-key-file="$CHAINCODE_TLS_KEY" --chaincode-tls-cert-file="$CHAINCODE_TLS_CERT"
fi
if [ -n "${CHAINCODE_TLS_CLIENT_CA:-}" ]; then
  set -- "$@" --chaincode-tls-client-cacert-file="$CHAINCODE_TLS_CLIENT_CA"
fi
exec 'NODE' node_modules/fabric-shim/cli.js "$@"
"#;

/// Finds Node.js and npm.
pub async fn toolchain(workshop: &mut Workshop<'_>) -> Result<String> {
    let version = workshop.ask("node", &["--version"], INSTALL).await?;
    let version = version.trim().trim_start_matches('v').to_owned();
    if !at_least(&version, "18") {
        return Err(Error::Toolchain(format!("Node.js {version} is too old: install {INSTALL}")));
    }
    // The registry that the operator has set, but none of the operator's tokens.
    let asked = workshop.ask("npm", &["config", "get", "registry", "--loglevel=error"], INSTALL).await?;
    let registry = asked.lines().map(str::trim).find(|line| line.starts_with("http"));
    workshop.settings = registry.into_iter().map(|url| ("npm_config_registry".to_owned(), url.to_owned())).collect();
    Ok(format!("node {version}"))
}

/// Installs what the source depends on, compiles TypeScript, and writes the script that starts it.
pub async fn build(workshop: &Workshop<'_>, language: Language, progress: Progress<'_>) -> Result<()> {
    if !workshop.source.has("package-lock.json") && !workshop.source.has("npm-shrinkwrap.json") {
        return Err(Error::Build("package-lock.json is missing: run `npm install` and give it with the source".into()));
    }
    progress("installing packages".into());
    npm(workshop, &["ci", "--ignore-scripts", "--include=dev"], true).await?;
    if language == Language::TypeScript {
        progress("compiling TypeScript".into());
        let manifest = workshop.source.text("package.json").unwrap_or_default();
        let manifest: serde_json::Value = serde_json::from_str(manifest)
            .map_err(|error| Error::Build(format!("package.json cannot be read: {error}")))?;
        if manifest.pointer("/scripts/build").is_some() {
            npm(workshop, &["run", "build"], false).await?;
        } else {
            npm(workshop, &["exec", "--no", "--", "tsc"], false).await?;
        }
    }
    npm(workshop, &["prune", "--omit=dev", "--ignore-scripts"], false).await?;
    workshop.close()?;
    if !workshop.take(&workshop.source_directory(), "app")? {
        return Err(Error::Build("the build has removed its own directory".into()));
    }
    if !workshop.out().join("app/node_modules/fabric-shim/cli.js").is_file() {
        return Err(Error::Build("the source does not depend on fabric-shim: run `npm install fabric-shim`".into()));
    }
    let node = workshop.find("node").unwrap_or_default().display().to_string().replace('\'', r"'\''");
    let script = workshop.out().join("bin/chaincode");
    std::fs::write(&script, START.replace("NODE", &node)).map_err(|error| Error::file(&script, error))?;
    mode(&script, 0o755)
}

/// Runs npm. Only what downloads may write the packages that other builds take.
async fn npm(workshop: &Workshop<'_>, args: &[&str], downloads: bool) -> Result<()> {
    let shared = workshop.cache("npm")?;
    let own = workshop.home().join("npm");
    let cache = if downloads { &shared } else { &own };
    let mut env = BTreeMap::from([
        ("npm_config_cache".into(), cache.display().to_string()),
        ("npm_config_audit".into(), "false".into()),
        ("npm_config_fund".into(), "false".into()),
        ("npm_config_update_notifier".into(), "false".into()),
        ("NODE_ENV".into(), "development".into()),
    ]);
    if !(downloads && workshop.downloads()) {
        env.insert("npm_config_offline".into(), "true".into());
    }
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    let cache = downloads.then_some(shared.as_path());
    workshop.run(Call { program: "npm", args, env, cache, answers: false, downloads }, |_| {}).await?;
    Ok(())
}
