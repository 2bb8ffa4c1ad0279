//! Keeping the database small: ended sessions, old answers and old changes are removed.

use std::time::Duration;

use store::{changes, idempotency, sessions};
use types::{Micros, now};

use crate::{Control, Result};

/// How long changes are kept. A client that was away for longer loads everything anew.
const CHANGES_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

impl Control {
    /// Removes what has ended. Run it every few minutes.
    pub async fn trim(&self) -> Result<()> {
        let at = now();
        let before = |age: Duration| at - age.as_micros() as Micros;
        let mut tx = self.store().begin().await?;
        let ended = sessions::trim(&mut tx, at).await?;
        let answers = idempotency::trim(&mut tx, before(crate::idempotency::KEPT)).await?;
        let old = changes::trim(&mut tx, before(CHANGES_KEPT)).await?;
        tx.commit().await?;
        tracing::debug!(sessions = ended, answers, changes = old, "removed what had ended");
        Ok(())
    }
}
