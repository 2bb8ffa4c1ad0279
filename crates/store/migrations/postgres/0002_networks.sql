-- Networks and what belongs to them. JSON is TEXT, times are microseconds, booleans are 0 and 1.

CREATE TABLE networks (
    id TEXT PRIMARY KEY NOT NULL,
    consortium TEXT NOT NULL REFERENCES consortia (id),
    name TEXT NOT NULL,
    engine TEXT NOT NULL,
    consensus TEXT NOT NULL,
    -- What the planner is given, but for placements and outputs.
    spec TEXT NOT NULL,
    options TEXT NOT NULL,
    chain_id BIGINT UNIQUE,
    -- How far its life has come: creating, ready, failed, deleting.
    phase TEXT NOT NULL,
    -- What is wanted of its nodes: running, stopped.
    wanted TEXT NOT NULL,
    -- What was derived from the newest observation.
    status TEXT NOT NULL,
    status_reason TEXT,
    height BIGINT,
    progress_at BIGINT,
    -- Height up to which blocks are counted in `statistics`.
    counted BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (consortium, name)
);

CREATE TABLE network_members (
    network TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
    organisation TEXT NOT NULL REFERENCES organisations (id),
    position BIGINT NOT NULL,
    PRIMARY KEY (network, organisation)
);

CREATE TABLE nodes (
    id TEXT PRIMARY KEY NOT NULL,
    network TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
    -- Without the network's name.
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    organisation TEXT NOT NULL REFERENCES organisations (id),
    role TEXT NOT NULL,
    host TEXT NOT NULL,
    wanted BIGINT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT,
    height BIGINT,
    pid BIGINT,
    restarts BIGINT NOT NULL DEFAULT 0,
    started_at BIGINT,
    facts TEXT NOT NULL DEFAULT '{}',
    observed_at BIGINT,
    UNIQUE (network, name)
);

-- Where the host put each named port of a node; stable over restarts.
CREATE TABLE placements (
    node TEXT NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
    port TEXT NOT NULL,
    host TEXT NOT NULL,
    -- The part that must not be given twice on a host.
    number BIGINT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (node, port),
    UNIQUE (host, number)
);

-- What finished jobs and steps gave; the planner reads it.
CREATE TABLE outputs (
    network TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
    -- The job or step that gave it; the row says that it is done, also when it gave nothing.
    source TEXT NOT NULL,
    entries TEXT NOT NULL,
    PRIMARY KEY (network, source)
);

-- Stays when its subject is gone.
CREATE TABLE operations (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    network TEXT NOT NULL,
    consortium TEXT NOT NULL,
    status TEXT NOT NULL,
    -- 1: its steps are being taken back.
    undoing BIGINT NOT NULL DEFAULT 0,
    error TEXT,
    actor TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT
);
CREATE INDEX operations_subject ON operations (subject, created_at);
-- One change of a network at a time.
CREATE UNIQUE INDEX operations_active ON operations (network) WHERE status IN ('queued', 'running', 'waiting');

CREATE TABLE steps (
    operation TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    message TEXT,
    attempts BIGINT NOT NULL DEFAULT 0,
    started_at BIGINT,
    finished_at BIGINT,
    PRIMARY KEY (operation, position)
);

CREATE TABLE accounts (
    id TEXT PRIMARY KEY NOT NULL,
    network TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
    organisation TEXT NOT NULL REFERENCES organisations (id),
    address TEXT NOT NULL,
    -- Encrypted with the master key; the account's id is bound to it.
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (network, organisation),
    UNIQUE (network, address)
);

CREATE TABLE contracts (
    id TEXT PRIMARY KEY NOT NULL,
    network TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    interface TEXT NOT NULL,
    transaction_hash TEXT,
    organisation TEXT REFERENCES organisations (id),
    created_at BIGINT NOT NULL,
    UNIQUE (network, address)
);

-- Transactions that went through the platform. Recorded before they are sent.
CREATE TABLE transactions (
    network TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    -- Null when it was signed elsewhere.
    account TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    nonce BIGINT,
    -- The signed bytes; the same bytes may be offered again without harm, as the ledger takes them at most once.
    raw TEXT NOT NULL,
    -- For a deployment: name and interface, so that the contract is registered also after a crash.
    deploys TEXT,
    -- sending, pending, unknown, success, reverted, refused.
    status TEXT NOT NULL,
    message TEXT,
    offers BIGINT NOT NULL DEFAULT 0,
    submitted_at BIGINT NOT NULL,
    finished_at BIGINT,
    block BIGINT,
    gas_used BIGINT,
    address TEXT,
    PRIMARY KEY (network, hash)
);
CREATE INDEX transactions_open ON transactions (network, status);
CREATE INDEX transactions_account ON transactions (account, nonce);
CREATE INDEX transactions_finished ON transactions (network, finished_at);

CREATE TABLE samples (
    node TEXT NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    cpu DOUBLE PRECISION NOT NULL,
    memory_bytes BIGINT NOT NULL,
    disk_bytes BIGINT NOT NULL,
    PRIMARY KEY (node, at)
);

-- Counted blocks by interval of a few seconds.
CREATE TABLE statistics (
    network TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    blocks BIGINT NOT NULL,
    transactions BIGINT NOT NULL,
    -- Sum of the times between each block and the one before it, and how many were added.
    interval_sum_us BIGINT NOT NULL,
    intervals BIGINT NOT NULL,
    PRIMARY KEY (network, at)
);

-- Background tasks that a person stopped or started.
CREATE TABLE tasks (
    name TEXT PRIMARY KEY NOT NULL,
    wanted BIGINT NOT NULL,
    state TEXT NOT NULL DEFAULT '{}'
);
