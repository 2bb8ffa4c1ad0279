//! Following what changes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use store::changes::{self, Watch};
use types::{Change, Id, Permission};

use crate::access::Scope;
use crate::{Caller, Control, Result};

const BATCH: u32 = 500;
/// How long it is believed which networks a caller may read.
const BELIEVED: Duration = Duration::from_secs(10);

/// What a follower learns.
#[derive(Debug)]
pub enum News {
    /// Changes that the caller may know of, and the sequence up to which it now knows everything.
    Changes(Vec<Change>, i64),
    /// Changes after the position that was asked for are no longer kept: load everything anew and go on from here.
    Gap(i64),
}

/// Follows the change feed for one caller.
#[derive(Debug)]
pub struct Follower {
    control: Control,
    caller: Caller,
    watch: Watch,
    after: i64,
    checked: bool,
    readable: HashMap<Id, (bool, Instant)>,
}

impl Control {
    /// Follows the change feed after a sequence; from now on when there is none.
    pub async fn follow_changes(&self, caller: &Caller, after: Option<i64>) -> Result<Follower> {
        let watch = self.store().watch_changes();
        let (after, checked) = match after {
            Some(after) => (after, false),
            None => (changes::newest(&mut *self.store().read().await?).await?, true),
        };
        Ok(Follower { control: self.clone(), caller: caller.clone(), watch, after, checked, readable: HashMap::new() })
    }
}

impl Follower {
    /// Waits for news.
    pub async fn next(&mut self) -> Result<News> {
        if !self.checked {
            self.checked = true;
            if let Some(newest) = self.gap().await? {
                self.after = newest;
                return Ok(News::Gap(newest));
            }
        }
        loop {
            let found = {
                let mut connection = self.control.store().read().await?;
                changes::after(&mut connection, self.after, BATCH).await?
            };
            let Some(last) = found.last() else {
                self.watch.wait().await;
                continue;
            };
            self.after = last.sequence;
            let mut visible = Vec::with_capacity(found.len());
            for change in found {
                if self.may_know(&change).await? {
                    visible.push(change);
                }
            }
            if !visible.is_empty() {
                return Ok(News::Changes(visible, self.after));
            }
        }
    }

    /// The newest sequence, when changes between the position and the oldest one kept are gone, or the position is from
    /// another database.
    async fn gap(&self) -> Result<Option<i64>> {
        let mut connection = self.control.store().read().await?;
        let newest = changes::newest(&mut connection).await?;
        let oldest = changes::oldest(&mut connection).await?.unwrap_or(newest + 1);
        let whole = (oldest - 1..=newest).contains(&self.after);
        Ok((!whole).then_some(newest))
    }

    async fn may_know(&mut self, change: &Change) -> Result<bool> {
        let own = match self.caller.scope(Permission::NetworksRead) {
            Scope::All => return Ok(true),
            Scope::Organisations(own) => own,
        };
        let Some(network) = &change.network else {
            // An id and that it changed: what it is, the resource's own route tells those who may read it.
            return Ok(true);
        };
        if let Some((readable, until)) = self.readable.get(network)
            && *until > Instant::now()
        {
            return Ok(*readable);
        }
        let mut connection = self.control.store().read().await?;
        let readable = match store::networks::get(&mut connection, network).await? {
            Some(network) => {
                let consortium = store::consortia::find(&mut connection, &network.consortium).await?;
                consortium.is_some_and(|found| found.members.iter().any(|member| own.contains(&member.organisation)))
            }
            // Gone: whoever could read it before learns that.
            None => self.readable.get(network).is_some_and(|(readable, _)| *readable),
        };
        self.readable.insert(network.clone(), (readable, Instant::now() + BELIEVED));
        Ok(readable)
    }
}
