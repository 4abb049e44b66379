"""Area C: whose a thing is. Its origin says so, and nothing that others send along."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from microfedi.errors import MicrofediError, NotFound, ProtocolError, RemoteError
from microfedi.federation import backfill, lookup
from microfedi.protocol.vocab import PUBLIC, Visibility
from microfedi.storage import actors, messages
from tests.another_server import AS2, Answer, answer_json
from tests.federation.inbox.world import (
    OWNER,
    US,
    Document,
    Scene,
    a_create,
    a_mention,
    a_note,
    a_scene,
    an_activity,
)

EVIL_1 = "https://evil.example/note/1"
VIC_1 = "https://vic.example/users/alice/notes/1"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path) as made:
        yield made


def _forged(scene: Scene, form: str) -> Document:
    """A post by mallory that wants to be alice's, addressed so that we would keep it."""
    note = a_mention(scene.mallory)
    alice = scene.alice.uri
    match form:
        case "id on vic":
            return note | {"id": VIC_1, "attributedTo": alice}
        case "id on vic, by mallory":
            return note | {"id": VIC_1}
        case "by alice":
            return note | {"attributedTo": alice}
        case "by alice, in a list":
            return note | {"attributedTo": [alice]}
        case "by alice, inline":
            return note | {"attributedTo": {"id": alice, "type": "Person"}}
        case _:
            return {key: value for key, value in note.items() if key != "id"}


@pytest.mark.parametrize(
    "form",
    ["id on vic", "id on vic, by mallory", "by alice", "by alice, in a list", "by alice, inline",
     "no id"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["Create", "Update"])
async def test_s_025_nobody_posts_for_another(scene: Scene, form: str, kind: str) -> None:
    await scene.follow(scene.alice)
    await scene.meet(scene.mallory)
    note = _forged(scene, form) | {"updated": "2026-11-22T11:59:30Z"}

    async with scene.drops():
        response = await scene.post(scene.mallory, an_activity(kind, scene.mallory, note))

    assert 400 <= response.status_code < 500


async def test_s_026_an_id_of_another_server_is_not_used_up(scene: Scene) -> None:
    await scene.meet(scene.mallory)
    activity_id = "https://vic.example/activities/1"
    forged = a_create(scene.mallory, a_mention(scene.mallory)) | {"id": activity_id}

    async with scene.drops():
        assert (await scene.post(scene.mallory, forged)).status_code == 403
    genuine = a_create(scene.alice, a_mention(scene.alice)) | {"id": activity_id}
    await scene.deliver(scene.alice, genuine)

    assert await scene.note(VIC_1) is not None


@pytest.mark.parametrize(
    ("claimed", "asked"),
    [
        (VIC_1, [VIC_1]),
        (f"{EVIL_1}?x=1", [f"{EVIL_1}?x=1"]),
        (f"{EVIL_1}#other", [EVIL_1]),
    ],
)
async def test_s_027_a_document_is_no_other_than_its_address(
    scene: Scene, claimed: str, asked: list[str]
) -> None:
    await scene.follow(scene.alice)
    author = scene.alice.uri if claimed == VIC_1 else scene.mallory.uri
    scene.world.serve(EVIL_1, a_note(scene.mallory, id=claimed, attributedTo=author))

    before = await scene.rows()
    with pytest.raises((RemoteError, ProtocolError)):
        await lookup.anything(scene.ctx, EVIL_1)
    first = len(scene.world.gets())
    with pytest.raises((RemoteError, ProtocolError)):
        await lookup.kept_note(scene.ctx, EVIL_1)

    assert await scene.rows() == before
    urls = [request.url for request in scene.world.requests[:first]]
    assert urls == [EVIL_1, *asked]


async def test_s_027_what_the_real_one_says_is_kept_instead(scene: Scene) -> None:
    scene.world.serve(EVIL_1, a_note(scene.alice, content="<p>forged</p>"))
    scene.world.serve(VIC_1, a_note(scene.alice, content="<p>real</p>"))

    found = await lookup.anything(scene.ctx, EVIL_1)

    assert found == await scene.note(VIC_1)
    assert "real" in str(getattr(found, "html", ""))


@pytest.mark.parametrize("claims", ["vic", "evil"])
async def test_s_029_a_redirect_moves_no_identity(scene: Scene, claims: str) -> None:
    await scene.follow(scene.alice)
    there, here = (VIC_1, EVIL_1) if claims == "vic" else (EVIL_1, VIC_1)
    author = scene.alice if claims == "vic" else scene.mallory
    scene.world.redirect(there, here)
    scene.world.serve(here, a_note(author, id=there))

    before = await scene.rows()
    for ask in (lookup.anything, lookup.kept_note):
        with pytest.raises((RemoteError, ProtocolError)):
            await ask(scene.ctx, there)

    assert await scene.rows() == before
    assert len(scene.world.gets(there)) <= 4  # each once, and once more for what it claims to be


async def test_s_029_a_redirect_to_another_servers_own_post_is_no_answer(scene: Scene) -> None:
    await scene.follow(scene.frank)
    scene.world.redirect(VIC_1, EVIL_1)
    scene.world.serve(EVIL_1, a_note(scene.mallory, id=EVIL_1))

    async with scene.drops(VIC_1, EVIL_1):
        await scene.post(scene.bob, {"type": "x"})
        with pytest.raises(ProtocolError):
            await lookup.kept_note(scene.ctx, VIC_1)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/json", "image/png", "text/html", None, "application/ld+json",
     'application/ld+json; profile="https://evil.example/"', "application/activity+json, a/b"],
)  # fmt: skip
async def test_s_030_an_upload_is_no_document(scene: Scene, content_type: str | None) -> None:
    await scene.follow(scene.alice)
    upload = "https://vic.example/uploads/1.json"
    document = a_note(scene.alice, id=upload)
    scene.world.serve(upload, answer_json(document, content_type=content_type))

    before = await scene.rows()
    for ask in (lookup.anything, lookup.kept_note):
        with pytest.raises((RemoteError, ProtocolError)):
            await ask(scene.ctx, upload)

    assert await scene.rows() == before


