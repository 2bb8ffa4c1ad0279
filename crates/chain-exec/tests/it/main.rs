//! Execution through its public surface: real bytecode, real signatures, an in-memory state.

mod blocks;
mod calls;
mod contracts;
mod estimates;
mod genesis;
mod invalid;
mod random;
mod simulations;
mod support;
mod traces;
