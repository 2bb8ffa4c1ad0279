//! One consensus engine for each epoch.
//!
//! A height's epoch is fixed by the genesis; the last block of an epoch is the root of the next one's agreement. When
//! that block is final here, the epoch's engine is stopped and the next one's is started on the validators that
//! [`Membership`](crate::Membership) names. Messages are sorted by epoch before an engine sees them, because a message
//! of another epoch would make the engine block its sender.
//!
//! A node that was away hears messages of epochs that it does not run. From a vote it learns that its own epoch has
//! ended and asks the sender for the block that ended it; from a certificate of a final block it goes straight there:
//! marshal fetches what is between. A follower lives on such certificates alone.

use std::{ops::ControlFlow, time::Duration};

use chain_store::Chain;
use chain_types::{Block, ValidatorKey};
use commonware_codec::{Decode as _, Encode as _};
use commonware_consensus::{
    Epochable as _, Reporter, Viewable as _,
    marshal::{
        core::Mailbox,
        standard::{Inline, Standard},
    },
    simplex::{
        self, Engine, Floor, ForwardPolicy, SkipPolicy,
        config::SkipBudget,
        elector::{Config as _, Elector as _, RoundRobin, RoundRobinElector},
        types::{Activity, Certificate, Nullify, Vote},
    },
    types::{Epoch, Epocher as _, FixedEpocher, Height, Round, View, ViewDelta},
};
use commonware_cryptography::{Sha256, certificate::Provider as _};
use commonware_macros::select;
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{Error as RuntimeError, Handle, IoBuf, buffer::paged::CacheRef};
use commonware_utils::{NZDuration, NZUsize, vec::NonEmptyVec};
use futures::{StreamExt as _, channel::mpsc, future::pending};
use tracing::{debug, info, warn};

use crate::{
    Config, Digest, Environment, Error, PublicKey, Scheme, StatusBoard, application::Blocks, delivery::Head,
    membership::Schemes, sorted::Sorted, status::Role, validator_key,
};

/// Views behind the finalised one of which votes and notarised blocks are kept for others.
pub(crate) const VIEW_RETENTION: ViewDelta = ViewDelta::new(32);

/// How often a validator that waits for the others looks whether they are connected.
const QUORUM_POLL: Duration = Duration::from_millis(20);

/// Shortest time between two questions for the end of the epoch.
const HINT_EVERY: Duration = Duration::from_millis(250);

type Automaton<E> = Inline<E, Scheme, Blocks, Block, FixedEpocher>;

/// Starts and stops the engines.
pub(crate) struct Epochs<E: Environment, B> {
    pub(crate) context: E,
    pub(crate) config: Config,
    pub(crate) schemes: Schemes,
    pub(crate) epocher: FixedEpocher,
    pub(crate) automaton: Automaton<E>,
    pub(crate) marshal: Mailbox<Scheme, Standard<Block>>,
    pub(crate) blocker: B,
    pub(crate) chain: Chain,
    pub(crate) board: StatusBoard,
    pub(crate) page_cache: CacheRef,
}

