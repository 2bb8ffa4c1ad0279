//! The built-in chain's execution: builds blocks, checks them, and answers calls, estimates,
//! simulations and traces, by revm and the Ethereum rules of the genesis.
//!
//! This crate does no I/O: it reads the state through [`StateReader`], returns what a block changes
//! as a [`StateDelta`], and measures time only by a clock that it was given
//! ([`Executor::with_clock`]). It knows neither how state is stored nor how its root is computed: the
//! header's `state_root` is filled in and compared by whoever keeps the state.
//!
//! - blocks: [`Executor::build`], [`Executor::seal`], [`Executor::execute`]
//! - the genesis: [`Executor::genesis_delta`], [`Executor::genesis_block`]
//! - questions about a state ([`CallContext`]): [`Executor::call`], [`Executor::estimate_gas`],
//!   [`Executor::create_access_list`], [`Executor::simulate`], [`Executor::trace_call`]
//! - history: [`Executor::trace_transaction`], [`Executor::trace_block`]

mod access_list;
mod build;
mod call;
mod call_error;
mod database;
mod delta;
mod estimate;
mod execute;
mod executor;
mod forks;
mod genesis;
mod halt;
mod header;
mod request;
mod session;
mod simulate;
mod state;
mod trace;
mod watch;

pub use build::{BuildLimits, Built, SkipReason};
pub use call::{CallContext, CallLimits, CallOutcome};
pub use call_error::{CallError, Refusal, revert_reason};
pub use execute::{Executed, Invalid, created_address};
pub use executor::{Clock, ExecError, Executor};
pub use state::{Account, StateDelta, StateError, StateReader};
