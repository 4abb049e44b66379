"""There is no OAuth and no client API: nothing of it answers, and no token opens anything.

What clients of other servers ask for is asked for here as they do. The day there is one, these
tests fail, and the rows S-135 to S-141 are to be tested as they are written.
"""

import itertools
from pathlib import Path
from typing import Any

import httpx2
import pytest

from microfedi.storage.database import Reader
from tests.app_fixture import HANDLE, PAGE, US, App, an_app
from tests.web.test_events import at_once, listening

__all__ = ["at_once"]  # a fixture

CALLBACK = "https://client.example/callback"
JSON = {"accept": "application/json"}
TOKENS = ("token", "Zm9v", "0" * 64, "")
API = (
    "/api/v1/instance", "/api/v2/instance", "/api/v1/accounts/verify_credentials",
    "/api/v1/accounts/1", "/api/v1/accounts/1/statuses", "/api/v1/statuses/1",
    "/api/v1/timelines/home", "/api/v1/timelines/public", "/api/v1/timelines/direct",
    "/api/v1/conversations", "/api/v1/notifications", "/api/v1/markers", "/api/v1/lists",
    "/api/v1/streaming", "/api/v1/streaming/health", "/api/v1/streaming/user",
    "/api/v1/streaming/direct", "/api/v2/search?q=a", "/api/v2/media", "/api/v1/media/1",
    "/api/v1/apps", "/api/v1/apps/verify_credentials", "/api/v1/push/subscription", "/api/oembed",
    "/api/pleroma/captcha", "/api/i", "/api/meta", "/api/notes/timeline", "/graphql",
)  # fmt: skip
OAUTH = (
    "/oauth/authorize", "/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/userinfo",
    "/oauth/authorize/native", "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration", "/auth/sign_in", "/auth/authorize", "/auth/token",
    "/indieauth", "/miauth/0", "/token", "/introspect", "/revoke",
)  # fmt: skip


def nothing(answer: httpx2.Response) -> bool:
    """True of an answer that leads nowhere, gives nothing, and lets no other site read it."""
    return (
        answer.status_code in (403, 404, 405)
        and "location" not in answer.headers
        and not any(name.startswith("access-control-") for name in answer.headers)
        and "set-cookie" not in answer.headers
        and "access_token" not in answer.text
    )


async def asked(app: App, path: str, **parts: Any) -> list[httpx2.Response]:
    """A path in every way a client may ask for it: by a stranger, and by the owner's browser."""
    return [
        await client.request(method, path, **({"headers": headers} | parts))
        for client in (app.browser(), app.client)
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
        for headers in (PAGE, JSON)
    ]


