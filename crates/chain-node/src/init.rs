//! `polder-node init`.

use chain_consensus::Membership;
use chain_exec::Executor;
use tracing::info;

use crate::{
    Error,
    cli::InitOptions,
    directory::{Directory, read_genesis},
    key,
};

/// Prepares a data directory. Doing it again with the same genesis changes nothing.
pub(crate) fn command(options: &InitOptions) -> Result<(), Error> {
    let (genesis, text) = read_genesis(&options.genesis)?;
    // What only shows when the chain starts is refused now.
    Membership::new(&genesis)?;
    Executor::new(&genesis)?;

    let directory = Directory::create(&options.data)?;
    let _lock = directory.lock()?;
    let key = key::public_key(&key::read(&directory)?);
    match (genesis.polder.validators.contains(&key), options.follower) {
        (false, false) => return Err(Error::NotListed(key)),
        (true, true) => return Err(Error::IsValidator(key)),
        _ => {}
    }
    match directory.genesis()? {
        Some(found) if found.fingerprint() == genesis.fingerprint() => {
            info!(directory = %directory.root().display(), "already initialised with this genesis");
            Ok(())
        }
        Some(found) => Err(Error::OtherGenesis {
            directory: directory.root().into(),
            found: found.fingerprint().to_string(),
            given: genesis.fingerprint().to_string(),
        }),
        None => {
            directory.store_genesis(&text)?;
            info!(
                directory = %directory.root().display(),
                chain_id = genesis.chain_id(),
                validators = genesis.polder.validators.len(),
                genesis = %genesis.fingerprint(),
                "initialised",
            );
            Ok(())
        }
    }
}
