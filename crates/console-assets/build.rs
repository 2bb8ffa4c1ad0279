//! Says where the built console is. Rust builds do not need Node: without a built console a page that says so is embedded.

use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let manifest = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let built = manifest.join("../../console/dist");
    // The directory must be there to be watched: a path that is missing would make every build start here.
    std::fs::create_dir_all(&built)?;
    println!("cargo:rerun-if-changed={}", built.display());
    let folder = if built.join("index.html").is_file() { built.canonicalize()? } else { placeholder(&manifest) };
    println!("cargo:rustc-env=POLDER_CONSOLE_DIST={}", folder.display());
    Ok(())
}

fn placeholder(manifest: &Path) -> PathBuf {
    manifest.join("placeholder")
}
