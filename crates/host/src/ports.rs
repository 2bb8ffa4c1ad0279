//! Reserving ports without races.
//!
//! A port of a node that does not run is *held*: bound to a socket that does not listen, without
//! `SO_REUSEADDR`, so that no other program and no other server gets it. The socket is given up right before
//! the node's program starts.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::TcpSocket;

use crate::{Error, Result};

/// How often a port is looked at before it is called taken.
const RELEASE_TRIES: u32 = 50;
/// The pause between two looks.
const RELEASE_PAUSE: Duration = Duration::from_millis(10);

/// The ports of one host.
pub(crate) struct Ports {
    address: IpAddr,
    first: u16,
    last: u16,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    owner: HashMap<u16, String>,
    held: HashMap<u16, TcpSocket>,
}

impl Ports {
    /// Ports of an address, both ends included.
    pub fn new(address: IpAddr, first: u16, last: u16) -> Self {
        Self { address, first, last, table: Mutex::default() }
    }

    /// Gives a node a port that nobody has, and holds it.
    pub fn take(&self, node: &str) -> Result<u16> {
        let count = u32::from(self.last.saturating_sub(self.first)) + 1;
        // Several servers on a machine start at different places, so that they rarely meet.
        let start = rand::random_range(0..count);
        let mut table = self.table.lock();
        for step in 0..count {
            let port = self.first + ((start + step) % count) as u16;
            if table.owner.contains_key(&port) {
                continue;
            }
            if let Ok(socket) = self.bind(port, false) {
                table.owner.insert(port, node.to_owned());
                table.held.insert(port, socket);
                return Ok(port);
            }
        }
        Err(Error::PortsExhausted(self.first, self.last))
    }

    /// Notes that a node has a port.
    pub fn remember(&self, node: &str, port: u16) {
        self.table.lock().owner.insert(port, node.to_owned());
    }

    /// Holds a port of a node that does not run.
    pub fn hold(&self, port: u16) {
        let mut table = self.table.lock();
        // Connections of the node that has just ended wait for their time-out: only a socket that shares gets past them.
        // From then on it shares with nobody, or another program could listen.
        if let Ok(socket) = self.bind(port, true)
            && socket.set_reuseaddr(false).is_ok()
        {
            table.held.entry(port).or_insert(socket);
        }
    }

    /// Gives up the socket and checks that the node's program can listen.
    ///
    /// Another thread may be starting a process just now: between its fork and its exec the child has a copy of every
    /// socket, so the port is looked at again for a moment before it is called taken.
    pub async fn release(&self, node: &str, port: u16) -> Result<()> {
        self.table.lock().held.remove(&port);
        for _ in 0..RELEASE_TRIES {
            if self.bind(port, true).is_ok() {
                return Ok(());
            }
            tokio::time::sleep(RELEASE_PAUSE).await;
        }
        Err(Error::PortInUse { node: node.to_owned(), port })
    }

    /// Gives all ports of a node back.
    pub fn forget(&self, node: &str) {
        let mut table = self.table.lock();
        let ports: Vec<u16> = table.owner.iter().filter(|(_, owner)| *owner == node).map(|(port, _)| *port).collect();
        for port in ports {
            table.owner.remove(&port);
            table.held.remove(&port);
        }
    }

    fn bind(&self, port: u16, reuse: bool) -> std::io::Result<TcpSocket> {
        let socket = if self.address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(reuse)?;
        socket.bind(SocketAddr::new(self.address, port))?;
        Ok(socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free_range() -> (u16, u16) {
        // Any port that is free now, and the ones after it.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let first = listener.local_addr().unwrap().port().min(60_000);
        (first, first + 200)
    }

    #[tokio::test]
    async fn a_held_port_is_given_to_nobody_else() {
        let (first, last) = free_range();
        let address: IpAddr = "127.0.0.1".parse().unwrap();
        let (one, other) = (Ports::new(address, first, last), Ports::new(address, first, last));
        let port = one.take("a").unwrap();
        assert!(std::net::TcpListener::bind((address, port)).is_err());
        assert!(matches!(other.release("b", port).await, Err(Error::PortInUse { .. })));
        one.release("a", port).await.unwrap();
        let listener = std::net::TcpListener::bind((address, port)).unwrap();
        assert!(matches!(one.release("a", port).await, Err(Error::PortInUse { .. })), "a program listens there");
        drop(listener);
        one.release("a", port).await.unwrap();
    }

    #[tokio::test]
    async fn a_port_is_held_while_connections_time_out() {
        let address: IpAddr = "127.0.0.1".parse().unwrap();
        let listener = std::net::TcpListener::bind((address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = std::net::TcpStream::connect((address, port)).unwrap();
        // The side that ends the connection waits.
        drop(listener.accept().unwrap());
        drop((client, listener));
        let ports = Ports::new(address, port, port);
        ports.hold(port);
        assert!(std::net::TcpListener::bind((address, port)).is_err(), "it listens with SO_REUSEADDR, as programs do");
        ports.release("a", port).await.unwrap();
        drop(std::net::TcpListener::bind((address, port)).unwrap());
    }

    #[tokio::test]
    async fn ports_end() {
        let (first, _) = free_range();
        let address: IpAddr = "127.0.0.1".parse().unwrap();
        let ports = Ports::new(address, first, first + 1);
        let taken = [ports.take("a"), ports.take("a")].iter().flatten().count();
        assert!(matches!(ports.take("b"), Err(Error::PortsExhausted(..))));
        ports.forget("a");
        assert!(taken == 0 || ports.take("b").is_ok());
    }
}
