//! Signing in and out, and finding the caller of a request.
//!
//! A session is a random token in the client's cookie; the database holds its hash. The CSRF token is derived from the session
//! token, so that it needs no storage and ends with it. A session ends after [`IDLE`] without use and after [`LONGEST`] in all.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use keys::{Secret, Token, hash_password, hash_token, spend_password_time, verify_password};
use store::sessions::{self, Session as Row};
use store::{NewAudit, access_keys, users};
use tokio::sync::Semaphore;
use types::{Code, Micros, Permission, Session, SignIn, User, now};

use crate::users::check_password;
use crate::{Actor, Caller, Control, Error, Result};

/// How long a session lasts without use.
pub const IDLE: Duration = Duration::from_secs(12 * 60 * 60);
/// How long a session lasts in all.
pub const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How exactly the last use is known: each note of it is a write.
const USE_RESOLUTION: Micros = 60 * 1_000_000;

const SESSION: &str = "session";
const CSRF: &str = "csrf";
pub(crate) const ACCESS_KEY: &str = "access-key";

/// Each hash takes 19 MiB and a core for tens of milliseconds: a flood of sign-ins waits its turn.
static HASHING: Semaphore = Semaphore::const_new(2);

/// A new session: the token goes into the cookie and nowhere else.
#[derive(Debug)]
pub struct SignedIn {
    /// The token.
    pub token: Secret,
    /// What the client is told.
    pub session: Session,
}

/// A request's caller and how it showed who it is.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The caller.
    pub caller: Caller,
    /// What `GET /session` answers.
    pub session: Session,
}

impl Control {
    /// Signs a user in.
    ///
    /// Errors: `auth.failed`, `auth.throttled` with the seconds to wait.
    pub async fn sign_in(&self, from: IpAddr, request: SignIn) -> Result<SignedIn> {
        self.slow_guessing(&request.user, from)?;
        let password = Secret::new(request.password);
        let (user, stored) = {
            let mut connection = self.store().read().await?;
            let user = users::find(&mut connection, &request.user).await?.filter(|user| user.name == request.user);
            let stored = match &user {
                Some(user) => users::password(&mut connection, &user.id).await?,
                None => None,
            };
            (user, stored)
        };
        let fits = check(password, stored).await?;
        let Some(user) = user.filter(|_| fits) else {
            tracing::info!(user = request.user, %from, "a sign-in failed");
            return Err(Error::new(Code::AuthFailed, "The user name or the password is wrong."));
        };
        self.throttle().succeed(&request.user, from);
        let token = Token::hex()?;
        let at = now();
        let row = Row {
            token_hash: hash_token(SESSION, token.expose()),
            user: user.id.clone(),
            created_at: at,
            used_at: at,
            expires_at: expiry(at, at),
        };
        let mut tx = self.store().begin().await?;
        sessions::insert(&mut tx, &row).await?;
        tx.audit(NewAudit {
            actor: format!("user {}", user.name),
            action: "session.create",
            subject: format!("user {}", user.id),
            organisation: None,
            details: serde_json::json!({"from": from.to_string()}),
        });
        tx.commit().await?;
        let session = shown(user, Some(csrf_token(token.expose())), Some(row.expires_at));
        Ok(SignedIn { token, session })
    }

    /// Finds the session of a token and notes that it was used.
    ///
    /// Errors: `auth.expired`.
    pub async fn authenticate_session(&self, token: &str) -> Result<Authenticated> {
        let hash = hash_token(SESSION, token);
        let at = now();
        let (row, user) = {
            let mut connection = self.store().read().await?;
            let row = sessions::find(&mut connection, &hash).await?.filter(|row| row.expires_at > at);
            let row = row.ok_or_else(ended)?;
            let user = users::find(&mut connection, &row.user).await?.ok_or_else(ended)?;
            (row, user)
        };
        let mut expires_at = row.expires_at;
        if at - row.used_at >= USE_RESOLUTION {
            expires_at = expiry(row.created_at, at);
            let mut tx = self.store().begin().await?;
            sessions::touch(&mut tx, &hash, at, expires_at).await?;
            tx.commit().await?;
        }
        let actor = Actor::User { id: user.id.clone(), name: user.name.clone() };
        let caller = Caller::new(actor, user.grants.clone());
        Ok(Authenticated { caller, session: shown(user, Some(csrf_token(token)), Some(expires_at)) })
    }

    /// Finds the access key of a bearer token (`polder_KEYID_SECRET`) and notes that it was used. What the key may do is what
    /// both it and its user have.
    ///
    /// Errors: `auth.expired`, also for a key that is not there.
    pub async fn authenticate_access_key(&self, bearer: &str) -> Result<Authenticated> {
        let wrong =
            || Error::new(Code::AuthExpired, "The access key has ended, was revoked or is not one. Make a new one.");
        let (id, secret) = bearer.strip_prefix("polder_").and_then(|rest| rest.rsplit_once('_')).ok_or_else(wrong)?;
        let at = now();
        let (key, user) = {
            let mut connection = self.store().read().await?;
            let stored = access_keys::secret_hash(&mut connection, id).await?.ok_or_else(wrong)?;
            // Hashes of 256 random bits: comparing them tells nothing about the secret.
            if hash_token(ACCESS_KEY, secret) != stored {
                return Err(wrong());
            }
            let key = access_keys::find(&mut connection, id).await?.ok_or_else(wrong)?;
            if key.expires_at.is_some_and(|end| end <= at) {
                return Err(wrong());
            }
            let user = users::find(&mut connection, &key.user).await?.ok_or_else(wrong)?;
            (key, user)
        };
        if key.last_used_at.is_none_or(|used| at - used >= USE_RESOLUTION) {
            let mut tx = self.store().begin().await?;
            access_keys::touch(&mut tx, &key.id, at).await?;
            tx.commit().await?;
        }
        let grants: Vec<_> = key.grants.iter().filter(|grant| user.grants.contains(grant)).cloned().collect();
        let actor =
            Actor::AccessKey { id: key.id, name: key.name, user: user.id.clone(), user_name: user.name.clone() };
        let user = User { grants: grants.clone(), ..user };
        Ok(Authenticated { caller: Caller::new(actor, grants), session: shown(user, None, key.expires_at) })
    }

