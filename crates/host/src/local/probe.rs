//! Asking a service whether it is ready. Lines of its output are the shim's to watch.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use workload::Probe;

use super::{LocalHost, NodeMemory};
use crate::Result;
use crate::layout::{NodeDirectory, read_json};
use crate::process::ProcessIdentity;
use crate::shim::ShimSpec;

/// A probe that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(2);

impl LocalHost {
    /// Asks, unless this process has answered before.
    pub(super) async fn probe(
        &self,
        node: &str,
        directory: &NodeDirectory,
        memory: &NodeMemory,
        process: &ProcessIdentity,
    ) -> Result<bool> {
        if memory.ready.lock().as_ref() == Some(process) {
            return Ok(true);
        }
        let Some(spec) = read_json::<ShimSpec>(&directory.spec())? else { return Ok(false) };
        let asked = async {
            match &spec.service.readiness {
                Probe::None => true,
                Probe::Line(_) => false,
                Probe::Tcp(port) => self.do_connect(node, port).await.is_ok(),
                Probe::Http { port, path } => self.get(node, port, path).await,
            }
        };
        let ready = tokio::time::timeout(LIMIT, asked).await.unwrap_or(false);
        if ready {
            *memory.ready.lock() = Some(process.clone());
        }
        Ok(ready)
    }

    async fn get(&self, node: &str, port: &str, path: &str) -> bool {
        let Ok(mut stream) = self.do_connect(node, port).await else { return false };
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let mut status = [0; 12];
        stream.write_all(request.as_bytes()).await.is_ok()
            && stream.read_exact(&mut status).await.is_ok()
            && status.starts_with(b"HTTP/1.")
            && status[9] == b'2'
    }
}
