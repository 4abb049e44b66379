"""What a stranger with keys of her own tries on everything that is newer than following and posts.

What succeeds for honest people is tested beside the code; here is what must not.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from microfedi.federation import jobs as jobs_worker
from microfedi.federation import prune
from microfedi.federation.outbox.polls import PollDraft
from microfedi.protocol import alternates, pagecards
from microfedi.protocol.vocab import Visibility
from microfedi.storage import (
    encrypted,
    forwards,
    jobs,
    moves,
    mutes,
    polls,
    quotes,
    reactions,
    reports,
    stamps,
    upkeep,
)
from microfedi.storage.database import Reader, Transaction
from tests.another_server import Answer, RemoteActor
from tests.app_fixture import US, an_app
from tests.federation.inbox.world import (
    OWNER,
    SHARED,
    Document,
    Scene,
    a_create,
    a_mention,
    a_note,
    a_scene,
    an_activity,
)


def _quoting(
    actor: RemoteActor, note_uri: str, number: int, kind: str = "QuoteRequest"
) -> Document:
    """A request to quote or to answer a post, with the post that does so."""
    said = {"quote": note_uri} if kind == "QuoteRequest" else {"inReplyTo": note_uri}
    post = a_note(actor, number, **said)
    return an_activity(kind, actor, note_uri, instrument=post, number=number)


async def _kinds_of_jobs(scene: Scene) -> list[str]:
    rows = (await scene.rows())["jobs"]
    return [str(row[1]) for row in rows if row[1] not in ("refresh", "stale", "prune")]


async def test_a_stranger_has_us_fetch_no_page_of_the_web(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        link = '<p>See <a href="https://victim.example/large">this</a></p>'

        await scene.deliver(
            scene.mallory, a_create(scene.mallory, a_mention(scene.mallory, content=link))
        )

        assert await scene.count("notes") == 1
        assert "preview" not in await _kinds_of_jobs(scene)


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
async def test_a_stranger_has_us_fetch_nothing_by_wrapping_it(kind: str, tmp_path: Path) -> None:
    """The wrapped activity is named like a post of the owner's, and is about something else."""
    async with a_scene(tmp_path) as scene:
        note = await scene.own_note()
        await scene.meet(scene.mallory)
        victim = f"{scene.alice.uri}/notes/1"
        scene.world.serve(victim, a_note(scene.alice))
        inner = {"id": note.uri, "type": kind, "actor": scene.alice.uri, "object": victim}

        async with scene.drops():
            await scene.post(
                scene.mallory, an_activity("Announce", scene.mallory, inner), url=SHARED
            )


async def test_a_request_has_us_fetch_only_from_whom_it_is(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        note = await scene.own_note()
        await scene.meet(scene.mallory)
        request = an_activity(
            "QuoteRequest", scene.mallory, note.uri, instrument="https://victim.example/1"
        )

        await scene.deliver(scene.mallory, request)

        assert scene.world.gets() == []
        assert await scene.count("stamps") == 0


async def test_strangers_do_not_fill_the_queue_of_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("microfedi.federation.quoting.MAX_WAITING", 3)
    monkeypatch.setattr("microfedi.federation.inbox.create.MAX_WAITING", 3)
    async with a_scene(tmp_path) as scene:
        for number in range(8):
            post = a_mention(
                scene.mallory,
                number,
                quote=f"https://victim.example/{number}",
                inReplyTo=f"https://victim.example/to/{number}",
            )
            await scene.deliver(scene.mallory, a_create(scene.mallory, post))

        assert await scene.count("notes") == 8
        assert sorted(await _kinds_of_jobs(scene)) == ["quote"] * 3 + ["thread"] * 3


async def test_jobs_of_a_kind_are_bounded(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:

        def change(tx: Transaction) -> None:
            for number in range(5):
                jobs.add(tx, "preview", str(number), due_at=scene.clock(), most=2)
            jobs.add(tx, "quote", "1", due_at=scene.clock(), most=2)
            # What waits already can still be hastened.
            jobs.add(tx, "preview", "0", due_at=scene.clock() - timedelta(hours=1), most=2)

        await scene.ctx.db.write(change)
        assert await scene.count("jobs") == 3
        assert await scene.ctx.db.read(jobs.next_due) == scene.clock() - timedelta(hours=1)


async def test_requests_to_quote_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "MAX_OF_ONE", 3)
    async with a_scene(tmp_path) as scene:
        note = await scene.own_note()
        await scene.set_preferences(quote_policy="ask")
        for number in range(6):
            await scene.deliver(scene.mallory, _quoting(scene.mallory, note.uri, number))
        assert await scene.count("stamps") == 3

        await scene.deliver(scene.alice, _quoting(scene.alice, note.uri, 1))
        assert await scene.count("stamps") == 4

        monkeypatch.setattr(stamps, "MAX_OF_NOTE", 4)
        await scene.deliver(scene.bob, _quoting(scene.bob, note.uri, 1))
        assert await scene.count("stamps") == 4
        # What was asked before is answered again.
        again = _quoting(scene.alice, note.uri, 1) | {"id": "https://vic.example/again"}
        await scene.deliver(scene.alice, again)
        assert await scene.count("stamps") == 4


async def test_requests_to_list_the_owner_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "MAX_FEATURES_OF_ONE", 2)
    async with a_scene(tmp_path) as scene:
        for number in range(5):
            request = an_activity(
                "FeatureRequest",
                scene.mallory,
                OWNER,
                instrument=f"{scene.mallory.uri}/lists/{number}",
                number=number,
            )
            await scene.deliver(scene.mallory, request)
        assert await scene.count("feature_stamps") == 2


