"""The owner's keyword filters. What they are called and look for is sealed.

They work where posts are shown (`verdict`), never where they arrive: a filter that is taken away
leaves no gap behind. Messages are not looked at.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from sqlite3 import Row

from microfedi.errors import InvalidInput
from microfedi.protocol import filtering, instants, sanitize
from microfedi.protocol.filtering import Filter, Filters, Place, Verdict
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note
from microfedi.storage.sealed import Sealer

NONE = Filters()


def load(reader: Reader) -> Filters:
    """Return all filters, ready to be asked. `owner.load` does: they are in `Owner.filters`."""
    return Filters(everyone(reader))


def verdict(
    filters: Filters, note: Note, place: Place, now: datetime, *, quoted: Note | None = None
) -> Verdict | None:
    """Return which filter a post falls under there, and whether it hides; None for none.

    Looked at are its text, title, warning, alt texts, answers of its poll, hashtags, and all of
    these of what it quotes. The owner's own posts are the caller's business: they are not filtered.
    """
    if not filters.at(place, now):
        return None
    texts = texts_of(note) + (texts_of(quoted) if quoted is not None else [])
    return filters.verdict(place, texts, now)


def texts_of(note: Note) -> list[str]:
    """Return what a post says, as plain texts."""
    return [
        sanitize.text(note.html, limit=filtering.MAX_TEXT_CHARS),
        note.name,
        note.summary,
        *(one.alt for one in note.attachments),
        *(one.name for one in (note.poll.options if note.poll is not None else ())),
        " ".join(f"#{tag}" for tag in note.hashtags),
    ]


def everyone(reader: Reader) -> list[Filter]:
    """Return all filters, those that have expired too, by name."""
    rows = reader.all("SELECT id, body_sealed, until FROM filters")
    found = [_from_row(reader.sealer, row) for row in rows]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


def by_id(reader: Reader, filter_id: int) -> Filter | None:
    """Return the filter of a row."""
    row = reader.one("SELECT id, body_sealed, until FROM filters WHERE id = :id", {"id": filter_id})
    return None if row is None else _from_row(reader.sealer, row)


def put(tx: Transaction, wanted: Filter) -> int:
    """Keep a filter: a new one if its id is 0. Return its id.

    Raises: InvalidInput if it has no name, looks for nothing or works nowhere; if there are too
    many, or it is not there any more.
    """
    others = [one for one in everyone(tx) if one.id != wanted.id]
    phrases = _checked(wanted, others)
    filter_id = wanted.id
    if not filter_id:
        filter_id = tx.value("SELECT coalesce(max(id), 0) + 1 FROM filters")
        tx.run("INSERT INTO filters (id, body_sealed) VALUES (:id, x'')", {"id": filter_id})
    body = {
        "name": wanted.name,
        "phrases": phrases,
        "places": sorted(wanted.places),
        "whole_words": wanted.whole_words,
        "hides": wanted.hides,
    }
    changed = tx.run(
        "UPDATE filters SET body_sealed = :body, until = :until WHERE id = :id",
        {
            "id": filter_id,
            "body": tx.sealer.seal(
                "owner", json.dumps(body, ensure_ascii=False).encode(), bound_to=_place(filter_id)
            ),
            "until": None if wanted.until is None else instants.to_text(wanted.until),
        },
    )
    if not changed:
        raise InvalidInput("", "This filter is not there any more.")
    return filter_id


def delete(tx: Transaction, filter_id: int) -> bool:
    """Take a filter away; False if it is not there."""
    return tx.run("DELETE FROM filters WHERE id = :id", {"id": filter_id}) == 1


def _checked(wanted: Filter, others: Sequence[Filter]) -> list[str]:
    """Return the phrases that a filter looks for, each once. Raises: InvalidInput."""
    if not wanted.name or len(wanted.name) > filtering.MAX_NAME_CHARS:
        raise InvalidInput(
            "name",
            "A name of at most %(count)s characters, please.",
            count=filtering.MAX_NAME_CHARS,
        )
    phrases = list(
        {filtering.folded(one): one for one in wanted.phrases if filtering.folded(one)}.values()
    )
    if not phrases:
        raise InvalidInput("phrases", "At least one word, please: letters, digits or an emoji.")
    if any(len(one) > filtering.MAX_PHRASE_CHARS for one in phrases):
        raise InvalidInput(
            "phrases",
            "At most %(count)s characters a line, please.",
            count=filtering.MAX_PHRASE_CHARS,
        )
    if len(phrases) + sum(len(one.phrases) for one in others) > filtering.MAX_PHRASES:
        raise InvalidInput(
            "phrases",
            "At most %(count)s words in all filters together, please.",
            count=filtering.MAX_PHRASES,
        )
    if len(others) >= filtering.MAX_FILTERS:
        raise InvalidInput(
            "name", "At most %(count)s filters, please.", count=filtering.MAX_FILTERS
        )
    if not wanted.places:
        raise InvalidInput("places", "Choose at least one place where it works.")
    return phrases


def _from_row(sealer: Sealer, row: Row) -> Filter:
    body = json.loads(sealer.open("owner", row["body_sealed"], bound_to=_place(row["id"])))
    return Filter(
        id=row["id"],
        name=body["name"],
        phrases=tuple(body["phrases"]),
        places=frozenset(Place(one) for one in body["places"]),
        whole_words=body["whole_words"],
        hides=body["hides"],
        until=instants.from_text(row["until"]) if row["until"] else None,
    )


def _place(filter_id: int) -> str:
    return f"filter {filter_id}"
