//! `polder server run` and `polder server reset-password`.

use std::{collections::BTreeMap, io::BufRead as _, sync::Arc};

use api::{IngressOptions, ServerConfig, Tls};
use cli::{LogFormat, OnExit, ResetPassword, RunServer};
use control::{BuildSettings, Config, Control, DataDirectory, Foundation, KeyStore};
use driver::{Driver, Drivers};
use host::{LocalConfig, LocalHost};
use keys::Secret;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::error::Error;

/// Runs a server until SIGTERM or SIGINT.
pub async fn run(options: RunServer) -> Result<(), Error> {
    start_log(options.log_format)?;
    let allow = outbound::AllowList::parse(options.allow_address.iter().map(String::as_str)).map_err(Error::Allow)?;
    let given_password = secret("POLDER_ADMIN_PASSWORD");
    let config = Config {
        database: options.database.map(Secret::new),
        master_key_file: options.master_key_file,
        admin_password: given_password,
        version: env!("CARGO_PKG_VERSION").into(),
        engines: options.engines,
        allow,
        toolchain: toolchain(),
        builds: BuildSettings {
            environment: build_environment(),
            offline: options.offline_builds,
            cache: options.build_cache,
            accept_no_sandbox: options.accept_no_sandbox,
            hidden: vec![host::runtime_directory(&options.data)],
        },
        ..Config::new(&options.data)
    };
    let foundation = Foundation::open(config).await?;
    // At once: whatever fails below, the administrator is there from now on, and it is not shown again.
    if let Some(password) = &foundation.first_password {
        println!("first administrator: admin\npassword: {}\nIt is shown this once.", password.expose());
    }
    let directory = foundation.directory.path().to_owned();
    let tls_directory = foundation.directory.tls();

    let program = std::env::current_exe().map_err(|error| Error::System("the program's own path", error))?;
    let mut local = LocalConfig::new(&directory, &program);
    local.engines = foundation.engines.path().to_owned();
    local.builds = foundation.directory.builds();
    local.accept_no_sandbox = options.accept_no_sandbox;
    if let Some(node) = std::env::var_os("POLDER_NODE_PROGRAM") {
        local.programs.insert("polder-node".into(), node.into());
    }
    let keys = KeyStore::new(foundation.store.clone(), foundation.master_key.clone());
    let host = Arc::new(LocalHost::open(local, Arc::new(keys))?);
    let control = Control::new(foundation, host, drivers());

    let listener = ServerConfig {
        listen: options.listen,
        tls: match (options.tls_cert, options.tls_key, options.tls) {
            (Some(certificate), Some(key), _) => Some(Tls::Given { certificate, key }),
            (_, _, Some(cli::Tls::SelfMade)) => Some(Tls::SelfMade),
            _ => None,
        },
        behind_proxy: options.behind_proxy,
        ingress: IngressOptions {
            calls_per_second: Some(options.rpc_rate).filter(|rate| *rate > 0),
            batch: options.rpc_batch,
            bytes: options.rpc_bytes,
            connections: options.rpc_connections,
        },
    };
    // Before anything runs: an address that is taken must not leave half a server behind.
    let bound = api::bind(listener, tls_directory)?;
    let shutdown = shutdown()?;
    control.start();
    info!(url = bound.url(), data = %directory.display(), "serving");
    let demonstration = options.demo.then(|| tokio::spawn(demonstrate(control.clone())));
    let served = bound.serve(control.clone(), shutdown).await;

    if let Some(task) = demonstration {
        task.abort();
    }
    control.close().await;
    if options.on_exit == OnExit::Stop {
        info!("stopping the nodes");
        control.stop_nodes().await?;
    }
    info!("ended");
    Ok(served?)
}

async fn demonstrate(control: Control) {
    match control::demo::ensure(&control).await {
        Ok(()) => info!("the demonstration is ready"),
        Err(failure) => error!(%failure, "the demonstration could not be made; the next start tries again"),
    }
}

/// Gives an administrator the password on standard input, or a drawn one when it is a terminal.
pub async fn reset_password(options: ResetPassword) -> Result<(), Error> {
    use std::io::IsTerminal as _;
    start_log(LogFormat::Text)?;
    let given = if std::io::stdin().is_terminal() {
        None
    } else {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(|error| Error::System("standard input", error))?;
        let password = line.trim_end_matches(['\r', '\n']).to_owned();
        if password.is_empty() {
            return Err(Error::NoPassword);
        }
        Some(Secret::new(password))
    };
    if !DataDirectory::exists(&options.data) {
        return Err(Error::NoData(options.data));
    }
    let config = Config {
        database: options.database.map(Secret::new),
        master_key_file: options.master_key_file,
        ..Config::new(&options.data)
    };
    let foundation = Foundation::open(config).await?;
    match control::reset_password(&foundation.store, &options.user, given).await? {
        Some(password) => println!("new password of {}: {}", options.user, password.expose()),
        None => println!("the password of {} was changed", options.user),
    }
    Ok(())
}

fn start_log(format: LogFormat) -> Result<(), Error> {
    let format = match format {
        LogFormat::Text => telemetry::Format::Text,
        LogFormat::Json => telemetry::Format::Json,
    };
    let filter = std::env::var("POLDER_LOG").unwrap_or_else(|_| "info".into());
    Ok(telemetry::start(&telemetry::Options { filter, format })?)
}

/// Every engine's driver; the first is the default engine's.
fn drivers() -> Drivers {
    let mut drivers: Vec<Arc<dyn Driver>> = vec![Arc::new(driver_native::NativeDriver)];
    for driver in driver_evm::EvmDriver::all() {
        drivers.push(Arc::new(driver));
    }
    drivers.push(Arc::new(driver_fabric::FabricDriver));
    Drivers::new(drivers).with_attacher(Arc::new(driver_evm::EthereumAttacher))
}

/// What Go needs of the environment: where programs and its own settings are, and the way to the registry.
fn toolchain() -> engines::Toolchain {
    let wanted = |name: &str| {
        matches!(name, "PATH" | "HOME" | "USER" | "TMPDIR" | "CC" | "SSL_CERT_FILE" | "SSL_CERT_DIR")
            || name.starts_with("GO")
            || name.to_ascii_lowercase().ends_with("_proxy")
    };
    engines::Toolchain { environment: std::env::vars().filter(|(name, _)| wanted(name)).collect() }
}

/// What compilers of chaincode find in their environment: nothing that is worth stealing.
fn build_environment() -> BTreeMap<String, String> {
    let wanted = |name: &str| {
        matches!(name, "PATH" | "HOME" | "SSL_CERT_FILE" | "SSL_CERT_DIR" | "NODE_EXTRA_CA_CERTS" | "JAVA_HOME")
            || name.starts_with("GO")
            || name.to_ascii_lowercase().ends_with("_proxy")
    };
    std::env::vars().filter(|(name, _)| wanted(name)).collect()
}

fn secret(name: &str) -> Option<Secret> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(Secret::new)
}

/// Cancelled by SIGTERM or SIGINT; a second one ends the process at once.
fn shutdown() -> Result<CancellationToken, Error> {
    let failed = |error| Error::System("signals", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let token = CancellationToken::new();
    let ended = token.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            if ended.is_cancelled() {
                warn!("ended at once; nodes go on");
                std::process::exit(1);
            }
            info!("ending");
            ended.cancel();
        }
    });
    Ok(token)
}