async def test_s_030_the_right_type_is_taken(scene: Scene) -> None:
    kind = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
    scene.world.serve(VIC_1, answer_json(a_note(scene.alice), content_type=kind))

    assert (await lookup.kept_note(scene.ctx, VIC_1)).uri == VIC_1


def _page(link: str) -> Answer:
    html = f'<html><head><link rel="alternate" type="application/activity+json" href="{link}">'
    return Answer(body=html.encode(), content_type="text/html; charset=utf-8")


async def test_s_031_one_hop_from_a_page_and_no_more(scene: Scene) -> None:
    def numbered(number: int) -> str:
        return f"https://evil.example/pages/{number}"

    for number in range(1000):
        scene.world.serve(numbered(number), _page(numbered(number + 1)))
    itself = "https://evil.example/itself"
    scene.world.serve(itself, _page(itself))

    for start in (numbered(0), itself):
        scene.world.requests.clear()
        with pytest.raises(RemoteError):
            await lookup.anything(scene.ctx, start)
        assert len(scene.world.requests) == 3  # as a document, as a page, the link as a document


async def test_s_031_where_a_page_leads_is_judged_like_anything(scene: Scene) -> None:
    await scene.follow(scene.alice)
    page = "https://evil.example/page"
    scene.world.serve(page, _page(EVIL_1))
    scene.world.serve(EVIL_1, a_note(scene.alice, id=VIC_1))
    header = f'<{EVIL_1}>; rel="alternate"; type="application/activity+json"'
    in_header = "https://evil.example/header"
    plain = {"link": header}
    scene.world.serve(in_header, Answer(body=b"x", content_type="text/html", headers=plain))

    before = await scene.rows()
    for start in (page, in_header):
        with pytest.raises((RemoteError, ProtocolError)):
            await lookup.anything(scene.ctx, start)
    assert await scene.rows() == before
    scene.world.serve(page, _page(f"{OWNER}/notes/x1"))
    with pytest.raises(RemoteError):
        await lookup.anything(scene.ctx, page)
    assert await scene.rows() == before
    assert "us.example" not in scene.world.resolved


