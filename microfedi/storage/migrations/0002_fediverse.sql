-- What the whole Fediverse sends and an owner may do: polls, quotes, reactions, groups, circles,
-- mutes, reports, moves. Instants are UTC text of fixed width. What is called sealed is encrypted.

-- Notifications of more kinds. `detail` is the emoji of a reaction.
CREATE TABLE notifications_wider (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT NOT NULL
                    CHECK (kind IN ('follow', 'follow_request', 'mention', 'like', 'announce',
                                    'follow_accepted', 'update', 'reaction', 'poll', 'quote',
                                    'quote_request', 'quote_accepted', 'moved', 'report',
                                    'feature', 'feature_request')),
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    note_id         INTEGER REFERENCES notes (id) ON DELETE CASCADE,
    detail          TEXT NOT NULL DEFAULT '',
    created_at      TEXT NOT NULL
) STRICT;
INSERT INTO notifications_wider (id, kind, actor_id, note_id, created_at)
SELECT id, kind, actor_id, note_id, created_at FROM notifications;
DROP TABLE notifications;
ALTER TABLE notifications_wider RENAME TO notifications;
CREATE INDEX notifications_by_actor ON notifications (actor_id);
CREATE INDEX notifications_by_note ON notifications (note_id) WHERE note_id IS NOT NULL;
CREATE UNIQUE INDEX notifications_once
    ON notifications (kind, actor_id, coalesce(note_id, 0), detail);

-- Polls. What the options say lies in the note's body; who chose what is nowhere: `vote_key` stands
-- for note, voter and option together.
CREATE TABLE polls (
    note_id         INTEGER PRIMARY KEY REFERENCES notes (id) ON DELETE CASCADE,
    ends_at         TEXT,
    closed_at       TEXT,
    voters          INTEGER NOT NULL DEFAULT 0,
    counts          TEXT NOT NULL           -- [votes, ...] in the order of the options
) STRICT;
CREATE INDEX polls_ending ON polls (ends_at) WHERE closed_at IS NULL AND ends_at IS NOT NULL;

CREATE TABLE votes (
    vote_key        BLOB PRIMARY KEY,
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX votes_by_note ON votes (note_id, actor_id);
CREATE INDEX votes_by_actor ON votes (actor_id);

-- Reactions with an emoji, beside likes.
CREATE TABLE reactions (
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    name            TEXT NOT NULL,          -- one emoji, or :shortcode:
    emoji_url       TEXT,                   -- of the picture of a :shortcode:
    uri             TEXT NOT NULL UNIQUE,
    created_at      TEXT NOT NULL,
    PRIMARY KEY (note_id, actor_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX reactions_by_actor ON reactions (actor_id);

-- Posts that quote another, ours and others'. Only `accepted` is shown as a quote.
CREATE TABLE quotes (
    note_id         INTEGER PRIMARY KEY REFERENCES notes (id) ON DELETE CASCADE,
    quoted_uri      TEXT NOT NULL,
    state           TEXT NOT NULL
                    CHECK (state IN ('unknown', 'pending', 'accepted', 'rejected', 'revoked')),
    authorization   TEXT,                   -- the stamp, on the server of the quoted author
    request_uri     TEXT UNIQUE,            -- our own QuoteRequest
    checked_at      TEXT
) STRICT;
CREATE INDEX quotes_by_quoted ON quotes (quoted_uri);

-- Who asked to quote or to answer a post of ours, and our stamps.
CREATE TABLE stamps (
    public_id       TEXT PRIMARY KEY,
    kind            TEXT NOT NULL CHECK (kind IN ('quote', 'reply')),
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    other_uri       TEXT NOT NULL,          -- the post that quotes or answers
    request_uri     TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'rejected', 'revoked')),
    created_at      TEXT NOT NULL,
    UNIQUE (kind, note_id, other_uri)
) STRICT, WITHOUT ROWID;
CREATE INDEX stamps_by_note ON stamps (note_id);
CREATE INDEX stamps_by_actor ON stamps (actor_id);

-- Who asked to put the owner into a collection of theirs (FEP-7aa9), and our answers.
CREATE TABLE feature_stamps (
    public_id       TEXT PRIMARY KEY,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    collection_uri  TEXT NOT NULL UNIQUE,
    request_uri     TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'rejected', 'revoked')),
    created_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX feature_stamps_by_actor ON feature_stamps (actor_id);

