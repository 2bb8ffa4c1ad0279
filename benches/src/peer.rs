//! The peer that the figures are compared with: GoQuorum QBFT, four validators, 1 s blocks.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use alloy_primitives::hex;
use serde_json::json;

use crate::network::{CHAIN_ID, Network, allocations, free_ports, output};

/// Starts four GoQuorum validators; `geth` is GoQuorum's, with `bootnode` beside it.
pub async fn quorum(geth: &Path, senders: usize) -> anyhow::Result<Network> {
    let directory = tempfile::tempdir()?;
    let ports = free_ports(8)?;
    let bootnode = geth.with_file_name("bootnode");
    let mut validators = Vec::new();
    let mut enodes = Vec::new();
    for index in 0..4 {
        let folder = directory.path().join(format!("node{index}/geth"));
        std::fs::create_dir_all(&folder)?;
        let key = folder.join("nodekey");
        output(Command::new(&bootnode).arg("-genkey").arg(&key))?;
        let public = output(Command::new(&bootnode).arg("-nodekey").arg(&key).arg("-writeaddress"))?;
        let address = &alloy_primitives::keccak256(hex::decode(&public)?)[12..];
        validators.push(alloy_primitives::Address::from_slice(address));
        enodes.push(format!("enode://{public}@127.0.0.1:{}?discport=0", ports[4 + index]));
    }
    let genesis = json!({
        "config": {
            "chainId": CHAIN_ID, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
            "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0,
            "berlinBlock": 0, "isQuorum": true, "txnSizeLimit": 64,
            "qbft": { "policy": 0, "epoch": 30000, "ceil2Nby3Block": 0, "testQBFTBlock": 0 },
        },
        "nonce": "0x0", "timestamp": "0x5b3d92d7", "difficulty": "0x1",
        "gasLimit": "0x11e1a300",
        "mixHash": "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365",
        "extraData": hex::encode_prefixed(extra_data(&validators)),
        "coinbase": "0x0000000000000000000000000000000000000000",
        "alloc": allocations(senders)?,
    });
    let file = directory.path().join("genesis.json");
    std::fs::write(&file, serde_json::to_vec(&genesis)?)?;
    let mut processes = Vec::new();
    for index in 0..4 {
        let data = directory.path().join(format!("node{index}"));
        std::fs::write(data.join("static-nodes.json"), serde_json::to_vec(&enodes)?)?;
        output(Command::new(geth).arg("--datadir").arg(&data).arg("init").arg(&file))?;
        let log = std::fs::File::create(data.join("log"))?;
        let network_id = CHAIN_ID.to_string();
        let (http, p2p) = (ports[index].to_string(), ports[4 + index].to_string());
        let mut command = Command::new(geth);
        command.env("PRIVATE_CONFIG", "ignore").arg("--datadir").arg(&data).args([
            "--networkid",
            &network_id,
            "--nodiscover",
            "--syncmode",
            "full",
            "--mine",
            "--miner.threads",
            "1",
            "--miner.gasprice",
            "0",
            "--miner.gaslimit",
            "300000000",
            "--miner.gastarget",
            "300000000",
            "--istanbul.blockperiod",
            "1",
            "--http",
            "--http.addr",
            "127.0.0.1",
            "--http.port",
            &http,
            "--http.api",
            "eth,net,web3,txpool",
            "--port",
            &p2p,
            "--verbosity",
            "1",
            "--ipcdisable",
            "--txpool.accountslots",
            "20000",
            "--txpool.globalslots",
            "100000",
            "--txpool.accountqueue",
            "20000",
            "--txpool.globalqueue",
            "100000",
            "--emitcheckpoints",
        ]);
        processes.push(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?);
    }
    let rpc = ports[..4].iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let network = Network::new(rpc, processes, directory);
    network.ready().await?;
    Ok(network)
}

/// QBFT's extra data of a genesis: RLP of `[32 zero bytes, [validators], [], 0, []]`
/// (QBFT specification, "Extra data").
fn extra_data(validators: &[alloy_primitives::Address]) -> Vec<u8> {
    let list: Vec<u8> = validators.iter().flat_map(|address| [&[0x94][..], address.as_slice()].concat()).collect();
    let mut body = vec![0xa0];
    body.extend([0; 32]);
    body.extend([0xf8, u8::try_from(list.len()).unwrap_or(u8::MAX)]);
    body.extend(list);
    body.extend([0xc0, 0x80, 0xc0]);
    let mut extra = vec![0xf8, u8::try_from(body.len()).unwrap_or(u8::MAX)];
    extra.extend(body);
    extra
}
