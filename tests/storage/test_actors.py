"""Actors: what is kept of a document, whose handle and keys they are, what goes with them."""

from datetime import timedelta

import pytest

from microfedi.protocol import vocab
from microfedi.storage import (
    actor_keys,
    actors,
    blocks,
    departed,
    followers,
    following,
    owner,
    rowids,
)
from microfedi.storage.database import Database, Transaction
from tests.factories import NOON, an_actor
from tests.storage.test_owner import make_owner

PEM = "-----BEGIN PUBLIC KEY-----\n(not looked at here)\n-----END PUBLIC KEY-----\n"


def key_of(actor: vocab.Actor, uri: str | None = None) -> vocab.PublicKey:
    return vocab.PublicKey(uri or f"{actor.uri}#main-key", actor.uri, "rsa", PEM)


async def test_what_is_kept_comes_back_sanitised(db: Database) -> None:
    document = an_actor(
        "bob",
        name="Bob\u202e \n the  B.",
        summary='<p onclick="x()">Hi <script>x()</script><b>you</b></p>',
        fields=(vocab.Field("Home\n", '<a href="javascript:x()">x</a>'),),
        emojis=(vocab.Emoji("cat", "https://b.example/cat.png"),),
        also_known_as=("https://old.example/bob",),
        manually_approves_followers=True,
        published=NOON + timedelta(days=400),
    )

    kept = await db.write(lambda tx: actors.keep(tx, document, handle=None, now=NOON))

    assert kept.name == "Bob the B."
    assert kept.summary == "<p>Hi <b>you</b></p>"
    assert hasattr(kept.summary, "__html__")
    assert kept.fields[0][0] == "Home"
    assert "javascript" not in kept.fields[0][1]
    assert kept.emojis == {"cat": "https://b.example/cat.png"}
    assert kept.also_known_as == ("https://old.example/bob",)
    assert (kept.approves, kept.discoverable, kept.state) == (True, False, "ok")
    assert kept.published_at == NOON  # nobody was born tomorrow
    assert kept.address == "@bob@b.example"
    assert kept.delivery_inbox == "https://b.example/inbox"
    assert await db.read(lambda r: actors.by_uri(r, document.uri)) == kept
    assert await db.read(lambda r: actors.by_ids(r, [kept.id, 999])) == {kept.id: kept}


async def test_a_later_document_replaces_the_earlier_one_in_place(db: Database) -> None:
    first = await db.write(lambda tx: actors.keep(tx, an_actor("bob"), handle=None, now=NOON))
    later = NOON + timedelta(days=1)
    changed = an_actor("bob", name="Robert", shared_inbox=None)

    second = await db.write(lambda tx: actors.keep(tx, changed, handle=None, now=later))

    assert (second.id, second.name, second.fetched_at) == (first.id, "Robert", later)
    assert second.delivery_inbox == "https://b.example/users/bob/inbox"


async def test_a_confirmed_handle_stays_until_the_username_changes_or_its_host_says_otherwise(
    db: Database,
) -> None:
    def keep(tx: Transaction, document: vocab.Actor, handle: str | None) -> actors.Actor:
        return actors.keep(tx, document, handle=handle, now=NOON)

    await db.write(lambda tx: keep(tx, an_actor("bob"), "bob@b.social"))
    again = await db.write(lambda tx: keep(tx, an_actor("bob"), None))
    assert again.address == "@bob@b.social"
    assert await db.read(lambda r: actors.by_handle(r, "@BOB@b.social")) == again

    renamed = await db.write(lambda tx: keep(tx, an_actor("bob", preferred_username="rob"), None))
    assert renamed.handle is None

    await db.write(lambda tx: keep(tx, an_actor("bob"), "bob@b.social"))
    heir = await db.write(lambda tx: keep(tx, an_actor("bob2"), "bob@b.social"))
    assert await db.read(lambda r: actors.by_handle(r, "bob@b.social")) == heir
    former = await db.read(lambda r: actors.by_uri(r, "https://b.example/users/bob"))
    assert former is not None
    assert former.handle is None


