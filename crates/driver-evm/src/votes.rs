//! Validators voted in and out, by the methods that each consensus has for that.
//!
//! A node keeps what it was told to vote for in memory and writes it into the blocks that it makes; the ledger counts by
//! blocks. When more than half of the validators agree, the set changes with the next block. A node does not forget a vote
//! when it is decided: it would count at once when the opposite is decided later. Whoever votes therefore clears away what
//! is decided first, on all nodes that answer.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U64};
use driver::{Agreement, Ballot, Error, Result, ValidatorSet, ValidatorVote};
use evm_ledger::{Answer, NodeClient, Request, Votes, parsed};
use futures::future::{BoxFuture, join_all};
use serde::Deserialize;
use serde_json::json;
use types::{Code, ValidatorChange};

use crate::health::wire;

const HEIGHT: &str = "eth_blockNumber";
const OWN: &str = "admin_nodeInfo";

/// The methods of one consensus, and how it agrees.
pub(crate) struct Methods {
    list: Request,
    candidates: &'static str,
    propose: &'static str,
    discard: &'static str,
    /// Tells which votes are counted, where there is such a method.
    snapshot: Option<&'static str>,
    agreement: Agreement,
}

impl Methods {
    /// QBFT and IBFT of GoQuorum.
    pub(crate) fn istanbul() -> Self {
        Self {
            list: ("istanbul_getValidators", json!([])),
            candidates: "istanbul_candidates",
            propose: "istanbul_propose",
            discard: "istanbul_discard",
            snapshot: Some("istanbul_getSnapshot"),
            agreement: Agreement::TwoThirds,
        }
    }

    /// Clique of geth.
    pub(crate) fn clique() -> Self {
        Self {
            list: ("clique_getSigners", json!([])),
            candidates: "clique_proposals",
            propose: "clique_propose",
            discard: "clique_discard",
            snapshot: Some("clique_getSnapshot"),
            agreement: Agreement::Majority,
        }
    }

    /// QBFT of Besu.
    pub(crate) fn besu() -> Self {
        Self {
            list: ("qbft_getValidatorsByBlockNumber", json!(["latest"])),
            candidates: "qbft_getPendingVotes",
            propose: "qbft_proposeValidatorVote",
            discard: "qbft_discardValidatorVote",
            snapshot: None,
            agreement: Agreement::TwoThirds,
        }
    }
}

impl Votes for Methods {
    fn validators<'a>(&'a self, nodes: Vec<NodeClient<'a>>) -> BoxFuture<'a, Result<ValidatorSet>> {
        Box::pin(async move { Ok(self.look(&nodes).await?.0) })
    }

    fn vote<'a>(
        &'a self,
        node: NodeClient<'a>,
        nodes: Vec<NodeClient<'a>>,
        ballot: &'a Ballot,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let subject: Address = ballot.subject.parse().map_err(|_| {
                let detail = format!("`{}` is no validator's address: 0x and 40 hexadecimal digits.", ballot.subject);
                Error::problem(Code::RequestInvalid, detail)
            })?;
            let (set, views) = self.look(&nodes).await?;
            let discard = |subject: Address| (self.discard, json!([subject]));
            let stale = nodes.iter().zip(&views).filter_map(|(node, view)| {
                let decided: Vec<Request> = view
                    .as_ref()?
                    .candidates
                    .iter()
                    .filter(|(on, add)| set.is_so(&on.to_string(), choice(**add)))
                    .map(|(on, _)| discard(*on))
                    .collect();
                (!decided.is_empty()).then_some((node, decided))
            });
            // What is not cleared away now is with the next vote.
            join_all(stale.map(|(node, requests)| async move { node.ask_all(&requests).await })).await;
            let request = match ballot.choice {
                None => discard(subject),
                Some(choice) if set.is_so(&ballot.subject, choice) => return Ok(()),
                Some(choice) => (self.propose, json!([subject, choice == ValidatorChange::Add])),
            };
            let answer = node.ask_all(&[request]).await?.remove(0);
            answer.map(|_| ()).map_err(|error| Error::Protocol(format!("a vote: {} ({})", error.message, error.code)))
        })
    }
}

