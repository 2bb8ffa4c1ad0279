//! Where a node's ports are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A port that a node needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortSpec {
    /// Unique in its node, such as `rpc`.
    pub name: String,
}

impl PortSpec {
    /// A TCP port.
    pub fn tcp(name: &str) -> Self {
        Self { name: name.into() }
    }
}

/// A host name or address with a port number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HostPort {
    /// Name or address; an IPv6 address without brackets.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// One port as it is seen from three places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortAddress {
    /// What the node's own program listens on.
    pub inside: HostPort,
    /// How nodes on other hosts of the deployment reach it.
    pub between: HostPort,
    /// How clients outside of the deployment reach it.
    pub outside: HostPort,
}

/// The addresses that a host has reserved for a node. Stable over restarts; the caller stores it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Placement {
    /// By the port's name.
    pub ports: BTreeMap<String, PortAddress>,
}

impl Placement {
    /// The address of a named port.
    pub fn port(&self, name: &str) -> Option<&PortAddress> {
        self.ports.get(name)
    }
}

/// Placements by node id.
pub type Placements = BTreeMap<String, Placement>;

/// What jobs and steps produced: by the job's or step's name, then by the output's name. An entry, even
/// an empty one, says that the job is done.
pub type Outputs = BTreeMap<String, BTreeMap<String, String>>;