async def test_a_page_leads_to_its_post(scene: Scene) -> None:
    page = "https://vic.example/@alice/1"
    scene.world.serve(page, _page("/users/alice/notes/1"))
    scene.world.serve(VIC_1, a_note(scene.alice, url=page))

    found = await lookup.anything(scene.ctx, page)

    assert found == await scene.note(VIC_1)


@pytest.mark.parametrize("public_id", ["x1", "unused"])
async def test_s_032_what_is_ours_never_comes_from_outside(scene: Scene, public_id: str) -> None:
    await scene.follow(scene.mallory)
    await scene.own_note()
    ours = f"{OWNER}/notes/{public_id}"
    forged = a_mention(scene.mallory) | {"id": ours, "updated": "2026-11-22T11:59:30Z"}
    person = scene.mallory.document(id=OWNER)

    async with scene.drops():
        for doc in (
            a_create(scene.mallory, forged),
            a_create(scene.mallory, forged | {"attributedTo": OWNER}),
            an_activity("Create", scene.mallory, ours),
            an_activity("Update", scene.mallory, forged),
            an_activity("Update", scene.mallory, ours),
            an_activity("Update", scene.mallory, person),
            an_activity("Delete", scene.mallory, ours),
            an_activity("Announce", scene.mallory, f"{OWNER}/notes/unused"),
            an_activity("Announce", scene.mallory, f"{US}/users/other/notes/1"),
            an_activity("Announce", scene.mallory, "https://US.example/users/owner/notes/x"),
        ):
            assert (await scene.post(scene.mallory, doc)).status_code in (202, 403)
        for uri in (f"{OWNER}/notes/unused", f"{US}/users/nobody", "https://us.example:443/x"):
            with pytest.raises((NotFound, RemoteError)):
                await lookup.kept_note(scene.ctx, uri)
            with pytest.raises(MicrofediError):
                await lookup.kept_actor(scene.ctx, uri)
    assert scene.world.resolved == ["evil.example"]


async def test_s_032_an_inbox_item_of_ours_is_what_we_have(scene: Scene) -> None:
    await scene.follow(scene.alice)
    ours = await scene.own_note()

    await scene.deliver(scene.alice, an_activity("Announce", scene.alice, ours.uri))

    assert await scene.home() == [ours.uri]
    assert await scene.told() == ["announce"]


@pytest.mark.parametrize("target", ["alice's", "ours", "message"])
async def test_s_034_only_the_author_edits(scene: Scene, target: str) -> None:
    alice = await scene.follow(scene.alice)
    await scene.follow(scene.mallory)
    await scene.own_note()
    await scene.note_of(alice.id, VIC_1)
    letter = a_note(scene.alice, 9, to=[OWNER], cc=[], content="<p>secret</p>")
    await scene.deliver(scene.alice, a_create(scene.alice, letter))
    uri = {"alice's": VIC_1, "ours": f"{OWNER}/notes/x1", "message": letter["id"]}[target]
    forged = a_note(scene.mallory, id=uri, content="<p>forged</p>", updated="2026-11-22T11:59:59Z")

    async with scene.drops():
        for author in (scene.mallory.uri, scene.alice.uri, OWNER):
            doc = an_activity("Update", scene.mallory, forged | {"attributedTo": author})
            assert (await scene.post(scene.mallory, doc)).status_code == 403


@pytest.mark.parametrize("victim", [OWNER, "https://vic.example/users/alice"])
async def test_s_034_nobody_updates_another_person(scene: Scene, victim: str) -> None:
    await scene.follow(scene.alice)
    await scene.meet(scene.mallory)
    person = scene.mallory.document(id=victim, name="Forged")

    async with scene.drops():
        for doc in (
            an_activity("Update", scene.mallory, person),
            an_activity("Update", scene.mallory, victim),
            an_activity("Update", scene.mallory, person, actor_uri=victim),
        ):
            assert (await scene.post(scene.mallory, doc)).status_code == 403


