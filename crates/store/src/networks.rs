//! Networks, their members, placements and recorded outputs.

use std::collections::BTreeMap;

use sqlx::AnyConnection;
use types::{Id, Micros, NetworkStatus};

use crate::Result;
use crate::text::{self, placeholders, text_enum};

text_enum! {
    /// How far the life of a network has come.
    pub enum Phase { Creating = "creating", Ready = "ready", Failed = "failed", Deleting = "deleting" }
}

text_enum! {
    /// What is wanted of a network's nodes.
    pub enum Wanted { Running = "running", Stopped = "stopped" }
}

/// A network as stored.
#[derive(Clone, Debug)]
pub struct Network {
    /// `net_…`.
    pub id: Id,
    /// The consortium's id.
    pub consortium: Id,
    /// Unique in its consortium.
    pub name: String,
    /// Name of the engine.
    pub engine: String,
    /// Name of the consensus.
    pub consensus: String,
    /// What the planner is given, as JSON.
    pub spec: serde_json::Value,
    /// Engine options with defaults filled in.
    pub options: serde_json::Value,
    /// Unique in the deployment.
    pub chain_id: Option<u64>,
    /// How far its life has come.
    pub phase: Phase,
    /// What is wanted of its nodes.
    pub wanted: Wanted,
    /// State, as derived from the newest observation.
    pub status: NetworkStatus,
    /// Why the state is not `running`.
    pub status_reason: Option<String>,
    /// Highest final block that a node reported.
    pub height: Option<u64>,
    /// When the height last grew.
    pub progress_at: Option<Micros>,
    /// Height up to which blocks are counted in the statistics.
    pub counted: Option<u64>,
    /// When created.
    pub created_at: Micros,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    consortium: String,
    name: String,
    engine: String,
    consensus: String,
    spec: String,
    options: String,
    chain_id: Option<i64>,
    phase: String,
    wanted: String,
    status: String,
    status_reason: Option<String>,
    height: Option<i64>,
    progress_at: Option<i64>,
    counted: Option<i64>,
    created_at: i64,
}

impl TryFrom<Row> for Network {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            consortium: row.consortium,
            name: row.name,
            engine: row.engine,
            consensus: row.consensus,
            spec: text::json(&row.spec)?,
            options: text::json(&row.options)?,
            chain_id: row.chain_id.map(i64::cast_unsigned),
            phase: Phase::parse(&row.phase)?,
            wanted: Wanted::parse(&row.wanted)?,
            status: text::word(&row.status)?,
            status_reason: row.status_reason,
            height: row.height.map(i64::cast_unsigned),
            progress_at: row.progress_at,
            counted: row.counted.map(i64::cast_unsigned),
            created_at: row.created_at,
        })
    }
}

fn rows(rows: Vec<Row>) -> Result<Vec<Network>> {
    rows.into_iter().map(Network::try_from).collect()
}

/// Stores a new network with its members in order.
///
/// # Errors
/// A unique violation when the name is taken in the consortium or the chain id in the deployment.
pub async fn insert(conn: &mut AnyConnection, network: &Network, members: &[Id]) -> Result<()> {
    sqlx::query(
        "INSERT INTO networks (id, consortium, name, engine, consensus, spec, options, chain_id, phase, wanted, status, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(&network.id)
    .bind(&network.consortium)
    .bind(&network.name)
    .bind(&network.engine)
    .bind(&network.consensus)
    .bind(network.spec.to_string())
    .bind(network.options.to_string())
    .bind(network.chain_id.map(u64::cast_signed))
    .bind(network.phase.as_str())
    .bind(network.wanted.as_str())
    .bind(text::of(&network.status))
    .bind(network.created_at)
    .execute(&mut *conn)
    .await?;
    for (position, organisation) in (0i64..).zip(members) {
        sqlx::query("INSERT INTO network_members (network, organisation, position) VALUES ($1, $2, $3)")
            .bind(&network.id)
            .bind(organisation)
            .bind(position)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// A network by its id.
pub async fn get(conn: &mut AnyConnection, id: &str) -> Result<Option<Network>> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM networks WHERE id = $1").bind(id).fetch_optional(conn).await?;
    row.map(Network::try_from).transpose()
}

/// Networks of a name, in any consortium.
pub async fn by_name(conn: &mut AnyConnection, name: &str) -> Result<Vec<Network>> {
    rows(sqlx::query_as("SELECT * FROM networks WHERE name = $1 ORDER BY id").bind(name).fetch_all(conn).await?)
}

/// All networks, oldest first.
pub async fn all(conn: &mut AnyConnection) -> Result<Vec<Network>> {
    rows(sqlx::query_as("SELECT * FROM networks ORDER BY id").fetch_all(conn).await?)
}

/// Networks of some consortia (of all when none are given), oldest first, after an id.
pub async fn list(conn: &mut AnyConnection, consortia: Option<&[Id]>, after: &str, limit: i64) -> Result<Vec<Network>> {
    let filter = match consortia {
        Some([]) => return Ok(Vec::new()),
        Some(ids) => format!(" AND consortium IN ({})", placeholders(3, ids.len())),
        None => String::new(),
    };
    let sql = format!("SELECT * FROM networks WHERE id > $1{filter} ORDER BY id LIMIT $2");
    let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(after).bind(limit);
    for id in consortia.unwrap_or_default() {
        query = query.bind(id);
    }
    rows(query.fetch_all(conn).await?)
}

/// How many networks a consortium has.
pub async fn count_in(conn: &mut AnyConnection, consortium: &str) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM networks WHERE consortium = $1")
        .bind(consortium)
        .fetch_one(conn)
        .await?)
}

