"""Documents of other software with anything in the place of anything: no page breaks.

Each is sent by somebody followed, through the inbox, and whatever of it is kept is opened by the
owner and by a visitor. The seed makes every run the same.
"""

import copy
import json
import logging
import random
from pathlib import Path
from typing import Any

import pytest

from microfedi.storage import notes
from microfedi.storage.database import Reader
from tests import corpus
from tests.another_server import AS2, RemoteActor
from tests.app_fixture import US, App, an_app

SEED = 2026
DOCUMENTS = 300  # in a run; some thousand with other seeds found nothing more
BATCH = 25  # documents between two looks at the pages
PUBLIC = f"{AS2}#Public"
SHAPES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**53 - 1, -(2**53) + 1, 1.5, -0.0, 1e308, 5e-324, "", " ",
    "\u202e",
    "x" * 5000, "<script>alert(1)</script>", "javascript:alert(1)", "data:text/html,x",
    "https://",
    "https://[", "https://evil.example/\x7f", "https://evil.example/" + "a" * 3000,
    "//evil.example",
    "https://evil.example:99999/", "https://evil.example/%zz", "https://xn--a.example/",
    "http://::1/",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00", "2026-02-30T25:61:61Z", "2026-11-22", "P1Y", "PT99999999999S",
    "PT1e9S", "-P1D", "5:00", "{{7*7}}", "%s%n", "'\"><b>", "as:Public", PUBLIC, US, "de",
    "ar", "x-\"y",
    ":blob:", "🔥" * 300, "a\u0301" * 500, "\u2028", "\ufffe", "image/png", "text/markdown",
    "#0000",
    [], {}, [[]], [{}], [None], [[[[]]]], {"id": None}, {"type": []}, {"@id": "x"},
    {"@value": 1},
    {"type": "Link", "href": {}}, {"und": "x", "de": {}}, {"@list": [1]}, ["a"] * 300,
    [{"type": "Note", "name": "x"}] * 300, {"type": "Collection", "totalItems": -1, "items": 7},
    {"type": "Collection", "totalItems": 2**53 - 1},
)  # fmt: skip
NAMES = (
    "oneOf", "anyOf", "endTime", "closed", "votersCount", "duration", "startTime", "location",
    "quote",
    "quoteUrl", "quoteAuthorization", "interactionPolicy", "icon", "image", "blurhash",
    "focalPoint",
    "width", "height", "summary", "summaryMap", "nameMap", "contentMap", "content", "source",
    "url",
    "tag", "attachment", "name", "inReplyTo", "updated", "published", "sensitive", "mediaType",
    "type",
    "context", "conversation", "replies", "likes", "shares", "audience", "generator",
    "language",
    "size", "preview", "digest", "emojiReactions", "participationCount", "joinMode", "tracks",
)  # fmt: skip


def written() -> list[dict[str, Any]]:
    """Everything of the corpus that somebody wrote, and what lies in their activities."""
    corpus.path_of("INDEX.md")
    found = []
    for path in sorted(corpus.CORPUS.glob("*/*.json")):
        document = json.loads(path.read_bytes())
        inner = document.get("object")
        post = inner if isinstance(inner, dict) and "content" in inner else document
        if isinstance(post.get("attributedTo"), str | list | dict) and "id" in post:
            found.append(post)
    return found


