//! A member's Fabric CA: `fabric-ca-server` with a root of its own.
//!
//! Its home is the directory of its secret files: the key of the root lies there, the settings with the registrar's password,
//! and what it makes itself (keys for Idemix, which Fabric's programs do not use with it) goes when it is stopped. What it keeps,
//! who is registered and what was issued, is a database in the volume `data`.

use std::collections::BTreeMap;

use driver::{Error, NodeSpec, Result};
use workload::{Arg, Content, FileSpec, Piece, Probe, Program, Service, VolumeSpec, key_reference};

use crate::layout::{self, CA, OPERATIONS_PORT};
use crate::plan::engine::CA_ENGINE;
use crate::plan::services::Plans;

/// What the identity that registers others is called.
pub(crate) const REGISTRAR: &str = "admin";

const DATA: &str = "data";
const SETTINGS: &str = "settings.yaml";
/// The program finds the key of the root by what is in it.
const ROOT_KEY: &str = "root.key";
const ROOT: &str = "root.pem";
const TLS_KEY: &str = "tls.key";
const TLS_CERTIFICATE: &str = "tls.pem";
/// Where the password goes in the settings.
const PASSWORD: &str = "PASSWORD";

impl Plans<'_> {
    pub(super) fn ca(&self, node: &NodeSpec) -> Result<Service> {
        let member = node.member.as_str();
        let listen = self.inside(node, CA)?;
        let version = self.spec.engines.get(CA_ENGINE);
        let version = version.ok_or_else(|| Error::Protocol(format!("{} has no version of its engine", node.name)))?;
        let text = |name: &str, text: &str| FileSpec { name: name.into(), content: Content::Text(text.into()) };
        let tls = layout::tls(node);
        let files = vec![
            FileSpec { name: SETTINGS.into(), content: Content::Pieces(self.settings_of_ca(member)) },
            self.key(ROOT_KEY, &layout::ca_root(member)),
            self.key(TLS_KEY, &tls),
            text(ROOT, layout::certificate(self.outputs, &layout::ca_root(member))?),
            text(TLS_CERTIFICATE, layout::certificate(self.outputs, &tls)?),
        ];
        let flag = |name: &str, value: Arg| [name.into(), value];
        let file = |name: &str| Arg::File(name.into());
        let flags = [
            flag("--config", file(SETTINGS)),
            flag("--address", listen.host.as_str().into()),
            flag("--port", listen.port.to_string().into()),
            flag("--ca.name", layout::ca(member).into()),
            flag("--ca.certfile", file(ROOT)),
            flag("--tls.certfile", file(TLS_CERTIFICATE)),
            flag("--tls.keyfile", file(TLS_KEY)),
            flag("--db.datasource", Arg::In(DATA.into(), "fabric-ca-server.db".into())),
            flag("--operations.listenaddress", self.operations(node)?.into()),
        ];
        let program = Program {
            name: format!("{CA_ENGINE}-{version}/fabric-ca-server"),
            args: std::iter::once("start".into()).chain(flags.into_iter().flatten()).collect(),
            env: BTreeMap::new(),
            files,
            foreign: false,
        };
        let healthy = Probe::Http { port: OPERATIONS_PORT.into(), path: "/healthz".into() };
        Ok(self.base(node, program, vec![VolumeSpec::new(DATA)], healthy))
    }

    fn settings_of_ca(&self, member: &str) -> Vec<Piece> {
        let (before, after) = include_str!("ca.yaml").split_once(PASSWORD).unwrap_or_default();
        vec![
            Piece::Text(before.into()),
            Piece::Secret(key_reference(&self.spec.id, &layout::registrar(member))),
            Piece::Text(after.into()),
        ]
    }
}
