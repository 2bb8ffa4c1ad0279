//! The log: the only place that installs a subscriber.
//!
//! Lines go to standard error, because standard output is data. Binaries call [`start`] once, first; everything else only uses
//! `tracing`. A panic is logged like any other failure by the hook that [`start`] installs.

use std::io::IsTerminal;

use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Settings of the log.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is logged, as `tracing-subscriber`'s `EnvFilter` reads it: `info`, `info,control=debug`.
    pub filter: String,
    /// How lines look.
    pub format: Format,
}

impl Default for Options {
    fn default() -> Self {
        Options { filter: "info".into(), format: Format::Text }
    }
}

/// Why the log does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter is not one.
    #[error("the log filter “{filter}” is not valid: {reason}")]
    Filter {
        /// As given.
        filter: String,
        /// Why.
        reason: String,
    },
    /// A subscriber is installed already.
    #[error("the log was started twice")]
    Started,
}

/// Starts the log and logs panics.
pub fn start(options: &Options) -> Result<(), Error> {
    let filter = EnvFilter::try_new(&options.filter)
        .map_err(|error| Error::Filter { filter: options.filter.clone(), reason: error.to_string() })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_span_events(FmtSpan::NONE);
    let registry = tracing_subscriber::registry().with(filter);
    let installed = match options.format {
        Format::Text => registry.with(lines.with_ansi(std::io::stderr().is_terminal())).try_init(),
        Format::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    installed.map_err(|_| Error::Started)?;
    log_panics();
    Ok(())
}

fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        tracing::error!(place, thread, backtrace = %std::backtrace::Backtrace::capture(), "panicked: {message}");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_filter_is_refused_and_a_second_start_too() {
        let wrong = Options { filter: "info,control=loud".into(), ..Options::default() };
        assert!(matches!(start(&wrong), Err(Error::Filter { .. })));
        start(&Options { format: Format::Json, ..Options::default() }).unwrap();
        assert!(matches!(start(&Options::default()), Err(Error::Started)));
    }
}
