"""People of other servers find the way to their own, where they can follow and answer."""

import html
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx2
import pytest

from microfedi.config import Federation
from microfedi.protocol.vocab import Visibility
from tests.another_server import AnotherServer, Answer
from tests.app_fixture import BASE_URL, US, App, an_app, texts

SUBSCRIBE = "http://ostatus.org/schema/1.0/subscribe"
FEP = "https://w3id.org/fep/3b86/"
FROM_US = {"origin": BASE_URL, "sec-fetch-site": "same-origin"}


def finger(handle: str) -> str:
    """Where the WebFinger document of user@host lies."""
    host = handle.split("@")[1]
    return f"https://{host}/.well-known/webfinger?resource={quote('acct:' + handle, safe='')}"


def serve_home(world: AnotherServer, handle: str, *, subject: str = "", **links: str) -> None:
    """Have somebody's server offer templates, by what they are for."""
    rels = {"subscribe": SUBSCRIBE}
    document: dict[str, Any] = {
        "subject": f"acct:{subject or handle}",
        "links": [
            {"rel": rels.get(name, FEP + name), "template": template}
            for name, template in links.items()
        ],
    }
    body = json.dumps(document).encode()
    world.serve(finger(handle), Answer(body=body, content_type="application/jrd+json"))


async def send(app: App, client: httpx2.AsyncClient | None = None, **form: str) -> httpx2.Response:
    """Send the form as a browser on our page does."""
    return await (client or app.client).post("/interact", data=form, headers=FROM_US)


def led_to(answer: httpx2.Response) -> str:
    """The link that a visitor is given; "" if there is none."""
    found = re.search(r'<a class="button primary" href="([^"]*)"', answer.text)
    return html.unescape(found[1]) if found else ""


