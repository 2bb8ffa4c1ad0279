//! What a network's nodes run, as data: the seam between drivers, which plan, and hosts, which run.
//!
//! A [`Plan`] is made by a pure function of a specification, of [`Placement`]s and of recorded
//! [`Outputs`]. It names no engine and holds no secret: secrets are references that the host resolves at
//! start. This crate does no I/O and knows neither drivers nor hosts.

mod job;
mod placement;
mod plan;
mod service;

pub use job::*;
pub use placement::*;
pub use plan::*;
pub use service::*;
