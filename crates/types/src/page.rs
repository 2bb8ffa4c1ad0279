//! Lists page by cursor.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page starts; null on the last page.
    pub next: Option<String>,
}

/// Which page.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next` of the page before; absent for the first.
    pub cursor: Option<String>,
    /// Most entries to answer: 1 to 500, 50 when absent.
    pub limit: Option<u32>,
}
