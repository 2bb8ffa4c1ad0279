//! What a member's own programs and people need to use a network without Polder: a connection profile, certificates and
//! keys in the folders that Fabric's programs read, and the environment of its command lines.

use driver::{Error, Keys, LedgerNetwork, NodeSpec, Profile, ProfileFile, Result};
use fabric_client::SecretKey;
use fabric_client::msp::Files;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::layout::{self, ADMIN_PORT, CA, ORDERER, PEER};
use crate::plan::{REGISTRAR, services};

/// The files for a member.
pub(crate) fn profile(network: &LedgerNetwork, member: &str, keys: Keys<'_>) -> Result<Profile> {
    let outputs = &network.outputs;
    let mut profile = Profile::new();
    let mut put = |path: String, text: &str| {
        profile.insert(path, ProfileFile { contents: Zeroizing::new(text.as_bytes().to_vec()), secret: false });
    };
    for other in layout::members(&network.spec) {
        put(format!("tls/ca-{other}.pem"), layout::authority(outputs, &layout::admin_tls(other))?);
    }
    let connection = serde_json::to_string_pretty(&connection(network, member)?);
    put("connection.json".into(), &connection.map_err(|failure| Error::Protocol(failure.to_string()))?);
    put("core.yaml".into(), &services::core(network.spec.version.as_deref()));
    put("env.sh".into(), &environment(network, member)?);
    put("tls/admin.crt".into(), layout::certificate(outputs, &layout::admin_tls(member))?);
    let key = keys(&layout::admin_tls(member))?;
    let secret = ProfileFile { contents: Zeroizing::new(key.as_bytes().to_vec()), secret: true };
    profile.insert("tls/admin.key".into(), secret);
    let msp = layout::msp(outputs, member)?;
    for (folder, identity) in [("admin", layout::admin(member)), ("user", layout::user(member))] {
        let key = SecretKey::from_pem(keys(&identity)?.as_bytes())
            .map_err(|failure| Error::Protocol(format!("the key of {identity}: {failure}")))?;
        let Files(files) =
            msp.local_folder(layout::certificate(outputs, &identity)?, &key).under(&format!("msp/{folder}"));
        let same = |(path, file): (String, fabric_client::msp::File)| {
            (path, ProfileFile { contents: file.contents, secret: file.secret })
        };
        profile.extend(files.into_iter().map(same));
    }
    if let Some(node) = layout::ca_of(&network.spec, member) {
        let secret = keys(&layout::registrar(member))?;
        let address = &layout::port(&network.placements, node, CA)?.outside;
        let facts = serde_json::to_vec_pretty(&json!({
            "name": layout::ca(member),
            "url": format!("https://{address}"),
            "tlsRoot": format!("tls/ca-{member}.pem"),
            "registrar": { "enrollId": REGISTRAR, "enrollSecret": secret.as_str() },
            "enrollUrl": format!("https://{REGISTRAR}:{}@{address}", secret.as_str()),
        }));
        let facts = facts.map_err(|failure| Error::Protocol(failure.to_string()))?;
        profile.insert("ca.json".into(), ProfileFile { contents: Zeroizing::new(facts), secret: true });
    }
    Ok(profile)
}

/// A Fabric CA as connection profiles have it.
fn authority(network: &LedgerNetwork, node: &NodeSpec) -> Result<Value> {
    Ok(json!({
        "url": format!("https://{}", layout::port(&network.placements, node, CA)?.outside),
        "caName": layout::ca(&node.member),
        "tlsCACerts": { "pem": [layout::authority(&network.outputs, &layout::tls(node))?] },
        "httpOptions": { "verify": true },
    }))
}

/// A node as connection profiles have it.
fn entry(network: &LedgerNetwork, node: &NodeSpec) -> Result<Value> {
    let address = &layout::port(&network.placements, node, &node.role)?.outside;
    Ok(json!({
        "url": format!("grpcs://{address}"),
        "grpcOptions": { "ssl-target-name-override": address.host, "hostnameOverride": address.host },
        "tlsCACerts": { "pem": layout::authority(&network.outputs, &layout::tls(node))? },
    }))
}

