-- Organisations' certificate authorities, and what they issued for networks. Keys are encrypted with the master key.

CREATE TABLE authorities (
    organisation TEXT NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    -- signing, tls.
    usage TEXT NOT NULL,
    certificate TEXT NOT NULL,
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organisation, usage)
);

CREATE TABLE identities (
    network TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
    -- As the network's plan names it.
    name TEXT NOT NULL,
    organisation TEXT NOT NULL REFERENCES organisations (id),
    certificate TEXT NOT NULL,
    secret TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (network, name)
);

-- The channel of a network that has channels.
ALTER TABLE contracts ADD COLUMN channel TEXT;
ALTER TABLE transactions ADD COLUMN channel TEXT;

-- What an operation is to bring about, as far as its subject does not say it.
ALTER TABLE operations ADD COLUMN details TEXT NOT NULL DEFAULT 'null';
