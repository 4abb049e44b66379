"""Every post of the corpus arrives through the real doors, and is shown as it was meant.

Once in an activity, signed, in the owner's inbox; if it is a document of its own also once pasted
into the search box. What is shown is read back twice: from the database and from the page.
"""

import dataclasses
import json
from datetime import datetime
from typing import Any

import pytest

from microfedi.protocol import vocab
from microfedi.storage import actors
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from tests.corpus.cases import CASES
from tests.corpus.expected import Event, Poll, Post
from tests.corpus.world import (
    PUBLIC,
    Document,
    World,
    Worlds,
    abridged,
    load,
    read,
    squeezed,
    text_of,
    without_inline_quote,
)

pytestmark = pytest.mark.asyncio(loop_scope="package")
POSTS = [case for case in CASES if isinstance(case, Post)]
ACTIVITIES = ("Create", "Update", "Announce")


@pytest.mark.parametrize("case", POSTS, ids=lambda case: case.file)
async def test_a_post_that_arrives_is_shown_as_it_was_meant(case: Post, worlds: Worlds) -> None:
    world = await worlds.of(case.uri)
    document = load(case.file)
    world.serve_all_of(document, read(case.file))
    await world.prepare(case.needs)
    body = read(case.file) if document["type"] in ACTIVITIES else create_of(document)
    sender = _author_in(json.loads(body))
    world.serve_all_of(json.loads(body), body)
    await world.follow(sender)
    arrived_at = world.app.clock.now

    assert await world.send(sender, body) == 202
    await world.settle()

    note = await world.note(case.uri)
    assert note is not None, "it is not there"
    assert await _seen(world, case, note, arrived_at) == _expected(case, arrived_at)
    await _is_on_the_page(world, case, note)
    home = await world.page("/home")
    if not case.needs and case.reply_to is None:
        assert f'href="/posts/{note.id}"' in home.text, "it is not at Home"
    if case.shared_by is not None:
        group = await world.actor(case.shared_by)
        assert group is not None
        assert "".join(group.display_name.split()) in squeezed(home.text)


@pytest.mark.parametrize(
    "case", [case for case in POSTS if not case.needs], ids=lambda case: case.file
)
async def test_a_post_that_is_looked_up_is_shown_as_it_was_meant(
    case: Post, worlds: Worlds
) -> None:
    world = await worlds.of(case.uri)
    document = load(case.file)
    world.serve_all_of(document, read(case.file))
    arrived_at = world.app.clock.now

    answer = await world.search(case.uri)

    if case.alone:
        assert answer.status_code == 422, case.alone
        assert await world.note(case.uri) is None
        return
    assert answer.status_code == 303, text_of(answer.text)
    note = await world.note(case.uri)
    assert note is not None
    assert answer.headers["location"] == f"/posts/{note.id}"
    assert await _seen(world, case, note, arrived_at) == _expected(case, arrived_at)
    await _is_on_the_page(world, case, note)


async def _is_on_the_page(world: World, case: Post, note: Note) -> None:
    """Everything that a person should see is on the page of the post, and nothing is hot-linked."""
    answer = await world.page(f"/posts/{note.id}")
    page = squeezed(answer.text)
    author = await _author(world, note)
    said = [case.title, case.warning, case.author, author.display_name, *case.text.split("[…]")]
    said += [f"ALT{alt}" for _, _, alt in case.media if alt]
    if case.poll is not None:
        said += [name for name, _ in case.poll.options]
    if case.event is not None:
        said.append(case.event.place)
    for one in said:
        assert "".join(one.split()) in page, f"not on the page: {one}"
    for kind, url, _ in case.media:
        assert kind == "file" or f'src="{url}"' not in answer.text, f"hot-linked: {url}"
    proxied = answer.text.count('src="/media/proxy/')
    assert proxied >= sum(kind != "file" for kind, _, _ in case.media)
    for url in filter(None, (*case.cards, case.quote, case.link)):
        assert url.replace("&", "&amp;") in answer.text, f"no link to {url}"
    for tag in case.tags:
        assert f"#{tag}" in page.lower(), f"no #{tag}"


