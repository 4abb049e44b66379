"""The whole route table: what is closed stands nowhere, and no form is obeyed from elsewhere."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from PIL import Image
from starlette.routing import Mount, Route

from microfedi import imagework
from microfedi.protocol.vocab import Visibility
from microfedi.storage import circles, pins
from microfedi.storage.database import Reader
from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, PAGE, App, an_app

# Stands in whatever only some may read, and in nothing else.
MARKER = "pumpernickel"
ATOM = {"accept": "application/atom+xml"}
STREAM = "/events"  # has no end: its own tests look at it
OPEN_POSTS = {"/users/{handle}/inbox", "/inbox", "/actor/inbox"}  # signed, not from a form


@dataclass(frozen=True)
class Secrets:
    """The addresses of what is not for everybody, by the name of the path's variable part."""

    values: dict[str, list[str]]


async def keep_secrets(app: App, tmp_path: Path) -> Secrets:
    """Have closed things beside open ones: posts, a message, a received one, answers."""
    frank = app.world.actor("https://fol.example/users/frank")
    alice = app.world.actor("https://vic.example/users/alice")
    friend = await app.followed_by(frank)
    await app.follow(alice)
    drawn = tmp_path / "drawn.png"
    Image.new("RGB", (8, 8), (9, 99, 199)).save(drawn)
    picture = await imagework.reencode(drawn.read_bytes(), purpose="post")
    opened = await app.publish("An open post #bread")
    closed = await app.publish(
        f"Only for followers: {MARKER} #{MARKER} #bread",
        Visibility.FOLLOWERS,
        summary=f"About {MARKER}",
        pictures=((picture, f"A {MARKER}"),),
    )
    answer = await app.publish(
        f"A closed answer: {MARKER}", Visibility.FOLLOWERS, in_reply_to=opened.id
    )
    await app.ctx.db.write(
        lambda tx: pins.replace(tx, app.ctx.owner.actor_id, [opened.id, closed.id])
    )
    now, name = app.clock.now, f"The {MARKER}s"
    circle = await app.ctx.db.write(lambda tx: circles.create(tx, "c" * 32, name, now))
    await app.ctx.db.write(lambda tx: circles.add(tx, circle, [friend.id]))
    in_circle = await app.publish(
        f"For a circle: {MARKER} #{MARKER}", Visibility.LIMITED, circle=circle
    )
    message = await app.message([friend.id], f"Between us: {MARKER}")
    await app.theirs(
        frank,
        to=[f"{BASE_URL}/users/{HANDLE}"],
        cc=[],
        content=f"<p>A message back: {MARKER}</p>",
    )
    await app.theirs(
        alice,
        to=[f"{alice.uri}/followers"],
        cc=[f"{BASE_URL}/users/{HANDLE}"],
        inReplyTo=opened.uri,
        content=f"<p>For my followers: {MARKER} #bread</p>",
    )

    def ids(reader: Reader) -> list[str]:
        return [
            str(row["id"])
            for table in ("notes", "messages", "conversations", "actors", "circles")
            for row in reader.all(f"SELECT id FROM {table}")  # noqa: S608
        ]

    numbers = await app.ctx.db.read(ids)
    assert closed.public_id
    assert answer.public_id
    assert in_circle.public_id
    assert message.public_id
    return Secrets(
        {
            "handle": [HANDLE],
            "public_id": [
                closed.public_id,
                answer.public_id,
                in_circle.public_id,
                message.public_id,
                "c" * 32,
            ],
            "id": numbers,
            "message": numbers,
            "tag": [MARKER, "bread"],
            "token": ["none"],
            "signature": ["none"],
            "encoded": ["none"],
            "shortcode": ["none"],
            "number": ["1"],
            "kind": ["move"],
            "key": ["none"],
            "actor": numbers[-1:],
        }
    )


def addresses(app: App, secrets: Secrets, method: str) -> Iterator[tuple[str, str]]:
    """Every address of every route that takes `method`: its pattern, and it filled in."""
    for route in app.asgi.routes:
        if isinstance(route, Mount):
            continue
        assert isinstance(route, Route)
        if method not in (route.methods or {"GET"}) or route.path == STREAM:
            continue
        names = list(route.param_convertors)
        assert set(names) <= set(secrets.values), f"{route.path}: what may stand there?"
        for chosen in itertools.product(*(secrets.values[name] for name in names)):
            path = route.path
            for name, value in zip(names, chosen, strict=True):
                path = path.replace(f"{{{name}}}", value)
            yield route.path, path


def said(answer: httpx2.Response) -> str:
    """All of an answer, headers too."""
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
    return f"{headers}\n\n{answer.text}".lower()


