"""Whatever is sent to a form or an address: an answer below 500, soon, that says what is wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.app_fixture import BASE_URL, HANDLE, an_app

SOON_S = 20.0  # a hang is found by this; everything here takes milliseconds
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "multipart/form-data; boundary=xx"

# Every form of a session that needs nothing in the database.
FORMS = (
    "/compose", "/messages/new", "/search", "/settings/profile", "/settings/preferences",
    "/settings/security/password", "/settings/security/codes", "/settings/disk",
)  # fmt: skip
FIELDS = (
    "source", "summary", "visibility", "reply_to", "alt", "picture", "sensitive", "to", "person",
    "q", "name", "bio", "field_name", "field_value", "avatar", "header", "avatar_alt",
    "time_zone", "message_policy", "discoverable", "password", "code", "new_password",
    "new_password_again", "budget_gb", "next", "remove_avatar",
)  # fmt: skip
ODD = {
    "empty": "",
    "space": "   ",
    "quotes": "'\"`;--",
    "NUL": "a\x00b",
    "controls": "\x01\x1b[31m\x7f",
    "huge number": "9" * 400,
    "negative": "-1",
    "past 64 bits": "9223372036854775808",
    "float": "1e999",
    "other digits": "\u0661\u0662",
    "bidi": "\u202e\u2066",
    "noncharacters": "\ufffe\uffff\U0010ffff",
    "emoji": "\U0001f9a6" * 300,
    "combining": "a" + "\u0301" * 3000,
    "long": "x" * 200_000,
    "lines": "\r\n\r" * 2000,
    "markdown": "[" * 3000 + "](" * 3000,
    "nested quotes": ">" * 2000 + " x",
    "mentions": "@a@b.example " * 500,
    "template": "{{ 7*7 }}{% raw %}",
    "html": "<b><i>" * 1000,
    "handle": "@" * 300 + "." * 300,
    "url": "https://" + "a." * 900 + "example/",
    "ours": f"{BASE_URL}/users/{HANDLE}",
}


async def _soon(answer: Awaitable[httpx2.Response]) -> httpx2.Response:
    async with asyncio.timeout(SOON_S):
        found = await answer
    assert found.status_code < 500, found.text
    return found


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
async def test_s_145_every_field_of_every_form_takes_anything(value: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.world.name("b.example")  # no such host
        await app.login()
        token = await app.token()
        for path in FORMS:
            everything = dict.fromkeys(FIELDS, value)
            answers = [
                await _soon(app.client.post(path, data={"csrf": token, **everything})),
                await _soon(app.client.post(path, data={"csrf": token})),
                # A file where text is expected, and text where a file is.
                await _soon(
                    app.client.post(
                        path,
                        data={"csrf": token},
                        files=[
                            (name, ("x.png", value.encode(), "image/png")) for name in FIELDS[:15]
                        ],
                    )
                ),
            ]
            for answer in answers:
                assert answer.status_code in (200, 303, 401, 413, 422, 429), path
                if answer.status_code == 422:
                    assert 'role="alert"' in answer.text or "Please correct this" in answer.text
        assert (await app.get("/home")).status_code == 200


BODIES = {
    "no boundary": ("multipart/form-data", b"--xx\r\n\r\n"),
    "empty boundary": ("multipart/form-data; boundary=", b"--\r\n"),
    "long boundary": (f"multipart/form-data; boundary={'x' * 5000}", b"--x"),
    "odd boundary": ('multipart/form-data; boundary="\xe9"', b"--x"),
    "nothing": (BOUNDARY, b""),
    "truncated": (BOUNDARY, b'--xx\r\nContent-Disposition: form-data; name="csrf"\r\n\r\nabc'),
    "no name": (BOUNDARY, b"--xx\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xx--\r\n"),
    "no headers": (BOUNDARY, b"--xx\r\n\r\nx\r\n--xx--\r\n"),
    "preamble": (BOUNDARY, b"a" * 900_000 + b"\r\n--xx--\r\n"),
    "large part header": (
        BOUNDARY,
        b'--xx\r\nContent-Disposition: form-data; name="a"; x="' + b"y" * 900_000 + b'"\r\n\r\n',
    ),
    "many part headers": (BOUNDARY, b"--xx\r\n" + b"A: b\r\n" * 100_000 + b"\r\n"),
    "odd charset": (
        BOUNDARY,
        b'--xx\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\nrot13\r\n'
        b'--xx\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\xff\xfe\r\n--xx--\r\n',
    ),
    "bad UTF-8 in multipart": (
        BOUNDARY,
        b'--xx\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\xff\xfe\r\n--xx--\r\n',
    ),
    "bad file name": (
        BOUNDARY,
        b'--xx\r\nContent-Disposition: form-data; name="a"; filename="\xff\x00"\r\n\r\n'
        b"x\r\n--xx--\r\n",
    ),
    "bad UTF-8": (FORM, b"csrf=\xff\xfe&source=%FF%FE"),
    "surrogates": (FORM, b"csrf=%ED%A0%80"),
    "bad escapes": (FORM, b"csrf=%zz%&=&==&&&;;"),
    "100,000 fields": (FORM, b"a=1&" * 100_000),
    "100,000 parts": (
        BOUNDARY,
        b'--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 15_000 + b"--xx--",
    ),
    "1,000 files": (
        BOUNDARY,
        b'--xx\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nx\r\n' * 1000
        + b"--xx--\r\n",
    ),
    "one field of 900 kB": (FORM, b"source=" + b"x" * 900_000),
}


@pytest.mark.parametrize(("kind", "body"), BODIES.values(), ids=BODIES)
async def test_s_080_a_form_that_is_none(
    kind: str, body: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        before = await app.rows()
        for path in ("/login", "/compose", "/settings/profile", "/messages/new"):
            answer = await _soon(
                app.client.post(
                    path, content=body, headers=[(b"content-type", kind.encode("latin-1"))]
                )
            )
            assert answer.status_code in (400, 403, 413, 422), path
        assert await app.rows() == before
    assert not [one for one in caplog.records if one.name.startswith("python_multipart")]


async def test_s_080_too_much_is_too_much_with_the_right_token_too(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        token = await app.token()
        fields = {f"f{n}": "x" for n in range(120)} | {"csrf": token}
        files = [("picture", (f"{n}.png", b"x", "image/png")) for n in range(17)]
        for enough in (
            await app.client.post("/settings/disk", data=fields | {"budget_gb": "7"}),
            await app.client.post(
                "/settings/disk", data={"csrf": token, "budget_gb": "7"}, files=files[:16]
            ),
        ):
            assert enough.status_code == 303
        fields |= {f"g{n}": "x" for n in range(20)}
        for too_much in (
            await app.client.post("/settings/disk", data=fields),
            await app.client.post("/settings/disk", data={"csrf": token}, files=files),
            await app.client.post("/settings/disk", data={"csrf": token, "x": "y" * 300_000}),
        ):
            assert too_much.status_code == 422
            assert "could not be read" in too_much.text


async def _endless(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65536):
        yield b"x" * 65536


@pytest.mark.parametrize("kind", [FORM, BOUNDARY, "text/plain"])
@pytest.mark.parametrize("path", ["/login", "/search", "/messages/new/draft", "/logout"])
async def test_s_069_a_form_has_a_size(path: str, kind: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        if path != "/login":
            await app.login()
        headers = {"content-type": kind}
        told = await _soon(app.client.post(path, content=b"x" * 3_000_000, headers=headers))
        chunked = await _soon(app.client.post(path, content=_endless(3_000_000), headers=headers))
        # What is no form is not read at all, and what has no length only up to its first surprise.
        assert told.status_code in ((403, 413) if kind == "text/plain" else (413, 422))
        assert chunked.status_code in ((403,) if kind == "text/plain" else (413, 422))
        if kind == FORM:
            assert told.status_code == 413
            assert "Too Large" in told.text


async def test_s_069_pictures_have_a_size_too(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for path in ("/compose", "/settings/profile"):
            field = "picture" if path == "/compose" else "avatar"
            answer = await app.post(
                path,
                {"source": "x", "visibility": "public", "name": "Maya"},
                files=[(field, ("x.png", b"\x89PNG" * 4_100_000, "image/png"))],
            )
            assert answer.status_code == 422
            assert "16 MB" in answer.text
            answer = await app.post(path, files=[("other", ("x", b"x" * 110_000_000, "image/png"))])
            assert answer.status_code == 413


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate"])
async def test_s_069_nothing_is_inflated(encoding: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.client.post(
            "/inbox",
            content=b"x" * 100,
            headers={"content-encoding": encoding, "content-type": "application/activity+json"},
        )
        assert answer.status_code == 415


WRONG = [
    ("/compose", {"source": "", "visibility": "public"}, "text"),
    ("/compose", {"source": "x" * 5001, "visibility": "public"}, "5000"),
    ("/compose", {"source": "x", "visibility": "direct"}, ""),
    ("/compose", {"source": "x", "visibility": "all"}, "choose again who may see it"),
    ("/compose", {"source": "x", "visibility": "public", "summary": "x" * 501}, "500"),
    ("/compose", {"source": "x", "visibility": "public", "reply_to": "abc"}, "whole number"),
    ("/settings/disk", {"budget_gb": "0"}, "1 to 10,000"),
    ("/settings/disk", {"budget_gb": "10001"}, "1 to 10,000"),
    ("/settings/disk", {"budget_gb": "many"}, "1 to 10,000"),
    ("/settings/preferences", {"time_zone": "Mars/Base", "message_policy": "anyone"}, "Berlin"),
    ("/settings/preferences", {"time_zone": "UTC", "message_policy": "x"}, "choose"),
    ("/settings/profile", {"name": "x" * 101}, "100"),
    ("/messages/new", {"to": "", "source": "x"}, "@name@server.example"),
    ("/messages/new", {"to": "nobody", "source": "x"}, "@name@server.example"),
    ("/messages/new", {"to": f"@{HANDLE}@us.example", "source": "x"}, "You are in every"),
    ("/search", {"q": "@what@is@this"}, "@name@server.example"),
]


@pytest.mark.parametrize(("path", "data", "words"), WRONG)
async def test_the_owner_is_told_what_was_expected(
    path: str, data: dict[str, str], words: str, tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        before = await app.rows()
        answer = await app.post(path, data)
        assert answer.status_code == 422
        assert words in answer.text
        kept = {"drafts": before["drafts"]}  # what was typed to be published is not lost
        assert await app.rows() | kept == before


async def test_hypothesis_webfinger_and_forms(tmp_path: Path) -> None:
    resource = st.one_of(
        st.text(max_size=60),
        st.sampled_from(["acct:", "https://us.example/", "@", f"acct:{HANDLE}@"]).flatmap(
            lambda start: st.text(max_size=30).map(lambda rest: start + rest)
        ),
    )
    examples: list[tuple[str, str]] = []

    @settings(
        max_examples=120,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(resource, st.text(max_size=80))
    def gather(one: str, other: str) -> None:
        examples.append((one, other))

    gather()
    async with an_app(tmp_path) as app:
        app.world.unreachable.add("93.184.216.34")
        await app.login()
        token = await app.token()
        for one, other in examples:
            quoted = {"resource": one.encode("utf-8", "replace").decode()}
            answer = await _soon(app.client.get("/.well-known/webfinger", params=quoted))
            assert answer.status_code in (200, 400, 404)
            assert answer.headers["access-control-allow-origin"] == "*"
            for path, field in (
                ("/compose", "source"),
                ("/search", "q"),
                ("/settings/profile", "bio"),
            ):
                text = other.encode("utf-8", "replace").decode()
                data = {"csrf": token, field: text, "visibility": "followers"}
                answer = await _soon(app.client.post(path, data=data))
                assert answer.status_code in (200, 303, 422)


async def test_s_147_a_form_sent_twice_in_parallel_is_done_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor("https://vic.example/users/alice")
        actor = await app.meet(alice)
        uri = await app.theirs(alice)
        await app.login()
        rows = await app.rows()
        note_id = next(row[0] for row in rows["notes"] if uri in row)
        for path in (
            f"/posts/{note_id}/favourite",
            f"/posts/{note_id}/boost",
            f"/posts/{note_id}/bookmark",
            f"/people/{actor.id}/follow",
        ):
            answers = await asyncio.gather(*(app.post(path) for _ in range(4)))
            assert {one.status_code for one in answers} == {303}
        assert await app.count("likes") == 1
        assert await app.count("announces") == 1
        assert await app.count("following") == 1
        assert await app.count("bookmarks") == 1
        assert await app.count("outgoing") == 3  # Like, Announce, Follow


@pytest.mark.parametrize(
    "text", ["a\r\nSet-Cookie: x=1", 'a"b;c', "\u00e9\u2028\U0001f9a6", "\n\nbody", "%0d%0aX: y"]
)
async def test_s_148_no_header_is_split(text: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await app.publish("Hello")
        answers = [
            await app.post("/search", {"q": f"#{text}"}),
            await app.post(f"/posts/{note.id}/bookmark", {"next": f"/home?{text}"}),
            await app.client.get("/home", params={"before": text}),
            await app.browser().get("/people/1", params={"x": text}),
            await app.client.get("/login", params={"next": f"/{text}"}),
            await app.client.get("/tags/" + httpx2.URL("/", params={"t": text}).query.decode()),
        ]
        for answer in answers:
            assert answer.status_code < 500
            assert "set-cookie" not in answer.headers
            assert "x" not in answer.headers
            for value in answer.headers.values():
                assert value.isascii()
                assert "\n" not in value
                assert "\r" not in value
