//! What the log shows.

/// The filter where the operator gives none: the node's own parts, and warnings of the libraries below it.
pub const DEFAULT_FILTER: &str = "info,commonware_consensus=warn,commonware_p2p=warn,commonware_runtime=warn,\
    commonware_storage=error,commonware_broadcast=warn,commonware_resolver=warn,commonware_actor=warn,\
    commonware_utils=warn,jsonrpsee=warn,hyper=warn";
