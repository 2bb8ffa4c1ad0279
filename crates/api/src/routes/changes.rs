//! The change feed as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use control::{Follower, News};
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use types::{Change, Code, Permission};
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Routes;
use crate::{App, Error, Query, Result, Signed};

const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Routes {
    Routes::new().add(Permission::SignedIn, routes!(follow_changes))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChangesQuery {
    /// Begin after this sequence; from now on when absent. The header `Last-Event-ID` takes precedence.
    after: Option<i64>,
}

/// Follow what changes: events with `id` (the sequence) and a Change as data. An event named `reset` says that changes were
/// missed that are no longer kept: load everything anew.
#[utoipa::path(get, path = "/changes", tag = "changes", params(ChangesQuery),
    responses((status = 200, content_type = "text/event-stream", body = Change)))]
async fn follow_changes(
    State(app): State<App>,
    signed: Signed,
    headers: HeaderMap,
    Query(query): Query<ChangesQuery>,
) -> Result<Sse<impl Stream<Item = std::result::Result<Event, Infallible>>>> {
    let after = match headers.get("last-event-id") {
        Some(value) => Some(value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
            Error::new(Code::CursorInvalid, "The header Last-Event-ID must be the id of an event of this stream.")
        })?),
        None => query.after,
    };
    let follower = app.control().follow_changes(&signed.caller, after).await?;
    let events = follow(follower).take_until(app.closing().clone().cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Ends when the feed fails: the client comes back with its position.
fn follow(follower: Follower) -> impl Stream<Item = std::result::Result<Event, Infallible>> {
    stream::unfold(follower, |mut follower| async move {
        match follower.next().await {
            Ok(News::Changes(changes, _)) => Some((changes.iter().filter_map(event).collect(), follower)),
            Ok(News::Gap(newest)) => {
                Some((vec![Event::default().event("reset").id(newest.to_string()).data("{}")], follower))
            }
            Err(error) => {
                tracing::error!(error = error.chain(), "following the change feed failed");
                None
            }
        }
    })
    .flat_map(|events: Vec<Event>| stream::iter(events.into_iter().map(Ok)))
}

fn event(change: &Change) -> Option<Event> {
    let event = Event::default().id(change.sequence.to_string()).json_data(change);
    event.inspect_err(|error| tracing::error!(%error, "a change cannot be written")).ok()
}
