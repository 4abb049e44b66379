"""Notes: sealed unless open, threads that are trees in whatever order they arrive, counts."""

import itertools
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from microfedi.protocol import vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.protocol.vocab import Visibility
from microfedi.storage import (
    actors,
    bookmarks,
    departed,
    likes,
    note_lists,
    notes,
    pins,
    threads,
    timeline,
    tombstones,
)
from microfedi.storage.database import Database, Reader, Transaction
from tests.factories import NOON

BOB = "https://b.example/users/bob"
CAROL = "https://c.example/users/carol"


def met(tx: Transaction, uri: str = BOB) -> int:
    name = uri.rpartition("/")[2]
    actor = vocab.Actor(uri=uri, inbox=f"{uri}/inbox", preferred_username=name)
    return actors.keep(tx, actor, handle=None, now=NOON).id


def a_note(name: str, *, parent: str | None = None, minute: int = 0) -> vocab.Note:
    return vocab.Note(
        uri=f"https://b.example/notes/{name}",
        attributed_to=BOB,
        in_reply_to=None if parent is None else f"https://b.example/notes/{parent}",
        published=NOON - timedelta(hours=1) + timedelta(minutes=minute),
    )


def kept(
    tx: Transaction,
    note: vocab.Note,
    *,
    by: str = BOB,
    visibility: Visibility = Visibility.PUBLIC,
    html: str = "<p>Hello</p>",
) -> notes.Note:
    found = notes.keep(
        tx,
        note,
        actor_id=met(tx, by),
        visibility=visibility,
        html=SafeHtml(html),
        now=NOON,
    )
    assert found is not None
    return found[0]


def blob(reader: Reader, note_id: int) -> bytes:
    found: bytes = reader.value("SELECT body FROM notes WHERE id = ?", (note_id,))
    return found


FULL = vocab.Note(
    uri="https://b.example/notes/full",
    attributed_to=BOB,
    type="Article",
    summary="Careful",
    name="A title",
    url="https://b.example/@bob/full",
    to=(vocab.PUBLIC,),
    cc=(f"{BOB}/followers",),
    context="https://b.example/contexts/1",
    conversation="tag:b.example,1",
    published=NOON - timedelta(minutes=5),
    sensitive=True,
    language="de",
    attachments=(
        vocab.Attachment(
            "https://b.example/1.png", "image/png", "A cat", 20, 10, "LEHV6n", (0.5, -0.25)
        ),
    ),
    mentions=(vocab.Mention(CAROL, "@carol@c.example"),),
    hashtags=("fedi", "été"),
    emojis=(vocab.Emoji("cat", "https://b.example/cat.png"),),
)


@pytest.mark.parametrize("visibility", [one for one in Visibility if one is not Visibility.DIRECT])
async def test_what_is_kept_comes_back_whole(db: Database, visibility: Visibility) -> None:
    note = await db.write(lambda tx: kept(tx, FULL, visibility=visibility))

    assert await db.read(lambda reader: notes.by_uri(reader, FULL.uri)) == note
    assert notes.to_vocab(note, actor_uri=BOB) == replace(FULL, content="<p>Hello</p>")
    assert note.visibility is visibility


async def test_only_open_notes_can_be_read_on_the_disk(db: Database) -> None:
    secret = await db.write(lambda tx: kept(tx, FULL, visibility=Visibility.FOLLOWERS))
    other = replace(FULL, uri="https://b.example/notes/open", url=None)
    plain = await db.write(lambda tx: kept(tx, other, visibility=Visibility.UNLISTED))

    assert b"Hello" not in await db.read(lambda reader: blob(reader, secret.id))
    assert json.loads(await db.read(lambda reader: blob(reader, plain.id)))["html"] == (
        "<p>Hello</p>"
    )
    tagged = await db.read(lambda reader: note_lists.by_tag(reader, "fedi", limit=10))
    assert [note.uri for note in tagged] == [other.uri]


async def test_a_sealed_body_does_not_open_in_another_row(db: Database) -> None:
    def swapped(tx: Transaction) -> int:
        one = kept(tx, a_note("1"), visibility=Visibility.FOLLOWERS)
        two = kept(tx, a_note("2"), visibility=Visibility.FOLLOWERS)
        tx.run("UPDATE notes SET body = ? WHERE id = ?", (blob(tx, one.id), two.id))
        return two.id

    note_id = await db.write(swapped)
    with pytest.raises(ValueError, match="does not open"):
        await db.read(lambda reader: notes.by_id(reader, note_id))


async def test_a_message_never_comes_among_the_notes(db: Database) -> None:
    with pytest.raises(ValueError, match="message"):
        await db.write(lambda tx: kept(tx, a_note("1"), visibility=Visibility.DIRECT))


