"""Which pages vouch for somebody, what their server is, whom they only look like, what changed."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from PIL import Image

from microfedi.federation import lookup
from microfedi.federation.jobs import JOBS
from microfedi.federation.outbox import profile
from microfedi.storage import actor_events, server_facts, verified_links
from microfedi.storage.actors import Actor
from microfedi.storage.verified_links import Link
from tests.another_server import Answer, RemoteActor
from tests.app_fixture import App, an_app, texts

ANN = "https://vic.example/users/ann"
PAGE = "https://ann.example/about"
SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/2.0"
DAY = 24 * 3600


def html(body: str, content_type: str = "text/html; charset=utf-8") -> Answer:
    return Answer(body=body.encode(), content_type=content_type)


def naming(*pages: str) -> dict[str, Any]:
    rows = [
        {"type": "PropertyValue", "name": "Web", "value": f'<a href="{page}" rel="me">{page}</a>'}
        for page in pages
    ]
    return {"url": "https://vic.example/@ann", "attachment": rows}


async def with_pages(app: App, *pages: str, uri: str = ANN) -> Actor:
    ann = app.world.actor(uri, **naming(*pages))
    return await app.meet(ann)


async def links(app: App, actor: Actor) -> Mapping[str, Link]:
    return await app.ctx.db.read(lambda r: verified_links.of_actor(r, actor.id))


def nodeinfo(app: App, host: str, **changes: Any) -> None:
    where = f"https://{host}/nodeinfo/2.0"
    document = {
        "version": "2.0",
        "software": {"name": "mastodon", "version": "4.5.1"},
        "openRegistrations": True,
        "usage": {"users": {"total": 1234}},
    } | changes
    for url, body in (
        (f"https://{host}/.well-known/nodeinfo", {"links": [{"rel": SCHEMA, "href": where}]}),
        (where, document),
    ):
        app.world.serve(
            url, Answer(body=json.dumps(body).encode(), content_type="application/json")
        )


async def test_a_page_that_links_back_is_shown_with_its_dates(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = await with_pages(app, PAGE)
        app.world.serve(PAGE, html('<p>I am <a rel="me" href="https://vic.example/@ann">ann</a>'))

        first = await app.get(f"/people/{ann.id}")
        assert "Verified" not in texts(first)
        waiting = await app.rows()
        assert {row[1] for row in waiting["jobs"]} - {"alert"} == {"verify", "server_facts"}
        await JOBS["verify"](app.ctx, ANN)

        assert (
            "Verified: this page linked back on 22 Nov 2026, last checked on 22 Nov 2026."
            in texts(await app.get(f"/people/{ann.id}"))
        )
        (asked,) = app.world.gets(PAGE)
        assert "signature" not in asked.headers

        # The page changes: that is said, with the day until which it held.
        app.clock.forward(seconds=8 * DAY)
        await app.login()
        app.world.serve(PAGE, html("<p>Now somebody else's"))
        await app.get(f"/people/{ann.id}")
        await JOBS["verify"](app.ctx, ANN)
        ended = texts(await app.get(f"/people/{ann.id}?show=about"))
        assert "Was verified until 22 Nov 2026. On 30 Nov 2026 the page did not link back." in ended
        assert "Verified:" not in ended


@pytest.mark.parametrize(
    "body",
    [
        "",
        '<a href="https://vic.example/@ann">no rel</a>',
        '<a rel="nofollow noopener" href="https://vic.example/@ann">another rel</a>',
        '<a rel="me" href="https://vic.example/@anna">somebody else</a>',
        '<a rel="me" href="https://evil.example/@ann">elsewhere</a>',
        '<a rel="me" href="http://vic.example/@ann">not https</a>',
        '<a rel="me" href="//vic.example.evil.example/@ann">x</a>',
        '<!-- <a rel="me" href="https://vic.example/@ann">x</a> -->',
        '<textarea><a rel="me" href="https://vic.example/@ann">x</a></textarea>',
        '<script>"<a rel=me href=https://vic.example/@ann>"</script>',
        '<p title=\'<a rel="me" href="https://vic.example/@ann">\'>x</p>',
        '&lt;a rel="me" href="https://vic.example/@ann"&gt;',
        '<form rel="me" href="https://vic.example/@ann">',
    ],
)
async def test_what_is_no_link_back(tmp_path: Path, body: str) -> None:
    async with an_app(tmp_path) as app:
        ann = await with_pages(app, PAGE)
        app.world.serve(PAGE, html(body))

        await JOBS["verify"](app.ctx, ANN)

        assert not (await links(app, ann))[PAGE].is_verified


@pytest.mark.parametrize(
    "body",
    [
        '<link rel="me" href="https://vic.example/@ann">',
        "<A HREF='https://VIC.example/@ann/' REL='noopener ME'>x</A>",
        '<a rel="me" href="https://vic.example/users/ann">by its id</a>',
        '<body><div><ul><li><a class="x" rel=me target=_blank href=https://vic.example/@ann>x',
    ],
)
async def test_what_is_one(tmp_path: Path, body: str) -> None:
    async with an_app(tmp_path) as app:
        ann = await with_pages(app, PAGE)
        app.world.serve(PAGE, html(body))

        await JOBS["verify"](app.ctx, ANN)

        assert (await links(app, ann))[PAGE].is_verified


async def test_no_server_vouches_for_its_own_people_nor_a_redirect_for_others(
    tmp_path: Path,
) -> None:
    back = '<a rel="me" href="https://vic.example/@ann">'
    async with an_app(tmp_path) as app:
        own = "https://vic.example/page"
        below = "https://pages.vic.example/ann"
        ours = "https://us.example/@maya"
        plain = "http://ann.example/"
        bank = "https://bank.example/go"
        www = "https://site.example/"
        ann = await with_pages(app, own, below, ours, plain, bank, www)
        for url in (own, below, "https://evil.example/", "https://www.site.example/"):
            app.world.serve(url, html(back))
        app.world.redirect(bank, "https://evil.example/")
        app.world.redirect(www, "https://www.site.example/")

        await JOBS["verify"](app.ctx, ANN)

        found = await links(app, ann)
        assert {url: one.is_verified for url, one in found.items()} == {bank: False, www: True}
        assert not app.world.gets(own) + app.world.gets(below)


async def test_a_remote_mark_is_not_believed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        row = {
            "type": "PropertyValue",
            "name": "Web",
            "value": f'<a href="{PAGE}">{PAGE}</a>',
            "verified_at": "2020-01-01T00:00:00Z",
        }
        ann = await app.meet(app.world.actor(ANN, attachment=[row]))

        assert "Verified" not in texts(await app.get(f"/people/{ann.id}"))


async def test_a_server_that_is_down_takes_no_mark_away_at_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = await with_pages(app, PAGE)
        app.world.serve(PAGE, html('<a rel="me" href="https://vic.example/@ann">'))
        await JOBS["verify"](app.ctx, ANN)
        app.world.serve(PAGE, Answer(503, content_type=None))

        for failures in (1, 2, 3):
            app.clock.forward(seconds=8 * DAY)
            await JOBS["verify"](app.ctx, ANN)
            now = (await links(app, ann))[PAGE]
            assert (now.failures, now.is_verified) == (failures, failures < 3)
            if failures == 1:
                await app.login()
                assert "it could not be reached" in texts(await app.get(f"/people/{ann.id}"))


@pytest.mark.parametrize("size", [10, 2_000_000])
async def test_a_hostile_page_costs_little(tmp_path: Path, size: int) -> None:
    async with an_app(tmp_path) as app:
        ann = await with_pages(app, PAGE)
        app.world.serve(PAGE, html("<b><i>" * size))

        await JOBS["verify"](app.ctx, ANN)

        assert not (await links(app, ann))[PAGE].is_verified


async def test_the_owner_is_told_what_to_do_and_checks_now(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        page = texts(await app.get("/settings/profile"))
        assert '<a rel="me" href="https://us.example/@maya">' in page
        assert "No row of your profile is the https address of a page elsewhere yet." in page

        await profile.update(app.ctx, profile.Profile("Maya", "", (("Web", PAGE),)))
        assert "Not looked at yet." in texts(await app.get("/settings/profile"))
        app.world.serve(PAGE, html("<p>nothing yet"))
        answer = await app.post("/settings/profile/links", page="/settings/profile")
        assert answer.headers["location"] == "/settings/profile#links"
        assert "there was no such link on the page" in texts(await app.get("/settings/profile"))

        app.world.serve(PAGE, html('<link rel="me" href="https://us.example/@maya">'))
        await app.post("/settings/profile/links", page="/settings/profile")
        assert "It is checked every week." in texts(await app.get("/settings/profile"))
        # Visitors see it too, and it is looked at again without anybody asking.
        assert "Verified: this page linked back" in texts(await app.browser().get("/@maya"))
        again = await JOBS["verify"](app.ctx, app.ctx.owner.uri)
        assert again is not None
        assert again.days == 7
        assert (await app.browser().post("/settings/profile/links")).status_code in (303, 403)


async def test_the_server_is_shown_before_the_first_follow(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        nodeinfo(app, "vic.example")
        ann = await app.meet(app.world.actor(ANN, published="2026-11-20T00:00:00Z"))

        before = texts(await app.get(f"/people/{ann.id}"))
        assert "vic.example is being asked what it is" in before
        await JOBS["server_facts"](app.ctx, ANN)

        for path in (f"/people/{ann.id}", f"/authorize_interaction?uri={ANN}"):
            shown = texts(await app.get(path))
            assert "The account was made on 20 Nov 2026, says its server. new" in shown
            assert "vic.example runs mastodon 4.5.1." in shown
            assert "It says that it has 1234 accounts. Anybody may make an account there." in shown
            assert "You follow nobody there." in shown
            assert "It shows this profile to anybody who asks, without a signature." in shown
        count = len(app.world.requests)
        await JOBS["server_facts"](app.ctx, ANN)  # once a week is enough
        assert len(app.world.requests) == count

        await app.follow(app.world.actor(ANN))
        assert "vic.example runs" not in texts(await app.get(f"/people/{ann.id}"))


async def test_a_server_that_wants_signatures(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        met = app.world.actor(ANN)
        ann = await app.meet(met)
        app.world.serve(
            ANN,
            lambda asked: (
                Answer(body=json.dumps(met.document()).encode())
                if "signature" in asked.headers
                else Answer(401, content_type=None)
            ),
        )
        await JOBS["server_facts"](app.ctx, ANN)

        shown = texts(await app.get(f"/people/{ann.id}"))
        assert "vic.example does not say which software it runs." in shown
        assert "to servers only that sign their requests" in shown


@pytest.mark.parametrize(
    "document",
    [
        {"software": {"name": "<b>x</b>", "version": ["1"]}, "usage": {"users": {"total": -1}}},
        {"software": "mastodon", "usage": [], "openRegistrations": "yes"},
        {"software": {"name": "m" * 10_000}, "usage": {"users": {"total": True}}},
        {"software": {"name": "\u202enodotsam"}, "usage": {"users": {"total": 2**53 - 1}}},
    ],
)
async def test_odd_facts_are_left_out(tmp_path: Path, document: dict[str, Any]) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = await app.meet(app.world.actor(ANN))
        nodeinfo(app, "vic.example", **document)
        await JOBS["server_facts"](app.ctx, ANN)

        found = await app.ctx.db.read(lambda r: server_facts.of(r, "vic.example", app.clock.now))
        assert found is not None
        assert found.users is None
        assert len(found.software) <= 60
        answer = await app.get(f"/people/{ann.id}")
        assert answer.status_code == 200
        assert "<b>x</b>" not in answer.text
        assert "\u202e" not in answer.text


async def test_nobody_borrows_the_facts_of_another_server(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        nodeinfo(app, "good.example")
        link = {"links": [{"rel": SCHEMA, "href": "https://good.example/nodeinfo/2.0"}]}
        app.world.serve(
            "https://vic.example/.well-known/nodeinfo",
            Answer(body=json.dumps(link).encode(), content_type="application/json"),
        )
        await app.meet(app.world.actor(ANN))
        await JOBS["server_facts"](app.ctx, ANN)

        found = await app.ctx.db.read(lambda r: server_facts.of(r, "vic.example", app.clock.now))
        assert found is not None
        assert found.software == ""


async def test_whoever_looks_like_somebody_is_marked_everywhere(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        known = await app.follow(
            app.world.actor("https://vic.example/users/marion", name="Marion <b>Lind</b>")
        )
        false = app.world.actor("https://vic.example/users/rnarion", name="Marion <b>Lind</b>")
        liar = await app.meet(false)
        await app.theirs(false)
        true = await app.get(f"/people/{known.id}")
        assert "This is not" not in texts(true)

        page = await app.get(f"/people/{liar.id}")
        shown = texts(page)
        assert "This is not @marion@vic.example , whom you follow." in shown
        assert "The address looks almost the same" in shown
        assert "The name is the same; the account is another one." in shown
        assert "<mark>rn</mark>arion@vic.example" in page.text
        assert "<mark>m</mark>arion@vic.example" in page.text
        assert "<b>Lind</b>" not in page.text
        for path in ("/notifications", f"/authorize_interaction?uri={false.uri}"):
            assert "not @marion" in texts(await app.get(path)), path
        posts = await app.ctx.db.read(lambda r: r.value("SELECT id FROM notes"))
        assert "not @marion" in texts(await app.get(f"/posts/{posts}"))

        # Followed by the owner's own choice, they are marked no longer.
        await app.follow(false)
        assert "This is not" not in texts(await app.get(f"/people/{liar.id}"))


async def test_whoever_looks_like_the_owner_is_marked(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        liar = await app.meet(app.world.actor("https://vic.example/users/maya", name="Maya"))

        assert "This is not you." in texts(await app.get(f"/people/{liar.id}"))
        stranger = await app.browser().get("/@maya")
        assert "not @" not in texts(stranger)


async def test_a_portrait_of_somebody_else_is_noticed(tmp_path: Path) -> None:
    picture = a_portrait()
    async with an_app(tmp_path) as app:
        await app.login()
        people = []
        for name in ("marion", "zed"):
            icon = f"https://vic.example/{name}.png"
            app.world.serve(icon, Answer(body=picture, content_type="image/png"))
            met = app.world.actor(
                f"https://vic.example/users/{name}", icon={"type": "Image", "url": icon}
            )
            people.append(await app.meet(met))
            if name == "marion":
                await app.follow(met)
            shown = await app.get(f"/people/{people[-1].id}")
            source = shown.text.split('class="avatar large" src="')[1].split('"')[0]
            assert (await app.get(source)).status_code == 200

        await app.ctx.db.write(lambda tx: tx.run("UPDATE familiar SET version = version + 1"))
        assert "The picture is almost the same." in texts(await app.get(f"/people/{people[1].id}"))


def a_portrait() -> bytes:
    """A picture with light and dark in it."""
    out = io.BytesIO()
    picture = Image.new("L", (90, 80))
    picture.putdata([(x // 10 * 37 + y // 10 * 59) % 7 * 36 for y in range(80) for x in range(90)])
    picture.convert("RGB").save(out, "PNG")
    return out.getvalue()


def another_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


async def again(app: App, ann: RemoteActor, **changes: Any) -> Actor:
    app.world.serve(ann.uri, ann.document(**changes))
    return await lookup.kept_actor(app.ctx, ann.uri, fresh=True)


async def test_what_changed_of_somebody_is_noted_with_its_day(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = app.world.actor(ANN)
        met = await app.meet(ann)

        async def kinds() -> list[str]:
            found = await app.ctx.db.read(lambda r: actor_events.of(r, [met.id]))
            return [one.kind for one in found]

        await again(app, ann)
        assert await kinds() == []  # seen for the first time, and the same again
        old = ann.document()["publicKey"]
        new = {"id": f"{ANN}#key-2", "owner": ANN, "publicKeyPem": another_key()}
        await again(app, ann, publicKey=[old, new])
        assert await kinds() == []  # one more
        app.clock.forward(seconds=DAY)
        await again(app, ann, publicKey=new)
        assert await kinds() == []  # the other one is left
        await again(app, ann, publicKey=old)
        assert await kinds() == ["key"]
        for number in range(30):  # neither a flood of keys nor of addresses fills the disk
            app.clock.forward(seconds=2 * DAY)
            await again(app, ann, publicKey=[old, new][number % 2])
        assert len(await kinds()) == actor_events.MAX_KEPT

        await app.login()
        await again(app, ann, movedTo="https://new.example/users/ann")
        shown = texts(await app.get(f"/people/{met.id}?show=about"))
        assert "The key of @ann@vic.example changed on" in shown
        assert "or when somebody else has taken it over: ask them in another way." in shown
        assert "they said that they have moved to https://new.example/users/ann." in shown


async def test_other_software_is_noted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = await app.meet(app.world.actor(ANN))
        for name in ("mastodon", "mastodon", "", "pleroma"):
            nodeinfo(app, "vic.example", software={"name": name, "version": "1"})
            await JOBS["server_facts"](app.ctx, ANN)
            app.clock.forward(seconds=8 * DAY)

        await app.login()
        shown = texts(await app.get(f"/people/{ann.id}?show=about"))
        assert "changed its software on 16 Dec 2026, from mastodon to pleroma." in shown
