//! The steps of engines' installations.

use std::time::Duration;

use store::operations::Operation;
use tokio::sync::watch;

use super::StepKind;
use super::steps::Progress;
use crate::{Control, Error, Result};

/// How often a build's progress is written down.
const INTERVAL: Duration = Duration::from_millis(500);

/// Takes one step.
pub(super) async fn take(
    control: &Control,
    operation: &Operation,
    kind: StepKind,
    progress: &Progress<'_>,
) -> Result<()> {
    let build = control.engine_build(&operation.shown.subject)?;
    let stage = match kind {
        StepKind::Build(stage) => stage,
        StepKind::Abandon => return Ok(build.abandon()?),
        other => return Err(Error::Internal(format!("{other:?} is no step of an installation"), None)),
    };
    let (said, mut heard) = watch::channel(String::new());
    let say = |message| {
        said.send_replace(message);
    };
    let mut work = Box::pin(build.take(stage, &say));
    loop {
        tokio::select! {
            ended = &mut work => return Ok(ended?),
            () = tokio::time::sleep(INTERVAL) => {}
        }
        if heard.has_changed().unwrap_or(false) {
            let message = heard.borrow_and_update().clone();
            progress.say(message).await?;
        }
    }
}
