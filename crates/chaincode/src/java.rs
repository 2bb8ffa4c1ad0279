//! Java chaincode: its jars, by Maven, and a script that starts Java.

use std::collections::BTreeMap;

use crate::files::{make, mode};
use crate::workshop::{Call, Workshop, at_least};
use crate::{Error, Progress, Result};

const INSTALL: &str = "a JDK 11 or newer and Maven (Debian: default-jdk-headless maven)";
/// Pinned, because the one that Maven would take depends on its version.
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
/// Starts the contracts that it finds in the jars.
const ROUTER: &str = "org.hyperledger.fabric.contract.ContractRouter";

/// Hands the start contract to the chaincode server of Java. It serves with what the `FILE` variables name, but wants the
/// same in base64, and an authority, before it answers a peer. They lie in memory, which in a sandbox is its own.
const START: &str = r#"#!/bin/sh
set -eu
if [ -n "${CHAINCODE_TLS_CLIENT_CA:-}" ]; then
  echo "the chaincode server of Java cannot ask peers for certificates: leave CHAINCODE_TLS_CLIENT_CA out" >&2
  exit 78
fi
export CORE_CHAINCODE_ID_NAME="$CHAINCODE_ID"
if [ -n "${CHAINCODE_TLS_KEY:-}" ]; then
  export CORE_PEER_TLS_ENABLED=true CORE_PEER_TLS_ROOTCERT_FILE="$CHAINCODE_TLS_CERT"
  umask 077
  encoded=$(mktemp -d /dev/shm/chaincode.XXXXXX)
  base64 -w 0 < "$CHAINCODE_TLS_KEY" > "$encoded/key"
  base64 -w 0 < "$CHAINCODE_TLS_CERT" > "$encoded/cert"
  export CORE_TLS_CLIENT_KEY_PATH="$encoded/key" CORE_TLS_CLIENT_KEY_FILE="$CHAINCODE_TLS_KEY"
  export CORE_TLS_CLIENT_CERT_PATH="$encoded/cert" CORE_TLS_CLIENT_CERT_FILE="$CHAINCODE_TLS_CERT"
fi
exec 'JAVA' -Xmx"${CHAINCODE_HEAP:-256m}" -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -cp "${0%/*}/../lib/*" MAIN
"#;

/// Finds Maven and the JDK that it uses.
pub async fn toolchain(workshop: &mut Workshop<'_>) -> Result<String> {
    for program in ["java", "javac"] {
        if workshop.find(program).is_none() {
            return Err(Error::Toolchain(format!("`{program}` is missing: install {INSTALL}")));
        }
    }
    let said = workshop.ask("mvn", &["--batch-mode", "--version"], INSTALL).await?;
    let after = |word: &str| said.lines().find_map(|line| line.split_once(word)).map(|(_, rest)| rest);
    let first =
        |text: Option<&str>| text.and_then(|text| text.split([' ', ',', '\u{1b}']).next()).unwrap_or("?").to_owned();
    let (maven, java) = (first(after("Apache Maven ")), first(after("Java version: ")));
    if !at_least(&java, "11") {
        return Err(Error::Toolchain(format!("Java {java} is too old: install {INSTALL}")));
    }
    Ok(format!("java {java}, maven {maven}"))
}

/// Packages the source, collects what it depends on, and writes the script that starts it.
pub async fn build(workshop: &Workshop<'_>, progress: Progress<'_>) -> Result<()> {
    // Maven runs what a project names as its plugins and does not check what it has kept, so a build could leave something
    // for another's. Hence a repository for each project: for all its files but those that are only compiled.
    let project = workshop.source.digest_of(|path| !(path.starts_with("src/main/java/") && path.ends_with(".java")));
    let cache = workshop.cache(&format!("maven/{}", &project[..32]))?;
    let lib = workshop.made().join("lib");
    let mut args: Vec<String> = ["--batch-mode", "--no-transfer-progress", "--errors"].map(str::to_owned).to_vec();
    args.extend([format!("-Dmaven.repo.local={}", cache.display()), "-Dmaven.test.skip=true".into()]);
    args.extend(["-DincludeScope=runtime".into(), format!("-DoutputDirectory={}", lib.display())]);
    if !workshop.downloads() {
        args.push("--offline".into());
    }
    args.extend(["package".into(), COPY.into()]);
    // Java takes the home of a user from the system's list of users, in which the sandbox's is not.
    let (home, temporary) = (workshop.home(), workshop.temporary());
    let own = format!("-Duser.home={} -Djava.io.tmpdir={} -Xmx1g", home.display(), temporary.display());
    let env = BTreeMap::from([("MAVEN_OPTS".into(), own)]);
    progress("Maven downloads what is missing and packages the chaincode".into());
    workshop
        .run(Call { program: "mvn", args, env, cache: Some(&cache), answers: false, downloads: true }, |_| {})
        .await?;
    workshop.close()?;
    if !workshop.take(&lib, "lib")? {
        make(&workshop.out().join("lib"))?;
    }
    take_jars(workshop)?;
    let main = workshop.source.text("pom.xml").and_then(main_class).unwrap_or(ROUTER);
    let java = workshop.find("java").unwrap_or_default().display().to_string().replace('\'', r"'\''");
    let script = workshop.out().join("bin/chaincode");
    let text = START.replace("JAVA", &java).replace("MAIN", main);
    std::fs::write(&script, text).map_err(|error| Error::file(&script, error))?;
    mode(&script, 0o755)
}

/// Moves the jar of the project to what it depends on.
fn take_jars(workshop: &Workshop<'_>) -> Result<()> {
    let target = workshop.source_directory().join("target");
    let is_program = |name: &String| {
        let beside = ["-sources.jar", "-javadoc.jar", "-tests.jar"];
        name.ends_with(".jar") && !name.starts_with("original-") && !beside.iter().any(|end| name.ends_with(end))
    };
    let entries = std::fs::read_dir(&target).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_program);
    let mut taken = 0;
    for name in names {
        taken += usize::from(workshop.take(&target.join(&name), &format!("lib/{name}"))?);
    }
    if taken == 0 {
        return Err(Error::Build(
            "Maven has left no jar in `target`: the project at the top must have the packaging jar".into(),
        ));
    }
    Ok(())
}

/// The main class that a project's file names, if it does.
fn main_class(pom: &str) -> Option<&str> {
    let name = pom.split_once("<mainClass>")?.1.split_once("</mainClass>")?.0.trim();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._".contains(letter);
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_main_class_is_taken_only_where_it_is_plain() {
        assert_eq!(main_class("<x><mainClass> org.example.Main </mainClass></x>"), Some("org.example.Main"));
        for pom in
            ["<x/>", "<mainClass>${main}</mainClass>", "<mainClass>a; rm -rf b</mainClass>", "<mainClass></mainClass>"]
        {
            assert_eq!(main_class(pom), None, "{pom}");
        }
    }
}