async def test_a_repeat_changes_nothing_and_a_deleted_one_does_not_come_back(db: Database) -> None:
    def story(tx: Transaction) -> None:
        first = kept(tx, a_note("1"), html="<p>First</p>")
        again = notes.keep(
            tx,
            a_note("1"),
            actor_id=first.actor_id,
            visibility=Visibility.PUBLIC,
            html=SafeHtml("<p>Second</p>"),
            now=NOON,
        )
        assert again == (first, False)
        assert notes.delete(tx, first.id, now=NOON)
        assert not notes.delete(tx, first.id, now=NOON)
        for uri in ("1", "never-seen"):
            tombstones.bury(tx, a_note(uri).uri, NOON)
            late = notes.keep(
                tx,
                a_note(uri),
                actor_id=first.actor_id,
                visibility=Visibility.PUBLIC,
                html=SafeHtml(""),
                now=NOON,
            )
            assert late is None
        assert tombstones.of(tx, a_note("1").uri) == tombstones.Tombstone(was_public=False)
        assert tombstones.of(tx, "https://b.example/notes/other") is None

    await db.write(story)


async def test_times_ahead_are_now_and_ids_sort_by_time(db: Database) -> None:
    def story(tx: Transaction) -> tuple[notes.Note, notes.Note]:
        ahead = kept(tx, replace(a_note("1"), published=NOON + timedelta(days=900)))
        old = kept(tx, a_note("2", minute=-600))
        return ahead, old

    ahead, old = await db.write(story)
    assert ahead.published_at == NOON
    assert old.id < ahead.id


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_a_thread_is_whole_in_whatever_order_it_arrives(
    db: Database, order: tuple[int, ...]
) -> None:
    # root <- a <- b, root <- c
    thread = [
        a_note("root", minute=0),
        a_note("a", parent="root", minute=1),
        a_note("b", parent="a", minute=2),
        a_note("c", parent="root", minute=3),
    ]

    def story(tx: Transaction) -> list[notes.Note]:
        for index in order:
            kept(tx, thread[index])
        root = notes.by_uri(tx, thread[0].uri)
        assert root is not None
        return threads.notes_of(tx, root.thread_id)

    found = await db.write(story)
    by_name = {note.uri.rpartition("/")[2]: note for note in found}
    assert list(by_name) == ["root", "a", "b", "c"]
    assert {note.thread_id for note in found} == {by_name["root"].id}
    assert {name: note.replies for name, note in by_name.items()} == {
        "root": 2,
        "a": 1,
        "b": 0,
        "c": 0,
    }
    assert by_name["b"].in_reply_to_id == by_name["a"].id


@pytest.mark.parametrize(
    "claims",
    [
        {"1": "1"},
        {"1": "2", "2": "1"},
        {"1": "3", "2": "1", "3": "2"},
        {"1": "3", "2": "1", "3": "2", "4": "3"},
    ],
)
async def test_notes_that_claim_to_be_a_ring_are_a_tree(
    db: Database, claims: dict[str, str]
) -> None:
    def story(tx: Transaction) -> None:
        for name, parent in claims.items():
            kept(tx, a_note(name, parent=parent))
        for name in claims:
            seen: set[int] = set()
            note = notes.by_uri(tx, a_note(name).uri)
            while note is not None and note.in_reply_to_id is not None:
                assert note.id not in seen
                seen.add(note.id)
                note = notes.by_id(tx, note.in_reply_to_id)
            assert note is not None
            assert len(threads.notes_of(tx, note.thread_id)) == len(claims)

    await db.write(story)


async def test_a_parent_that_comes_again_takes_its_replies_back(db: Database) -> None:
    def story(tx: Transaction) -> None:
        root = kept(tx, a_note("root"))
        middle = kept(tx, a_note("middle", parent="root"))
        leaf = kept(tx, a_note("leaf", parent="middle"))
        tx.run("DELETE FROM notes WHERE id = ?", (middle.id,))
        again = kept(tx, a_note("middle", parent="root"))
        found = notes.by_id(tx, leaf.id)
        assert found is not None
        assert (found.in_reply_to_id, found.thread_id) == (again.id, root.id)

    await db.write(story)


async def test_counts_tell_only_of_open_replies_and_never_go_below_zero(db: Database) -> None:
    def replies(tx: Transaction) -> int:
        root = notes.by_uri(tx, a_note("root").uri)
        assert root is not None
        return root.replies

    def story(tx: Transaction) -> None:
        root = kept(tx, a_note("root"))
        seen = kept(tx, a_note("seen", parent="root"))
        hidden = kept(tx, a_note("hidden", parent="root"), visibility=Visibility.FOLLOWERS)
        assert replies(tx) == 1
        notes.delete(tx, hidden.id, now=NOON)
        assert replies(tx) == 1
        tx.run("UPDATE notes SET replies = 0 WHERE id = ?", (root.id,))
        notes.delete(tx, seen.id, now=NOON)
        assert replies(tx) == 0

    await db.write(story)