-- Earlier versions of posts. `body` is ciphertext unless the note is open.
CREATE TABLE note_versions (
    id              INTEGER PRIMARY KEY,
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    written_at      TEXT NOT NULL,
    body            BLOB NOT NULL
) STRICT;
CREATE INDEX note_versions_by_note ON note_versions (note_id, id);

-- Groups (FEP-1b12): which group shared a note, so that it stands at Home once.
CREATE TABLE group_notes (
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    group_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    state           TEXT NOT NULL DEFAULT 'shown' CHECK (state IN ('shown', 'hidden', 'locked')),
    PRIMARY KEY (note_id, group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_notes_by_group ON group_notes (group_id, note_id);

-- A named audience smaller than all followers. `name_sealed`: whom one calls "family" is private.
CREATE TABLE circles (
    id              INTEGER PRIMARY KEY,
    public_id       TEXT NOT NULL UNIQUE,
    name_sealed     BLOB NOT NULL,
    created_at      TEXT NOT NULL
) STRICT;
CREATE TABLE circle_people (
    circle_id       INTEGER NOT NULL REFERENCES circles (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    PRIMARY KEY (circle_id, actor_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX circle_people_by_actor ON circle_people (actor_id);
-- Who got a post for a circle. Edits go to them alone, whoever is in the circle by then.
CREATE TABLE circle_notes (
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    PRIMARY KEY (note_id, actor_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX circle_notes_by_actor ON circle_notes (actor_id);

-- Mutes: what is not shown at Home, of whom nothing is told. NULL = until the owner ends it.
CREATE TABLE muted_actors (
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    with_notifications INTEGER NOT NULL DEFAULT 1,      -- those are not told either
    until           TEXT,
    created_at      TEXT NOT NULL
) STRICT;
CREATE TABLE muted_threads (
    thread_id       INTEGER PRIMARY KEY,    -- as notes.thread_id
    until           TEXT,
    created_at      TEXT NOT NULL
) STRICT;
CREATE TABLE muted_hosts (
    host            TEXT PRIMARY KEY,       -- and every host below it
    until           TEXT,
    created_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE blocked_actors ADD COLUMN until TEXT;
ALTER TABLE blocked_actors ADD COLUMN uri TEXT;         -- of the Block that was sent; NULL = none
ALTER TABLE blocked_hosts ADD COLUMN until TEXT;

-- What others reported to us, and what the owner reported.
CREATE TABLE reports (
    id              INTEGER PRIMARY KEY,
    uri_key         BLOB NOT NULL UNIQUE,
    actor_id        INTEGER REFERENCES actors (id) ON DELETE SET NULL,
    is_mine         INTEGER NOT NULL DEFAULT 0,
    body_sealed     BLOB NOT NULL,          -- whom, which posts, what is said
    created_at      TEXT NOT NULL
) STRICT;
CREATE INDEX reports_by_actor ON reports (actor_id) WHERE actor_id IS NOT NULL;

-- When somebody last moved: once in a while is enough.
CREATE TABLE moves (
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    target_uri      TEXT NOT NULL,
    moved_at        TEXT NOT NULL
) STRICT;

-- End-to-end encrypted objects (MLS), byte for byte. Nothing of them is read.
CREATE TABLE encrypted_objects (
    id              INTEGER PRIMARY KEY,
    uri_key         BLOB NOT NULL UNIQUE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    type            TEXT NOT NULL,
    body_sealed     BLOB NOT NULL,
    received_at     TEXT NOT NULL
) STRICT;
CREATE INDEX encrypted_objects_by_actor ON encrypted_objects (actor_id, id);

-- Own custom emoji, and hashtags on the profile.
CREATE TABLE own_emojis (
    shortcode       TEXT PRIMARY KEY,
    file            TEXT NOT NULL,          -- names the file, as media.public_id does
    media_type      TEXT NOT NULL,
    updated_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE featured_tags (
    tag             TEXT PRIMARY KEY,
    position        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Films and sounds of others that are too large for a copy: the pages link to them.
ALTER TABLE cached_media ADD COLUMN is_too_large INTEGER NOT NULL DEFAULT 0;

-- What a link of an open post leads to.
CREATE TABLE previews (
    url             TEXT PRIMARY KEY,
    title           TEXT NOT NULL,          -- '' = it could not be had
    description     TEXT NOT NULL,
    image_url       TEXT,
    author          TEXT NOT NULL DEFAULT '',
    fetched_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How the last look for a thread's missing posts went; and when a post was last asked for again.
CREATE TABLE thread_fetches (
    thread_id       INTEGER PRIMARY KEY,    -- as notes.thread_id
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done')),
    found           INTEGER NOT NULL DEFAULT 0,
    problems_sealed BLOB,                   -- whom we asked in vain, and why
    changed_at      TEXT NOT NULL
) STRICT;
ALTER TABLE notes ADD COLUMN checked_at TEXT;

-- How something is sent: signed by the key before the last or by the server's own, and with a digest
-- of the followers there.
ALTER TABLE outgoing ADD COLUMN by_instance INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outgoing ADD COLUMN by_old_key INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outgoing ADD COLUMN for_followers INTEGER NOT NULL DEFAULT 0;

-- Answers of others that were passed on to followers within the last hour.
CREATE TABLE forwards (
    id              INTEGER PRIMARY KEY,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    forwarded_at    TEXT NOT NULL
) STRICT;
CREATE INDEX forwards_by_actor ON forwards (actor_id);

-- The owner's wishes and keys.
ALTER TABLE owner ADD COLUMN quote_policy TEXT NOT NULL DEFAULT 'anyone'
    CHECK (quote_policy IN ('anyone', 'followers', 'ask', 'nobody'));
ALTER TABLE owner ADD COLUMN reply_policy TEXT NOT NULL DEFAULT 'anyone'
    CHECK (reply_policy IN ('anyone', 'followers', 'mentioned'));
ALTER TABLE owner ADD COLUMN feature_policy TEXT NOT NULL DEFAULT 'ask'
    CHECK (feature_policy IN ('anyone', 'ask', 'nobody'));
ALTER TABLE owner ADD COLUMN sends_blocks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE owner ADD COLUMN attribution_domains TEXT NOT NULL DEFAULT '[]';
ALTER TABLE owner ADD COLUMN key_number INTEGER NOT NULL DEFAULT 1;
ALTER TABLE owner ADD COLUMN old_rsa_key_sealed BLOB;
ALTER TABLE owner ADD COLUMN old_ed25519_key_sealed BLOB;
ALTER TABLE owner ADD COLUMN keys_changed_at TEXT;
ALTER TABLE owner ADD COLUMN moved_at TEXT;
ALTER TABLE owner ADD COLUMN deleted_at TEXT;
ALTER TABLE owner ADD COLUMN erased_at TEXT;            -- everybody was told: no key is shown any more
ALTER TABLE actors ADD COLUMN featured_tags TEXT;
ALTER TABLE actors ADD COLUMN following_uri TEXT;
ALTER TABLE actors ADD COLUMN memorial INTEGER NOT NULL DEFAULT 0;
ALTER TABLE actors ADD COLUMN can_feature TEXT NOT NULL DEFAULT '';
