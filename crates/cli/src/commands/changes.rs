//! `polder changes`: what changes, as it changes.

use clap::Args;
use types::Change;

use super::Context;
use crate::{Error, OutputFormat, client::parse, output};

/// Follows the change feed.
#[derive(Debug, Args)]
pub struct Changes {
    /// Begin after this number; from now on when left out
    #[arg(long, value_name = "NUMBER")]
    after: Option<i64>,
}

impl Changes {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let after = self.after.map(|after| format!("?after={after}")).unwrap_or_default();
        let client = context.client()?;
        client
            .follow(&format!("changes{after}"), |event, data| {
                if event == "reset" {
                    eprintln!("changes were missed that are no longer kept: look at everything anew");
                    return Ok(());
                }
                let change: Change = parse(data)?;
                match context.format() {
                    // One document a line.
                    OutputFormat::Json => output::line(&String::from_utf8_lossy(data)),
                    OutputFormat::Table => {
                        output::line(&format!("{:>8}  {:<14} {}", change.sequence, change.kind, change.id))
                    }
                }
            })
            .await
    }
}
