"""Follows, blocks and the profile: what others are told, and where it goes."""

import pytest

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.context import Context
from microfedi.federation.outbox import blocks, follows, notes, profile
from microfedi.federation.outbox.notes import Draft
from microfedi.protocol.vocab import PUBLIC
from microfedi.storage import (
    actors,
    files,
    followers,
    following,
    notifications,
    stretches,
    timeline,
)
from microfedi.storage import blocks as block_storage
from microfedi.storage.database import Reader, Transaction
from tests.factories import NOON
from tests.federation.outbox.test_notes import a_picture
from tests.federation.outbox.world import (
    ALICE,
    FOL_SHARED,
    FOLLOWERS,
    FRANK,
    US,
    a_note_by,
    followed_by,
    met,
    sent,
)


async def test_a_follow_goes_to_the_personal_inbox_and_is_taken_back(ctx: Context) -> None:
    (alice,) = await met(ctx, ALICE)
    note = await a_note_by(ctx, ALICE)
    await ctx.db.write(lambda tx: timeline.add(tx, note_id=note.id, at=NOON))

    await follows.follow(ctx, alice.id)
    asked = await ctx.db.read(lambda reader: following.by_actor(reader, alice.id))
    await follows.unfollow(ctx, alice.id)
    await follows.unfollow(ctx, alice.id)

    follow, undo = await sent(ctx)
    assert asked is not None
    assert (asked.state, asked.follow_uri) == ("requested", follow.activity["id"])
    assert (follow.type, follow.object, follow.activity["to"]) == ("Follow", ALICE, [ALICE])
    assert follow.inboxes == undo.inboxes == {f"{ALICE}/inbox"}
    assert (undo.type, undo.object["id"]) == ("Undo", follow.activity["id"])
    assert undo.object["object"] == ALICE
    assert (
        await ctx.db.read(lambda reader: stretches.below(reader, limit=9, now=NOON).entries) == []
    )


async def test_an_accepted_follow_is_not_sent_again(ctx: Context) -> None:
    (alice,) = await met(ctx, ALICE)
    await follows.follow(ctx, alice.id)
    await ctx.db.write(lambda tx: following.set_state(tx, alice.id, "accepted"))

    await follows.follow(ctx, alice.id)

    assert len(await sent(ctx)) == 1


async def test_who_cannot_be_followed(ctx: Context) -> None:
    (alice,) = await met(ctx, ALICE)
    await ctx.db.write(lambda tx: block_storage.block_actor(tx, alice.id, NOON))

    with pytest.raises(InvalidInput, match="blocked"):
        await follows.follow(ctx, alice.id)
    with pytest.raises(InvalidInput, match="you"):
        await follows.follow(ctx, ctx.owner.actor_id)
    with pytest.raises(NotFound):
        await follows.follow(ctx, 999)
    assert await sent(ctx) == []


async def test_a_request_is_accepted(ctx: Context) -> None:
    (alice,) = await met(ctx, ALICE)

    def asks(tx: Transaction) -> None:
        followers.put(tx, alice.id, f"{ALICE}/follows/7", "requested", NOON)
        notifications.add(tx, "follow_request", actor_id=alice.id, now=NOON)

    await ctx.db.write(asks)
    await follows.accept(ctx, alice.id)

    (accept,) = await sent(ctx)
    assert (accept.type, accept.inboxes) == ("Accept", {f"{ALICE}/inbox"})
    assert accept.object == {
        "id": f"{ALICE}/follows/7",
        "type": "Follow",
        "actor": ALICE,
        "object": US,
    }
    assert await ctx.db.read(followers.count) == 1
    assert await ctx.db.read(lambda reader: notifications.page(reader, limit=9, now=NOON)) == []
    with pytest.raises(NotFound):
        await follows.accept(ctx, alice.id)


async def test_a_follower_is_removed(ctx: Context) -> None:
    (alice,) = await followed_by(ctx, ALICE)

    await follows.reject(ctx, alice.id)

    (reject,) = await sent(ctx)
    assert (reject.type, reject.inboxes) == ("Reject", {f"{ALICE}/inbox"})
    assert reject.object["id"] == f"{ALICE}/follows/1"
    assert await ctx.db.read(followers.count) == 0
    with pytest.raises(NotFound):
        await follows.reject(ctx, alice.id)


