"""What is missing of a thread, fetched from the servers where it lies."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from microfedi.config import Federation
from microfedi.errors import RemoteError
from microfedi.federation import keeping, lookup, thread_search, threads
from microfedi.federation.context import Context
from microfedi.protocol import instants, vocab
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, blocks, following, notes, stretches, tombstones
from microfedi.storage import threads as storage
from microfedi.storage.database import Database, Reader, Transaction
from microfedi.storage.threads import Problem
from tests.another_server import AS2, AnotherServer, Answer, Received, another_server
from tests.app_fixture import ACTIVITY, an_app
from tests.factories import NOON
from tests.federation.here import OWNER, Clock, context

ALICE = "https://vic.example/users/alice"
BOB = "https://vic.example/users/bob"
CAROL = "https://fol.example/users/carol"
DAVE = "https://far.example/users/dave"
MALLORY = "https://evil.example/users/mallory"
ROOT = f"{ALICE}/notes/1"


@pytest.fixture
async def server() -> AsyncIterator[AnotherServer]:
    async with another_server() as running:
        for uri in (ALICE, BOB, CAROL, DAVE, MALLORY):
            running.actor(uri)
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ctx(db: Database, server: AnotherServer, tmp_path: Path, clock: Clock) -> Context:
    return await context(db, server, tmp_path, now=clock)


def a_note(author: str, number: int, parent: str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "@context": AS2,
        "id": f"{author}/notes/{number}",
        "type": "Note",
        "attributedTo": author,
        "content": f"<p>{number}</p>",
        "to": [vocab.PUBLIC],
        "published": instants.to_text(NOON - timedelta(minutes=100 - number)),
        **({} if parent is None else {"inReplyTo": parent}),
    } | changes


def put(
    server: AnotherServer, author: str, number: int, parent: str | None = None, **changes: Any
) -> str:
    """Serve a post; return its id."""
    note = a_note(author, number, parent, **changes)
    uri: str = note["id"]
    server.serve(uri, note)
    return uri


def put_list(server: AnotherServer, url: str, items: list[Any], **changes: Any) -> str:
    """Serve a collection with one page; return its id."""
    page = {"type": "CollectionPage", "id": f"{url}?page=1", "partOf": url, "items": items}
    server.serve(url, {"@context": AS2, "id": url, "type": "Collection", "first": page} | changes)
    return url


async def open_post(ctx: Context, uri: str) -> storage.Fetch:
    """Open a post, and have done what that leads to; return what is known of it then."""
    note = await lookup.kept_note(ctx, uri)
    await threads.complete(ctx, uri)
    kept = await ctx.db.read(lambda reader: notes.by_uri(reader, uri)) or note
    fetch = await ctx.db.read(lambda reader: storage.fetch_of(reader, kept.thread_id))
    assert fetch is not None
    assert fetch.state == "done"
    return fetch


def kept(reader: Reader) -> set[str]:
    return {row["uri"] for row in reader.all("SELECT uri FROM notes")}


def asked(server: AnotherServer, host: str) -> list[str]:
    """What a server was asked for beside actors and handles."""
    return [
        one.url
        for one in server.gets()
        if one.url.split("/")[2] == host
        and ("/notes/" in one.url or "/contexts/" in one.url or "?" in one.url)
        and "webfinger" not in one.url
    ]


# Upwards.


async def test_a_thread_is_fetched_upwards(ctx: Context, server: AnotherServer) -> None:
    root = put(server, CAROL, 1)
    middle = put(server, BOB, 2, root)
    last = put(server, ALICE, 3, middle)

    fetch = await open_post(ctx, last)

    assert (fetch.found, fetch.problems) == (2, ())
    top = await ctx.db.read(lambda reader: notes.by_uri(reader, root))
    assert top is not None
    thread = await ctx.db.read(lambda reader: storage.notes_of(reader, top.thread_id))
    assert [note.uri for note in thread] == [root, middle, last]
    assert await ctx.db.read(lambda r: r.value("SELECT count(*) FROM notifications")) == 0
    assert await ctx.db.read(lambda r: stretches.below(r, limit=5, now=NOON).entries) == []


async def test_s_074_a_thread_without_a_top_is_climbed_so_far_and_no_further(
    ctx: Context, server: AnotherServer
) -> None:
    for number in range(100, 200):
        put(server, ALICE, number, f"{ALICE}/notes/{number + 1}")

    fetch = await open_post(ctx, f"{ALICE}/notes/100")

    assert len(await ctx.db.read(kept)) == 1 + threads.MAX_ANCESTORS
    assert Problem("above", "limit", "", 1) in fetch.problems


async def test_s_074_at_the_word_of_a_stranger_few_are_fetched(
    ctx: Context, server: AnotherServer
) -> None:
    for number in range(100, 200):
        put(server, ALICE, number, f"{ALICE}/notes/{number + 1}")
    first = await lookup.kept_note(ctx, f"{ALICE}/notes/100")

    await threads.upwards(ctx, first.uri)
    assert len(await ctx.db.read(kept)) == 1 + threads.MAX_ANCESTORS_OF_STRANGERS

    await ctx.db.write(
        lambda tx: following.put(tx, first.actor_id, "https://us.example/f/1", "accepted", NOON)
    )
    await threads.upwards(ctx, first.uri)
    climbed = threads.MAX_ANCESTORS_OF_STRANGERS + threads.MAX_ANCESTORS
    assert len(await ctx.db.read(kept)) == 1 + climbed


async def test_s_074_posts_that_answer_each_other_are_no_way_up(
    ctx: Context, server: AnotherServer
) -> None:
    first = put(server, CAROL, 1, f"{BOB}/notes/2")
    second = put(server, BOB, 2, first)

    fetch = await open_post(ctx, second)

    assert await ctx.db.read(kept) == {first, second}
    assert fetch.problems == ()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(404), "gone"),
        (Answer(410), "gone"),
        (Answer(403), "refused"),
        (Answer(500), "failed"),
        (Answer(body=b"{}"), "unreadable"),
    ],
)
async def test_why_the_post_above_could_not_be_had_is_written_down(
    ctx: Context, server: AnotherServer, answer: Answer, why: storage.Why
) -> None:
    parent = f"{CAROL}/notes/1"
    server.serve(parent, answer)
    last = put(server, ALICE, 3, parent)

    fetch = await open_post(ctx, last)

    assert fetch.problems == (Problem("above", why, "fol.example", 1),)


async def test_a_server_that_is_away_ends_the_climb_and_the_job_is_tried_again(
    ctx: Context, server: AnotherServer
) -> None:
    server.name("away.example")
    last = put(server, ALICE, 3, "https://away.example/notes/1")

    fetch = await open_post(ctx, last)

    assert fetch.problems == (Problem("above", "silent", "away.example", 1),)
    with pytest.raises(RemoteError):
        await threads.upwards(ctx, last)


async def test_what_we_know_to_be_deleted_is_not_asked_for(
    ctx: Context, server: AnotherServer
) -> None:
    parent = put(server, CAROL, 1)
    last = put(server, ALICE, 3, parent)
    await ctx.db.write(lambda tx: tombstones.bury(tx, parent, NOON))

    fetch = await open_post(ctx, last)

    assert fetch.problems == (Problem("above", "gone", "fol.example", 1),)
    assert "fol.example" not in server.resolved


async def test_what_somebody_blocked_wrote_is_not_kept(ctx: Context, server: AnotherServer) -> None:
    parent = put(server, MALLORY, 1)
    last = put(server, ALICE, 3, parent)
    mallory = await lookup.kept_actor(ctx, MALLORY)
    await ctx.db.write(lambda tx: blocks.block_actor(tx, mallory.id, NOON))

    fetch = await open_post(ctx, last)

    assert fetch.problems == (Problem("above", "blocked", "evil.example", 1),)
    assert await ctx.db.read(kept) == {last}


# Downwards, by lists of replies.


async def test_replies_are_fetched_breadth_first_each_from_its_own_server(
    ctx: Context, server: AnotherServer
) -> None:
    child = put(server, CAROL, 2, ROOT, replies=f"{CAROL}/notes/2/replies")
    other = put(server, BOB, 3, ROOT)
    grandchild = put(server, DAVE, 4, child)
    put_list(server, f"{CAROL}/notes/2/replies", [grandchild])
    put_list(server, f"{ROOT}/replies", [child, other])
    put(server, ALICE, 1, replies={"id": f"{ROOT}/replies", "type": "Collection"})

    fetch = await open_post(ctx, ROOT)

    assert await ctx.db.read(kept) == {ROOT, child, other, grandchild}
    assert (fetch.found, fetch.problems) == (3, ())
    last = await ctx.db.read(lambda reader: notes.by_uri(reader, grandchild))
    root = await ctx.db.read(lambda reader: notes.by_uri(reader, ROOT))
    assert last is not None
    assert root is not None
    assert (last.thread_id, root.replies) == (root.id, 2)


async def test_replies_to_the_beginning_are_fetched_whichever_post_is_opened(
    ctx: Context, server: AnotherServer
) -> None:
    child = put(server, CAROL, 2, ROOT)
    other = put(server, BOB, 3, ROOT)
    put_list(server, f"{ROOT}/replies", [child, other])
    put(server, ALICE, 1, replies=f"{ROOT}/replies")

    await open_post(ctx, child)

    assert await ctx.db.read(kept) == {ROOT, child, other}


async def test_replies_among_strangers_to_a_post_of_the_owners_are_fetched(
    ctx: Context, server: AnotherServer
) -> None:
    ours = f"{OWNER}/notes/1"

    def write(tx: Transaction) -> None:
        note = vocab.Note(uri=ours, attributed_to=OWNER, to=(vocab.PUBLIC,), content="<p>x</p>")
        notes.keep(
            tx,
            note,
            actor_id=ctx.owner.actor_id,
            visibility=Visibility.PUBLIC,
            html=keeping.html_of(ctx, tx, note),
            now=NOON,
            public_id="1",
        )

    await ctx.db.write(write)
    child = put(server, CAROL, 2, ours, replies=f"{CAROL}/notes/2/replies")
    grandchild = put(server, DAVE, 3, child)
    put_list(server, f"{CAROL}/notes/2/replies", [grandchild, ours])
    await lookup.kept_note(ctx, child)

    await threads.complete(ctx, ours)

    assert await ctx.db.read(kept) == {ours, child, grandchild}


async def test_s_041_what_a_list_says_inline_is_not_believed(
    ctx: Context, server: AnotherServer
) -> None:
    forged = a_note(ALICE, 7, f"{MALLORY}/notes/1", content="<p>forged</p>")
    server.serve(forged["id"], Answer(404))
    true = put(server, BOB, 8, f"{MALLORY}/notes/1", content="<p>true</p>")
    put_list(
        server,
        f"{MALLORY}/notes/1/replies",
        [
            forged,
            a_note(BOB, 8, f"{MALLORY}/notes/1", content="<p>false</p>"),
            {"type": "Create", "id": "https://evil.example/c", "actor": BOB, "object": forged},
            f"{OWNER}/notes/9",
            a_note(OWNER, 10, f"{MALLORY}/notes/1"),
        ],
    )
    root = put(server, MALLORY, 1, replies=f"{MALLORY}/notes/1/replies")

    fetch = await open_post(ctx, root)

    assert await ctx.db.read(kept) == {root, true}
    note = await ctx.db.read(lambda reader: notes.by_uri(reader, true))
    assert note is not None
    assert str(note.html) == "<p>true</p>"
    assert fetch.problems == (Problem("replies", "gone", "vic.example", 1),)
    assert "us.example" not in server.resolved


async def test_what_does_not_belong_to_the_thread_is_not_kept(
    ctx: Context, server: AnotherServer
) -> None:
    stray = put(server, BOB, 5)
    elsewhere = put(server, DAVE, 6, "https://far.example/notes/other")
    child = put(server, CAROL, 2, ROOT)
    put_list(server, f"{ROOT}/replies", [stray, elsewhere, child])
    put(server, ALICE, 1, replies=f"{ROOT}/replies")

    await open_post(ctx, ROOT)

    assert await ctx.db.read(kept) == {ROOT, child}


async def test_what_is_not_for_everybody_stays_away(ctx: Context, server: AnotherServer) -> None:
    closed = put(server, CAROL, 2, ROOT, to=[f"{CAROL}/followers"])
    direct = put(server, CAROL, 3, ROOT, to=[OWNER])
    vote = put(server, CAROL, 4, ROOT, name="Yes", content=None)
    put_list(server, f"{ROOT}/replies", [closed, direct, vote])
    put(server, ALICE, 1, replies=f"{ROOT}/replies")

    fetch = await open_post(ctx, ROOT)

    assert await ctx.db.read(kept) == {ROOT}
    assert fetch.problems == ()
    # Nobody is asked in the owner's name for what others hang on a post.
    signed = [one for one in server.gets(closed) if "main-key" in one.headers["signature"]]
    assert [OWNER in one.headers["signature"] for one in signed] == [False]


async def test_of_a_post_that_is_not_for_everybody_no_replies_are_looked_for(
    ctx: Context, server: AnotherServer
) -> None:
    root = put(
        server, ALICE, 1, to=[f"{ALICE}/followers"], replies=f"{ROOT}/replies",
        context="https://vic.example/contexts/1",
    )  # fmt: skip
    put_list(server, f"{ROOT}/replies", [put(server, CAROL, 2, ROOT)])

    await open_post(ctx, root)

    assert await ctx.db.read(kept) == {root}
    assert asked(server, "vic.example") == [root]


async def test_blocked_servers_and_people_are_left_out_without_a_word(
    ctx: Context, server: AnotherServer
) -> None:
    by_person = put(server, CAROL, 2, ROOT)
    by_server = put(server, MALLORY, 3, ROOT)
    put_list(server, f"{ROOT}/replies", [by_person, by_server])
    put(server, ALICE, 1, replies=f"{ROOT}/replies")
    carol = await lookup.kept_actor(ctx, CAROL)

    def block(tx: Transaction) -> None:
        blocks.block_actor(tx, carol.id, NOON)
        blocks.block_host(tx, "evil.example", NOON)

    await ctx.db.write(block)

    fetch = await open_post(ctx, ROOT)

    assert await ctx.db.read(kept) == {ROOT}
    assert fetch.problems == ()
    assert "evil.example" not in server.resolved


async def test_what_we_have_is_not_fetched_again_soon(
    ctx: Context, server: AnotherServer, clock: Clock
) -> None:
    child = put(server, CAROL, 2, ROOT)
    put_list(server, f"{ROOT}/replies", [child])
    put(server, ALICE, 1, replies=f"{ROOT}/replies")

    await open_post(ctx, ROOT)
    clock.now += timedelta(hours=1)
    await open_post(ctx, ROOT)

    assert len(server.gets(child)) == len(server.gets(ROOT)) == 1
    assert len(server.gets(f"{ROOT}/replies")) == 2


async def test_who_is_away_is_named_once_and_asked_once(
    ctx: Context, server: AnotherServer
) -> None:
    server.name("away.example")
    lost = [f"https://away.example/notes/{number}" for number in range(3)]
    there = put(server, CAROL, 2, ROOT)
    put_list(server, f"{ROOT}/replies", [*lost, there])
    put(server, ALICE, 1, replies=f"{ROOT}/replies")

    fetch = await open_post(ctx, ROOT)

    assert fetch.problems == (Problem("replies", "silent", "away.example", 3),)
    # Two are under way at once; the third is not tried any more.
    assert 1 <= server.resolved.count("away.example") <= thread_search.PER_HOST * 2
    assert there in await ctx.db.read(kept)


async def test_a_server_gets_two_requests_at_once(ctx: Context, server: AnotherServer) -> None:
    here = [put(server, DAVE, number, ROOT) for number in range(2, 8)]
    there = put(server, CAROL, 9, ROOT)
    go = asyncio.Event()
    for number, uri in enumerate(here, start=2):
        body = json.dumps(a_note(DAVE, number, ROOT)).encode()
        server.serve(uri, Answer(body=body, wait=go))
    put_list(server, f"{ROOT}/replies", [*here, there])
    put(server, ALICE, 1, replies=f"{ROOT}/replies")
    await lookup.kept_note(ctx, ROOT)

    look = asyncio.create_task(threads.complete(ctx, ROOT))
    await server.wait_for(
        lambda: server.gets(there) and len(asked(server, "far.example")) >= thread_search.PER_HOST
    )
    under_way = len(asked(server, "far.example"))
    go.set()
    await look

    assert under_way == thread_search.PER_HOST == 2
    assert await ctx.db.read(kept) == {ROOT, there, *here}


async def test_a_list_that_cannot_be_read_is_told_of(ctx: Context, server: AnotherServer) -> None:
    server.serve(f"{ROOT}/replies", Answer(403))
    put(server, ALICE, 1, replies=f"{ROOT}/replies")

    fetch = await open_post(ctx, ROOT)

    assert fetch.problems == (Problem("list", "refused", "vic.example", 1),)


# Pages.


@pytest.mark.parametrize(
    "next_url", [f"{ROOT}/replies?page=1", "https://evil.example/page", f"{ROOT}/replies"]
)
async def test_s_074_a_page_of_replies_that_leads_back_or_elsewhere_is_the_last(
    ctx: Context, server: AnotherServer, next_url: str
) -> None:
    child = put(server, CAROL, 2, ROOT)
    url = f"{ROOT}/replies"
    page = {"id": f"{url}?page=1", "type": "CollectionPage", "items": [child], "next": next_url}
    server.serve(f"{url}?page=1", {"@context": AS2, **page})
    server.serve(url, {"@context": AS2, "id": url, "type": "Collection", "first": page["id"]})
    put(server, ALICE, 1, replies=url)

    fetch = await open_post(ctx, ROOT)

    assert await ctx.db.read(kept) == {ROOT, child}
    assert len(server.gets(f"{url}?page=1")) == 1
    assert "evil.example" not in server.resolved
    assert fetch.problems == ()


async def test_s_074_a_list_on_another_server_is_not_read(
    ctx: Context, server: AnotherServer
) -> None:
    put_list(server, "https://evil.example/replies?x", [put(server, CAROL, 2, ROOT)])
    put(server, ALICE, 1, replies="https://evil.example/replies?x")

    await open_post(ctx, ROOT)

    assert await ctx.db.read(kept) == {ROOT}
    assert "evil.example" not in server.resolved


async def test_s_074_pages_of_replies_without_end_are_not_followed(
    ctx: Context, server: AnotherServer
) -> None:
    url = f"{MALLORY}/notes/1/replies"

    def endless(received: Received) -> Answer:
        number = int(received.url.partition("?page=")[2] or "0") + 1
        following_url = f"{url}?page={number}"
        server.serve(following_url, endless)
        page = {"@context": AS2, "id": received.url, "type": "CollectionPage", "items": []}
        return Answer(body=json.dumps({**page, "next": following_url}).encode())

    server.serve(url, endless)
    root = put(server, MALLORY, 1, replies=url)

    fetch = await open_post(ctx, root)

    assert len([one for one in server.gets() if one.url.startswith(url)]) == thread_search.MAX_PAGES
    assert fetch.problems == (Problem("more", "", "", 1),)


async def test_s_074_more_replies_than_the_limit_are_left_for_later(
    ctx: Context, server: AnotherServer
) -> None:
    search = thread_search.Search(ctx, items_left=3)
    uris = [put(server, CAROL, number, ROOT) for number in range(2, 8)]
    put(server, ALICE, 1)
    await lookup.kept_note(ctx, ROOT)

    found = await threads._fetch_items(search, uris)

    assert len(found) == 3
    assert search.problems == (Problem("more", "", "", 1),)


async def test_s_074_one_server_is_asked_so_often_under_all_its_names(
    ctx: Context, server: AnotherServer
) -> None:
    names = [f"https://h{number}.evil.example" for number in range(150)]
    for name in names:
        server.serve(f"{name}/1", Answer(404))
    put_list(server, f"{MALLORY}/notes/1/replies", [f"{name}/1" for name in names])
    root = put(server, MALLORY, 1, replies=f"{MALLORY}/notes/1/replies")

    fetch = await open_post(ctx, root)

    made = [one for one in server.requests if one.url.split("/")[2].endswith("evil.example")]
    assert len(made) <= thread_search.HOST_FETCHES + 5  # the post itself and its author came before
    limited = fetch.problems[0]
    assert (limited.what, limited.why, limited.host) == ("replies", "limit", "evil.example")


async def test_what_has_come_is_kept_while_others_are_waited_for(
    ctx: Context, server: AnotherServer
) -> None:
    child = put(server, CAROL, 2, ROOT)
    slow = f"{DAVE}/notes/3"
    server.hang(slow)
    url = f"{ROOT}/replies"
    second = {"id": f"{url}?2", "type": "CollectionPage", "items": [slow]}
    server.serve(f"{url}?2", {"@context": AS2, **second})
    page = {"id": f"{url}?1", "type": "CollectionPage", "items": [child], "next": f"{url}?2"}
    server.serve(url, {"@context": AS2, "id": url, "type": "Collection", "first": page})
    put(server, ALICE, 1, replies=url)
    note = await lookup.kept_note(ctx, ROOT)

    look = asyncio.create_task(threads.complete(ctx, ROOT))
    await server.wait_for(lambda: server.gets(slow))

    assert await ctx.db.read(kept) == {ROOT, child}
    fetch = await ctx.db.read(lambda reader: storage.fetch_of(reader, note.thread_id))
    assert fetch is not None
    assert fetch.state == "running"
    look.cancel()
    with pytest.raises(asyncio.CancelledError):
        await look


async def test_a_look_ends_in_time(
    ctx: Context, server: AnotherServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(server, ALICE, 1, replies=f"{ROOT}/replies")
    server.hang(f"{ROOT}/replies")
    monkeypatch.setattr(threads, "DEADLINE_S", 0.0)

    fetch = await open_post(ctx, ROOT)

    assert fetch.problems == (Problem("more", "", "", 1),)


# Downwards, by the collection of the thread.


CONTEXT = "https://vic.example/contexts/1"


async def test_the_collection_of_a_thread_saves_asking_for_each_list_of_replies(
    ctx: Context, server: AnotherServer
) -> None:
    child = put(server, CAROL, 2, ROOT, replies=f"{CAROL}/notes/2/replies")
    grandchild = put(server, DAVE, 3, child)
    put(server, ALICE, 1, replies=f"{ROOT}/replies", context=CONTEXT)
    # The youngest first: what is answered may come later than the answer.
    put_list(server, CONTEXT, [grandchild, child, ROOT], attributedTo=ALICE)

    fetch = await open_post(ctx, ROOT)

    assert await ctx.db.read(kept) == {ROOT, child, grandchild}
    assert (fetch.found, fetch.problems) == (2, ())
    assert not server.gets(f"{ROOT}/replies")
    assert not server.gets(f"{CAROL}/notes/2/replies")


async def test_a_collection_of_activities_counts_for_what_they_are_about(
    ctx: Context, server: AnotherServer
) -> None:
    child = put(server, CAROL, 2, ROOT)
    other = put(server, BOB, 3, ROOT)
    put(server, ALICE, 1, context=CONTEXT)
    put_list(
        server,
        CONTEXT,
        [
            {"type": "Create", "id": f"{child}/create", "actor": CAROL, "object": child},
            {"type": "Add", "id": f"{ROOT}/add", "actor": ALICE, "object": {"id": other}},
        ],
    )

    await open_post(ctx, ROOT)

    assert await ctx.db.read(kept) == {ROOT, child, other}


async def test_a_collection_elsewhere_counts_if_it_names_whoever_began_the_thread(
    ctx: Context, server: AnotherServer
) -> None:
    child = put(server, CAROL, 2, ROOT)
    put(server, ALICE, 1, context="https://forum.example/contexts/1")
    put_list(server, "https://forum.example/contexts/1", [child], attributedTo=ALICE)

    await open_post(ctx, ROOT)

    assert await ctx.db.read(kept) == {ROOT, child}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404),
        Answer(body=b"<p>a page</p>", content_type="text/html"),
        {"@context": AS2, "id": "https://forum.example/contexts/1", "type": "Collection"}
        | {"attributedTo": MALLORY, "items": [f"{MALLORY}/notes/9"]},
    ],
)
async def test_without_a_collection_to_believe_the_lists_of_replies_are_read(
    ctx: Context, server: AnotherServer, answer: Any
) -> None:
    server.serve("https://forum.example/contexts/1", answer)
    child = put(server, CAROL, 2, ROOT)
    put(server, MALLORY, 9, ROOT)
    put_list(server, f"{ROOT}/replies", [child])
    put(server, ALICE, 1, context="https://forum.example/contexts/1", replies=f"{ROOT}/replies")

    fetch = await open_post(ctx, ROOT)

    assert await ctx.db.read(kept) == {ROOT, child}
    assert fetch.problems == ()


@pytest.mark.parametrize("name", ["tag:vic.example,2026:1", "http://vic.example/contexts/1"])
async def test_a_context_that_is_no_https_address_is_a_mere_name(
    ctx: Context, server: AnotherServer, name: str
) -> None:
    child = put(server, CAROL, 2, ROOT)
    put_list(server, f"{ROOT}/replies", [child])
    put(server, ALICE, 1, context=name, replies=f"{ROOT}/replies")

    await open_post(ctx, ROOT)

    assert await ctx.db.read(kept) == {ROOT, child}


async def test_two_of_us_understand_each_other(
    ctx: Context, server: AnotherServer, tmp_path: Path
) -> None:
    async with an_app(tmp_path / "one", base_url="https://one.example") as one:
        notes_there = [await one.publish("The beginning")]
        for number in range(24):
            parent = notes_there[number // 3].id
            notes_there.append(await one.publish(f"Reply {number}", in_reply_to=parent))
        await one.publish("Psst", Visibility.FOLLOWERS, in_reply_to=notes_there[0].id)
        root = notes_there[0].uri
        pages: list[str] = [note.uri for note in notes_there]
        pages += ["https://one.example/users/maya", f"{root}/context", f"{root}/context?page=true"]
        pages.append("https://one.example/.well-known/webfinger?resource=acct%3Amaya%40one.example")
        while pages:
            url = pages.pop()
            answer = await one.get(url.removeprefix("https://one.example"), **ACTIVITY)
            document = answer.json()
            server.serve(
                url, Answer(body=answer.content, content_type=answer.headers["content-type"])
            )
            pages += [document["next"]] if "next" in document else []

    fetch = await open_post(ctx, notes_there[-1].uri)

    assert fetch.problems == ()
    assert await ctx.db.read(kept) == {note.uri for note in notes_there}
    maya = await ctx.db.read(lambda reader: actors.by_handle(reader, "maya@one.example"))
    assert maya is not None
    assert not [one for one in server.gets() if one.url.endswith("/replies")]


# What we have already.


async def test_what_may_have_changed_is_fetched_again_after_a_day(
    ctx: Context, server: AnotherServer, clock: Clock
) -> None:
    put(server, ALICE, 1)
    await open_post(ctx, ROOT)
    edited = instants.to_text(NOON + timedelta(hours=1))
    put(server, ALICE, 1, content="<p>edited</p>", updated=edited)

    clock.now += timedelta(hours=23)
    await open_post(ctx, ROOT)
    before = await ctx.db.read(lambda reader: notes.by_uri(reader, ROOT))
    clock.now += timedelta(hours=2)
    await open_post(ctx, ROOT)
    after = await ctx.db.read(lambda reader: notes.by_uri(reader, ROOT))

    assert before is not None
    assert after is not None
    assert (str(before.html), str(after.html)) == ("<p>1</p>", "<p>edited</p>")
    assert len(server.gets(ROOT)) == 2


@pytest.mark.parametrize(
    ("status", "is_here", "is_buried"),
    [
        (404, False, False),
        (410, False, True),
        (401, True, False),
        (403, True, False),
        (500, True, False),
    ],
)
async def test_what_is_gone_where_it_came_from_goes_here_too(
    ctx: Context,
    server: AnotherServer,
    clock: Clock,
    status: int,
    is_here: bool,
    is_buried: bool,
) -> None:
    put(server, ALICE, 1)
    child = put(server, CAROL, 2, ROOT)
    await open_post(ctx, child)
    server.serve(child, Answer(status))
    clock.now += timedelta(days=2)

    await threads.complete(ctx, ROOT)

    assert (child in await ctx.db.read(kept)) is is_here
    grave = await ctx.db.read(lambda reader: tombstones.of(reader, child))
    assert (grave is not None) is is_buried


async def test_what_people_write_who_are_followed_is_not_asked_for_again(
    ctx: Context, server: AnotherServer, clock: Clock
) -> None:
    put(server, ALICE, 1)
    await open_post(ctx, ROOT)
    alice = await ctx.db.read(lambda reader: actors.by_uri(reader, ALICE))
    assert alice is not None
    await ctx.db.write(
        lambda tx: following.put(tx, alice.id, f"{OWNER}/follows/1", "accepted", NOON)
    )
    clock.now += timedelta(days=2)

    await threads.complete(ctx, ROOT)

    assert len(server.gets(ROOT)) == 1


# How often.


async def jobs_of(ctx: Context) -> list[str]:
    rows = await ctx.db.read(
        lambda reader: reader.all("SELECT key FROM jobs WHERE kind = 'replies'")
    )
    return [row["key"] for row in rows]


async def test_a_thread_is_looked_for_once_in_a_while(
    ctx: Context, server: AnotherServer, clock: Clock
) -> None:
    put(server, ALICE, 1)
    note = await lookup.kept_note(ctx, ROOT)

    assert await threads.visit(ctx, note)
    assert not await threads.visit(ctx, note)
    assert await jobs_of(ctx) == [ROOT]
    assert ctx.wake.jobs.is_set()
    await threads.complete(ctx, ROOT)
    clock.now += threads.COOLDOWN - timedelta(seconds=1)
    assert not await threads.visit(ctx, note)
    clock.now += timedelta(seconds=1)
    assert await threads.visit(ctx, note)


async def test_a_button_has_it_looked_for_sooner_but_not_at_once(
    ctx: Context, server: AnotherServer, clock: Clock
) -> None:
    put(server, ALICE, 1)
    note = await lookup.kept_note(ctx, ROOT)
    await threads.visit(ctx, note)
    await ctx.db.write(lambda tx: tx.run("DELETE FROM jobs"))

    await threads.look_again(ctx, note.id)
    assert await jobs_of(ctx) == []
    clock.now += threads.LOOK_AGAIN_AFTER
    await threads.look_again(ctx, note.id)

    assert await jobs_of(ctx) == [ROOT]


async def test_who_speaks_with_nobody_looks_for_nothing(
    db: Database, server: AnotherServer, tmp_path: Path
) -> None:
    ctx = await context(db, server, tmp_path, federation=Federation(mode="closed"))

    def write(tx: Transaction) -> notes.Note:
        actor = actors.keep(
            tx, vocab.Actor(uri=ALICE, inbox=f"{ALICE}/inbox"), handle=None, now=NOON
        )
        found = vocab.Note(uri=ROOT, attributed_to=ALICE, to=(vocab.PUBLIC,))
        html = keeping.html_of(ctx, tx, found)
        kept = notes.keep(
            tx, found, actor_id=actor.id, visibility=Visibility.PUBLIC, html=html, now=NOON
        )
        assert kept is not None
        return kept[0]

    note = await ctx.db.write(write)

    assert not await threads.visit(ctx, note)
    assert await jobs_of(ctx) == []


async def test_what_could_not_be_had_is_sealed(ctx: Context, server: AnotherServer) -> None:
    server.name("away.example")
    last = put(server, ALICE, 3, "https://away.example/notes/1")

    await open_post(ctx, last)

    row = await ctx.db.read(lambda r: r.one("SELECT problems_sealed FROM thread_fetches"))
    assert row is not None
    assert b"away.example" not in row["problems_sealed"]
    assert row["problems_sealed"]
