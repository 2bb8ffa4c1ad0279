//! The node's key.

use std::{
    fs,
    io::{self, Write as _},
};

use chain_consensus::{PrivateKey, validator_key};
use chain_types::ValidatorKey;
use commonware_cryptography::Signer as _;
use rand::Rng as _;

use crate::{
    Error,
    cli::KeyOptions,
    directory::{Directory, file_error, sync_directory, write_synced},
};

/// `polder-node key`.
pub(crate) fn command(options: &KeyOptions) -> Result<(), Error> {
    let directory = Directory::create(&options.data)?;
    if !directory.key().exists() {
        generate(&directory)?;
    }
    let key = public_key(&read(&directory)?);
    let printed = writeln!(io::stdout(), "{key}");
    printed.map_err(|source| Error::System { what: "standard output", source })
}

fn generate(directory: &Directory) -> Result<(), Error> {
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    let text = hex::encode(seed) + "\n";
    match write_synced(directory.key(), text.as_bytes(), 0o600, true) {
        // Another `key` was faster: its key counts.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        written => written.map_err(|source| file_error(directory.key(), source))?,
    }
    let parent = directory.key().parent().unwrap_or(directory.root());
    sync_directory(parent).map_err(|source| file_error(parent, source))
}

/// Reads the key.
pub(crate) fn read(directory: &Directory) -> Result<PrivateKey, Error> {
    let path = directory.key();
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::NoKey(path.into())),
        read => read.map_err(|source| file_error(path, source))?,
    };
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim(), &mut seed).map_err(|_| Error::BadKey(path.into()))?;
    chain_consensus::private_key(&seed).ok_or_else(|| Error::BadKey(path.into()))
}

/// The public half.
pub(crate) fn public_key(key: &PrivateKey) -> ValidatorKey {
    validator_key(&key.public_key())
}
