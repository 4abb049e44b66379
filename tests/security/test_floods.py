"""What a valid key may send: so much in an hour, and so much that waits for an answer."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from microfedi.errors import TooBusy
from microfedi.federation import allowance
from microfedi.federation.allowance import Allowance
from microfedi.storage import conversations
from tests.another_server import RemoteActor
from tests.app_fixture import US, App, an_app
from tests.factories import NOON
from tests.federation.inbox.proven import multikey, proven
from tests.federation.inbox.world import OWNER, Scene, a_create, a_mention, a_scene, an_activity


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path) as made:
        yield made


async def _mentions(scene: Scene, actor: RemoteActor, numbers: range) -> list[int]:
    return [
        (await scene.post(actor, a_create(actor, a_mention(actor, number)))).status_code
        for number in numbers
    ]


async def test_a_stranger_is_taken_so_often_in_an_hour(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "OF_A_STRANGER", 3)
    assert await _mentions(scene, scene.mallory, range(6)) == [202, 202, 202, 429, 429, 429]
    refused = await scene.post(scene.mallory, an_activity("Follow", scene.mallory, OWNER))
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1200"  # three an hour: one every twenty minutes
    assert await scene.count("received") == 3
    # Nobody else waits, not even on the same server, and whoever waited gets in.
    assert await _mentions(scene, scene.alice, range(3)) == [202] * 3
    scene.clock.forward(minutes=20)
    assert await _mentions(scene, scene.mallory, range(6, 8)) == [202, 429]


async def test_whoever_is_followed_may_send_more(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "OF_A_STRANGER", 1)
    monkeypatch.setattr(allowance, "OF_STRANGERS", 1)
    monkeypatch.setattr(allowance, "OF_SOMEBODY_FOLLOWED", 4)
    await scene.follow(scene.alice)
    assert await _mentions(scene, scene.mallory, range(2)) == [202, 429]
    assert await _mentions(scene, scene.alice, range(5)) == [202] * 4 + [429]


async def test_many_people_of_one_server_and_of_many_count_together(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "OF_A_SERVER", 3)
    monkeypatch.setattr(allowance, "OF_STRANGERS", 5)
    some = [scene.world.actor(f"https://evil.example/users/m{n}") for n in range(5)]
    assert [(await _mentions(scene, one, range(1)))[0] for one in some] == [202] * 3 + [429] * 2
    others = [scene.world.actor(f"https://s{n}.evil.example/users/m") for n in range(4)]
    assert [(await _mentions(scene, one, range(1)))[0] for one in others] == [202] * 2 + [429] * 2


async def test_a_false_signature_uses_up_nobodys_allowance(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "OF_A_STRANGER", 1)
    await scene.meet(scene.alice)
    body = a_create(scene.alice, a_mention(scene.alice))
    for _ in range(3):
        headers = scene.mallory.signed_headers(
            "POST", "https://us.example/inbox", b"{}", now=scene.clock(), key_id=scene.alice.key_id
        )
        assert (await scene.send(b"{}", headers)).status_code in (400, 401)
    assert (await scene.post(scene.alice, body)).status_code == 202


async def test_what_is_long_or_lies_elsewhere_counts_as_many(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "OF_A_STRANGER", 40)
    long = "<p>" + "so long " * 40_000 + "</p>"  # 320 kB, of 16 KiB each: twenty
    answers = [
        await scene.post(scene.mallory, a_create(scene.mallory, a_mention(scene.mallory, number)))
        for number in range(4)
    ]
    for number in range(4, 7):
        note = a_mention(scene.mallory, number, content=long)
        answers.append(await scene.post(scene.mallory, a_create(scene.mallory, note)))
    assert [one.status_code for one in answers] == [202] * 5 + [429] * 2
    # What is only named is fetched, and counts as if it were long.
    for number in range(4):
        named = f"{scene.bob.uri}/notes/{number}"
        create = an_activity("Create", scene.bob, named, to=[OWNER], number=number)
        answers.append(await scene.post(scene.bob, create))
    assert [one.status_code for one in answers[7:]] == [202, 202, 429, 429]
    # Nothing is so long that it could never come.
    scene.clock.forward(hours=1)
    huge = a_mention(scene.mallory, 8, content=long * 3)
    assert (await scene.post(scene.mallory, a_create(scene.mallory, huge))).status_code == 202


async def test_whoever_brings_what_another_has_proven_uses_up_their_own_allowance(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "OF_A_STRANGER", 3)
    await scene.meet(scene.mallory)
    described = scene.alice.document(assertionMethod=[multikey(scene.alice)])
    scene.world.serve(scene.alice.uri, described)
    await scene.meet(scene.alice)
    shown = proven(scene.alice, a_create(scene.alice, a_mention(scene.alice)))
    statuses = [(await scene.post(scene.mallory, shown)).status_code for _ in range(5)]
    assert statuses == [202, 202, 202, 429, 429]
    assert await scene.count("received") == 1
    # Alice has said one thing, however often it was brought: she may still speak for herself.
    assert await _mentions(scene, scene.alice, range(10, 14)) == [202, 202, 202, 429]


async def test_long_profiles_of_many_people_count_as_many(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "OF_A_SERVER", 12)
    names = [f"https://evil.example/{'n' * 1800}/{number}" for number in range(20)]  # 36 kB
    trolls = [
        scene.world.actor(f"https://evil.example/users/t{number}", alsoKnownAs=names)
        for number in range(6)
    ]
    follows = [await scene.post(one, an_activity("Follow", one, OWNER)) for one in trolls]
    assert [one.status_code for one in follows] == [202] * 4 + [429] * 2
    assert await scene.count("actors") == 1 + 4


def test_what_is_counted_is_of_bounded_size_and_comes_back_with_time() -> None:
    counted = Allowance()
    for number in range(allowance.MAX_REMEMBERED):
        counted.use(f"https://a.example/{number}", "a.example", is_followed=True, now=NOON)
    counted.use("https://b.example/1", "b.example", is_followed=False, now=NOON)
    assert len(counted._left) == allowance.MAX_REMEMBERED
    for _ in range(allowance.OF_A_STRANGER - 1):
        counted.use("https://b.example/1", "b.example", is_followed=False, now=NOON)
    with pytest.raises(TooBusy):
        counted.use("https://b.example/1", "b.example", is_followed=False, now=NOON)
    # A clock that is set back locks nobody out, and gives nothing away.
    with pytest.raises(TooBusy):
        earlier = NOON - timedelta(hours=2)
        counted.use("https://b.example/1", "b.example", is_followed=False, now=earlier)
    counted.use("https://b.example/1", "b.example", is_followed=False, now=NOON)


# --- the drawer of requests


async def _writes(app: App, actor: RemoteActor, times: int = 1) -> None:
    for _ in range(times):
        await app.theirs(actor, to=[US], cc=[], content="<p>Hello</p>")


async def _waiting(app: App) -> int:
    return await app.ctx.db.read(conversations.requests)


async def test_one_server_does_not_fill_the_drawer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "MAX_REQUESTS_OF_SERVER", 3)
    async with an_app(tmp_path) as app:
        for number in range(5):
            await _writes(app, app.world.actor(f"https://evil.example/users/m{number}"))
        assert await _waiting(app) == 3
        await _writes(app, app.world.actor("https://vic.example/users/alice"))
        assert await _waiting(app) == 4


async def test_naming_people_of_another_server_takes_none_of_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "MAX_REQUESTS_OF_SERVER", 3)
    async with an_app(tmp_path) as app:
        mallory = app.world.actor("https://evil.example/users/mallory")
        for number in range(3):
            named = app.world.actor(f"https://vic.example/users/v{number}")
            await app.meet(named)
            tags = [{"type": "Mention", "href": uri} for uri in (US, named.uri)]
            await app.theirs(mallory, to=[US, named.uri], cc=[], tag=tags)
        assert await _waiting(app) == 3
        await _writes(app, app.world.actor("https://vic.example/users/alice"))
        assert await _waiting(app) == 4
        await _writes(app, app.world.actor("https://evil.example/users/another"))
        assert await _waiting(app) == 4


async def test_the_drawer_has_an_end_and_friends_do_not_stand_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "MAX_REQUESTS", 3)
    async with an_app(tmp_path) as app:
        friend = app.world.actor("https://fol.example/users/frank")
        await app.follow(friend)
        strangers = [app.world.actor(f"https://s{n}.example/users/m") for n in range(5)]
        for one in strangers:
            await _writes(app, one)
        assert await _waiting(app) == 3
        await _writes(app, friend)
        await app.ctx.db.read(conversations.requests)
        assert await app.count("messages") == 4
        # One answer makes room for one more.
        await app.ctx.db.write(lambda tx: conversations.accept(tx, 1))
        await _writes(app, strangers[4])
        await _writes(app, strangers[3])
        assert await _waiting(app) == 3
        assert await app.count("messages") == 5


async def test_a_request_that_waits_grows_so_far_and_goes_on_after_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "MAX_UNANSWERED", 3)
    async with an_app(tmp_path) as app:
        alice = app.world.actor("https://vic.example/users/alice")
        await _writes(app, alice, 6)
        assert await app.count("messages") == 3
        await app.ctx.db.write(lambda tx: conversations.accept(tx, 1))
        await _writes(app, alice, 2)
        assert await app.count("messages") == 5
