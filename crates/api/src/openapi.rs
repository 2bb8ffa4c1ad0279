//! The API description, made from the routes. The copy under `openapi/` is compared by a test.

use serde_json::{Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi, OpenApiBuilder};

use crate::routes;

/// Name of the scheme of session cookies.
pub(crate) const SESSION: &str = "session";
/// Name of the scheme of access keys.
pub(crate) const ACCESS_KEY: &str = "accessKey";

/// Name of the scheme of applications' keys.
pub(crate) const APPLICATION_KEY: &str = "applicationKey";
/// Name of the scheme of applications' names and keys.
pub(crate) const APPLICATION: &str = "application";

/// The API description (OpenAPI 3.1).
pub fn document() -> Value {
    let document = finish(routes::all().into_parts().1);
    // Maps have text keys and nothing in a description writes itself in a way that can fail.
    let mut document = serde_json::to_value(document).expect("a description always serialises");
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.remove("String");
        schemas.remove("i64");
    }
    inline_aliases(&mut document);
    document
}

/// Identifiers and times are type aliases, which the generator takes for types of their own (`String`, `i64`): written out.
fn inline_aliases(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let plain = match map.get("$ref").and_then(Value::as_str) {
                Some("#/components/schemas/String") => Some(json!({"type": "string"})),
                Some("#/components/schemas/i64") => Some(json!({"type": "integer", "format": "int64"})),
                _ => None,
            };
            if let Some(Value::Object(plain)) = plain {
                map.shift_remove("$ref");
                map.extend(plain);
            }
            map.values_mut().for_each(inline_aliases);
        }
        Value::Array(items) => items.iter_mut().for_each(inline_aliases),
        _ => {}
    }
}

fn finish(routes: OpenApi) -> OpenApi {
    let mut info = Info::new("Polder", "1");
    info.description = Some(
        "Lists page by cursor: pass `next` as `cursor`. Creations take `Idempotency-Key`. Failures are RFC 9457 problems with a \
         stable `code`; `/errors/CODE` explains it. `x-permission` names the permission that a route needs."
            .into(),
    );
    let mut components = Components::new();
    let cookie = ApiKeyValue::with_description(
        "polder_session",
        "The cookie that POST /session sets. Requests that change something also carry the header x-csrf-token.",
    );
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let bearer =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An access key: `polder_…`")).build();
    components.add_security_scheme(ACCESS_KEY, SecurityScheme::Http(bearer));
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An application's key: `polder_app_…`. For `/rpc` only."))
        .build();
    components.add_security_scheme(APPLICATION_KEY, SecurityScheme::Http(key));
    let pair = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some("An application's name and its key. For `/rpc` only."))
        .build();
    components.add_security_scheme(APPLICATION, SecurityScheme::Http(pair));
    let mut document = OpenApiBuilder::new().info(info).components(Some(components)).build();
    document.merge(routes);
    document
}
