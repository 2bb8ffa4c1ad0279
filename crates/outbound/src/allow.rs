//! Which addresses may be called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::{Error, Result};

/// What an administrator allows beside the public internet: networks, addresses, and names wherever they lead.
#[derive(Clone, Debug, Default)]
pub struct AllowList {
    networks: Vec<IpNet>,
    hosts: Vec<String>,
}

impl AllowList {
    /// Reads entries: `10.0.0.0/8`, `127.0.0.1`, `::1`, `ledger.example.internal`.
    ///
    /// # Errors
    /// [`Error::Entry`] for one that is none of these.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut list = Self::default();
        for entry in entries.into_iter().map(str::trim).filter(|entry| !entry.is_empty()) {
            if let Ok(network) = entry.parse::<IpNet>() {
                list.networks.push(network);
            } else if let Ok(address) = entry.parse::<IpAddr>() {
                list.networks.push(address.into());
            } else {
                match url::Host::parse(entry) {
                    Ok(url::Host::Domain(host)) => list.hosts.push(host),
                    _ => return Err(Error::Entry(entry.into())),
                }
            }
        }
        Ok(list)
    }

    /// The entries, as text.
    pub fn entries(&self) -> Vec<String> {
        self.networks.iter().map(ToString::to_string).chain(self.hosts.iter().cloned()).collect()
    }

    /// Fails unless an address that a name leads to may be called.
    pub(crate) fn check(&self, host: &str, ip: IpAddr) -> Result<()> {
        let ip = plain(ip);
        if let Some(kind) = never(ip) {
            return Err(Error::Never { host: host.into(), ip, kind });
        }
        let allowed = || {
            self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
                || self.networks.iter().any(|network| network.contains(&ip))
        };
        if is_public(ip) || allowed() { Ok(()) } else { Err(Error::NotAllowed { host: host.into(), ip }) }
    }
}

/// The IPv4 address that an IPv6 address stands for (RFC 4291 mapped, RFC 6052 translated, RFC 3056 6to4), else itself.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip.to_canonical() else { return ip.to_canonical() };
    let four = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => four(high, low),
        [0x2002, high, low, ..] => four(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => four(high, low),
        _ => IpAddr::V6(v6),
    }
}

/// What an address is, if it is never called.
fn never(ip: IpAddr) -> Option<&'static str> {
    let link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    match () {
        () if link_local => Some("link-local"),
        () if ip.is_multicast() => Some("multicast"),
        () if broadcast => Some("broadcast"),
        () if ip.is_unspecified() => Some("no address"),
        () => None,
    }
}

/// Whether an address is on the public internet: none of IANA's special-purpose registries.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = match a {
        0 | 240..=255 => true,
        // Carrier-grade NAT.
        100 => (64..128).contains(&b),
        // Protocol assignments.
        192 => b == 0 && c == 0,
        // Benchmarks.
        198 => b == 18 || b == 19,
        _ => false,
    };
    !(special || ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    // Global unicast is 2000::/3; of it, 2001::/23 is for protocols (Teredo among them) and 2001:db8::/32 and 3fff::/20 for
    // documentation.
    match ip.segments() {
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] => second >= 0x1000,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &[&str], host: &str, ip: &str) -> std::result::Result<(), String> {
        let list = AllowList::parse(list.iter().copied()).map_err(|error| error.to_string())?;
        list.check(host, ip.parse().map_err(|_| "no address")?).map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_public_internet_is_open() {
        for public in ["1.1.1.1", "100.63.0.1", "172.32.0.1", "2606:4700::1111", "64:ff9b::101:101"] {
            assert_eq!(check(&[], "h", public), Ok(()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "100.64.0.1",
            "0.1.2.3",
            "198.18.0.1",
            "240.0.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "::1",
            "fd00::1",
            "fc00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "::127.0.0.1",
            "2001::1",
            "2001:db8::1",
            "fec0::1",
        ] {
            assert!(check(&[], "h", private).is_err(), "{private}");
        }
    }

    #[test]
    fn an_administrator_allows_networks_addresses_and_names() {
        assert_eq!(check(&["127.0.0.0/8"], "h", "127.0.0.1"), Ok(()));
        assert_eq!(check(&["127.0.0.1"], "h", "::ffff:127.0.0.1"), Ok(()), "however it is written");
        assert_eq!(check(&["::1", "fd00::/8"], "h", "fd12::1"), Ok(()));
        assert_eq!(check(&["Ledger.internal"], "ledger.internal", "10.0.0.1"), Ok(()));
        assert!(check(&["ledger.internal"], "other.internal", "10.0.0.1").is_err());
        assert!(check(&["10.0.0.0/33"], "h", "1.1.1.1").is_err(), "a wrong entry is said");
    }

    #[test]
    fn some_addresses_are_never_called() {
        for never in [
            "169.254.169.254",
            "fe80::1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "224.0.0.1",
            "255.255.255.255",
            "0.0.0.0",
            "::",
        ] {
            let error = check(&["0.0.0.0/0", "::/0", "h"], "h", never).expect_err(never);
            assert!(error.contains("never called"), "{error}");
        }
    }
}
