//! The console: embedded files, and its first page for every address that it routes itself.

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use types::Code;

use crate::Error;

/// In the first page, stands for the nonce that lets its own styles through.
const NONCE: &str = "__CSP_NONCE__";

/// Answers what no route does.
pub(crate) async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return Error::new(
            Code::NotFound,
            format!("The API has no {}. GET /api/v1/openapi.json lists what it has.", uri.path()),
        )
        .into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return Error::new(Code::MethodNotAllowed, "Only GET is offered here.").into_response();
    }
    match console_assets::get(path) {
        Some(_) if path == "index.html" => index(),
        Some(asset) => file(path, asset, &headers),
        // A missing file is missing; any other address is a page of the console.
        None if path.rsplit('/').next().is_some_and(|name| name.contains('.')) => {
            Error::new(Code::NotFound, format!("There is no file {}.", uri.path())).into_response()
        }
        None => index(),
    }
}

fn file(path: &str, asset: console_assets::Asset, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex::encode(&asset.hash[..16]));
    // Vite puts a hash of the contents into the names below assets/.
    let caching = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, caching.to_owned()),
        (header::CONTENT_TYPE, asset.media_type),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, asset.contents.into_owned()).into_response()
}

fn index() -> Response {
    let Some(asset) = console_assets::get("index.html") else {
        return Error::new(Code::NotFound, "This program was built without its console.").into_response();
    };
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let page = String::from_utf8_lossy(&asset.contents).replace(NONCE, &nonce);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'none'; manifest-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, page).into_response()
}