def create_of(document: Document) -> bytes:
    """A Create around an object, by its author, for whom the object is for."""
    author = _author_in(document)
    addressed = {name: document[name] for name in ("to", "cc") if document.get(name)}
    activity = {
        "@context": document.get("@context", "https://www.w3.org/ns/activitystreams"),
        "id": f"{document['id'].partition('#')[0]}#create-of-a-test",
        "type": "Create",
        "actor": author,
        "object": document,
    }
    return json.dumps(activity | (addressed or {"to": [PUBLIC]})).encode()


def _author_in(document: Document) -> str:
    """Who sends it: the actor of an activity, or of several authors the person."""
    said = document.get("actor") if document["type"] in ACTIVITIES else None
    said = said or document.get("attributedTo") or document["actor"]
    entries: list[Any] = said if isinstance(said, list) else [said]
    persons = [one for one in entries if isinstance(one, dict) and one.get("type") == "Person"]
    first = (persons or entries)[0]
    found: str = first["id"] if isinstance(first, dict) else first
    return found


async def _author(world: World, note: Note) -> Actor:
    def question(reader: Reader) -> Actor:
        found = actors.by_id(reader, note.actor_id)
        assert found is not None
        return found

    return await world.app.ctx.db.read(question)


async def _seen(world: World, case: Post, note: Note, arrived_at: datetime) -> dict[str, Any]:
    """What the database says of a post, in the words of an expectation."""
    author = await _author(world, note)
    markup = without_inline_quote(note.html) if case.quote else note.html
    return {
        "author": author.address,
        "kind": note.type,
        "title": note.name,
        "text": abridged(text_of(markup), case.text),
        "warning": note.summary,
        "media": tuple(medium(one) for one in note.attachments),
        "visibility": note.visibility.value,
        "language": note.language and note.language.lower(),
        "sensitive": note.sensitive,
        "poll": _poll(await world.poll(note)),
        "quote": note.quote,
        "reply_to": note.in_reply_to_uri,
        "time": _instant(note.published_at, arrived_at),
        "edited": None if note.updated_at is None else _instant(note.updated_at, arrived_at),
        "link": None if note.url == note.uri else note.url,
        "cards": tuple(one.url for one in note.links),
        "tags": note.hashtags,
        "emojis": tuple(note.emojis),
        "mentions": tuple(one.href for one in note.mentions),
        "event": _event(note.happening),
    }


def _expected(case: Post, arrived_at: datetime) -> dict[str, Any]:
    """What a person reading the document sees, without what is not the post's own."""
    apart = {"file", "uri", "shared_by", "alone", "needs"}
    names = [one.name for one in dataclasses.fields(case) if one.name not in apart]
    expected = {name: getattr(case, name) for name in names}
    return expected | {"time": case.time or "now"}


def _instant(instant: datetime, arrived_at: datetime) -> str:
    """A time in whole seconds; "now" for that of arrival."""
    if abs((instant - arrived_at).total_seconds()) < 60:
        return "now"
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def medium(one: vocab.Attachment) -> tuple[str, str, str]:
    kind = one.media_type.partition("/")[0]
    return (kind if kind in ("image", "video", "audio") else "file", one.url, one.alt)


def _poll(poll: vocab.Poll | None) -> Poll | None:
    if poll is None:
        return None
    return Poll(
        options=tuple((one.name, one.votes) for one in poll.options),
        is_multiple=poll.is_multiple,
        closed=poll.closed is not None,
        ends=None if poll.ends is None else poll.ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        voters=poll.voters,
    )


def _event(happening: vocab.Happening | None) -> Event | None:
    if happening is None or happening.start is None:
        return None
    end = happening.end
    return Event(
        start=happening.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        end=None if end is None else end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        place=happening.place,
    )