async def test_nobody_lists_a_key_of_somebody_else(db: Database) -> None:
    alice = an_actor("alice", "vic.example")
    mallory = an_actor("mallory", "evil.example")
    mallory_keys = (
        key_of(mallory),
        key_of(mallory, "https://vic.example/users/alice#main-key"),  # placed before she is known
        vocab.PublicKey("https://evil.example/k", alice.uri, "rsa", PEM),
    )
    neighbour = an_actor("eve", "vic.example")

    def keep(tx: Transaction) -> tuple[int, int]:
        evil = actors.keep(
            tx, an_actor("mallory", "evil.example", keys=mallory_keys), handle=None, now=NOON
        )
        good = actors.keep(
            tx, an_actor("alice", "vic.example", keys=(key_of(alice),)), handle=None, now=NOON
        )
        actors.keep(
            tx,
            an_actor("eve", "vic.example", keys=(key_of(neighbour, f"{alice.uri}#main-key"),)),
            handle=None,
            now=NOON,
        )
        return evil.id, good.id

    evil_id, good_id = await db.write(keep)

    assert [k.uri for k in await db.read(lambda r: actor_keys.of(r, evil_id))] == [
        "https://evil.example/users/mallory#main-key"
    ]
    found = await db.read(
        lambda r: actor_keys.by_uri(r, "https://vic.example/users/alice#main-key")
    )
    assert found == (key_of(alice), good_id)


async def test_keys_that_are_no_longer_listed_are_forgotten(db: Database) -> None:
    bob = an_actor("bob")
    old, new = key_of(bob), key_of(bob, f"{bob.uri}#second")

    for keys in ((old,), (new,)):
        await db.write(
            lambda tx, keys=keys: actors.keep(  # type: ignore[misc]
                tx, an_actor("bob", keys=keys), handle=None, now=NOON
            )
        )

    assert await db.read(lambda r: actor_keys.by_uri(r, old.uri)) is None
    assert await db.read(lambda r: actor_keys.by_uri(r, new.uri)) is not None


async def test_what_is_sent_and_asked_stays_on_the_actors_own_server(db: Database) -> None:
    document = an_actor(
        "mallory",
        "evil.example",
        shared_inbox="https://vic.example/inbox",
        outbox="https://vic.example/outbox",
        featured="https://vic.example/featured",
        followers="https://vic.example/users/alice/followers",
    )

    kept = await db.write(lambda tx: actors.keep(tx, document, handle=None, now=NOON))

    assert kept.delivery_inbox == "https://evil.example/users/mallory/inbox"
    assert (kept.outbox, kept.featured, kept.followers_uri) == (None, None, None)


async def test_a_profile_page_on_another_server_is_nobodys_address(db: Database) -> None:
    page = "https://vic.example/@alice"

    def keep(tx: Transaction) -> None:
        actors.keep(tx, an_actor("mallory", "evil.example", url=page), handle=None, now=NOON)

    await db.write(keep)
    assert await db.read(lambda r: actors.by_url(r, page)) is None

    alice = await db.write(
        lambda tx: actors.keep(tx, an_actor("alice", "vic.example"), handle=None, now=NOON)
    )
    assert await db.read(lambda r: actors.by_url(r, page)) == alice


async def test_the_owners_row_is_never_changed_by_a_document(db: Database) -> None:
    mine = await make_owner(db)
    before = await db.read(lambda r: actors.by_id(r, mine.actor_id))

    document = an_actor("x", uri=mine.uri, name="Taken over", keys=(key_of(an_actor("x")),))
    kept = await db.write(lambda tx: actors.keep(tx, document, handle="x@y.example", now=NOON))
    await db.write(lambda tx: departed.forget(tx, mine.actor_id))
    thief = an_actor("thief", "us.example.evil.example")
    await db.write(lambda tx: actors.keep(tx, thief, handle="owner@us.example", now=NOON))

    assert kept == before
    assert await db.read(lambda r: actors.by_id(r, mine.actor_id)) == before
    assert await db.read(lambda r: actor_keys.of(r, mine.actor_id)) == []


@pytest.mark.parametrize(
    ("username", "path", "expected"),
    [("bob", "users/x", "bob"), ("", "c/cats/", "cats"), ("", "", "unnamed")],
)
async def test_everybody_is_called_something(
    db: Database, username: str, path: str, expected: str
) -> None:
    document = an_actor("x", uri=f"https://b.example/{path}", preferred_username=username)

    kept = await db.write(lambda tx: actors.keep(tx, document, handle=None, now=NOON))

    assert kept.username == expected


