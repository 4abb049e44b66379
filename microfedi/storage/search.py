"""Asking for posts, people and hashtags by their words (storage/search_index.py holds those)."""

from dataclasses import dataclass

from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, notes, search_index, searchwords
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.storage.sealed import Sealer

# Posts that one page looks through for what the index does not know (bookmarked, boosted): beyond
# them the page says how far it has got.
MAX_SEEN = 4_000
MAX_PEOPLE_SEEN = 500  # of those whose names begin so; the page shows the nearest of them
MAX_TAGGED = 1_000  # posts of a hashtag that are counted

_NEWEST = 9223372036854775807

_MINE = "(SELECT actor_id FROM owner)"
_BOOKMARKED = "EXISTS (SELECT 1 FROM bookmarks WHERE note_id = search_posts.rowid)"
_FAVOURITED = f"""EXISTS (SELECT 1 FROM likes
                           WHERE actor_id = {_MINE} AND note_id = search_posts.rowid)"""  # noqa: S608
# What the owner did with a post, and where it stands: not in the index, it changes too often.
MARKS = {
    "bookmarks": _BOOKMARKED,
    "favourites": _FAVOURITED,
    "boosted": f"""EXISTS (SELECT 1 FROM announces
                            WHERE actor_id = {_MINE} AND note_id = search_posts.rowid)""",  # noqa: S608
    "home": "EXISTS (SELECT 1 FROM home WHERE note_id = search_posts.rowid)",
    "library": f"""(EXISTS (SELECT 1 FROM notes AS own
                             WHERE own.actor_id = {_MINE} AND own.id = search_posts.rowid)
                    OR {_BOOKMARKED} OR {_FAVOURITED})""",  # noqa: S608
}
_IN_LIST = """EXISTS (SELECT 1 FROM list_people
                        WHERE list_id = :list{} AND actor_id = notes.actor_id)"""


