"""The settings `allowlist` and `closed`, and blocks of servers, at every door and every way out."""

import json
from pathlib import Path
from typing import Any

import pytest

from microfedi.config import Federation
from microfedi.errors import MicrofediError, RemoteError
from microfedi.federation import handles, linked, lookup, media_cache
from microfedi.federation.fetching import Budget
from microfedi.protocol.vocab import PUBLIC, Visibility
from microfedi.protocol.webfinger import Handle
from microfedi.storage import blocks, circles
from tests.another_server import AS2, Answer, RemoteActor
from tests.app_fixture import BASE_URL, US, App, an_app
from tests.federation.outbox.sent import send_all
from tests.web.test_visitors import FROM_US

FRIEND = "https://good.example/users/frank"
STRANGER = "https://evil.example/users/mallory"
HOW = ["allowlist", "closed", "blocked"]


async def shut(app: App, how: str) -> None:
    """Have nothing to do with evil.example from now on."""
    if how == "blocked":
        await app.ctx.db.write(lambda tx: blocks.block_host(tx, "evil.example", app.clock.now))
    else:
        mode = Federation("allowlist", ("good.example",)) if how == "allowlist" else None
        object.__setattr__(app.ctx.config, "federation", mode or Federation(mode="closed"))


def activities(app: App, sender: RemoteActor, note_uri: str) -> list[dict[str, Any]]:
    """One of each that would leave something behind."""
    base = {"@context": AS2, "actor": sender.uri, "to": [US, PUBLIC]}
    note = {
        "id": f"{sender.uri}/notes/1",
        "type": "Note",
        "attributedTo": sender.uri,
        "content": "<p>x</p>",
        "to": [PUBLIC],
        "cc": [US],
    }
    kinds: list[tuple[str, object, dict[str, Any]]] = [
        ("Follow", US, {}),
        ("Create", note, {}),
        ("Like", note_uri, {}),
        ("EmojiReact", note_uri, {"content": "🔥"}),
        ("Announce", note_uri, {}),
        ("Flag", [US], {"content": "x"}),
        ("Block", US, {}),
        ("QuoteRequest", note_uri, {"instrument": note}),
        ("Undo", {"id": f"{sender.uri}/f", "type": "Follow", "object": US}, {}),
        ("Delete", sender.uri, {}),
    ]
    return [
        {**base, "id": f"{sender.uri}/{number}", "type": kind, "object": thing, **more}
        for number, (kind, thing, more) in enumerate(kinds)
    ]


@pytest.mark.parametrize("how", HOW)
async def test_s_048_nothing_comes_in(tmp_path: Path, how: str) -> None:
    async with an_app(tmp_path) as app:
        mallory = app.world.actor(STRANGER)
        await app.followed_by(mallory)
        await app.follow(mallory)
        ours = await app.publish("Hello")
        await send_all(app.ctx, app.world)
        await shut(app, how)
        asked = len(app.world.gets())
        before = await app.rows()

        for document in activities(app, mallory, ours.uri):
            body = json.dumps(document).encode()
            for url in (f"{BASE_URL}/inbox", f"{US}/inbox"):
                headers = mallory.signed_headers("POST", url, body, now=app.clock.now)
                answer = await app.browser().post(url, content=body, headers=headers)
                assert answer.status_code == (404 if how == "closed" else 202)
        await app.process()

        assert await app.rows() == before
        assert len(app.world.gets()) == asked


@pytest.mark.parametrize("how", HOW)
async def test_s_048_nothing_goes_out(tmp_path: Path, how: str) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        mallory = app.world.actor(STRANGER)
        met = await app.followed_by(mallory)
        await app.follow(mallory)
        number = await app.ctx.db.write(lambda tx: circles.create(tx, "c" * 32, "x", app.clock.now))
        await app.ctx.db.write(lambda tx: circles.add(tx, number, [met.id]))
        waits = await app.publish("Published before")
        assert await app.count("deliveries") == 1
        await shut(app, how)

        await app.publish("To everybody")
        await app.publish("To followers", Visibility.FOLLOWERS)
        await app.publish("@mallory@evil.example hello")
        await app.post("/settings/blocks/telling", {"sends_blocks": "1"})
        await app.post(f"/posts/{waits.id}/edit", {"source": "Changed"})
        await app.post(f"/posts/{waits.id}/delete")
        if how != "blocked":  # a blocked server's people have left the circles
            await app.publish("To a circle", Visibility.LIMITED, circle=number)
        await app.post(f"/people/{met.id}/report", {"comment": "x"})
        await app.post(f"/people/{met.id}/unfollow")
        await app.post(f"/people/{met.id}/block")
        await app.post(f"/people/{met.id}/unblock")

        assert await send_all(app.ctx, app.world) == []
        assert await app.count("deliveries") == 0


@pytest.mark.parametrize("how", HOW)
async def test_s_048_nothing_is_fetched(tmp_path: Path, how: str) -> None:
    async with an_app(tmp_path) as app:
        mallory = app.world.actor(STRANGER)
        app.world.serve("https://evil.example/a.png", Answer(body=b"x", content_type="image/png"))
        await shut(app, how)

        for attempt in (
            lookup.kept_actor(app.ctx, mallory.uri),
            lookup.kept_note(app.ctx, f"{mallory.uri}/notes/1", Budget()),
            lookup.by_handle(app.ctx, "mallory@evil.example"),
            lookup.anything(app.ctx, "https://evil.example/@mallory"),
            handles.resolve(app.ctx, Handle("mallory", "evil.example"), Budget()),
            media_cache.fetch(app.ctx, "https://evil.example/a.png"),
            media_cache.fetch(app.ctx, "https://media.evil.example/a.png"),
        ):
            with pytest.raises((RemoteError, MicrofediError)):
                await attempt
        await linked.read(app.ctx, "https://evil.example/page")

        assert app.world.requests == []


@pytest.mark.parametrize("how", ["allowlist", "blocked"])
async def test_s_107_nothing_is_shown_to_who_signs_from_there(tmp_path: Path, how: str) -> None:
    async with an_app(tmp_path) as app:
        mallory, frank = app.world.actor(STRANGER), app.world.actor(FRIEND)
        await app.followed_by(mallory)
        await app.followed_by(frank)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        assert (await app.asked_by(mallory, closed.uri)).status_code == 200

        await shut(app, how)

        for url in (closed.uri, f"{US}/followers_synchronization", f"{US}/outbox?page=true"):
            assert (await app.asked_by(mallory, url)).status_code in (401, 403, 404), url
        assert (await app.asked_by(frank, closed.uri)).status_code == 200


@pytest.mark.parametrize("how", HOW)
async def test_s_048_no_visitor_is_led_there(tmp_path: Path, how: str) -> None:
    async with an_app(tmp_path) as app:
        app.world.actor(STRANGER)
        await shut(app, how)
        browser = app.browser()

        answer = await browser.post(
            "/interact", data={"handle": "@mallory@evil.example"}, headers=FROM_US
        )

        assert answer.status_code == (404 if how == "closed" else 422)
        assert app.world.requests == []
