"""Everybody of the corpus is found by their address and their handle, and shown as they say."""

import dataclasses
import json
from typing import Any

import pytest

from microfedi.federation import fetching
from microfedi.protocol import parse, shapes
from microfedi.storage.actors import Actor
from tests.corpus.cases import CASES
from tests.corpus.expected import Discovery, Listing, Person, Refused
from tests.corpus.world import Signer, World, Worlds, load, read, squeezed, text_of

pytestmark = pytest.mark.asyncio(loop_scope="package")
PEOPLE = [case for case in CASES if isinstance(case, Person)]
HANDLES = [case for case in CASES if isinstance(case, Discovery)]
LISTINGS = [case for case in CASES if isinstance(case, Listing)]
REFUSED = [case for case in CASES if isinstance(case, Refused)]


@pytest.mark.parametrize("case", PEOPLE, ids=lambda case: case.file)
async def test_somebody_looked_up_is_shown_as_they_say(case: Person, worlds: Worlds) -> None:
    world = await worlds.of(case.uri)
    world.serve_actor(Signer(case.uri).in_place_of_theirs(load(case.file)))
    await world.prepare(case.needs)

    answer = await world.search(case.uri)

    assert answer.status_code == 303, text_of(answer.text)
    actor = await world.actor(case.uri)
    assert actor is not None
    assert answer.headers["location"] == f"/people/{actor.id}"
    assert _seen(actor) == _expected(case)
    await _is_on_the_page(world, case, actor)


@pytest.mark.parametrize("case", PEOPLE, ids=lambda case: case.file)
async def test_somebody_is_known_by_their_key_and_may_change_what_they_say(
    case: Person, worlds: Worlds
) -> None:
    world = await worlds.of(case.uri)
    document = Signer(case.uri).in_place_of_theirs(load(case.file))
    world.serve_actor(document)
    await world.follow(case.uri)
    update = {
        "@context": document.get("@context"),
        "id": f"{case.uri.partition('#')[0]}#update-of-a-test",
        "type": "Update",
        "actor": case.uri,
        "object": document | {"name": "Another name"},
    }

    assert await world.send(case.uri, json.dumps(update).encode()) == 202
    await world.app.process()

    actor = await world.actor(case.uri)
    assert actor is not None
    assert actor.name == "Another name"


@pytest.mark.parametrize("case", HANDLES, ids=lambda case: case.file)
async def test_a_handle_leads_to_whom_its_server_says(case: Discovery, worlds: Worlds) -> None:
    assert case.handle is not None
    assert case.actor is not None
    world = await worlds.of(case.actor)
    host = case.handle.rpartition("@")[2]
    world.serve_person(case.actor)
    document = Signer(case.actor).made() | {"preferredUsername": case.handle.split("@")[1]}
    world.serve_actor(document)
    scheme = case.actor.partition("://")[0]
    world.serve_webfinger(f"{scheme}://{host}/", case.handle.removeprefix("@"), load(case.file))

    answer = await world.search(case.handle)

    assert answer.status_code == 303, text_of(answer.text)
    actor = await world.actor(case.actor)
    assert actor is not None
    assert actor.address == case.handle
    assert case.handle in text_of((await world.page(f"/people/{actor.id}")).text)


@pytest.mark.parametrize("case", LISTINGS, ids=lambda case: case.file)
async def test_a_collection_lists_what_it_lists(case: Listing, worlds: Worlds) -> None:
    assert case.uri is not None
    world = await worlds.of(case.uri)
    world.serve(case.uri, read(case.file))

    found = await fetching.anywhere(world.app.ctx, case.uri, fetching.Budget())

    seen = parse.collection(found.document)
    pages = [seen, *([seen.first_page] if seen.first_page is not None else [])]
    items = [item for page in pages for item in page.items]
    assert (
        Listing(
            file=case.file,
            uri=seen.uri,
            items=tuple(shapes.id_of(item) or "" for item in items),
            total=seen.total,
            first=seen.first,
            next=pages[-1].next,
        )
        == case
    )


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.file)
async def test_what_is_refused_leaves_no_trace(case: Refused, worlds: Worlds) -> None:
    """By both doors: pasted into the search box, and as an activity of somebody's."""
    body = read(case.file)
    uri = load(case.file).get("id") or f"https://refused.example/{case.file}"
    world = await worlds.of("https://refused.example/")
    world.serve_all_of(load(case.file), body)
    if uri.startswith("https://"):
        world.serve(uri, body)
    before = await world.app.rows()

    answer = await world.search(uri)

    if answer.status_code == 303:  # no address: words to be looked for, here and nowhere else
        assert not uri.startswith("https://"), case.reason
        assert answer.headers["location"].startswith("/search?")
    else:
        assert answer.status_code == 422, case.reason
        assert 'role="alert"' in answer.text
    world.serve_person(case.by)
    status = await world.send(case.by, body)
    assert status in ((case.status,) if case.status else (400, 401, 403)), case.reason
    await world.settle()
    after = await world.app.rows()
    changed = {table for table in after if after[table] != before[table]}
    assert changed <= {"hosts", "jobs"}, case.reason


async def _is_on_the_page(world: World, case: Person, actor: Actor) -> None:
    answer = await world.page(f"/people/{actor.id}")
    page = squeezed(answer.text)
    said = [case.name, case.handle, case.bio]
    said += [part for row in case.fields for part in row]
    for one in said:
        assert "".join(one.split()) in page, f"not on the page: {one}"
    assert case.moved_to is None or case.moved_to in answer.text
    for picture in filter(None, (case.icon, case.banner)):
        assert f'src="{picture}"' not in answer.text, f"hot-linked: {picture}"
    pictures = sum(one is not None for one in (case.icon, case.banner))
    assert answer.text.count('src="/media/proxy/') >= pictures
    if case.link is not None:
        assert case.link.replace("&", "&amp;") in answer.text


def _seen(actor: Actor) -> dict[str, Any]:
    return {
        "handle": actor.address,
        "kind": actor.type,
        "name": actor.name,
        "bio": text_of(actor.summary),
        "fields": tuple((name, text_of(value)) for name, value in actor.fields),
        "icon": actor.icon_url,
        "banner": actor.image_url,
        "link": None if actor.url == actor.uri else actor.url,
        "approves_followers": actor.approves,
        "aliases": actor.also_known_as,
        "moved_to": actor.moved_to,
        "emojis": tuple(actor.emojis),
    }


def _expected(case: Person) -> dict[str, Any]:
    apart = {"file", "uri", "needs"}
    names = [one.name for one in dataclasses.fields(case) if one.name not in apart]
    return {name: getattr(case, name) for name in names}
