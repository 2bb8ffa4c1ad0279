//! Tests of what crosses crates: the house rules, and documents that must match the programs.

use std::path::PathBuf;

/// The repository's root. Cargo runs tests in their package's directory; a path fixed at compile time would be that of
/// another checkout where checkouts share a target directory.
pub fn repository() -> PathBuf {
    std::path::absolute("..").unwrap_or_else(|_| "..".into())
}

/// The directory of engines' programs, shared by checkouts: `scripts/engines` installs what the tests need.
pub fn engines() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("POLDER_ENGINES").unwrap_or_else(|| {
        let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
        cache.expect("POLDER_ENGINES, XDG_CACHE_HOME or HOME is set").join("polder/engines")
    })
}

/// The directory where builds of chaincode keep what they download, shared by checkouts.
pub fn build_cache() -> PathBuf {
    let given = std::env::var_os("POLDER_BUILD_CACHE").filter(|value| !value.is_empty());
    given.map(PathBuf::from).unwrap_or_else(|| engines().with_file_name("builds"))
}

/// All files below a folder of the repository whose name ends with `suffix`, sorted.
///
/// # Errors
/// When a folder cannot be read.
pub fn files(folder: &str, suffix: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![repository().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let whole = path.to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "node_modules" | "target" | "dist" | ".git") {
                    folders.push(path);
                }
            } else if whole.ends_with(suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
