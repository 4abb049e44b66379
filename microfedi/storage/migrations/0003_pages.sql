-- What the owner's pages need: words, looks, reading habits, drafts, lists, filters, search, trust.

-- Words and looks
ALTER TABLE owner ADD COLUMN language TEXT NOT NULL DEFAULT '';    -- '' = as the browser asks
ALTER TABLE owner ADD COLUMN theme TEXT NOT NULL DEFAULT ''        -- '' = as the system says
    CHECK (theme IN ('', 'light', 'dark', 'contrast'));
ALTER TABLE owner ADD COLUMN accent TEXT NOT NULL DEFAULT ''       -- '' = blue
    CHECK (accent IN ('', 'teal', 'green', 'amber', 'rose', 'graphite'));
ALTER TABLE owner ADD COLUMN text_size TEXT NOT NULL DEFAULT ''    -- '' = normal
    CHECK (text_size IN ('small', '', 'large', 'larger'));
ALTER TABLE owner ADD COLUMN shows_counts INTEGER NOT NULL DEFAULT 0;  -- of others' posts

-- Home, lists, hashtags, filters
ALTER TABLE owner ADD COLUMN home_replies TEXT NOT NULL DEFAULT 'followed'
    CHECK (home_replies IN ('all', 'followed', 'none'));
ALTER TABLE owner ADD COLUMN home_boosts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE owner ADD COLUMN boosts_a_day INTEGER NOT NULL DEFAULT 5;  -- of one person; 0 = all

ALTER TABLE following ADD COLUMN hides_boosts INTEGER NOT NULL DEFAULT 0;

ALTER TABLE home ADD COLUMN actor_id INTEGER NOT NULL DEFAULT 0;  -- who brought it
ALTER TABLE home ADD COLUMN nth INTEGER NOT NULL DEFAULT 0;       -- boost of theirs that day
ALTER TABLE home ADD COLUMN tag TEXT;                             -- followed, that brought it

UPDATE home
   SET actor_id = coalesce((SELECT actor_id FROM announces WHERE id = home.announce_id),
                           (SELECT actor_id FROM notes WHERE id = home.note_id));

UPDATE home
   SET nth = counted.nth
  FROM (SELECT home.position,
               row_number() OVER (PARTITION BY announces.actor_id,
                                               substr(announces.published_at, 1, 10)
                                      ORDER BY home.position) AS nth
          FROM home
          JOIN announces ON announces.id = home.announce_id
          JOIN actors ON actors.id = announces.actor_id
         WHERE actors.type != 'Group') AS counted
 WHERE home.position = counted.position;

CREATE INDEX home_by_actor ON home (actor_id, position);

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

