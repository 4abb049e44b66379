"""Quotes with consent, both ways: asked for, stamped, shown, taken back; who may answer."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from microfedi.federation import quoting
from microfedi.federation.outbox import profile
from microfedi.protocol.vocab import PUBLIC
from microfedi.storage import notes, quotes, stamps
from microfedi.storage.notes import Note
from microfedi.storage.owner import QuotePolicy
from tests.another_server import AS2, RemoteActor
from tests.app_fixture import HANDLE, US, App, an_app

ALICE = "https://vic.example/users/alice"
MALLORY = "https://evil.example/users/mallory"
ANYBODY = {"canQuote": {"automaticApproval": [PUBLIC]}}


def quoting_note(author: RemoteActor, quoted: str, **fields: Any) -> dict[str, Any]:
    """A post that quotes."""
    return {
        "@context": AS2,
        "id": f"{author.uri}/notes/q1",
        "type": "Note",
        "attributedTo": author.uri,
        "content": f'<p class="quote-inline">RE: <a href="{quoted}">{quoted}</a></p><p>So true</p>',
        "published": "2026-11-22T12:00:00Z",
        "to": [PUBLIC],
        "cc": [US],
        "quote": quoted,
    } | fields


def a_request(author: RemoteActor, quoted: str, **fields: Any) -> dict[str, Any]:
    """The question whether that may be."""
    return {
        "@context": AS2,
        "id": f"{author.uri}/requests/1",
        "type": "QuoteRequest",
        "actor": author.uri,
        "object": quoted,
        "instrument": quoting_note(author, quoted),
    } | fields


def a_create(author: RemoteActor, note: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": AS2,
        "id": f"{note['id']}/create",
        "type": "Create",
        "actor": author.uri,
        "to": note["to"],
        "cc": note["cc"],
        "object": note,
    }


async def sent(app: App) -> list[dict[str, Any]]:
    """What waits to be sent, opened."""

    def question(reader: Any) -> list[dict[str, Any]]:
        rows = reader.all("SELECT id, body_sealed FROM outgoing ORDER BY id")
        return [
            json.loads(reader.sealer.open("outgoing", one["body_sealed"], bound_to=str(one["id"])))
            for one in rows
        ]

    return await app.ctx.db.read(question)


async def state_of(app: App, uri: str) -> str | None:
    def question(reader: Any) -> str | None:
        note = notes.by_uri(reader, uri)
        quote = None if note is None else quotes.of_note(reader, note.id)
        return None if quote is None else quote.state

    return await app.ctx.db.read(question)


async def deliver_anyway(app: App, sender: RemoteActor, activity: dict[str, Any]) -> None:
    """Deliver what may be refused."""
    url = "https://us.example/inbox"
    body = json.dumps(activity).encode()
    headers = sender.signed_headers("POST", url, body, now=app.clock.now)
    await app.browser().post(url, content=body, headers=headers)
    await app.process()


async def own(app: App, policy: QuotePolicy) -> Note:
    await profile.set_policies(app.ctx, quote_policy=policy)
    return await app.publish("To be quoted")


@pytest.mark.parametrize(
    ("policy", "follows", "answer"),
    [
        ("anyone", False, "Accept"),
        ("followers", False, "Reject"),
        ("followers", True, "Accept"),
        ("nobody", True, "Reject"),
    ],
)
async def test_who_may_quote_is_as_the_owner_wishes(
    policy: QuotePolicy, follows: bool, answer: Literal["Accept", "Reject"], tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        if follows:
            await app.followed_by(alice)
        note = await own(app, policy)

        await app.deliver(alice, a_request(alice, note.uri))

        said = (await sent(app))[-1]
        assert said["type"] == answer
        assert said["object"] == {
            "id": f"{ALICE}/requests/1",
            "type": "QuoteRequest",
            "actor": ALICE,
            "object": note.uri,
            "instrument": f"{ALICE}/notes/q1",
        }
        if answer == "Reject":
            assert "result" not in said
            return
        stamp = json.loads((await app.asked_by(None, said["result"])).text)
        assert {key: stamp[key] for key in stamp if key != "@context"} == {
            "id": said["result"],
            "type": "QuoteAuthorization",
            "attributedTo": US,
            "interactingObject": f"{ALICE}/notes/q1",
            "interactionTarget": note.uri,
        }


async def test_the_owner_decides_and_takes_it_back(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        note = await own(app, "ask")
        before = len(await sent(app))
        await app.deliver(alice, a_request(alice, note.uri))
        assert len(await sent(app)) == before
        assert "asks to quote your post" in (await app.get("/notifications")).text
        page = (await app.get("/settings/consent")).text
        assert "So true" in page
        (stamp,) = await app.ctx.db.read(lambda r: stamps.in_state(r, "pending", limit=9))

        await app.post(f"/settings/consent/{stamp.public_id}/agree")
        accept = (await sent(app))[-1]
        assert accept["type"] == "Accept"
        assert (await app.asked_by(None, accept["result"])).status_code == 200
        await app.deliver(
            alice,
            a_create(alice, quoting_note(alice, note.uri, quoteAuthorization=accept["result"])),
        )

        await app.post(f"/settings/consent/{stamp.public_id}/revoke")
        assert (await sent(app))[-1]["type"] == "Delete"
        assert (await app.asked_by(None, accept["result"])).status_code == 404
        assert (await app.post(f"/settings/consent/{stamp.public_id}/agree")).status_code == 404


async def test_a_request_about_what_is_not_theirs_is_dropped(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice, mallory = app.world.actor(ALICE), app.world.actor(MALLORY)
        await app.meet(alice)
        note = await own(app, "anyone")
        before = len(await sent(app))

        forged = quoting_note(alice, note.uri)
        app.world.serve(forged["id"], forged)
        for request in (
            a_request(mallory, note.uri, instrument=forged),
            a_request(mallory, note.uri, instrument=forged["id"]),
            a_request(mallory, note.uri, instrument=quoting_note(mallory, "https://x.example/1")),
            a_request(mallory, note.uri, id=f"{ALICE}/requests/9"),
            a_request(mallory, f"{US}/notes/none"),
        ):
            await deliver_anyway(app, mallory, request)

        assert len(await sent(app)) == before
        assert await app.count("stamps") == 0


async def test_s_055_a_quote_is_shown_only_with_the_stamp_of_the_quoted_author(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, mallory = app.world.actor(ALICE), app.world.actor(MALLORY)
        await app.follow(mallory)
        quoted = f"{ALICE}/notes/1"
        app.world.serve(
            quoted,
            {
                "@context": AS2, "id": quoted, "type": "Note", "attributedTo": ALICE,
                "content": "<p>the original</p>", "to": [PUBLIC],
            },
        )  # fmt: skip
        uri = f"{MALLORY}/notes/q1"
        good = {
            "@context": AS2, "id": f"{ALICE}/stamps/1", "type": "QuoteAuthorization",
            "attributedTo": ALICE, "interactingObject": uri, "interactionTarget": quoted,
        }  # fmt: skip
        stamp = f"{ALICE}/stamps/1"
        forged = f"{MALLORY}/stamps/1"
        await app.deliver(
            mallory, a_create(mallory, quoting_note(mallory, quoted, quoteAuthorization=forged))
        )
        app.world.serve(forged, {**good, "id": forged})
        await quoting.check(app.ctx, uri)
        assert await state_of(app, uri) == "revoked"
        assert not app.world.gets(forged)

        note = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
        assert note is not None
        page = (await app.get(f"/posts/{note.id}")).text
        assert "the original" not in page
        assert "a post at vic.example" in page

        for number, wrong in enumerate(
            (
                {**good, "interactingObject": f"{MALLORY}/notes/other"},
                {**good, "interactionTarget": f"{ALICE}/notes/2"},
                {**good, "attributedTo": MALLORY},
                {**good, "type": "ReplyAuthorization"},
                {**good, "type": "Note"},
            )
        ):
            app.world.serve(stamp, wrong)
            await _again(app, mallory, quoted, stamp, number)
            assert await state_of(app, uri) == "revoked", wrong

        app.world.serve(stamp, good)
        await _again(app, mallory, quoted, stamp, 9)
        assert await state_of(app, uri) == "accepted"
        page = (await app.get(f"/posts/{note.id}")).text
        assert "the original" in page
        assert "quote-inline" not in page

        # Only Alice takes it back.
        delete = {"@context": AS2, "type": "Delete", "object": stamp}
        await deliver_anyway(app, mallory, {**delete, "id": f"{MALLORY}/d/1", "actor": MALLORY})
        assert await state_of(app, uri) == "accepted"
        await app.deliver(alice, {**delete, "id": f"{ALICE}/d/1", "actor": ALICE})
        assert await state_of(app, uri) == "revoked"


async def test_a_quote_that_is_boosted_or_opened_is_looked_into(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, mallory = app.world.actor(ALICE), app.world.actor(MALLORY)
        await app.follow(alice)
        quoted, uri = f"{ALICE}/notes/1", f"{MALLORY}/notes/q1"
        stamp = f"{ALICE}/stamps/1"
        app.world.serve(
            quoted,
            {
                "@context": AS2, "id": quoted, "type": "Note", "attributedTo": ALICE,
                "content": "<p>the original</p>", "to": [PUBLIC],
                # What a quote led to quotes on and on: that is not followed.
                "quote": f"{MALLORY}/notes/q2",
            },
        )  # fmt: skip
        app.world.serve(
            stamp,
            {
                "@context": AS2, "id": stamp, "type": "QuoteAuthorization", "attributedTo": ALICE,
                "interactingObject": uri, "interactionTarget": quoted,
            },
        )  # fmt: skip
        app.world.serve(uri, quoting_note(mallory, quoted, quoteAuthorization=stamp))
        boost = {
            "@context": AS2, "id": f"{ALICE}/boosts/1", "type": "Announce", "actor": ALICE,
            "to": [PUBLIC], "object": uri,
        }  # fmt: skip

        await app.deliver(alice, boost)
        assert await state_of(app, uri) == "pending"
        assert await waiting(app) == [uri]
        await quoting.check(app.ctx, uri)
        assert await state_of(app, uri) == "accepted"
        assert "the original" in (await app.home()).text
        assert await waiting(app) == [uri]

        # A week later the owner opens it, and it is asked again.
        await app.ctx.db.write(lambda tx: tx.run("DELETE FROM jobs"))
        note = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
        assert note is not None
        await app.get(f"/posts/{note.id}")
        assert await waiting(app) == []
        app.clock.forward(days=8)
        await app.login()
        await app.get(f"/posts/{note.id}")
        assert await waiting(app) == [uri]


async def waiting(app: App) -> list[str]:
    """The quotes that wait to be looked into."""

    def question(reader: Any) -> list[str]:
        rows = reader.all("SELECT key FROM jobs WHERE kind = 'quote'")
        return [row["key"] for row in rows]

    return await app.ctx.db.read(question)


async def _again(app: App, author: RemoteActor, quoted: str, stamp: str, number: int) -> None:
    """Have an edit arrive, with this stamp, and check it."""
    note = quoting_note(
        author, quoted, quoteAuthorization=stamp, updated=f"2026-11-22T13:00:{number:02}Z"
    )
    app.clock.now = app.clock.now.replace(hour=14)
    update = a_create(author, note) | {"type": "Update", "id": f"{author.uri}/updates/{number}"}
    await app.deliver(author, update)
    await quoting.check(app.ctx, note["id"])


async def quotable(app: App, author: RemoteActor, **fields: Any) -> Note:
    uri = await app.theirs(author, **fields)
    note = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
    assert note is not None
    return note


async def test_the_owner_quotes_with_consent(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        note = await quotable(app, alice, interactionPolicy=ANYBODY)
        assert f'href="/compose?quote={note.id}"' in (await app.get(f"/posts/{note.id}")).text
        assert "You quote:" in (await app.get(f"/compose?quote={note.id}")).text

        answer = await app.post(
            "/compose", {"source": "Indeed", "visibility": "public", "quote": str(note.id)}
        )
        page = answer.headers["location"]
        request = next(one for one in await sent(app) if one["type"] == "QuoteRequest")
        assert (request["object"], request["instrument"]["quote"]) == (note.uri, note.uri)
        assert f'RE: <a href="{note.uri}"' in request["instrument"]["content"]
        uri = request["instrument"]["id"]
        assert await state_of(app, uri) == "pending"

        accept = {
            "@context": AS2, "id": f"{ALICE}/accepts/1", "type": "Accept", "actor": ALICE,
            "object": request["id"], "result": f"{ALICE}/stamps/1",
        }  # fmt: skip
        mallory = app.world.actor(MALLORY)
        forged = {**accept, "id": f"{MALLORY}/a/1", "actor": MALLORY}
        await deliver_anyway(app, mallory, {**forged, "result": f"{MALLORY}/stamps/1"})
        await deliver_anyway(app, alice, {**accept, "result": f"{MALLORY}/stamps/1"})
        assert await state_of(app, uri) == "pending"

        await app.deliver(alice, {**accept, "id": f"{ALICE}/accepts/2"})
        assert await state_of(app, uri) == "accepted"
        update = (await sent(app))[-1]
        assert update["type"] == "Update"
        assert update["object"]["quoteAuthorization"] == f"{ALICE}/stamps/1"
        shown = (await app.get(page)).text
        assert "post 1" in shown
        assert "quote-inline" not in shown

        edited = await app.post(
            f"/posts/{(await app.ctx.db.read(lambda r: notes.by_uri(r, uri))).id}/edit",  # type: ignore[union-attr]
            {"source": "Indeed!"},
        )
        assert edited.status_code == 303
        assert await state_of(app, uri) == "accepted"
        assert "RE: <a" in (await sent(app))[-1]["object"]["content"]

        reject = {**accept, "id": f"{ALICE}/r/1", "type": "Reject"}
        await app.deliver(alice, reject)
        assert await state_of(app, uri) == "rejected"
        assert "quote" not in (await sent(app))[-1]["object"]
        assert "post 1" not in (await app.get(page)).text


@pytest.mark.parametrize(
    "policy",
    [None, {"canQuote": {"automaticApproval": [ALICE]}}, {"canLike": {"always": [PUBLIC]}}],
)
async def test_what_its_author_does_not_offer_cannot_be_quoted(
    policy: dict[str, Any] | None, tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        note = await quotable(app, alice, interactionPolicy=policy)

        answer = await app.post(
            "/compose", {"source": "Indeed", "visibility": "public", "quote": str(note.id)}
        )

        assert answer.status_code == 422
        assert "link to it instead" in answer.text
        assert "Indeed" in answer.text


async def test_s_114_a_closed_post_is_never_quoted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        note = await quotable(
            app, alice, interactionPolicy=ANYBODY, to=[f"{ALICE}/followers"], cc=[US]
        )
        answer = await app.post(
            "/compose", {"source": "Indeed", "visibility": "public", "quote": str(note.id)}
        )
        assert answer.status_code == 422
        mine = await app.publish("Mine", visibility=note.visibility)
        again = await app.post(
            "/compose", {"source": "Indeed", "visibility": "public", "quote": str(mine.id)}
        )
        assert again.status_code == 422
        request = a_request(alice, mine.uri)
        await deliver_anyway(app, alice, request)
        assert await app.count("stamps") == 0


async def test_replies_are_let_in_as_the_owner_wishes(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor("https://vic.example/users/bob")
        await app.followed_by(alice)
        await app.post("/settings/consent", {"quote_policy": "anyone", "reply_policy": "followers"})
        note = await app.publish("Only for my followers to answer")
        document = json.loads((await app.asked_by(None, note.uri)).text)
        assert document["interactionPolicy"]["canReply"]["automaticApproval"] == [f"{US}/followers"]

        await app.theirs(bob, inReplyTo=note.uri, content="<p>from bob</p>")
        await app.theirs(alice, inReplyTo=note.uri, content="<p>from alice</p>")

        page = (await app.get(f"/@{HANDLE}/{note.public_id}")).text
        assert "from alice" in page
        assert "from bob" not in page
        assert await app.count("notifications") == 1


async def test_a_reply_is_refused_where_its_author_would_not_show_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        closed = {"canReply": {"always": [ALICE], "approvalRequired": []},
                  "canAnnounce": {"always": [ALICE]}, "canLike": {"always": [ALICE]}}  # fmt: skip
        note = await quotable(app, alice, interactionPolicy=closed, cc=[f"{ALICE}/followers"])

        answer = await app.post(
            "/compose", {"source": "Hi", "visibility": "public", "reply_to": str(note.id)}
        )
        assert answer.status_code == 422
        assert "lets only some people answer" in answer.text
        for act in ("boost", "favourite"):
            assert (await app.post(f"/posts/{note.id}/{act}")).status_code == 422
        assert await sent(app) == []


@pytest.mark.parametrize(
    ("policy", "answer"), [("anyone", "Accept"), ("nobody", "Reject"), ("ask", None)]
)
async def test_who_may_list_the_owner(
    policy: Literal["anyone", "nobody", "ask"], answer: str | None, tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        await profile.set_discovery(app.ctx, tags=[], attribution_domains=[], feature_policy=policy)
        before = len(await sent(app))
        request = {
            "@context": AS2, "id": f"{ALICE}/requests/2", "type": "FeatureRequest",
            "actor": ALICE, "object": US, "instrument": f"{ALICE}/collections/23",
        }  # fmt: skip
        await deliver_anyway(
            app, alice, {**request, "instrument": "https://x.example/collections/23"}
        )
        assert len(await sent(app)) == before

        await app.deliver(alice, request)

        if answer is None:
            (stamp,) = await app.ctx.db.read(
                lambda r: stamps.features_in_state(r, "pending", limit=9)
            )
            await app.post(f"/settings/consent/{stamp.public_id}/agree")
        said = (await sent(app))[-1]
        assert said["type"] == (answer or "Accept")
        if said["type"] == "Accept":
            document = json.loads((await app.asked_by(None, said["result"])).text)
            assert document["type"] == "FeatureAuthorization"
            assert document["interactingObject"] == f"{ALICE}/collections/23"
            assert document["interactionTarget"] == US
