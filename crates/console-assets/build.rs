//! Says where the built console is. Rust builds do not need Node: without a built console a page that says so is embedded.

use std::path::Path;

/// From this package, where Cargo runs build scripts: checkouts that share a target directory each embed their own.
const BUILT: &str = "../../console/dist";

fn main() -> std::io::Result<()> {
    // The directory must be there to be watched: a path that is missing would make every build start here.
    std::fs::create_dir_all(BUILT)?;
    println!("cargo:rerun-if-changed={BUILT}");
    let folder = if Path::new(BUILT).join("index.html").is_file() { BUILT } else { "placeholder" };
    println!("cargo:rustc-env=POLDER_CONSOLE_DIST={folder}");
    Ok(())
}
