-- Row ids of notes, announces and timeline entries sort by time (protocol/ids.py).
-- Instants are UTC text of fixed width (protocol/instants.py). BLOBs named *_sealed, `body` where the
-- row says so, are ciphertext (storage/sealed.py). Lists and maps are JSON text.

-- This directory: what it was made for, who else may sign in its name.
CREATE TABLE instance (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    base_url        TEXT NOT NULL,
    handle_domain   TEXT NOT NULL,
    rsa_key_sealed  BLOB NOT NULL,
    created_at      TEXT NOT NULL,
    setup_token     BLOB,               -- SHA-256 of the one-time link's token
    setup_expires_at TEXT
) STRICT;

-- People, bots, groups and servers, ours and others. HTML here has been sanitised.
CREATE TABLE actors (
    id              INTEGER PRIMARY KEY,
    uri             TEXT NOT NULL UNIQUE,
    host            TEXT NOT NULL,
    username        TEXT NOT NULL,
    handle          TEXT,               -- user@host, only once its own WebFinger confirmed it
    type            TEXT NOT NULL,
    name            TEXT NOT NULL,
    summary         TEXT NOT NULL,
    url             TEXT,
    inbox           TEXT NOT NULL,
    shared_inbox    TEXT,
    outbox          TEXT,
    followers_uri   TEXT,
    featured        TEXT,
    icon_url        TEXT,
    icon_alt        TEXT NOT NULL DEFAULT '',
    image_url       TEXT,
    fields          TEXT NOT NULL DEFAULT '[]',   -- [[name, html], ...]
    emojis          TEXT NOT NULL DEFAULT '{}',   -- {shortcode: url}
    also_known_as   TEXT NOT NULL DEFAULT '[]',
    moved_to        TEXT,
    approves        INTEGER NOT NULL DEFAULT 0,
    discoverable    INTEGER NOT NULL DEFAULT 0,
    indexable       INTEGER NOT NULL DEFAULT 0,
    state           TEXT NOT NULL DEFAULT 'ok' CHECK (state IN ('ok', 'gone', 'suspended')),
    published_at    TEXT,
    fetched_at      TEXT NOT NULL
) STRICT;
CREATE INDEX actors_by_handle ON actors (handle COLLATE NOCASE) WHERE handle IS NOT NULL;
CREATE INDEX actors_by_url ON actors (url) WHERE url IS NOT NULL;

CREATE TABLE actor_keys (
    uri             TEXT PRIMARY KEY,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    kind            TEXT NOT NULL CHECK (kind IN ('rsa', 'ed25519')),
    pem             TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX actor_keys_by_actor ON actor_keys (actor_id);

-- The one local person.
CREATE TABLE owner (
    id                  INTEGER PRIMARY KEY CHECK (id = 1),
    actor_id            INTEGER NOT NULL UNIQUE REFERENCES actors (id),
    handle              TEXT NOT NULL,
    password_hash       TEXT NOT NULL,
    totp_secret_sealed  BLOB NOT NULL,
    totp_last_step      INTEGER NOT NULL,
    rsa_key_sealed      BLOB NOT NULL,
    ed25519_key_sealed  BLOB NOT NULL,
    bio                 TEXT NOT NULL DEFAULT '',     -- Markdown; the actor has the HTML
    hides_follows       INTEGER NOT NULL DEFAULT 0,
    message_policy      TEXT NOT NULL DEFAULT 'anyone'
                        CHECK (message_policy IN ('anyone', 'followed', 'nobody')),
    time_zone           TEXT NOT NULL DEFAULT 'UTC',
    disk_budget_bytes   INTEGER NOT NULL,
    home_read_position  INTEGER NOT NULL DEFAULT 0,
    notifications_read_id INTEGER NOT NULL DEFAULT 0,
    created_at          TEXT NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    code_hash       BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id              INTEGER PRIMARY KEY,
    token_hash      BLOB NOT NULL UNIQUE,
    created_at      TEXT NOT NULL,
    last_used_at    TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    address         TEXT NOT NULL,
    user_agent      TEXT NOT NULL
) STRICT;

CREATE TABLE followers (
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    follow_uri      TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('requested', 'accepted')),
    created_at      TEXT NOT NULL
) STRICT;

CREATE TABLE following (
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    follow_uri      TEXT NOT NULL UNIQUE,
    state           TEXT NOT NULL CHECK (state IN ('requested', 'accepted', 'rejected')),
    created_at      TEXT NOT NULL
) STRICT;

