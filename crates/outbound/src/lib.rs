//! Connections to addresses that a user gives: attached networks, later webhooks and external authorities.
//!
//! The rule for all of them: a name is resolved once ([`Outbound::pin`]), and from then on only that address is connected to,
//! with the certificate checked against the name. What is not on the public internet needs an entry in the administrator's
//! [`AllowList`]; link-local addresses, where clouds keep their machines' credentials, are never called. Nothing here speaks
//! HTTP, so nothing follows a redirect.

mod allow;
mod connect;
mod error;
mod location;

pub use allow::AllowList;
pub use connect::{Outbound, Stream};
pub use error::Error;
pub use location::{Location, Pinned};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
