"""Tidying up: what is dropped first, and what never."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from microfedi.federation import prune
from microfedi.federation.context import Context
from microfedi.protocol import sanitize, vocab
from microfedi.protocol.vocab import Visibility
from microfedi.storage import (
    actors,
    announces,
    bookmarks,
    conversations,
    files,
    following,
    likes,
    media,
    messages,
    notes,
    notifications,
    pins,
    strangers,
    timeline,
    upkeep,
)
from microfedi.storage.database import Database, Reader, Transaction
from tests.another_server import another_server
from tests.factories import NOON
from tests.federation.here import OWNER, context

ANN = "https://a.example/users/ann"
LONG_AGO = NOON - timedelta(days=400)


@pytest.fixture
async def ctx(db: Database, tmp_path: Path) -> AsyncIterator[Context]:
    async with another_server() as server:
        yield await context(db, server, tmp_path)


def an_actor(tx: Transaction, uri: str = ANN) -> actors.Actor:
    actor = vocab.Actor(uri=uri, inbox=f"{uri}/inbox", preferred_username=uri.rsplit("/", 1)[1])
    return actors.keep(tx, actor, handle=None, now=NOON)


def a_post(
    tx: Transaction,
    name: str,
    *,
    actor_id: int,
    days_ago: int = 400,
    reply_to: str | None = None,
    public_id: str | None = None,
) -> int:
    note = vocab.Note(
        uri=f"https://a.example/notes/{name}",
        attributed_to=ANN,
        in_reply_to=reply_to and f"https://a.example/notes/{reply_to}",
        published=NOON - timedelta(days=days_ago),
    )
    kept = notes.keep(
        tx,
        note,
        actor_id=actor_id,
        visibility=Visibility.PUBLIC,
        html=sanitize.html(f"<p>{name}</p>"),
        now=NOON,
        public_id=public_id,
    )
    assert kept is not None
    return kept[0].id


def names(reader: Reader) -> set[str]:
    return {row["uri"].rsplit("/", 1)[1] for row in reader.all("SELECT uri FROM notes")}


async def test_what_somebody_here_cares_for_is_never_dropped(ctx: Context) -> None:
    owner_id = ctx.owner.actor_id

    def arrange(tx: Transaction) -> None:
        ann = an_actor(tx).id
        a_post(tx, "stranger", actor_id=ann)
        a_post(tx, "young", actor_id=ann, days_ago=1)
        a_post(tx, "own", actor_id=owner_id, public_id="own")
        bookmarks.add(tx, a_post(tx, "bookmarked", actor_id=ann), NOON)
        likes.add(tx, a_post(tx, "liked", actor_id=ann), owner_id, f"{OWNER}/likes/1", NOON)
        announces.add(
            tx,
            uri=f"{OWNER}/announces/1",
            note_id=a_post(tx, "boosted", actor_id=ann),
            actor_id=owner_id,
            visibility=Visibility.PUBLIC,
            published_at=LONG_AGO,
            now=NOON,
        )
        a_post(tx, "root", actor_id=ann)
        a_post(tx, "middle", actor_id=ann, reply_to="root")
        a_post(tx, "answer", actor_id=owner_id, reply_to="middle", public_id="answer")
        pins.replace(tx, ann, [a_post(tx, "pinned", actor_id=ann)])
        conversation = conversations.make(tx, {ann}, state="open")
        messages.keep(
            tx,
            vocab.Note(uri=f"{ANN}/m/1", attributed_to=ANN, published=LONG_AGO),
            conversation_id=conversation,
            actor_id=ann,
            html=sanitize.html("<p>hi</p>"),
            now=NOON,
        )

    await ctx.db.write(arrange)
    await prune.keep_to_budget(ctx, 1)

    assert await ctx.db.read(names) == {
        *("young", "own", "bookmarked", "liked", "boosted"),
        *("root", "middle", "answer", "pinned"),
    }
    assert await ctx.db.read(lambda reader: reader.value("SELECT count(*) FROM messages")) == 1


async def test_posts_of_strangers_go_before_what_stands_at_home(ctx: Context) -> None:
    def arrange(tx: Transaction) -> None:
        ann, ben = an_actor(tx).id, an_actor(tx, "https://b.example/users/ben").id
        following.put(tx, ann, f"{OWNER}/follows/1", "accepted", NOON)
        timeline.add(tx, note_id=a_post(tx, "home", actor_id=ann, days_ago=500), at=LONG_AGO)
        a_post(tx, "stranger", actor_id=ben)

    await ctx.db.write(arrange)

    def drop(tx: Transaction, *, strangers_only: bool) -> int:
        before = NOON - timedelta(days=2)
        return upkeep.drop_posts(
            tx, published_before=before, after_id=0, strangers_only=strangers_only
        )[0]

    assert await ctx.db.write(lambda tx: drop(tx, strangers_only=True)) == 1
    assert await ctx.db.read(names) == {"home"}
    assert await ctx.db.write(lambda tx: drop(tx, strangers_only=False)) == 1
    assert await ctx.db.read(names) == set()


async def test_within_the_budget_nothing_is_dropped(ctx: Context) -> None:
    await ctx.db.write(lambda tx: a_post(tx, "stranger", actor_id=an_actor(tx).id))

    await prune.keep_to_budget(ctx, ctx.owner.disk_budget_bytes)

    assert await ctx.db.read(names) == {"stranger"}


async def test_copies_go_before_posts(ctx: Context) -> None:
    def arrange(tx: Transaction) -> None:
        a_post(tx, "stranger", actor_id=an_actor(tx).id)
        for number in range(5):
            media.put_cached(
                tx,
                f"k{number}",
                media_type="image/webp",
                size_bytes=1_000_000,
                now=NOON + timedelta(minutes=number),
            )

    await ctx.db.write(arrange)
    for number in range(5):
        files.write(ctx.config.cache_dir, f"k{number}", b"x")
    used = await ctx.db.read(upkeep.database_bytes)

    await prune.keep_to_budget(ctx, used + 3_500_000)

    assert await ctx.db.read(names) == {"stranger"}
    assert files.names(ctx.config.cache_dir) == {"k2", "k3", "k4"}


async def test_the_job_removes_files_that_nobody_knows_and_comes_again(ctx: Context) -> None:
    files.write(ctx.config.cache_dir, "orphan", b"x")
    await ctx.db.write(
        lambda tx: tx.run(
            "INSERT INTO tombstones (uri, deleted_at, was_public)"
            " VALUES ('theirs', '2020', 0), ('ours', '2020', 1), ('new', '2026-11-22', 0)"
        )
    )

    again = await prune.run(ctx, "")

    assert again == prune.EVERY
    assert files.names(ctx.config.cache_dir) == set()
    left = await ctx.db.read(lambda reader: reader.all("SELECT uri FROM tombstones"))
    assert {row["uri"] for row in left} == {"ours", "new"}


async def test_people_of_whom_nothing_is_left_are_forgotten(ctx: Context) -> None:
    def arrange(tx: Transaction) -> None:
        an_actor(tx)
        ben = an_actor(tx, "https://b.example/users/ben").id
        a_post(tx, "post", actor_id=ben)
        carol = an_actor(tx, "https://c.example/users/carol").id
        following.put(tx, carol, f"{OWNER}/follows/1", "accepted", NOON)

    await ctx.db.write(arrange)

    dropped = await ctx.db.write(lambda tx: upkeep.drop_actors(tx, NOON + timedelta(days=1)))

    assert dropped == 1
    assert await ctx.db.read(lambda reader: actors.by_uri(reader, ANN)) is None


async def test_what_strangers_did_and_nobody_let_in_goes_after_two_months(
    ctx: Context, db: Database
) -> None:
    def fill(tx: Transaction) -> None:
        ann = an_actor(tx)
        strangers.set_rules(tx, {"not_followed": "filter"})
        notifications.add(tx, "follow", actor_id=ann.id, now=NOON - timedelta(days=61))
        notifications.add(tx, "feature", actor_id=ann.id, now=NOON - timedelta(days=59))
        strangers.set_rules(tx, {})
        notifications.add(tx, "moved", actor_id=ann.id, now=NOON - timedelta(days=61))

    await db.write(fill)
    await prune.run(ctx, "")
    rows = await db.read(lambda r: r.all("SELECT kind FROM notifications ORDER BY kind"))
    assert [row["kind"] for row in rows] == ["feature", "moved"]
