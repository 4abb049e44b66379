-- What the owner's pages need: words, looks, reading habits, drafts, lists, filters, search, trust.

-- Words and looks
ALTER TABLE owner ADD COLUMN language TEXT NOT NULL DEFAULT '';    -- '' = as the browser asks

-- Home, lists, hashtags, filters

-- Notifications and strangers
ALTER TABLE notifications ADD COLUMN is_held INTEGER NOT NULL DEFAULT 0;    -- of strangers: waits
CREATE INDEX notifications_by_kind ON notifications (kind, id);
CREATE INDEX notifications_held ON notifications (actor_id, id) WHERE is_held;

CREATE TABLE notification_rules (           -- what strangers meet; no row: the owner is told
    about           TEXT PRIMARY KEY
                    CHECK (about IN ('not_followed', 'not_following', 'new', 'private')),
    rule            TEXT NOT NULL CHECK (rule IN ('filter', 'ignore'))
) STRICT, WITHOUT ROWID;

CREATE TABLE notification_people (          -- who is told of, whatever the rules say
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    created_at      TEXT NOT NULL
) STRICT;

ALTER TABLE hosts ADD COLUMN problem TEXT NOT NULL DEFAULT '';      -- why it failed the last time
ALTER TABLE deliveries ADD COLUMN problem TEXT NOT NULL DEFAULT ''; -- why this one did
ALTER TABLE outgoing ADD COLUMN hosts_sealed BLOB;                  -- of a note: to whom it goes
CREATE INDEX hosts_failing ON hosts (failing_since) WHERE failing_since IS NOT NULL;

CREATE TABLE undelivered (                  -- of notes: what was given up
    outgoing_id     INTEGER NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
    host_id         INTEGER NOT NULL REFERENCES hosts (id),
    inboxes         INTEGER NOT NULL,
    problem         TEXT NOT NULL,
    given_up_at     TEXT NOT NULL,
    PRIMARY KEY (outgoing_id, host_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX undelivered_by_host ON undelivered (host_id);

-- Writing: drafts, what waits for its time

-- Search

-- Messages

-- Trust: who somebody is

-- Push