async def test_reports_of_one_do_not_push_out_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MAX_OF_ONE", 3)
    monkeypatch.setattr(reports, "MAX_KEPT", 5)
    async with a_scene(tmp_path) as scene:
        honest = an_activity("Flag", scene.alice, [OWNER], content="listen")
        await scene.deliver(scene.alice, honest)
        for number in range(10):
            junk = an_activity("Flag", scene.mallory, [OWNER], content="junk", number=number)
            await scene.deliver(scene.mallory, junk)

        found = await scene.ctx.db.read(lambda r: reports.page(r, limit=20))
        assert [one.content for one in found] == ["junk"] * 3 + ["listen"]


async def test_reactions_to_a_post_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactions, "MAX_OF_NOTE", 2)
    async with a_scene(tmp_path) as scene:
        note = await scene.own_note()
        for number in range(5):
            like = an_activity("Like", scene.mallory, note.uri, content=chr(0x1F600 + number))
            await scene.deliver(scene.mallory, like | {"id": f"{scene.mallory.uri}/likes/{number}"})
        assert await scene.count("reactions") == 2


async def test_s_150_strangers_do_not_fill_the_disk_with_what_nobody_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encrypted, "MAX_BYTES_OF_ONE", 3000)
    monkeypatch.setattr(encrypted, "MAX_BYTES_OF_STRANGERS", 4000)
    async with a_scene(tmp_path) as scene:

        async def send(actor: RemoteActor, number: int) -> None:
            sealed = {
                "id": f"{actor.uri}/mls/{number}",
                "type": "PrivateMessage",
                "attributedTo": actor.uri,
                "to": [OWNER],
                "mediaType": "message/mls",
                "content": "A" * 1000,
            }
            activity = an_activity("Create", actor, sealed, to=[OWNER], number=number)
            await scene.deliver(actor, activity)

        for number in range(5):
            await send(scene.mallory, number)
        of_one = await scene.count("encrypted_objects")
        assert 0 < of_one < 3

        other = scene.world.actor("https://evil.example/users/other")
        for number in range(5):
            await send(other, number)
        of_strangers = await scene.count("encrypted_objects")
        assert of_strangers == 2 < 5

        # What strangers send takes nothing away from those whom the owner follows.
        await scene.follow(scene.alice)
        await send(scene.alice, 1)
        assert await scene.count("encrypted_objects") == of_strangers + 1


async def test_a_quoted_author_does_not_have_us_write_to_all_followers_without_end(
    tmp_path: Path,
) -> None:
    async with a_scene(tmp_path) as scene:
        mallory = await scene.meet(scene.mallory)
        theirs = await scene.note_of(mallory.id, f"{scene.mallory.uri}/notes/1")
        ours = await scene.own_note(quote=theirs.uri)
        request = f"{OWNER}/quote_requests/1"
        now = scene.clock()
        await scene.ctx.db.write(
            lambda tx: quotes.put(tx, ours.id, theirs.uri, "pending", request_uri=request, now=now)
        )

        def answer(kind: str, number: int) -> Document:
            more = {"result": f"{scene.mallory.uri}/stamps/{number}"} if kind == "Accept" else {}
            return an_activity(kind, scene.mallory, request, number=number, **more)

        await scene.deliver(scene.mallory, answer("Accept", 0))
        before = await scene.rows()
        for number in range(1, 6):
            await scene.deliver(scene.mallory, answer("Accept", number))
        assert (await scene.rows())["quotes"] == before["quotes"]
        assert (await scene.rows())["outgoing"] == before["outgoing"]

        # Her no counts; a yes after it does not, nobody has asked again.
        await scene.deliver(scene.mallory, answer("Reject", 10))
        after = (await scene.rows())["quotes"]
        await scene.deliver(scene.mallory, answer("Accept", 11))
        assert (await scene.rows())["quotes"] == after


