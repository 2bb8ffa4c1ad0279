//! Random tokens: session tokens, access key secrets, generated passwords.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Result, Secret};

/// Letters and digits that are not mistaken for each other.
const READABLE: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Makes random texts.
#[derive(Debug)]
pub struct Token;

impl Token {
    /// 256 random bits as 64 hex digits.
    pub fn hex() -> Result<Secret> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut())?;
        Ok(Secret::new(hex::encode(bytes.as_ref())))
    }

    /// A password of 100 random bits in groups that a person can type: `abcde-fghij-…`.
    pub fn password() -> Result<Secret> {
        let mut bytes = Zeroizing::new([0u8; 20]);
        aws_lc_rs::rand::fill(bytes.as_mut())?;
        let mut text = String::with_capacity(24);
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 && index % 5 == 0 {
                text.push('-');
            }
            // 32 letters divide 256 evenly: no letter is likelier.
            text.push(char::from(READABLE[usize::from(byte % 32)]));
        }
        Ok(Secret::new(text))
    }
}

/// What is stored of a token: SHA-256 of `purpose`, a zero byte and the token, hex. Enough for 256 random bits, where
/// a slow hash would add nothing.
pub fn hash_token(purpose: &str, token: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(purpose.as_bytes());
    digest.update([0]);
    digest.update(token.as_bytes());
    hex::encode(digest.finalize())
}
