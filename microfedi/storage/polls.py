"""Polls and votes: what was chosen is counted, who chose what is kept nowhere.

What the options say lies in the note's body. A vote leaves a key that stands for note, voter and
option together, so that it counts once, and the voter beside it, so that nobody votes again.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants, vocab
from microfedi.storage.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class Standing:
    """How a poll stands. `counts` is in the order of the options; `chosen` what the owner chose."""

    counts: tuple[int, ...]
    voters: int
    ends_at: datetime | None
    closed_at: datetime | None
    chosen: frozenset[int] = frozenset()

    def is_over(self, now: datetime) -> bool:
        """True once nobody can vote any more."""
        return self.closed_at is not None or (self.ends_at is not None and self.ends_at <= now)


def put(tx: Transaction, note_id: int, poll: vocab.Poll, *, has_changed: bool = False) -> None:
    """Keep what the author's server says of a poll; `has_changed` if it asks something else now.

    Then the votes for what it asked before are gone.
    """
    if has_changed:
        tx.run("DELETE FROM votes WHERE note_id = :id", {"id": note_id})
    counts = [one.votes for one in poll.options]
    tx.run(
        """
        INSERT INTO polls (note_id, ends_at, closed_at, voters, counts)
        VALUES (:note_id, :ends_at, :closed_at, :voters, :counts)
        ON CONFLICT (note_id) DO UPDATE
           SET ends_at = excluded.ends_at, closed_at = excluded.closed_at,
               voters = excluded.voters, counts = excluded.counts
        """,
        {
            "note_id": note_id,
            "ends_at": _text(poll.ends),
            "closed_at": _text(poll.closed),
            "voters": _fits(sum(counts) if poll.voters is None else poll.voters),
            "counts": json.dumps([_fits(one) for one in counts]),
        },
    )


def standing(reader: Reader, note_id: int, *, voter_id: int = 0) -> Standing | None:
    """Return how a poll stands, and what `voter_id` chose; None if there is none."""
    return of_notes(reader, [note_id], voter_id=voter_id).get(note_id)


def filled(reader: Reader, note_id: int, asked: vocab.Poll | None) -> vocab.Poll | None:
    """Return what a note asks with how it stands: as it travels."""
    found = None if asked is None else standing(reader, note_id)
    if asked is None or found is None:
        return None
    counts = (*found.counts, *[0] * len(asked.options))
    return vocab.Poll(
        tuple(
            vocab.Option(one.name, votes) for one, votes in zip(asked.options, counts, strict=False)
        ),
        is_multiple=asked.is_multiple,
        ends=found.ends_at,
        closed=found.closed_at,
        voters=found.voters,
    )


def of_notes(
    reader: Reader, note_ids: Collection[int], *, voter_id: int = 0
) -> dict[int, Standing]:
    """Return how the polls of notes stand, by note."""
    rows = reader.all(
        """
        SELECT polls.note_id, ends_at, closed_at, voters, counts,
               EXISTS (SELECT 1 FROM votes
                        WHERE votes.note_id = polls.note_id
                          AND votes.actor_id = :voter_id) AS has_voted
          FROM polls
         WHERE polls.note_id IN (SELECT value FROM json_each(:ids))
        """,
        {"ids": json.dumps(list(note_ids)), "voter_id": voter_id},
    )
    found: dict[int, Standing] = {}
    for row in rows:
        counts = tuple(json.loads(row["counts"]))
        chosen = (
            _chosen(reader, row["note_id"], voter_id, len(counts))
            if row["has_voted"]
            else frozenset()
        )
        found[row["note_id"]] = Standing(
            counts=counts,
            voters=row["voters"],
            ends_at=instants.from_text(row["ends_at"]) if row["ends_at"] else None,
            closed_at=instants.from_text(row["closed_at"]) if row["closed_at"] else None,
            chosen=chosen,
        )
    return found


def vote(tx: Transaction, note_id: int, actor_id: int, option: int, *, is_multiple: bool) -> bool:
    """Keep that somebody chose an option; False if they had, or may choose one only.

    Nothing is counted: see `count`.
    """
    voted = tx.value(
        "SELECT EXISTS (SELECT 1 FROM votes WHERE note_id = :note_id AND actor_id = :actor_id)",
        {"note_id": note_id, "actor_id": actor_id},
    )
    if voted and not is_multiple:
        return False
    added = tx.run(
        """
        INSERT INTO votes (vote_key, note_id, actor_id)
        VALUES (:vote_key, :note_id, :actor_id)
        ON CONFLICT (vote_key) DO NOTHING
        """,
        {
            "vote_key": _key(tx, note_id, actor_id, option),
            "note_id": note_id,
            "actor_id": actor_id,
        },
    )
    return added > 0


def count(tx: Transaction, note_id: int, options: Iterable[int]) -> None:
    """Count what one more person chose."""
    row = tx.one("SELECT counts, voters FROM polls WHERE note_id = :id", {"id": note_id})
    if row is None:
        return
    counts = json.loads(row["counts"])
    for option in options:
        counts[option] += 1
    tx.run(
        "UPDATE polls SET counts = :counts, voters = :voters WHERE note_id = :id",
        {"id": note_id, "counts": json.dumps(counts), "voters": _fits(row["voters"] + 1)},
    )


def count_more(tx: Transaction, note_id: int, option: int) -> None:
    """Count one more choice of somebody who is among the voters already."""
    count(tx, note_id, [option])
    tx.run("UPDATE polls SET voters = voters - 1 WHERE note_id = :id", {"id": note_id})


def close(tx: Transaction, note_id: int, at: datetime) -> bool:
    """End a poll; False if it was over."""
    return (
        tx.run(
            "UPDATE polls SET closed_at = :at WHERE note_id = :id AND closed_at IS NULL",
            {"id": note_id, "at": instants.to_text(at)},
        )
        > 0
    )


def has_voted(reader: Reader, note_id: int, actor_id: int) -> bool:
    """Whether somebody has voted."""
    return bool(
        reader.value(
            "SELECT EXISTS (SELECT 1 FROM votes WHERE note_id = :note_id AND actor_id = :actor_id)",
            {"note_id": note_id, "actor_id": actor_id},
        )
    )


def voters(reader: Reader, note_id: int, *, limit: int) -> list[int]:
    """Return who voted (never what), to tell them how it ended."""
    rows = reader.all(
        "SELECT DISTINCT actor_id FROM votes WHERE note_id = :id LIMIT :limit",
        {"id": note_id, "limit": limit},
    )
    return [row["actor_id"] for row in rows]


def _chosen(reader: Reader, note_id: int, actor_id: int, options: int) -> frozenset[int]:
    keys = {_key(reader, note_id, actor_id, option): option for option in range(options)}
    rows = reader.all(
        "SELECT vote_key FROM votes WHERE note_id = :note_id AND actor_id = :actor_id",
        {"note_id": note_id, "actor_id": actor_id},
    )
    return frozenset(keys[row["vote_key"]] for row in rows if row["vote_key"] in keys)


def _key(reader: Reader, note_id: int, actor_id: int, option: int) -> bytes:
    return reader.sealer.lookup_key("note", f"vote {note_id} {actor_id} {option}")


def _fits(value: int) -> int:
    return min(value, 2**53 - 1)  # counts of others may add up to more than a column holds


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instants.to_text(instant)
