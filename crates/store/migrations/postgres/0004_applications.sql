-- Programs of members that reach networks' JSON-RPC through the server.

CREATE TABLE applications (
    id           TEXT PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL,
    organisation TEXT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    secret_hash  TEXT NOT NULL,
    -- Whether it may look into nodes.
    inspect      BIGINT NOT NULL,
    calls        BIGINT NOT NULL DEFAULT 0,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    UNIQUE (organisation, name)
);

CREATE TABLE application_networks (
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    network     TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
    PRIMARY KEY (application, network)
);
CREATE INDEX application_networks_network ON application_networks (network);