async def test_s_034_not_even_somebody_of_the_same_server(scene: Scene) -> None:
    alice = await scene.follow(scene.alice)
    await scene.follow(scene.bob)
    await scene.note_of(alice.id, VIC_1)
    forged = a_note(scene.bob, id=VIC_1, updated="2026-11-22T11:59:59Z", content="forged")

    person = scene.alice.document(name="Forged")

    before = await scene.note(VIC_1)
    for doc in (
        an_activity("Update", scene.bob, forged),
        an_activity("Update", scene.bob, person, number=2),
        an_activity("Delete", scene.bob, VIC_1),
    ):
        await scene.post(scene.bob, doc)
        await scene.process()

    assert await scene.note(VIC_1) == before
    assert await scene.ctx.db.read(lambda r: actors.by_uri(r, scene.alice.uri)) == alice


async def test_s_036_an_edit_changes_the_text_and_nothing_else(scene: Scene) -> None:
    await scene.follow(scene.alice)
    quiet = a_note(scene.alice, to=[f"{scene.alice.uri}/followers"], cc=[])
    await scene.deliver(scene.alice, a_create(scene.alice, quiet))
    before = await scene.note(VIC_1)
    assert before is not None
    changed = a_note(
        scene.alice,
        type="Question",
        content="<p>edited</p>",
        updated="2026-11-22T11:59:59Z",
        inReplyTo=f"{OWNER}/notes/x1",
        to=[PUBLIC],
        cc=[],
        tag=[{"type": "Hashtag", "name": "#found"}],
    )

    await scene.deliver(scene.alice, an_activity("Update", scene.alice, changed))

    after = await scene.note(VIC_1)
    assert after is not None
    assert after.html == "<p>edited</p>"
    for name in ("id", "uri", "actor_id", "type", "in_reply_to_uri", "thread_id", "visibility",
                 "to", "cc"):  # fmt: skip
        assert getattr(after, name) == getattr(before, name)
    assert after.visibility is Visibility.FOLLOWERS
    assert await scene.count("note_tags") == 0


async def test_s_036_a_message_stays_one(scene: Scene) -> None:
    await scene.follow(scene.alice)
    letter = a_note(scene.alice, to=[OWNER], cc=[], content="<p>secret</p>")
    await scene.deliver(scene.alice, a_create(scene.alice, letter))

    opened = letter | {
        "to": [PUBLIC],
        "content": "<p>edited</p>",
        "updated": "2026-11-22T11:59:59Z",
    }
    await scene.deliver(scene.alice, an_activity("Update", scene.alice, opened))

    assert await scene.note(VIC_1) is None
    kept = await scene.ctx.db.read(lambda reader: messages.by_uri(reader, VIC_1))
    assert kept is not None
    assert kept.html == "<p>edited</p>"


async def test_s_036_an_author_does_not_give_a_post_away(scene: Scene) -> None:
    alice = await scene.follow(scene.alice)
    await scene.note_of(alice.id, VIC_1)
    given = a_note(scene.alice, attributedTo=scene.bob.uri, updated="2026-11-22T11:59:59Z")

    async with scene.drops():
        assert (
            await scene.post(scene.alice, an_activity("Update", scene.alice, given))
        ).status_code == 403


@pytest.mark.parametrize("form", ["id", "note", "tombstone"])
@pytest.mark.parametrize("target", ["alice's", "ours", "owner", "alice", "message"])
async def test_s_037_nobody_deletes_for_another(scene: Scene, form: str, target: str) -> None:
    alice = await scene.follow(scene.alice)
    await scene.follow(scene.mallory)
    await scene.own_note()
    await scene.note_of(alice.id, VIC_1)
    letter = a_note(scene.alice, 9, to=[OWNER], cc=[])
    await scene.deliver(scene.alice, a_create(scene.alice, letter))
    uri = {"alice's": VIC_1, "ours": f"{OWNER}/notes/x1", "owner": OWNER,
           "alice": scene.alice.uri, "message": letter["id"]}[target]  # fmt: skip
    inline = a_note(scene.mallory, id=uri)
    forms: dict[str, Any] = {
        "id": uri,
        "note": inline,
        "tombstone": {"type": "Tombstone", "id": uri},
    }

    async with scene.drops():
        doc = an_activity("Delete", scene.mallory, forms[form])
        assert (await scene.post(scene.mallory, doc)).status_code == 403


