"""Messages: sealed whole, in the conversation of exactly those people, never back once deleted."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from microfedi.protocol import vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import acquaintance, conversations, message_heads, messages
from microfedi.storage.database import Database, Transaction
from tests.factories import NOON
from tests.storage.test_notes import BOB, CAROL, met

SECRET = vocab.Note(
    uri="https://b.example/messages/secret-id",
    attributed_to=BOB,
    summary="Hush-hush",
    to=("https://us.example/users/owner",),
    in_reply_to="https://us.example/users/owner/notes/x",
    conversation="tag:b.example,77",
    published=NOON - timedelta(seconds=7),
    language="en",
    attachments=(vocab.Attachment("https://b.example/pic.png", "image/png", "Top-hat"),),
    emojis=(vocab.Emoji("cat", "https://b.example/cat.png"),),
)


def kept(
    tx: Transaction, conversation_id: int, note: vocab.Note = SECRET, minute: int = 0
) -> messages.Message | None:
    return messages.keep(
        tx,
        note,
        conversation_id=conversation_id,
        actor_id=met(tx),
        html=SafeHtml("<p>Whisper</p>"),
        now=NOON + timedelta(minutes=minute),
    )


def deleted(tx: Transaction, uri: str) -> message_heads.Gone:
    """Delete a message that is there."""
    head = message_heads.by_uri(tx, uri)
    assert head is not None
    return message_heads.delete(tx, [head.id], now=NOON)


async def test_a_message_comes_back_whole(db: Database) -> None:
    def story(tx: Transaction) -> None:
        conversation_id = conversations.make(tx, {met(tx)}, state="request")
        message = kept(tx, conversation_id)
        assert message is not None
        assert messages.by_uri(tx, SECRET.uri) == message
        assert messages.by_id(tx, message.id) == message
        assert messages.to_vocab(message, actor_uri=BOB, to=SECRET.to) == replace(
            SECRET, content="<p>Whisper</p>"
        )
        assert kept(tx, conversation_id) is None

    await db.write(story)


async def test_nothing_that_was_said_is_on_the_disk(db: Database, tmp_path: Path) -> None:
    def story(tx: Transaction) -> None:
        conversation_id = conversations.make(tx, {met(tx)}, state="open")
        kept(tx, conversation_id)
        kept(tx, conversation_id, replace(SECRET, uri=SECRET.uri + "2"), minute=1)
        deleted(tx, SECRET.uri + "2")

    await db.write(story)
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("microfedi.db*"))
    for said in (b"Whisper", b"Hush-hush", b"secret-id", b"pic.png", b"Top-hat", b"b.example,77"):
        assert said not in raw
    assert b"b.example/users/bob" in raw


async def test_the_same_people_are_the_same_conversation(db: Database) -> None:
    def story(tx: Transaction) -> None:
        bob, carol = met(tx), met(tx, CAROL)
        both = conversations.make(tx, {bob, carol}, state="request")
        assert conversations.make(tx, {carol, bob}, state="request") == both
        alone = conversations.make(tx, {bob}, state="open")
        assert alone != both
        assert conversations.find(tx, {carol}) is None
        assert conversations.find(tx, [bob, carol]) == both
        conversations.make(tx, {bob}, state="request")
        found = conversations.by_id(tx, alone, now=NOON)
        assert found is not None
        assert found.state == "open"
        conversations.make(tx, {bob, carol}, state="open")
        found = conversations.by_id(tx, both, now=NOON)
        assert found is not None
        assert (found.state, sorted(found.people)) == ("open", [bob, carol])

    await db.write(story)


async def test_pages_unread_and_deleting(db: Database) -> None:
    def story(tx: Transaction) -> None:
        bob, carol = met(tx), met(tx, CAROL)
        first = conversations.make(tx, {bob}, state="open")
        second = conversations.make(tx, {carol}, state="open")
        request = conversations.make(tx, {bob, carol}, state="request")
        assert conversations.page(tx, state="open", limit=9, now=NOON) == []
        for number in range(5):
            note = replace(SECRET, uri=f"https://b.example/m/{number}")
            assert kept(tx, first, note, minute=number) is not None
        kept(tx, second, replace(SECRET, uri="https://b.example/m/x"), minute=9)
        kept(tx, request, replace(SECRET, uri="https://b.example/m/y"), minute=9)

        newest = messages.page(tx, first, limit=2)
        assert [message.uri[-1] for message in newest] == ["3", "4"]
        older = messages.page(tx, first, before=newest[0].id, limit=9)
        assert [message.uri[-1] for message in older] == ["0", "1", "2"]

        opened = conversations.page(tx, state="open", limit=9, now=NOON)
        assert [(one.id, one.people, one.unread) for one in opened] == [
            (second, (carol,), 1),
            (first, (bob,), 5),
        ]
        below = conversations.page(
            tx, state="open", before=opened[0].last_message_id, limit=9, now=NOON
        )
        assert [one.id for one in below] == [first]
        assert conversations.unread(tx, now=NOON) == 2
        conversations.mark_read(tx, first)
        assert conversations.unread(tx, now=NOON) == 1
        conversations.accept(tx, request)
        assert conversations.unread(tx, now=NOON) == 2

        deleted(tx, "https://b.example/m/4")
        assert kept(tx, first, replace(SECRET, uri="https://b.example/m/4")) is None
        assert [message.uri[-1] for message in messages.page(tx, first, limit=1)] == ["3"]
        assert conversations.remove(tx, first)
        assert not conversations.remove(tx, first)
        assert messages.by_uri(tx, "https://b.example/m/3") is None

    await db.write(story)


async def test_an_edit_changes_what_was_said_and_not_to_whom(db: Database) -> None:
    def story(tx: Transaction) -> None:
        conversation_id = conversations.make(tx, {met(tx)}, state="open")
        before = kept(tx, conversation_id)
        assert before is not None
        forged = replace(SECRET, uri="https://b.example/else", summary="", updated=NOON)
        after = messages.edit(tx, before.id, forged, html=SafeHtml("<p>Better</p>"), now=NOON)
        assert after == replace(before, html=SafeHtml("<p>Better</p>"), summary="", updated_at=NOON)
        assert messages.by_uri(tx, SECRET.uri) == after
        assert messages.edit(tx, 5, forged, html=SafeHtml(""), now=NOON) is None

    await db.write(story)


async def test_a_message_of_an_older_version_has_a_head_too(db: Database) -> None:
    def story(tx: Transaction) -> None:
        conversation_id = conversations.make(tx, {met(tx)}, state="open")
        message = kept(tx, conversation_id)
        assert message is not None
        new = message_heads.by_uri(tx, SECRET.uri)
        tx.run("UPDATE messages SET head_sealed = NULL")
        assert message_heads.by_uri(tx, SECRET.uri) == new
        assert new is not None
        assert (new.uri, new.published_at) == (SECRET.uri, SECRET.published)

    await db.write(story)


async def test_what_it_said_before_is_kept_sealed_and_goes_with_it(db: Database) -> None:
    def story(tx: Transaction) -> None:
        conversation_id = conversations.make(tx, {met(tx)}, state="open")
        first = kept(tx, conversation_id)
        assert first is not None
        newer = replace(SECRET, summary="", updated=NOON)
        messages.edit(tx, first.id, newer, html=SafeHtml("<p>Better</p>"), now=NOON)
        assert messages.versions(tx, first.id) == [first]
        (sealed,) = [row[0] for row in tx.all("SELECT body_sealed FROM message_versions")]
        assert b"Whisper" not in sealed
        deleted(tx, SECRET.uri)
        assert tx.value("SELECT count(*) FROM message_versions") == 0

    await db.write(story)


async def test_edits_without_end_fill_no_disk(db: Database) -> None:
    def story(tx: Transaction) -> None:
        conversation_id = conversations.make(tx, {met(tx)}, state="open")
        first = kept(tx, conversation_id)
        assert first is not None
        for number in range(messages.MAX_VERSIONS + 5):
            html = SafeHtml(f"<p>{number}</p>")
            pictures = [f"{number} {one}" for one in range(20)]
            messages.edit(tx, first.id, SECRET, html=html, now=NOON, copies=pictures)
        found = messages.versions(tx, first.id)
        assert [one.html for one in found] == [
            f"<p>{number}</p>" for number in range(4, messages.MAX_VERSIONS + 4)
        ]
        names = json.loads(tx.value("SELECT copies FROM messages"))
        assert len(names) == messages.MAX_COPIES
        assert f"{messages.MAX_VERSIONS + 4} 19" in names  # what hangs on it now is known

    await db.write(story)


async def test_links_and_files_are_counted_without_a_word_of_them(db: Database) -> None:
    def story(tx: Transaction) -> None:
        conversation_id = conversations.make(tx, {met(tx)}, state="request")
        html = SafeHtml('<p><a href="https://c.example/">c</a></p>')
        messages.keep(
            tx,
            SECRET,
            conversation_id=conversation_id,
            actor_id=met(tx),
            html=html,
            now=NOON,
            copies=["f00d"],
        )
        found = acquaintance.written(tx, [conversation_id])[conversation_id]
        assert (found.messages, found.links, found.files) == (1, 1, 1)
        assert deleted(tx, SECRET.uri).copies == ("f00d",)

    await db.write(story)
