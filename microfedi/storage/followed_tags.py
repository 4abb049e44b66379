"""Hashtags that the owner follows: public posts with one of them stand on Home."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from microfedi.errors import InvalidInput
from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

MAX_TAGS = 500  # a page of them still can be read


@dataclass(frozen=True, slots=True)
class FollowedTag:
    """A hashtag, lower-case without `#`, and since when it is followed."""

    tag: str
    created_at: datetime


def follow(tx: Transaction, tag: str, now: datetime) -> None:
    """Follow a hashtag from now on. Raises: InvalidInput if there are too many."""
    tx.run(
        """
        INSERT INTO followed_tags (tag, created_at)
        VALUES (:tag, :now)
        ON CONFLICT (tag) DO NOTHING
        """,
        {"tag": tag, "now": instants.to_text(now)},
    )
    if tx.value("SELECT count(*) FROM followed_tags") > MAX_TAGS:
        raise InvalidInput("tag", "At most %(count)s followed hashtags, please.", count=MAX_TAGS)


def unfollow(tx: Transaction, tag: str) -> bool:
    """Follow a hashtag no longer; False if it was not followed."""
    return tx.run("DELETE FROM followed_tags WHERE tag = :tag", {"tag": tag}) == 1


def everyone(reader: Reader) -> list[FollowedTag]:
    """Return all that are followed, in the order of the alphabet."""
    rows = reader.all("SELECT tag, created_at FROM followed_tags ORDER BY tag")
    return [FollowedTag(row["tag"], instants.from_text(row["created_at"])) for row in rows]


def is_followed(reader: Reader, tag: str) -> bool:
    """Whether a hashtag is followed."""
    return of(reader, [tag]) != []


def of(reader: Reader, tags: Iterable[str]) -> list[str]:
    """Return which of these hashtags are followed, in the order of the alphabet."""
    rows = reader.all(
        """
        SELECT tag
          FROM followed_tags
         WHERE tag IN (SELECT value FROM json_each(:tags))
         ORDER BY tag
        """,
        {"tags": json.dumps(list(tags))},
    )
    return [row["tag"] for row in rows]
