//! Reading and checking the audit log.

use store::audit;
use types::{AuditCheck, AuditEntry, Page, PageQuery, Permission};

use crate::paging::Paging;
use crate::{Caller, Control, Result};

impl Control {
    /// Entries, newest first: all for the platform's administrator, else those that concern the caller's organisations.
    pub async fn list_audit(&self, caller: &Caller, query: &PageQuery) -> Result<Page<AuditEntry>> {
        caller.require(Permission::AuditRead)?;
        let paging = Paging::new("audit", query)?;
        let before = paging.after_number()?;
        let scope = caller.scope(Permission::AuditRead);
        let mut connection = self.store().read().await?;
        let found = audit::list(&mut connection, scope.organisations(), before, paging.fetch()).await?;
        Ok(paging.page(found, |entry| entry.sequence.to_string()))
    }

    /// Follows the chain of hashes through the whole log.
    pub async fn check_audit(&self, caller: &Caller) -> Result<AuditCheck> {
        caller.require(Permission::AuditRead)?;
        let mut connection = self.store().read().await?;
        Ok(audit::check(&mut connection).await?)
    }
}
