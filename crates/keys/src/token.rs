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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_fresh_and_of_their_form() {
        let token = Token::hex().unwrap();
        assert!(token.expose().len() == 64 && token.expose().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(token.expose(), Token::hex().unwrap().expose());
        let password = Token::password().unwrap();
        let groups: Vec<&str> = password.expose().split('-').collect();
        assert_eq!(groups.len(), 4, "{groups:?}");
        assert!(groups.iter().all(|group| group.len() == 5 && group.bytes().all(|byte| READABLE.contains(&byte))));
    }

    #[test]
    fn a_hash_is_bound_to_its_purpose() {
        // SHA-256 of "session", a zero byte and "abc".
        let known = "cb61287a59987eb0d3b6357e5b48944abbdee296f4bf364b6fa78a6b5ee22e77";
        assert_eq!(hash_token("session", "abc"), known);
        assert_ne!(hash_token("sessionabc", ""), known);
    }
}