/// The engine that runs; dropping it stops it.
struct Running(Handle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Where the node is.
struct Position {
    epoch: Epoch,
    // The block that ends the epoch before.
    root: Digest,
    // The newest finalisation that was taken from another epoch's messages.
    reported: Option<Round>,
    hinted: std::time::SystemTime,
    pruned: Option<Epoch>,
}

impl<E, B> Epochs<E, B>
where
    E: Environment,
    B: Blocker<PublicKey = PublicKey> + Sync,
{
    /// Runs for as long as the node.
    pub(crate) async fn run<S, R>(
        mut self,
        votes: (S, R),
        certificates: (S, R),
        resolver: (S, R),
        mut heads: mpsc::UnboundedReceiver<Head>,
    ) -> Error
    where
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
    {
        let committee =
            u32::try_from(self.config.membership.validators(Epoch::zero()).len()).expect("a committee fits u32");
        let largest = simplex::max_payload_size::<Scheme, Digest>(committee);
        let mut votes = Sorted::start(self.context.child("votes"), votes, largest);
        let mut certificates = Sorted::start(self.context.child("certificates"), certificates, largest);
        let mut resolver = Sorted::start(self.context.child("resolver"), resolver, largest);
        let mut position = match self.resume() {
            Ok(position) => position,
            Err(error) => return error,
        };
        self.entered(&position);
        let mut running: Option<Running> = None;

        loop {
            let may_start = running.is_none() && self.schemes.validates(position.epoch);
            let starts = async {
                match may_start {
                    true => self.quorum().await,
                    false => pending().await,
                }
            };
            let ended = async {
                match running.as_mut() {
                    Some(engine) => (&mut engine.0).await,
                    None => pending().await,
                }
            };
            select! {
                head = heads.next() => {
                    let Some(head) = head else { return Error::Ended("delivery of blocks") };
                    if self.epocher.last(position.epoch) == Some(head.height) {
                        // The old engine's channels are given back before the new one starts.
                        drop(running.take());
                        position.epoch = position.epoch.next();
                        position.root = head.digest;
                        self.entered(&position);
                    }
                },
                () = starts => {
                    match self.start(&position, &mut votes, &mut certificates, &mut resolver).await {
                        ControlFlow::Continue(engine) => running = Some(engine),
                        ControlFlow::Break(error) => return error,
                    }
                    self.prune(&mut position).await;
                },
                message = votes.other(position.epoch) => {
                    let Some((epoch, (from, _))) = message else { return Error::Ended("the vote channel") };
                    self.hint(&mut position, epoch, from);
                },
                message = certificates.other(position.epoch) => {
                    let Some((epoch, (from, message))) = message else { return Error::Ended("the certificate channel") };
                    self.certificate(&mut position, epoch, from, message);
                },
                // Requests for certificates of an epoch that does not run here; the asker tries another peer.
                message = resolver.other(position.epoch) => {
                    if message.is_none() {
                        return Error::Ended("the resolver channel");
                    }
                },
                result = ended => {
                    debug!(?result, "the engine stopped");
                    return Error::Ended("the consensus engine");
                },
            }
        }
    }

    /// The epoch of the block after the chain's head.
    fn resume(&self) -> Result<Position, Error> {
        let next = Height::new(self.chain.head().block.number()).next();
        let epoch = self.epocher.containing(next).expect("a fixed epocher knows every height").epoch();
        let root = match epoch.previous().and_then(|epoch| self.epocher.last(epoch)) {
            Some(boundary) => boundary.get(),
            None => 0,
        };
        let sealed = self.chain.sealed_by_number(root)?.ok_or(Error::Ended("the chain's history"))?;
        let root = commonware_cryptography::Digestible::digest(&sealed.block);
        let hinted = self.context.current();
        Ok(Position { epoch, root, reported: None, hinted, pruned: None })
    }

    fn entered(&self, position: &Position) {
        let validates = self.schemes.validates(position.epoch);
        let validators: Vec<_> = self.config.membership.validators(position.epoch).iter().map(validator_key).collect();
        info!(epoch = position.epoch.get(), validators = validators.len(), validates, "epoch");
        self.board.update(|status| {
            status.role = if validates { Role::Validator } else { Role::Follower };
            status.epoch = position.epoch.get();
            status.view = 1;
            status.leader = None;
            status.validators = validators;
        });
    }

    /// Resolves once enough validators are connected to agree. An engine that starts alone would skip views and start
    /// the network with the longest time-outs.
    async fn quorum(&self) {
        loop {
            let status = self.board.get();
            if status.validators_connected() >= status.quorum() {
                return;
            }
            self.context.sleep(QUORUM_POLL).await;
        }
    }

    async fn start<S>(
        &self,
        position: &Position,
        votes: &mut Sorted<S>,
        certificates: &mut Sorted<S>,
        resolver: &mut Sorted<S>,
    ) -> ControlFlow<Error, Running>
    where
        S: Sender<PublicKey = PublicKey>,
    {
        let epoch = position.epoch;
        let scheme = self.schemes.scheme(epoch).expect("only a validator starts an engine");
        let elector = RoundRobin::<Sha256>::default();
        let observer = Observer {
            inner: self.automaton.clone(),
            board: self.board.clone(),
            elector: elector.clone().build(&self.config.membership.validators(epoch)),
            validators: self.config.membership.validators(epoch).iter().map(validator_key).collect(),
        };
        let timeouts = self.config.pace.timeouts();
        let engine = Engine::new(
            self.context.child("engine").with_attribute("epoch", epoch),
            simplex::Config {
                scheme: scheme.as_ref().clone(),
                elector,
                blocker: self.blocker.clone(),
                automaton: self.automaton.clone(),
                relay: self.automaton.clone(),
                reporter: observer,
                track_historical_votes: false,
                strategy: Sequential,
                partition: self.partition(epoch),
                mailbox_size: NZUsize!(1024),
                epoch,
                floor: self.floor(position).await,
                replay_buffer: NZUsize!(256 * 1024),
                write_buffer: NZUsize!(256 * 1024),
                page_cache: self.page_cache.clone(),
                leader_timeout: timeouts.leader,
                certification_timeout: timeouts.certification,
                timeout_retry: timeouts.retry,
                view_retention: VIEW_RETENTION,
                skip: SkipPolicy::Enabled { timeout: timeouts.skip, budget: SkipBudget::Participants },
                fetch_timeout: NZDuration!(Duration::from_secs(1)),
                fetch_retry_delay: Duration::from_millis(50),
                forward: ForwardPolicy::Disabled,
            },
        );
        let (Ok(mut votes), Ok(certificates), Ok(resolver)) =
            (votes.register(epoch).await, certificates.register(epoch).await, resolver.register(epoch).await)
        else {
            return ControlFlow::Break(Error::Ended("the network"));
        };
        let vote = awake(&scheme, epoch);
        let peers: Vec<_> = self.connected(epoch).into_iter().map(|peer| (peer, IoBuf::from(vote.clone()))).collect();
        votes.1.precede(peers.into_iter());
        ControlFlow::Continue(Running(engine.start(votes, certificates, resolver)))
    }

    /// The epoch's other validators that are connected.
    fn connected(&self, epoch: Epoch) -> Vec<PublicKey> {
        let peers = self.board.get().peers;
        let connected = |key: &PublicKey| {
            let key = validator_key(key);
            peers.iter().any(|peer| peer.key == key && peer.connected)
        };
        self.config.membership.validators(epoch).into_iter().filter(connected).collect()
    }

    /// Where the engine starts: at the newest block that this node has finalised, where its certificate is known, else
    /// at the epoch's root. What the engine's journal has above that counts too.
    async fn floor(&self, position: &Position) -> Floor<Scheme, Digest> {
        let head = Height::new(self.chain.head().block.number());
        match self.marshal.get_finalization(head).await {
            Some(finalization) if finalization.epoch() == position.epoch => Floor::Finalized(finalization),
            _ => Floor::Genesis(position.root),
        }
    }

    fn partition(&self, epoch: Epoch) -> String {
        format!("{}-epoch-{epoch}", self.config.partition_prefix)
    }

    /// A vote of an epoch that does not run here.
    fn hint(&self, position: &mut Position, theirs: Epoch, from: PublicKey) {
        let now = self.context.current();
        if theirs <= position.epoch || now < position.hinted + HINT_EVERY {
            return;
        }
        position.hinted = now;
        if let Some(boundary) = self.epocher.last(position.epoch) {
            debug!(%theirs, ours = %position.epoch, %boundary, "a later epoch runs elsewhere: asking for the end of ours");
            self.marshal.hint_finalized(boundary, NonEmptyVec::new(from));
        }
    }

    /// A certificate of an epoch that does not run here.
    fn certificate(&mut self, position: &mut Position, theirs: Epoch, from: PublicKey, message: IoBuf) {
        if theirs < position.epoch {
            return;
        }
        let Some(scheme) = self.schemes.scoped(theirs) else { return };
        let validators = self.config.membership.validators(theirs).len();
        let Ok(certificate) = Certificate::<Scheme, Digest>::decode_cfg(message, &validators) else {
            commonware_p2p::block!(self.blocker, from, "a message that is not a certificate");
            return;
        };
        let Certificate::Finalization(finalization) = certificate else {
            self.hint(position, theirs, from);
            return;
        };
        let round = finalization.proposal.round;
        if round.epoch() == theirs && position.reported.is_some_and(|newest| round <= newest) {
            return;
        }
        if round.epoch() != theirs || !finalization.verify(&mut self.context, &scheme, &Sequential) {
            commonware_p2p::block!(self.blocker, from, %round, "a certificate that does not verify");
            return;
        }
        position.reported = Some(round);
        let _ = self.marshal.report(Activity::Finalization(finalization));
    }

    /// Removes the journals of epochs that nothing returns to: two before the one that runs, and marshal has recorded
    /// their end, so that a restart begins above it.
    async fn prune(&self, position: &mut Position) {
        let Some(mut epoch) = position.epoch.previous().and_then(Epoch::previous) else { return };
        let processed = self.marshal.get_processed().await.map(|processed| processed.height());
        let newest = epoch;
        loop {
            if position.pruned.is_some_and(|pruned| epoch <= pruned) {
                break;
            }
            if self.epocher.last(epoch) > processed {
                // Next time; nothing is marked as pruned.
                return;
            }
            match self.context.remove(&self.partition(epoch), None).await {
                Ok(()) | Err(RuntimeError::PartitionMissing(_)) if position.pruned.is_some() => {}
                Ok(()) => {}
                // After a start the older ones are looked for until one is missing.
                Err(RuntimeError::PartitionMissing(_)) => break,
                Err(error) => {
                    warn!(%epoch, %error, "the journal of an old epoch cannot be removed");
                    return;
                }
            }
            match epoch.previous() {
                Some(previous) => epoch = previous,
                None => break,
            }
        }
        position.pruned = Some(newest);
    }
}

/// A vote that an engine takes as a sign of life of the peer that it seems to come from, and ignores otherwise: its view
/// is beyond every window. A new engine would hold a leader that it has not heard yet for one that is away, and skip its
/// turn; the network pays with a time-out when some validators do so and others do not. It never leaves this process.
fn awake(scheme: &Scheme, epoch: Epoch) -> bytes::Bytes {
    let round = Round::new(epoch, View::new(u64::MAX / 2));
    let nullify = Nullify::<Scheme>::sign::<Digest>(scheme, round).expect("only a validator starts an engine");
    Vote::<Scheme, Digest>::Nullify(nullify).encode()
}

/// Notes the view and its leader before marshal's wrapper is told.
#[derive(Clone)]
struct Observer<I> {
    inner: I,
    board: StatusBoard,
    elector: RoundRobinElector<Scheme>,
    validators: Vec<ValidatorKey>,
}

impl<I: Reporter<Activity = Activity<Scheme, Digest>>> Reporter for Observer<I> {
    type Activity = Activity<Scheme, Digest>;

    fn report(&mut self, activity: Self::Activity) -> commonware_actor::Feedback {
        let decided = match &activity {
            Activity::Notarization(notarization) => Some((notarization.epoch(), notarization.view())),
            Activity::Nullification(nullification) => Some((nullification.epoch(), nullification.view())),
            Activity::Finalization(finalization) => Some((finalization.epoch(), finalization.view())),
            _ => None,
        };
        if let Some((epoch, view)) = decided {
            self.entered(epoch, view.next());
        }
        self.inner.report(activity)
    }
}

impl<I> Observer<I> {
    fn entered(&self, epoch: Epoch, view: View) {
        let leader = self.elector.elect(Round::new(epoch, view), ());
        let leader = self.validators.get(usize::from(leader)).copied();
        self.board.update(|status| {
            if status.epoch == epoch.get() && view.get() > status.view {
                (status.view, status.leader) = (view.get(), leader);
            }
        });
    }
}