/// Whether a chain id is in use.
pub async fn has_chain_id(conn: &mut AnyConnection, chain_id: u64) -> Result<bool> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM networks WHERE chain_id = $1")
        .bind(chain_id.cast_signed())
        .fetch_one(conn)
        .await?;
    Ok(count > 0)
}

/// Replaces what the planner is given.
pub async fn set_spec(conn: &mut AnyConnection, id: &str, spec: &serde_json::Value) -> Result<()> {
    sqlx::query("UPDATE networks SET spec = $2 WHERE id = $1").bind(id).bind(spec.to_string()).execute(conn).await?;
    Ok(())
}

/// Names and ids of a network's members, in order.
pub async fn named_members(conn: &mut AnyConnection, network: &str) -> Result<Vec<(String, Id)>> {
    Ok(sqlx::query_as(
        "SELECT o.name, o.id FROM network_members m JOIN organisations o ON o.id = m.organisation \
         WHERE m.network = $1 ORDER BY m.position",
    )
    .bind(network)
    .fetch_all(conn)
    .await?)
}

/// Organisations that take part, in order.
pub async fn members(conn: &mut AnyConnection, network: &str) -> Result<Vec<Id>> {
    Ok(sqlx::query_scalar("SELECT organisation FROM network_members WHERE network = $1 ORDER BY position")
        .bind(network)
        .fetch_all(conn)
        .await?)
}

/// Sets the phase and the status that goes with it.
pub async fn set_phase(
    conn: &mut AnyConnection,
    id: &str,
    phase: Phase,
    status: NetworkStatus,
    reason: Option<&str>,
) -> Result<()> {
    sqlx::query("UPDATE networks SET phase = $2, status = $3, status_reason = $4 WHERE id = $1")
        .bind(id)
        .bind(phase.as_str())
        .bind(text::of(&status))
        .bind(reason)
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets what is wanted of the nodes.
pub async fn set_wanted(conn: &mut AnyConnection, id: &str, wanted: Wanted) -> Result<()> {
    sqlx::query("UPDATE networks SET wanted = $2 WHERE id = $1").bind(id).bind(wanted.as_str()).execute(conn).await?;
    Ok(())
}

/// What an observation found out about a network.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkObservation {
    /// State.
    pub status: NetworkStatus,
    /// Why it is not `running`.
    pub reason: Option<String>,
    /// Highest final block.
    pub height: Option<u64>,
    /// When the height last grew.
    pub progress_at: Option<Micros>,
}

/// Records an observation of a network that is ready; a network in another phase keeps its status.
pub async fn set_observed(conn: &mut AnyConnection, id: &str, observation: &NetworkObservation) -> Result<()> {
    sqlx::query("UPDATE networks SET status = $2, status_reason = $3, height = $4, progress_at = $5 WHERE id = $1 AND phase = 'ready'")
        .bind(id)
        .bind(text::of(&observation.status))
        .bind(&observation.reason)
        .bind(observation.height.map(u64::cast_signed))
        .bind(observation.progress_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes a network and all that belongs to it; its operations stay.
pub async fn delete(conn: &mut AnyConnection, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM networks WHERE id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// A node's reserved port.
#[derive(Clone, Debug)]
pub struct PlacedPort {
    /// The node.
    pub node: Id,
    /// The port's name.
    pub port: String,
    /// The host's name.
    pub host: String,
    /// The number on the host: given once.
    pub number: u16,
    /// The address as the host gave it, as JSON.
    pub address: serde_json::Value,
}

/// Stores a reserved port; an earlier one of the same name is replaced.
pub async fn place(conn: &mut AnyConnection, port: &PlacedPort) -> Result<()> {
    sqlx::query(
        "INSERT INTO placements (node, port, host, number, address) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (node, port) DO UPDATE SET host = excluded.host, number = excluded.number, address = excluded.address",
    )
    .bind(&port.node)
    .bind(&port.port)
    .bind(&port.host)
    .bind(i64::from(port.number))
    .bind(port.address.to_string())
    .execute(conn)
    .await?;
    Ok(())
}

/// The reserved ports of a network's nodes: by node, then by the port's name.
pub async fn placements(
    conn: &mut AnyConnection,
    network: &str,
) -> Result<BTreeMap<Id, BTreeMap<String, serde_json::Value>>> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT p.node, p.port, p.address FROM placements p JOIN nodes n ON n.id = p.node WHERE n.network = $1",
    )
    .bind(network)
    .fetch_all(conn)
    .await?;
    let mut placements: BTreeMap<Id, BTreeMap<String, serde_json::Value>> = BTreeMap::new();
    for (node, port, address) in rows {
        placements.entry(node).or_default().insert(port, text::json(&address)?);
    }
    Ok(placements)
}

/// Records that a job or step is done and what it gave.
pub async fn put_outputs(
    conn: &mut AnyConnection,
    network: &str,
    source: &str,
    entries: &BTreeMap<String, String>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO outputs (network, source, entries) VALUES ($1, $2, $3) \
         ON CONFLICT (network, source) DO UPDATE SET entries = excluded.entries",
    )
    .bind(network)
    .bind(source)
    .bind(text::to_json(entries))
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets what a job, a step or an identity gave.
pub async fn delete_outputs(conn: &mut AnyConnection, network: &str, source: &str) -> Result<()> {
    sqlx::query("DELETE FROM outputs WHERE network = $1 AND source = $2")
        .bind(network)
        .bind(source)
        .execute(conn)
        .await?;
    Ok(())
}

/// What the finished jobs and steps of a network gave: by job or step.
pub async fn outputs(conn: &mut AnyConnection, network: &str) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT source, entries FROM outputs WHERE network = $1").bind(network).fetch_all(conn).await?;
    rows.into_iter().map(|(source, entries)| Ok((source, text::from_json(&entries)?))).collect()
}