/// The common connection profile of Fabric's client libraries.
fn connection(network: &LedgerNetwork, member: &str) -> Result<Value> {
    let spec = &network.spec;
    let entries = |role| -> Result<Map<String, Value>> {
        layout::nodes(spec, role).map(|node| Ok((layout::short(node).to_owned(), entry(network, node)?))).collect()
    };
    let names = |nodes: &mut dyn Iterator<Item = &NodeSpec>| -> Vec<String> {
        nodes.map(|node| layout::short(node).to_owned()).collect()
    };
    let orderers = names(&mut layout::nodes(spec, ORDERER));
    let organisations: Map<String, Value> = layout::members(spec)
        .into_iter()
        .map(|other| {
            let peers = names(&mut layout::peers_of(spec, other));
            let mut organisation = json!({ "mspid": layout::msp_id(other), "peers": peers });
            if layout::ca_of(spec, other).is_some() {
                organisation["certificateAuthorities"] = json!([layout::ca(other)]);
            }
            (other.to_owned(), organisation)
        })
        .collect();
    let own = spec.channels.iter().filter(|channel| channel.members.iter().any(|other| other == member));
    let channels: Map<String, Value> = own
        .map(|channel| {
            let nodes = channel.members.iter().flat_map(|other| layout::peers_of(spec, other));
            let peers: Map<String, Value> = nodes
                .map(|peer| {
                    let part = json!({
                        "endorsingPeer": true, "chaincodeQuery": true, "ledgerQuery": true, "eventSource": peer.member == member,
                    });
                    (layout::short(peer).to_owned(), part)
                })
                .collect();
            (channel.name.clone(), json!({ "orderers": orderers, "peers": peers }))
        })
        .collect();
    let mut connection = json!({
        "name": spec.name,
        "version": "1.0.0",
        "client": {
            "organization": member,
            "connection": { "timeout": { "peer": { "endorser": "300" }, "orderer": "300" } },
        },
        "channels": channels,
        "organizations": organisations,
        "orderers": entries(ORDERER)?,
        "peers": entries(PEER)?,
    });
    let authorities = layout::nodes(spec, CA).map(|node| Ok((layout::ca(&node.member), authority(network, node)?)));
    let authorities = authorities.collect::<Result<Map<_, _>>>()?;
    if !authorities.is_empty() {
        connection["certificateAuthorities"] = authorities.into();
    }
    Ok(connection)
}

/// The environment of Fabric's own command lines, for a shell.
fn environment(network: &LedgerNetwork, member: &str) -> Result<String> {
    let spec = &network.spec;
    let address = |node: &NodeSpec, port: &str| {
        Ok::<_, Error>(layout::port(&network.placements, node, port)?.outside.to_string())
    };
    let mut lines = vec![
        "# The environment of Fabric's command lines. Use: . ./env.sh".to_owned(),
        "# As somebody else than the administrator: FABRIC_MSP=FOLDER, before that.".to_owned(),
        "HERE=\"$(cd \"$(dirname \"${BASH_SOURCE:-$0}\")\" && pwd)\"".to_owned(),
        "FABRIC_MSP=\"${FABRIC_MSP:-$HERE/msp/admin}\"".to_owned(),
        "export FABRIC_CFG_PATH=\"$HERE\"".to_owned(),
        // Else the programs tell each step of each connection.
        "export FABRIC_LOGGING_SPEC=\"${FABRIC_LOGGING_SPEC:-warning}\"".to_owned(),
        format!("export CORE_PEER_LOCALMSPID='{}'", layout::msp_id(member)),
        "export CORE_PEER_MSPCONFIGPATH=\"$FABRIC_MSP\"".to_owned(),
        // Read by version 2, then by version 3.
        "export CORE_PEER_BCCSP_SW_FILEKEYSTORE_KEYSTOREPATH=\"$FABRIC_MSP/keystore\"".to_owned(),
        "export CORE_PEER_BCCSP_PEER_BCCSP_SW_FILEKEYSTORE_KEYSTOREPATH=\"$FABRIC_MSP/keystore\"".to_owned(),
        "export CORE_PEER_TLS_ENABLED=true".to_owned(),
        format!("export CORE_PEER_TLS_ROOTCERT_FILE=\"$HERE/tls/ca-{member}.pem\""),
    ];
    // A member may run orderers alone.
    if let Some(peer) = layout::peers_of(spec, member).next() {
        lines.push(format!("export CORE_PEER_ADDRESS='{}'", address(peer, PEER)?));
    }
    if let Some(orderer) = layout::nodes(spec, ORDERER).next() {
        lines.push(format!("export ORDERER_ADDRESS='{}'", address(orderer, ORDERER)?));
        lines.push(format!("export ORDERER_CA=\"$HERE/tls/ca-{}.pem\"", orderer.member));
    }
    // An orderer is administered by its own member only.
    if let Some(own) = layout::nodes(spec, ORDERER).find(|node| node.member == member) {
        lines.push(format!("export OSN_ADMIN_ADDRESS='{}'", address(own, ADMIN_PORT)?));
        lines.push(format!("export OSN_ADMIN_CA=\"$HERE/tls/ca-{member}.pem\""));
        lines.push("export OSN_ADMIN_CERT=\"$HERE/tls/admin.crt\"".to_owned());
        lines.push("export OSN_ADMIN_KEY=\"$HERE/tls/admin.key\"".to_owned());
    }
    if layout::ca_of(spec, member).is_some() {
        lines.push("export FABRIC_CA_CLIENT_HOME=\"$HERE/ca\"".to_owned());
        lines.push(format!("export FABRIC_CA_CLIENT_CANAME='{}'", layout::ca(member)));
        lines.push(format!("export FABRIC_CA_CLIENT_TLS_CERTFILES=\"$HERE/tls/ca-{member}.pem\""));
    }
    Ok(lines.join("\n") + "\n")
}
