//! House rules: what a reader may rely on everywhere in this repository.

use std::{collections::BTreeMap, process::Command};

use clap::CommandFactory as _;
use tests::{files, repository};

#[test]
fn every_module_opens_with_its_purpose() -> anyhow::Result<()> {
    let mut silent = Vec::new();
    let mut seen = 0;
    for folder in ["crates", "bin", "tests", "benches"] {
        if !repository().join(folder).exists() {
            continue;
        }
        for path in files(folder, ".rs")? {
            seen += 1;
            let text = std::fs::read_to_string(&path)?;
            let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!"));
            if !first.is_some_and(|line| line.starts_with("//! ") && line.len() > 8) {
                silent.push(path.strip_prefix(repository())?.display().to_string());
            }
        }
    }
    assert!(seen > 50, "only {seen} files were found");
    assert!(silent.is_empty(), "modules without a `//!` head: {silent:#?}");
    Ok(())
}

#[test]
fn programs_are_short() -> anyhow::Result<()> {
    for path in files("bin", "src/main.rs")? {
        let lines = std::fs::read_to_string(&path)?.lines().count();
        assert!(lines < 50, "{} has {lines} lines", path.display());
    }
    Ok(())
}

/// The workspace's own crates and what each depends on; development dependencies left out.
fn graph() -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(repository())
        .output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let names: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut graph = BTreeMap::new();
    for package in &packages {
        let mut own: Vec<String> = package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| names.contains(name))
            .map(str::to_owned)
            .collect();
        own.sort();
        graph.insert(package["name"].as_str().unwrap_or_default().to_owned(), own);
    }
    Ok(graph)
}

#[test]
fn arrows_between_crates_are_as_reviewed() -> anyhow::Result<()> {
    let lines: Vec<String> = graph()?.iter().map(|(name, own)| format!("{name}: {}", own.join(" "))).collect();
    insta::assert_snapshot!(lines.join("\n"));
    Ok(())
}

#[test]
fn the_built_in_chain_knows_nothing_of_the_platform() -> anyhow::Result<()> {
    for (name, own) in graph()? {
        if name.starts_with("chain-") || name == "polder-node" {
            let foreign: Vec<&String> = own.iter().filter(|own| !own.starts_with("chain-")).collect();
            assert!(foreign.is_empty(), "{name} depends on {foreign:?}");
        } else if name != "benches" {
            assert!(!own.iter().any(|own| own.starts_with("chain-")), "{name} depends on the chain: {own:?}");
        }
    }
    Ok(())
}

/// Files of `crates/` that match, apart from those of the allowed crates.
fn trespassers(patterns: &[&str], allowed: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for path in files("crates", ".rs")? {
        let relative = path.strip_prefix(repository())?.display().to_string();
        if !relative.contains("/src/") || allowed.iter().any(|name| relative.starts_with(&format!("crates/{name}/"))) {
            continue;
        }
        for (number, line) in std::fs::read_to_string(&path)?.lines().enumerate() {
            let code = line.trim_start();
            if !code.starts_with("//") && patterns.iter().any(|pattern| code.contains(pattern)) {
                found.push(format!("{relative}:{}: {}", number + 1, code.trim()));
            }
        }
    }
    Ok(found)
}

#[test]
fn sql_lives_in_the_store() -> anyhow::Result<()> {
    let found = trespassers(&["sqlx::", "SELECT ", "INSERT INTO", "DELETE FROM"], &["store"])?;
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

#[test]
fn only_the_host_starts_processes() -> anyhow::Result<()> {
    let found = trespassers(&["process::Command", "Command::new("], &["host"])?;
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

#[test]
fn only_telemetry_installs_subscribers() -> anyhow::Result<()> {
    let found = trespassers(&["set_global_default", "tracing_subscriber::fmt()", ".try_init()"], &["telemetry"])?;
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

#[test]
fn the_command_line_is_as_reviewed() {
    let mut text = String::new();
    describe(&mut cli::Cli::command(), "polder", &mut text);
    insta::assert_snapshot!(text);
}

fn describe(command: &mut clap::Command, name: &str, text: &mut String) {
    let help = command.clone().disable_version_flag(true).term_width(100).render_help();
    text.push_str(&format!("### {name}\n{help}\n"));
    let below: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for sub in below.iter().filter(|sub| *sub != "help" && *sub != "shim") {
        if let Some(found) = command.find_subcommand_mut(sub) {
            describe(found, &format!("{name} {sub}"), text);
        }
    }
}