/// What one node tells.
struct View {
    height: u64,
    own: Option<Address>,
    validators: Vec<Address>,
    candidates: BTreeMap<Address, bool>,
    counted: Vec<Counted>,
}

/// A vote that is counted.
#[derive(Deserialize)]
struct Counted {
    /// In QBFT and IBFT; in Clique it is the signer.
    #[serde(alias = "signer")]
    validator: Address,
    address: Address,
    authorize: bool,
}

#[derive(Default, Deserialize)]
struct Snapshot {
    #[serde(default)]
    votes: Option<Vec<Counted>>,
}

impl Methods {
    /// The validators as the highest node tells, and what each node tells, in the nodes' order.
    async fn look(&self, nodes: &[NodeClient<'_>]) -> Result<(ValidatorSet, Vec<Option<View>>)> {
        let views = join_all(nodes.iter().map(|node| self.view(node))).await;
        let mut failed = None;
        let mut known = Vec::with_capacity(views.len());
        for view in views {
            match view {
                Ok(view) => known.push(Some(view)),
                Err(error) => {
                    failed = Some(error);
                    known.push(None);
                }
            }
        }
        let Some(newest) = known.iter().flatten().max_by_key(|view| view.height) else {
            return Err(failed.unwrap_or_else(|| Error::Unreachable("the network has no nodes".into())));
        };
        let validators: Vec<String> = newest.validators.iter().map(Address::to_string).collect();
        let mut set = ValidatorSet { validators, agreement: self.agreement, votes: Vec::new() };
        let vote = |voter: Address, on: Address, add: bool, counted: bool| ValidatorVote {
            voter: voter.to_string(),
            subject: on.to_string(),
            choice: choice(add),
            counted,
        };
        let mut votes: Vec<ValidatorVote> =
            newest.counted.iter().map(|vote_| vote(vote_.validator, vote_.address, vote_.authorize, true)).collect();
        for view in known.iter().flatten() {
            let Some(own) = view.own.filter(|own| newest.validators.contains(own)) else { continue };
            for (on, add) in &view.candidates {
                let waiting = vote(own, *on, *add, false);
                let same = |known: &ValidatorVote| known.voter == waiting.voter && known.subject == waiting.subject;
                if !votes.iter().any(same) {
                    votes.push(waiting);
                }
            }
        }
        votes.retain(|vote| !set.is_so(&vote.subject, vote.choice));
        set.votes = votes;
        Ok((set, known))
    }

    async fn view(&self, node: &NodeClient<'_>) -> Result<View> {
        let mut requests: Vec<Request> =
            vec![(HEIGHT, json!([])), (OWN, json!([])), self.list.clone(), (self.candidates, json!([]))];
        requests.extend(self.snapshot.map(|method| (method, json!([]))));
        let mut answers = node.ask_all(&requests).await?.into_iter();
        let mut next = || -> Result<Answer> {
            answers.next().ok_or_else(|| Error::Protocol("a request without an answer".into()))
        };
        Ok(View {
            height: parsed::<U64>(HEIGHT, next()?)?.to(),
            own: parsed::<wire::NodeInfo>(OWN, next()?).ok().and_then(|own| wire::account(&own.enode)),
            validators: parsed(self.list.0, next()?)?,
            candidates: parsed::<Option<_>>(self.candidates, next()?)?.unwrap_or_default(),
            counted: match self.snapshot {
                // A node that tells nothing of it is done without: its votes are then shown as not counted yet.
                Some(method) => parsed::<Snapshot>(method, next()?).unwrap_or_default().votes.unwrap_or_default(),
                None => Vec::new(),
            },
        })
    }
}

fn choice(add: bool) -> ValidatorChange {
    if add { ValidatorChange::Add } else { ValidatorChange::Remove }
}
