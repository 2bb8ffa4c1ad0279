//! A network channel sorted by epoch.
//!
//! Validators cross a boundary within milliseconds of each other, and the first of them may propose at once. What
//! comes for the next epoch before its engine runs is kept and given to the engine first; if it were lost, the
//! network would wait for a time-out at every boundary.

use std::{collections::VecDeque, num::NonZeroUsize};

use commonware_consensus::types::Epoch;
use commonware_p2p::{
    Message, Receiver, Sender,
    utils::mux::{self, Builder as _, MuxHandle, Muxer, SubReceiver, SubSender},
};
use commonware_utils::channel::mpsc;

use crate::{Environment, PublicKey};

/// Messages that are kept for the next epoch, at most; the oldest go first.
const EARLY: usize = 1024;

/// A channel of which each epoch's engine gets its part.
pub(crate) struct Sorted<S: Sender<PublicKey = PublicKey>> {
    engines: MuxHandle<S>,
    others: mpsc::Receiver<(u64, Message<PublicKey>)>,
    early: VecDeque<(Epoch, Message<PublicKey>)>,
    largest: usize,
}

impl<S: Sender<PublicKey = PublicKey>> Sorted<S> {
    /// Starts sorting. Longer messages than `largest` bytes are none of the engines' and are not kept for them.
    pub(crate) fn start<E, R>(context: E, (sender, receiver): (S, R), largest: usize) -> Self
    where
        E: Environment,
        R: Receiver<PublicKey = PublicKey>,
    {
        let (mux, engines, others) = Muxer::builder(context, sender, receiver).with_backup().build();
        mux.start();
        Self { engines, others, early: VecDeque::new(), largest }
    }

    /// The next message of an epoch that does not run here, kept for its engine if that is `current` or the one after.
    pub(crate) async fn other(&mut self, current: Epoch) -> Option<(Epoch, Message<PublicKey>)> {
        let (epoch, message) = self.others.recv().await?;
        let epoch = Epoch::new(epoch);
        self.keep(current, epoch, &message);
        Some((epoch, message))
    }

    fn keep(&mut self, current: Epoch, epoch: Epoch, message: &Message<PublicKey>) {
        if message.1.len() <= self.largest && (epoch == current || epoch == current.next()) {
            if self.early.len() >= EARLY {
                self.early.pop_front();
            }
            self.early.push_back((epoch, message.clone()));
        }
    }

    /// The part of an engine, with what came early; what was kept for earlier epochs is forgotten.
    ///
    /// # Errors
    /// When the network has ended.
    pub(crate) async fn register(&mut self, epoch: Epoch) -> Result<(SubSender<S>, Preceded), mux::Error> {
        let (sender, receiver) = self.engines.register(epoch.get()).await?;
        // What was sorted before the registration took effect.
        while let Ok((other, message)) = self.others.try_recv() {
            self.keep(epoch, Epoch::new(other), &message);
        }
        let (early, later) = std::mem::take(&mut self.early).into_iter().partition(|(of, _)| *of <= epoch);
        self.early = later;
        let early: VecDeque<_> = early;
        let early = early.into_iter().filter(|(of, _)| *of == epoch).map(|(_, message)| message).collect();
        Ok((sender, Preceded { early, receiver }))
    }
}

/// A receiver that gives what came early first.
#[derive(Debug)]
pub(crate) struct Preceded {
    early: VecDeque<Message<PublicKey>>,
    receiver: SubReceiver<PublicKey>,
}

impl Preceded {
    /// Gives these messages before all others.
    pub(crate) fn precede(&mut self, messages: impl DoubleEndedIterator<Item = Message<PublicKey>>) {
        for message in messages.rev() {
            self.early.push_front(message);
        }
    }
}

impl Receiver for Preceded {
    type Error = mux::Error;
    type PublicKey = PublicKey;

    async fn recv(&mut self) -> Result<Message<PublicKey>, mux::Error> {
        match self.early.pop_front() {
            Some(message) => Ok(message),
            None => self.receiver.recv().await,
        }
    }

    fn capacity(&self) -> NonZeroUsize {
        self.receiver.capacity()
    }
}