async def test_a_block_ends_follows_and_is_not_told(ctx: Context) -> None:
    (alice,) = await followed_by(ctx, ALICE)
    await follows.follow(ctx, alice.id)

    await blocks.block(ctx, alice.id)

    assert [one.type for one in await sent(ctx)] == ["Follow", "Undo", "Reject"]
    assert await ctx.db.read(lambda reader: block_storage.is_blocked(reader, ALICE))
    await notes.publish(ctx, Draft("Hello"))
    assert len(await sent(ctx)) == 3
    await blocks.unblock(ctx, alice.id)
    assert not await ctx.db.read(lambda reader: block_storage.is_blocked(reader, ALICE))


async def test_a_server_is_blocked_but_never_our_own(ctx: Context) -> None:
    await followed_by(ctx, FRANK)
    await blocks.block_host(ctx, "fol.example")
    await notes.publish(ctx, Draft("Hello"))
    assert await sent(ctx) == []
    await blocks.unblock_host(ctx, "fol.example")

    with pytest.raises(InvalidInput, match="this server"):
        await blocks.block_host(ctx, "us.example")
    assert await ctx.db.read(block_storage.blocked_hosts) == []


async def test_followers_are_told_of_a_new_profile(ctx: Context) -> None:
    await followed_by(ctx, FRANK)

    await profile.update(
        ctx,
        profile.Profile(
            "New <name>",
            "I *like* #trains",
            (("Site", "https://owner.example"), ("", " "), ("Pronouns", "they")),
        ),
    )

    (update,) = await sent(ctx)
    assert update.inboxes == {FOL_SHARED}
    assert (update.activity["to"], update.activity["cc"]) == ([PUBLIC], [FOLLOWERS])
    assert update.object["id"] == US
    assert update.object["name"] == "New <name>"
    assert "<em>like</em>" in update.object["summary"]
    assert [(row["name"], row["value"]) for row in update.object["attachment"]][1] == (
        "Pronouns",
        "they",
    )
    assert 'href="https://owner.example"' in update.object["attachment"][0]["value"]
    assert update.object["publicKey"]["id"] == f"{US}#main-key"
    assert update.object["webfinger"] == "owner@us.example"
    assert ctx.owner.bio == "I *like* #trains"


@pytest.mark.parametrize(
    ("wished", "field"),
    [
        (profile.Profile("x", "x" * 2001), "bio"),
        (profile.Profile("x", "", (("a", "b"),) * 9), "fields"),
        (profile.Profile("x", "", (("a", "b" * 501),)), "fields"),
    ],
)
async def test_a_profile_has_limits(ctx: Context, wished: profile.Profile, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await profile.update(ctx, wished)
    assert caught.value.field == field


async def test_a_new_picture_replaces_the_old_one(ctx: Context) -> None:
    def icon(reader: Reader) -> str | None:
        me = actors.by_id(reader, ctx.owner.actor_id)
        assert me is not None
        return me.icon_url

    await profile.set_picture(ctx, avatar=a_picture(), avatar_alt="Me")
    first = await ctx.db.read(icon)
    await profile.set_picture(ctx, avatar=a_picture())
    second = await ctx.db.read(icon)

    assert first is not None
    assert second is not None
    assert first != second
    assert files.names(ctx.config.media_dir) == {second.rpartition("/")[2]}
    await profile.remove_picture(ctx, avatar=True)
    assert await ctx.db.read(icon) is None
    assert files.names(ctx.config.media_dir) == set()


async def test_wishes_that_others_see_are_told(ctx: Context) -> None:
    await followed_by(ctx, FRANK)

    await profile.set_preferences(ctx, time_zone="Europe/Berlin")
    await profile.set_preferences(ctx, approves_followers=True, indexable=False)

    (update,) = await sent(ctx)
    assert update.object["manuallyApprovesFollowers"] is True
    assert ctx.owner.time_zone == "Europe/Berlin"
