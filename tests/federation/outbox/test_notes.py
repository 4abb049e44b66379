"""What the owner publishes: shape, audience, where it goes, what a reply may do."""

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from microfedi.config import Config, Federation, Limits
from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.context import Context
from microfedi.federation.outbox import announces, likes, notes
from microfedi.federation.outbox import pins as outbox_pins
from microfedi.federation.outbox.notes import Draft
from microfedi.federation.outbox.polls import PollDraft
from microfedi.imagework import Picture
from microfedi.protocol.vocab import PUBLIC, Visibility
from microfedi.storage import announces as announce_storage
from microfedi.storage import blocks, files, followers, media, pins, stretches, tombstones
from microfedi.storage import likes as like_storage
from microfedi.storage import notes as note_storage
from microfedi.storage.drafts import Attached
from microfedi.storage.sealed import Sealer
from tests.factories import NOON, hanging, held
from tests.federation.outbox.world import (
    ALICE,
    BOB,
    FOL_SHARED,
    FOLLOWERS,
    FRANK,
    MALLORY,
    US,
    VIC_SHARED,
    a_context,
    a_note_by,
    followed_by,
    forward,
    met,
    sent,
)


def a_picture() -> Picture:
    data = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(data, "PNG")
    return Picture(data.getvalue(), "image/png", 4, 3, "LEHV6n")


async def test_a_public_post_goes_once_to_each_server(ctx: Context) -> None:
    await followed_by(ctx, ALICE, BOB, FRANK)
    (mallory,) = await met(ctx, MALLORY)

    note = await notes.publish(
        ctx, Draft("Hi @mallory@evil.example, *look*: #Fedi", summary="Careful", language="en")
    )

    (create,) = await sent(ctx)
    assert create.inboxes == {VIC_SHARED, FOL_SHARED, "https://evil.example/inbox"}
    assert create.type == "Create"
    assert create.activity["actor"] == US
    assert create.activity["id"] == create.activity["object"]["id"] + "/activity"
    assert create.activity["to"] == create.object["to"] == [PUBLIC]
    assert create.activity["cc"] == create.object["cc"] == [FOLLOWERS, MALLORY]
    assert create.object["id"] == f"{US}/notes/{note.public_id}" == note.uri
    assert create.object["url"] == f"https://us.example/@owner/{note.public_id}"
    assert create.object["attributedTo"] == US
    assert create.object["published"] == "2026-11-22T12:00:00.000Z"
    assert create.object["summary"] == "Careful"
    assert create.object["source"]["content"] == "Hi @mallory@evil.example, *look*: #Fedi"
    assert create.object["contentMap"] == {"en": create.object["content"]}
    assert 'href="https://evil.example/@mallory"' in create.object["content"]
    assert "<em>look</em>" in create.object["content"]
    assert [(tag["type"], tag["name"], tag["href"]) for tag in create.object["tag"]] == [
        ("Mention", "@mallory@evil.example", MALLORY),
        ("Hashtag", "#fedi", "https://us.example/tags/fedi"),
    ]
    assert note.mentions[0].href == mallory.uri
    assert ctx.wake.deliveries.is_set()
    home = await ctx.db.read(lambda reader: stretches.below(reader, limit=9, now=NOON).entries)
    assert [entry.note_id for entry in home] == [note.id]


@pytest.mark.parametrize(
    ("visibility", "to", "cc", "inboxes"),
    [
        (Visibility.UNLISTED, [FOLLOWERS], [PUBLIC, ALICE], {VIC_SHARED, FOL_SHARED}),
        (Visibility.FOLLOWERS, [FOLLOWERS], [ALICE], {VIC_SHARED, FOL_SHARED}),
    ],
)
async def test_other_audiences(
    ctx: Context, visibility: Visibility, to: list[str], cc: list[str], inboxes: set[str]
) -> None:
    await followed_by(ctx, FRANK)
    await met(ctx, ALICE)

    await notes.publish(ctx, Draft("Hi @alice@vic.example", visibility))

    (create,) = await sent(ctx)
    assert (create.object["to"], create.object["cc"], create.inboxes) == (to, cc, inboxes)


