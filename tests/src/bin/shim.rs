//! The shim of a local host, as `polder shim` is: live tests of engines run real nodes under it.

use std::process::ExitCode;

fn main() -> ExitCode {
    host::shim::main(std::env::args().skip(1))
}
