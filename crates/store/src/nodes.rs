//! Nodes and samples of what they use.

use sqlx::AnyConnection;
use types::{Id, Micros, NodeStatus, Usage};

use crate::Result;
use crate::text::{self, placeholders};

/// A node as stored.
#[derive(Clone, Debug)]
pub struct Node {
    /// `node_…`.
    pub id: Id,
    /// The network's id.
    pub network: Id,
    /// Name without the network's, unique in it.
    pub name: String,
    /// Place among the network's nodes.
    pub position: i64,
    /// The member's organisation.
    pub organisation: Id,
    /// Role, such as `validator`.
    pub role: String,
    /// Name of the host that runs it.
    pub host: String,
    /// Whether it should run while its network should.
    pub wanted: bool,
    /// State, from the newest observation.
    pub status: NodeStatus,
    /// Why the state is not `running`.
    pub status_reason: Option<String>,
    /// Height of its newest final block.
    pub height: Option<u64>,
    /// Process id on the host.
    pub pid: Option<u32>,
    /// How often it was started again after it ended unasked.
    pub restarts: u32,
    /// When it was last started.
    pub started_at: Option<Micros>,
    /// What the engine tells about it.
    pub facts: serde_json::Value,
    /// When it was last observed.
    pub observed_at: Option<Micros>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    network: String,
    name: String,
    position: i64,
    organisation: String,
    role: String,
    host: String,
    wanted: i64,
    status: String,
    status_reason: Option<String>,
    height: Option<i64>,
    pid: Option<i64>,
    restarts: i64,
    started_at: Option<i64>,
    facts: String,
    observed_at: Option<i64>,
}

impl TryFrom<Row> for Node {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            network: row.network,
            name: row.name,
            position: row.position,
            organisation: row.organisation,
            role: row.role,
            host: row.host,
            wanted: row.wanted != 0,
            status: text::word(&row.status)?,
            status_reason: row.status_reason,
            height: row.height.map(i64::cast_unsigned),
            pid: row.pid.and_then(|pid| u32::try_from(pid).ok()),
            restarts: u32::try_from(row.restarts).unwrap_or(u32::MAX),
            started_at: row.started_at,
            facts: text::json(&row.facts)?,
            observed_at: row.observed_at,
        })
    }
}

fn rows(rows: Vec<Row>) -> Result<Vec<Node>> {
    rows.into_iter().map(Node::try_from).collect()
}

/// Stores a new node.
pub async fn insert(conn: &mut AnyConnection, node: &Node) -> Result<()> {
    sqlx::query(
        "INSERT INTO nodes (id, network, name, position, organisation, role, host, wanted, status) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&node.id)
    .bind(&node.network)
    .bind(&node.name)
    .bind(node.position)
    .bind(&node.organisation)
    .bind(&node.role)
    .bind(&node.host)
    .bind(i64::from(node.wanted))
    .bind(text::of(&node.status))
    .execute(conn)
    .await?;
    Ok(())
}

/// A node by its id.
pub async fn get(conn: &mut AnyConnection, id: &str) -> Result<Option<Node>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM nodes WHERE id = $1").bind(id).fetch_optional(conn).await?;
    row.map(Node::try_from).transpose()
}

/// The nodes of a network in their order.
pub async fn of_network(conn: &mut AnyConnection, network: &str) -> Result<Vec<Node>> {
    rows(
        sqlx::query_as("SELECT * FROM nodes WHERE network = $1 ORDER BY position")
            .bind(network)
            .fetch_all(conn)
            .await?,
    )
}

/// Nodes of the given networks, after an id, by id.
pub async fn list(conn: &mut AnyConnection, networks: &[Id], after: &str, limit: i64) -> Result<Vec<Node>> {
    if networks.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT * FROM nodes WHERE id > $1 AND network IN ({}) ORDER BY id LIMIT $2",
        placeholders(3, networks.len())
    );
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(after).bind(limit);
    for network in networks {
        query = query.bind(network);
    }
    rows(query.fetch_all(conn).await?)
}

/// Removes a node with its placements and samples.
pub async fn delete(conn: &mut AnyConnection, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM nodes WHERE id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// Sets whether a node should run.
pub async fn set_wanted(conn: &mut AnyConnection, id: &str, wanted: bool) -> Result<()> {
    sqlx::query("UPDATE nodes SET wanted = $2 WHERE id = $1").bind(id).bind(i64::from(wanted)).execute(conn).await?;
    Ok(())
}

/// Sets for all nodes of a network whether they should run.
pub async fn set_all_wanted(conn: &mut AnyConnection, network: &str, wanted: bool) -> Result<()> {
    sqlx::query("UPDATE nodes SET wanted = $2 WHERE network = $1")
        .bind(network)
        .bind(i64::from(wanted))
        .execute(conn)
        .await?;
    Ok(())
}

/// Records what was observed of a node: the fields from `status` on.
pub async fn set_observed(conn: &mut AnyConnection, node: &Node) -> Result<()> {
    sqlx::query(
        "UPDATE nodes SET status = $2, status_reason = $3, height = $4, pid = $5, restarts = $6, started_at = $7, facts = $8, \
         observed_at = $9 WHERE id = $1",
    )
    .bind(&node.id)
    .bind(text::of(&node.status))
    .bind(&node.status_reason)
    .bind(node.height.map(u64::cast_signed))
    .bind(node.pid.map(i64::from))
    .bind(i64::from(node.restarts))
    .bind(node.started_at)
    .bind(node.facts.to_string())
    .bind(node.observed_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds a sample of what a node uses; the same moment twice is one.
pub async fn add_sample(conn: &mut AnyConnection, node: &str, usage: &Usage) -> Result<()> {
    sqlx::query(
        "INSERT INTO samples (node, at, cpu, memory_bytes, disk_bytes) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (node, at) DO NOTHING",
    )
    .bind(node)
    .bind(usage.at)
    .bind(usage.cpu)
    .bind(usage.memory_bytes.cast_signed())
    .bind(usage.disk_bytes.cast_signed())
    .execute(conn)
    .await?;
    Ok(())
}

type SampleRow = (i64, f64, i64, i64);

fn usage((at, cpu, memory, disk): SampleRow) -> Usage {
    Usage { at, cpu, memory_bytes: memory.cast_unsigned(), disk_bytes: disk.cast_unsigned() }
}

/// Samples of a node since a time, oldest first.
pub async fn samples(conn: &mut AnyConnection, node: &str, since: Micros) -> Result<Vec<Usage>> {
    let rows: Vec<SampleRow> = sqlx::query_as(
        "SELECT at, cpu, memory_bytes, disk_bytes FROM samples WHERE node = $1 AND at >= $2 ORDER BY at",
    )
    .bind(node)
    .bind(since)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(usage).collect())
}

/// The newest sample of a node.
pub async fn newest_sample(conn: &mut AnyConnection, node: &str) -> Result<Option<Usage>> {
    let row: Option<SampleRow> = sqlx::query_as(
        "SELECT at, cpu, memory_bytes, disk_bytes FROM samples WHERE node = $1 ORDER BY at DESC LIMIT 1",
    )
    .bind(node)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(usage))
}

/// Removes samples that are older than a time.
pub async fn prune_samples(conn: &mut AnyConnection, before: Micros) -> Result<()> {
    sqlx::query("DELETE FROM samples WHERE at < $1").bind(before).execute(conn).await?;
    Ok(())
}
