"""Groups (FEP-1b12): what they pass on is read once, and their moderators are heard there alone."""

from typing import Any

import pytest

from microfedi.errors import InvalidInput
from microfedi.federation.outbox import notes as outbox
from microfedi.protocol.vocab import PUBLIC, Visibility
from microfedi.storage import groups
from tests.another_server import RemoteActor
from tests.federation.inbox.world import OWNER, Scene, a_note, an_activity

GROUP = "https://club.example/c/bread"


async def a_group(scene: Scene) -> RemoteActor:
    group = scene.world.actor(GROUP, type="Group", followers=f"{GROUP}/followers")
    await scene.follow(group)
    return group


def a_page(author: RemoteActor, number: int = 1, **fields: Any) -> dict[str, Any]:
    return a_note(
        author,
        number,
        **(
            {"type": "Page", "name": "Sourdough", "to": [GROUP, PUBLIC], "audience": GROUP} | fields
        ),
    )


def passed_on(group: RemoteActor, inner: Any, number: int = 1) -> dict[str, Any]:
    return an_activity(
        "Announce", group, inner, to=[PUBLIC], cc=[f"{GROUP}/followers"], number=number
    )


async def test_a_post_in_a_group_comes_home_once(scene: Scene) -> None:
    group = await a_group(scene)
    page = a_page(scene.alice)
    scene.world.serve(page["id"], page)
    create = an_activity("Create", scene.alice, page)

    # As Lemmy does: the activity, the post itself, and both again.
    await scene.deliver(group, passed_on(group, create, 1))
    await scene.deliver(group, passed_on(group, page["id"], 2))
    await scene.deliver(group, passed_on(group, create, 1))
    assert await scene.home() == [page["id"]]

    # The author is followed, too: what stands there already does not come again.
    await scene.follow(scene.alice)
    await scene.deliver(scene.alice, create)
    assert await scene.home() == [page["id"]]


async def test_what_was_sent_along_is_never_believed(scene: Scene) -> None:
    group = await a_group(scene)
    page = a_page(scene.alice)
    scene.world.serve(page["id"], page)
    forged = an_activity("Create", scene.alice, {**page, "content": "<p>forged</p>"})

    await scene.deliver(group, passed_on(group, forged))

    note = await scene.note(page["id"])
    assert note is not None
    assert note.html == "<p>post 1</p>"


async def test_answers_are_in_the_thread_and_not_on_home(scene: Scene) -> None:
    group = await a_group(scene)
    page, answer = a_page(scene.alice), a_note(scene.bob, 2, inReplyTo=f"{scene.alice.uri}/notes/1")
    for one in (page, answer):
        scene.world.serve(one["id"], one)

    await scene.deliver(group, passed_on(group, an_activity("Create", scene.alice, page), 1))
    await scene.deliver(group, passed_on(group, an_activity("Create", scene.bob, answer), 2))

    assert await scene.home() == [page["id"]]
    above, below = await scene.note(page["id"]), await scene.note(answer["id"])
    assert above is not None
    assert below is not None
    assert below.thread_id == above.id


@pytest.mark.parametrize("kind", ["Like", "Dislike", "Block", "Add"])
async def test_votes_and_the_rest_are_passed_over(scene: Scene, kind: str) -> None:
    group = await a_group(scene)
    inner = an_activity(kind, scene.alice, f"{scene.alice.uri}/notes/1", target=f"{GROUP}/featured")

    await scene.deliver(group, passed_on(group, inner))

    assert await scene.count("notes") == 0
    assert await scene.told() == []


async def test_a_moderator_takes_a_post_out_of_the_group_alone(scene: Scene) -> None:
    group = await a_group(scene)
    page = a_page(scene.alice)
    scene.world.serve(page["id"], page)
    await scene.deliver(group, passed_on(group, an_activity("Create", scene.alice, page), 1))
    moderator = scene.world.actor("https://club.example/u/mod")
    removal = an_activity("Delete", moderator, page["id"])

    await scene.deliver(group, passed_on(group, removal, 2))

    assert await scene.note(page["id"]) is not None
    assert await scene.home() == []
    await scene.deliver(group, passed_on(group, page["id"], 3))
    assert await scene.home() == []


async def test_what_its_author_deleted_is_gone(scene: Scene) -> None:
    group = await a_group(scene)
    page = a_page(scene.alice)
    scene.world.serve(page["id"], page)
    await scene.deliver(group, passed_on(group, an_activity("Create", scene.alice, page), 1))
    del scene.world._answers[page["id"]]

    await scene.deliver(group, passed_on(group, an_activity("Delete", scene.alice, page["id"]), 2))

    assert await scene.note(page["id"]) is None


async def test_only_the_group_moderates(scene: Scene) -> None:
    group = await a_group(scene)
    page = a_page(scene.alice)
    scene.world.serve(page["id"], page)
    await scene.deliver(group, passed_on(group, an_activity("Create", scene.alice, page), 1))
    await scene.follow(scene.mallory)

    for number, kind in enumerate(("Delete", "Lock"), 10):
        inner = an_activity(kind, scene.mallory, page["id"])
        await scene.post(scene.mallory, passed_on(scene.mallory, inner, number))
        await scene.process()

    assert await scene.home() == [page["id"]]
    note = await scene.note(page["id"])
    assert note is not None
    assert not await scene.ctx.db.read(lambda r: groups.is_locked(r, note.id))


async def test_a_locked_thread_takes_no_answer(scene: Scene) -> None:
    group = await a_group(scene)
    page = a_page(scene.alice)
    scene.world.serve(page["id"], page)
    await scene.deliver(group, passed_on(group, an_activity("Create", scene.alice, page), 1))
    note = await scene.note(page["id"])
    assert note is not None
    moderator = scene.world.actor("https://club.example/u/mod")
    lock = an_activity("Lock", moderator, page["id"])

    await scene.deliver(group, passed_on(group, lock, 2))
    with pytest.raises(InvalidInput, match="closed this thread"):
        await outbox.publish(scene.ctx, outbox.Draft("Me too", in_reply_to=note.id))

    await scene.deliver(group, passed_on(group, an_activity("Undo", moderator, lock), 3))
    await outbox.publish(scene.ctx, outbox.Draft("Me too", in_reply_to=note.id))


async def test_a_post_to_a_group_and_an_answer_in_it_reach_the_group(scene: Scene) -> None:
    group = await a_group(scene)
    page = a_page(scene.alice)
    scene.world.serve(page["id"], page)
    await scene.deliver(group, passed_on(group, an_activity("Create", scene.alice, page), 1))
    note = await scene.note(page["id"])
    assert note is not None

    await outbox.publish(scene.ctx, outbox.Draft("Hello @bread@club.example"))
    await outbox.publish(scene.ctx, outbox.Draft("Me too", in_reply_to=note.id))
    closed = await outbox.publish(
        scene.ctx, outbox.Draft("Not for @bread@club.example", visibility=Visibility.FOLLOWERS)
    )

    to_all, answer, quiet = [one for one in await scene.sent() if one["type"] == "Create"]
    for create in (to_all, answer):
        assert create["object"]["audience"] == GROUP
        assert {GROUP, f"{GROUP}/followers"} <= {*create["cc"], *create["to"]}
    assert "audience" not in quiet["object"]
    assert f"{GROUP}/followers" not in quiet["cc"]
    assert closed.audience == ()
    rows = (await scene.rows())["deliveries"]
    assert "https://club.example/inbox" in {row[3] for row in rows}
    assert to_all["actor"] == OWNER