async def test_a_visitor_follows_from_their_own_server(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        serve_home(
            app.world,
            "bob@vic.example",
            subscribe="https://vic.example/authorize_interaction?uri={uri}",
        )

        answer = await send(app, wish="follow", handle="@bob@vic.example")

        assert answer.status_code == 200
        assert led_to(answer) == ("https://vic.example/authorize_interaction?uri=maya%40us.example")
        assert "Continue at vic.example" in texts(answer)
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
        [request] = app.world.requests
        assert request.url == finger("bob@vic.example")
        assert "signature" not in request.headers


ALL = {
    "subscribe": "https://vic.example/s?uri={uri}",
    "Object": "https://vic.example/o?id={object}",
    "Follow": "https://vic.example/f?id={object}&then={on-success}",
    "Like": "https://vic.example/l?id={object}",
    "Announce": "https://vic.example/a?id={object}",
    "Create": "https://vic.example/c?to={inReplyTo}&text={content}",
}


@pytest.mark.parametrize(
    ("wish", "missing", "expected"),
    [
        ("follow", (), "https://vic.example/f?id=US&then="),
        ("follow", ("Follow",), "https://vic.example/s?uri=maya%40us.example"),
        ("follow", ("Follow", "subscribe"), "https://vic.example/o?id=US"),
        ("open", (), "https://vic.example/o?id=POST"),
        ("open", ("Object",), "https://vic.example/s?uri=POST"),
        ("favourite", (), "https://vic.example/l?id=POST"),
        ("favourite", ("Like",), "https://vic.example/o?id=POST"),
        ("boost", (), "https://vic.example/a?id=POST"),
        ("boost", ("Announce", "Object"), "https://vic.example/s?uri=POST"),
        ("reply", (), "https://vic.example/c?to=POST&text="),
        ("reply", ("Create",), "https://vic.example/o?id=POST"),
        ("reply", tuple(ALL), ""),
    ],
)
async def test_each_wish_has_its_best_way(
    wish: str, missing: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        links = {name: template for name, template in ALL.items() if name not in missing}
        serve_home(app.world, "bob@vic.example", **links)
        post = "" if wish == "follow" else note.public_id or ""

        answer = await send(app, wish=wish, handle="bob@vic.example", post=post)

        # Ours first: a random id may hold these letters.
        written = expected.replace("US", quote(US, safe=""))
        assert led_to(answer) == written.replace("POST", quote(note.uri, safe=""))


async def test_a_share_box_without_a_parent_is_no_way_to_reply(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        serve_home(
            app.world,
            "bob@vic.example",
            Create="https://vic.example/share?text={content}",
            subscribe="https://vic.example/s?uri={uri}",
        )
        answer = await send(app, wish="reply", handle="bob@vic.example", post=note.public_id or "")
        assert urlsplit(led_to(answer)).path == "/s"
        assert parse_qs(urlsplit(led_to(answer)).query) == {"uri": [note.uri]}


async def test_a_handle_at_ones_own_domain_leads_to_the_server_behind_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        # One answers with a redirect, the other with a copy of what the server says.
        app.world.redirect(
            finger("bob@bob.example"),
            "https://social.example/.well-known/webfinger?resource=acct:bob@bob.example",
        )
        document = {
            "subject": "acct:bob@bob.example",
            "links": [{"rel": SUBSCRIBE, "template": "https://social.example/s?{uri}"}],
        }
        jrd = Answer(body=json.dumps(document).encode(), content_type="application/jrd+json")
        app.world.serve(
            "https://social.example/.well-known/webfinger?resource=acct:bob@bob.example", jrd
        )
        template = "https://social.example/s?uri={uri}"
        serve_home(app.world, "eve@eve.example", subject="eve@social.example", subscribe=template)
        serve_home(app.world, "eve@social.example", subscribe=template)

        redirected = await send(app, wish="follow", handle="bob@bob.example")
        copied = await send(app, wish="follow", handle="eve@eve.example")

        assert led_to(redirected) == "https://social.example/s?maya%40us.example"
        assert led_to(copied) == "https://social.example/s?uri=maya%40us.example"


async def test_the_address_of_a_profile_will_do(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        serve_home(app.world, "bob@vic.example", subscribe="https://vic.example/s?uri={uri}")
        for typed in (
            "https://vic.example/@bob",
            "https://vic.example/users/bob",
            "BOB@Vic.Example",
        ):
            serve_home(app.world, "BOB@vic.example", subscribe="https://vic.example/s?uri={uri}")
            answer = await send(app, wish="follow", handle=typed)
            assert led_to(answer).startswith("https://vic.example/s?"), typed


async def test_who_offers_nothing_is_told_how_to_do_it_by_hand(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        serve_home(app.world, "bob@vic.example")
        gone = await send(app, wish="follow", handle="bob@gone.example")
        nothing = await send(app, wish="boost", handle="bob@vic.example", post=note.public_id or "")
        for answer, shown in ((gone, "@maya@us.example"), (nothing, note.url or "")):
            assert answer.status_code == 200
            assert led_to(answer) == ""
            assert "By hand" in texts(answer)
            assert f'value="{shown}" readonly' in answer.text


@pytest.mark.parametrize(
    "typed", ["", "bob", "@bob", "maya@us.example", "bob@", "bob@b.example@c.example", "x" * 600]
)
async def test_what_is_no_address_is_asked_for_again(typed: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await send(app, wish="follow", handle=typed)
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
        assert app.world.requests == []


async def test_an_answer_is_remembered_for_an_hour(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        serve_home(app.world, "bob@vic.example", subscribe="https://vic.example/s?uri={uri}")
        for _ in range(20):
            assert led_to(await send(app, wish="follow", handle="bob@vic.example"))
        assert len(app.world.requests) == 1
        app.clock.forward(minutes=61)
        assert led_to(await send(app, wish="follow", handle="bob@vic.example"))
        assert len(app.world.requests) == 2


async def test_looking_at_the_form_asks_nobody(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        assert (await app.get("/interact?handle=bob@vic.example&wish=follow")).status_code == 200
        answer = await app.get(f"/interact?post={note.public_id}")
        assert f'name="post" value="{note.public_id}"' in answer.text
        assert app.world.requests == []


async def test_closed_posts_have_no_such_form(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        serve_home(app.world, "bob@vic.example", **ALL)
        for post in (closed.public_id or "", "no-such-post"):
            assert (await app.get(f"/interact?post={post}")).status_code == 404
            answer = await send(app, wish="open", handle="bob@vic.example", post=post)
            assert answer.status_code == 404
        assert app.world.requests == []


async def test_the_form_stands_where_strangers_look(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        pages = ["/@maya", f"/@maya/{note.public_id}"]
        for path in pages:
            answer = await app.get(path)
            assert 'action="/interact"' in answer.text
            assert "set-cookie" not in answer.headers
        await app.login()
        for path in pages:
            assert 'action="/interact"' not in (await app.get(path)).text


async def test_a_server_that_speaks_with_nobody_has_no_such_form(tmp_path: Path) -> None:
    async with an_app(tmp_path, federation=Federation(mode="closed")) as app:
        note = await app.publish("Hello")
        for path in ("/@maya", f"/@maya/{note.public_id}"):
            assert 'action="/interact"' not in (await app.get(path)).text
        assert (await app.get("/interact")).status_code == 404
        assert (await send(app, wish="follow", handle="bob@vic.example")).status_code == 404
