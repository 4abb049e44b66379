"""What others wrote, and what the owner typed, as the pages show it; and what every answer says.

The sanitiser has its own tests in test_html.py: these ask whether every page uses it.
"""

import logging
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from microfedi.errors import ConfigError
from microfedi.federation import start
from microfedi.protocol.vocab import Visibility
from microfedi.storage.database import Reader
from tests.another_server import RemoteActor
from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, PASSWORD, US, App, an_app

EVIL = '<script>alert("xss")</script><img src=x onerror=alert(1)>'
LITERAL = '"><svg/onload=alert(2)>{{7*7}}{% include "layout.html" %}]]>&lt;b&gt;'

# What our own pages are made of. Whatever else stands on one was let in.
TAGS = {
    tag
    for line in (
        "html head meta title link script body a div span nav ul ol li main header footer form",
        "input button label select option textarea details summary p b br svg use article time bdi",
        "data section h1 h2 h3 fieldset legend table tbody tr th td meter figure figcaption img",
        "video audio dl dt dd em strong i u s del ins code pre blockquote small sub sup ruby rt rp",
        "kbd hr template circle",
    )
    for tag in line.split()
}


class Markup(HTMLParser):
    """A page as a browser reads it: elements with their attributes, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.shown = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.shown += data

    def problems(self) -> list[str]:
        """Everything that must not stand on a page of ours, whoever wrote it."""
        found = []
        for tag, attrs in self.elements:
            if tag not in TAGS:
                found.append(f"<{tag}>")
            if tag == "script" and not attrs.get("src", "").startswith("/static/"):
                found.append("inline script")
            for name, value in attrs.items():
                if name.startswith("on") or name in ("style", "srcdoc"):
                    found.append(f"<{tag} {name}={value}>")
                if name in ("action", "formaction") and not value.startswith("/"):
                    found.append(f"<{tag} {name}={value}>")
                clean = "".join(value.split()).lower()
                if name in ("href", "src", "action", "formaction", "poster") and clean.startswith(
                    ("javascript:", "data:", "vbscript:", "blob:", "//", "file:")
                ):
                    found.append(f"<{tag} {name}={value}>")
                if name == "src" and not value.startswith(("/", BASE_URL)):
                    found.append(f"<{tag} {name}={value}>")
        return found


async def pages_of(app: App) -> dict[str, str]:
    """Every page of the owner's on which something of others stands."""

    def ids(reader: Reader) -> list[str]:
        return [
            *(f"/posts/{row['id']}" for row in reader.all("SELECT id FROM notes")),
            *(f"/compose?reply_to={row['id']}" for row in reader.all("SELECT id FROM notes")),
            *(f"/people/{row['id']}" for row in reader.all("SELECT id FROM actors")),
            *(f"/messages/{row['id']}" for row in reader.all("SELECT id FROM conversations")),
            *(f"/messages/new?to={row['id']}" for row in reader.all("SELECT id FROM actors")),
        ]

    paths = await app.ctx.db.read(ids)
    paths += ["/home", "/notifications", "/messages", "/followers", "/following", "/bookmarks"]
    pages = {}
    for path in paths:
        answer = await app.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, path
        pages[path] = answer.text
    return pages


async def hostile(app: App, **changes: object) -> RemoteActor:
    """Mallory, followed by the owner and following, with a document of her own making."""
    mallory = app.world.actor("https://evil.example/users/mallory", **changes)
    await app.followed_by(mallory)
    await app.follow(mallory)
    return mallory


