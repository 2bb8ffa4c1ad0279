//! Which orderers answer, which leads, and whether they can go on.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::layout::{self, BFT, ORDERER};
use crate::ledger::clients::Clients;
use crate::ledger::operations::{get, metric};

/// Each orderer's health is told by the same answers for so long: else n nodes would be asked n times.
const FRESH: Duration = Duration::from_millis(700);

/// What the orderers of a channel say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// Ids of those that answer.
    pub(crate) answering: Vec<String>,
    /// Id of the one that leads, as far as somebody says so.
    pub(crate) leader: Option<String>,
    /// How many there are.
    pub(crate) count: usize,
    /// How many must run.
    pub(crate) quorum: usize,
    bft: bool,
}

impl Survey {
    /// Why nothing is ordered, in words.
    pub(crate) fn halted(&self) -> Option<String> {
        let Self { count, quorum, .. } = self;
        let running = self.answering.len();
        if running < *quorum {
            return Some(format!("no leader: {quorum} of {count} orderers must run, {running} of them answer"));
        }
        // BFT's followers know by whom they are led at all times, even by one that is gone: they will replace it.
        (self.leader.is_none() && !self.bft)
            .then(|| format!("no leader: the {running} orderers that answer are electing one"))
    }

    /// Whether somebody that answers leads.
    pub(crate) fn is_led(&self) -> bool {
        self.leader.as_ref().is_some_and(|leader| self.answering.contains(leader)) && self.halted().is_none()
    }
}

/// The newest survey of a channel.
#[derive(Default)]
pub(crate) struct Surveys(Mutex<Option<(Instant, String, Arc<Survey>)>>);

impl Surveys {
    /// Asks all orderers, unless that was done a moment ago.
    pub(crate) async fn of(&self, clients: &Clients, channel: &str) -> Arc<Survey> {
        if let Some((at, known, survey)) = &*self.0.lock()
            && known == channel
            && at.elapsed() < FRESH
        {
            return survey.clone();
        }
        let survey = Arc::new(survey(clients, channel).await);
        *self.0.lock() = Some((Instant::now(), channel.to_owned(), survey.clone()));
        survey
    }
}

async fn survey(clients: &Clients, channel: &str) -> Survey {
    let network = &clients.network;
    let nodes: Vec<_> = layout::nodes(&network.spec, ORDERER).collect();
    let asked = nodes.iter().map(|node| get(&network.connector, node, "/metrics"));
    let answers = futures::future::join_all(asked).await;
    let bft = network.spec.consensus == BFT;
    let count = nodes.len();
    let mut survey = Survey { count, quorum: quorum(count, bft), bft, ..Survey::default() };
    for (node, metrics) in nodes.iter().zip(&answers) {
        let Some(metrics) = metrics else { continue };
        survey.answering.push(node.id.clone());
        let own = if bft { "consensus_bft_is_leader" } else { "consensus_etcdraft_is_leader" };
        if metric(metrics, own, channel) == Some(1.0) {
            survey.leader = Some(node.id.clone());
        }
    }
    survey
}

/// How many of so many orderers must run: raft's majority; SmartBFT's quorum, of which any two have an honest one in common.
fn quorum(count: usize, bft: bool) -> usize {
    let tolerated = count.saturating_sub(1) / 3;
    if bft { (count + tolerated + 1).div_ceil(2) } else { count / 2 + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_in_words() {
        let survey = |running: usize, leader: Option<&str>, bft| Survey {
            answering: ["a", "b", "c"][..running].iter().map(|id| (*id).to_owned()).collect(),
            leader: leader.map(str::to_owned),
            count: 3,
            quorum: quorum(3, bft),
            bft,
        };
        assert_eq!(survey(2, Some("a"), false).halted(), None);
        assert_eq!(
            survey(1, None, false).halted().as_deref(),
            Some("no leader: 2 of 3 orderers must run, 1 of them answer")
        );
        assert!(survey(2, None, false).halted().is_some_and(|words| words.contains("electing")));
        assert!(survey(2, Some("a"), false).is_led() && !survey(2, Some("c"), false).is_led());
        assert_eq!((quorum(4, true), quorum(7, true), quorum(5, false), quorum(1, false)), (3, 5, 3, 1));
    }
}