CREATE TABLE list_people (                  -- whoever is followed no longer is in no list
    list_id         INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    actor_id        INTEGER NOT NULL REFERENCES following (actor_id) ON DELETE CASCADE,
    PRIMARY KEY (list_id, actor_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX list_people_by_actor ON list_people (actor_id);

CREATE TABLE list_home (                    -- what the people in a list brought to Home
    list_id         INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL REFERENCES home (position) ON DELETE CASCADE,
    PRIMARY KEY (list_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX list_home_by_position ON list_home (position);

CREATE TABLE followed_tags (
    tag             TEXT PRIMARY KEY,
    created_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE filters (
    id              INTEGER PRIMARY KEY,
    body_sealed     BLOB NOT NULL,          -- its name, its words, where it works and how
    until           TEXT
) STRICT;

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
ALTER TABLE owner ADD COLUMN post_language TEXT NOT NULL DEFAULT '';   -- of the last; '' as the pages

CREATE TABLE drafts (
    key             TEXT PRIMARY KEY,       -- made for the form that it is written in
    version         INTEGER NOT NULL,       -- counts the saves: a stale form overwrites nothing
    body_sealed     BLOB NOT NULL,
    saved_at        TEXT NOT NULL,
    publish_at      TEXT                    -- NULL: not before the owner says so
) STRICT, WITHOUT ROWID;

CREATE TABLE finished_drafts (              -- a form that is sent twice publishes once
    key             TEXT PRIMARY KEY,
    note_id         INTEGER REFERENCES notes (id) ON DELETE SET NULL,  -- NULL: it was deleted
    finished_at     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX finished_drafts_by_note ON finished_drafts (note_id) WHERE note_id IS NOT NULL;

CREATE TABLE uploads (                      -- files that hang on nothing yet
    public_id       TEXT PRIMARY KEY REFERENCES media (public_id) ON DELETE CASCADE,
    poster          TEXT REFERENCES media (public_id) ON DELETE SET NULL,
    duration_s      REAL
) STRICT, WITHOUT ROWID;

CREATE INDEX uploads_by_poster ON uploads (poster) WHERE poster IS NOT NULL;

CREATE TABLE draft_uploads (                -- what drafts hold is not tidied away
    key             TEXT NOT NULL REFERENCES drafts (key) ON DELETE CASCADE,
    public_id       TEXT NOT NULL REFERENCES uploads (public_id) ON DELETE CASCADE,
    PRIMARY KEY (key, public_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX draft_uploads_by_upload ON draft_uploads (public_id);

-- Search
-- The words of what is open, and keyed hashes of those of the rest: docs/decisions/0007-search.md.
CREATE VIRTUAL TABLE search_posts USING fts5 (
    words, tokenize = 'ascii tokenchars ''_''', columnsize = 0
);
CREATE VIRTUAL TABLE search_people USING fts5 (
    words, tokenize = 'ascii tokenchars ''_''', columnsize = 0
);

CREATE TABLE search_waiting (               -- what came, changed or went since it was indexed
    kind            TEXT NOT NULL CHECK (kind IN ('post', 'person')),
    id              INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE search_tidying (               -- words of what was deleted leave the file later
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    dropped         INTEGER NOT NULL DEFAULT 0,
    tidied_at       TEXT
) STRICT;

CREATE TRIGGER search_new_post AFTER INSERT ON notes BEGIN
    INSERT INTO search_waiting (kind, id) VALUES ('post', new.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_edited_post AFTER UPDATE OF body, visibility ON notes BEGIN
    INSERT INTO search_waiting (kind, id) VALUES ('post', new.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_deleted_post AFTER DELETE ON notes BEGIN
    INSERT INTO search_waiting (kind, id) VALUES ('post', old.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_new_person AFTER INSERT ON actors BEGIN
    INSERT INTO search_waiting (kind, id) VALUES ('person', new.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_changed_person AFTER UPDATE OF name, username, host ON actors
    WHEN old.name != new.name OR old.username != new.username OR old.host != new.host
BEGIN
    INSERT INTO search_waiting (kind, id) VALUES ('person', new.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_deleted_person AFTER DELETE ON actors BEGIN
    INSERT INTO search_waiting (kind, id) VALUES ('person', old.id) ON CONFLICT DO NOTHING;
END;

-- Who answers themselves is found among many answers.
DROP INDEX notes_by_parent_id;
CREATE INDEX notes_by_parent_id ON notes (in_reply_to_id, actor_id)
    WHERE in_reply_to_id IS NOT NULL;

-- The owner's own posts with a hashtag are found among everybody's; and posts are counted by the
-- index alone.
ALTER TABLE note_tags ADD COLUMN is_mine INTEGER NOT NULL DEFAULT 0;
UPDATE note_tags SET is_mine = 1
 WHERE note_id IN (SELECT id FROM notes WHERE public_id IS NOT NULL);
CREATE INDEX note_tags_mine ON note_tags (tag, note_id) WHERE is_mine;
DROP INDEX notes_by_actor;
CREATE INDEX notes_by_actor ON notes (actor_id, id, visibility);

INSERT INTO search_tidying (id) VALUES (1);
INSERT INTO search_waiting (kind, id) SELECT 'post', id FROM notes;
INSERT INTO search_waiting (kind, id) SELECT 'person', id FROM actors;

-- Messages
-- What the drawer, the list and what is deleted by time need: no word of what was written.
ALTER TABLE messages ADD COLUMN links INTEGER NOT NULL DEFAULT 0;      -- to pages, in its text
ALTER TABLE messages ADD COLUMN files INTEGER NOT NULL DEFAULT 0;      -- pictures, films, others
ALTER TABLE messages ADD COLUMN copies TEXT NOT NULL DEFAULT '[]';     -- cached_media.key, of theirs
ALTER TABLE messages ADD COLUMN head_sealed BLOB;   -- its id, when it was written and edited
ALTER TABLE conversations ADD COLUMN kept_days INTEGER                 -- NULL = for good
    CHECK (kept_days IN (1, 7, 30, 90));
ALTER TABLE outgoing ADD COLUMN message_id INTEGER;                    -- whether it got there
CREATE INDEX outgoing_by_message ON outgoing (message_id) WHERE message_id IS NOT NULL;

CREATE TABLE message_versions (             -- what a message said before it was edited
    id              INTEGER PRIMARY KEY,
    message_id      INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    body_sealed     BLOB NOT NULL           -- as it stood in messages
) STRICT;

CREATE INDEX message_versions_by_message ON message_versions (message_id, id);

CREATE TABLE muted_conversations (
    conversation_id INTEGER PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
    until           TEXT
) STRICT;

CREATE TABLE declined_people (              -- what they write is not kept, until they are written to
    actor_id        INTEGER PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    declined_at     TEXT NOT NULL
) STRICT;

CREATE TABLE message_drafts (
    conversation_id INTEGER UNIQUE REFERENCES conversations (id) ON DELETE CASCADE,  -- NULL: a new one
    body_sealed     BLOB NOT NULL
) STRICT;

-- Trust: who somebody is
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

CREATE TABLE actor_events (                 -- what changed of somebody that may mean somebody else
    id              INTEGER PRIMARY KEY,
    actor_id        INTEGER NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    kind            TEXT NOT NULL CHECK (kind IN ('key', 'moved', 'inbox', 'handle')),
    at              TEXT NOT NULL,
    detail          TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX actor_events_by_actor ON actor_events (actor_id, id);

ALTER TABLE cached_media ADD COLUMN likeness TEXT NOT NULL DEFAULT '';  -- what it looks like, 64 bits

CREATE TABLE familiar (                     -- counts what changes of whom the owner follows
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    version         INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO familiar (id) VALUES (1);

CREATE TRIGGER familiar_followed AFTER INSERT ON following BEGIN
    UPDATE familiar SET version = version + 1;
END;
CREATE TRIGGER familiar_answered AFTER UPDATE OF state ON following BEGIN
    UPDATE familiar SET version = version + 1;
END;
CREATE TRIGGER familiar_unfollowed AFTER DELETE ON following BEGIN
    UPDATE familiar SET version = version + 1;
END;
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

-- Keys and push
ALTER TABLE owner ADD COLUMN has_shortcuts INTEGER NOT NULL DEFAULT 1;

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
