"""The words of posts and people, as they lie in the index.

Whatever is written or changed is noted by triggers and read a little later, in batches (`index`).
The words of open posts lie there as they are; those of closed posts as keyed hashes, each once and
in the order of the hashes, so that the file does not say what they were, how often, or where.
Messages are not here at all. See docs/decisions/0007-search.md.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from microfedi.protocol import instants, sanitize, vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import actors, notes, searchwords
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note
from microfedi.storage.sealed import Sealer

BATCH = 40  # posts in one transaction: some ten milliseconds, others want to write too
MAX_WORDS = 20_000  # of one post; articles are long, but not without end
TIDY_PAGES = 64  # of the index, rewritten in one transaction: some ten milliseconds
TIDY_EVERY = timedelta(days=1)

_HASH_CHARS = 8  # base32: 40 bits. Among a million words, one in a million finds a wrong post.
# A word has no underscore: one begins a fact, two a hash.
FACT = "_"
_HASH = "__"
_PURPOSE = "search words"


def facts(note: Note) -> list[str]:
    """Return what can be asked about a post besides its words."""
    kinds = {one.media_type.partition("/")[0] for one in note.attachments}
    media = kinds & {"image", "video", "audio"}
    has_link = bool(note.links) or ("http" in note.html and bool(sanitize.pages_in(note.html)))
    found = {
        f"by{note.actor_id}": True,
        f"for{note.visibility.value}": True,
        **{f"has{kind}": True for kind in media},
        "hasmedia": bool(media),
        "haspoll": note.poll is not None,
        "haslink": has_link,
        "haswarning": bool(note.summary),
        "hasquote": note.quote is not None,
        "isreply": note.in_reply_to_uri is not None,
        "issensitive": note.sensitive or bool(note.summary),
        f"lang{_primary(note.language)}": note.language is not None,
    }
    return [name for name, is_so in found.items() if is_so]


def clear(tx: Transaction) -> None:
    """Delete every word, at once and from the file.

    Source: SQLite FTS5 6.10: 'rebuild' makes the index of what the table holds, which is nothing.
    """
    for name in ("search_posts", "search_people"):
        tx.run(f"DELETE FROM {name}_content")  # noqa: S608 - a name from the line above
        tx.run(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")  # noqa: S608
    tx.run("DELETE FROM search_waiting")


def is_behind(reader: Reader, more_than: int = BATCH) -> bool:
    """Whether more than `more_than` posts wait to be read."""
    waiting = reader.value(
        "SELECT 1 FROM search_waiting WHERE kind = 'post' LIMIT 1 OFFSET :most",
        {"most": more_than},
    )
    return waiting is not None


def has_waiting(reader: Reader) -> bool:
    """Whether any post or person waits to be read."""
    return reader.value("SELECT 1 FROM search_waiting LIMIT 1") is not None


def index(tx: Transaction) -> int:
    """Read the words of a batch of what waits, the newest posts first; return how many there were.

    What was indexed before is replaced, and what is not there any more leaves the index.
    """
    rows = tx.all(
        "SELECT kind, id FROM search_waiting ORDER BY kind DESC, id DESC LIMIT :limit",
        {"limit": BATCH},
    )
    waiting = [dict(row) for row in rows]
    post_ids = [row["id"] for row in waiting if row["kind"] == "post"]
    person_ids = [row["id"] for row in waiting if row["kind"] == "person"]
    posts = notes.by_ids(tx, post_ids)
    known = actors.by_ids(tx, person_ids)
    already = tx.run(
        "DELETE FROM search_posts WHERE rowid IN (SELECT value FROM json_each(:ids))",
        {"ids": json.dumps(post_ids)},
    )
    if already:
        tx.run("UPDATE search_tidying SET dropped = dropped + :number", {"number": already})
    tx.run(
        "DELETE FROM search_people WHERE rowid IN (SELECT value FROM json_each(:ids))",
        {"ids": json.dumps(person_ids)},
    )
    tx.run_many(
        "INSERT INTO search_posts (rowid, words) VALUES (:id, :words)",
        [{"id": one.id, "words": " ".join(_words_of(tx.sealer, one))} for one in posts.values()],
    )
    tx.run_many(
        "INSERT INTO search_people (rowid, words) VALUES (:id, :words)",
        [{"id": one.id, "words": " ".join(_names_of(one))} for one in known.values()],
    )
    tx.run_many("DELETE FROM search_waiting WHERE kind = :kind AND id = :id", waiting)
    return len(waiting)


def is_untidy(reader: Reader, now: datetime) -> bool:
    """Whether it is time to have the words of what was deleted or changed out of the index."""
    row = reader.one("SELECT dropped, tidied_at FROM search_tidying")
    if row is None or not row["dropped"]:
        return False
    last = row["tidied_at"]
    return last is None or now - instants.from_text(last) >= TIDY_EVERY


def begin_tidying(tx: Transaction, now: datetime) -> None:
    """Have the whole index rewritten, in steps: what was deleted leaves it only so.

    Source: SQLite FTS5 6.9 (the 'merge' command): a negative number begins anew with all of it.
    """
    tx.run(
        "UPDATE search_tidying SET dropped = 0, tidied_at = :now", {"now": instants.to_text(now)}
    )
    tx.run("INSERT INTO search_posts (search_posts, rank) VALUES ('merge', :n)", {"n": -TIDY_PAGES})


def tidy(tx: Transaction) -> bool:
    """Rewrite a part of the index; True if there is more to do."""
    before: int = tx.value("SELECT total_changes()")
    tx.run("INSERT INTO search_posts (search_posts, rank) VALUES ('merge', :n)", {"n": TIDY_PAGES})
    after: int = tx.value("SELECT total_changes()")
    return after - before >= 2  # less means that there was nothing to merge, says the source above


def _words_of(sealer: Sealer, note: Note) -> Sequence[str]:
    found = searchwords.words(text_of(note))[:MAX_WORDS]
    about = [FACT + one for one in facts(note)]
    if note.visibility.is_open:
        return [*found, *about]
    # A character alone stands for a word of one: kana do not, there are too few of them.
    whole = hidden_words(found)
    return sorted(hashed(sealer, one) for one in {*whole, *about})


def _names_of(actor: Actor) -> Sequence[str]:
    return searchwords.words(f"{actor.name} {actor.username} {actor.host}")


def hidden_words(found: Iterable[str]) -> set[str]:
    """Return the words of a closed post by which it can be found."""
    whole: set[str] = set()
    for word in found:
        whole.add(word)
        if len(word) == 2 and searchwords.is_character(word[0]):
            whole.add(word[0])
    return {one for one in whole if not searchwords.is_kana(one)}


def said(
    before: Iterable[str],
    html: SafeHtml,
    attachments: Iterable[vocab.Attachment],
    poll: vocab.Poll | None,
    hashtags: Iterable[str],
) -> str:
    """Return everything that a post or message says; `before` is what stands above its text."""
    return "\n".join(
        (
            *before,
            sanitize.text(html),
            *(one.alt for one in attachments),
            *(() if poll is None else (one.name for one in poll.options)),
            *(f"#{one}" for one in hashtags if f"#{one}" not in html.lower()),
        )
    )


def text_of(note: Note) -> str:
    """Return everything that a post says."""
    return said((note.name, note.summary), note.html, note.attachments, note.poll, note.hashtags)


def _primary(language: str | None) -> str:
    """Return the language without its region, as a word.

    >>> _primary("de-AT"), _primary("x_Y!"), _primary(None)
    ('de', 'xy', '')
    """
    return "".join(c for c in (language or "").split("-")[0].lower() if c.isascii() and c.isalnum())


def language_fact(language: str) -> str:
    """Return the fact that a post is in `language`."""
    return f"lang{_primary(language)}"


def hashed(sealer: Sealer, word: str) -> str:
    """Return what stands for a word of a closed post."""
    digest = hmac.digest(sealer.key_for(_PURPOSE), word.encode(errors="replace"), hashlib.sha256)
    return _HASH + base64.b32encode(digest[:5]).decode().lower()
