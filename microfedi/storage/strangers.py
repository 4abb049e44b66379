"""Strangers: whether the owner is told of what they do, whom the owner let in, and what waits.

It is decided when something arrives: what is held then stays apart, so that pages and counts of
what was told need not ask who is a stranger. A rule that changes is for what comes after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from microfedi.protocol import instants
from microfedi.storage import actors
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction

# Whom a rule is about: whom the owner does not follow; who does not follow the owner; accounts
# that are new; posts for few that name the owner and answer nothing of theirs.
About = Literal["not_followed", "not_following", "new", "private"]
Rule = Literal["accept", "filter", "ignore"]
Verdict = Literal["tell", "hold", "drop"]

ABOUT: Final[tuple[About, ...]] = get_args(About)

NEW_FOR = timedelta(days=30)  # as Mastodon counts
FOLLOWER_AFTER = timedelta(days=3)  # following is quickly done, and undone: as Mastodon counts
HELD_FOR = timedelta(days=60)  # what nobody let in until then is thrown away
# What strangers can cause. Everything else answers the owner, or is about what they did before.
FILTERABLE: Final = frozenset(
    {
        "follow",
        "follow_request",
        "mention",
        "like",
        "announce",
        "reaction",
        "quote",
        "quote_request",
        "feature",
        "feature_request",
    }
)


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody of whom `count` notifications wait; `newest_id` is the last one's."""

    actor: Actor
    count: int
    newest_id: int


def rules(reader: Reader) -> dict[About, Rule]:
    """Return what is to happen to each kind of strangers."""
    found: dict[About, Rule] = dict.fromkeys(ABOUT, "accept")
    for row in reader.all("SELECT about, rule FROM notification_rules"):
        found[row["about"]] = row["rule"]
    return found


def set_rules(tx: Transaction, wanted: Mapping[About, Rule]) -> None:
    """Put other rules in place of what was; what is not named is accepted."""
    tx.run("DELETE FROM notification_rules")
    tx.run_many(
        "INSERT INTO notification_rules (about, rule) VALUES (:about, :rule)",
        [
            {"about": about, "rule": rule}
            for about, rule in wanted.items()
            if about in ABOUT and rule != "accept"
        ],
    )


def verdict(
    reader: Reader, kind: str, actor_id: int, note_id: int | None, now: datetime
) -> Verdict:
    """Return whether the owner is told of what somebody did, whether it waits, or is dropped.

    Whom the owner follows, or has let in, is always told of.
    """
    if kind not in FILTERABLE:
        return "tell"
    standing = {about: rule for about, rule in rules(reader).items() if rule != "accept"}
    if not standing:
        return "tell"
    row = reader.one(
        """
        SELECT EXISTS (SELECT 1 FROM following
                        WHERE actor_id = :actor_id AND state = 'accepted')
            OR EXISTS (SELECT 1 FROM notification_people WHERE actor_id = :actor_id)
            OR EXISTS (SELECT 1 FROM owner WHERE actor_id = :actor_id) AS is_known,
               NOT EXISTS (SELECT 1 FROM followers
                            WHERE actor_id = :actor_id
                              AND state = 'accepted'
                              AND created_at <= :follower_since) AS not_following,
               EXISTS (SELECT 1 FROM actors
                        WHERE id = :actor_id AND published_at > :new_since) AS new,
               EXISTS (SELECT 1 FROM notes
                        WHERE id = :note_id
                          AND visibility IN ('followers', 'limited')
                          AND NOT EXISTS (SELECT 1 FROM notes AS parent
                                            JOIN owner ON owner.actor_id = parent.actor_id
                                           WHERE parent.id = notes.in_reply_to_id)) AS private
        """,
        {
            "actor_id": actor_id,
            "note_id": note_id,
            "follower_since": instants.to_text(now - FOLLOWER_AFTER),
            "new_since": instants.to_text(now - NEW_FOR),
        },
    )
    if row is None or row["is_known"]:
        return "tell"
    holds: dict[About, bool] = {
        "not_followed": True,
        "not_following": bool(row["not_following"]),
        "new": bool(row["new"]),
        "private": bool(row["private"]) and kind == "mention",
    }
    met = {rule for about, rule in standing.items() if holds[about]}
    return "drop" if "ignore" in met else "hold" if "filter" in met else "tell"


