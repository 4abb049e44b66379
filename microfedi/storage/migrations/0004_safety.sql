-- The owner's safety: the door log, the message vault, passkeys, acts that wait for a day.
-- Instants are UTC text of fixed width. What is called sealed is encrypted.

-- Who came to the door, and what was done there. Lines are added, and never changed: each carries
-- an authenticated link to the one before it, so that a gap shows.
CREATE TABLE door_log (
    number          INTEGER PRIMARY KEY,    -- 1, 2, 3 ...
    at              TEXT NOT NULL,
    kind            TEXT NOT NULL,
    detail          TEXT NOT NULL,
    address         TEXT NOT NULL,
    browser         TEXT NOT NULL,
    link            BLOB NOT NULL
) STRICT;

CREATE TRIGGER door_log_keeps_lines BEFORE UPDATE ON door_log
BEGIN
    SELECT raise(ABORT, 'the door log is never changed');
END;

-- The newest ten thousand stay; older ones may be dropped, the oldest first. A deleted account
-- takes it all along.
CREATE TRIGGER door_log_keeps_newest BEFORE DELETE ON door_log
WHEN NOT EXISTS (SELECT 1 FROM owner WHERE deleted_at IS NOT NULL)
 AND (old.number > (SELECT max(number) FROM door_log) - 10000
      OR old.number > (SELECT min(number) FROM door_log))
BEGIN
    SELECT raise(ABORT, 'the door log is never shortened');
END;

ALTER TABLE instance ADD COLUMN door_log_end BLOB;  -- stands for number and link of the newest line

-- Where the owner logged in before: a cookie of the browser, and the network. Hashes.
CREATE TABLE recognised (
    kind            TEXT NOT NULL CHECK (kind IN ('browser', 'network')),
    mark            BLOB NOT NULL,
    last_at         TEXT NOT NULL,
    PRIMARY KEY (kind, mark)
) STRICT, WITHOUT ROWID;

ALTER TABLE owner ADD COLUMN door_seen INTEGER NOT NULL DEFAULT 0;  -- logins up to this line are known

-- What the owner is told of at once: a row for each way, written with what happened. A browser's
-- row has where to push of its own: a thief who ends sessions does not silence what came before.
CREATE TABLE alerts (
    id              INTEGER PRIMARY KEY,
    kind            TEXT NOT NULL,          -- as in the door log, or 'test'
    at              TEXT NOT NULL,
    channel         TEXT NOT NULL CHECK (channel IN ('push', 'mail')),
    browser_sealed  BLOB,                   -- of push_subscriptions, with what it is bound to
    browser_bound   TEXT,
    attempts        INTEGER NOT NULL DEFAULT 0,
    due_at          TEXT,                   -- NULL: sent, or given up
    problem         TEXT NOT NULL DEFAULT '',   -- of the last attempt
    ended_at        TEXT                    -- when it was sent, or given up
) STRICT;

CREATE INDEX alerts_due ON alerts (due_at) WHERE due_at IS NOT NULL;

-- The message vault (docs/vault.md). Its keys: the public half seals what arrives; the secret half
-- is wrapped by the vault's master key, and that by each way in. A vault that nobody can open any
-- more is followed by another one, and stays: somebody may remember.
CREATE TABLE vault_keys (
    number          INTEGER PRIMARY KEY,
    vault           INTEGER NOT NULL,
    public          BLOB NOT NULL,
    secret_wrapped  BLOB NOT NULL,
    created_at      TEXT NOT NULL
) STRICT;

CREATE TABLE vault_ways (
    vault           INTEGER NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('password', 'recovery', 'passkey')),
    holder          TEXT NOT NULL,          -- which passkey; '' for the others
    master_wrapped  BLOB NOT NULL,
    hashed          TEXT NOT NULL DEFAULT '',   -- of a password that is the login's no more: how
    created_at      TEXT NOT NULL,
    PRIMARY KEY (vault, kind, holder)
) STRICT, WITHOUT ROWID;

-- Passkeys (WebAuthn): as second factor, or alone.
CREATE TABLE passkeys (
    id              INTEGER PRIMARY KEY,
    credential      BLOB NOT NULL UNIQUE,
    public_key_sealed BLOB NOT NULL,        -- COSE
    uses            INTEGER NOT NULL,       -- the authenticator's own count; 0 = it has none
    name            TEXT NOT NULL,
    has_prf         INTEGER NOT NULL DEFAULT 0,   -- can open the vault
    created_at      TEXT NOT NULL,
    last_used_at    TEXT
) STRICT;

ALTER TABLE owner ADD COLUMN passkey_user BLOB;     -- random; what authenticators call the owner by

-- What cannot be undone waits for a day, so that the owner can stop a thief.
CREATE TABLE pending_acts (
    kind            TEXT PRIMARY KEY CHECK (kind IN ('delete', 'move')),
    detail_sealed   BLOB NOT NULL,          -- where to, of a move
    asked_at        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE owner ADD COLUMN vault_idle_minutes INTEGER NOT NULL DEFAULT 15
    CHECK (vault_idle_minutes IN (5, 15, 60, 720));

-- Files of messages: under the server key as long as others may fetch them, in the vault then.
ALTER TABLE media ADD COLUMN in_vault INTEGER NOT NULL DEFAULT 0;

CREATE TABLE scheduled_messages (
    key             TEXT PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    send_at         TEXT,                   -- NULL: could not be sent, and waits for the owner
    body_sealed     BLOB NOT NULL           -- by the server key; by the vault if it was not sent
) STRICT, WITHOUT ROWID;

CREATE INDEX scheduled_messages_by_conversation ON scheduled_messages (conversation_id);

-- Whose an inbox is: of those that are on another server than their actor, nobody else is kept waiting.
CREATE INDEX actors_by_inbox ON actors (inbox);
CREATE INDEX actors_by_shared_inbox ON actors (shared_inbox) WHERE shared_inbox IS NOT NULL;
