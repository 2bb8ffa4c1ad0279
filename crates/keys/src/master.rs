//! The master key, which encrypts every private key that the platform holds.
//!
//! 32 bytes, in its file as 64 hex digits. Sealing is AES-256-GCM with a random 96-bit nonce; the purpose (such as
//! `organisation org_…`) is the associated data, so that a sealed value cannot be moved to another row. A sealed value is
//! `v1:` and base64 of nonce, ciphertext and tag.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::{Error, Result, Secret, files};

const VERSION: &str = "v1:";

/// Permissions that the key's file must not have. The group may read: orchestrators mount secrets so.
const OPEN: u32 = 0o037;

/// Where the master key came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterKeySource {
    /// The operator named the file.
    Given(PathBuf),
    /// `master.key` in the data directory, made earlier.
    DataDirectory(PathBuf),
    /// `master.key` in the data directory, made just now.
    Generated(PathBuf),
}

/// Encrypts and decrypts what is stored.
pub struct MasterKey(RandomizedNonceKey);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// Reads the key from a file. [`Error::MasterKeyMissing`] when there is none, [`Error::MasterKeyInvalid`] when it holds no key,
    /// [`Error::MasterKeyOpen`] when others than its owner and group may read it, or its group may change it.
    pub fn load(path: &Path) -> Result<MasterKey> {
        if let Ok(metadata) = std::fs::metadata(path)
            && metadata.permissions().mode() & OPEN != 0
        {
            return Err(Error::MasterKeyOpen(path.to_owned()));
        }
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::MasterKeyMissing(path.to_owned()));
            }
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(Error::MasterKeyInvalid(path.to_owned(), "it is not text"));
            }
            Err(error) => return Err(Error::File(path.to_owned(), error)),
        };
        let bytes = hex::decode(text.trim())
            .map(Zeroizing::new)
            .map_err(|_| Error::MasterKeyInvalid(path.to_owned(), "it must be 64 hex digits"))?;
        if bytes.len() != 32 {
            return Err(Error::MasterKeyInvalid(path.to_owned(), "it must be 64 hex digits"));
        }
        Self::from_bytes(&bytes)
    }

    /// Makes a key and writes it to a new file with mode 0600.
    pub fn generate(path: &Path) -> Result<MasterKey> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut())?;
        let text = Zeroizing::new(format!("{}\n", hex::encode(bytes.as_ref())));
        files::create_private(path, text.as_bytes())?;
        Self::from_bytes(bytes.as_ref())
    }

    fn from_bytes(bytes: &[u8]) -> Result<MasterKey> {
        Ok(MasterKey(RandomizedNonceKey::new(&AES_256_GCM, bytes)?))
    }

    /// Encrypts `secret` for `purpose`.
    pub fn seal(&self, purpose: &str, secret: &[u8]) -> Result<String> {
        let mut data = secret.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(purpose), &mut data)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend(data);
        Ok(format!("{VERSION}{}", STANDARD.encode(sealed)))
    }

    /// Decrypts what [`MasterKey::seal`] made for the same purpose; [`Error::Unsealable`] otherwise.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>> {
        let text = sealed.strip_prefix(VERSION).ok_or(Error::Unsealable)?;
        let bytes = STANDARD.decode(text).map_err(|_| Error::Unsealable)?;
        if bytes.len() < NONCE_LEN {
            return Err(Error::Unsealable);
        }
        let (nonce, data) = bytes.split_at(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let mut data = Zeroizing::new(data.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(purpose), &mut data).map_err(|_| Error::Unsealable)?.len();
        data.truncate(length);
        Ok(data)
    }

    /// Decrypts a text.
    pub fn open_text(&self, purpose: &str, sealed: &str) -> Result<Secret> {
        let bytes = self.open(purpose, sealed)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::Unsealable)?;
        Ok(Secret::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealing_binds_key_and_purpose() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        let key = MasterKey::generate(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let sealed = key.seal("organisation a", b"secret").unwrap();
        assert!(!sealed.contains("secret"));
        assert_ne!(sealed, key.seal("organisation a", b"secret").unwrap(), "nonces are fresh");

        let again = MasterKey::load(&path).unwrap();
        assert_eq!(&again.open("organisation a", &sealed).unwrap()[..], b"secret");
        assert!(matches!(again.open("organisation b", &sealed), Err(Error::Unsealable)));
        let mut changed = sealed.clone();
        changed.replace_range(10..11, if &sealed[10..11] == "A" { "B" } else { "A" });
        assert!(matches!(again.open("organisation a", &changed), Err(Error::Unsealable)));
        let other = MasterKey::generate(&dir.path().join("other.key")).unwrap();
        assert!(matches!(other.open("organisation a", &sealed), Err(Error::Unsealable)));
        assert!(matches!(MasterKey::generate(&path), Err(Error::File(..))), "a key is never overwritten");
    }

    #[test]
    fn a_file_without_a_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        assert!(matches!(MasterKey::load(&path), Err(Error::MasterKeyMissing(_))));
        for wrong in [&b"abcd"[..], b"zz", b"\xff\xfe", &[b'0'; 66]] {
            std::fs::write(&path, wrong).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(MasterKey::load(&path), Err(Error::MasterKeyInvalid(..))), "{wrong:?}");
        }
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        MasterKey::generate(&path).unwrap();
        for (mode, fits) in
            [(0o600, true), (0o400, true), (0o440, true), (0o644, false), (0o660, false), (0o604, false)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let loaded = MasterKey::load(&path);
            assert_eq!(loaded.is_ok(), fits, "{mode:o}");
            assert!(fits || matches!(loaded, Err(Error::MasterKeyOpen(_))), "{mode:o}");
        }
    }
}