async def test_rule_8_what_is_closed_stands_nowhere(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        secrets = await keep_secrets(app, tmp_path)
        stranger = app.world.actor("https://evil.example/users/mallory")
        await app.meet(stranger)
        found: list[str] = []
        asked = 0
        for _, path in addresses(app, secrets, "GET"):
            if MARKER in path:
                continue  # an address repeats itself in an empty page
            for query in ("", "?page=true", "?after=0&page=1", "?before=999999999"):
                for accept in (PAGE, ACTIVITY, ATOM):
                    for signer in (None, stranger):
                        answer = await app.asked_by(signer, f"{BASE_URL}{path}{query}", **accept)
                        asked += 1
                        assert answer.status_code < 500, path
                        if MARKER in said(answer):
                            found.append(f"{path}{query} {accept}")
        assert found == []
        assert asked > 500


async def test_rule_8_can_fail_for_the_owner_sees_it_all(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        secrets = await keep_secrets(app, tmp_path)
        await app.login()
        found = set()
        for pattern, path in addresses(app, secrets, "GET"):
            answer = await app.get(path)
            assert answer.status_code < 500, path
            if MARKER in answer.text:
                found.add(pattern)
        assert found >= {
            "/home",
            "/messages",
            "/messages/{id}",
            "/notifications",
            "/circles",
            "/circles/{id}",
            "/posts/{id}",
            "/posts/{id}/edit",
            "/@{handle}",
            "/@{handle}/{public_id}",
        }


async def test_rule_8_a_tag_page_of_a_closed_post_is_empty(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await keep_secrets(app, tmp_path)
        empty = await app.get("/tags/nothing")
        closed = await app.get(f"/tags/{MARKER}")
        assert closed.text.replace(MARKER, "nothing") == empty.text
        assert MARKER not in (await app.get("/tags/bread")).text


async def test_s_129_every_form_is_refused_from_elsewhere(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        secrets = await keep_secrets(app, tmp_path)
        await app.login()
        other = app.browser("192.0.2.2")
        await app.login(other)
        ours, theirs = await app.token(), await app.token("/compose", other)
        assert ours != theirs
        before = await app.rows()
        tried = set()
        for pattern, path in addresses(app, secrets, "POST"):
            if pattern in OPEN_POSTS or pattern == "/setup/{token}":
                continue
            tried.add(pattern)
            answers = {
                "no token": await app.client.post(path, data={"source": "x"}),
                "an empty token": await app.client.post(path, data={"csrf": ""}),
                "another session's": await app.client.post(path, data={"csrf": theirs}),
                "no form": await app.client.post(path, content=f"csrf={ours}"),
                "text/plain": await app.client.post(
                    path, content=f"csrf={ours}", headers={"content-type": "text/plain"}
                ),
                "json": await app.client.post(path, json={"csrf": ours}),
            }
            for name, value in (
                ("origin", "https://evil.example"),
                ("origin", "null"),
                ("origin", "http://us.example"),
                ("origin", "https://us.example.evil.example"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
            ):
                answers[f"{name}: {value}"] = await app.client.post(
                    path, data={"csrf": ours}, headers={name: value}
                )
            assert {name: a.status_code for name, a in answers.items()} == dict.fromkeys(
                answers, 403
            ), path
        assert await app.rows() == before
        assert len(tried) > 25


async def test_s_129_the_right_form_is_obeyed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        token = await app.token()
        answer = await app.client.post(
            "/compose",
            data={"csrf": token, "source": "Hello", "visibility": "public"},
            headers={"origin": BASE_URL, "sec-fetch-site": "same-origin"},
        )
        assert answer.status_code == 303


async def test_s_129_without_a_session_every_page_of_the_owner_is_closed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        secrets = await keep_secrets(app, tmp_path)
        before = await app.rows()
        closed = 0
        for method in ("GET", "HEAD", "POST"):
            for pattern, path in addresses(app, secrets, method.replace("HEAD", "GET")):
                if not _is_the_owners(pattern):
                    continue
                closed += 1
                answer = await app.client.request(method, path)
                assert answer.status_code == 303, path
                assert answer.headers["location"].startswith("/login"), path
        assert closed > 100
        assert await app.rows() == before


def _is_the_owners(pattern: str) -> bool:
    first = pattern.split("/")[1]
    return first in {
        "home", "compose", "posts", "people", "followers", "following", "messages",
        "notifications", "search", "bookmarks", "favourites", "settings", "logout",
        "authorize_interaction", "share", "circles", "follow-requests", "lists", "hashtags",
        "drafts", "scheduled", "complete", "events", "unlock", "lock",
    }  # fmt: skip


async def test_s_129_no_address_is_forgotten(tmp_path: Path) -> None:
    """Whoever adds a route says here for whom it is."""
    everybodys = {
        "", ".well-known", "nodeinfo", "robots.txt", "healthz", "favicon.ico", "inbox", "actor",
        "users", "@{handle}", "media", "about", "tags", "login", "setup", "static",
        "interact", "emojis", "manifest.webmanifest", "sw.js", "offline", "passkeys",
    }  # fmt: skip
    async with an_app(tmp_path) as app:
        for route in app.asgi.routes:
            path = route.path if isinstance(route, Route | Mount) else pytest.fail("unknown kind")
            assert _is_the_owners(path) or path.split("/")[1] in everybodys, path


async def test_s_145_every_query_parameter_takes_anything(tmp_path: Path) -> None:
    odd = [
        "'", '"', ";--", "%25", "_", "-1", "0", "9223372036854775807", "9223372036854775808",
        "1e9", "abc", "%00", "1%0d%0aX:%20y", "\u0661", "' OR 1=1 --", "1" * 5000,
    ]  # fmt: skip
    async with an_app(tmp_path) as app:
        secrets = await keep_secrets(app, tmp_path)
        await app.login()
        seen = set()
        for pattern, path in addresses(app, secrets, "GET"):
            if pattern in seen:
                continue
            seen.add(pattern)
            for value in odd:
                query = "&".join(
                    f"{name}={value}"
                    for name in ("before", "after", "page", "limit", "show", "to", "reply_to",
                                 "next", "saved", "resource", "sort", "max_id", "v")
                )  # fmt: skip
                for headers in (PAGE, ACTIVITY):
                    answer = await app.client.get(f"{path}?{query}", headers=headers)
                    assert answer.status_code < 500, f"{path}?{query}"
