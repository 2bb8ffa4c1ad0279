//! Real builds by the real compilers: the samples, which then serve under the host's sandbox, and sources that do not build
//! or try what they must not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chaincode::{Builds, Built, Error, Language, Source};
use host::{Host, Isolation, LocalConfig, LocalHost, NoSecrets, Sandbox, State};
use workload::{Arg, PortSpec, Probe, Program, Resources, Service, Stop};

/// A data directory with a secret, and builds in it.
struct Fixture {
    data: tempfile::TempDir,
    builds: Builds,
}

impl Fixture {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("master.key"), "the master key").unwrap();
        let isolation = Isolation::of_this_machine(false).expect("the tests need a sandbox");
        let cache = std::env::var_os("POLDER_BUILD_CACHE").map(PathBuf::from).unwrap_or_else(|| {
            let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
            cache
                .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"))
                .join("polder/builds")
        });
        let wanted = |name: &str| {
            matches!(name, "PATH" | "HOME" | "SSL_CERT_FILE" | "SSL_CERT_DIR" | "NODE_EXTRA_CA_CERTS" | "JAVA_HOME")
                || name.starts_with("GO")
                || name.to_ascii_lowercase().ends_with("_proxy")
        };
        let builds = Builds {
            directory: data.path().join("builds"),
            // One user for the cache, whatever the directory of a test is called.
            sandbox: Sandbox::new(isolation, &format!("{} builds", cache.display())).hiding(data.path()),
            cache,
            environment: std::env::vars().filter(|(name, _)| wanted(name)).collect(),
            downloads: true,
            time_limit: Duration::from_secs(900),
        };
        Self { data, builds }
    }

    async fn build(&self, files: &[(&str, &str)]) -> chaincode::Result<Built> {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let source = Source::from_bytes(&Source::pack(directory.path()).unwrap()).unwrap();
        self.builds.build(&source, &|_| {}).await
    }

    /// That a failed build has left nothing that counts.
    fn nothing_is_there(&self) {
        assert!(self.builds.list().unwrap().is_empty());
        let left = std::fs::read_dir(self.builds.directory.join(".work")).into_iter().flatten().flatten();
        let left: Vec<_> =
            left.map(|entry| entry.path()).filter(|path| path.extension().is_none_or(|end| end != "lock")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Ends a node's shim, also when the test has failed.
struct EndShim(PathBuf);

impl Drop for EndShim {
    fn drop(&mut self) {
        let lock = std::fs::read(&self.0).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
        if let Some(pid) = lock.and_then(|lock| lock["pid"].as_i64()) {
            let _ = std::process::Command::new("kill").arg(pid.to_string()).status();
        }
    }
}

/// Builds a sample, starts it as a host does, and sees it listen.
async fn sample(name: &str, language: Language) {
    let fixture = Fixture::new();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/fabric").join(name);
    let source = Source::from_bytes(&Source::pack(&directory).unwrap()).unwrap();
    let built = fixture.builds.build(&source, &|step| println!("{step}")).await.unwrap();
    assert_eq!((built.language, built.source.as_str()), (language, source.digest().as_str()));
    assert_eq!(fixture.builds.find(&built.id).unwrap().as_ref(), Some(&built));
    assert_eq!(fixture.builds.list().unwrap(), std::slice::from_ref(&built));
    let again = fixture.builds.build(&source, &|_| {}).await.unwrap();
    assert_eq!(again, built, "it is there already");

    let mut config = LocalConfig::new(fixture.data.path(), Path::new(env!("CARGO_BIN_EXE_chaincode-test-shim")));
    config.runtime_directory = fixture.data.path().join("run");
    assert_eq!(config.builds, fixture.builds.directory);
    let host = Arc::new(LocalHost::open(config, Arc::new(NoSecrets)).unwrap());
    let env = [("CHAINCODE_ID", Arg::from("asset:1")), ("CHAINCODE_SERVER_ADDRESS", Arg::Listen("peers".into()))];
    let program = Program {
        name: format!("chaincode:{}/chaincode", built.id),
        env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        foreign: true,
        ..Program::default()
    };
    let service = Service {
        name: "asset".into(),
        node: "asset".into(),
        after: Vec::new(),
        program,
        ports: vec![PortSpec::tcp("peers")],
        volumes: Vec::new(),
        readiness: Probe::Tcp("peers".into()),
        stop: Stop { grace_ms: 2000, ..Stop::default() },
        resources: Resources::default(),
    };
    host.reserve("asset", &service.ports).await.unwrap();
    let _shim = EndShim(fixture.data.path().join("nodes/asset/shim.lock"));
    host.start(&service).await.unwrap();
    // A virtual machine takes its time to start when others work.
    let end = tokio::time::Instant::now() + Duration::from_secs(180);
    loop {
        let seen = host.observe("asset").await.unwrap();
        if matches!(seen.state, State::Running { ready: true, .. }) && seen.restarts == 0 {
            break;
        }
        let lines = host.logs("asset", host::LogQuery { lines: 50 }).await.unwrap();
        assert!(tokio::time::Instant::now() < end && seen.restarts == 0, "it does not listen: {seen:?} {lines:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    host.remove("asset").await.unwrap();
    fixture.builds.remove(&built.id).unwrap();
    fixture.builds.remove(&built.id).unwrap();
    assert!(fixture.builds.find(&built.id).unwrap().is_none());
    fixture.nothing_is_there();
}

#[tokio::test]
async fn the_go_sample_is_built_and_serves() {
    sample("go", Language::Go).await;
}

#[tokio::test]
async fn the_typescript_sample_is_built_and_serves() {
    sample("node", Language::TypeScript).await;
}

#[tokio::test]
async fn the_java_sample_is_built_and_serves() {
    sample("java", Language::Java).await;
}

const GO_MOD: &str = "module x\n\ngo 1.24\n";

#[tokio::test]
async fn what_does_not_compile_is_told_in_the_compilers_words() {
    let fixture = Fixture::new();
    let error =
        fixture.build(&[("go.mod", GO_MOD), ("main.go", "package main\n\nfunc main() { undefined() }\n")]).await;
    assert!(
        matches!(&error, Err(Error::Build(said)) if said.contains("main.go:3") && said.contains("undefined")),
        "{error:?}"
    );
    let error = fixture.build(&[("go.mod", GO_MOD), ("lib.go", "package lib\n")]).await;
    assert!(matches!(&error, Err(Error::Build(said)) if said.contains("`main`")), "{error:?}");
    let error = fixture.build(&[("go.mod", "module x\n\ngo 1.999\n"), ("main.go", "package main\n")]).await;
    assert!(matches!(&error, Err(Error::Toolchain(said)) if said.contains("1.999")), "{error:?}");
    let error = fixture.build(&[("package.json", "{}"), ("index.js", "")]).await;
    assert!(matches!(&error, Err(Error::Build(said)) if said.contains("package-lock.json")), "{error:?}");
    let error = fixture.build(&[("README", "")]).await;
    assert!(matches!(&error, Err(Error::Language(said)) if said.contains("go.mod")), "{error:?}");
    fixture.nothing_is_there();
}

#[tokio::test]
async fn a_missing_tool_and_downloads_that_are_off_are_told() {
    let mut fixture = Fixture::new();
    let temporary = tempfile::tempdir().unwrap();
    let go_mod = format!("{GO_MOD}\nrequire golang.org/x/text v0.21.0\n");
    let go_sum = "golang.org/x/text v0.21.0 h1:zyQAAkrwaneQ066sspRyJaG9VNi/YJ1NfzcGB3hZ/qo=\n\
                  golang.org/x/text v0.21.0/go.mod h1:4IBbMaMmOPCJ8SecivzSH54+73PCFmPWxNTLm+vZkEQ=\n";
    let main = "package main\n\nimport _ \"golang.org/x/text/language\"\n\nfunc main() {}\n";
    let files = [("go.mod", go_mod.as_str()), ("go.sum", go_sum), ("main.go", main)];
    fixture.builds.downloads = false;
    fixture.builds.cache = temporary.path().join("cache");
    let error = fixture.build(&files).await;
    assert!(matches!(&error, Err(Error::DownloadsOff(said)) if said.starts_with("main.go:3")), "{error:?}");
    // What needs no download is built.
    fixture.build(&[("go.mod", GO_MOD), ("main.go", "package main\n\nfunc main() {}\n")]).await.unwrap();

    fixture.builds.environment = BTreeMap::from([("PATH".into(), "/nowhere".into())]);
    for (file, program) in [("go.mod", "`go`"), ("package.json", "`node`"), ("pom.xml", "`java`")] {
        let error = fixture.build(&[(file, "")]).await;
        assert!(matches!(&error, Err(Error::Toolchain(said)) if said.contains(program)), "{error:?}");
    }
}

/// A package whose files and lock name `dependency`, a folder of the source.
fn project(scripts: &str, dependency_scripts: &str) -> Vec<(&'static str, String)> {
    let manifest = format!(
        r#"{{"name":"x","version":"1.0.0","main":"index.js","scripts":{scripts},"dependencies":{{"evil":"file:evil"}}}}"#
    );
    let lock = r#"{"name":"x","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{
        "":{"name":"x","version":"1.0.0","hasInstallScript":true,"dependencies":{"evil":"file:evil"}},
        "evil":{"version":"1.0.0","hasInstallScript":true},
        "node_modules/evil":{"resolved":"evil","link":true}}}"#;
    vec![
        ("package.json", manifest),
        ("package-lock.json", lock.into()),
        ("tsconfig.json", "{}".into()),
        ("index.js", String::new()),
        ("evil/package.json", format!(r#"{{"name":"evil","version":"1.0.0","scripts":{dependency_scripts}}}"#)),
    ]
}

async fn build_project(fixture: &Fixture, scripts: &str, dependency_scripts: &str) -> Error {
    let files = project(scripts, dependency_scripts);
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    fixture.build(&files).await.unwrap_err()
}

#[tokio::test]
async fn install_scripts_do_not_run_and_build_scripts_reach_nothing() {
    let fixture = Fixture::new();
    let marker = "echo install script ran >&2; exit 7";
    let install =
        format!(r#"{{"preinstall":"{marker}","install":"{marker}","postinstall":"{marker}","prepare":"{marker}"}}"#);
    let key = fixture.data.path().join("master.key");
    // The build comes after the installation: what it finds shows what has run before.
    let look = format!(
        "cat {key}; ls {data} >&2; ls -A {data}/builds/.work >&2; id -u >&2; echo x > {key}; echo x > /etc/polder-marker; \
         curl -sm 2 http://127.0.0.1:9 2>&1; echo the build ran >&2; exit 9",
        key = key.display(),
        data = fixture.data.path().display()
    );
    let scripts = format!(r#"{{"build":"{look}","preinstall":"{marker}","install":"{marker}"}}"#);
    let error = build_project(&fixture, &scripts, &install).await;
    let Error::Build(said) = &error else { panic!("{error:?}") };
    assert!(said.contains("the build ran"), "{said}");
    assert!(!said.contains("install script ran"), "{said}");
    assert!(said.contains("No such file or directory") && !said.contains("the master key"), "{said}");
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "the master key");
    assert!(!Path::new("/etc/polder-marker").exists());
    fixture.nothing_is_there();
}

#[tokio::test]
async fn a_build_that_plants_links_leads_the_server_nowhere() {
    let fixture = Fixture::new();
    let outside = fixture.data.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let scripts = format!(
        r#"{{"build":"cd .. && mv source elsewhere && ln -s {0} source && ln -s {0} out; rm -rf made && ln -s {0} made; true"}}"#,
        outside.display()
    );
    // The next command of npm finds no package any more, or the server finds a link: whichever, it is refused.
    let error = build_project(&fixture, &scripts, "{}").await;
    assert!(matches!(error, Error::Build(_) | Error::File { .. } | Error::Host(_)), "{error:?}");
    assert!(std::fs::read_dir(&outside).unwrap().next().is_none());
    fixture.nothing_is_there();
}

#[tokio::test]
async fn a_build_that_does_not_end_is_ended() {
    let mut fixture = Fixture::new();
    fixture.builds.time_limit = Duration::from_secs(12);
    let error = build_project(&fixture, r#"{"build":"while :; do :; done"}"#, "{}").await;
    assert!(matches!(error, Error::TimeLimit(12)), "{error:?}");
    fixture.nothing_is_there();
}
