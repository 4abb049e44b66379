"""What is not for everybody stays with those it is for: the functions that decide it.

The same rows go through HTTP where the pages and representations are tested.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from microfedi.errors import InvalidInput
from microfedi.federation.context import Context
from microfedi.federation.outbox import announces, messages, notes
from microfedi.federation.outbox import pins as outbox_pins
from microfedi.federation.outbox.notes import Draft
from microfedi.federation.visibility import OWNER, Asker, may_see
from microfedi.protocol.sanitize import SafeHtml
from microfedi.protocol.vocab import PUBLIC, Visibility
from microfedi.storage import blocks, followers, note_lists, threads, tombstones
from microfedi.storage import messages as message_storage
from microfedi.storage import notes as note_storage
from microfedi.storage.database import Transaction
from microfedi.storage.notes import Note
from microfedi.storage.sealed import Sealer
from tests.factories import NOON
from tests.federation.outbox.test_messages import received
from tests.federation.outbox.world import (
    ALICE,
    BOB,
    FOL_SHARED,
    FOLLOWERS,
    FRANK,
    MALLORY,
    a_context,
    a_note_by,
    followed_by,
    met,
    sent,
)


@pytest.fixture
async def ctx(tmp_path: Path, sealer: Sealer) -> AsyncIterator[Context]:
    async with a_context(tmp_path, sealer) as context:
        yield context


async def seen(ctx: Context, note: Note, asker: Asker) -> bool:
    return await ctx.db.read(lambda reader: may_see(reader, note, asker))


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.LIMITED])
async def test_s_036_an_edit_opens_nothing(ctx: Context, visibility: Visibility) -> None:
    closed = await a_note_by(ctx, ALICE, visibility=visibility, to=(f"{ALICE}/followers",))
    forged = replace(
        note_storage.to_vocab(closed, actor_uri=ALICE),
        uri=f"{ALICE}/notes/other",
        attributed_to=MALLORY,
        type="Question",
        in_reply_to=f"{BOB}/notes/1",
        to=(PUBLIC,),
        cc=(FOLLOWERS,),
        hashtags=("found",),
        updated=NOON,
    )

    def edit(tx: Transaction) -> Note | None:
        return note_storage.edit(tx, closed.id, forged, html=SafeHtml("<p>New</p>"), now=NOON)

    edited = await ctx.db.write(edit)

    assert edited == replace(
        closed, html=SafeHtml("<p>New</p>"), hashtags=("found",), updated_at=NOON
    )
    assert await ctx.db.read(lambda reader: note_lists.by_tag(reader, "found", limit=9)) == []
    assert not await seen(ctx, edited, None)


async def test_s_036_an_edit_of_a_message_leaves_it_one(ctx: Context) -> None:
    message = await received(ctx, ALICE)
    opened = replace(message_storage.to_vocab(message, actor_uri=ALICE, to=(PUBLIC,)), updated=NOON)

    def edit(tx: Transaction) -> None:
        message_storage.edit(tx, message.id, opened, html=SafeHtml("<p>New</p>"), now=NOON)

    await ctx.db.write(edit)

    assert await ctx.db.read(lambda reader: note_storage.by_uri(reader, message.uri)) is None
    assert await ctx.db.read(lambda reader: message_storage.by_uri(reader, message.uri))


async def test_s_105_counts_and_tags_tell_nothing_of_closed_replies(ctx: Context) -> None:
    post = await notes.publish(ctx, Draft("Hello"))
    await a_note_by(ctx, ALICE, "open", parent=post.uri)
    hidden = await a_note_by(ctx, BOB, "hidden", parent=post.uri, visibility=Visibility.FOLLOWERS)
    own = await notes.publish(ctx, Draft("Mine #secret", Visibility.FOLLOWERS, in_reply_to=post.id))

    now = await ctx.db.read(lambda reader: note_storage.by_id(reader, post.id))
    assert now is not None
    assert now.replies == 1
    shown = await ctx.db.read(
        lambda reader: [
            one.id for one in threads.notes_of(reader, post.thread_id) if may_see(reader, one, None)
        ]
    )
    assert hidden.id not in shown
    assert own.id not in shown
    assert len(shown) == 2
    assert await ctx.db.read(lambda reader: note_lists.by_tag(reader, "secret", limit=9)) == []


async def test_s_107_who_may_see_what(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    alice, bob, mallory = await met(ctx, ALICE, BOB, MALLORY)
    await ctx.db.write(lambda tx: followers.put(tx, bob.id, f"{BOB}/follows/1", "requested", NOON))
    for_all = await notes.publish(ctx, Draft("Public"))
    quiet = await notes.publish(ctx, Draft("Quiet", Visibility.UNLISTED))
    closed = await notes.publish(ctx, Draft("Hi @alice@vic.example", Visibility.FOLLOWERS))
    theirs = await a_note_by(
        ctx, FRANK, visibility=Visibility.FOLLOWERS, to=(f"{FRANK}/followers",)
    )
    limited = await notes.publish(ctx, Draft("Psst", Visibility.LIMITED, in_reply_to=theirs.id))

    async def askers_of(note: Note) -> list[Asker]:
        everybody: list[Asker] = [OWNER, FRANK, ALICE, BOB, MALLORY, None]
        return [asker for asker in everybody if await seen(ctx, note, asker)]

    assert await askers_of(for_all) == [OWNER, FRANK, ALICE, BOB, MALLORY, None]
    assert await askers_of(quiet) == [OWNER, FRANK, ALICE, BOB, MALLORY, None]
    assert await askers_of(closed) == [OWNER, FRANK, ALICE]
    assert await askers_of(limited) == [OWNER, FRANK]
    # What others wrote for some people is not ours to show, not even to them.
    assert await askers_of(theirs) == [OWNER]

    await ctx.db.write(lambda tx: blocks.block_actor(tx, alice.id, NOON))
    await ctx.db.write(lambda tx: blocks.block_host(tx, "evil.example", NOON))
    assert await askers_of(for_all) == [OWNER, FRANK, BOB, None]
    assert await askers_of(closed) == [OWNER, FRANK]
    assert mallory.id != bob.id


async def test_s_107_a_message_has_no_public_representation(ctx: Context) -> None:
    (alice,) = await met(ctx, ALICE)

    message = await messages.send(ctx, [alice.id], "Psst")

    assert message.public_id is not None
    public_id = message.public_id
    assert await ctx.db.read(lambda r: note_storage.by_public_id(r, public_id)) is None
    assert await ctx.db.read(lambda r: note_storage.by_uri(r, message.uri)) is None
    await messages.delete(ctx, message.id)
    # Nothing may tell afterwards that it was there: no 410.
    assert await ctx.db.read(lambda r: tombstones.of(r, message.uri)) is None


async def test_s_110_names_in_the_text_do_not_read_along(ctx: Context) -> None:
    (alice,) = await met(ctx, ALICE)
    await met(ctx, BOB, MALLORY)
    theirs = await received(ctx, ALICE)

    message = await messages.send(
        ctx,
        [alice.id],
        "What do you think of @mallory@evil.example, @Alice@vic.example?",
    )

    (create,) = await sent(ctx)
    assert create.object["inReplyTo"] == theirs.uri
    assert create.inboxes == {f"{ALICE}/inbox"}
    assert create.activity["to"] == create.object["to"] == [ALICE]
    assert [tag["href"] for tag in create.object["tag"]] == [ALICE]
    assert "@mallory@evil.example" in message.html
    assert "evil.example/" not in message.html
    assert 'href="https://vic.example/@alice"' in message.html

    await messages.edit(ctx, message.id, "And now, @bob@vic.example?")
    update = (await sent(ctx))[-1]
    assert update.inboxes == {f"{ALICE}/inbox"}
    assert update.activity["to"] == update.object["to"] == [ALICE]
    assert [tag["href"] for tag in update.object["tag"]] == [ALICE]


async def test_s_112_nothing_hidden_is_sent_and_nobody_else_gets_it(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    (alice,) = await met(ctx, ALICE)

    await messages.send(ctx, [alice.id], "Psst")
    await notes.publish(ctx, Draft("For followers", Visibility.FOLLOWERS))

    message, post = await sent(ctx)
    assert message.inboxes == {f"{ALICE}/inbox"}
    assert post.inboxes == {FOL_SHARED}
    for one in (message, post):
        assert {"bto", "bcc"}.isdisjoint({*one.activity, *one.object})


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.LIMITED])
async def test_s_114_what_is_closed_is_not_boosted_pinned_or_answered_in_public(
    ctx: Context, visibility: Visibility
) -> None:
    await followed_by(ctx, FRANK)
    theirs = await a_note_by(ctx, ALICE, visibility=visibility)
    own = await notes.publish(ctx, Draft("Mine", visibility, in_reply_to=theirs.id))
    before = await sent(ctx)

    for attempt in (
        announces.announce(ctx, theirs.id),
        announces.announce(ctx, own.id),
        outbox_pins.pin(ctx, own.id),
        notes.publish(ctx, Draft("Look", Visibility.PUBLIC, in_reply_to=theirs.id)),
        notes.publish(ctx, Draft("Look", Visibility.UNLISTED, in_reply_to=own.id)),
    ):
        with pytest.raises(InvalidInput):
            await attempt

    assert await sent(ctx) == before