async def test_who_is_not_found_stays_text(ctx: Context) -> None:
    note = await notes.publish(ctx, Draft("Hi @nobody@nowhere.example"))

    assert note.mentions == ()
    assert str(note.html) == "<p>Hi @nobody@nowhere.example</p>\n"


async def test_requests_to_follow_and_the_blocked_get_nothing(ctx: Context) -> None:
    alice, bob = await met(ctx, ALICE, BOB)
    await followed_by(ctx, MALLORY)
    await ctx.db.write(
        lambda tx: followers.put(tx, alice.id, f"{ALICE}/follows/1", "requested", NOON)
    )
    await ctx.db.write(lambda tx: blocks.block_actor(tx, bob.id, NOON))
    await ctx.db.write(lambda tx: blocks.block_host(tx, "evil.example", NOON))

    note = await notes.publish(ctx, Draft("Hi @bob@vic.example"))

    assert await sent(ctx) == []
    assert note.mentions == ()


async def test_a_reply_tells_the_author_and_stays_in_the_thread(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    parent = await a_note_by(ctx, ALICE)

    note = await notes.publish(ctx, Draft("I agree", in_reply_to=parent.id))

    (create,) = await sent(ctx)
    assert create.inboxes == {VIC_SHARED, FOL_SHARED}
    assert create.object["inReplyTo"] == parent.uri
    assert create.object["conversation"] == "tag:vic.example,1"
    assert create.object["cc"] == [FOLLOWERS, ALICE]
    assert create.object["tag"][0]["href"] == ALICE
    assert note.thread_id == parent.thread_id


@pytest.mark.parametrize("parent_is", ["public", "unlisted", "followers", "limited"])
async def test_a_reply_may_narrow_and_never_widen(ctx: Context, parent_is: str) -> None:
    order = ["limited", "followers", "unlisted", "public"]
    parent = await a_note_by(ctx, ALICE, visibility=Visibility(parent_is))
    for wished in order:
        draft = Draft("Reply", Visibility(wished), in_reply_to=parent.id)
        if order.index(wished) <= order.index(parent_is):
            note = await notes.publish(ctx, draft)
            assert note.visibility == wished
        else:
            with pytest.raises(InvalidInput) as caught:
                await notes.publish(ctx, draft)
            assert caught.value.field == "visibility"


async def test_a_limited_reply_is_for_the_people_in_it_alone(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    parent = await a_note_by(ctx, ALICE, visibility=Visibility.FOLLOWERS)

    await notes.publish(ctx, Draft("Psst", Visibility.LIMITED, in_reply_to=parent.id))

    (create,) = await sent(ctx)
    assert (create.object["to"], create.object["cc"]) == ([ALICE], [])
    assert create.inboxes == {VIC_SHARED}


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft(""), "source"),
        (Draft(" \n "), "source"),
        (Draft("x" * 21), "source"),
        (Draft("x", Visibility.DIRECT), "visibility"),
        (Draft("x", Visibility.LIMITED), "visibility"),
        (Draft("x", language="English!"), "language"),
        (Draft("x", in_reply_to=7), ""),
        (Draft("x", files=(Attached("x"),) * 17), "picture"),
        (Draft("x", files=(Attached("nowhere"),)), "picture"),
    ],
)
async def test_what_cannot_be_published(
    tmp_path: Path, sealer: Sealer, draft: Draft, field: str
) -> None:
    config = Config(
        base_url="https://us.example", data_dir=tmp_path, limits=Limits(post_characters=20)
    )
    async with a_context(tmp_path, sealer, config) as ctx:
        with pytest.raises(InvalidInput) as caught:
            await notes.publish(ctx, draft)

        assert caught.value.field == field
        assert await sent(ctx) == []
        assert files.names(ctx.config.media_dir) == set()


