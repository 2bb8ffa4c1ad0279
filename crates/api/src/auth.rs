//! Who sends a request, and whether the route's permission is among what it may do.
//!
//! A request shows who it is by the cookie `polder_session` (then each request that changes something must carry the session's
//! CSRF token in `x-csrf-token`) or by `Authorization: Bearer polder_KEYID_SECRET`. Public routes do not look.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use control::{Authenticated, Caller};
use types::{Code, Permission, Session};

use crate::{App, Error, Result};

const COOKIE: &str = "polder_session";
const CSRF: &str = "x-csrf-token";

/// The signed-in caller of a route.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The caller, for use cases.
    pub caller: Caller,
    /// Its session, as `GET /session` answers it.
    pub session: Session,
    /// The token of the cookie; none for an access key.
    pub(crate) token: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Signed {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        // Missing on public routes only.
        parts.extensions.get::<Signed>().cloned().ok_or_else(sign_in_first)
    }
}

/// Lets a request through when its caller has the permission. The application is in the request's extensions.
pub(crate) async fn guard(permission: Permission, request: Request, next: Next) -> Response {
    // The ingress looks at applications' keys itself: it answers in JSON-RPC.
    if matches!(permission, Permission::Public | Permission::Application) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let signed = match identify(&parts).await {
        Ok(signed) => signed,
        Err(error) => return error.into_response(),
    };
    if let Err(error) = signed.caller.require(permission) {
        return Error::from(error).into_response();
    }
    tracing::debug!(actor = %signed.caller.actor(), "identified");
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(signed);
    next.run(request).await
}

async fn identify(parts: &Parts) -> Result<Signed> {
    let app = parts.extensions.get::<App>().cloned();
    let app =
        app.ok_or_else(|| control::Error::Internal("the router was built without its application".into(), None))?;
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let bearer = value.to_str().ok().and_then(|text| text.split_once(' '));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let bearer = bearer.ok_or_else(|| {
            Error::new(Code::AuthRequired, "Send the access key as “Authorization: Bearer polder_…”.")
        })?;
        let Authenticated { caller, session } = app.control().authenticate_access_key(bearer).await?;
        return Ok(Signed { caller, session, token: None });
    }
    let token = session_token(&parts.headers).ok_or_else(sign_in_first)?;
    let Authenticated { caller, session } = app.control().authenticate_session(&token).await?;
    let reads = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads {
        let given = parts.headers.get(CSRF).and_then(|value| value.to_str().ok());
        // A hash of a secret, made for this comparison: its timing tells nothing.
        if given.is_none() || given != session.csrf_token.as_deref() {
            return Err(Error::new(
                Code::AuthCsrf,
                "Send the csrfToken that GET /session answers as header x-csrf-token with each request that changes something.",
            ));
        }
    }
    Ok(Signed { caller, session, token: Some(token) })
}

fn sign_in_first() -> Error {
    Error::new(Code::AuthRequired, "Sign in with POST /api/v1/session, or send an access key.")
}

/// The session token of a request's cookies.
fn session_token(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == COOKIE && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

/// The header that sets the cookie to a token, or takes it away.
pub(crate) fn set_cookie(app: &App, token: Option<&str>) -> HeaderValue {
    let secure = if app.secure_cookies() { "; Secure" } else { "" };
    let text = match token {
        // No Max-Age: the browser forgets it when it closes, the server decides when the session ends.
        Some(token) => format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}"),
        None => format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{secure}"),
    };
    // Tokens are hex digits.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}