async def test_an_edit_changes_the_text_and_nothing_else(db: Database) -> None:
    forged = replace(
        FULL,
        uri="https://b.example/notes/else",
        attributed_to=CAROL,
        type="Question",
        to=(CAROL,),
        cc=(),
        in_reply_to="https://b.example/notes/other",
        context=None,
        url="https://b.example/@bob/another-title",
        summary="",
        hashtags=("new",),
        updated=NOON,
    )

    def story(tx: Transaction) -> None:
        before = kept(tx, FULL)
        after = notes.edit(tx, before.id, forged, html=SafeHtml("<p>Edited</p>"), now=NOON)
        assert after == replace(
            before,
            html=SafeHtml("<p>Edited</p>"),
            url="https://b.example/@bob/another-title",
            summary="",
            hashtags=("new",),
            updated_at=NOON,
        )
        assert note_lists.by_tag(tx, "fedi", limit=10) == []
        assert [note.id for note in note_lists.by_tag(tx, "new", limit=10)] == [before.id]
        assert notes.edit(tx, 1, forged, html=SafeHtml(""), now=NOON) is None

    await db.write(story)


async def test_updated_as_it_was_published_is_no_edit(db: Database) -> None:
    def story(tx: Transaction) -> None:
        first = a_note("first")
        assert kept(tx, replace(first, updated=first.published)).updated_at is None
        assert kept(tx, replace(a_note("second"), updated=NOON)).updated_at == NOON

    await db.write(story)


async def test_pages_of_an_actor(db: Database) -> None:
    def story(tx: Transaction) -> None:
        for number in range(5):
            kept(tx, a_note(str(number), minute=number))
        kept(tx, a_note("self", parent="4", minute=6))
        kept(tx, a_note("other", parent="elsewhere", minute=7))
        kept(tx, a_note("hidden", minute=8), visibility=Visibility.FOLLOWERS)
        bob = met(tx)
        opened = (Visibility.PUBLIC, Visibility.UNLISTED)

        def names(found: list[notes.Note]) -> list[str]:
            return [note.uri.rpartition("/")[2] for note in found]

        first = note_lists.by_actor(tx, bob, visibilities=opened, limit=3)
        assert names(first) == ["other", "self", "4"]
        rest = note_lists.by_actor(tx, bob, visibilities=opened, before_id=first[-1].id, limit=9)
        assert names(rest) == ["3", "2", "1", "0"]
        alone = note_lists.by_actor(tx, bob, visibilities=opened, limit=2, with_replies=False)
        assert names(alone) == ["self", "4"]
        assert note_lists.count_of(tx, bob, opened) == 7

    await db.write(story)


async def test_pins_keep_their_order_and_are_the_authors_own(db: Database) -> None:
    def story(tx: Transaction) -> None:
        one, two = kept(tx, a_note("1")), kept(tx, a_note("2"))
        foreign = kept(tx, a_note("3"), by=CAROL)
        bob = met(tx)
        pins.add(tx, two.id)
        pins.add(tx, one.id)
        pins.add(tx, two.id)
        assert [note.id for note in pins.of(tx, bob)] == [two.id, one.id]
        pins.replace(tx, bob, [one.id, foreign.id, two.id])
        assert [note.id for note in pins.of(tx, bob)] == [one.id, two.id]
        assert pins.remove(tx, one.id)
        assert not pins.remove(tx, one.id)

    await db.write(story)


async def test_deleting_takes_along_what_hangs_on_it(db: Database) -> None:
    def story(tx: Transaction) -> None:
        note = kept(tx, FULL)
        carol = met(tx, CAROL)
        timeline.add(tx, note_id=note.id, at=NOON)
        likes.add(tx, note.id, carol, "https://c.example/likes/1", NOON)
        bookmarks.add(tx, note.id, NOON)
        pins.add(tx, note.id)
        notes.delete(tx, note.id, now=NOON, was_public=True)
        for table in ("home", "likes", "bookmarks", "pinned", "note_tags"):
            assert tx.value(f"SELECT count(*) FROM {table}") == 0  # noqa: S608
        assert tombstones.of(tx, FULL.uri) == tombstones.Tombstone(was_public=True)

    await db.write(story)


async def test_keeping_a_note_takes_few_statements(db: Database) -> None:
    def story(tx: Transaction) -> int:
        kept(tx, a_note("root"))
        actor_id = met(tx)
        statements: list[str] = []
        tx._connection.set_trace_callback(statements.append)
        notes.keep(
            tx,
            replace(FULL, in_reply_to=a_note("root").uri),
            actor_id=actor_id,
            visibility=Visibility.PUBLIC,
            html=SafeHtml("<p>Hello</p>"),
            now=NOON,
        )
        tx._connection.set_trace_callback(None)
        return len({sql.split("VALUES")[0] for sql in statements})

    assert await db.write(story) <= 5


async def test_forgetting_somebody_takes_back_what_was_counted(db: Database) -> None:
    def story(tx: Transaction) -> None:
        root = kept(tx, a_note("root"))
        kept(tx, a_note("stays", parent="root"))
        kept(tx, a_note("seen", parent="root"), by=CAROL)
        kept(tx, a_note("hidden", parent="root"), by=CAROL, visibility=Visibility.FOLLOWERS)
        departed.forget(tx, met(tx, CAROL))
        after = notes.by_id(tx, root.id)
        assert after is not None
        assert after.replies == 1

    await db.write(story)