def held(reader: Reader, *, before_id: int | None, limit: int) -> list[Held]:
    """Return of whom notifications wait, whoever did something last in front; the next page is
    before the last one's `newest_id`.
    """
    rows = reader.all(
        """
        SELECT actor_id, count(*) AS count, max(id) AS newest_id
          FROM notifications
         WHERE is_held
         GROUP BY actor_id
        HAVING max(id) < coalesce(:before_id, 9223372036854775807)
         ORDER BY newest_id DESC
         LIMIT :limit
        """,
        {"before_id": before_id, "limit": limit},
    )
    people = actors.by_ids(reader, [row["actor_id"] for row in rows])
    return [Held(people[row["actor_id"]], row["count"], row["newest_id"]) for row in rows]


def people_held(reader: Reader, most: int) -> int:
    """Return of how many people notifications wait, `most` if there are more."""
    count: int = reader.value(
        """
        SELECT count(*)
          FROM (SELECT DISTINCT actor_id FROM notifications WHERE is_held LIMIT :most)
        """,
        {"most": most},
    )
    return count


def accept(tx: Transaction, actor_id: int, now: datetime) -> int:
    """Tell of what waits of somebody, and of what they do from now on; return how many waited.

    They come in where they belong by their time.
    """
    tx.run(
        """
        INSERT INTO notification_people (actor_id, created_at)
        SELECT id, :now FROM actors WHERE id = :actor_id
        ON CONFLICT (actor_id) DO NOTHING
        """,
        {"actor_id": actor_id, "now": instants.to_text(now)},
    )
    return release(tx, actor_id)


def release(tx: Transaction, actor_id: int) -> int:
    """Tell of what waits of somebody, since they are no stranger any more; return how many."""
    return tx.run(
        "UPDATE notifications SET is_held = 0 WHERE is_held AND actor_id = :actor_id",
        {"actor_id": actor_id},
    )


def is_accepted(reader: Reader, actor_id: int) -> bool:
    """True if the owner let somebody in whatever the rules say."""
    found = reader.value("SELECT 1 FROM notification_people WHERE actor_id = :id", {"id": actor_id})
    return found is not None


def unaccept(tx: Transaction, actor_id: int) -> bool:
    """Let the rules count for somebody again; False if they did."""
    return tx.run("DELETE FROM notification_people WHERE actor_id = :id", {"id": actor_id}) == 1


def accepted(reader: Reader, limit: int) -> list[Actor]:
    """Return whom the owner let in, the last one first."""
    rows = reader.all(
        """
        SELECT actor_id
          FROM notification_people
         ORDER BY created_at DESC, actor_id DESC
         LIMIT :limit
        """,
        {"limit": limit},
    )
    found = actors.by_ids(reader, [row["actor_id"] for row in rows])
    return [found[row["actor_id"]] for row in rows]


def dismiss(tx: Transaction, actor_id: int) -> int:
    """Throw away what waits of somebody, and return how many; what they do next waits again."""
    return tx.run(
        "DELETE FROM notifications WHERE is_held AND actor_id = :actor_id", {"actor_id": actor_id}
    )


def dismiss_all(tx: Transaction) -> int:
    """Throw away everything that waits, and return how many."""
    return tx.run("DELETE FROM notifications WHERE is_held")


def prune(tx: Transaction, before: datetime) -> int:
    """Throw away what has been waiting since before `before`."""
    return tx.run(
        "DELETE FROM notifications WHERE is_held AND created_at < :before",
        {"before": instants.to_text(before)},
    )