async def test_a_closed_server_keeps_and_sends_nothing(tmp_path: Path, sealer: Sealer) -> None:
    config = Config(
        base_url="https://us.example", data_dir=tmp_path, federation=Federation(mode="closed")
    )
    async with a_context(tmp_path, sealer, config) as ctx:
        await followed_by(ctx, FRANK)

        note = await notes.publish(ctx, Draft("Hi @bob@b.example"))

        assert await ctx.db.read(lambda reader: note_storage.by_id(reader, note.id)) == note
        assert await sent(ctx) == []


async def test_an_allowlist_is_obeyed(tmp_path: Path, sealer: Sealer) -> None:
    config = Config(
        base_url="https://us.example",
        data_dir=tmp_path,
        federation=Federation(mode="allowlist", allowlist=("fol.example",)),
    )
    async with a_context(tmp_path, sealer, config) as ctx:
        await followed_by(ctx, FRANK, ALICE)

        await notes.publish(ctx, Draft("Hello"))

        (create,) = await sent(ctx)
        assert create.inboxes == {FOL_SHARED}


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.FOLLOWERS])
async def test_pictures_travel_with_their_descriptions(
    ctx: Context, visibility: Visibility
) -> None:
    await followed_by(ctx, FRANK)
    picture = a_picture()

    files_held = await held(ctx, [(picture, "A red one")])

    note = await notes.publish(ctx, Draft("", visibility, files=files_held))

    (create,) = await sent(ctx)
    (attachment,) = create.object["attachment"]
    name = attachment["url"].removeprefix("https://us.example/media/")
    assert attachment == {
        "type": "Image",
        "url": f"https://us.example/media/{name}",
        "mediaType": "image/png",
        "name": "A red one",
        "summary": "A red one",
        "width": 4,
        "height": 3,
        "blurhash": "LEHV6n",
    }
    record = await ctx.db.read(lambda reader: media.by_id(reader, name))
    assert record is not None
    assert (record.note_id, record.sealed) == (note.id, not visibility.is_open)
    on_disk = (ctx.config.media_dir / name).read_bytes()
    assert (on_disk == picture.data) is visibility.is_open

    await notes.delete(ctx, note.id)
    assert files.names(ctx.config.media_dir) == set()


