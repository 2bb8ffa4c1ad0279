//! The built web console, embedded in the program. Knows nothing but its files.

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$POLDER_CONSOLE_DIST"]
struct Dist;

/// One file of the console.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Its contents.
    pub contents: Cow<'static, [u8]>,
    /// Its media type.
    pub media_type: String,
    /// SHA-256 of the contents.
    pub hash: [u8; 32],
}

/// A file by its path relative to the console's root, such as `assets/index-1a2b3c.js`.
pub fn get(path: &str) -> Option<Asset> {
    let file = Dist::get(path)?;
    Some(Asset {
        media_type: file.metadata.mimetype().to_owned(),
        hash: file.metadata.sha256_hash(),
        contents: file.data,
    })
}
