"""Fetching afterwards: posts of somebody followed, threads upwards, profiles again."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from microfedi.errors import RemoteError
from microfedi.federation import backfill
from microfedi.federation.context import Context
from microfedi.protocol import instants, vocab
from microfedi.storage import actors, following, notes, pins, stretches
from microfedi.storage.database import Database, Reader
from tests.another_server import AS2, AnotherServer, Answer, another_server
from tests.factories import NOON
from tests.federation.here import OWNER, context

ALICE = "https://vic.example/users/alice"
BOB = "https://vic.example/users/bob"
MALLORY = "https://evil.example/users/mallory"


@pytest.fixture
async def server() -> AsyncIterator[AnotherServer]:
    async with another_server() as running:
        yield running


@pytest.fixture
async def ctx(db: Database, server: AnotherServer, tmp_path: Path) -> Context:
    return await context(db, server, tmp_path)


def a_note(uri: str, author: str = ALICE, **changes: Any) -> dict[str, Any]:
    number = int("".join(filter(str.isdigit, uri)) or "0")
    return {
        "id": uri,
        "type": "Note",
        "attributedTo": author,
        "content": f"<p>{uri}</p>",
        "to": [vocab.PUBLIC],
        "published": instants.to_text(NOON - timedelta(hours=number)),
    } | changes


def a_create(note: dict[str, Any] | str, author: str = ALICE) -> dict[str, Any]:
    uri = note if isinstance(note, str) else note["id"]
    return {"id": f"{uri}/create", "type": "Create", "actor": author, "object": note}


def a_page(url: str, items: list[Any], **changes: Any) -> dict[str, Any]:
    return {"id": url, "type": "OrderedCollectionPage", "orderedItems": items} | changes


def put(server: AnotherServer, url: str, document: dict[str, Any]) -> None:
    server.serve(url, {"@context": AS2, **document})


def put_outbox(server: AnotherServer, items: list[Any], actor: str = ALICE) -> None:
    outbox = f"{actor}/outbox"
    put(server, outbox, {"id": outbox, "type": "OrderedCollection", "first": f"{outbox}?p=1"})
    put(server, f"{outbox}?p=1", a_page(f"{outbox}?p=1", items))


async def follow(ctx: Context, uri: str = ALICE) -> None:
    def change(tx: Any) -> None:
        actor = vocab.Actor(uri=uri, inbox=f"{uri}/inbox", preferred_username="x")
        kept = actors.keep(tx, actor, handle=None, now=NOON)
        following.put(tx, kept.id, f"{OWNER}/follows/1", "accepted", NOON)

    await ctx.db.write(change)


def kept(reader: Reader) -> set[str]:
    return {row["uri"] for row in reader.all("SELECT uri FROM notes")}


def home(reader: Reader) -> list[str]:
    entries = stretches.below(reader, limit=50, now=NOON).entries
    found = notes.by_ids(reader, [entry.note_id for entry in entries])
    return [found[entry.note_id].uri for entry in entries]


async def test_the_last_posts_of_somebody_followed_stand_at_home_by_their_time(
    ctx: Context, server: AnotherServer
) -> None:
    server.actor(ALICE)
    await follow(ctx)
    uris = [f"https://vic.example/notes/{number}" for number in range(1, 31)]
    put_outbox(server, [a_create(a_note(uri)) for uri in uris])

    await backfill.run(ctx, ALICE)
    await backfill.run(ctx, ALICE)

    assert await ctx.db.read(home) == uris[: backfill.MAX_POSTS]
    alice = await ctx.db.read(lambda reader: actors.by_uri(reader, ALICE))
    assert alice is not None
    assert alice.name == "Alice"
    told = await ctx.db.read(lambda reader: reader.value("SELECT count(*) FROM notifications"))
    assert told == 0


async def test_pinned_posts_are_kept_in_order_and_not_put_at_home(
    ctx: Context, server: AnotherServer
) -> None:
    server.actor(ALICE, featured=f"{ALICE}/featured")
    await follow(ctx)
    first, second = (f"https://vic.example/notes/{number}" for number in (7, 8))
    put(server, second, a_note(second))
    featured = f"{ALICE}/featured"
    put(
        server,
        featured,
        {"id": featured, "type": "OrderedCollection", "orderedItems": [second, a_note(first)]},
    )
    put_outbox(server, [])

    await backfill.run(ctx, ALICE)

    alice = await ctx.db.read(lambda reader: actors.by_uri(reader, ALICE))
    assert alice is not None
    pinned = await ctx.db.read(lambda reader: pins.of(reader, alice.id))
    assert [note.uri for note in pinned] == [second, first]
    assert await ctx.db.read(home) == []


async def test_s_041_inline_items_are_believed_of_their_own_author_alone(
    ctx: Context, server: AnotherServer
) -> None:
    server.actor(MALLORY, featured=f"{MALLORY}/featured")
    server.actor(ALICE)
    await follow(ctx, MALLORY)
    forged = a_note("https://vic.example/notes/1", ALICE)
    own = a_note("https://evil.example/notes/2", MALLORY)
    put_outbox(
        server,
        [
            forged,
            a_create(forged, MALLORY),
            a_create(forged, ALICE),
            a_note("https://vic.example/notes/3", MALLORY),
            a_note("https://evil.example/notes/4", ALICE),
            a_note("https://us.example/users/owner/notes/5", OWNER),
            "https://vic.example/notes/6",
            a_create("https://vic.example/notes/7", MALLORY),
            a_create(own, MALLORY),
        ],
        MALLORY,
    )
    featured = f"{MALLORY}/featured"
    put(
        server,
        featured,
        {"id": featured, "type": "Collection", "items": [forged, "https://vic.example/notes/8"]},
    )

    await backfill.run(ctx, MALLORY)

    assert await ctx.db.read(kept) == {"https://evil.example/notes/2"}
    assert {request.url.split("/")[2] for request in server.requests} == {"evil.example"}


async def test_s_074_pages_without_end_are_not_followed(
    ctx: Context, server: AnotherServer
) -> None:
    server.actor(ALICE)
    await follow(ctx)
    outbox = f"{ALICE}/outbox"

    def endless(url: str, next_url: str) -> None:
        put(server, url, a_page(url, [], next=next_url))

    put(server, outbox, {"id": outbox, "type": "OrderedCollection", "first": f"{outbox}?p=1"})
    for number in range(1, 40):
        endless(f"{outbox}?p={number}", f"{outbox}?p={number + 1}")

    await backfill.run(ctx, ALICE)

    pages = [request.url for request in server.gets() if request.url.startswith(f"{outbox}?")]
    assert len(pages) == backfill.MAX_PAGES


@pytest.mark.parametrize(
    "next_url", [f"{ALICE}/outbox?p=1", "https://evil.example/page", f"{ALICE}/missing"]
)
async def test_s_074_a_page_that_leads_to_itself_or_elsewhere_is_the_last(
    ctx: Context, server: AnotherServer, next_url: str
) -> None:
    server.actor(ALICE)
    await follow(ctx)
    outbox = f"{ALICE}/outbox"
    put(server, outbox, {"id": outbox, "type": "OrderedCollection", "first": f"{outbox}?p=1"})
    post = "https://vic.example/notes/1"
    put(server, f"{outbox}?p=1", a_page(f"{outbox}?p=1", [a_note(post)], next=next_url))

    await backfill.run(ctx, ALICE)

    assert await ctx.db.read(home) == [post]
    assert len(server.gets(f"{outbox}?p=1")) == 1
    assert "evil.example" not in server.resolved


async def test_messages_in_an_outbox_are_not_kept_as_posts(
    ctx: Context, server: AnotherServer
) -> None:
    server.actor(ALICE)
    await follow(ctx)
    put_outbox(server, [a_create(a_note("https://vic.example/notes/1", to=[OWNER]))])

    await backfill.run(ctx, ALICE)

    assert await ctx.db.read(kept) == set()


async def test_without_following_nothing_stands_at_home(
    ctx: Context, server: AnotherServer
) -> None:
    server.actor(ALICE)
    put_outbox(server, [a_create(a_note("https://vic.example/notes/1"))])

    await backfill.run(ctx, ALICE)

    assert await ctx.db.read(kept) == {"https://vic.example/notes/1"}
    assert await ctx.db.read(home) == []


async def test_answers_to_strangers_do_not_stand_at_home(
    ctx: Context, server: AnotherServer
) -> None:
    server.actor(ALICE)
    await follow(ctx)
    own, to_self, to_stranger = (f"https://vic.example/notes/{n}" for n in (3, 2, 1))
    put_outbox(
        server,
        [
            a_create(a_note(own)),
            a_create(a_note(to_self, inReplyTo=own)),
            a_create(a_note(to_stranger, inReplyTo="https://c.example/notes/9")),
        ],
    )

    await backfill.run(ctx, ALICE)

    assert await ctx.db.read(home) == [to_self, own]
    assert to_stranger in await ctx.db.read(kept)


async def test_who_is_gone_is_forgotten_and_who_is_away_is_not(
    ctx: Context, server: AnotherServer
) -> None:
    await follow(ctx)
    server.serve(ALICE, Answer(404))
    with pytest.raises(RemoteError):
        await backfill.refresh(ctx, ALICE)
    assert await ctx.db.read(lambda reader: actors.by_uri(reader, ALICE)) is not None

    server.serve(ALICE, Answer(410, body=json.dumps({}).encode()))
    await backfill.refresh(ctx, ALICE)
    assert await ctx.db.read(lambda reader: actors.by_uri(reader, ALICE)) is None


async def test_with_a_profile_what_is_pinned_is_looked_at_again(
    ctx: Context, server: AnotherServer
) -> None:
    featured = f"{ALICE}/featured"
    server.actor(ALICE, featured=featured)
    await follow(ctx)
    post = "https://vic.example/notes/1"
    collection = {"id": featured, "type": "OrderedCollection"}
    put(server, featured, {**collection, "orderedItems": [a_note(post)]})

    await backfill.refresh(ctx, ALICE)
    alice = await ctx.db.read(lambda reader: actors.by_uri(reader, ALICE))
    assert alice is not None
    first = await ctx.db.read(lambda reader: pins.of(reader, alice.id))
    server.serve(featured, Answer(500))
    await backfill.refresh(ctx, ALICE)
    second = await ctx.db.read(lambda reader: pins.of(reader, alice.id))
    put(server, featured, {**collection, "orderedItems": []})
    await backfill.refresh(ctx, ALICE)
    third = await ctx.db.read(lambda reader: pins.of(reader, alice.id))

    assert [[note.uri for note in found] for found in (first, second, third)] == [[post]] * 2 + [[]]


async def test_profiles_that_were_not_looked_at_for_long_are_fetched_again(
    ctx: Context, server: AnotherServer
) -> None:
    await follow(ctx)
    await ctx.db.write(lambda tx: tx.run("UPDATE actors SET fetched_at = '2026-01-01'"))

    again = await backfill.refresh_stale(ctx, "")

    assert again == backfill.REFRESH_EVERY
    waiting = await ctx.db.read(lambda reader: reader.all("SELECT kind, key FROM jobs"))
    assert [tuple(row) for row in waiting] == [("refresh", ALICE)]
    assert ctx.wake.jobs.is_set()
