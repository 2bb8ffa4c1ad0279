//! The credential of a request: `Authorization: Bearer KEY`, or `Basic` with the application's name and its key, which is
//! what clients make of `http://NAME:KEY@HOST/…`. Never the path or the query, which reach logs.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use types::Code;

use crate::refusal::Refusal;

/// The application's name, where it is told, and its key.
pub(crate) fn read(headers: &HeaderMap) -> Result<(Option<String>, String), Refusal> {
    let missing = || {
        Refusal::new(
            Code::RpcCredential,
            "Send an application's key as “Authorization: Bearer KEY”, or its name and key as user and password of the address.",
        )
    };
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let (scheme, given) = value.split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok((None, given.trim().to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(missing());
    }
    let pair = STANDARD.decode(given.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = pair.ok_or_else(missing)?;
    let (name, key) = pair.split_once(':').ok_or_else(missing)?;
    Ok((Some(name.to_owned()), key.to_owned()))
}

/// Refuses WebSockets that a page of another origin opens: a browser would send the credential that it remembers, and no
/// preflight asks before.
pub(crate) fn refuse_other_origins(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return Ok(()) };
    let host = origin.split_once("://").map(|(_, host)| host);
    if host.is_some() && host == text(header::HOST) {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, "Pages of other origins may not open a WebSocket here."))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn keys_come_as_bearer_or_as_password() {
        let given = |text: &str| read(&headers(header::AUTHORIZATION, text)).ok();
        assert_eq!(given("Bearer polder_app_1_x"), Some((None, "polder_app_1_x".into())));
        let basic = format!("basic {}", STANDARD.encode("shop:polder_app_1_x"));
        assert_eq!(given(&basic), Some((Some("shop".into()), "polder_app_1_x".into())));
        for wrong in ["", "Bearer", "Digest x", "Basic !", "Basic c2hvcA=="] {
            assert_eq!(given(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn other_origins_are_refused() {
        let mut asked = headers(header::HOST, "polder.example:7400");
        assert!(refuse_other_origins(&asked).is_ok());
        for (origin, fits) in [("https://polder.example:7400", true), ("https://evil.example", false), ("null", false)]
        {
            asked.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
            assert_eq!(refuse_other_origins(&asked).is_ok(), fits, "{origin}");
        }
    }
}
