//! Passwords: Argon2id with the parameters that OWASP recommends (19 MiB, 2 passes, 1 lane), stored as PHC strings.
//!
//! Hashing takes tens of milliseconds of a core: callers in async code move it to a blocking thread.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::{Error, Result, Secret};

/// Hash of no password, to spend the same time on a user that is not there.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cG9sZGVycG9sZGVycG9sZA$d2cX0cWkX1nY0m1kTqYwYp5wVY2c1bqvFzV3zVtqv3I";

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|_| Error::Cryptography)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password with a fresh salt.
pub fn hash_password(password: &Secret) -> Result<String> {
    let mut salt = [0u8; 16];
    aws_lc_rs::rand::fill(&mut salt)?;
    let salt = SaltString::encode_b64(&salt).map_err(|_| Error::Cryptography)?;
    let hash = argon2()?.hash_password(password.expose().as_bytes(), &salt).map_err(|_| Error::Cryptography)?;
    Ok(hash.to_string())
}

/// Whether a password fits a stored hash.
pub fn verify_password(password: &Secret, stored: &str) -> Result<bool> {
    let parsed = PasswordHash::new(stored).map_err(|_| Error::PasswordHash)?;
    match argon2()?.verify_password(password.expose().as_bytes(), &parsed) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::Password) => Ok(false),
        Err(_) => Err(Error::PasswordHash),
    }
}

/// Spends the time of a verification, so that an answer does not tell whether a user is there.
pub fn spend_password_time(password: &Secret) {
    // Only the time matters; the answer is known.
    let _ = verify_password(password, NOBODY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_fits() {
        let hash = hash_password(&Secret::new("correct horse battery")).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify_password(&Secret::new("correct horse battery"), &hash).unwrap());
        assert!(!verify_password(&Secret::new("correct horse batterY"), &hash).unwrap());
        assert!(matches!(verify_password(&Secret::new("x"), "not a hash"), Err(Error::PasswordHash)));
        assert!(!verify_password(&Secret::new("x"), NOBODY).unwrap(), "the stand-in must parse, or it spends no time");
    }
}
