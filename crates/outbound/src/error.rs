//! Why an address is not called.

use std::net::IpAddr;

/// Why an address is not called.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no address.
    #[error("{0}")]
    Invalid(String),
    /// Its name leads nowhere.
    #[error("the name {host} cannot be resolved: {reason}")]
    Unresolved {
        /// The name.
        host: String,
        /// As the system says.
        reason: String,
    },
    /// It is not on the public internet, and no administrator has allowed it.
    #[error("{host} is at {ip}, which is not a public address")]
    NotAllowed {
        /// The name.
        host: String,
        /// Where it leads.
        ip: IpAddr,
    },
    /// It is one that is never called.
    #[error("{host} is at {ip}, which is {kind}: such an address is never called")]
    Never {
        /// The name.
        host: String,
        /// Where it leads.
        ip: IpAddr,
        /// What it is.
        kind: &'static str,
    },
    /// An entry of the allow-list is neither a network nor a name.
    #[error("`{0}` is neither an address, a network such as 10.0.0.0/8, nor a host name")]
    Entry(String),
    /// The machine's certificate authorities cannot be used.
    #[error("no certificate authority of this machine can be used: {0}")]
    Authorities(String),
}
