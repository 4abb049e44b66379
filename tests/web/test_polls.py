"""Polls, from the composer to the last vote, and votes in polls of others."""

import json
from pathlib import Path
from typing import Any

import pytest

from microfedi.federation import counting
from microfedi.storage import notes, polls
from microfedi.storage.notes import Note
from microfedi.storage.polls import Standing
from tests.another_server import RemoteActor
from tests.app_fixture import HANDLE, US, App, an_app

ALICE = "https://vic.example/users/alice"
BOB = "https://vic.example/users/bob"
QUESTION = {
    "source": "Tea?",
    "visibility": "public",
    "option": ["Yes", "No", "", ""],
    "lasts": "3600",
}


async def asked(app: App, **changes: Any) -> Note:
    """Have the owner ask something, with the real form."""
    answer = await app.post("/compose", QUESTION | changes)
    assert answer.status_code == 303, answer.text
    public_id = answer.headers["location"].rpartition("/")[2]
    note = await app.ctx.db.read(lambda r: notes.by_public_id(r, public_id))
    assert note is not None
    return note


def a_vote(voter: RemoteActor, note: Note, name: str, number: int = 1) -> dict[str, Any]:
    """A vote as Mastodon sends it."""
    return {
        "id": f"{voter.uri}#votes/{number}/activity",
        "type": "Create",
        "actor": voter.uri,
        "to": [US],
        "object": {
            "id": f"{voter.uri}#votes/{number}",
            "type": "Note",
            "name": name,
            "attributedTo": voter.uri,
            "inReplyTo": note.uri,
            "to": [US],
        },
    }


async def standing(app: App, note: Note) -> Standing:
    owner_id = app.ctx.owner.actor_id
    found = await app.ctx.db.read(lambda r: polls.standing(r, note.id, voter_id=owner_id))
    assert found is not None
    return found


async def test_a_question_is_asked_and_votes_are_counted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor(BOB)
        note = await asked(app)

        document = json.loads((await app.asked_by(None, note.uri)).text)
        assert document["type"] == "Question"
        assert [one["name"] for one in document["oneOf"]] == ["Yes", "No"]
        assert document["endTime"] == "2026-11-22T13:00:30.000Z"

        await app.deliver(alice, a_vote(alice, note, "Yes"))
        await app.deliver(bob, a_vote(bob, note, "No"))
        assert (await standing(app, note)).counts == (1, 1)
        assert (await standing(app, note)).voters == 2
        page = (await app.get(f"/@{HANDLE}/{note.public_id}")).text
        assert page.count("<b>50%</b>") == 2
        assert "2 people" in page
        # Nobody is told of a vote, and it is no message and no reply.
        assert (await app.count("notifications"), await app.count("messages")) == (0, 0)


