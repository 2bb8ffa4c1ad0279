//! The programs: orderers, peers and chaincode, with their environment and files.
//!
//! Certificates lie in the volume `config`. Private keys are files of the program, which the host writes at start and removes
//! at stop; Fabric's software key store is pointed at their directory and finds the one that fits the certificate. That
//! takes a key of the configuration that Fabric's samples lack, so the configuration is ours.

use std::collections::BTreeMap;

use driver::{Error, NetworkSpec, NodeSpec, Result};
use workload::{
    Arg, Content, FileSpec, Outputs, Placements, Probe, Program, Resources, Service, Stop, VolumeSpec, key_reference,
};

use crate::layout::{self, ADMIN_PORT, CA, CHAINCODE, OPERATIONS_PORT, ORDERER, PEER};
use crate::plan::{engine, options, ports};

const CONFIG: &str = "config";
const DATA: &str = "data";
const BUILDER: &str = "builder";
const SIGNING_KEY: &str = "signing.key";
const TLS_KEY: &str = "tls.key";
const TLS_CERTIFICATE: &str = "tls/server.crt";
/// Other people's programs get no volumes that the server writes into.
const CONTRACT_CERTIFICATE: &str = "tls.crt";
/// Each connection and each call of it would be a line, too.
const LOGGED: &str = "comm.grpc.server,grpc=warning:info";
/// Without the colours that are usual.
const LINE: &str = "%{time:2006-01-02 15:04:05.000 MST} %{level:.4s} [%{module}] %{shortfunc} -> %{message}";
/// TLS roots of the node's own member.
const TLS_ROOT: &str = "tls/ca.crt";
/// TLS roots of all members.
const TLS_ROOTS: &str = "tls/members.crt";

/// The peer's external builder for chaincode that runs as a service: it has nothing to build, and tells the peer where the
/// service is (Fabric's "External Builders and Launchers" page).
const SCRIPTS: [(&str, &str); 3] = [
    ("bin/detect", "#!/bin/sh\ngrep -q '\"type\" *: *\"ccaas\"' \"$2/metadata.json\"\n"),
    (
        "bin/build",
        "#!/bin/sh\nset -e\ncp \"$1/connection.json\" \"$3/\"\nif [ -d \"$1/META-INF\" ]; then cp -r \"$1/META-INF\" \"$3/\"; fi\n",
    ),
    (
        "bin/release",
        "#!/bin/sh\nset -e\nmkdir -p \"$2/chaincode/server\"\ncp \"$1/connection.json\" \"$2/chaincode/server/\"\n\
         if [ -d \"$1/META-INF/statedb\" ]; then cp -r \"$1/META-INF/statedb\" \"$2/\"; fi\n",
    ),
];

/// What services are planned from.
pub(crate) struct Plans<'a> {
    pub(crate) spec: &'a NetworkSpec,
    pub(crate) placements: &'a Placements,
    pub(crate) outputs: &'a Outputs,
}

/// An environment that is being written.
#[derive(Default)]
struct Environment(BTreeMap<String, Arg>);

