"""Follow, and what answers it."""

from microfedi.storage import followers
from tests.federation.inbox.world import OWNER, Scene, an_activity


async def test_a_follow_is_accepted_and_a_repeat_is_accepted_quietly(scene: Scene) -> None:
    for number in (1, 2):
        await scene.deliver(scene.frank, an_activity("Follow", scene.frank, OWNER, number=number))

    sent = await scene.sent()
    assert [one["type"] for one in sent] == ["Accept", "Accept"]
    assert sent[1]["object"] == {
        "id": "https://fol.example/activities/follow-frank-2",
        "type": "Follow",
        "actor": scene.frank.uri,
        "object": OWNER,
    }
    assert sent[0]["id"] != sent[1]["id"]
    assert await scene.told() == ["follow"]
    assert await scene.ctx.db.read(followers.count) == 1
    assert [row[3] for row in (await scene.rows())["deliveries"]] == [scene.frank.inbox_url] * 2
    assert scene.ctx.wake.deliveries.is_set()


async def test_who_approves_is_asked_first(scene: Scene) -> None:
    await scene.set_preferences(approves_followers=True)

    await scene.deliver(scene.frank, an_activity("Follow", scene.frank, OWNER))

    assert await scene.told() == ["follow_request"]
    assert await scene.sent() == []
    assert await scene.ctx.db.read(followers.count) == 0


async def test_who_follows_already_stays_though_approval_is_wished_for_now(scene: Scene) -> None:
    await scene.deliver(scene.frank, an_activity("Follow", scene.frank, OWNER))
    await scene.set_preferences(approves_followers=True)

    await scene.deliver(scene.frank, an_activity("Follow", scene.frank, OWNER, number=2))

    assert [one["type"] for one in await scene.sent()] == ["Accept", "Accept"]
    assert await scene.ctx.db.read(followers.count) == 1
