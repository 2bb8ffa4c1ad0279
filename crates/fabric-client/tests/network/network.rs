//! Orderers and peers as processes on this machine.

use std::collections::HashSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail};
use fabric_client::authority::Role;
use fabric_client::channel::{
    Address, Batch, BftOptions, Channel, Consensus, Consenter, OrdererOrganisation, Organisation, RaftOptions,
};
use fabric_client::msp::Files;
use fabric_client::proto::common::Block;
use fabric_client::{Gateway, Node, Orderer, Participation, Peer, Tls, connector};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::members::{Issued, Member};
use crate::programs::{Process, engine};

pub const CHANNEL: &str = "main";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordering {
    Raft,
    Bft,
}

/// One orderer or peer.
pub struct Running {
    pub port: u16,
    /// Orderer: administration; peer: chaincode.
    pub second_port: u16,
    pub operations_port: u16,
    /// Position in the members.
    pub member: usize,
    program: PathBuf,
    arguments: &'static [&'static str],
    environment: Vec<(String, String)>,
    log: PathBuf,
    process: Option<Process>,
}

impl Running {
    pub fn start(&mut self) -> anyhow::Result<()> {
        self.process = Some(Process::start(&self.program, self.arguments, &self.environment, &self.log)?);
        Ok(())
    }

    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Its operations service: `/metrics`, `/healthz`.
    pub async fn operations(&self, path: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.operations_port)).await?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

pub struct Network {
    pub members: Vec<Member>,
    pub orderers: Vec<Running>,
    pub peers: Vec<Running>,
    pub channel: Channel,
    pub block: Block,
    pub started: Instant,
    pub engine: PathBuf,
    pub directory: tempfile::TempDir,
}

