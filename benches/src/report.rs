//! What is printed: the machine, quantiles.

/// Prints the machine that the figures belong to.
pub fn machine() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    println!("machine: {cores} cores, {}; all nodes and the load on them", model.unwrap_or("unknown processor"));
}

/// Quantiles of durations in milliseconds.
pub fn quantiles(mut milliseconds: Vec<f64>) -> String {
    if milliseconds.is_empty() {
        return "no samples".into();
    }
    milliseconds.sort_by(f64::total_cmp);
    let at = |quantile: f64| milliseconds[((milliseconds.len() - 1) as f64 * quantile) as usize];
    format!(
        "p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms (n = {})",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0),
        milliseconds.len()
    )
}
