//! Slows the guessing of passwords.
//!
//! Failures are counted for each pair of name and address, for each address, and for each name, with rising limits: someone who
//! guesses at one account from one place is stopped soon, while a stranger cannot lock a user out from everywhere with few
//! requests. Kept in memory: a restart forgets, which gains an attacker little.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const PAIR_LIMIT: u32 = 5;
const ADDRESS_LIMIT: u32 = 30;
const NAME_LIMIT: u32 = 100;
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// Failures older than this are forgotten.
const MEMORY: Duration = Duration::from_secs(30 * 60);
const MOST_ENTRIES: usize = 20_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Pair(String, IpAddr),
    Address(IpAddr),
    Name(String),
}

impl Key {
    fn limit(&self) -> u32 {
        match self {
            Key::Pair(..) => PAIR_LIMIT,
            Key::Address(_) => ADDRESS_LIMIT,
            Key::Name(_) => NAME_LIMIT,
        }
    }
}

#[derive(Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    /// Until when no further attempt is allowed: doubles with each failure beyond the limit.
    fn blocked_until(&self, limit: u32) -> Option<Instant> {
        let beyond = self.count.checked_sub(limit)?;
        let wait = FIRST_WAIT.saturating_mul(1 << beyond.min(16)).min(LONGEST_WAIT);
        Some(self.last + wait)
    }
}

/// Counts of failed sign-ins.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<Key, Failures>>);

impl Throttle {
    /// How long to wait before the next attempt, if at all.
    pub fn wait(&self, name: &str, address: IpAddr, now: Instant) -> Option<Duration> {
        let failures = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        keys(name, address)
            .iter()
            .filter_map(|key| failures.get(key)?.blocked_until(key.limit())?.checked_duration_since(now))
            .filter(|wait| !wait.is_zero())
            .max()
    }

    /// Counts an attempt as failed. Called before the password is looked at, so that attempts side by side count too.
    pub fn count(&self, name: &str, address: IpAddr, now: Instant) {
        let mut failures = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if failures.len() > MOST_ENTRIES {
            failures.retain(|_, entry| now.duration_since(entry.last) < MEMORY);
        }
        for key in keys(name, address) {
            let entry = failures.entry(key).or_insert(Failures { count: 0, last: now });
            if now.duration_since(entry.last) >= MEMORY {
                entry.count = 0;
            }
            entry.count += 1;
            entry.last = now;
        }
    }

    /// Forgets the failures of a name at an address, after a success, and takes the attempt back from the others.
    pub fn succeed(&self, name: &str, address: IpAddr) {
        let mut failures = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for key in keys(name, address) {
            match &key {
                Key::Pair(..) => {
                    failures.remove(&key);
                }
                _ => {
                    if let Some(entry) = failures.get_mut(&key) {
                        entry.count = entry.count.saturating_sub(1);
                    }
                }
            }
        }
    }
}

fn keys(name: &str, address: IpAddr) -> [Key; 3] {
    // A name is at most 64 long; what is longer is no user's, and must not fill the memory.
    let name: String = name.chars().take(64).collect();
    [Key::Pair(name.clone(), address), Key::Address(address), Key::Name(name)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn guessing_is_slowed_and_others_are_not() {
        let throttle = Throttle::default();
        let start = Instant::now();
        for _ in 0..PAIR_LIMIT {
            assert_eq!(throttle.wait("admin", HERE, start), None);
            throttle.count("admin", HERE, start);
        }
        assert_eq!(throttle.wait("admin", HERE, start), Some(FIRST_WAIT));
        assert_eq!(throttle.wait("admin", THERE, start), None);
        assert_eq!(throttle.wait("other", HERE, start), None);
        let later = start + FIRST_WAIT;
        assert_eq!(throttle.wait("admin", HERE, later), None);
        throttle.count("admin", HERE, later);
        assert_eq!(throttle.wait("admin", HERE, later), Some(FIRST_WAIT * 2));
        throttle.succeed("admin", HERE);
        assert_eq!(throttle.wait("admin", HERE, later), None);
    }

    #[test]
    fn many_names_from_one_address_are_slowed() {
        let throttle = Throttle::default();
        let start = Instant::now();
        for number in 0..ADDRESS_LIMIT {
            throttle.count(&format!("user{number}"), HERE, start);
        }
        assert!(throttle.wait("fresh", HERE, start).is_some());
    }
}
