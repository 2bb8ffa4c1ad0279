//! Roles and permissions. The matrix is data, so that a person can review it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a user or an access key may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs the deployment: hosts, users, organisations, consortia. Does not act for a member.
    PlatformAdministrator,
    /// Everything of one organisation.
    OrganisationAdministrator,
    /// Networks and nodes of one organisation.
    Operator,
    /// Contracts and transactions of one organisation.
    Developer,
    /// Reads everything of one organisation, changes nothing.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: &[Role] =
        &[Role::PlatformAdministrator, Role::OrganisationAdministrator, Role::Operator, Role::Developer, Role::Auditor];

    /// Whether the role is held for one organisation (all but the platform's administrator).
    pub fn needs_organisation(self) -> bool {
        self != Role::PlatformAdministrator
    }
}

macro_rules! permissions {
    ($($name:ident = $text:literal: $($role:ident)*;)*) => {
        /// What a route needs. `application` is no role's: the route asks for an application's credential itself.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Permission { $($name),* }

        impl Permission {
            /// Every permission.
            pub const ALL: &[Permission] = &[$(Permission::$name),*];

            /// The permission as text, as in the API description (`x-permission`).
            pub fn as_str(self) -> &'static str { match self { $(Permission::$name => $text),* } }

            /// Roles that have it.
            pub fn roles(self) -> &'static [Role] { match self { $(Permission::$name => &[$(Role::$role),*]),* } }
        }
    };
}

permissions! {
    Public = "public": ;
    Application = "application": ;
    SignedIn = "signed-in": PlatformAdministrator OrganisationAdministrator Operator Developer Auditor;
    UsersRead = "users:read": PlatformAdministrator OrganisationAdministrator Auditor;
    UsersWrite = "users:write": PlatformAdministrator OrganisationAdministrator;
    OrganisationsRead = "organisations:read": PlatformAdministrator OrganisationAdministrator Operator Developer Auditor;
    OrganisationsWrite = "organisations:write": PlatformAdministrator;
    ConsortiaRead = "consortia:read": PlatformAdministrator OrganisationAdministrator Operator Developer Auditor;
    ConsortiaWrite = "consortia:write": PlatformAdministrator;
    NetworksRead = "networks:read": PlatformAdministrator OrganisationAdministrator Operator Developer Auditor;
    NetworksWrite = "networks:write": PlatformAdministrator OrganisationAdministrator Operator;
    NodesRead = "nodes:read": PlatformAdministrator OrganisationAdministrator Operator Developer Auditor;
    NodesWrite = "nodes:write": PlatformAdministrator OrganisationAdministrator Operator;
    OperationsRead = "operations:read": PlatformAdministrator OrganisationAdministrator Operator Developer Auditor;
    OperationsWrite = "operations:write": PlatformAdministrator OrganisationAdministrator Operator;
    LedgerRead = "ledger:read": PlatformAdministrator OrganisationAdministrator Operator Developer Auditor;
    LedgerWrite = "ledger:write": OrganisationAdministrator Developer;
    RawTransactions = "transactions:raw": PlatformAdministrator OrganisationAdministrator Developer;
    ContractsWrite = "contracts:write": PlatformAdministrator OrganisationAdministrator Developer;
    ApplicationsRead = "applications:read": PlatformAdministrator OrganisationAdministrator Operator Developer Auditor;
    ApplicationsWrite = "applications:write": OrganisationAdministrator Developer;
    IdentitiesExport = "identities:export": PlatformAdministrator OrganisationAdministrator;
    EnginesRead = "engines:read": PlatformAdministrator OrganisationAdministrator Operator Developer Auditor;
    EnginesWrite = "engines:write": PlatformAdministrator;
    AuditRead = "audit:read": PlatformAdministrator OrganisationAdministrator Auditor;
    ServerRead = "server:read": PlatformAdministrator OrganisationAdministrator Operator Developer Auditor;
    ServerWrite = "server:write": PlatformAdministrator;
}