async def test_people_are_not_forgotten_while_something_of_theirs_is_here(tmp_path: Path) -> None:
    """Their stamps would be gone, their votes could be cast again, their messages lost."""
    async with a_scene(tmp_path) as scene:
        note = await scene.own_note()
        await scene.deliver(scene.mallory, _quoting(scene.mallory, note.uri, 1))
        like = an_activity("Like", scene.alice, note.uri, content="🔥")
        await scene.deliver(scene.alice, like)
        await scene.meet(scene.frank)
        await scene.ctx.db.write(lambda tx: tx.run("DELETE FROM notifications", {}))
        scene.clock.forward(days=60)

        await scene.ctx.db.write(lambda tx: upkeep.drop_actors(tx, scene.clock()))

        def uris(reader: Reader) -> set[str]:
            return {row["uri"] for row in reader.all("SELECT uri FROM actors")}

        left = await scene.ctx.db.read(uris)
        assert {scene.mallory.uri, scene.alice.uri} <= left
        assert scene.frank.uri not in left
        assert await scene.count("stamps") == 1
        assert await scene.count("reactions") == 1


async def test_made_up_deletions_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "MAX_TOMBSTONES", 2)
    async with a_scene(tmp_path) as scene:
        await scene.follow(scene.mallory)
        for number in range(5):
            scene.clock.forward(seconds=1)
            uri = f"{scene.mallory.uri}/notes/{number}"
            await scene.deliver(
                scene.mallory, an_activity("Delete", scene.mallory, uri, number=number)
            )
        assert await scene.count("tombstones") == 5

        await scene.ctx.db.write(lambda tx: upkeep.drop_tombstones(tx, scene.clock()))
        left = {row[0] for row in (await scene.rows())["tombstones"]}
        assert left <= {f"{scene.mallory.uri}/notes/{number}" for number in (3, 4)}


BROKEN_PAGES = ("<![<![", "<!--", "<![CDATA[", "<!doctype [<", "<?", "</", "&#x", "<a <a", "<![if")


@pytest.mark.parametrize("piece", BROKEN_PAGES)
def test_no_page_breaks_its_reader(piece: str) -> None:
    page = f"<title>T</title>{piece}{piece * 50}"
    assert pagecards.read(page, "https://evil.example/").title == "T"
    assert alternates.in_page(page) is None


async def test_a_broken_page_is_read_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.world.serve(
            "https://evil.example/page", Answer(body=b"<![<![<", content_type="text/html")
        )
        await jobs_worker.JOBS["preview"](app.ctx, "https://evil.example/page")
        assert await app.count("previews") == 1

        # The owner looks for it: that it is nothing is said, in a page.
        await app.login()
        answer = await app.post("/search", {"q": "https://evil.example/page"}, page="/search")
        assert answer.status_code < 500


SOME_DIGEST = "1" * 64  # of followers, which is not ours


