//! What nodes tell over their operations ports: versions and metrics, by plain HTTP.

use std::time::Duration;

use driver::{Connector, NodeSpec};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::layout::OPERATIONS_PORT;

/// A node that does not answer within this time counts as silent.
const PATIENCE: Duration = Duration::from_secs(2);
/// Metrics of a busy node are some hundred kilobytes.
const LARGEST: u64 = 8 * 1024 * 1024;

/// The body of an answer with status 200; none when there is none.
pub(crate) async fn get(connector: &Connector, node: &NodeSpec, path: &str) -> Option<String> {
    tokio::time::timeout(PATIENCE, exchange(connector, node, path)).await.ok()?.ok()?
}

async fn exchange(connector: &Connector, node: &NodeSpec, path: &str) -> std::io::Result<Option<String>> {
    let mut stream = connector(node.id.clone(), OPERATIONS_PORT.to_owned()).await?;
    // Version 1.0: the body comes in one piece and ends with the connection.
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.take(LARGEST).read_to_string(&mut answer).await?;
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return Ok(None) };
    let good = head.split_whitespace().nth(1) == Some("200");
    Ok(good.then(|| body.to_owned()))
}

/// The value of a metric of a channel (Prometheus' text form).
pub(crate) fn metric(metrics: &str, name: &str, channel: &str) -> Option<f64> {
    let label = format!("channel=\"{channel}\"");
    metrics.lines().find_map(|line| {
        let (found, rest) = line.split_once('{')?;
        let (labels, value) = rest.split_once('}')?;
        (found.eq_ignore_ascii_case(name) && labels.contains(&label)).then(|| value.trim().parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_found_by_name_and_channel() {
        let text = "# HELP a b\nconsensus_etcdraft_is_leader{channel=\"main\"} 1\nconsensus_etcdraft_is_leader{channel=\"side\"} 0\n";
        assert_eq!(metric(text, "consensus_etcdraft_is_leader", "main"), Some(1.0));
        assert_eq!(metric(text, "consensus_etcdraft_is_leader", "side"), Some(0.0));
        assert_eq!(metric(text, "consensus_etcdraft_is_leader", "other"), None);
        assert_eq!(metric(text, "consensus", "main"), None);
    }
}