@pytest.mark.parametrize(
    "redirects",
    [
        [CALLBACK], [f"{CALLBACK}/more"], ["https://client.example:444/callback"],
        ["HTTPS://CLIENT.example/callback"], [f"{CALLBACK}#x"],
        ["https://u:p@client.example/callback"], ["https://client.example/a/../callback"],
        ["https://evil.example/"], [], [CALLBACK, "https://evil.example/"],
        ["urn:ietf:wg:oauth:2.0:oob"], ["javascript:alert(1)"], ["/home"],
    ],
)  # fmt: skip
async def test_s_135_no_redirect_uri_is_followed(redirects: list[str], tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        asking = {"response_type": "code", "client_id": "1", "scope": "read write"}
        params = httpx2.QueryParams(asking | {"redirect_uri": redirects})
        for path in ("/oauth/authorize", "/auth/authorize", "/indieauth"):
            answers = await asked(app, path, params=params)
            assert [one.url for one in answers if not nothing(one)] == []
            assert not any('="https://client.example' in one.text for one in answers)  # no link
        # Nor does what the owner has carry somebody there.
        for path in ("/login", "/home", "/share", "/authorize_interaction"):
            answer = await app.client.get(path, params=params)
            assert "client.example" not in answer.headers.get("location", ""), path


@pytest.mark.parametrize(
    "grant",
    [
        {"grant_type": "authorization_code", "code": "1", "redirect_uri": CALLBACK},
        {"grant_type": "authorization_code", "code": "1", "code_verifier": "v" * 43},
        {"grant_type": "authorization_code", "code": "1", "code_challenge_method": "plain"},
        {"grant_type": "password", "username": HANDLE, "password": "PASSWORD"},
        {"grant_type": "client_credentials", "scope": "read write admin"},
        {"grant_type": "refresh_token", "refresh_token": "1"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "1"},
    ],
)
async def test_s_137_no_code_and_no_password_makes_a_token(
    grant: dict[str, str], tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        token = await app.token()
        before = await app.rows()
        for path in OAUTH:
            data = grant | {"client_id": "1", "client_secret": "1", "csrf": token}
            for client in (app.browser(), app.client):
                assert nothing(await client.post(path, data=data)), path
                assert nothing(await client.post(path, json=data)), path
        assert await app.rows() == before


async def test_s_139_nothing_is_agreed_to_by_a_link_or_in_a_frame(tmp_path: Path) -> None:
    """What asks the owner for leave is a form with a token, and no page of ours stands in another.

    That every form is refused without one is S-129's.
    """
    async with an_app(tmp_path) as app:
        ann = app.world.actor("https://vic.example/users/ann")
        uri = await app.theirs(ann)
        await app.login()
        for path in OAUTH:
            query = "?response_type=code&client_id=1&redirect_uri=" + CALLBACK
            assert [one.url for one in await asked(app, path + query) if not nothing(one)] == []
        # Pages that other sites lead to, and what they would do by themselves if anything did.
        before = await app.rows()
        pages = [
            f"/authorize_interaction?uri={uri}", "/authorize_interaction?uri=acct:ann@vic.example",
            "/share?text=Hello", "/compose?text=Hello", "/settings/consent", "/follow-requests",
            "/messages/requests", "/settings/moving", "/settings/delete", "/settings/security",
        ]  # fmt: skip
        elsewhere = {"referer": "https://evil.example/", "sec-fetch-site": "cross-site"}
        for path in pages:
            answer = await app.client.get(path, headers=elsewhere, follow_redirects=True)
            assert answer.status_code == 200, path
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
            forms = answer.text.count("<form")
            posts = answer.text.count('method="post"')
            assert forms >= posts > 0, path
            assert answer.text.count('name="csrf"') >= posts, path
        after = await app.rows()
        assert {name for name in after if after[name] != before[name]} <= _ABOUT


# A page may note that it was looked at, and have more asked about whoever stands on it.
_ABOUT = {"sessions", "actors", "jobs"}


@pytest.mark.parametrize("path", [*API, *OAUTH])
async def test_s_140_no_endpoint_of_a_client_answers(path: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        assert [one.url for one in await asked(app, path) if not nothing(one)] == []


async def test_s_140_a_bearer_token_opens_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        stranger = app.browser()
        for token in (*TOKENS, *app.client.cookies.values(), HANDLE):
            for scheme in ("Bearer", "bearer", "Token", "Basic"):
                headers = {"authorization": f"{scheme} {token}"}
                for path in ("/home", "/messages", "/events", "/settings/security"):
                    answer = await stranger.get(path, headers=headers)
                    assert answer.status_code == 303, path
                    assert answer.headers["location"].startswith("/login"), path
            for name in ("access_token", "token", "i", "session"):
                answer = await stranger.get("/home", params={name: token})
                assert answer.headers["location"].startswith("/login"), name
            subprotocol = {"sec-websocket-protocol": token or "x", "upgrade": "websocket"}
            answer = await stranger.get("/api/v1/streaming", headers=subprotocol)
            assert nothing(answer)
        # The same cookie, as a cookie, does open it: the test can fail.
        assert (await app.client.get("/messages")).status_code == 200


async def test_s_140_a_stream_ends_at_once_with_its_session_and_no_other(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        other = app.browser("192.0.2.2")
        await app.login(other)
        await app.login()
        async with listening(app) as ours, listening(app, client=other) as theirs:
            await ours.next()
            await theirs.next()
            await app.post("/logout", client=other)
            await theirs.next("event: end")
            await theirs.end()
            before = theirs.text
            ann = app.world.actor("https://vic.example/users/ann")
            await app.theirs(ann)
            assert (await ours.next())["notifications"] == 1
            assert theirs.text == before
            assert not ours.is_over
        answer = await other.get("/events")
        assert answer.status_code == 303


async def test_s_141_what_others_wrote_is_neither_edited_nor_deleted_nor_pinned(
    tmp_path: Path,
) -> None:
    """By its number here, which is all that a form of the owner's names."""
    async with an_app(tmp_path) as app:
        ann = app.world.actor("https://vic.example/users/ann")
        await app.follow(ann)
        opened = await app.theirs(ann, content="<p>theirs</p>")
        closed = await app.theirs(
            ann, to=[f"{ann.uri}/followers"], cc=[], tag=[], content="<p>pumpernickel</p>"
        )
        own = await app.publish("mine")
        await app.login()

        def numbers(reader: Reader) -> list[int]:
            return [
                row["id"]
                for row in reader.all(
                    "SELECT id FROM notes WHERE uri IN (:one, :two)", {"one": opened, "two": closed}
                )
            ]

        theirs = await app.ctx.db.read(numbers)
        assert len(theirs) == 2
        before = await app.rows()
        bad = [*theirs, 0, -1, 2**63 - 1, 2**63, "1e3", "%00", "me"]
        for number, what in itertools.product(
            bad, ("edit", "delete", "redraft", "pin", "unpin", "receipt", "history")
        ):
            answer = await app.client.get(f"/posts/{number}/{what}", follow_redirects=True)
            if what == "history" and number in theirs:
                assert answer.status_code == 200  # how it read before may be looked at
            else:
                assert answer.status_code in (404, 405), (number, what)
                assert "pumpernickel" not in answer.text
            form = {"source": "mine now", "visibility": "public"}
            answer = await app.post(f"/posts/{number}/{what}", form)
            assert answer.status_code in (404, 405, 422), (number, what)
        assert await app.rows() == before
        # The owner's own goes through all of these: the test can fail.
        assert (await app.get(f"/posts/{own.id}/edit")).status_code == 200
        assert (await app.post(f"/posts/{own.id}/pin")).status_code == 303


PREFERENCES = {"time_zone": "UTC", "language": "", "message_policy": "anyone"}


async def test_s_141_fields_that_no_form_has_change_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        ann = app.world.actor("https://vic.example/users/ann")
        met = await app.meet(ann)
        own = await app.publish("mine")
        await app.login()
        more = {
            "id": "99", "actor_id": str(met.id), "author": ann.uri, "attributedTo": ann.uri,
            "acct": "root", "handle": "root", "username": "root", "uri": f"{US}/notes/x",
            "public_id": "x" * 22, "url": "https://evil.example/", "created_at": "2001-01-01",
            "published_at": "2001-01-01T00:00:00Z", "published": "2001-01-01T00:00:00Z",
            "locked": "1", "is_admin": "1", "role": "owner", "state": "accepted",
            "password_hash": "x", "totp_secret": "x", "private_key": "x", "likes": "1000",
        }  # fmt: skip
        before = await app.rows()
        answer = await app.post("/compose", {"source": "a new one", "visibility": "public"} | more)
        assert answer.status_code == 303
        answer = await app.post(f"/posts/{own.id}/edit", {"source": "mine, edited"} | more)
        assert answer.status_code == 303
        after = await app.rows()
        columns = await app.ctx.db.read(
            lambda reader: [row["name"] for row in reader.all("PRAGMA table_info(notes)")]
        )
        kept = [dict(zip(columns, row, strict=True)) for row in after["notes"]]
        assert len(kept) == 2
        for note in kept:
            assert note["actor_id"] == app.ctx.owner.actor_id
            assert note["uri"].startswith(f"{US}/")
            assert note["id"] != 99
            assert note["public_id"] != "x" * 22
            assert note["published_at"].startswith("2026-11-22")
            assert note["likes"] == 0
            assert "evil.example" not in str(note)
        answer = await app.post("/settings/preferences", PREFERENCES | more)
        assert answer.status_code == 303
        last = await app.rows()
        for table in ("followers", "following", "passkeys", "recovery_codes", "sessions"):
            assert [row[:1] for row in last[table]] == [row[:1] for row in before[table]], table
        assert app.ctx.owner.handle == HANDLE
        assert (await app.asked_by(None, US)).json()["preferredUsername"] == HANDLE