def _a_note(tx: Transaction, author: int, uri: str, *, parent: int | None = None) -> int:
    note_id = rowids.free(tx, "notes", NOON)
    tx.run(
        """
        INSERT INTO notes (id, uri, actor_id, visibility, in_reply_to_id, thread_id, published_at,
                           received_at, body, replies, likes, announces)
        VALUES (:id, :uri, :actor_id, 'public', :parent, :id, '', '', x'', 1, 1, 1)
        """,
        {"id": note_id, "uri": uri, "actor_id": author, "parent": parent},
    )
    return note_id


async def test_who_is_gone_takes_everything_along_but_messages_and_blocks(db: Database) -> None:
    def prepare(tx: Transaction) -> tuple[actors.Actor, int]:
        carol = actors.keep(tx, an_actor("carol"), handle=None, now=NOON)
        bob = actors.keep(
            tx, an_actor("bob", keys=(key_of(an_actor("bob")),)), handle=None, now=NOON
        )
        hers = _a_note(tx, carol.id, "https://b.example/1")
        _a_note(tx, bob.id, "https://b.example/2", parent=hers)
        tx.run("INSERT INTO likes VALUES (?, ?, 'https://b.example/l', '')", (hers, bob.id))
        tx.run(
            "INSERT INTO announces VALUES (1, 'https://b.example/a', NULL, ?, ?, 'public', '')",
            (hers, bob.id),
        )
        followers.put(tx, bob.id, "https://b.example/f", "accepted", NOON)
        following.put(tx, bob.id, "https://us.example/f", "accepted", NOON)
        return bob, hers

    bob, hers = await db.write(prepare)
    await db.write(lambda tx: departed.forget(tx, bob.id))

    def left(tx: Transaction) -> tuple[object, ...]:
        note = tx.one("SELECT replies, likes, announces FROM notes WHERE id = ?", (hers,))
        return (
            tuple(note or ()),
            tx.value("SELECT count(*) FROM notes"),
            followers.count(tx) + following.count(tx),
            actor_keys.by_uri(tx, f"{bob.uri}#main-key"),
            actors.by_uri(tx, bob.uri),
        )

    assert await db.write(left) == ((0, 0, 0), 1, 0, None, None)

    def with_a_message(tx: Transaction) -> int:
        again = actors.keep(tx, an_actor("bob", summary="<p>Hi</p>"), handle=None, now=NOON)
        tx.run("INSERT INTO conversations (id, people_key, state) VALUES (1, x'01', 'open')")
        tx.run("INSERT INTO conversation_people VALUES (1, ?)", (again.id,))
        tx.run(
            "INSERT INTO messages (id, conversation_id, actor_id, uri_key, body_sealed)"
            " VALUES (1, 1, ?, x'02', x'03')",
            (again.id,),
        )
        departed.forget(tx, again.id)
        dave = actors.keep(tx, an_actor("dave"), handle=None, now=NOON)
        blocks.block_actor(tx, dave.id, NOON)
        departed.forget(tx, dave.id)
        return again.id

    await db.write(with_a_message)
    kept = await db.read(lambda r: actors.by_uri(r, bob.uri))
    assert kept is not None
    assert (kept.state, kept.summary, kept.username) == ("gone", "", "bob")
    assert await db.read(lambda r: r.value("SELECT count(*) FROM messages")) == 1
    assert await db.read(lambda r: blocks.is_blocked(r, "https://b.example/users/dave"))


async def test_only_followers_and_followed_grow_stale_the_oldest_first(db: Database) -> None:
    def prepare(tx: Transaction) -> None:
        for days, name in enumerate(("ann", "ben", "cat", "dan", "eve")):
            when = NOON - timedelta(days=days)
            actor = actors.keep(tx, an_actor(name), handle=None, now=when)
            if name in ("ann", "ben", "eve"):
                followers.put(tx, actor.id, f"{actor.uri}/f", "accepted", NOON)
            if name == "cat":
                following.put(tx, actor.id, f"{actor.uri}/g", "accepted", NOON)
            if name == "eve":
                actors.mark(tx, actor.id, "gone")

    await db.write(prepare)

    found = await db.read(lambda r: actors.stale(r, before=NOON - timedelta(hours=1), limit=10))
    assert found == ["https://b.example/users/cat", "https://b.example/users/ben"]


async def test_there_is_no_owner_at_first(db: Database) -> None:
    assert await db.read(owner.load) is None
