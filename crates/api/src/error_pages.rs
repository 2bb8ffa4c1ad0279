//! The page of each error code: `docs/errors/CODE.md` as plain HTML.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use pulldown_cmark::{Event, Options, Parser, html};
use rust_embed::RustEmbed;
use types::Code;

use crate::Path;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../docs/errors"]
struct Pages;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}\
code,pre{font-family:ui-monospace,monospace;background:#8882;border-radius:3px;padding:0 .2em}\
pre{padding:.6em;overflow-x:auto}@media(prefers-color-scheme:dark){body{background:#16181d;color:#e6e6e6}a{color:#8ab4f8}}";

/// The Markdown of a code's page.
pub(crate) fn source(code: Code) -> Option<String> {
    let file = Pages::get(&format!("{code}.md"))?;
    Some(String::from_utf8_lossy(&file.data).into_owned())
}

/// `GET /errors/{code}`.
pub(crate) async fn show(Path(code): Path<String>) -> Response {
    let known = Code::ALL.iter().copied().find(|known| known.as_str() == code);
    let Some((known, text)) = known.and_then(|known| Some((known, source(known)?))) else {
        let body = "<h1>No such error code</h1><p>This version of Polder has no error of this code.</p>";
        return page(StatusCode::NOT_FOUND, "No such error code", body);
    };
    // The pages are our own, but nothing in them needs raw HTML.
    let events = Parser::new_ext(&text, Options::ENABLE_TABLES)
        .filter(|event| !matches!(event, Event::Html(_) | Event::InlineHtml(_)));
    let mut body = String::new();
    html::push_html(&mut body, events);
    page(StatusCode::OK, known.as_str(), &body)
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title} · Polder</title>\
         <style nonce=\"{nonce}\">{STYLE}</style></head><body><main>{body}</main></body></html>"
    );
    let policy = format!("default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'");
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()), (header::CONTENT_SECURITY_POLICY, policy)];
    (status, headers, page).into_response()
}