@pytest.mark.parametrize("name", ["Maybe", "yes", ""])
async def test_s_054_only_what_is_offered_can_be_chosen(name: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        note = await asked(app)

        await app.deliver(alice, a_vote(alice, note, name))

        assert (await standing(app, note)).counts == (0, 0)


async def test_s_054_one_vote_each_and_none_after_the_end(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor(BOB)
        note = await asked(app)

        for number, name in enumerate(("Yes", "Yes", "No"), 1):
            await app.deliver(alice, a_vote(alice, note, name, number))
        assert (await standing(app, note)).counts == (1, 0)

        app.clock.forward(hours=2)
        await app.deliver(bob, a_vote(bob, note, "No"))
        assert (await standing(app, note)).counts == (1, 0)

        await counting.end(app.ctx, note.uri)
        assert "closed" in (await app.get(f"/@{HANDLE}/{note.public_id}")).text
        document = json.loads((await app.asked_by(None, note.uri)).text)
        assert document["closed"] == "2026-11-22T14:00:30.000Z"
        assert document["votersCount"] == 1


async def test_s_054_nobody_votes_who_may_not_see_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor(BOB)
        await app.followed_by(alice)
        note = await asked(app, visibility="followers")

        await app.deliver(bob, a_vote(bob, note, "No"))
        await app.deliver(alice, a_vote(alice, note, "Yes"))

        assert (await standing(app, note)).counts == (1, 0)
        # What the options say and who chose what stands nowhere in clear.
        stored = repr(await app.rows())
        assert "Yes" not in stored


async def test_s_025_votes_sent_together_are_all_the_voters_own(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor(BOB)
        note = await asked(app, is_multiple="1")

        both = a_vote(bob, note, "Yes", 1)
        both["object"] = [both["object"], a_vote(alice, note, "No", 2)["object"]]
        await app.deliver(bob, both)

        assert (await standing(app, note)).counts == (0, 0)


async def test_several_answers_may_be_chosen_where_it_says_so(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor(BOB)
        note = await asked(app, is_multiple="1")

        await app.deliver(alice, a_vote(alice, note, "Yes"))
        both = a_vote(bob, note, "Yes", 1)
        both["object"] = [both["object"], a_vote(bob, note, "No", 2)["object"]]
        await app.deliver(bob, both)

        found = await standing(app, note)
        assert (found.counts, found.voters) == ((2, 1), 2)


async def test_an_edit_keeps_the_votes(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        note = await asked(app)
        await app.deliver(alice, a_vote(alice, note, "Yes"))

        await app.post(f"/posts/{note.id}/edit", {"source": "Tea or not?"})

        assert (await standing(app, note)).counts == (1, 0)
        await app.deliver(alice, a_vote(alice, note, "No", 2))
        assert (await standing(app, note)).counts == (1, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"option": ["Only", "", ""]}, "two answers"),
        ({"option": ["Same", "same"]}, "are the same"),
        ({"option": ["a" * 101, "b"]}, "characters at most"),
        ({"lasts": "1"}, "5 minutes to 30 days"),
    ],
)
async def test_a_poll_that_cannot_be_is_shown_again(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()

        answer = await app.post("/compose", QUESTION | changes)

        assert answer.status_code == 422
        assert words in answer.text
        assert "Tea?" in answer.text
        assert await app.count("notes") == 0


def theirs(**changes: Any) -> dict[str, Any]:
    """A poll of somebody else's."""
    return {
        "type": "Question",
        "content": "<p>Cake?</p>",
        "oneOf": [
            {"type": "Note", "name": "Yes", "replies": {"type": "Collection", "totalItems": 4}},
            {"type": "Note", "name": "No", "replies": {"type": "Collection", "totalItems": 1}},
        ],
        "endTime": "2026-11-23T12:00:00Z",
        "votersCount": 5,
    } | changes


async def test_the_owner_votes_once_and_only_the_author_is_told(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        uri = await app.theirs(alice, **theirs())
        note = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
        assert note is not None
        page = (await app.get(f"/posts/{note.id}")).text
        assert f'formaction="/posts/{note.id}/vote?key={note.id}-0"' in page

        answer = await app.post(
            f"/posts/{note.id}/vote?key={note.id}-0", {f"vote-{note.id}-0": "1"}
        )

        assert answer.status_code == 303
        found = await standing(app, note)
        assert (found.counts, found.voters, found.chosen) == ((4, 2), 6, frozenset({1}))
        assert "Your vote" in (await app.get(f"/posts/{note.id}")).text
        again = await app.post(f"/posts/{note.id}/vote?key={note.id}-0", {f"vote-{note.id}-0": "0"})
        assert again.status_code == 422
        assert (await standing(app, note)).counts == (4, 2)
        rows = (await app.rows())["deliveries"]
        assert [row[3] for row in rows] == [f"{ALICE}/inbox"]


async def test_a_poll_over_there_ends_and_the_owner_is_told(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        uri = await app.theirs(alice, **theirs())
        note = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
        assert note is not None
        ended = theirs(closed="2026-11-23T12:00:00Z", votersCount=9)
        ended["oneOf"][0]["replies"]["totalItems"] = 8
        app.world.serve(
            uri, {"@context": "https://www.w3.org/ns/activitystreams", "id": uri,
                  "attributedTo": ALICE, "to": ["as:Public"], **ended}
        )  # fmt: skip
        app.clock.forward(days=2)

        await counting.end(app.ctx, uri)

        assert (await standing(app, note)).counts == (8, 1)
        assert "A poll in which you voted has ended" in (await app.get("/notifications")).text


async def test_s_054_only_the_author_says_how_it_stands(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, mallory = app.world.actor(ALICE), app.world.actor("https://evil.example/users/m")
        await app.follow(alice)
        await app.follow(mallory)
        uri = await app.theirs(alice, **theirs())
        note = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
        assert note is not None
        forged = {"id": uri, "attributedTo": ALICE, "to": ["as:Public"], **theirs(votersCount=99)}
        update = {"id": "https://evil.example/u/1", "type": "Update", "actor": mallory.uri}

        url = "https://us.example/inbox"
        body = json.dumps({**update, "object": forged}).encode()
        headers = mallory.signed_headers("POST", url, body, now=app.clock.now)
        await app.browser().post(url, content=body, headers=headers)
        await app.process()

        assert (await standing(app, note)).voters == 5
        said = {**update, "id": "https://vic.example/u/1", "actor": ALICE, "object": forged}
        await app.deliver(alice, said)
        assert (await standing(app, note)).voters == 99
