//! The in-memory host conforms.

use std::sync::Arc;

use host::{InMemoryHost, conformance};

#[tokio::test]
async fn conforms() {
    let host = InMemoryHost::new().with_program(conformance::PROGRAM, conformance::program);
    conformance::run(Arc::new(host)).await;
}
