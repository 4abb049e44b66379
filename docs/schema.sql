-- The schema as it is now, written by `make schema`; microfedi/storage/migrations/ makes it.
-- Instants are UTC text of fixed width. What is called sealed is encrypted (storage/sealed.py).

CREATE TABLE actor_events (                 -- what changed of somebody that may mean somebody else
    id              INTEGER PRIMARY KEY,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    kind            TEXT NOT NULL CHECK (kind IN ('key', 'moved', 'inbox', 'handle')),
    at              TEXT NOT NULL,
    detail          TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX actor_events_by_actor ON actor_events (actor_id, id);

CREATE TABLE actor_keys (
    uri             TEXT PRIMARY KEY,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    kind            TEXT NOT NULL CHECK (kind IN ('rsa', 'ed25519')),
    pem             TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX actor_keys_by_actor ON actor_keys (actor_id);

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
, featured_tags TEXT, following_uri TEXT, memorial INTEGER NOT NULL DEFAULT 0, can_feature TEXT NOT NULL DEFAULT '') STRICT;

CREATE INDEX actors_by_handle ON actors (handle COLLATE NOCASE) WHERE handle IS NOT NULL;

CREATE INDEX actors_by_inbox ON actors (inbox);

CREATE INDEX actors_by_shared_inbox ON actors (shared_inbox) WHERE shared_inbox IS NOT NULL;

CREATE INDEX actors_by_url ON actors (url) WHERE url IS NOT NULL;

CREATE TRIGGER familiar_changed
    AFTER UPDATE OF name, username, handle, icon_url, also_known_as ON actors
    WHEN (old.name != new.name OR old.username != new.username
          OR old.handle IS NOT new.handle OR old.icon_url IS NOT new.icon_url
          OR old.also_known_as != new.also_known_as)
     AND (EXISTS (SELECT 1 FROM following WHERE actor_id = new.id)
          OR EXISTS (SELECT 1 FROM owner WHERE actor_id = new.id))
BEGIN
    UPDATE familiar SET version = version + 1;
END;

CREATE TRIGGER search_changed_person AFTER UPDATE OF name, username, host ON actors
    WHEN old.name != new.name OR old.username != new.username OR old.host != new.host
BEGIN
    INSERT INTO search_waiting (kind, id) VALUES ('person', new.id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER search_deleted_person AFTER DELETE ON actors BEGIN
    INSERT INTO search_waiting (kind, id) VALUES ('person', old.id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER search_new_person AFTER INSERT ON actors BEGIN
    INSERT INTO search_waiting (kind, id) VALUES ('person', new.id) ON CONFLICT DO NOTHING;
END;

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

CREATE TABLE blocked_actors (
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    created_at      TEXT NOT NULL
, until TEXT, uri TEXT) STRICT;

CREATE TABLE blocked_by (
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    block_uri       TEXT NOT NULL
) STRICT;

CREATE TABLE blocked_hosts (
    host            TEXT PRIMARY KEY,       -- and every host below it
    created_at      TEXT NOT NULL
, until TEXT) STRICT, WITHOUT ROWID;

CREATE TABLE bookmarks (
    note_id         INTEGER PRIMARY KEY REFERENCES notes (id) ON DELETE CASCADE,
    created_at      TEXT NOT NULL
) STRICT;

CREATE TABLE cached_media (
    key             TEXT PRIMARY KEY,       -- stands for the URL; names the file
    media_type      TEXT NOT NULL,          -- '' = it could not be had
    size_bytes      INTEGER NOT NULL,
    fetched_at      TEXT NOT NULL,
    used_at         TEXT NOT NULL
, is_too_large INTEGER NOT NULL DEFAULT 0, likeness TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;

CREATE INDEX cached_media_by_use ON cached_media (used_at);

CREATE TABLE circle_notes (
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    PRIMARY KEY (note_id, actor_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX circle_notes_by_actor ON circle_notes (actor_id);

CREATE TABLE circle_people (
    circle_id       INTEGER NOT NULL REFERENCES circles (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    PRIMARY KEY (circle_id, actor_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX circle_people_by_actor ON circle_people (actor_id);

CREATE TABLE circles (
    id              INTEGER PRIMARY KEY,
    public_id       TEXT NOT NULL UNIQUE,
    name_sealed     BLOB NOT NULL,
    created_at      TEXT NOT NULL
) STRICT;

CREATE TABLE conversation_people (
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id),
    PRIMARY KEY (conversation_id, actor_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX conversation_people_by_actor ON conversation_people (actor_id);

CREATE TABLE conversations (
    id              INTEGER PRIMARY KEY,
    people_key      BLOB NOT NULL UNIQUE,   -- stands for the set of people beside the owner
    state           TEXT NOT NULL CHECK (state IN ('open', 'request')),
    read_message_id INTEGER NOT NULL DEFAULT 0,
    last_message_id INTEGER NOT NULL DEFAULT 0
, kept_days INTEGER                 -- NULL = for good
    CHECK (kept_days IN (1, 7, 30, 90))) STRICT;

CREATE INDEX conversations_by_last ON conversations (state, last_message_id);

CREATE TABLE declined_people (              -- what they write is not kept, until they are written to
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    declined_at     TEXT NOT NULL
) STRICT;

CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    outgoing_id     INTEGER NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
    host_id         INTEGER NOT NULL REFERENCES hosts (id),
    inbox           TEXT NOT NULL,
    object_key      BLOB NOT NULL,          -- stands for what it is about: order is kept within it
    attempts        INTEGER NOT NULL DEFAULT 0,
    aside_until     TEXT, problem TEXT NOT NULL DEFAULT '',                   -- refused alone: later ones of its object wait for it
    UNIQUE (outgoing_id, inbox)
) STRICT;

CREATE INDEX deliveries_aside ON deliveries (host_id, aside_until) WHERE aside_until IS NOT NULL;

CREATE INDEX deliveries_by_object ON deliveries (host_id, object_key, id);

CREATE INDEX deliveries_ready ON deliveries (host_id, id) WHERE aside_until IS NULL;

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

CREATE TRIGGER door_log_keeps_newest BEFORE DELETE ON door_log
WHEN NOT EXISTS (SELECT 1 FROM owner WHERE deleted_at IS NOT NULL)
 AND (old.number > (SELECT max(number) FROM door_log) - 10000
      OR old.number > (SELECT min(number) FROM door_log))
BEGIN
    SELECT raise(ABORT, 'the door log is never shortened');
END;

CREATE TABLE draft_uploads (                -- what drafts hold is not tidied away
    key             TEXT NOT NULL REFERENCES drafts (key) ON DELETE CASCADE,
    public_id       TEXT NOT NULL REFERENCES uploads (public_id) ON DELETE CASCADE,
    PRIMARY KEY (key, public_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX draft_uploads_by_upload ON draft_uploads (public_id);

CREATE TABLE drafts (
    key             TEXT PRIMARY KEY,       -- made for the form that it is written in
    version         INTEGER NOT NULL,       -- counts the saves: a stale form overwrites nothing
    body_sealed     BLOB NOT NULL,
    saved_at        TEXT NOT NULL,
    publish_at      TEXT                    -- NULL: not before the owner says so
) STRICT, WITHOUT ROWID;

CREATE TABLE encrypted_objects (
    id              INTEGER PRIMARY KEY,
    uri_key         BLOB NOT NULL UNIQUE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    type            TEXT NOT NULL,
    body_sealed     BLOB NOT NULL,
    received_at     TEXT NOT NULL
) STRICT;

CREATE INDEX encrypted_objects_by_actor ON encrypted_objects (actor_id, id);

CREATE TABLE familiar (                     -- counts what changes of whom the owner follows
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    version         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE feature_stamps (
    public_id       TEXT PRIMARY KEY,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    collection_uri  TEXT NOT NULL UNIQUE,
    request_uri     TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'rejected', 'revoked')),
    created_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX feature_stamps_by_actor ON feature_stamps (actor_id);

CREATE TABLE featured_tags (
    tag             TEXT PRIMARY KEY,
    position        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE filters (
    id              INTEGER PRIMARY KEY,
    body_sealed     BLOB NOT NULL,          -- its name, its words, where it works and how
    until           TEXT
) STRICT;

CREATE TABLE finished_drafts (              -- a form that is sent twice publishes once
    key             TEXT PRIMARY KEY,
    note_id         INTEGER REFERENCES notes (id) ON DELETE SET NULL,  -- NULL: it was deleted
    finished_at     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX finished_drafts_by_note ON finished_drafts (note_id) WHERE note_id IS NOT NULL;

CREATE TABLE followed_tags (
    tag             TEXT PRIMARY KEY,
    created_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

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
, hides_boosts INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE TRIGGER familiar_answered AFTER UPDATE OF state ON following BEGIN
    UPDATE familiar SET version = version + 1;
END;

CREATE TRIGGER familiar_followed AFTER INSERT ON following BEGIN
    UPDATE familiar SET version = version + 1;
END;

CREATE TRIGGER familiar_unfollowed AFTER DELETE ON following BEGIN
    UPDATE familiar SET version = version + 1;
END;

CREATE TABLE forwards (
    id              INTEGER PRIMARY KEY,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    forwarded_at    TEXT NOT NULL
) STRICT;

CREATE INDEX forwards_by_actor ON forwards (actor_id);

CREATE TABLE group_notes (
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    group_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    state           TEXT NOT NULL DEFAULT 'shown' CHECK (state IN ('shown', 'hidden', 'locked')),
    PRIMARY KEY (note_id, group_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX group_notes_by_group ON group_notes (group_id, note_id);

CREATE TABLE home (
    position        INTEGER PRIMARY KEY,
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    announce_id     INTEGER REFERENCES announces (id) ON DELETE CASCADE
, actor_id INTEGER NOT NULL DEFAULT 0, nth INTEGER NOT NULL DEFAULT 0, tag TEXT) STRICT;

CREATE UNIQUE INDEX home_announces ON home (announce_id) WHERE announce_id IS NOT NULL;

CREATE INDEX home_by_actor ON home (actor_id, position);

CREATE INDEX home_by_note ON home (note_id);

CREATE UNIQUE INDEX home_notes ON home (note_id) WHERE announce_id IS NULL;

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
, problem TEXT NOT NULL DEFAULT '') STRICT;

CREATE INDEX hosts_due ON hosts (is_slow, due_at, id) WHERE due_at IS NOT NULL;

CREATE INDEX hosts_failing ON hosts (failing_since) WHERE failing_since IS NOT NULL;

CREATE TABLE instance (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    base_url        TEXT NOT NULL,
    handle_domain   TEXT NOT NULL,
    rsa_key_sealed  BLOB NOT NULL,
    created_at      TEXT NOT NULL,
    setup_token     BLOB,               -- SHA-256 of the one-time link's token
    setup_expires_at TEXT
, door_log_end BLOB) STRICT;

CREATE TABLE jobs (
    id              INTEGER PRIMARY KEY,
    kind            TEXT NOT NULL,
    key             TEXT NOT NULL,
    due_at          TEXT NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    UNIQUE (kind, key)
) STRICT;

CREATE INDEX jobs_due ON jobs (due_at);

CREATE TABLE likes (
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    uri             TEXT NOT NULL UNIQUE,
    created_at      TEXT NOT NULL,
    PRIMARY KEY (note_id, actor_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX likes_by_actor ON likes (actor_id, note_id);

CREATE TABLE list_home (                    -- what the people in a list brought to Home
    list_id         INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL REFERENCES home (position) ON DELETE CASCADE,
    PRIMARY KEY (list_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX list_home_by_position ON list_home (position);

CREATE TABLE list_people (                  -- whoever is followed no longer is in no list
    list_id         INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES following (actor_id) ON DELETE CASCADE,
    PRIMARY KEY (list_id, actor_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX list_people_by_actor ON list_people (actor_id);

CREATE TABLE lists (
    id              INTEGER PRIMARY KEY,
    public_id       TEXT NOT NULL UNIQUE,
    name_sealed     BLOB NOT NULL,
    replies         TEXT NOT NULL DEFAULT 'list'
                    CHECK (replies IN ('followed', 'list', 'none')),
    is_exclusive    INTEGER NOT NULL DEFAULT 0,   -- whoever is in it does not stand on Home
    read_position   INTEGER NOT NULL DEFAULT 0,
    created_at      TEXT NOT NULL
) STRICT;

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
, in_vault INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;

CREATE INDEX media_by_message ON media (message_id) WHERE message_id IS NOT NULL;

CREATE INDEX media_by_note ON media (note_id) WHERE note_id IS NOT NULL;

CREATE TABLE message_drafts (
    conversation_id INTEGER UNIQUE REFERENCES conversations (id) ON DELETE CASCADE,  -- NULL: a new one
    body_sealed     BLOB NOT NULL
) STRICT;

CREATE TABLE message_versions (             -- what a message said before it was edited
    id              INTEGER PRIMARY KEY,
    message_id      INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    body_sealed     BLOB NOT NULL           -- as it stood in messages
) STRICT;

CREATE INDEX message_versions_by_message ON message_versions (message_id, id);

CREATE TABLE messages (
    id              INTEGER PRIMARY KEY,    -- sorts by arrival
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id),
    uri_key         BLOB NOT NULL UNIQUE,   -- stands for the message's URI
    body_sealed     BLOB NOT NULL
, links INTEGER NOT NULL DEFAULT 0, files INTEGER NOT NULL DEFAULT 0, copies TEXT NOT NULL DEFAULT '[]', head_sealed BLOB) STRICT;

CREATE INDEX messages_by_actor ON messages (actor_id);

CREATE INDEX messages_by_conversation ON messages (conversation_id, id);

CREATE TABLE moves (
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    target_uri      TEXT NOT NULL,
    moved_at        TEXT NOT NULL
) STRICT;

CREATE TABLE muted_actors (
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    with_notifications INTEGER NOT NULL DEFAULT 1,      -- those are not told either
    until           TEXT,
    created_at      TEXT NOT NULL
) STRICT;

CREATE TABLE muted_conversations (
    conversation_id INTEGER PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
    until           TEXT
) STRICT;

CREATE TABLE muted_hosts (
    host            TEXT PRIMARY KEY,       -- and every host below it
    until           TEXT,
    created_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE muted_threads (
    thread_id       INTEGER PRIMARY KEY,    -- as notes.thread_id
    until           TEXT,
    created_at      TEXT NOT NULL
) STRICT;

CREATE TABLE note_tags (                    -- of public notes only
    tag             TEXT NOT NULL,
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE, is_mine INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tag, note_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX note_tags_by_note ON note_tags (note_id);

CREATE INDEX note_tags_mine ON note_tags (tag, note_id) WHERE is_mine;

CREATE TABLE note_versions (
    id              INTEGER PRIMARY KEY,
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    written_at      TEXT NOT NULL,
    body            BLOB NOT NULL
) STRICT;

CREATE INDEX note_versions_by_note ON note_versions (note_id, id);

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
, checked_at TEXT) STRICT;

CREATE INDEX notes_by_actor ON notes (actor_id, id, visibility);

CREATE INDEX notes_by_parent ON notes (in_reply_to_uri) WHERE in_reply_to_uri IS NOT NULL;

CREATE INDEX notes_by_parent_id ON notes (in_reply_to_id, actor_id)
    WHERE in_reply_to_id IS NOT NULL;

CREATE INDEX notes_by_thread ON notes (thread_id, id);

CREATE INDEX notes_by_url ON notes (url) WHERE url IS NOT NULL;

CREATE TRIGGER search_deleted_post AFTER DELETE ON notes BEGIN
    INSERT INTO search_waiting (kind, id) VALUES ('post', old.id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER search_edited_post AFTER UPDATE OF body, visibility ON notes BEGIN
    INSERT INTO search_waiting (kind, id) VALUES ('post', new.id) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER search_new_post AFTER INSERT ON notes BEGIN
    INSERT INTO search_waiting (kind, id) VALUES ('post', new.id) ON CONFLICT DO NOTHING;
END;

CREATE TABLE notification_people (          -- who is told of, whatever the rules say
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    created_at      TEXT NOT NULL
) STRICT;

CREATE TABLE notification_rules (           -- what strangers meet; no row: the owner is told
    about           TEXT PRIMARY KEY
                    CHECK (about IN ('not_followed', 'not_following', 'new', 'private')),
    rule            TEXT NOT NULL CHECK (rule IN ('filter', 'ignore'))
) STRICT, WITHOUT ROWID;

CREATE TABLE "notifications" (
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
, is_held INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE INDEX notifications_by_actor ON notifications (actor_id);

CREATE INDEX notifications_by_kind ON notifications (kind, id);

CREATE INDEX notifications_by_note ON notifications (note_id) WHERE note_id IS NOT NULL;

CREATE INDEX notifications_held ON notifications (actor_id, id) WHERE is_held;

CREATE UNIQUE INDEX notifications_once
    ON notifications (kind, actor_id, coalesce(note_id, 0), detail);

CREATE TABLE outgoing (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    body_sealed     BLOB,                   -- NULL = done: only the receipt is kept
    note_id         INTEGER,                -- for the note's delivery receipt
    inboxes         INTEGER NOT NULL,
    dropped         INTEGER NOT NULL DEFAULT 0,   -- of them, those given up
    created_at      TEXT NOT NULL
, by_instance INTEGER NOT NULL DEFAULT 0, by_old_key INTEGER NOT NULL DEFAULT 0, for_followers INTEGER NOT NULL DEFAULT 0, hosts_sealed BLOB, message_id INTEGER) STRICT;

CREATE INDEX outgoing_by_message ON outgoing (message_id) WHERE message_id IS NOT NULL;

CREATE INDEX outgoing_by_note ON outgoing (note_id) WHERE note_id IS NOT NULL;

CREATE INDEX outgoing_done ON outgoing (created_at) WHERE body_sealed IS NULL;

CREATE TABLE own_emojis (
    shortcode       TEXT PRIMARY KEY,
    file            TEXT NOT NULL,          -- names the file, as media.public_id does
    media_type      TEXT NOT NULL,
    updated_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

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
, quote_policy TEXT NOT NULL DEFAULT 'anyone'
    CHECK (quote_policy IN ('anyone', 'followers', 'ask', 'nobody')), reply_policy TEXT NOT NULL DEFAULT 'anyone'
    CHECK (reply_policy IN ('anyone', 'followers', 'mentioned')), feature_policy TEXT NOT NULL DEFAULT 'ask'
    CHECK (feature_policy IN ('anyone', 'ask', 'nobody')), sends_blocks INTEGER NOT NULL DEFAULT 0, attribution_domains TEXT NOT NULL DEFAULT '[]', key_number INTEGER NOT NULL DEFAULT 1, old_rsa_key_sealed BLOB, old_ed25519_key_sealed BLOB, keys_changed_at TEXT, moved_at TEXT, deleted_at TEXT, erased_at TEXT, language TEXT NOT NULL DEFAULT '', theme TEXT NOT NULL DEFAULT ''        -- '' = as the system says
    CHECK (theme IN ('', 'light', 'dark', 'contrast')), accent TEXT NOT NULL DEFAULT ''       -- '' = blue
    CHECK (accent IN ('', 'teal', 'green', 'amber', 'rose', 'graphite')), text_size TEXT NOT NULL DEFAULT ''    -- '' = normal
    CHECK (text_size IN ('small', '', 'large', 'larger')), shows_counts INTEGER NOT NULL DEFAULT 0, home_replies TEXT NOT NULL DEFAULT 'followed'
    CHECK (home_replies IN ('all', 'followed', 'none')), home_boosts INTEGER NOT NULL DEFAULT 1, boosts_a_day INTEGER NOT NULL DEFAULT 5, post_language TEXT NOT NULL DEFAULT '', has_shortcuts INTEGER NOT NULL DEFAULT 1, door_seen INTEGER NOT NULL DEFAULT 0, passkey_user BLOB, vault_idle_minutes INTEGER NOT NULL DEFAULT 15
    CHECK (vault_idle_minutes IN (5, 15, 60, 720))) STRICT;

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

CREATE TABLE pending_acts (
    kind            TEXT PRIMARY KEY CHECK (kind IN ('delete', 'move')),
    detail_sealed   BLOB NOT NULL,          -- where to, of a move
    asked_at        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pinned (                       -- anybody's featured notes, in order
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    PRIMARY KEY (actor_id, note_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX pinned_by_note ON pinned (note_id);

CREATE TABLE polls (
    note_id         INTEGER PRIMARY KEY REFERENCES notes (id) ON DELETE CASCADE,
    ends_at         TEXT,
    closed_at       TEXT,
    voters          INTEGER NOT NULL DEFAULT 0,
    counts          TEXT NOT NULL           -- [votes, ...] in the order of the options
) STRICT;

CREATE INDEX polls_ending ON polls (ends_at) WHERE closed_at IS NULL AND ends_at IS NOT NULL;

CREATE TABLE previews (
    url             TEXT PRIMARY KEY,
    title           TEXT NOT NULL,          -- '' = it could not be had
    description     TEXT NOT NULL,
    image_url       TEXT,
    author          TEXT NOT NULL DEFAULT '',
    fetched_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE push (                         -- one row, from the first browser that asks on
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    key_sealed      BLOB NOT NULL,          -- signs what we push (RFC 8292)
    kinds           TEXT NOT NULL           -- what is pushed, a space between them
) STRICT;

CREATE TABLE push_subscriptions (           -- goes with the session that made it
    id              INTEGER PRIMARY KEY,
    session_id      INTEGER NOT NULL UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
    body_sealed     BLOB NOT NULL,          -- where to, the browser's keys, its language
    message_id      INTEGER NOT NULL,       -- up to which it was told, of each topic
    message_at      TEXT,
    notification_id INTEGER NOT NULL,
    notification_at TEXT,
    failures        INTEGER NOT NULL DEFAULT 0,
    not_before      TEXT
) STRICT;

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

CREATE TABLE received (
    id              INTEGER PRIMARY KEY,
    uri_key         BLOB NOT NULL UNIQUE,
    actor_uri       TEXT NOT NULL,
    body_sealed     BLOB,
    received_at     TEXT NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    due_at          TEXT                    -- NULL = done
) STRICT;

CREATE INDEX received_done ON received (received_at) WHERE due_at IS NULL;

CREATE INDEX received_due ON received (due_at, id) WHERE due_at IS NOT NULL;

CREATE TABLE recognised (
    kind            TEXT NOT NULL CHECK (kind IN ('browser', 'network')),
    mark            BLOB NOT NULL,
    last_at         TEXT NOT NULL,
    PRIMARY KEY (kind, mark)
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_codes (
    code_hash       BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE reports (
    id              INTEGER PRIMARY KEY,
    uri_key         BLOB NOT NULL UNIQUE,
    actor_id        INTEGER REFERENCES actors (id) ON DELETE SET NULL,
    is_mine         INTEGER NOT NULL DEFAULT 0,
    body_sealed     BLOB NOT NULL,          -- whom, which posts, what is said
    created_at      TEXT NOT NULL
) STRICT;

CREATE INDEX reports_by_actor ON reports (actor_id) WHERE actor_id IS NOT NULL;

CREATE TABLE scheduled_messages (
    key             TEXT PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    send_at         TEXT,                   -- NULL: could not be sent, and waits for the owner
    body_sealed     BLOB NOT NULL           -- by the server key; by the vault if it was not sent
) STRICT, WITHOUT ROWID;

CREATE INDEX scheduled_messages_by_conversation ON scheduled_messages (conversation_id);

CREATE VIRTUAL TABLE search_people USING fts5 (
    words, tokenize = 'ascii tokenchars ''_''', columnsize = 0
);

CREATE VIRTUAL TABLE search_posts USING fts5 (
    words, tokenize = 'ascii tokenchars ''_''', columnsize = 0
);

CREATE TABLE search_tidying (               -- words of what was deleted leave the file later
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    dropped         INTEGER NOT NULL DEFAULT 0,
    tidied_at       TEXT
) STRICT;

CREATE TABLE search_waiting (               -- what came, changed or went since it was indexed
    kind            TEXT NOT NULL CHECK (kind IN ('post', 'person')),
    id              INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE server_facts (                 -- what servers say of themselves, and we saw
    host            TEXT PRIMARY KEY,
    first_seen_at   TEXT NOT NULL,
    checked_at      TEXT NOT NULL,
    software        TEXT NOT NULL DEFAULT '',     -- '' = it does not say
    software_version TEXT NOT NULL DEFAULT '',
    users           INTEGER,
    open_registrations INTEGER,
    wants_signatures INTEGER,               -- whether it shows profiles to signed requests only
    former_software TEXT NOT NULL DEFAULT '',
    changed_at      TEXT                    -- when it became other software than it was
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

CREATE INDEX stamps_by_actor ON stamps (actor_id);

CREATE INDEX stamps_by_note ON stamps (note_id);

CREATE TABLE thread_fetches (
    thread_id       INTEGER PRIMARY KEY,    -- as notes.thread_id
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done')),
    found           INTEGER NOT NULL DEFAULT 0,
    problems_sealed BLOB,                   -- whom we asked in vain, and why
    changed_at      TEXT NOT NULL
) STRICT;

CREATE TABLE tombstones (
    uri             TEXT PRIMARY KEY,
    deleted_at      TEXT NOT NULL,
    was_public      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE undelivered (                  -- of notes: what was given up
    outgoing_id     INTEGER NOT NULL REFERENCES outgoing (id) ON DELETE CASCADE,
    host_id         INTEGER NOT NULL REFERENCES hosts (id),
    inboxes         INTEGER NOT NULL,
    problem         TEXT NOT NULL,
    given_up_at     TEXT NOT NULL,
    PRIMARY KEY (outgoing_id, host_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX undelivered_by_host ON undelivered (host_id);

CREATE TABLE uploads (                      -- files that hang on nothing yet
    public_id       TEXT PRIMARY KEY REFERENCES media (public_id) ON DELETE CASCADE,
    poster          TEXT REFERENCES media (public_id) ON DELETE SET NULL,
    duration_s      REAL
) STRICT, WITHOUT ROWID;

CREATE INDEX uploads_by_poster ON uploads (poster) WHERE poster IS NOT NULL;

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

CREATE TABLE verified_links (               -- pages that profiles name, and whether they link back
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    url             TEXT NOT NULL,
    checked_at      TEXT NOT NULL,
    verified_at     TEXT,                   -- since when it links back; NULL = it never did
    held_until      TEXT,                   -- when it was last seen to
    is_verified     INTEGER NOT NULL,       -- as of checked_at
    failures        INTEGER NOT NULL DEFAULT 0,   -- in a row that it could not be had
    PRIMARY KEY (actor_id, url)
) STRICT, WITHOUT ROWID;

CREATE TABLE votes (
    vote_key        BLOB PRIMARY KEY,
    note_id         INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX votes_by_actor ON votes (actor_id);

CREATE INDEX votes_by_note ON votes (note_id, actor_id);
