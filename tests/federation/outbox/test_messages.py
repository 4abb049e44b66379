"""Messages: to the people chosen, in their own inboxes, and to nobody else."""

import pytest

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation import jobs
from microfedi.federation.context import Context
from microfedi.federation.outbox import messages
from microfedi.protocol import vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import blocks, conversations, files, media
from microfedi.storage import messages as message_storage
from microfedi.storage.database import Transaction
from microfedi.storage.messages import Message
from tests.factories import NOON
from tests.federation.outbox.test_notes import a_picture
from tests.federation.outbox.world import ALICE, BOB, FRANK, followed_by, forward, met, sent


async def received(ctx: Context, sender: str, *people: str) -> Message:
    """Keep a message from `sender` to the owner and `people`, as the inbox would."""
    author, *others = await met(ctx, sender, *people)

    def change(tx: Transaction) -> Message:
        conversation_id = conversations.make(
            tx, {author.id, *(one.id for one in others)}, state="request"
        )
        message = message_storage.keep(
            tx,
            vocab.Note(
                uri=f"{sender}/notes/m",
                attributed_to=sender,
                conversation="tag:vic.example,9",
            ),
            conversation_id=conversation_id,
            actor_id=author.id,
            html=SafeHtml("<p>Hello</p>"),
            now=ctx.now(),
        )
        assert message is not None
        return message

    return await ctx.db.write(change)


async def shredded(ctx: Context) -> None:
    """Have the bytes deleted that wait for it."""
    worker = jobs.JobsWorker(ctx)
    await worker.turn()
    while not worker.is_idle:
        ctx.wake.jobs.clear()
        await ctx.wake.jobs.wait()


async def test_a_message_goes_to_each_personal_inbox(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    alice, bob = await met(ctx, ALICE, BOB)

    message = await messages.send(ctx, [bob.id, alice.id], "Hi *both*")

    (create,) = await sent(ctx)
    assert create.inboxes == {f"{ALICE}/inbox", f"{BOB}/inbox"}
    assert sorted(create.activity["to"]) == sorted(create.object["to"]) == [ALICE, BOB]
    assert create.activity["cc"] == create.object["cc"] == []
    assert sorted(tag["href"] for tag in create.object["tag"]) == [ALICE, BOB]
    assert create.object["content"] == "<p>Hi <em>both</em></p>\n"
    assert create.object["id"] == message.uri
    assert "url" not in create.object


async def test_an_answer_joins_the_conversation(ctx: Context) -> None:
    theirs = await received(ctx, ALICE)
    forward(ctx)

    ours = await messages.send(ctx, [theirs.actor_id], "Hello back")

    assert ours.conversation_id == theirs.conversation_id
    assert ours.in_reply_to == theirs.uri
    assert ours.conversation == "tag:vic.example,9"
    talk = await ctx.db.read(
        lambda reader: conversations.by_id(reader, ours.conversation_id, now=NOON)
    )
    assert talk is not None
    assert talk.state == "open"


async def test_an_answer_does_not_name_another_conversation(ctx: Context) -> None:
    private = await received(ctx, ALICE)
    alice, bob = await met(ctx, ALICE, BOB)

    both = await messages.send(ctx, [alice.id, bob.id], "Look")
    assert both.in_reply_to is None
    assert both.conversation_id != private.conversation_id


async def test_an_edit_and_a_deletion_go_to_the_same_people(ctx: Context) -> None:
    (alice,) = await met(ctx, ALICE)
    message = await messages.send(ctx, [alice.id], "Frist", [(a_picture(), "Red")])
    forward(ctx)

    edited = await messages.edit(ctx, message.id, "First")
    await messages.delete(ctx, message.id)

    create, update, delete = await sent(ctx)
    await shredded(ctx)
    assert [one.type for one in (create, update, delete)] == ["Create", "Update", "Delete"]
    assert create.inboxes == update.inboxes == delete.inboxes == {f"{ALICE}/inbox"}
    assert create.activity["to"] == update.activity["to"] == delete.activity["to"] == [ALICE]
    assert update.object["updated"] == "2026-11-22T12:01:00.000Z"
    assert update.object["attachment"] == create.object["attachment"]
    assert delete.object == {"id": message.uri, "type": "Tombstone"}
    assert edited.id == message.id
    assert await ctx.db.read(lambda reader: message_storage.by_id(reader, message.id)) is None
    assert await ctx.db.read(media.all_ids) == set()
    assert files.names(ctx.config.media_dir) == set()


async def test_pictures_of_messages_are_sealed(ctx: Context) -> None:
    (alice,) = await met(ctx, ALICE)
    picture = a_picture()

    message = await messages.send(ctx, [alice.id], "", [(picture, "Red")])

    (record,) = await ctx.db.read(lambda reader: media.of_message(reader, message.id))
    assert record.sealed
    assert picture.data not in (ctx.config.media_dir / record.public_id).read_bytes()


async def test_a_message_of_somebody_else_is_deleted_here_alone(ctx: Context) -> None:
    theirs = await received(ctx, ALICE)

    with pytest.raises(NotFound):
        await messages.edit(ctx, theirs.id, "Mine now")
    await messages.delete(ctx, theirs.id)

    assert await sent(ctx) == []
    assert await ctx.db.read(lambda reader: message_storage.by_uri(reader, theirs.uri)) is None
    with pytest.raises(NotFound):
        await messages.delete(ctx, theirs.id)


async def test_who_cannot_be_written_to(ctx: Context) -> None:
    alice, bob = await met(ctx, ALICE, BOB)
    await ctx.db.write(lambda tx: blocks.block_actor(tx, bob.id, NOON))

    for people, text, field in (
        ([], "x", "to"),
        ([ctx.owner.actor_id], "x", "to"),
        ([alice.id, bob.id], "x", "to"),
        ([999], "x", "to"),
        (list(range(100, 121)), "x", "to"),
        ([alice.id], "  ", "source"),
    ):
        with pytest.raises(InvalidInput) as caught:
            await messages.send(ctx, people, text)
        assert caught.value.field == field
    assert await sent(ctx) == []