/// A way to a port on this machine.
pub fn node(port: u16, tls: Tls) -> anyhow::Result<Node> {
    let open = move || async move {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    Ok(Node::new("127.0.0.1", connector(open), tls)?)
}

impl Network {
    /// Makes and starts a network of two members with a peer each. With BFT, the members run two orderers each, and the
    /// anchor peers are set by an update; with raft a third organisation runs three, and the first block names them.
    pub fn start(version: &str, ordering: Ordering) -> anyhow::Result<Self> {
        let engine = engine(version)?;
        let directory = tempfile::tempdir()?;
        let root = directory.path().to_owned();
        let mut members = vec![Member::new("Alpha")?, Member::new("Beta")?];
        let owners = match ordering {
            Ordering::Bft => vec![0, 1, 0, 1],
            Ordering::Raft => {
                members.push(Member::new("Order")?);
                vec![2, 2, 2]
            }
        };
        builder(&root)?;
        let ports = ports(3 * (owners.len() + 2))?;
        let mut ports = ports.chunks(3);
        let mut orderers = Vec::new();
        let mut consenters = Vec::new();
        for (number, member) in owners.into_iter().enumerate() {
            let ports = ports.next().context("ports")?;
            let name = format!("orderer{number}");
            let issued = members[member].issue(&name, Role::Orderer)?;
            consenters.push(Consenter {
                id: u32::try_from(number)? + 1,
                address: Address::new("127.0.0.1", ports[0]),
                msp_id: members[member].msp.id.clone(),
                identity: issued.identity.clone(),
                server_tls_certificate: issued.tls.clone(),
                client_tls_certificate: issued.tls.clone(),
            });
            orderers.push(orderer(&engine, &root.join(&name), &members, member, &issued, ports)?);
        }
        let mut peers = Vec::new();
        for member in 0..2 {
            let ports = ports.next().context("ports")?;
            let name = format!("peer{member}");
            let issued = members[member].issue(&name, Role::Peer)?;
            peers.push(peer(&engine, &root, &name, &members, member, &issued, ports)?);
        }
        let channel = channel(&members, &orderers, &peers, consenters, ordering);
        let block = channel.genesis_block(SystemTime::now())?;
        let started = Instant::now();
        for node in orderers.iter_mut().chain(&mut peers) {
            node.start()?;
        }
        Ok(Self { members, orderers, peers, channel, block, started, engine, directory })
    }

    pub fn orderer(&self, at: usize) -> anyhow::Result<Orderer> {
        let running = &self.orderers[at];
        Ok(Orderer::new(node(running.port, self.members[running.member].tls()?)?))
    }

    pub fn participation(&self, at: usize) -> anyhow::Result<Participation> {
        let running = &self.orderers[at];
        Ok(Participation::new(node(running.second_port, self.members[running.member].tls()?)?))
    }

    pub fn peer(&self, at: usize) -> anyhow::Result<Peer> {
        Ok(Peer::new(self.peer_node(at)?))
    }

    pub fn gateway(&self, at: usize) -> anyhow::Result<Gateway> {
        Ok(Gateway::new(self.peer_node(at)?))
    }

    pub fn peer_node(&self, at: usize) -> anyhow::Result<Node> {
        let running = &self.peers[at];
        node(running.port, self.members[running.member].anonymous_tls()?)
    }

    /// The orderer that says of itself that it leads.
    pub async fn leader(&self, except: Option<usize>) -> anyhow::Result<usize> {
        until("an orderer leads", Duration::from_secs(60), async || {
            for (at, orderer) in self.orderers.iter().enumerate() {
                if Some(at) == except || orderer.process.is_none() {
                    continue;
                }
                let metrics = orderer.operations("/metrics").await.unwrap_or_default();
                let leads = |line: &str| line.contains("_is_leader{") && line.trim_end().ends_with(" 1");
                if metrics.lines().any(leads) {
                    return Ok(at);
                }
            }
            bail!("none")
        })
        .await
    }
}

/// Tries until it works, no longer than the given time.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut attempt: impl AsyncFnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let end = Instant::now() + limit;
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(failure) if Instant::now() > end => {
                return Err(failure.context(format!("not within {} s: {what}", limit.as_secs())));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

fn channel(
    members: &[Member],
    orderers: &[Running],
    peers: &[Running],
    consenters: Vec<Consenter>,
    ordering: Ordering,
) -> Channel {
    let mut owners: Vec<usize> = orderers.iter().map(|orderer| orderer.member).collect();
    owners.sort_unstable();
    owners.dedup();
    let orderer_organisation = |owner: usize| OrdererOrganisation {
        name: members[owner].name.clone(),
        msp: members[owner].msp.clone(),
        endpoints: orderers
            .iter()
            .filter(|orderer| orderer.member == owner)
            .map(|orderer| Address::new("127.0.0.1", orderer.port))
            .collect(),
    };
    let organisation = |peer: &Running| Organisation {
        name: members[peer.member].name.clone(),
        msp: members[peer.member].msp.clone(),
        anchors: match ordering {
            Ordering::Raft => vec![Address::new("127.0.0.1", peer.port)],
            Ordering::Bft => Vec::new(),
        },
    };
    Channel {
        name: CHANNEL.to_owned(),
        organisations: peers.iter().map(organisation).collect(),
        orderer_organisations: owners.into_iter().map(orderer_organisation).collect(),
        consensus: match ordering {
            Ordering::Raft => Consensus::Raft { options: RaftOptions::default(), consenters },
            Ordering::Bft => Consensus::Bft { options: BftOptions::default(), consenters },
        },
        batch: Batch { timeout: Duration::from_millis(300), ..Batch::default() },
    }
}

fn orderer(
    engine: &Path,
    home: &Path,
    members: &[Member],
    member: usize,
    issued: &Issued,
    ports: &[u16],
) -> anyhow::Result<Running> {
    let msp = &members[member].msp;
    write(&msp.local_folder(&issued.identity, &issued.identity_key).under("msp"), home)?;
    write(&msp.tls_folder(&issued.tls, &issued.tls_key).under("tls"), home)?;
    let path = |below: &str| home.join(below).display().to_string();
    let (certificate, key, root) =
        (path("tls/server.crt"), path("tls/server.key"), format!("[{}]", path("tls/ca.crt")));
    let environment = [
        ("FABRIC_CFG_PATH", engine.join("config").display().to_string()),
        ("FABRIC_LOGGING_SPEC", "info".to_owned()),
        ("ORDERER_GENERAL_LISTENADDRESS", "127.0.0.1".to_owned()),
        ("ORDERER_GENERAL_LISTENPORT", ports[0].to_string()),
        ("ORDERER_GENERAL_LOCALMSPID", msp.id.clone()),
        ("ORDERER_GENERAL_LOCALMSPDIR", path("msp")),
        ("ORDERER_GENERAL_TLS_ENABLED", "true".to_owned()),
        ("ORDERER_GENERAL_TLS_PRIVATEKEY", key.clone()),
        ("ORDERER_GENERAL_TLS_CERTIFICATE", certificate.clone()),
        ("ORDERER_GENERAL_TLS_ROOTCAS", root.clone()),
        ("ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE", certificate.clone()),
        ("ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY", key.clone()),
        ("ORDERER_GENERAL_BOOTSTRAPMETHOD", "none".to_owned()),
        ("ORDERER_CHANNELPARTICIPATION_ENABLED", "true".to_owned()),
        ("ORDERER_FILELEDGER_LOCATION", path("data")),
        ("ORDERER_CONSENSUS_WALDIR", path("data/wal")),
        ("ORDERER_CONSENSUS_SNAPDIR", path("data/snap")),
        ("ORDERER_OPERATIONS_LISTENADDRESS", format!("127.0.0.1:{}", ports[2])),
        ("ORDERER_METRICS_PROVIDER", "prometheus".to_owned()),
        ("ORDERER_ADMIN_LISTENADDRESS", format!("127.0.0.1:{}", ports[1])),
        ("ORDERER_ADMIN_TLS_ENABLED", "true".to_owned()),
        ("ORDERER_ADMIN_TLS_CERTIFICATE", certificate),
        ("ORDERER_ADMIN_TLS_PRIVATEKEY", key),
        ("ORDERER_ADMIN_TLS_ROOTCAS", root.clone()),
        ("ORDERER_ADMIN_TLS_CLIENTROOTCAS", root),
        ("ORDERER_ADMIN_TLS_CLIENTAUTHREQUIRED", "true".to_owned()),
    ];
    Ok(Running {
        port: ports[0],
        second_port: ports[1],
        operations_port: ports[2],
        member,
        program: engine.join("bin/orderer"),
        arguments: &[],
        environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
        log: home.join("log"),
        process: None,
    })
}

fn peer(
    engine: &Path,
    root: &Path,
    name: &str,
    members: &[Member],
    member: usize,
    issued: &Issued,
    ports: &[u16],
) -> anyhow::Result<Running> {
    let home = root.join(name);
    let msp = &members[member].msp;
    write(&msp.local_folder(&issued.identity, &issued.identity_key).under("msp"), &home)?;
    write(&msp.tls_folder(&issued.tls, &issued.tls_key).under("tls"), &home)?;
    let path = |below: &str| home.join(below).display().to_string();
    let address = format!("127.0.0.1:{}", ports[0]);
    let chaincode = format!("127.0.0.1:{}", ports[1]);
    let environment = [
        ("FABRIC_CFG_PATH", engine.join("config").display().to_string()),
        ("FABRIC_LOGGING_SPEC", "info".to_owned()),
        ("CORE_PEER_ID", name.to_owned()),
        ("CORE_PEER_NETWORKID", "test".to_owned()),
        ("CORE_PEER_LOCALMSPID", msp.id.clone()),
        ("CORE_PEER_MSPCONFIGPATH", path("msp")),
        ("CORE_PEER_ADDRESS", address.clone()),
        ("CORE_PEER_LISTENADDRESS", address.clone()),
        ("CORE_PEER_CHAINCODEADDRESS", chaincode.clone()),
        ("CORE_PEER_CHAINCODELISTENADDRESS", chaincode),
        ("CORE_PEER_GOSSIP_BOOTSTRAP", address.clone()),
        ("CORE_PEER_GOSSIP_ENDPOINT", address.clone()),
        ("CORE_PEER_GOSSIP_EXTERNALENDPOINT", address),
        // The default ones make members find each other after half a minute rather than seconds.
        ("CORE_PEER_GOSSIP_RECONNECTINTERVAL", "2s".to_owned()),
        ("CORE_PEER_GOSSIP_ALIVETIMEINTERVAL", "1s".to_owned()),
        ("CORE_PEER_GOSSIP_PULLINTERVAL", "1s".to_owned()),
        ("CORE_PEER_GOSSIP_REQUESTSTATEINFOINTERVAL", "1s".to_owned()),
        ("CORE_PEER_GOSSIP_PUBLISHSTATEINFOINTERVAL", "1s".to_owned()),
        ("CORE_PEER_TLS_ENABLED", "true".to_owned()),
        ("CORE_PEER_TLS_CERT_FILE", path("tls/server.crt")),
        ("CORE_PEER_TLS_KEY_FILE", path("tls/server.key")),
        ("CORE_PEER_TLS_ROOTCERT_FILE", path("tls/ca.crt")),
        ("CORE_OPERATIONS_LISTENADDRESS", format!("127.0.0.1:{}", ports[2])),
        ("CORE_METRICS_PROVIDER", "prometheus".to_owned()),
        ("CORE_PEER_FILESYSTEMPATH", path("data")),
        ("CORE_LEDGER_SNAPSHOTS_ROOTDIR", path("data/snapshots")),
        ("CORE_VM_ENDPOINT", String::new()),
        ("CORE_CHAINCODE_EXTERNALBUILDERS", format!("[{{name: ccaas, path: {}}}]", root.join("builder").display())),
    ];
    Ok(Running {
        port: ports[0],
        second_port: ports[1],
        operations_port: ports[2],
        member,
        program: engine.join("bin/peer"),
        arguments: &["node", "start"],
        environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
        log: home.join("log"),
        process: None,
    })
}

/// A peer's external builder for chaincode that runs as a service.
fn builder(root: &Path) -> anyhow::Result<()> {
    let bin = root.join("builder/bin");
    fs::create_dir_all(&bin)?;
    for (name, script) in [
        ("detect", "#!/bin/sh\ngrep -q '\"type\" *: *\"ccaas\"' \"$2/metadata.json\"\n"),
        ("build", "#!/bin/sh\nset -e\ncp \"$1/connection.json\" \"$3/\"\n"),
        (
            "release",
            "#!/bin/sh\nset -e\nmkdir -p \"$2/chaincode/server\"\ncp \"$1/connection.json\" \"$2/chaincode/server/\"\n",
        ),
    ] {
        fs::write(bin.join(name), script)?;
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

pub fn write(files: &Files, below: &Path) -> anyhow::Result<()> {
    for (path, file) in &files.0 {
        let path = below.join(path);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        fs::write(&path, &*file.contents)?;
        if file.secret {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// Ports that nobody listens on, all different.
pub fn ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let listeners: Result<Vec<_>, _> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
    let ports: Result<HashSet<_>, _> =
        listeners?.iter().map(|listener| Ok::<_, std::io::Error>(listener.local_addr()?.port())).collect();
    Ok(ports?.into_iter().collect())
}