def mutated(document: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A copy with one to six values of another kind somewhere inside."""
    made = copy.deepcopy(document)
    for _ in range(chance.randint(1, 6)):
        places: list[tuple[Any, Any]] = []
        _places(made, places)
        if chance.random() < 0.3 or not places:
            made[chance.choice(NAMES)] = copy.deepcopy(chance.choice(SHAPES))
            continue
        box, at = chance.choice(places)
        if chance.random() < 0.1:
            box[at] = [copy.deepcopy(box[at]), copy.deepcopy(chance.choice(SHAPES))]
        else:
            box[at] = copy.deepcopy(chance.choice(SHAPES))
    return made


def _places(value: Any, found: list[tuple[Any, Any]]) -> None:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for at, inner in list(items):
        found.append((value, at))
        if isinstance(inner, dict | list):
            _places(inner, found)


async def send(app: App, author: RemoteActor, activity: dict[str, Any]) -> int:
    """POST an activity; whatever it is, it is no error of ours."""
    url = f"{US}/inbox"
    body = json.dumps(activity).encode()
    headers = author.signed_headers("POST", url, body, now=app.clock.now)
    answer = await app.browser("198.51.100.9").post(url, content=body, headers=headers)
    assert answer.status_code < 500, (answer.text, body)
    return answer.status_code


async def look_at_pages(app: App, author: RemoteActor) -> int:
    """Open every page on which something of others may stand; return how many posts there are."""

    def question(reader: Reader) -> list[int]:
        return [row["id"] for row in reader.all("SELECT id FROM notes ORDER BY id DESC LIMIT 40")]

    ids = await app.ctx.db.read(question)
    person = await app.meet(author)
    paths = ["/home?newest", "/notifications", "/messages", f"/people/{person.id}"]
    paths += [f"/posts/{one}" for one in ids]
    for path in paths:
        answer = await app.get(path)
        # The owner's own posts have a page for everybody.
        expected = 303 if answer.headers.get("location", "").startswith("/@maya/") else 200
        assert answer.status_code == expected, (path, answer.status_code, answer.text[:500])
        assert "<script>alert" not in answer.text, path
        assert 'href="javascript:' not in answer.text, path
    await app.ctx.db.read(lambda r: [notes.by_id(r, one) for one in ids])
    return len(ids)


@pytest.mark.parametrize("seed", [SEED])
async def test_mutated_posts_break_no_page(
    seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same every time
    posts = written()
    shown = 0
    async with an_app(tmp_path) as app:
        await app.login()
        author = app.world.actor("https://evil.example/users/mallory")
        await app.follow(author)
        ours = await app.publish("A post of mine.")
        for number in range(1, DOCUMENTS + 1):
            post = mutated(chance.choice(posts), chance)
            kept = f"{author.uri}/notes/{number}"
            if chance.random() < 0.95:
                post |= {"id": kept, "attributedTo": author.uri}
            if chance.random() < 0.9:
                post["to"] = [PUBLIC, US]
            if chance.random() < 0.2:
                post["inReplyTo"] = ours.uri
            activity = {
                "@context": AS2,
                "id": f"{kept}/activity",
                "type": "Create" if chance.random() < 0.8 else "Update",
                "actor": author.uri,
                "to": [PUBLIC],
                "object": post,
            }
            if activity["type"] == "Update" and number > 1:
                post["id"] = f"{author.uri}/notes/{chance.randrange(1, number)}"
                post["updated"] = app.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
            app.clock.forward(seconds=1)
            await send(app, author, activity)
            if number % BATCH == 0:
                await app.process()
                assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []
                shown += await look_at_pages(app, author)
                for path in (f"/@maya/{ours.public_id}", "/@maya", "/@maya/feed.atom"):
                    answer = await app.browser("198.51.100.7").get(path)
                    assert answer.status_code == 200, path
                    assert "<script>alert" not in answer.text, path
    assert shown > DOCUMENTS / 4


def acts() -> list[dict[str, Any]]:
    """Everything of the corpus that somebody does, and who they are."""
    corpus.path_of("INDEX.md")
    documents = [json.loads(path.read_bytes()) for path in sorted(corpus.CORPUS.glob("*/*.json"))]
    return [
        one for one in documents if isinstance(one, dict) and ("actor" in one or "inbox" in one)
    ]


@pytest.mark.parametrize("seed", [SEED])
async def test_mutated_activities_break_no_page(
    seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same every time
    documents = acts()
    async with an_app(tmp_path) as app:
        await app.login()
        author = app.world.actor("https://evil.example/users/mallory")
        await app.follow(author)
        await app.followed_by(author)
        ours = (await app.publish("A post of mine.")).uri
        theirs = await app.theirs(author)
        for number in range(1, DOCUMENTS + 1):
            act = mutated(chance.choice(documents), chance)
            if "inbox" in act:
                # Their new profile. The key is theirs, so that they go on to be heard.
                profile = {**act, "id": author.uri, "publicKey": author.document()["publicKey"]}
                app.world.serve(author.uri, profile)
                act = {"type": "Update", "object": profile}
            act |= {"id": f"{author.uri}/acts/{number}", "actor": author.uri}
            if chance.random() < 0.7 and act.get("type") not in ("Update", "Create"):
                about = chance.choice((ours, theirs, US))
                given = act.get("object")
                act["object"] = {**given, "object": about} if isinstance(given, dict) else about
            app.clock.forward(seconds=1)
            await send(app, author, act)
            if number % BATCH == 0:
                await app.process()
                assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []
                await look_at_pages(app, author)
                for path in ("/followers", "/following", "/settings/consent", "/settings/reports"):
                    assert (await app.get(path)).status_code == 200, path