async def test_an_edit_describes_pictures_anew_and_removes_them_for_good(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    poster = a_picture()
    film = Picture(b"film", "video/mp4", 4, 3, "LEHV6n", poster=poster)
    pictures = [(a_picture(), "One"), (film, "Two"), (a_picture(), "Three")]
    note = await notes.publish(ctx, Draft("Three", files=await held(ctx, pictures)))
    first, _, last = hanging(note)
    one, _, three = (attachment.url for attachment in note.attachments)
    assert len(files.names(ctx.config.media_dir)) == 4

    anew = replace(first, alt="One,\x00 anew")
    edited = await notes.edit(ctx, note.id, Draft("Two", files=(anew, last)))

    assert [(a.url, a.alt) for a in edited.attachments] == [(one, "One, anew"), (three, "Three")]
    update = (await sent(ctx))[-1]
    assert [a["name"] for a in update.object["attachment"]] == ["One, anew", "Three"]
    left = {url.rpartition("/")[2] for url in (one, three)}
    assert files.names(ctx.config.media_dir) == left
    records = await ctx.db.read(lambda reader: media.of_note(reader, note.id))
    assert {record.public_id for record in records} == left

    with pytest.raises(InvalidInput, match="nothing in it"):
        await notes.edit(ctx, note.id, Draft(""))
    assert files.names(ctx.config.media_dir) == left
    with pytest.raises(InvalidInput, match="not here any more"):
        await notes.edit(ctx, note.id, Draft("", files=(last, Attached(f"{last.name}x"))))
    assert files.names(ctx.config.media_dir) == left
    await notes.edit(ctx, note.id, Draft("", files=(last,)))
    assert files.names(ctx.config.media_dir) == {three.rpartition("/")[2]}


async def test_what_is_refused_leaves_no_copy_of_its_files(ctx: Context) -> None:
    files_held = await held(ctx, [(a_picture(), "A red one")])
    before = files.names(ctx.config.media_dir)

    with pytest.raises(InvalidInput):
        await notes.publish(
            ctx, Draft("One or one?", poll=PollDraft(("One",), timedelta(days=1)), files=files_held)
        )

    assert files.names(ctx.config.media_dir) == before


async def test_no_room_for_pictures(ctx: Context) -> None:
    large = Picture(b"x" * 1_000_001, "image/png", 4, 3, "LEHV6n")

    with pytest.raises(InvalidInput, match="no room"):
        await held(ctx, [(large, "")])
    assert files.names(ctx.config.media_dir) == set()


async def test_an_edit_goes_to_everybody_who_has_the_post(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    _, bob = await met(ctx, ALICE, BOB, shared=False)
    note = await notes.publish(ctx, Draft("First, @alice@vic.example", language="en"))
    await ctx.db.write(lambda tx: like_storage.add(tx, note.id, bob.id, f"{BOB}/likes/1", NOON))
    await a_note_by(ctx, MALLORY, parent=note.uri)
    forward(ctx)

    edited = await notes.edit(ctx, note.id, Draft("Second #tag", Visibility.FOLLOWERS))

    update = (await sent(ctx))[-1]
    assert update.type == "Update"
    assert update.inboxes == {
        FOL_SHARED,
        f"{ALICE}/inbox",
        f"{BOB}/inbox",
        "https://evil.example/inbox",
    }
    assert update.object["id"] == note.uri
    assert update.object["updated"] == "2026-11-22T12:01:00.000Z"
    assert update.object["published"] == "2026-11-22T12:00:00.000Z"
    assert "Second" in update.object["content"]
    assert update.object["to"] == update.activity["to"] == [PUBLIC]
    assert update.object["cc"] == update.activity["cc"] == [FOLLOWERS, ALICE]
    assert (edited.visibility, edited.language) == (Visibility.PUBLIC, "en")


async def test_a_closed_post_is_not_opened_by_an_edit(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    (mallory,) = await met(ctx, MALLORY)
    note = await notes.publish(ctx, Draft("For you", Visibility.FOLLOWERS))
    # She liked it when she still followed.
    uri = f"{MALLORY}/likes/1"
    await ctx.db.write(lambda tx: like_storage.add(tx, note.id, mallory.id, uri, NOON))

    edited = await notes.edit(ctx, note.id, Draft("Hi @mallory@evil.example", Visibility.PUBLIC))

    update = (await sent(ctx))[-1]
    assert update.inboxes == {FOL_SHARED}
    assert update.object["tag"] == []
    assert edited.visibility is Visibility.FOLLOWERS
    assert "<a" not in edited.html


async def test_a_deletion_goes_to_everybody_who_has_the_post(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    (bob,) = await met(ctx, BOB)
    note = await notes.publish(ctx, Draft("Oops"))
    await ctx.db.write(
        lambda tx: announce_storage.add(
            tx,
            uri=f"{BOB}/boosts/1",
            note_id=note.id,
            actor_id=bob.id,
            visibility=Visibility.PUBLIC,
            published_at=NOON,
            now=NOON,
        )
    )

    await notes.delete(ctx, note.id)

    delete = (await sent(ctx))[-1]
    assert delete.type == "Delete"
    assert delete.inboxes == {FOL_SHARED, VIC_SHARED}
    assert delete.object == {"id": note.uri, "type": "Tombstone"}
    assert delete.activity["to"] == [PUBLIC]
    assert "Oops" not in str(delete.activity)
    stone = await ctx.db.read(lambda reader: tombstones.of(reader, note.uri))
    assert stone == tombstones.Tombstone(was_public=True)


async def test_a_closed_post_leaves_no_public_tombstone(ctx: Context) -> None:
    note = await notes.publish(ctx, Draft("Hush", Visibility.FOLLOWERS))

    await notes.delete(ctx, note.id)

    stone = await ctx.db.read(lambda reader: tombstones.of(reader, note.uri))
    assert stone == tombstones.Tombstone(was_public=False)


async def test_posts_of_others_are_not_the_owners_to_change(ctx: Context) -> None:
    theirs = await a_note_by(ctx, ALICE)

    for attempt in (
        notes.edit(ctx, theirs.id, Draft("Mine")),
        notes.delete(ctx, theirs.id),
        outbox_pins.pin(ctx, theirs.id),
        outbox_pins.unpin(ctx, theirs.id),
        notes.delete(ctx, 7),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await sent(ctx) == []


async def test_a_pin_has_followers_look_again(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    note = await notes.publish(ctx, Draft("Best of"))

    await outbox_pins.pin(ctx, note.id)
    await outbox_pins.pin(ctx, note.id)
    pinned = await ctx.db.read(lambda reader: pins.of(reader, ctx.owner.actor_id))
    await outbox_pins.unpin(ctx, note.id)
    await outbox_pins.unpin(ctx, note.id)

    assert [one.id for one in pinned] == [note.id]
    assert [one.type for one in await sent(ctx)] == ["Create", "Update", "Update"]
    assert (await sent(ctx))[1].object["type"] == "Person"


async def test_only_five_are_pinned(ctx: Context) -> None:
    posts = [await notes.publish(ctx, Draft(str(number))) for number in range(6)]
    for post in posts[:5]:
        await outbox_pins.pin(ctx, post.id)

    with pytest.raises(InvalidInput, match="At most 5"):
        await outbox_pins.pin(ctx, posts[5].id)


async def test_a_like_goes_to_the_author_alone(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    theirs = await a_note_by(ctx, ALICE)

    await likes.like(ctx, theirs.id)
    await likes.like(ctx, theirs.id)
    await likes.unlike(ctx, theirs.id)
    await likes.unlike(ctx, theirs.id)

    like, undo = await sent(ctx)
    assert (like.type, like.object, like.activity["to"]) == ("Like", theirs.uri, [ALICE])
    assert like.inboxes == undo.inboxes == {f"{ALICE}/inbox"}
    assert undo.type == "Undo"
    assert undo.object["id"] == like.activity["id"]
    assert undo.object["type"] == "Like"
    after = await ctx.db.read(lambda reader: note_storage.by_id(reader, theirs.id))
    assert after is not None
    assert after.likes == 0


async def test_a_boost_goes_to_followers_and_the_author(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    theirs = await a_note_by(ctx, ALICE)

    await announces.announce(ctx, theirs.id)
    await announces.announce(ctx, theirs.id)
    await announces.unannounce(ctx, theirs.id)
    await announces.unannounce(ctx, theirs.id)

    announce, undo = await sent(ctx)
    assert (announce.type, announce.object) == ("Announce", theirs.uri)
    assert announce.activity["to"] == undo.activity["to"] == [PUBLIC]
    assert announce.activity["cc"] == undo.activity["cc"] == [FOLLOWERS, ALICE]
    assert announce.inboxes == undo.inboxes == {VIC_SHARED, FOL_SHARED}
    assert undo.object["id"] == announce.activity["id"]
    assert undo.object["object"] == theirs.uri


async def test_the_boost_of_a_quiet_post_is_quiet(ctx: Context) -> None:
    theirs = await a_note_by(ctx, ALICE, visibility=Visibility.UNLISTED)

    await announces.announce(ctx, theirs.id)

    (announce,) = await sent(ctx)
    assert announce.activity["to"] == [FOLLOWERS]
    assert announce.activity["cc"] == [PUBLIC, ALICE]
