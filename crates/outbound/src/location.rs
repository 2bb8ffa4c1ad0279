//! Where to connect, as a user writes it and as it is pinned.

use std::net::IpAddr;

use url::Url;

use crate::{Error, Result};

/// An address as a user writes it. Path and query may carry an access key: they are not for logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    /// Whether it is to be reached by TLS.
    pub secure: bool,
    /// Name or address; an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query.
    pub path: String,
}

impl Location {
    /// Reads `http://…` or `https://…`.
    ///
    /// # Errors
    /// [`Error::Invalid`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |reason: &str| Error::Invalid(reason.into());
        let url = Url::parse(text.trim()).map_err(|error| Error::Invalid(format!("it is no address: {error}")))?;
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(invalid("it must begin with http:// or https://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("it must not carry a user name or a password"));
        }
        let host = match url.host() {
            Some(url::Host::Domain(name)) => name.to_owned(),
            Some(url::Host::Ipv4(ip)) => ip.to_string(),
            Some(url::Host::Ipv6(ip)) => ip.to_string(),
            None => return Err(invalid("it names no host")),
        };
        let port = url.port_or_known_default().ok_or_else(|| invalid("it names no port"))?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Ok(Self { secure, host, port, path })
    }

    /// Scheme, host and port: what may be shown.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.authority())
    }

    /// Host and port as the header `Host` takes them.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Location({})", self.origin())
    }
}

/// A location that was resolved: nothing but this address is connected to for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// Whether it is reached by TLS.
    pub secure: bool,
    /// The name that its certificate must have.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The address.
    pub ip: IpAddr,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let read = |text: &str| Location::parse(text).map_err(|error| error.to_string());
        let location = read("https://Node.example/v3/secret?key=1#x").expect("it is one");
        assert_eq!((location.origin(), location.path.as_str()), ("https://node.example".into(), "/v3/secret?key=1"));
        assert!(!format!("{location:?}").contains("secret"));
        let six = read("http://[::1]:8545").expect("it is one");
        assert_eq!((six.host.as_str(), six.authority(), six.path.as_str()), ("::1", "[::1]:8545".into(), "/"));
        assert_eq!(read("http://2130706433/").expect("a number is an address").host, "127.0.0.1");
        for wrong in ["", "node:8545", "ws://node", "file:///etc/passwd", "http://user:pass@node", "http://"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
