//! `polder-node run`.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use chain_consensus::{StatusBoard, network::NetworkConfig};
use tracing::{info, warn};

use crate::{
    Error,
    cli::RunOptions,
    directory::Directory,
    exit, key,
    node::{self, Node, Parts},
    rpc,
    signals::asked_to_end,
    state::BoardStatus,
};

/// How long a stop may take before it is given up; the chain is consistent on disk at any time.
const STOP_TIME: Duration = Duration::from_secs(30);

/// Runs until a signal or a failure.
pub(crate) fn command(options: RunOptions) -> Result<(), Error> {
    let directory = Directory::at(&options.data);
    let not_initialised = || Error::NotInitialised(directory.root().into());
    if !directory.root().is_dir() {
        return Err(not_initialised());
    }
    exit::data_directory(directory.root());
    let _lock = directory.lock()?;
    let genesis = directory.genesis()?.ok_or_else(not_initialised)?;
    let private_key = key::read(&directory)?;
    let public_key = key::public_key(&private_key);
    if let Some(peer) = options.peer.iter().find(|peer| !genesis.polder.validators.contains(&peer.key)) {
        return Err(Error::UnknownPeer(peer.key));
    }

    let listener = rpc::listen(&options)?;
    let http = listener.local_addr().map_err(|source| Error::System { what: "JSON-RPC's address", source })?;
    let p2p = free_address(options.p2p)?;
    let addresses: BTreeMap<_, _> = options.peer.iter().map(|peer| (peer.key, peer.address.clone())).collect();
    let board = StatusBoard::new(public_key);
    let status = BoardStatus {
        board: board.clone(),
        addresses: addresses.iter().map(|(key, address)| (*key, address.to_string())).collect(),
    };
    info!(
        key = %public_key,
        chain_id = genesis.chain_id(),
        validator = genesis.polder.validators.contains(&public_key),
        %http,
        %p2p,
        "starting",
    );
    let parts = Parts {
        genesis,
        key: private_key,
        network: NetworkConfig { listen: p2p, addresses, followers: options.follower_key.clone() },
        board,
        chain: directory.chain(),
        consensus: directory.consensus(),
        journal: directory.journal(),
        cache_bytes: options.cache as usize * 1024 * 1024,
    };

    let runtime = rpc::runtime()?;
    let result = runtime.block_on(async {
        let asked = asked_to_end()?;
        let Node { stop, opened, mut ended, thread } = node::start(parts)?;
        let serving = async {
            let Ok(opened) = opened.await else {
                // The node's own end says why.
                return std::future::pending().await;
            };
            let serving = rpc::serve(listener, rpc::config(&options), opened, status);
            if let Err(error) = rpc::announce(http, p2p, &public_key) {
                return error;
            }
            serving.await
        };
        let result = tokio::select! {
            result = &mut ended => return result.unwrap_or(Err(Error::Ended("consensus"))),
            error = serving => Err(error),
            signal = asked => {
                info!(signal, "stopping");
                Ok(())
            }
        };
        // The node may have ended at the same moment.
        let _ = stop.send(());
        match tokio::time::timeout(STOP_TIME, ended).await {
            Ok(Ok(stopped)) => {
                // The thread has given its result and only returns.
                let _ = thread.join();
                result.and(stopped)
            }
            Ok(Err(_)) => result.and(Err(Error::Ended("consensus"))),
            Err(_) => {
                warn!("the node did not stop in {} s; it ends now", STOP_TIME.as_secs());
                result
            }
        }
    });
    runtime.shutdown_background();
    if result.is_ok() {
        info!("stopped");
    }
    result
}

/// Checks that the address for other nodes is free, and chooses a port for port 0.
fn free_address(address: SocketAddr) -> Result<SocketAddr, Error> {
    let refused = |source| Error::Listen { address, what: "other nodes", source };
    TcpListener::bind(address).and_then(|listener| listener.local_addr()).map_err(refused)
}