    /// Ends the session of a token. No error when there is none.
    pub async fn sign_out(&self, token: &str) -> Result<()> {
        let mut tx = self.store().begin().await?;
        sessions::delete(&mut tx, &hash_token(SESSION, token)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Changes the caller's own password, which must be known, and ends the caller's other sessions (all, when `token` is none).
    ///
    /// Errors: `auth.failed`, `auth.throttled`, `password.weak`, `auth.forbidden` for an access key.
    pub async fn change_own_password(
        &self,
        caller: &Caller,
        from: IpAddr,
        token: Option<&str>,
        current: Secret,
        new: Secret,
    ) -> Result<()> {
        let Actor::User { id, name } = caller.actor() else {
            return Err(Error::forbidden("An access key cannot change a password. Sign in with the password."));
        };
        check_password("newPassword", &new)?;
        self.slow_guessing(name, from)?;
        let stored = users::password(&mut *self.store().read().await?, id).await?;
        if !check(current, stored).await? {
            return Err(Error::field(Code::AuthFailed, "currentPassword", "The current password is wrong."));
        }
        self.throttle().succeed(name, from);
        let hash = hash(new).await?;
        let but = token.map(|token| hash_token(SESSION, token)).unwrap_or_default();
        let mut tx = self.store().begin().await?;
        users::set_password(&mut tx, id, &hash).await?;
        sessions::delete_of_user(&mut tx, id, &but).await?;
        tx.audit(NewAudit {
            actor: caller.actor().to_string(),
            action: "user.change_password",
            subject: format!("user {id}"),
            organisation: None,
            details: serde_json::json!({"name": name}),
        });
        tx.commit().await?;
        Ok(())
    }

    fn slow_guessing(&self, name: &str, from: IpAddr) -> Result<()> {
        let at = Instant::now();
        if let Some(wait) = self.throttle().wait(name, from, at) {
            return Err(Error::Throttled { seconds: wait.as_secs() + 1 });
        }
        self.throttle().count(name, from, at);
        Ok(())
    }
}

/// Sets a user's password without knowing the old one, for an operator at the data directory; draws one when none is given.
/// Ends the user's sessions. Answers the password that was drawn.
///
/// Errors: `not_found`, `password.weak`.
pub async fn reset_password(store: &store::Store, name: &str, given: Option<Secret>) -> Result<Option<Secret>> {
    let (password, drawn) = match given {
        Some(password) => (password, None),
        None => {
            let password = Token::password()?;
            (password.clone(), Some(password))
        }
    };
    check_password("password", &password)?;
    let hash = hash(password).await?;
    let mut tx = store.begin().await?;
    let user = users::find(&mut tx, name).await?.ok_or_else(|| Error::not_found("user", name))?;
    users::set_password(&mut tx, &user.id, &hash).await?;
    sessions::delete_of_user(&mut tx, &user.id, "").await?;
    tx.audit(NewAudit {
        actor: Actor::Server.to_string(),
        action: "user.reset_password",
        subject: format!("user {}", user.id),
        organisation: None,
        details: serde_json::json!({"name": user.name}),
    });
    tx.commit().await?;
    Ok(drawn)
}

/// Hashes a password on a blocking thread.
pub(crate) async fn hash(password: Secret) -> Result<String> {
    blocking(move || hash_password(&password)).await
}

/// Whether a password fits a stored hash; takes as long when there is none.
async fn check(password: Secret, stored: Option<String>) -> Result<bool> {
    blocking(move || match stored {
        Some(stored) => verify_password(&password, &stored),
        None => {
            spend_password_time(&password);
            Ok(false)
        }
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> keys::Result<T> + Send + 'static) -> Result<T> {
    let cut_off = |error| Error::internal("hashing a password was cut off", error);
    let turn = HASHING.acquire().await.map_err(|error| Error::internal("the queue for hashing is closed", error))?;
    let done = tokio::task::spawn_blocking(work).await.map_err(cut_off)?;
    drop(turn);
    Ok(done?)
}

fn csrf_token(token: &str) -> String {
    hash_token(CSRF, token)
}

fn expiry(created_at: Micros, used_at: Micros) -> Micros {
    (used_at + IDLE.as_micros() as Micros).min(created_at + LONGEST.as_micros() as Micros)
}

fn ended() -> Error {
    Error::new(Code::AuthExpired, "The session has ended. Sign in again.")
}

fn shown(user: User, csrf_token: Option<String>, expires_at: Option<Micros>) -> Session {
    let held = |permission: &Permission| {
        *permission != Permission::Public
            && (*permission == Permission::SignedIn
                || user.grants.iter().any(|grant| permission.roles().contains(&grant.role)))
    };
    let permissions = Permission::ALL
        .iter()
        .filter(|permission| held(permission))
        .map(|permission| permission.as_str().into())
        .collect();
    Session { user, csrf_token, expires_at, permissions }
}