async def test_s_085_active_content_reaches_no_page(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        mallory = await hostile(app)
        content = (
            f"<p>harmless start</p>{EVIL}<iframe src=https://evil.example></iframe>"
            "<object data=x></object><embed src=x><form action=https://evil.example>"
            "<input type=password name=p><button formaction=https://evil.example>go</button></form>"
            '<meta http-equiv="refresh" content="0;url=https://evil.example">'
            "<base href=https://evil.example/><link rel=stylesheet href=https://evil.example/c>"
            "<video src=x onloadstart=alert(1)></video><audio src=x oncanplay=alert(1)></audio>"
            '<p style="position:fixed">x</p><svg><script>alert(1)</script></svg>'
            "<math><mtext></table><mglyph><style><img src=x onerror=alert(1)>"
        )
        await app.theirs(mallory, content=content)
        await app.theirs(mallory, content=content, to=[US], cc=[])
        await app.login()
        pages = await pages_of(app)
        assert {p: found for p, html in pages.items() if (found := Markup(html).problems())} == {}
        assert "harmless start" in pages["/home"]
        assert "evil.example/c" not in "".join(pages.values())
        forms = [attrs for tag, attrs in Markup(pages["/home"]).elements if tag == "form"]
        assert forms
        assert all(form.get("action", "/").startswith("/") for form in forms)


async def test_s_086_only_http_addresses_can_be_clicked(tmp_path: Path) -> None:
    bad = [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", " javascript:a()",
        "data:text/html,<script>alert(1)</script>", "vbscript:x", "blob:https://evil.example/1",
        "java&#x09;script:alert(1)", "&#106;avascript:alert(1)", "//evil.example/x",
    ]  # fmt: skip
    async with an_app(tmp_path) as app:
        fields = [
            {"type": "PropertyValue", "name": f"f{n}", "value": f'<a href="{url}">link</a>'}
            for n, url in enumerate(bad)
        ]
        mallory = await hostile(
            app,
            attachment=fields,
            icon={"type": "Image", "url": "javascript:alert(1)"},
            image={"type": "Image", "url": "data:text/html,x"},
            url="javascript:alert(3)",
        )
        await app.theirs(
            mallory,
            content="".join(f'<a href="{url}">here</a>' for url in bad),
            url="javascript:alert(4)",
            attachment=[
                {"type": "Document", "mediaType": kind, "url": url, "name": "file"}
                for url in bad
                for kind in ("image/png", "application/pdf")
            ],
        )
        await app.theirs(mallory, url="https://vic.example/@alice/1", content="<p>lookalike</p>")
        await app.login()
        pages = await pages_of(app)
        assert {p: found for p, html in pages.items() if (found := Markup(html).problems())} == {}
        # A page on a third host is not where this post is.
        assert "vic.example/@alice" not in "".join(pages.values())


async def test_s_089_names_and_emojis_are_text(tmp_path: Path) -> None:
    icon = {"type": "Image", "url": "https://evil.example/e.png"}
    emojis = [
        {"type": "Emoji", "name": ":good_one:", "icon": icon},
        {"type": "Emoji", "name": ':x" onerror="alert(1):', "icon": icon},
        {"type": "Emoji", "name": ":bad_icon:", "icon": {"url": "javascript:alert(1)"}},
        {"type": "Emoji", "name": ":b:", "icon": icon},
    ]
    async with an_app(tmp_path) as app:
        mallory = await hostile(
            app, name=f'{EVIL} &lt;i&gt; :good_one: :x" onerror="alert(1): :bad_icon:', tag=emojis
        )
        mention = {"type": "Mention", "href": US, "name": f"@{HANDLE}@us.example"}
        await app.theirs(
            mallory,
            content='<p title=":good_one:">:good_one: <a href="https://x.example/:good_one:">a</a>'
            ':x" onerror="alert(1):</p>',
            summary=f"{EVIL}:good_one:",
            tag=[*emojis, mention],
        )
        await app.login()
        pages = await pages_of(app)
        assert {p: found for p, html in pages.items() if (found := Markup(html).problems())} == {}
        home = Markup(pages["/home"])
        drawn = [attrs for tag, attrs in home.elements if attrs.get("alt") == ":good_one:"]
        assert drawn
        assert all(one["src"].startswith("/media/proxy/") for one in drawn)
        assert "<b>alert" not in home.shown


async def test_s_090_every_other_field_is_shown_as_it_is(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        mallory = await hostile(
            app,
            name=f"{LITERAL}{EVIL}",
            summary=f"<p>{EVIL}</p>",
            attachment=[{"type": "PropertyValue", "name": f"{LITERAL}{EVIL}", "value": EVIL}],
        )
        await app.theirs(
            mallory,
            summary=f"{LITERAL}{EVIL}",
            name=f"{LITERAL}{EVIL}",
            contentMap={f'en"{LITERAL}': "<p>map</p>", "de": f"<p>{EVIL}</p>"},
            source={"content": EVIL, "mediaType": "text/markdown"},
            attachment=[
                {
                    "type": "Document",
                    "mediaType": f'image/png"{LITERAL}',
                    "url": f"https://evil.example/{n}.png",
                    "name": f"{LITERAL}{EVIL}",
                }
                for n in range(2)
            ]
            + [
                {
                    "type": "Document",
                    "mediaType": "image/png",
                    "url": 'https://evil.example/"onload="alert(1).png',
                    "name": f"{LITERAL}{EVIL}",
                }
            ],
            tag=[
                {"type": "Mention", "href": US, "name": f"@{HANDLE}@us.example"},
                {"type": "Hashtag", "href": "javascript:alert(1)", "name": f"#{LITERAL}"},
            ],
        )
        await app.login()
        pages = await pages_of(app)
        assert {p: found for p, html in pages.items() if (found := Markup(html).problems())} == {}
        everything = "".join(pages.values())
        assert "{{7*7}}" in Markup(everything).shown
        assert "<b>" not in LITERAL
        for answer in (
            await app.post("/search", {"q": f"{LITERAL}{EVIL}"}),
            await app.post("/search", {"q": f"#{LITERAL}{EVIL}"}),
            await app.client.get("/search", params={"q": f"{LITERAL}{EVIL}"}),
            await app.client.get("/search", params={"q": f"colour:{LITERAL} has:{EVIL}"}),
            await app.post("/messages/new", {"to": f"{LITERAL}{EVIL}", "source": EVIL}),
            await app.post("/compose", {"source": EVIL, "visibility": LITERAL}),
            await app.get("/tags/%3Cscript%3Ealert(1)%3C%2Fscript%3E"),
            await app.get("/%3Cscript%3Ealert(1)%3C%2Fscript%3E"),
            await app.get("/login?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"),
        ):
            assert Markup(answer.text).problems() == []


async def test_s_090_what_the_owner_wrote_is_text_too_and_the_feed_stays_well_formed(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        name = f"{LITERAL}"[:60]
        for path, data in (
            (
                "/settings/profile",
                {"name": name, "bio": EVIL, "field_name": LITERAL, "field_value": EVIL},
            ),
            ("/compose", {"source": f"{EVIL}{LITERAL}\ufffe", "visibility": "public"}),
            ("/compose", {"source": "two", "summary": LITERAL + EVIL, "visibility": "public"}),
        ):
            assert (await app.post(path, data)).status_code == 303, path
        stranger = app.browser()
        page = await stranger.get(f"/@{HANDLE}")
        assert Markup(page.text).problems() == []
        assert "{{7*7}}" in Markup(page.text).shown
        feed = await stranger.get(f"/@{HANDLE}/feed.atom")
        assert feed.headers["content-type"].startswith("application/atom+xml")
        tree = ET.fromstring(feed.text)  # noqa: S314 - our own output
        atom = "{http://www.w3.org/2005/Atom}"
        assert tree.findtext(f"{atom}title") == name
        contents = list(tree.iter(f"{atom}content"))
        assert sorted(one.attrib["type"] for one in contents) == ["html", "text"]
        for one in contents:
            if one.attrib["type"] == "html":
                assert Markup(one.text or "").problems() == []
        for own in ("/settings/security", "/settings/profile", "/home"):
            assert Markup((await app.get(own)).text).problems() == [], own


async def test_s_090_a_browsers_name_is_text(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        other = app.browser(**{"user-agent": f"{LITERAL}{EVIL}"})
        await app.login(other)
        await app.login()
        page = Markup((await app.get("/settings/security")).text)
        assert page.problems() == []
        assert LITERAL in page.shown


async def test_s_093_a_mention_says_whom_it_means(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor("https://vic.example/users/alice")
        await app.meet(alice)
        mallory = await hostile(app)
        await app.theirs(
            mallory,
            content=f'<p><a href="{mallory.uri}" class="u-url mention">@alice@vic.example</a> '
            '<a href="https://evil.example/t" class="mention hashtag">#bread</a></p>',
            tag=[
                {"type": "Mention", "href": US, "name": f"@{HANDLE}@us.example"},
                {"type": "Mention", "href": mallory.uri, "name": "@alice@vic.example"},
                {"type": "Hashtag", "href": "https://evil.example/t", "name": "#bread"},
            ],
        )
        await app.login()
        home = (await app.get("/home")).text
        assert "@alice@vic.example" not in home
        assert "mallory" in home


HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "strict-transport-security": "max-age=15552000",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}


async def test_s_094_every_answer_has_its_headers(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.publish("Hello")
        stranger = app.browser()
        answers = [
            await stranger.get(path)
            for path in (
                "/", f"/@{HANDLE}", f"/@{HANDLE}/none", f"/@{HANDLE}/feed.atom", "/login", "/home",
                "/about", "/nothing", "/static/app.css", "/setup/none", "/healthz",
            )
        ]  # fmt: skip
        answers.append(await stranger.get(f"/@{HANDLE}", headers=ACTIVITY))
        answers.append(await stranger.post("/login", data={"password": "x"}))
        answers.append(await stranger.post("/inbox"))
        answers.append(await stranger.put("/login"))
        answers.append(await stranger.get("/", headers={"host": "evil.example"}))
        await app.login()
        answers += [await app.get(path) for path in ("/home", "/compose", "/settings/security")]
        await app.ctx.db.write(lambda tx: tx.run("DROP TABLE bookmarks"))
        broken = await app.get("/bookmarks")
        assert broken.status_code == 500
        answers.append(broken)
        assert {a.status_code for a in answers} >= {200, 303, 400, 403, 404, 405, 415, 500}
        for answer in answers:
            for name, value in HEADERS.items():
                assert answer.headers.get(name) == value, (answer.url, name)
            policy = {one.strip() for one in answer.headers["content-security-policy"].split(";")}
            assert policy >= POLICY, answer.url
            assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example",
        "https://evil.example", "/%2F%2Fevil.example", "/%2Fevil.example", "javascript:alert(1)",
        "/\t/evil.example", "/x//evil.example", "///evil.example", "/%5Cevil.example", "",
        "home", "/" + "x" * 5000, "/\u202eevil", "http:/\\evil",
    ],
)  # fmt: skip
async def test_s_095_after_the_login_only_a_path_of_our_own(target: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.clock.forward(seconds=30)
        page = await app.client.get("/login", params={"next": target})
        assert 'name="next" value="/home"' in page.text
        answer = await app.post(
            "/login",
            {"next": target, "password": PASSWORD, "code": app.code()},
            page="/login",
        )
        assert answer.headers["location"] == "/home"
        again = await app.client.get("/login", params={"next": target})
        assert again.headers["location"] == "/home"


async def test_s_095_a_path_of_our_own_is_gone_to(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.get("/people/7?before=3")
        assert answer.headers["location"] == "/login?next=/people/7%3Fbefore%3D3"
        app.clock.forward(seconds=30)
        answer = await app.post(
            "/login",
            {"next": "/people/7?before=3", "password": PASSWORD, "code": app.code()},
            page="/login",
        )
        assert answer.headers["location"] == "/people/7?before=3"


async def test_s_095_behind_a_proxy_nothing_leads_from_https_to_http(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        # The proxy speaks http with us, and hands on the name that was asked for.
        for path in ("/login/", "/@maya/", "/settings/security/"):
            answer = await app.client.get(f"http://us.example{path}", follow_redirects=False)
            where = answer.headers["location"]
            assert where.startswith(("https://us.example/", "/")), (path, where)


async def test_s_095_a_form_leads_nowhere_else(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        await app.login()
        for target in ("//evil.example", "https://evil.example", "/\\evil.example"):
            answer = await app.post(f"/posts/{note.id}/bookmark", {"next": target})
            assert answer.headers["location"].startswith(f"/@{HANDLE}/{note.public_id}")


async def test_s_114_what_is_closed_cannot_be_passed_on(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor("https://fol.example/users/frank")
        await app.followed_by(frank)
        await app.follow(frank)
        own = await app.publish("closed", Visibility.FOLLOWERS)
        uri = await app.theirs(frank, to=[f"{frank.uri}/followers"], cc=[US])
        await app.login()
        rows = await app.rows()
        theirs = next(row[0] for row in rows["notes"] if uri in row)
        for note_id in (own.id, theirs):
            for what in ("boost", "pin"):
                answer = await app.post(f"/posts/{note_id}/{what}")
                assert answer.status_code in (403, 404, 422), (note_id, what)
            for wider in ("public", "unlisted"):
                answer = await app.post(
                    "/compose",
                    {"reply_to": str(note_id), "source": "all hear", "visibility": wider},
                )
                assert answer.status_code == 422
        kept = {"drafts": rows["drafts"]}  # what was typed is not lost
        assert await app.rows() | kept == rows


async def test_s_117_secrets_are_in_no_log_and_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    text = "the owl flies at seven"
    async with an_app(tmp_path) as app:
        frank = app.world.actor("https://fol.example/users/frank")
        friend = await app.followed_by(frank)
        codes = [app.code()]
        await app.client.post("/login", data={"password": PASSWORD, "code": "000000"})
        token = await app.token("/login")
        wrong = {"csrf": token, "password": "not this badger", "code": "123123"}
        assert (await app.client.post("/login", data=wrong)).status_code == 401
        nearly = {"csrf": token, "password": PASSWORD, "code": "454545"}
        assert (await app.client.post("/login", data=nearly)).status_code == 401
        await app.login()
        codes.append(app.code())
        cookie = app.client.cookies["__Host-session"]
        form_token = await app.token()
        await app.message([friend.id], text)
        await app.theirs(frank, to=[US], cc=[], content=f"<p>{text}</p>")
        await app.post("/messages/new", {"to": "@frank@fol.example", "source": text})
        await app.ctx.db.write(lambda tx: tx.run("DROP TABLE deliveries"))
        answers = [
            await app.post(
                "/messages/new",
                {"to": "@frank@fol.example", "source": text, "person": str(friend.id)},
            ),
            await app.post("/compose", {"source": text, "visibility": "public"}),
        ]
        assert [one.status_code for one in answers] == [500, 500]
        secrets = [PASSWORD, "not this badger", "123123", "454545", app.secret, cookie,
                   form_token, text, "PRIVATE KEY", *codes, *app.recovery_codes]  # fmt: skip
        assert "the database failed" in caplog.text
        logged = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
        assert [one for one in secrets if one in logged] == []
        for answer in answers:
            shown = str(answer.headers) + answer.text
            for word in ("Traceback", "sqlite", "deliveries", "INSERT", str(tmp_path), text):
                assert word not in shown
            assert answer.headers["x-request-id"] in caplog.text
            assert answer.headers["x-request-id"] in answer.text


async def test_s_118_nobody_else_on_the_machine_reads_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        drawn = tmp_path / "drawn.png"
        Image.new("RGB", (8, 8), (9, 99, 199)).save(drawn)
        files = [("picture", ("../../x.png", drawn.read_bytes(), "image/png"))]
        for visibility in ("public", "followers"):
            answer = await app.post(
                "/compose",
                {"source": "Hello", "visibility": visibility, "do": "publish_anyway"},
                files=files,
            )
            assert answer.status_code == 303
        modes = {
            path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777
            for path in [app.data_dir, *app.data_dir.rglob("*")]
        }
        kinds = {
            path.relative_to(tmp_path).as_posix(): path.is_dir()
            for path in [app.data_dir, *app.data_dir.rglob("*")]
        }
        assert {"data/microfedi.db", "data/server.key"} <= set(modes)
        assert sum(name.startswith("data/media/") and not kinds[name] for name in modes) == 2
        assert {n: oct(m) for n, m in modes.items() if m != (0o700 if kinds[n] else 0o600)} == {}
        key, config = app.ctx.config.server_key_file, app.ctx.config
    for mode in (0o640, 0o604):
        key.chmod(mode)
        with pytest.raises(ConfigError):
            start.prepare(config)
    key.chmod(0o600)
    start.prepare(config)
