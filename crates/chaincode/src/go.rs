//! Go chaincode: one static program, by `go build`.

use std::collections::BTreeMap;

use crate::workshop::{Call, Workshop, at_least};
use crate::{Error, Progress, Result};

const INSTALL: &str = "Go (golang.org/dl, or a package of the system)";
/// Settings that say where modules come from. They may lie in the operator's home, which the sandbox cannot read.
const SETTINGS: [&str; 6] = ["GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOINSECURE"];

/// Finds Go and sees that it is new enough.
pub async fn toolchain(workshop: &mut Workshop<'_>) -> Result<String> {
    let mut args = vec!["env", "-json", "GOVERSION"];
    args.extend(SETTINGS);
    let answer = workshop.ask("go", &args, INSTALL).await?;
    let mut settings: BTreeMap<String, String> = serde_json::from_str(&answer)
        .map_err(|error| Error::Toolchain(format!("`go env` does not answer as expected: {error}")))?;
    let version = settings.remove("GOVERSION").unwrap_or_default();
    let version = version.trim_start_matches("go").to_owned();
    settings.retain(|_, value| !value.is_empty());
    workshop.settings = settings;
    let go_mod = workshop.source.text("go.mod").unwrap_or_default();
    let wanted = go_mod.lines().find_map(|line| line.trim().strip_prefix("go ")).unwrap_or("1.0").trim();
    if !at_least(&version, wanted) {
        return Err(Error::Toolchain(format!(
            "the chaincode needs Go {wanted} or newer, here is {version}: install it"
        )));
    }
    Ok(format!("go {version}"))
}

/// Compiles `out/bin/chaincode`.
pub async fn build(workshop: &Workshop<'_>, progress: Progress<'_>) -> Result<()> {
    let vendored = workshop.source.has("vendor/modules.txt");
    let mode = if vendored { "-mod=vendor" } else { "-mod=readonly" };
    progress("downloading modules".into());
    let list = ["list", mode, "-deps", "-f={{.Name}}", "."];
    let mut modules = 0;
    let packages = go(workshop, &list, !vendored, |line| {
        if let Some(module) = line.strip_prefix("go: downloading ") {
            modules += 1;
            progress(format!("{modules} modules downloaded, now {module}"));
        }
    })
    .await?;
    // The package itself comes last, after all that it depends on.
    if packages.lines().last() != Some("main") {
        return Err(Error::Build("the package at the top of the source is not `main`, so it is no program".into()));
    }
    let count = packages.lines().count();
    let program = workshop.made().join("chaincode").display().to_string();
    let build = ["build", mode, "-trimpath", "-buildvcs=false", "-v", "-o", &program, "."];
    let mut compiled = 0;
    go(workshop, &build, false, |line| {
        // A line with a space is the compiler's word; a package's path has none.
        if !line.contains(' ') {
            compiled += 1;
            progress(format!("{compiled} of up to {count} packages compiled"));
        }
    })
    .await?;
    workshop.close()?;
    match workshop.take(&workshop.made().join("chaincode"), "bin/chaincode")? {
        true => Ok(()),
        false => Err(Error::Build("Go has left no program".into())),
    }
}

async fn go(workshop: &Workshop<'_>, args: &[&str], downloads: bool, each: impl FnMut(&str) + Send) -> Result<String> {
    // Shared by all builds: the compiler runs nothing of what it compiles, and checks modules against go.sum.
    let cache = workshop.cache("go")?;
    let below = |name: &str| cache.join(name).display().to_string();
    let mut env = BTreeMap::from([
        ("GOPATH".into(), below("path")),
        ("GOMODCACHE".into(), below("mod")),
        ("GOCACHE".into(), below("build")),
        // Another toolchain than the operator's is not downloaded behind the operator's back.
        ("GOTOOLCHAIN".into(), "local".into()),
        ("GOFLAGS".into(), "-modcacherw".into()),
        ("GOWORK".into(), "off".into()),
        ("GOTELEMETRY".into(), "off".into()),
        ("CGO_ENABLED".into(), "0".into()),
    ]);
    if !workshop.downloads() {
        env.insert("GOPROXY".into(), "off".into());
    }
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    workshop.run(Call { program: "go", args, env, cache: Some(&cache), answers: true, downloads }, each).await
}