@pytest.mark.parametrize("kind", ["Follow", "Like", "Announce", "Block"])
async def test_s_037_nobody_undoes_for_another(scene: Scene, kind: str) -> None:
    ours = await scene.own_note()
    await scene.meet(scene.mallory)
    target = OWNER if kind in ("Follow", "Block") else ours.uri
    done = an_activity(kind, scene.alice, target, to=[PUBLIC])
    await scene.meet(scene.alice)
    await scene.deliver(scene.alice, done)
    own = done | {"actor": scene.mallory.uri}

    async with scene.drops():
        for undone in (done, done["id"], {"type": kind, "id": done["id"]}, own):
            response = await scene.post(scene.mallory, an_activity("Undo", scene.mallory, undone))
            assert response.status_code < 500
    anonymous = {key: value for key, value in own.items() if key != "id"}
    before = await scene.rows()
    await scene.post(scene.mallory, an_activity("Undo", scene.mallory, anonymous, number=9))
    await scene.process()
    after = await scene.rows()
    for table in ("followers", "likes", "announces", "blocked_by", "notifications", "notes"):
        assert after[table] == before[table]

    await scene.deliver(scene.alice, an_activity("Undo", scene.alice, done))
    for table in ("followers", "likes", "announces", "blocked_by", "notifications"):
        assert await scene.count(table) == 0


@pytest.mark.parametrize("kind", ["Like", "EmojiReact", "Announce"])
async def test_s_037_not_even_somebody_of_the_same_server(scene: Scene, kind: str) -> None:
    ours = await scene.own_note()
    await scene.meet(scene.alice)
    await scene.meet(scene.bob)
    done = an_activity(kind, scene.alice, ours.uri, to=[PUBLIC])
    await scene.deliver(scene.alice, done | ({"content": "🎉"} if kind == "EmojiReact" else {}))
    before = await scene.rows()

    for number, undone in enumerate((done, done["id"], done | {"actor": scene.bob.uri})):
        doc = an_activity("Undo", scene.bob, undone, number=number)
        await scene.post(scene.bob, doc)
        await scene.process()

    after = await scene.rows()
    for table in ("likes", "reactions", "announces", "notifications", "notes"):
        assert after[table] == before[table]
    assert await scene.count("notifications") == 1


@pytest.mark.parametrize("form", ["inline", "collection", "link", "attachment", "create"])
async def test_s_039_what_is_sent_along_is_not_looked_at(scene: Scene, form: str) -> None:
    await scene.follow(scene.mallory)
    alice = await scene.meet(scene.alice)
    await scene.note_of(alice.id, f"{scene.alice.uri}/notes/2")
    await scene.meet(scene.mallory)
    forged = a_note(scene.alice, 2, content="<p>forged</p>", updated="2026-11-22T11:59:59Z")
    unknown = a_note(scene.alice, 3, content="<p>forged</p>")
    objects: dict[str, list[Any]] = {
        "inline": [unknown],
        "collection": [{"type": "Collection", "items": [forged, unknown]}],
        "link": [{"type": "Link", "href": unknown["id"]}],
        "attachment": [{"type": "Note", "attachment": [forged]}],
        "create": [{"type": "Create", "actor": scene.alice.uri, "object": forged}],
    }

    async with scene.drops(unknown["id"]):
        for number, thing in enumerate(objects[form]):
            doc = an_activity("Announce", scene.mallory, thing, number=number)
            assert (await scene.post(scene.mallory, doc)).status_code in (202, 400)
            if form != "create":
                continue
            inline = a_note(scene.alice, 2, content="<p>forged</p>")
            doc = an_activity("Create", scene.mallory, inline, number=9)
            assert (await scene.post(scene.mallory, doc)).status_code == 403


