//! `polder operation`: changes of several steps.

use clap::Subcommand;
use types::Operation;

use super::Context;
use crate::{
    Error, OutputFormat,
    client::encode,
    output::{self, Row, or_dash, time, word},
};

/// The verbs of `polder operation`.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum OperationCommand {
    /// List operations, newest first
    List {
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Only those of this network or node (its id)
        #[arg(long, value_name = "ID")]
        subject: Option<String>,
        /// Only those in this state
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
    },
    /// Show an operation with its steps
    Show { id: String },
    /// Go on with an operation that failed
    Resume {
        id: String,
        /// Wait for its end
        #[arg(long)]
        wait: bool,
    },
    /// Take back what an operation has done that failed or has not ended
    Undo {
        id: String,
        /// Wait for its end
        #[arg(long)]
        wait: bool,
    },
}

impl OperationCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Error> {
        let client = context.client()?;
        let path = |id: &str| format!("operations/{}", encode(id));
        match self {
            Self::List { limit, subject, status } => {
                let given = |name, value: Option<String>| Some(format!("{name}={}", encode(&value?)));
                let query: Vec<_> =
                    [given("subject", subject), given("status", status)].into_iter().flatten().collect();
                let path = format!("operations?{}", query.join("&"));
                output::page(context.format(), &client.first::<Operation>(&path, limit).await?)
            }
            Self::Show { id } => show(context, &client.get::<Operation>(&path(&id)).await?),
            Self::Resume { id, wait } => {
                context.act::<Operation>(&client, &format!("{}/resume", path(&id)), wait, &path(&id)).await
            }
            Self::Undo { id, wait } => {
                context.act::<Operation>(&client, &format!("{}/undo", path(&id)), wait, &path(&id)).await
            }
        }
    }
}

fn show(context: &Context, operation: &Operation) -> Result<(), Error> {
    if context.format() == OutputFormat::Json {
        return context.print(operation);
    }
    let status = word(&operation.status);
    output::line(&format!("{}  {}  {}  {status}", operation.id, operation.kind, operation.subject_name))?;
    if let Some(error) = &operation.error {
        output::line(&format!("error: {} (code {})", error.detail, error.code))?;
    }
    let mut table = output::table(&["step", "status", "tries", "seconds", "message"]);
    for step in &operation.steps {
        let seconds = step.started_at.zip(step.finished_at).map(|(start, end)| (end - start) as f64 / 1e6);
        table.add_row([
            step.title.clone(),
            word(&step.status),
            step.attempts.to_string(),
            or_dash(seconds.map(|seconds| format!("{seconds:.3}"))),
            step.message.clone().unwrap_or_default(),
        ]);
    }
    output::line(&table)
}

impl Row for Operation {
    const HEADS: &'static [&'static str] = &["id", "kind", "subject", "status", "by", "asked for"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.kind.clone(),
            self.subject_name.clone(),
            word(&self.status),
            self.actor.clone(),
            time(self.created_at),
        ]
    }
}
