//! Names that people choose.

use types::Code;

use crate::{Error, Result};

/// Checks the name of an organisation, a consortium, a network: lower-case letters, digits and `-`, 1 to 63, a letter or digit at
/// both ends. A name that looks like an identifier is refused, because names and identifiers stand in the same places.
pub fn check_name(field: &str, name: &str) -> Result<()> {
    let fits = name.len() <= 63
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.is_empty();
    if fits {
        Ok(())
    } else {
        Err(wrong(field, "Use 1 to 63 lower-case letters, digits and “-”, which cannot come first or last."))
    }
}

/// Checks the name of a user: lower-case letters, digits, `.`, `_`, `-`, 1 to 64.
pub fn check_user_name(field: &str, name: &str) -> Result<()> {
    let fits = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
        && !name.starts_with("user_");
    if fits {
        Ok(())
    } else {
        Err(wrong(field, "Use 1 to 64 lower-case letters, digits, “.”, “_” and “-”; “user_” cannot come first."))
    }
}

/// Checks a name that is only shown: 1 to 100 characters without control characters.
pub fn check_title(field: &str, title: &str) -> Result<()> {
    let fits =
        (1..=100).contains(&title.chars().count()) && !title.chars().any(char::is_control) && !title.trim().is_empty();
    if fits { Ok(()) } else { Err(wrong(field, "Use 1 to 100 characters.")) }
}

fn wrong(field: &str, message: &str) -> Error {
    Error::field(Code::NameInvalid, field, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "alpha-1", "0", &"a".repeat(63)] {
            check_name("name", good).unwrap();
        }
        for bad in ["", "-a", "a-", "A", "a_b", "org_1", "a b", "ä", &"a".repeat(64)] {
            assert_eq!(check_name("name", bad).unwrap_err().code(), Code::NameInvalid, "{bad}");
        }
        check_user_name("name", "jane.doe_1-x").unwrap();
        for bad in ["", "Jane", "user_1", "a/b", &"a".repeat(65)] {
            assert_eq!(check_user_name("name", bad).unwrap_err().code(), Code::NameInvalid, "{bad}");
        }
        check_title("title", "Ålesund Havn AS").unwrap();
        for bad in ["", "  ", "a\nb", &"a".repeat(101)] {
            assert!(check_title("title", bad).is_err(), "{bad}");
        }
    }
}
