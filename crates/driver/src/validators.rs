//! Who agrees on blocks, and the votes that change it.

use types::ValidatorChange;

/// How many must agree on a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Two thirds, rounded up.
    TwoThirds,
    /// More than half.
    Majority,
}

impl Agreement {
    /// How many of so many.
    pub fn needed(self, validators: usize) -> usize {
        match self {
            Self::TwoThirds => (2 * validators).div_ceil(3),
            Self::Majority => validators / 2 + 1,
        }
    }
}

/// A vote that is under way. Identities are those of [`crate::NodeHealth::identity`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorVote {
    /// Who votes.
    pub voter: String,
    /// On whom.
    pub subject: String,
    /// For what.
    pub choice: ValidatorChange,
    /// Whether the ledger has counted it; it does when the voter makes a block.
    pub counted: bool,
}

/// The validators of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet {
    /// Their identities.
    pub validators: Vec<String>,
    /// How many must agree on a block.
    pub agreement: Agreement,
    /// Votes that have not brought about what they are for.
    pub votes: Vec<ValidatorVote>,
}

impl ValidatorSet {
    /// How many votes decide: more than half of the validators.
    pub fn deciding(&self) -> usize {
        self.validators.len() / 2 + 1
    }

    /// Whether what a vote is for is so already.
    pub fn is_so(&self, subject: &str, choice: ValidatorChange) -> bool {
        let validates = self.validators.iter().any(|validator| validator.eq_ignore_ascii_case(subject));
        validates == (choice == ValidatorChange::Add)
    }
}

/// What a node is told to vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// On whom.
    pub subject: String,
    /// For what; none takes the node's vote back.
    pub choice: Option<ValidatorChange>,
}