async def test_s_039_a_boost_of_what_is_known_changes_nothing_of_it(scene: Scene) -> None:
    await scene.follow(scene.mallory)
    alice = await scene.meet(scene.alice)
    known = await scene.note_of(alice.id, VIC_1)
    forged = a_note(scene.alice, content="<p>forged</p>", updated="2026-11-22T11:59:59Z")

    await scene.deliver(scene.mallory, an_activity("Announce", scene.mallory, forged))

    after = await scene.note(VIC_1)
    assert after is not None
    assert (after.html, after.updated_at, after.announces) == (known.html, known.updated_at, 1)
    assert scene.world.gets() == []


async def test_s_041_items_of_a_collection_are_their_authors(scene: Scene) -> None:
    mallory = scene.mallory
    outbox = f"{mallory.uri}/outbox"
    featured = f"{mallory.uri}/featured"
    scene.world.actor(mallory.uri, featured=featured)
    forged = a_note(scene.alice, content="<p>forged</p>")
    on_evil = a_note(mallory, 2, attributedTo=scene.alice.uri)
    honest = a_note(mallory, 3)
    scene.world.serve(honest["id"], honest)
    items = [
        a_create(scene.alice, forged),
        a_create(mallory, forged | {"attributedTo": mallory.uri}),
        a_create(mallory, on_evil),
        a_create(mallory, honest),
    ]
    listed = {"@context": AS2, "id": outbox, "type": "OrderedCollection", "orderedItems": items}
    scene.world.serve(outbox, listed)
    scene.world.serve(featured, listed | {"id": featured, "orderedItems": [forged, on_evil]})
    await scene.follow(mallory)
    scene.world.requests.clear()

    await backfill.run(scene.ctx, mallory.uri)

    kept = [row[1] for row in (await scene.rows())["notes"]]
    assert kept == [honest["id"]]
    asked = {request.url for request in scene.world.requests}
    assert not any(url.startswith(OWNER) for url in asked)


async def test_what_a_followed_server_passes_on_is_asked_of_its_origin(scene: Scene) -> None:
    frank = await scene.follow(scene.frank)
    await scene.note_of(frank.id, f"{scene.frank.uri}/notes/1")
    reply = a_note(scene.alice, inReplyTo=f"{scene.frank.uri}/notes/1")
    scene.world.serve(VIC_1, reply)
    forged = reply | {"content": "<p>forged</p>"}

    await scene.deliver(scene.frank, a_create(scene.alice, forged))

    kept = await scene.note(VIC_1)
    assert kept is not None
    assert kept.html == "<p>post 1</p>"


async def test_a_delete_that_was_passed_on_is_asked_of_its_origin(scene: Scene) -> None:
    await scene.follow(scene.frank)
    alice = await scene.meet(scene.alice)
    await scene.note_of(alice.id, VIC_1)
    scene.world.serve(VIC_1, a_note(scene.alice))
    delete = an_activity("Delete", scene.alice, VIC_1)

    await scene.deliver(scene.frank, delete)
    assert await scene.note(VIC_1) is not None
    scene.world.serve(VIC_1, Answer(410, content_type=None))
    await scene.deliver(scene.frank, delete | {"id": f"{delete['id']}-again"})
    assert await scene.note(VIC_1) is None


async def test_the_owner_is_nobody_elses_to_overwrite(scene: Scene) -> None:
    def question(reader: Any) -> Any:
        return actors.by_uri(reader, OWNER)

    before = await scene.ctx.db.read(question)
    await scene.follow(scene.mallory)
    body = json.dumps(an_activity("Update", scene.mallory, scene.mallory.document(id=OWNER)))

    await scene.post(scene.mallory, body.encode())
    await scene.process()

    assert await scene.ctx.db.read(question) == before
