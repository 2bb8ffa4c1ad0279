//! Builds that cannot succeed, with the real Go: each says what is missing and leaves nothing half-made in sight.

use std::collections::BTreeMap;

use engines::{Build, Catalogue, Directory, Error, Stage, Toolchain};

fn build(directory: &Directory, environment: &[(&str, &str)]) -> Build {
    let catalogue = Catalogue::embedded().unwrap();
    let mut all: BTreeMap<String, String> =
        ["PATH", "HOME"].into_iter().filter_map(|name| Some((name.into(), std::env::var(name).ok()?))).collect();
    all.extend(environment.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    let toolchain = Toolchain { environment: all };
    Build::new(directory.clone(), catalogue.recipe("quorum").unwrap(), "22.7.4", toolchain).unwrap()
}

#[tokio::test]
async fn what_is_missing_is_named_and_nothing_is_left_in_sight() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = Directory::new(temporary.path().join("engines"));
    let silent = |_| {};

    let without_go = build(&directory, &[("PATH", "/nowhere")]);
    let error = without_go.take(Stage::Check, &silent).await.unwrap_err();
    assert!(matches!(&error, Error::Tool(reason) if reason.contains("Go is missing")), "{error}");

    let offline = build(&directory, &[("GOPROXY", "http://127.0.0.1:9")]);
    offline.take(Stage::Check, &silent).await.unwrap();
    let error = offline.take(Stage::Download, &silent).await.unwrap_err();
    assert!(matches!(error, Error::Network(_)), "{error}");
    assert_eq!(error.code(), types::Code::EngineDownload);
    assert!(directory.installed("quorum").unwrap().is_empty());

    let work = directory.path().join(".work/quorum-22.7.4");
    assert!(work.join("go.sum").exists());
    offline.abandon().unwrap();
    assert!(!work.exists());
}
