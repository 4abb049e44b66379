"""The owner comes from elsewhere: to follow, favourite, boost, answer and share."""

import html
import re
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from microfedi.storage import following, marks
from microfedi.storage import notes as note_storage
from tests.app_fixture import BASE_URL, HANDLE, PASSWORD, US, App, an_app, texts

ALICE = "https://vic.example/users/alice"
BACK = "https://vic.example/thanks?for=1&all=2"


def links(answer: httpx2.Response) -> list[str]:
    """Where the links of a page lead that lead away from here."""
    found = re.findall(r'<a [^>]*href="(https?:[^"]*)"', answer.text)
    return [html.unescape(one) for one in found]


def here(**parameters: str) -> str:
    """The address that another server's page sends the owner to."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    return f"/authorize_interaction?{query}"


async def follows(app: App) -> bool:
    """Whether the owner has asked to follow anybody."""
    return bool(await app.ctx.db.read(following.count)) or await app.count("following") > 0


@pytest.mark.parametrize(
    "parameters",
    [
        {"uri": ALICE},
        {"uri": "alice@vic.example"},
        {"uri": "acct:alice@vic.example"},
        {"uri": "@alice@vic.example"},
        {"acct": "alice@vic.example"},
        {"acct": "acct:alice@vic.example"},
        {"intent": "Follow", "uri": ALICE, "on-success": "{on-success}", "on-cancel": ""},
    ],
)
async def test_the_owner_follows_whom_they_were_sent_for(
    parameters: dict[str, str], tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        app.world.actor(ALICE)
        await app.login()

        shown = await app.get(here(**parameters))

        assert shown.status_code == 200
        assert "@alice@vic.example" in texts(shown)
        assert not await follows(app)
        action = re.search(r'action="(/people/\d+/follow)"', shown.text)
        target = re.search(r'name="next" value="([^"]*)"', shown.text)
        assert action
        assert target
        done = await app.post(action[1], {"next": html.unescape(target[1])})
        assert done.status_code == 303
        assert done.headers["location"] == here(**parameters)
        assert await follows(app)
        after = await app.get(done.headers["location"])
        assert "You asked to follow @alice@vic.example." in texts(after)


async def test_without_a_session_the_login_leads_back_here(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.world.actor(ALICE)
        wanted = here(intent="Follow", uri=ALICE, **{"on-success": BACK})

        first = await app.get(wanted)
        assert first.status_code == 303
        assert app.world.requests == []
        login = await app.get(first.headers["location"])
        target = re.search(r'name="next" value="([^"]*)"', login.text)
        assert target
        app.clock.forward(seconds=30)
        answer = await app.client.post(
            "/login",
            data={
                "csrf": await app.token("/login"),
                "password": PASSWORD,
                "code": app.code(),
                "next": html.unescape(target[1]),
            },
        )

        assert answer.headers["location"] == wanted


async def test_nothing_happens_by_coming_here(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.meet(alice)
        uri = await app.theirs(alice)
        await app.login()
        await app.get(here(uri=ALICE))  # her server will be asked what it is, by a job
        before = await app.rows()
        for intent in ("Follow", "Like", "Announce", "Undo", ""):
            for wanted in (ALICE, uri):
                address = here(intent=intent, uri=wanted, **{"on-success": BACK, "do": "1"})
                assert (await app.get(address)).status_code == 200
                assert (await app.post(address, {})).status_code == 405
        for address in ("/share?text=Hello&url=https://vic.example/", "/share/done?on-success=x"):
            assert (await app.get(address)).status_code == 200
            assert (await app.post(address, {})).status_code == 405
        assert await app.rows() == before


@pytest.mark.parametrize(
    ("intent", "action", "said"),
    [
        ("Like", "favourite", "This is one of your favourites now."),
        ("Announce", "boost", "You boosted this."),
    ],
)
async def test_the_owner_does_what_they_came_for_and_is_shown_the_way_back(
    intent: str, action: str, said: str, tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        uri = await app.theirs(app.world.actor(ALICE), content="<p>Bread is done</p>")
        note = await app.ctx.db.read(lambda r: note_storage.by_uri(r, uri))
        assert note is not None
        await app.login()
        wanted = here(
            intent=intent,
            uri=uri,
            **{"on-success": BACK, "on-cancel": "https://vic.example/never-mind"},
        )

        before = await app.get(wanted)
        assert "Bread is done" in texts(before)
        assert f'formaction="/posts/{note.id}/{action}"' in before.text
        assert "https://vic.example/never-mind" in links(before)
        assert BACK not in links(before)
        done = await app.post(f"/posts/{note.id}/{action}", {"next": wanted})
        after = await app.get(done.headers["location"])

        assert done.headers["location"] == f"{wanted}#n{note.id}"
        assert said in texts(after)
        assert BACK in links(after)
        assert "https://vic.example/never-mind" not in links(after)
        assert BACK in texts(after)  # where it leads can be read
        if intent == "Like":
            liked = await app.ctx.db.read(
                lambda r: marks.of_notes(r, app.ctx.owner.actor_id, {note.id}).favourites
            )
            assert liked == {note.id}


async def test_a_window_that_was_opened_for_this_can_be_closed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.follow(app.world.actor(ALICE))
        await app.login()
        answer = await app.get(here(intent="Follow", uri=ALICE, **{"on-success": "(close)"}))
        assert "You follow @alice@vic.example." in texts(answer)
        assert "You can close this window." in texts(answer)


async def test_s_095_the_way_back_is_a_plain_web_address_or_none(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.follow(app.world.actor(ALICE))
        await app.login()
        for evil in (
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "//evil.example/",
            "/\\evil.example",
            "http://evil.example/",
            "https://vic.example@evil.example/",
            "https://evil.example\\@vic.example/",
            "https://evil.example/\r\nSet-Cookie: a=b",
            "https://evil.example/" + "x" * 3000,
            "(close);https://evil.example/",
        ):
            for page in (
                here(intent="Follow", uri=ALICE, **{"on-success": evil}),
                here(intent="Follow", uri="https://vic.example/none", **{"on-cancel": evil}),
                f"/share/done?on-success={quote(evil, safe='')}",
            ):
                answer = await app.get(page)
                assert answer.status_code in (200, 422)
                assert links(answer) in ([], ["https://vic.example/users/alice"]), evil
                assert "location" not in answer.headers
                assert "set-cookie" not in answer.headers


async def test_s_145_every_parameter_takes_anything(tmp_path: Path) -> None:
    odd = [
        "'", '"', ";--", "%25", "%00", "1%0d%0aX:%20y", "%ff%fe", "\u0661", "{object}", "{{7*7}}",
        "%F0%9F%8D%9E", "acct:", "acct:@", "@@", "https://", "https://vic.example:99999/",
        "https://us.example/posts/9223372036854775808", "1" * 5000,
    ]  # fmt: skip
    async with an_app(tmp_path) as app:
        await app.login()
        for page, names in (
            ("/authorize_interaction", ("uri", "acct", "intent", "on-success", "on-cancel")),
            ("/share", ("text", "content", "title", "name", "url", "summary", "inReplyTo")),
            ("/share/done", ("on-success", "on-cancel")),
            ("/interact", ("post", "handle", "wish")),
            ("/settings/discovery", ("saved",)),
        ):
            for value in odd:
                query = "&".join(f"{name}={value}" for name in names)
                answer = await app.get(f"{page}?{query}")
                assert answer.status_code in (200, 404, 422), f"{page}?{query}"


async def test_what_is_not_found_is_said(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for wanted in ("https://vic.example/none", "nobody@vic.example", "nonsense", "", "{uri}"):
            answer = await app.get(here(uri=wanted))
            assert answer.status_code == 422, wanted
            assert "Not found" in texts(answer)
        evil = await app.get(here(uri='"><script>alert(1)</script>'))
        assert "<script>alert" not in evil.text


async def test_one_comes_by_oneself(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("My own words")
        await app.login()
        for wanted in (US, f"{BASE_URL}/@{HANDLE}", f"{HANDLE}@us.example"):
            assert "This is you." in texts(await app.get(here(uri=wanted)))
        assert "My own words" in texts(await app.get(here(uri=note.uri)))


async def box(app: App, query: str) -> tuple[httpx2.Response, str]:
    """Open the share page; return it with what stands in the box."""
    answer = await app.get(f"/share?{query}")
    found = re.search(r'(?s)<textarea[^>]* name="source"[^>]*>\n(.*?)</textarea>', answer.text)
    assert found, answer.status_code
    return answer, html.unescape(found[1])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("text=Look%20at%20this", "Look at this"),
        (
            "title=A%20page&text=Good%20one&url=https%3A%2F%2Fvic.example%2F1",
            "A page\n\nGood one\n\nhttps://vic.example/1",
        ),
        ("text=See+https://vic.example/1&url=https://vic.example/1", "See https://vic.example/1"),
        ("name=A+page&content=Good%0D%0Aone", "A page\n\nGood\none"),
        ("content=%7Bcontent%7D&name=%7Bname%7D", ""),
        ("text=a%00b%1bc", "abc"),
        ("", ""),
        ("text=%3C%2Ftextarea%3E%3Cscript%3E", "</textarea><script>"),
    ],
)
async def test_what_is_shared_stands_in_the_box(query: str, expected: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        answer, text = await box(app, query)
        assert answer.status_code == 200
        assert text == expected
        assert await app.count("notes") == 0


async def test_a_long_text_survives_the_login(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        text = "Längere Worte & mehr. " * 100
        wanted = f"/share?text={quote(text)}"
        first = await app.get(wanted)
        login = await app.get(first.headers["location"])
        target = re.search(r'name="next" value="([^"]*)"', login.text)
        assert target
        assert html.unescape(target[1]) == wanted


async def test_an_answer_is_written_to_what_it_answers(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        uri = await app.theirs(app.world.actor(ALICE), content="<p>Bread is done</p>")
        note = await app.ctx.db.read(lambda r: note_storage.by_uri(r, uri))
        assert note is not None
        await app.login()
        answer, text = await box(
            app, f"inReplyTo={quote(uri, safe='')}&content=Yum&summary=Food&on-success={BACK[:27]}"
        )
        assert "Bread is done" in texts(answer)
        assert f'name="reply_to" value="{note.id}"' in answer.text
        assert text == "@alice@vic.example Yum"
        assert 'name="summary" value="Food"' in answer.text
        missing, text = await box(app, "inReplyTo=https%3A%2F%2Fvic.example%2Fnone&content=Yum")
        assert missing.status_code == 422
        assert "was not found" in texts(missing)
        assert text == "Yum"


async def test_after_sharing_the_way_back_is_shown(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        answer, text = await box(app, f"text=Hello&on-success={quote(BACK, safe='')}")
        field = re.search(r'name="on_success" value="([^"]*)"', answer.text)
        assert field
        done = await app.post(
            "/compose",
            {"source": text, "visibility": "public", "on_success": html.unescape(field[1])},
        )
        assert done.status_code == 303
        assert done.headers["location"].startswith("/share/done?")
        after = await app.get(done.headers["location"])
        assert "Your post is out." in texts(after)
        assert links(after) == [BACK]
        assert await app.count("notes") == 1
