//! The routes, one file per resource, and how they are registered.

mod access_keys;
mod accounts;
mod applications;
mod audit;
mod changes;
mod channels;
mod consortia;
mod contracts;
mod engines;
mod health;
mod ledger;
mod networks;
mod nodes;
mod operations;
mod organisations;
mod rpc;
mod server;
mod session;
mod tasks;
mod users;
mod validators;

use axum::Router;
use axum::middleware::from_fn;
use types::{FieldProblem, Permission, Problem};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, ObjectBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Type};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::{App, auth, openapi};

/// Where the API is.
pub const PREFIX: &str = "/api/v1";

/// Every resource's routes. A new resource adds a line.
pub fn all() -> Routes {
    let api = Routes::new()
        .merge(session::routes())
        .merge(users::routes())
        .merge(access_keys::routes())
        .merge(organisations::routes())
        .merge(consortia::routes())
        .merge(audit::routes())
        .merge(server::routes())
        .merge(accounts::routes())
        .merge(applications::routes())
        .merge(contracts::routes())
        .merge(engines::routes())
        .merge(ledger::routes())
        .merge(networks::routes())
        .merge(nodes::routes())
        .merge(operations::routes())
        .merge(tasks::routes())
        .merge(changes::routes())
        .merge(channels::routes())
        .merge(validators::routes());
    Routes::new().nest(PREFIX, api).merge(health::routes()).merge(rpc::routes())
}

/// Routes, each with the permission that it needs: there is no way to register one without.
pub struct Routes(OpenApiRouter<App>);

impl Routes {
    /// No routes.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Routes(OpenApiRouter::default())
    }

    /// Adds what [`utoipa_axum::routes!`] makes of the handler of a method and path.
    pub fn add(self, permission: Permission, routes: UtoipaMethodRouter<App>) -> Self {
        self.register(permission, routes, |_| {})
    }

    /// The same for a handler that takes [`crate::Create`]: documents the header `Idempotency-Key`.
    pub fn create(self, permission: Permission, routes: UtoipaMethodRouter<App>) -> Self {
        self.register(permission, routes, |operation| {
            operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
        })
    }

    fn register(
        self,
        permission: Permission,
        (schemas, mut paths, methods): UtoipaMethodRouter<App>,
        document: impl Fn(&mut Operation),
    ) -> Self {
        for item in paths.paths.values_mut() {
            for operation in operations(item) {
                describe(operation, permission);
                document(operation);
            }
        }
        let guarded = methods.route_layer(from_fn(move |request, next| auth::guard(permission, request, next)));
        Routes(self.0.routes((schemas, paths, guarded)))
    }

    /// Joins routes.
    pub fn merge(self, other: Routes) -> Self {
        Routes(self.0.merge(other.0))
    }

    fn nest(self, prefix: &str, other: Routes) -> Self {
        Routes(self.0.nest(prefix, other.0))
    }

    /// The router, and the description of its routes.
    pub(crate) fn into_parts(mut self) -> (Router<App>, OpenApi) {
        let components = self.0.get_openapi_mut().components.get_or_insert_default();
        components.schemas.insert(Problem::name().into(), Problem::schema());
        components.schemas.insert(FieldProblem::name().into(), FieldProblem::schema());
        self.0.split_for_parts()
    }
}

/// What every operation has in common.
fn describe(operation: &mut Operation, permission: Permission) {
    let extensions = Extensions::from_iter([("x-permission", permission.as_str())]);
    operation.extensions.get_or_insert_default().merge(extensions);
    let schemes: &[&str] = match permission {
        Permission::Public => &[],
        Permission::Application => &[openapi::APPLICATION_KEY, openapi::APPLICATION],
        _ => &[openapi::SESSION, openapi::ACCESS_KEY],
    };
    if !schemes.is_empty() {
        operation.security = Some(
            schemes.iter().map(|scheme| SecurityRequirement::new(*scheme, std::iter::empty::<String>())).collect(),
        );
    }
    let problem = Content::new(Some(Ref::from_schema_name(Problem::name())));
    let failure = ResponseBuilder::new().description("It failed.").content("application/problem+json", problem).build();
    operation.responses.responses.insert("default".into(), RefOr::T(failure));
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "1 to 200 visible ASCII characters. A repetition of the request with the same key within 24 hours gets the first \
             answer (without secrets) and creates nothing.",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
}

/// The operations of a path.
pub(crate) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}