impl Environment {
    fn put(&mut self, name: &str, value: impl Into<Arg>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

fn config(path: &str) -> Arg {
    Arg::In(CONFIG.into(), path.into())
}

fn list(paths: impl IntoIterator<Item = Arg>) -> Arg {
    let mut parts = vec![Arg::from("[")];
    for (at, path) in paths.into_iter().enumerate() {
        parts.extend((at > 0).then(|| Arg::from(",")));
        parts.push(path);
    }
    parts.push(Arg::from("]"));
    Arg::Joined(parts)
}

impl Plans<'_> {
    /// A node's service.
    pub(crate) fn service(&self, node: &NodeSpec) -> Result<Service> {
        match node.role.as_str() {
            ORDERER => self.orderer(node),
            PEER => self.peer(node),
            CHAINCODE => self.chaincode(node),
            CA => self.ca(node),
            role => {
                Err(Error::Protocol(format!("{} has the role `{role}`, which the engine does not know", node.name)))
            }
        }
    }

    pub(super) fn inside(&self, node: &NodeSpec, port: &str) -> Result<&workload::HostPort> {
        Ok(&layout::port(self.placements, node, port)?.inside)
    }

    /// Operations (metrics, health, log levels) have no authentication: on loopback only, whatever the host's addresses.
    pub(super) fn operations(&self, node: &NodeSpec) -> Result<String> {
        Ok(format!("127.0.0.1:{}", self.inside(node, OPERATIONS_PORT)?.port))
    }

    fn engine(&self) -> String {
        format!("{}-{}", engine::ENGINE, self.spec.version.as_deref().unwrap_or(layout::TESTED_VERSION))
    }

    /// The volume with a node's certificates.
    fn certificates(&self, node: &NodeSpec) -> Result<VolumeSpec> {
        let mut volume = VolumeSpec::new(CONFIG);
        for (path, file) in layout::msp(self.outputs, &node.member)?.folder().0 {
            let text = String::from_utf8(file.contents.to_vec())
                .map_err(|_| Error::Protocol(format!("the MSP of {} is no text", node.member)))?;
            volume = volume.with_file(&format!("msp/{path}"), text);
        }
        let (name, settings) = self.settings(node);
        volume = volume.with_file(name, settings);
        let own = layout::certificate(self.outputs, &layout::signing(node))?;
        volume = volume.with_file("msp/signcerts/cert.pem", own.to_owned());
        let members = layout::members(self.spec).into_iter();
        let roots = members.map(|member| layout::authority(self.outputs, &layout::admin_tls(member)));
        let roots = roots.map(|root| Ok(ended(root?))).collect::<Result<String>>()?;
        volume = volume.with_file(TLS_ROOTS, roots);
        let tls = layout::tls(node);
        let (own, root) = (layout::certificate(self.outputs, &tls)?, layout::authority(self.outputs, &tls)?);
        Ok(volume.with_file(TLS_CERTIFICATE, own.to_owned()).with_file(TLS_ROOT, root.to_owned()))
    }

    /// The configuration file that a node's program reads.
    fn settings(&self, node: &NodeSpec) -> (&'static str, String) {
        if node.role == ORDERER {
            return ("orderer.yaml", include_str!("orderer.yaml").into());
        }
        ("core.yaml", core(self.spec.version.as_deref()))
    }

    pub(super) fn key(&self, file: &str, identity: &str) -> FileSpec {
        FileSpec { name: file.into(), content: Content::Secret(key_reference(&self.spec.id, identity)) }
    }

    pub(super) fn base(
        &self,
        node: &NodeSpec,
        program: Program,
        volumes: Vec<VolumeSpec>,
        readiness: Probe,
    ) -> Service {
        Service {
            name: node.name.clone(),
            node: node.id.clone(),
            after: Vec::new(),
            program,
            ports: ports(&node.role),
            volumes,
            readiness,
            stop: Stop::default(),
            resources: Resources::default(),
        }
    }

    fn fabric(&self, node: &NodeSpec, args: Vec<Arg>, env: Environment, more: Option<VolumeSpec>) -> Result<Service> {
        let keys = [(SIGNING_KEY, layout::signing(node)), (TLS_KEY, layout::tls(node))];
        let program = Program {
            name: format!("{}/{}", self.engine(), node.role),
            args,
            env: env.0,
            files: keys.iter().map(|(file, identity)| self.key(file, identity)).collect(),
            foreign: false,
        };
        let mut volumes = vec![self.certificates(node)?, VolumeSpec::new(DATA)];
        volumes.extend(more);
        let healthy = Probe::Http { port: OPERATIONS_PORT.into(), path: "/healthz".into() };
        Ok(self.base(node, program, volumes, healthy))
    }

    fn orderer(&self, node: &NodeSpec) -> Result<Service> {
        let mut env = Environment::default();
        let listen = self.inside(node, ORDERER)?;
        let key = || Arg::File(TLS_KEY.into());
        env.put("FABRIC_CFG_PATH", Arg::Volume(CONFIG.into()));
        env.put("FABRIC_LOGGING_SPEC", LOGGED);
        env.put("FABRIC_LOGGING_FORMAT", LINE);
        env.put("ORDERER_GENERAL_LISTENADDRESS", listen.host.clone());
        env.put("ORDERER_GENERAL_LISTENPORT", listen.port.to_string());
        env.put("ORDERER_GENERAL_LOCALMSPID", layout::msp_id(&node.member));
        env.put("ORDERER_GENERAL_LOCALMSPDIR", config("msp"));
        env.put("ORDERER_GENERAL_BCCSP_SW_FILEKEYSTORE_KEYSTOREPATH", Arg::Secrets);
        env.put("ORDERER_GENERAL_TLS_ENABLED", "true");
        env.put("ORDERER_GENERAL_TLS_PRIVATEKEY", key());
        env.put("ORDERER_GENERAL_TLS_CERTIFICATE", config(TLS_CERTIFICATE));
        env.put("ORDERER_GENERAL_TLS_ROOTCAS", list([config(TLS_ROOTS)]));
        env.put("ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE", config(TLS_CERTIFICATE));
        env.put("ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY", key());
        env.put("ORDERER_GENERAL_CLUSTER_ROOTCAS", list([config(TLS_ROOTS)]));
        // Versions before 3 start with a channel of the orderers' own unless told otherwise.
        env.put("ORDERER_GENERAL_BOOTSTRAPMETHOD", "none");
        env.put("ORDERER_CHANNELPARTICIPATION_ENABLED", "true");
        env.put("ORDERER_FILELEDGER_LOCATION", Arg::Volume(DATA.into()));
        env.put("ORDERER_CONSENSUS_WALDIR", Arg::In(DATA.into(), "wal".into()));
        env.put("ORDERER_CONSENSUS_SNAPDIR", Arg::In(DATA.into(), "snap".into()));
        env.put("ORDERER_OPERATIONS_LISTENADDRESS", self.operations(node)?);
        env.put("ORDERER_METRICS_PROVIDER", "prometheus");
        env.put("ORDERER_ADMIN_LISTENADDRESS", Arg::Listen(ADMIN_PORT.into()));
        env.put("ORDERER_ADMIN_TLS_ENABLED", "true");
        env.put("ORDERER_ADMIN_TLS_CERTIFICATE", config(TLS_CERTIFICATE));
        env.put("ORDERER_ADMIN_TLS_PRIVATEKEY", key());
        env.put("ORDERER_ADMIN_TLS_ROOTCAS", list([config(TLS_ROOT)]));
        // Only the member's own administrators.
        env.put("ORDERER_ADMIN_TLS_CLIENTROOTCAS", list([config(TLS_ROOT)]));
        env.put("ORDERER_ADMIN_TLS_CLIENTAUTHREQUIRED", "true");
        self.fabric(node, Vec::new(), env, None)
    }

    fn peer(&self, node: &NodeSpec) -> Result<Service> {
        let mut env = Environment::default();
        let between = layout::between(self.placements, node)?.to_string();
        let others = layout::peers_of(self.spec, &node.member).filter(|other| other.id != node.id);
        let others = others.map(|other| Ok(layout::between(self.placements, other)?.to_string()));
        let others = others.collect::<Result<Vec<_>>>()?;
        let bootstrap = if others.is_empty() { between.clone() } else { others.join(" ") };
        env.put("FABRIC_CFG_PATH", Arg::Volume(CONFIG.into()));
        env.put("FABRIC_LOGGING_SPEC", LOGGED);
        env.put("FABRIC_LOGGING_FORMAT", LINE);
        env.put("CORE_PEER_ID", layout::short(node));
        env.put("CORE_PEER_NETWORKID", self.spec.id.as_str());
        env.put("CORE_PEER_LOCALMSPID", layout::msp_id(&node.member));
        env.put("CORE_PEER_MSPCONFIGPATH", config("msp"));
        env.put("CORE_PEER_BCCSP_SW_FILEKEYSTORE_KEYSTOREPATH", Arg::Secrets);
        // As versions from 3 call it, by what their library for configurations makes of the name.
        env.put("CORE_PEER_BCCSP_PEER_BCCSP_SW_FILEKEYSTORE_KEYSTOREPATH", Arg::Secrets);
        env.put("CORE_PEER_ADDRESS", between.clone());
        env.put("CORE_PEER_LISTENADDRESS", Arg::Listen(PEER.into()));
        env.put("CORE_PEER_CHAINCODEADDRESS", Arg::Listen(CHAINCODE.into()));
        env.put("CORE_PEER_CHAINCODELISTENADDRESS", Arg::Listen(CHAINCODE.into()));
        env.put("CORE_PEER_GOSSIP_BOOTSTRAP", bootstrap);
        env.put("CORE_PEER_GOSSIP_ENDPOINT", between.clone());
        env.put("CORE_PEER_GOSSIP_EXTERNALENDPOINT", between);
        // By the defaults members find each other after half a minute rather than seconds.
        env.put("CORE_PEER_GOSSIP_RECONNECTINTERVAL", "2s");
        for name in ["ALIVETIMEINTERVAL", "PULLINTERVAL", "REQUESTSTATEINFOINTERVAL", "PUBLISHSTATEINFOINTERVAL"] {
            env.put(&format!("CORE_PEER_GOSSIP_{name}"), "1s");
        }
        env.put("CORE_PEER_TLS_ENABLED", "true");
        env.put("CORE_PEER_TLS_CERT_FILE", config(TLS_CERTIFICATE));
        env.put("CORE_PEER_TLS_KEY_FILE", Arg::File(TLS_KEY.into()));
        env.put("CORE_PEER_TLS_ROOTCERT_FILE", config(TLS_ROOTS));
        env.put("CORE_OPERATIONS_LISTENADDRESS", self.operations(node)?);
        env.put("CORE_METRICS_PROVIDER", "prometheus");
        env.put("CORE_PEER_FILESYSTEMPATH", Arg::Volume(DATA.into()));
        env.put("CORE_LEDGER_SNAPSHOTS_ROOTDIR", Arg::In(DATA.into(), "snapshots".into()));
        // There, but empty: no Docker.
        env.put("CORE_VM_ENDPOINT", "");
        let builders = vec!["[{name: ccaas, path: \"".into(), Arg::Volume(BUILDER.into()), "\"}]".into()];
        env.put("CORE_CHAINCODE_EXTERNALBUILDERS", Arg::Joined(builders));
        let scripts = SCRIPTS
            .into_iter()
            .fold(VolumeSpec::new(BUILDER), |volume, (path, text)| volume.with_program(path, text.to_owned()));
        self.fabric(node, vec!["node".into(), "start".into()], env, Some(scripts))
    }

    fn chaincode(&self, node: &NodeSpec) -> Result<Service> {
        let contract = self.spec.contracts.iter().find(|own| node.contract == Some(layout::contract_reference(own)));
        let contract =
            contract.ok_or_else(|| Error::Protocol(format!("{} runs no contract that is known", node.name)))?;
        let mut env = Environment::default();
        env.put("CHAINCODE_ID", layout::package(self.placements, self.outputs, contract, node)?.id);
        env.put("CHAINCODE_SERVER_ADDRESS", Arg::Listen(CHAINCODE.into()));
        env.put("CHAINCODE_TLS_CERT", Arg::File(CONTRACT_CERTIFICATE.into()));
        env.put("CHAINCODE_TLS_KEY", Arg::File(TLS_KEY.into()));
        let own = layout::certificate(self.outputs, &layout::tls(node))?;
        let certificate = FileSpec { name: CONTRACT_CERTIFICATE.into(), content: Content::Text(own.to_owned()) };
        let program = Program {
            name: contract.program.clone(),
            args: Vec::new(),
            env: env.0,
            files: vec![self.key(TLS_KEY, &layout::tls(node)), certificate],
            foreign: true,
        };
        let service = self.base(node, program, Vec::new(), Probe::Tcp(CHAINCODE.into()));
        let resources = Resources {
            memory_bytes: Some(options::number(self.spec, options::CHAINCODE_MEMORY) << 20),
            cpus: Some(options::number(self.spec, options::CHAINCODE_CPU) as f64 / 100.0),
        };
        Ok(Service { resources, ..service })
    }
}

/// The configuration file of the program `peer`, as a node and as a command line.
pub(crate) fn core(version: Option<&str>) -> String {
    let text = include_str!("core.yaml");
    match layout::before_3(version) {
        // It has no such filter and would not start.
        true => text.replace("      - name: TimeWindowCheck\n", ""),
        false => text.into(),
    }
}

/// Certificates follow one another, each on lines of its own.
fn ended(pem: &str) -> String {
    format!("{}\n", pem.trim_end())
}
