"""What we know of strangers who write: from what is here anyway. Nobody is asked for it.

What somebody's own server says, such as how old the account is, is a claim, and is shown as one.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import ids
from microfedi.storage import actors
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader

MAX_KNOWN_BY = 5  # names: more of them say no more


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who wrote for the first time.

    `known_by` are people whom the owner follows and who boosted or answered posts of theirs that
    are here. `answered` is how often they answered the owner's posts. `shares` is with how many
    people on their server the owner follows. `software` and `users` are what that server says of
    itself, if it was asked lately.
    """

    actor: Actor
    follows_you: bool
    asked_to_follow: bool
    is_followed: bool
    answered: int
    shares: int
    software: str
    users: int | None
    known_by: tuple[Actor, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What came in a conversation: how many messages, links and files, the first of them when.

    `writers` are row ids.
    """

    messages: int
    links: int
    files: int
    since: datetime
    writers: tuple[int, ...]


def strangers(reader: Reader, actor_ids: Collection[int]) -> dict[int, Stranger]:
    """Return what is known of these people, by row id."""
    wanted = {"ids": json.dumps(list(actor_ids))}
    rows = reader.all(
        """
        SELECT actors.id,
               followers.state AS follower,
               following.state AS followed,
               (SELECT count(*)
                  FROM notes AS answer
                  JOIN notes AS parent ON parent.id = answer.in_reply_to_id
                  JOIN owner ON owner.actor_id = parent.actor_id
                 WHERE answer.actor_id = actors.id) AS answered,
               (SELECT count(*)
                  FROM following AS near
                  JOIN actors AS neighbour ON neighbour.id = near.actor_id
                 WHERE near.state = 'accepted'
                   AND neighbour.host = actors.host) AS shares,
               coalesce(server_facts.software, '') AS software,
               server_facts.users AS users
          FROM actors
          LEFT JOIN server_facts ON server_facts.host = actors.host
          LEFT JOIN followers ON followers.actor_id = actors.id
          LEFT JOIN following ON following.actor_id = actors.id
         WHERE actors.id IN (SELECT value FROM json_each(:ids))
        """,
        wanted,
    )
    known_by: dict[int, list[int]] = {}
    for row in reader.all(
        """
        SELECT DISTINCT notes.actor_id AS stranger, announces.actor_id AS known
          FROM notes
          JOIN announces ON announces.note_id = notes.id
          JOIN following ON following.actor_id = announces.actor_id
         WHERE notes.actor_id IN (SELECT value FROM json_each(:ids))
           AND following.state = 'accepted'
         UNION
        SELECT DISTINCT notes.actor_id, answer.actor_id
          FROM notes
          JOIN notes AS answer ON answer.in_reply_to_id = notes.id
          JOIN following ON following.actor_id = answer.actor_id
         WHERE notes.actor_id IN (SELECT value FROM json_each(:ids))
           AND answer.actor_id != notes.actor_id
           AND following.state = 'accepted'
        """,
        wanted,
    ):
        known_by.setdefault(row["stranger"], []).append(row["known"])
    shown = {one: sorted(known)[:MAX_KNOWN_BY] for one, known in known_by.items()}
    people = actors.by_ids(reader, {*actor_ids, *(one for some in shown.values() for one in some)})
    return {
        row["id"]: Stranger(
            people[row["id"]],
            follows_you=row["follower"] == "accepted",
            asked_to_follow=row["follower"] == "requested",
            is_followed=row["followed"] == "accepted",
            answered=row["answered"],
            shares=row["shares"],
            software=row["software"],
            users=row["users"],
            known_by=tuple(people[one] for one in shown.get(row["id"], ())),
        )
        for row in rows
    }


def written(reader: Reader, conversation_ids: Collection[int]) -> dict[int, Written]:
    """Return what others wrote in these conversations, without opening any of it."""
    rows = reader.all(
        """
        SELECT conversation_id, count(*) AS messages, sum(links) AS links, sum(files) AS files,
               min(id) AS first, json_group_array(DISTINCT actor_id) AS writers
          FROM messages
         WHERE conversation_id IN (SELECT value FROM json_each(:ids))
           AND actor_id NOT IN (SELECT actor_id FROM owner)
         GROUP BY conversation_id
        """,
        {"ids": json.dumps(list(conversation_ids))},
    )
    return {
        row["conversation_id"]: Written(
            row["messages"],
            row["links"],
            row["files"],
            ids.instant_of(row["first"]),
            tuple(json.loads(row["writers"])),
        )
        for row in rows
    }
