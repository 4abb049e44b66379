"""Messages that say what somebody searches for: opened in memory, compared, and forgotten.

There is no index of them, and nothing of what is searched for is kept: only a session that has the
vault open can search, batch by batch, the newest messages first.
"""

import json
from dataclasses import dataclass

from microfedi.protocol import sanitize
from microfedi.storage import messages, search_index, searchwords
from microfedi.storage.database import Reader
from microfedi.storage.messages import Message
from microfedi.storage.search import Fact, Query, Term

# Messages opened in one question, and their bytes as sealed: some 30 ms, or 60 of the longest, then
# others may ask.
BATCH = 300
BATCH_BYTES = 1024 * 1024

_BY = "by"
# What a message is not asked: whom a post was for, and whether it quotes.
_OF_POSTS = ("for", "hasquote")


@dataclass(frozen=True, slots=True)
class Step:
    """What a batch brought, newest first. `before` is where the next begins, None at the end."""

    messages: tuple[Message, ...]
    before: int | None


def without_posts(query: Query) -> Query:
    """Return what of a question can be asked of messages."""
    facts = (one for one in query.facts if not one.values[0].startswith(_OF_POSTS))
    return Query(query.terms, tuple(facts), (), query.first_id, query.before_id)


def step(reader: Reader, query: Query, *, before: int | None = None) -> Step:
    """Open the newest messages older than `before`; return those that are what `query` asks for.

    Of open conversations alone: who waits in the drawer is found once they are let in.

    Raises: Locked if the vault is not open.
    """
    by = [one for one in query.facts if one.values[0].startswith(_BY)]
    rows = reader.all(
        """
        SELECT messages.id, length(messages.body_sealed) AS size
          FROM messages
          JOIN conversations ON conversations.id = messages.conversation_id
         WHERE messages.id < :before
           AND messages.id >= :first
           AND conversations.state = 'open'
           AND (:by IS NULL OR messages.actor_id IN (SELECT value FROM json_each(:by)))
           AND messages.actor_id NOT IN (SELECT value FROM json_each(:not_by))
         ORDER BY messages.id DESC
         LIMIT :limit
        """,
        {
            "before": query.before_id if before is None else min(query.before_id, before),
            "first": query.first_id,
            "by": json.dumps(_people(by, is_excluded=False))
            if any(not one.is_excluded for one in by)
            else None,
            "not_by": json.dumps(_people(by, is_excluded=True)),
            "limit": BATCH,
        },
    )
    chosen: list[int] = []
    size = 0
    for row in rows:
        size += row["size"]
        if chosen and size > BATCH_BYTES:
            break
        chosen.append(row["id"])
    opened = messages.by_ids(reader, chosen)
    wanted = _Wanted(query)
    found = tuple(opened[one] for one in chosen if one in opened and wanted.is_said_by(opened[one]))
    is_end = len(chosen) == len(rows) < BATCH
    return Step(found, None if is_end else chosen[-1])


def text_of(message: Message) -> str:
    """Return everything that a message says."""
    return search_index.said(
        (message.summary,), message.html, message.attachments, message.poll, message.hashtags
    )


def _people(facts: list[Fact], *, is_excluded: bool) -> list[int]:
    """Return the row ids of those whom all the facts of one kind name."""
    sets = [
        {int(value.removeprefix(_BY)) for value in one.values}
        for one in facts
        if one.is_excluded is is_excluded
    ]
    if not sets:
        return []
    return sorted(set.union(*sets) if is_excluded else set.intersection(*sets))


class _Wanted:
    """A question, made ready once for many messages."""

    def __init__(self, query: Query) -> None:
        self.terms = [(one, _run(one)) for one in query.terms if searchwords.words(one.text)]
        self.facts = [one for one in query.facts if not one.values[0].startswith(_BY)]

    def is_said_by(self, message: Message) -> bool:
        """Return whether a message says all of it."""
        if message.is_lost:
            return False
        if self.facts:
            known = _facts(message)
            if any(known.isdisjoint(one.values) is not one.is_excluded for one in self.facts):
                return False
        said = searchwords.joined(text_of(message)) if self.terms else ""
        return all((run in said) is not one.is_excluded for one, run in self.terms)


def _run(term: Term) -> str:
    """Return what stands in a text that says the words of a term side by side."""
    run = searchwords.joined(term.text)
    return run.removesuffix(" ") if term.is_beginning else run


def _facts(message: Message) -> set[str]:
    kinds = {one.media_type.partition("/")[0] for one in message.attachments}
    media = kinds & {"image", "video", "audio"}
    found = {
        **{f"has{kind}": True for kind in media},
        "hasmedia": bool(media),
        "haspoll": message.poll is not None,
        "haslink": "http" in message.html and bool(sanitize.pages_in(message.html)),
        "haswarning": bool(message.summary),
        "isreply": message.in_reply_to is not None,
        "issensitive": message.sensitive or bool(message.summary),
        search_index.language_fact(message.language or ""): message.language is not None,
    }
    return {name for name, is_so in found.items() if is_so}