@dataclass(frozen=True, slots=True)
class Term:
    """Something that a post shall say, or shall not: words side by side.

    `is_beginning`: the last word may go on.
    """

    text: str
    is_excluded: bool = False
    is_beginning: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a post shall be, or shall not: one of `values`, as `facts` says them."""

    values: tuple[str, ...]
    is_excluded: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that the owner shall have done with a post, or not: one of `MARKS`.

    With `list_id`: its author shall be in this list; `name` is how that was asked for.
    """

    name: str
    is_excluded: bool = False
    list_id: int | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for: all of it at once. Row ids sort by time: they bound it."""

    terms: tuple[Term, ...] = ()
    facts: tuple[Fact, ...] = ()
    marks: tuple[Mark, ...] = ()
    first_id: int = 0
    before_id: int = _NEWEST


@dataclass(frozen=True, slots=True)
class Found:
    """Posts, newest first. `before` is where the next page goes on, None at the end.

    `is_cut`: so much was looked through that the page ends before it is full.
    """

    notes: tuple[Note, ...]
    before: int | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    """A hashtag, and how many open posts here have it: `MAX_TAGGED` at most."""

    name: str
    posts: int


def find(
    reader: Reader,
    query: Query,
    *,
    before: int | None = None,
    limit: int,
    with_blocked: bool = False,
) -> Found:
    """Return posts that are what `query` asks for, newest first.

    None of people who are blocked, unless they are asked for.
    """
    bounds = {
        "match": _match(reader.sealer, query),
        "before": min(query.before_id, before or _NEWEST),
        "first": query.first_id,
        "limit": limit,
        "most": MAX_SEEN,
        "with_blocked": with_blocked,
    }
    last_seen = None
    if query.marks:
        last_seen = reader.value(
            """
            SELECT rowid
              FROM search_posts
             WHERE search_posts MATCH :match
               AND rowid < :before
               AND rowid >= :first
             ORDER BY rowid DESC
             LIMIT 1 OFFSET :most
            """,
            bounds,
        )
    in_lists = {f"list{n}": one.list_id for n, one in enumerate(query.marks)}
    marks = "".join(
        f" AND {'NOT ' if one.is_excluded else ''}"
        f"{MARKS[one.name] if one.list_id is None else _IN_LIST.format(n)}"
        for n, one in enumerate(query.marks)
    )
    found = notes.selected(
        reader,
        f"""
          FROM search_posts
         CROSS JOIN notes ON notes.id = search_posts.rowid
         WHERE search_posts MATCH :match
           AND search_posts.rowid < :before
           AND search_posts.rowid >= :first
           AND (:with_blocked
                OR NOT EXISTS (SELECT 1 FROM blocked_actors WHERE actor_id = notes.actor_id)
                   AND NOT EXISTS (SELECT 1 FROM blocked_hosts
                                     JOIN actors ON actors.id = notes.actor_id
                                    WHERE instr('.' || actors.host || ':',
                                                '.' || blocked_hosts.host || ':')))
           {marks}
         ORDER BY search_posts.rowid DESC
         LIMIT :limit
        """,  # noqa: S608 - conditions of this file; what was typed is bound
        bounds | in_lists | {"first": max(query.first_id, last_seen or 0)},
    )
    right = tuple(note for note in found if _says(note, query))
    if len(found) == limit:
        return Found(right, found[-1].id)
    return Found(right, last_seen, is_cut=last_seen is not None)


def people(reader: Reader, text: str, *, limit: int) -> list[Actor]:
    """Return people whose name or handle has words that begin so, those nearest to the owner first.

    Who is blocked is found too: somebody may look for them to unblock them.
    """
    wanted = [word for piece in searchwords.pieces(text) for word in piece]
    if not wanted:
        return []
    rows = reader.all(
        """
        SELECT found.rowid AS id
          FROM (SELECT rowid
                  FROM search_people
                 WHERE search_people MATCH :match
                 LIMIT :most) AS found
          JOIN actors ON actors.id = found.rowid
          LEFT JOIN following ON following.actor_id = actors.id
          LEFT JOIN followers ON followers.actor_id = actors.id
         WHERE actors.state != 'gone'
         ORDER BY following.actor_id IS NULL, followers.actor_id IS NULL,
                  lower(actors.username) != :whole, lower(actors.name) != :whole,
                  lower(actors.username), actors.id
         LIMIT :limit
        """,
        {
            "match": " AND ".join(f'"{word}" *' for word in wanted),
            "most": MAX_PEOPLE_SEEN,
            "whole": text.strip().lower(),
            "limit": limit,
        },
    )
    ids = [row["id"] for row in rows]
    known = actors.by_ids(reader, ids)
    return [known[one] for one in ids if one in known]


def named(reader: Reader, username: str, host: str | None, *, limit: int) -> list[int]:
    """Return the row ids of those who have exactly this name before the @ (and this host)."""
    wanted = [word for piece in searchwords.pieces(username) for word in piece]
    if not wanted:
        return []
    rows = reader.all(
        """
        SELECT actors.id
          FROM search_people
          JOIN actors ON actors.id = search_people.rowid
         WHERE search_people MATCH :match
           AND lower(actors.username) = :username
           AND (:host IS NULL
                OR actors.host = :host
                OR actors.handle = :username || '@' || :host COLLATE NOCASE)
         ORDER BY actors.id
         LIMIT :limit
        """,
        {
            "match": " AND ".join(f'"{word}"' for word in wanted),
            "username": username.lower(),
            "host": None if host is None else host.lower(),
            "limit": limit,
        },
    )
    return [row["id"] for row in rows]


def tags(reader: Reader, beginning: str, *, limit: int) -> list[Tag]:
    """Return the hashtags that begin so (without #), in alphabetical order."""
    wanted = beginning.removeprefix("#").lower().encode(errors="replace").decode()
    if not wanted:
        return []
    rows = reader.all(
        """
        WITH RECURSIVE found (tag) AS (
            SELECT min(tag) FROM note_tags WHERE tag >= :first AND tag < :end
             UNION ALL
            SELECT (SELECT min(tag) FROM note_tags WHERE tag > found.tag AND tag < :end)
              FROM found
             WHERE found.tag IS NOT NULL
             LIMIT :limit)
        SELECT tag, (SELECT count(*)
                       FROM (SELECT 1 FROM note_tags
                              WHERE note_tags.tag = found.tag
                              LIMIT :most)) AS posts
          FROM found
         WHERE tag IS NOT NULL
        """,
        {
            "first": wanted,
            "end": wanted + "\U0010ffff",
            "limit": limit + 1,
            "most": MAX_TAGGED,
        },
    )
    return [Tag(row["tag"], row["posts"]) for row in rows][:limit]


def _match(sealer: Sealer, query: Query) -> str:
    """Return the question as FTS5 reads it. What was typed is in it as quoted words alone."""
    wanted: list[str] = []
    unwanted: list[str] = []
    for term in query.terms:
        for piece in _pieces(term):
            said = _said(sealer, *piece, is_excluded=term.is_excluded)
            (unwanted if term.is_excluded else wanted).append(said)
    for fact in query.facts:
        values = [search_index.FACT + one for one in fact.values]
        either = " OR ".join(f'"{one}" OR "{search_index.hashed(sealer, one)}"' for one in values)
        (unwanted if fact.is_excluded else wanted).append(f"({either})")
    asked = " AND ".join(wanted or [_any_visibility(sealer)])
    return f"({asked}) NOT ({' OR '.join(unwanted)})" if unwanted else asked


def _any_visibility(sealer: Sealer) -> str:
    """Return what is true of every post: it asks for something where nothing else is asked for."""
    each = []
    for one in Visibility:
        fact = f"{search_index.FACT}for{one.value}"
        each.append(f'"{fact if one.is_open else search_index.hashed(sealer, fact)}"')
    return f"({' OR '.join(each)})"


def _pieces(term: Term) -> list[tuple[tuple[str, ...], bool]]:
    found = searchwords.pieces(term.text)
    return [
        (words, term.is_beginning and index == len(found) - 1) for index, words in enumerate(found)
    ]


def _said(sealer: Sealer, words: tuple[str, ...], is_beginning: bool, *, is_excluded: bool) -> str:
    """Return that a post says these words side by side; a closed one: that it says all of them.

    Not if that is excluded: a closed post with the words apart is none of those.
    """
    begins = is_beginning or (len(words) == 1 and searchwords.is_character(words[0]))
    clear = f'"{" ".join(words)}"{" *" if begins else ""}'
    if is_excluded and len(words) > 1:
        return clear
    asked = search_index.hidden_words(words) or set(words)
    hidden = " AND ".join(f'"{search_index.hashed(sealer, word)}"' for word in sorted(asked))
    return f"({clear} OR ({hidden}))"


def _says(note: Note, query: Query) -> bool:
    """Whether a post says the words side by side: of closed ones the index does not know it."""
    if note.visibility.is_open:
        return True
    sides = [one for one in query.terms if len(searchwords.words(one.text)) > 1]
    said = search_index.text_of(note) if sides else ""
    return all(searchwords.has_words(said, one.text) is not one.is_excluded for one in sides)