CREATE TABLE blocked_actors (
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    created_at      TEXT NOT NULL
) STRICT;
CREATE TABLE blocked_hosts (
    host            TEXT PRIMARY KEY,       -- and every host below it
    created_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE blocked_by (
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    block_uri       TEXT NOT NULL
) STRICT;

-- Posts, ours and others; never messages. `body` is JSON (storage/notes.py), sealed unless the note
-- is public or unlisted.
CREATE TABLE notes (
    id              INTEGER PRIMARY KEY,
    uri             TEXT NOT NULL UNIQUE,
    public_id       TEXT UNIQUE,            -- ours only
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    visibility      TEXT NOT NULL
                    CHECK (visibility IN ('public', 'unlisted', 'followers', 'limited')),
    url             TEXT,
    in_reply_to_uri TEXT,
    in_reply_to_id  INTEGER REFERENCES notes (id) ON DELETE SET NULL,
    thread_id       INTEGER NOT NULL,       -- id of the topmost note that we know
    published_at    TEXT NOT NULL,
    updated_at      TEXT,
    received_at     TEXT NOT NULL,
    body            BLOB NOT NULL,
    replies         INTEGER NOT NULL DEFAULT 0,
    likes           INTEGER NOT NULL DEFAULT 0,
    announces       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX notes_by_actor ON notes (actor_id, id);
CREATE INDEX notes_by_thread ON notes (thread_id, id);
CREATE INDEX notes_by_parent ON notes (in_reply_to_uri) WHERE in_reply_to_uri IS NOT NULL;
CREATE INDEX notes_by_parent_id ON notes (in_reply_to_id) WHERE in_reply_to_id IS NOT NULL;
CREATE INDEX notes_by_url ON notes (url) WHERE url IS NOT NULL;

CREATE TABLE pinned (                       -- anybody's featured notes, in order
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    PRIMARY KEY (actor_id, note_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX pinned_by_note ON pinned (note_id);

CREATE TABLE note_tags (                    -- of public notes only
    tag             TEXT NOT NULL,
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, note_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX note_tags_by_note ON note_tags (note_id);

CREATE TABLE likes (
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    uri             TEXT NOT NULL UNIQUE,
    created_at      TEXT NOT NULL,
    PRIMARY KEY (note_id, actor_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX likes_by_actor ON likes (actor_id, note_id);

CREATE TABLE announces (
    id              INTEGER PRIMARY KEY,
    uri             TEXT NOT NULL UNIQUE,
    public_id       TEXT UNIQUE,            -- ours only
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    visibility      TEXT NOT NULL CHECK (visibility IN ('public', 'unlisted', 'followers')),
    published_at    TEXT NOT NULL,
    UNIQUE (note_id, actor_id)
) STRICT;
CREATE INDEX announces_by_actor ON announces (actor_id, id);

CREATE TABLE bookmarks (
    note_id         INTEGER PRIMARY KEY REFERENCES notes (id) ON DELETE CASCADE,
    created_at      TEXT NOT NULL
) STRICT;

-- Home. A post stands once, and once more for each boost of it. `position` sorts by arrival, or by
-- the time of publishing for what was fetched afterwards, so that old posts do not jump to the top.
CREATE TABLE home (
    position        INTEGER PRIMARY KEY,
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    announce_id     INTEGER REFERENCES announces (id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX home_notes ON home (note_id) WHERE announce_id IS NULL;
CREATE INDEX home_by_note ON home (note_id);
CREATE UNIQUE INDEX home_announces ON home (announce_id) WHERE announce_id IS NOT NULL;

CREATE TABLE notifications (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT NOT NULL
                    CHECK (kind IN ('follow', 'follow_request', 'mention', 'like', 'announce',
                                    'follow_accepted', 'update')),
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    note_id         INTEGER REFERENCES notes (id) ON DELETE CASCADE,
    created_at      TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX notifications_once
    ON notifications (kind, actor_id, coalesce(note_id, 0));
CREATE INDEX notifications_by_actor ON notifications (actor_id);
CREATE INDEX notifications_by_note ON notifications (note_id) WHERE note_id IS NOT NULL;

-- Messages: a place of their own. Who with whom and when is readable; what was said is not.
CREATE TABLE conversations (
    id              INTEGER PRIMARY KEY,
    people_key      BLOB NOT NULL UNIQUE,   -- stands for the set of people beside the owner
    state           TEXT NOT NULL CHECK (state IN ('open', 'request')),
    read_message_id INTEGER NOT NULL DEFAULT 0,
    last_message_id INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX conversations_by_last ON conversations (state, last_message_id);
CREATE TABLE conversation_people (
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id),
    PRIMARY KEY (conversation_id, actor_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_people_by_actor ON conversation_people (actor_id);
CREATE TABLE messages (
    id              INTEGER PRIMARY KEY,    -- sorts by arrival
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id),
    uri_key         BLOB NOT NULL UNIQUE,   -- stands for the message's URI
    body_sealed     BLOB NOT NULL
) STRICT;
CREATE INDEX messages_by_conversation ON messages (conversation_id, id);
CREATE INDEX messages_by_actor ON messages (actor_id);

-- What was deleted, so that a late Create cannot bring it back. `was_public` is set only for ours.
CREATE TABLE tombstones (
    uri             TEXT PRIMARY KEY,
    deleted_at      TEXT NOT NULL,
    was_public      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Pictures of our own: of posts, profile, messages. The bytes lie in files, sealed if `sealed`.
CREATE TABLE media (
    public_id       TEXT PRIMARY KEY,
    media_type      TEXT NOT NULL,
    size_bytes      INTEGER NOT NULL,
    width           INTEGER NOT NULL,
    height          INTEGER NOT NULL,
    blurhash        TEXT NOT NULL,
    sealed          INTEGER NOT NULL,
    note_id         INTEGER REFERENCES notes (id) ON DELETE CASCADE,
    message_id      INTEGER REFERENCES messages (id) ON DELETE CASCADE,
    created_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX media_by_note ON media (note_id) WHERE note_id IS NOT NULL;
CREATE INDEX media_by_message ON media (message_id) WHERE message_id IS NOT NULL;

-- Copies of others' pictures; files may be dropped at any time and fetched again.
CREATE TABLE cached_media (
    key             TEXT PRIMARY KEY,       -- stands for the URL; names the file
    media_type      TEXT NOT NULL,          -- '' = it could not be had
    size_bytes      INTEGER NOT NULL,
    fetched_at      TEXT NOT NULL,
    used_at         TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cached_media_by_use ON cached_media (used_at);

-- Activities that arrived and were answered 202. A row without body has been handled, and stays a
-- while so that a repeat is recognised.
CREATE TABLE received (
    id              INTEGER PRIMARY KEY,
    uri_key         BLOB NOT NULL UNIQUE,
    actor_uri       TEXT NOT NULL,
    body_sealed     BLOB,
    received_at     TEXT NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    due_at          TEXT                    -- NULL = done
) STRICT;
CREATE INDEX received_due ON received (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX received_done ON received (received_at) WHERE due_at IS NULL;

-- Other servers, as far as we send to them.
CREATE TABLE hosts (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE,   -- host[:port]
    due_at          TEXT,                   -- NULL = nothing waits
    is_leased       INTEGER NOT NULL DEFAULT 0,   -- somebody is at it, until due_at at most
    failing_since   TEXT,
    attempts        INTEGER NOT NULL DEFAULT 0,
    is_slow         INTEGER NOT NULL DEFAULT 0,
    prefers_rfc9421 INTEGER NOT NULL DEFAULT 0,
    preference_at   TEXT
) STRICT;
CREATE INDEX hosts_due ON hosts (is_slow, due_at, id) WHERE due_at IS NOT NULL;

-- An activity of ours on its way, stored once, and a row for each inbox that still needs it.
CREATE TABLE outgoing (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    body_sealed     BLOB,                   -- NULL = done: only the receipt is kept
    note_id         INTEGER,                -- for the note's delivery receipt
    inboxes         INTEGER NOT NULL,
    dropped         INTEGER NOT NULL DEFAULT 0,   -- of them, those given up
    created_at      TEXT NOT NULL
) STRICT;
CREATE INDEX outgoing_by_note ON outgoing (note_id) WHERE note_id IS NOT NULL;
CREATE INDEX outgoing_done ON outgoing (created_at) WHERE body_sealed IS NULL;
CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    outgoing_id     INTEGER NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
    host_id         INTEGER NOT NULL REFERENCES hosts (id),
    inbox           TEXT NOT NULL,
    object_key      BLOB NOT NULL,          -- stands for what it is about: order is kept within it
    attempts        INTEGER NOT NULL DEFAULT 0,
    aside_until     TEXT,                   -- refused alone: later ones of its object wait for it
    UNIQUE (outgoing_id, inbox)
) STRICT;
CREATE INDEX deliveries_ready ON deliveries (host_id, id) WHERE aside_until IS NULL;
CREATE INDEX deliveries_aside ON deliveries (host_id, aside_until) WHERE aside_until IS NOT NULL;
CREATE INDEX deliveries_by_object ON deliveries (host_id, object_key, id);

-- Everything else to be done later.
CREATE TABLE jobs (
    id              INTEGER PRIMARY KEY,
    kind            TEXT NOT NULL,
    key             TEXT NOT NULL,
    due_at          TEXT NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    UNIQUE (kind, key)
) STRICT;
CREATE INDEX jobs_due ON jobs (due_at);
