-- Identity: users and what they may do, organisations, consortia, and the books that every change is written to.
-- Times are microseconds since 1970 in UTC; JSON is TEXT.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Gapless counters. Updating one locks its row until the transaction ends, which puts its users in order.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('audit', 0), ('changes', 0);

CREATE TABLE organisations (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    title      TEXT NOT NULL,
    public_key TEXT NOT NULL,
    sealed_key TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    password   TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE grants (
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role         TEXT NOT NULL,
    organisation TEXT REFERENCES organisations (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX grants_once ON grants (user_id, role, COALESCE(organisation, ''));
CREATE INDEX grants_organisation ON grants (organisation);

CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_end ON sessions (expires_at);

CREATE TABLE access_keys (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret_hash  TEXT NOT NULL,
    grants       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at   BIGINT,
    UNIQUE (user_id, name)
);

CREATE TABLE consortia (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    title      TEXT NOT NULL,
    statement  TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    consortium   TEXT NOT NULL REFERENCES consortia (id) ON DELETE CASCADE,
    organisation TEXT NOT NULL REFERENCES organisations (id),
    position     BIGINT NOT NULL,
    public_key   TEXT NOT NULL,
    signature    TEXT NOT NULL,
    joined_at    BIGINT NOT NULL,
    PRIMARY KEY (consortium, organisation)
);
CREATE INDEX members_organisation ON members (organisation);

-- Append-only; `hash` chains each entry to the one before.
CREATE TABLE audit (
    sequence     BIGINT PRIMARY KEY,
    at           BIGINT NOT NULL,
    actor        TEXT NOT NULL,
    action       TEXT NOT NULL,
    subject      TEXT NOT NULL,
    organisation TEXT,
    details      TEXT NOT NULL,
    hash         TEXT NOT NULL
);
CREATE INDEX audit_organisation ON audit (organisation, sequence);

CREATE TABLE idempotency (
    owner        TEXT NOT NULL,
    key          TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    answer       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (owner, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);

CREATE TABLE changes (
    sequence BIGINT PRIMARY KEY,
    at       BIGINT NOT NULL,
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    network  TEXT
);

CREATE TRIGGER audit_keeps_updates_out BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_keeps_deletes_out BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
