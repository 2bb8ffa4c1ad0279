//! What is printed: the machine, quantiles.

/// Prints the machine that the figures belong to.
pub fn machine() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    println!("machine: {cores} cores, {}; all nodes and the load on them", model.unwrap_or("unknown processor"));
}

/// What a load came to.
#[derive(Clone, Copy, Default)]
pub struct Figures {
    /// Transactions a second that became final during the load.
    pub throughput: f64,
    /// From sent to final in milliseconds.
    pub p50: f64,
    /// From sent to final in milliseconds.
    pub p99: f64,
    /// Cores that a node used, on average of all nodes.
    pub cores: f64,
    /// Resident megabytes of the largest node.
    pub megabytes: u64,
}

/// A quantile of sorted numbers; 0 of none.
pub fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    sorted.get((sorted.len().saturating_sub(1) as f64 * quantile) as usize).copied().unwrap_or_default()
}

/// Quantiles of durations in milliseconds.
pub fn quantiles(mut milliseconds: Vec<f64>) -> String {
    if milliseconds.is_empty() {
        return "no samples".into();
    }
    milliseconds.sort_by(f64::total_cmp);
    let at = |wanted: f64| quantile(&milliseconds, wanted);
    format!(
        "p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, max {:.1} ms (n = {})",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0),
        milliseconds.len()
    )
}
