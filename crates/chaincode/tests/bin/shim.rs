//! The host's shim, for the tests of this crate: `polder shim` in a program of its own.

fn main() -> std::process::ExitCode {
    host::shim::main(std::env::args().skip(2))
}