async def test_a_blocked_sender_has_us_ask_nothing_by_an_encrypted_object(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        mallory = await scene.meet(scene.mallory)
        await scene.ctx.db.write(
            lambda tx: tx.run(
                "INSERT INTO blocked_actors (actor_id, created_at) VALUES (:id, '')",
                {"id": mallory.id},
            )
        )
        sealed = {
            "id": f"{scene.mallory.uri}/mls/1",
            "type": "PrivateMessage",
            "attributedTo": scene.mallory.uri,
            "to": [OWNER],
            "content": "AAAA",
        }
        activity = an_activity("Create", scene.mallory, sealed, to=[OWNER])
        header = (
            f'collectionId="{scene.mallory.uri}/followers", '
            f'url="{scene.mallory.uri}/sync", digest="{SOME_DIGEST}"'
        )
        await _send_with(scene, scene.mallory, activity, header)

        assert await scene.count("encrypted_objects") == 1
        assert "synchronize" not in await _kinds_of_jobs(scene)


async def _send_with(scene: Scene, actor: RemoteActor, doc: Any, header: str) -> None:
    body = json.dumps(doc).encode()
    url = f"{OWNER}/inbox"
    headers = actor.signed_headers("POST", url, body, now=scene.clock())
    answer = await scene.send(body, {**headers, "Collection-Synchronization": header})
    assert answer.status_code == 202
    await scene.process()


async def test_s_054_nobody_votes_again_by_leaving_and_coming_back(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        mallory = app.world.actor("https://evil.example/users/mallory")
        draft = PollDraft(("tea", "coffee"), is_multiple=False, lasts=timedelta(days=1))
        note = await app.publish("Which?", poll=draft)

        for number in range(3):
            vote = {
                "id": f"{mallory.uri}/votes/{number}",
                "type": "Note",
                "attributedTo": mallory.uri,
                "to": [US],
                "name": "tea",
                "inReplyTo": note.uri,
            }
            create = an_activity("Create", mallory, vote, to=[US], number=number)
            await app.deliver(mallory, create)
            gone = an_activity("Delete", mallory, mallory.uri, number=number)
            await app.deliver(mallory, gone)

        standing = await app.ctx.db.read(lambda r: polls.standing(r, note.id))
        assert standing is not None
        assert (standing.counts, standing.voters) == ((1, 0), 1)


async def test_s_054_who_may_not_see_a_poll_does_not_vote(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor("https://vic.example/users/alice")
        mallory = app.world.actor("https://evil.example/users/mallory")
        await app.followed_by(alice)
        await app.meet(mallory)
        draft = PollDraft(("tea", "coffee"), is_multiple=False, lasts=timedelta(days=1))
        note = await app.publish("Which?", Visibility.FOLLOWERS, poll=draft)
        counted = []
        for voter in (mallory, alice):
            vote = {
                "id": f"{voter.uri}/votes/1",
                "type": "Note",
                "attributedTo": voter.uri,
                "to": [US],
                "name": "tea",
                "inReplyTo": note.uri,
            }
            await app.deliver(voter, an_activity("Create", voter, vote, to=[US]))
            standing = await app.ctx.db.read(lambda r: polls.standing(r, note.id))
            assert standing is not None
            counted.append(standing.voters)
        assert counted == [0, 1]


async def test_nobody_is_heard_again_by_leaving_and_coming_back(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        met = await scene.meet(scene.mallory)
        now = scene.clock()

        def change(tx: Transaction) -> None:
            mutes.mute_actor(tx, met.id, until=None, now=now, with_notifications=True)
            forwards.add(tx, met.id, now)

        await scene.ctx.db.write(change)
        gone = an_activity("Delete", scene.mallory, scene.mallory.uri)
        await scene.deliver(scene.mallory, gone)

        assert await scene.count("muted_actors") == 1
        assert await scene.ctx.db.read(lambda r: forwards.counts(r, met.id, now)) == (1, 1)


async def test_answers_of_strangers_do_not_fill_the_disk(tmp_path: Path) -> None:
    """What stands in a thread of the owner's stays, unless it is that or a full disk."""
    async with a_scene(tmp_path) as scene:
        ours = await scene.own_note()
        mallory, alice = await scene.meet(scene.mallory), await scene.follow(scene.alice)
        answered = await scene.note_of(mallory.id, f"{scene.mallory.uri}/1", in_reply_to=ours.uri)
        await scene.own_note("x2", in_reply_to=answered.uri)
        junk = await scene.note_of(mallory.id, f"{scene.mallory.uri}/2", in_reply_to=ours.uri)
        friend = await scene.note_of(alice.id, f"{scene.alice.uri}/1", in_reply_to=ours.uri)
        scene.clock.forward(days=10)

        await prune.keep_to_budget(scene.ctx, 10**9)
        assert await scene.count("notes") == 5

        await prune.keep_to_budget(scene.ctx, 1)
        assert await scene.note(junk.uri) is None
        for kept in (ours, answered, friend):
            assert await scene.note(kept.uri) is not None


async def test_a_poll_of_hundreds_does_not_fill_the_page(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        mallory = app.world.actor("https://evil.example/users/mallory")
        await app.follow(mallory)
        most = 2**53 - 1
        options = [
            {
                "type": "Note",
                "name": f"<b>\u202e{number}</b>" + "x" * 600,
                "replies": {"type": "Collection", "totalItems": most},
            }
            for number in range(600)
        ]
        ends = {"endTime": "9998-12-31T23:59:59-12:00", "votersCount": most}
        await app.theirs(mallory, type="Question", oneOf=options, **ends)

        page = await app.get("/home")

        assert page.status_code == 200
        assert page.text.count('type="radio"') == 50
        assert len(page.text) < 100_000
        assert "\u202e" not in page.text
        assert "<b>0" not in page.text


async def test_s_050_who_has_just_moved_has_us_ask_nobody(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        alice = await scene.follow(scene.alice)
        now = scene.clock()
        await scene.ctx.db.write(lambda tx: moves.put(tx, alice.id, "https://b.example/1", now))

        for number in range(5):
            target = f"https://victim.example/users/{number}"
            move = an_activity("Move", scene.alice, scene.alice.uri, target=target, number=number)
            await scene.deliver(scene.alice, move)

        assert scene.world.gets() == []
