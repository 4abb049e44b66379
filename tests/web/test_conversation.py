"""A conversation: who can read it, what a name in the text does, files, drafts, fading, muting."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from microfedi.federation import jobs
from microfedi.federation.outbox import conversations as outbox
from microfedi.storage import actor_events, conversations, deliveries, files, message_heads
from microfedi.storage.database import Reader, Transaction
from tests.another_server import RemoteActor
from tests.app_fixture import HANDLE, US, App, an_app, texts
from tests.federation.outbox.world import sent
from tests.federation.test_media_cache import a_png

ALICE = "https://vic.example/users/alice"
BOB = "https://fol.example/users/bob"
CLEO = "https://c.example/users/cleo"


async def work(app: App) -> None:
    """Do the jobs that are due, and what comes of them."""
    worker = jobs.JobsWorker(app.ctx)
    for _ in range(10):
        await worker.turn()
        if worker.is_idle:
            return
        while not worker.is_idle:
            app.ctx.wake.jobs.clear()
            await app.ctx.wake.jobs.wait()


async def writes(app: App, sender: RemoteActor, text: str, **fields: object) -> str:
    """Have a message for the owner arrive."""
    return await app.theirs(sender, **{"to": [US], "cc": [], "content": f"<p>{text}</p>", **fields})


async def talk_with(app: App, *people: str) -> str:
    """Begin a conversation; return its address."""
    met = [await app.meet(app.world.actor(uri)) for uri in people]
    message = await app.message([one.id for one in met], "the-first-word")
    return f"/messages/{message.conversation_id}"


async def test_it_says_which_people_and_which_servers_could_read(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await talk_with(app, ALICE, BOB)
        await app.login()

        page = texts(await app.get(talk))
        assert "Can be read by Alice and Bob – and by the operators of fol.example and" in page
        assert "vic.example" in page
        assert 'name="visibility"' not in (await app.get(talk)).text

        # With other people it is said anew, before anything is sent.
        asked = await app.post(
            "/messages/new", {"to": "@alice@vic.example @cleo@c.example", "source": "x"}
        )
        assert asked.status_code == 422  # nobody of that name
        app.world.actor(CLEO)
        asked = await app.post(
            "/messages/new", {"to": "@alice@vic.example @cleo@c.example", "source": "x"}
        )
        assert "operators of c.example and vic.example" in texts(asked)
        assert await app.count("messages") == 1


async def test_a_server_that_only_has_the_inbox_is_named_too(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        split = app.world.actor(ALICE, inbox="https://inboxes.vic.example/alice")
        met = await app.meet(split)
        message = await app.message([met.id], "x")
        await app.login()

        page = texts(await app.get(f"/messages/{message.conversation_id}"))
        assert "operators of inboxes.vic.example and vic.example" in page


async def test_a_name_in_the_text_adds_nobody_and_is_said(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await talk_with(app, ALICE)
        app.world.actor(CLEO)
        await app.login()
        text = "I met @cleo@c.example and @alice@vic.example"

        told = await app.post(talk, {"source": text})
        assert "@cleo@c.example is not part of this conversation and will not get it" in texts(told)
        assert "@alice@vic.example is not part" not in texts(told)
        assert await app.count("messages") == 1

        # Told of one, the owner has not been told of another.
        changed = await app.post(
            talk, {"source": f"{text} @dan@d.example", "as_text": "@cleo@c.example"}
        )
        assert "@dan@d.example" in texts(changed)
        assert await app.count("messages") == 1

        done = await app.post(talk, {"source": text, "as_text": "@cleo@c.example"})
        assert done.status_code == 303
        *_, create = await sent(app.ctx)
        assert create.object["to"] == [ALICE]
        assert [tag["href"] for tag in create.object["tag"]] == [ALICE]
        assert "https://c.example" not in create.object["content"]
        assert create.inboxes == {f"{ALICE}/inbox"}


async def test_adding_somebody_is_a_conversation_of_its_own(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await talk_with(app, ALICE)
        app.world.actor(CLEO)
        await app.login()

        asked = await app.post(
            "/messages/new",
            {"to": "@alice@vic.example", "also": "@cleo@c.example", "source": "Hi @cleo@c.example"},
        )
        people = re.findall(r'name="person" value="(\d+)"', asked.text)
        assert len(people) == 2
        assert await app.count("messages") == 1
        done = await app.post(
            "/messages/new",
            {"to": "@alice@vic.example @cleo@c.example", "source": "Hi", "person": people},
        )
        new = done.headers["location"].partition("#")[0]
        assert new != talk
        assert "the-first-word" not in (await app.get(new)).text
        assert "A conversation keeps its people for ever" in texts(await app.get(f"{talk}/details"))
        prefilled = (await app.get(f"/messages/new?with={talk.rpartition('/')[2]}")).text
        assert 'value="@alice@vic.example"' in prefilled


async def test_pictures_have_descriptions_and_a_warning_and_stay_when_edited(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        talk = await talk_with(app, ALICE)
        await app.login()

        answer = await app.post(
            talk,
            {"source": "", "alt": "A red square", "summary": "Colours"},
            files=[("picture", ("a.png", a_png(), "image/png"))],
        )
        assert answer.status_code == 303
        page = (await app.get(talk)).text
        assert 'alt="A red square"' in page
        assert "Colours</summary>" in page
        *_, create = await sent(app.ctx)
        assert create.object["summary"] == "Colours"
        assert create.object["sensitive"] is True
        assert create.object["attachment"][0]["name"] == "A red square"
        (stored,) = files.names(app.ctx.config.media_dir)
        assert a_png()[:8] not in (app.ctx.config.media_dir / stored).read_bytes()[:64]

        (number,) = set(re.findall(rf'href="{talk}/(\d+)"', page)) - await first(app, talk)
        await app.post(f"{talk}/{number}/edit", {"source": "Better", "summary": "Hues"})
        *_, update = await sent(app.ctx)
        assert update.object["attachment"] == create.object["attachment"]
        assert update.object["summary"] == "Hues"
        one = texts(await app.get(f"{talk}/{number}"))
        assert "Hues" in one
        assert "What it said before" in one
        assert "Colours" in one

        await app.post(f"{talk}/{number}/delete")
        await work(app)
        assert files.names(app.ctx.config.media_dir) == set()
        *_, delete = await sent(app.ctx)
        assert (delete.type, delete.inboxes) == ("Delete", {f"{ALICE}/inbox"})
        assert await app.count("message_versions") == 0


async def first(app: App, talk: str) -> set[str]:
    """The number of the first message of a conversation."""
    number = int(talk.rpartition("/")[2])
    found = await app.ctx.db.read(lambda r: message_heads.ids_of(r, number))
    return {str(min(found))}


async def test_what_is_typed_is_kept_sealed_until_it_is_sent(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await talk_with(app, ALICE)
        await app.login()

        await app.post(f"{talk}/draft", {"source": "half-a-thought", "summary": "Hmm"})
        await app.post(
            "/messages/new/draft", {"to": "@bob@fol.example", "source": "another-thought"}
        )
        assert "half-a-thought</textarea>" in (await app.get(talk)).text
        assert 'value="Hmm"' in (await app.get(talk)).text
        assert "another-thought</textarea>" in (await app.get("/messages/new")).text
        listed = texts(await app.get("/messages"))
        assert "Draft" in listed
        assert "You have begun a new message" in listed
        raw = b"".join(path.read_bytes() for path in app.data_dir.glob("microfedi.db*"))
        assert b"thought" not in raw

        # The script is answered without a page.
        token = await app.token(talk)
        quiet = await app.client.post(
            f"{talk}/draft",
            data={"csrf": token, "source": "whole"},
            headers={"sec-fetch-dest": "empty"},
        )
        assert (quiet.status_code, quiet.content) == (204, b"")

        await app.post(talk, {"source": "whole"})
        assert "whole</textarea>" not in (await app.get(talk)).text
        await app.post("/messages/new/draft", {"to": "", "source": " "})
        assert await app.count("message_drafts") == 0


async def test_messages_fade_here_and_are_taken_back_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        talk = await talk_with(app, ALICE)
        await writes(app, alice, "their-old-word")
        app.clock.forward(days=6)
        await writes(app, alice, "their-new-word")
        await app.login()

        assert (await app.post(f"{talk}/kept", {"days": "8"})).status_code == 422
        assert (await app.post(f"{talk}/kept", {"days": "7"})).status_code == 303
        assert "deleted here after 7 days" in texts(await app.get(talk))
        await work(app)
        assert await app.count("messages") == 3

        app.clock.forward(days=1, minutes=1)
        before = len(await sent(app.ctx))
        await outbox.expire(app.ctx, "")
        await outbox.expire(app.ctx, "")  # as after a restart
        await work(app)
        await app.unlock()
        page = (await app.get(talk)).text
        assert "the-first-word" not in page
        assert "their-old-word" not in page
        assert "their-new-word" in page
        deletes = (await sent(app.ctx))[before:]
        assert [(one.type, one.inboxes) for one in deletes] == [("Delete", {f"{ALICE}/inbox"})]

        # The others' late copy does not come back, and never again is nothing deleted.
        await app.post(f"{talk}/kept", {"days": ""})
        app.clock.forward(days=200)
        await outbox.expire(app.ctx, "")
        assert await app.count("messages") == 1


async def test_a_muted_conversation_is_kept_and_counts_nowhere(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        talk = await talk_with(app, ALICE)
        number = int(talk.rpartition("/")[2])
        await app.login()
        met = await app.meet(alice)

        def told(reader: Reader) -> tuple[int, bool]:
            now = app.clock.now
            return (
                conversations.unread(reader, now=now),
                conversations.tells(reader, number, met.id, now=now),
            )

        await app.post(f"{talk}/mute", {"lasts": "3600"})
        await writes(app, alice, "psst")
        assert await app.ctx.db.read(told) == (0, False)
        assert "psst" in (await app.get("/messages")).text
        assert "Muted until" in texts(await app.get(talk))
        await app.post(f"{talk}/unread")
        app.clock.forward(hours=1)
        assert await app.ctx.db.read(told) == (1, True)
        await app.post(f"{talk}/mute", {"lasts": "0"})
        app.clock.forward(hours=9)
        assert await app.ctx.db.read(told) == (0, False)
        await app.post(f"{talk}/unmute")
        assert await app.ctx.db.read(told) == (1, True)


async def test_days_what_is_new_and_what_did_not_arrive(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        talk = await talk_with(app, ALICE)
        app.clock.forward(days=1)
        await writes(app, alice, "on-another-day")
        await app.login()

        page = (await app.get(talk)).text
        assert page.index("Yesterday") < page.index("the-first-word")
        assert page.index("the-first-word") < page.index("Today") < page.index('id="unread"')
        assert page.index('id="unread"') < page.index("on-another-day")
        assert 'id="unread"' not in (await app.get(talk)).text


async def test_it_says_whether_it_got_there(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await talk_with(app, ALICE)
        await app.login()
        now = app.clock.now

        def fails(tx: Transaction) -> None:
            (one,) = deliveries.claim_due(
                tx, now=now, lease=timedelta(minutes=1), limit=1, slow=False
            )
            deliveries.host_failed(tx, one, is_slow=False, problem="dns", now=now, chance=0.5)

        assert "on its way" in texts(await app.get(talk))
        await app.ctx.db.write(fails)
        assert "not delivered yet to vic.example" in texts(await app.get(talk))
        (number,) = await first(app, talk)
        assert "vic.example does not answer since" in texts(await app.get(f"{talk}/{number}"))

        host = await app.ctx.db.read(lambda r: r.value("SELECT host_id FROM deliveries"))
        await app.ctx.db.write(lambda tx: deliveries.drop_host(tx, host, problem="dns", now=now))
        assert "not delivered to vic.example" in texts(await app.get(talk))
        assert "did not take it" in texts(await app.get(f"{talk}/{number}"))


async def test_what_got_there_leaves_no_receipt(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await talk_with(app, ALICE)
        await app.login()
        now = app.clock.now

        def arrives(tx: Transaction) -> None:
            (one,) = deliveries.claim_due(
                tx, now=now, lease=timedelta(minutes=1), limit=1, slow=False
            )
            deliveries.delivered(tx, one, is_slow=False, now=now)

        await app.ctx.db.write(arrives)
        assert await app.count("outgoing") == 0
        page = texts(await app.get(talk))
        assert "on its way" not in page
        (number,) = await first(app, talk)
        assert "Yes, every server took it: vic.example" in texts(await app.get(f"{talk}/{number}"))


async def test_what_changed_of_them_is_said_where_it_happened(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        talk = await talk_with(app, ALICE)
        met = await app.meet(alice)

        def change(kind: actor_events.Kind, detail: str) -> Callable[[Transaction], None]:
            now = app.clock.now
            return lambda tx: actor_events.note(tx, met.id, kind, detail, now)

        app.clock.forward(hours=1)
        await app.ctx.db.write(change("key", ""))
        app.clock.forward(hours=1)
        await writes(app, alice, "send-me-money")
        app.clock.forward(hours=1)
        await app.ctx.db.write(change("inbox", "https://<b>evil</b>.example/inbox"))
        await app.login()

        page = (await app.get(talk)).text
        words = ("the-first-word", "The keys of", "send-me-money", "goes to another place now")
        places = [page.index(one) for one in words]
        assert places == sorted(places)
        assert "<b>evil" not in page

        # What is older than what the page shows is said above it, for some months.
        for number in range(50):
            await writes(app, alice, f"word-{number}")
        page = (await app.get(talk)).text
        assert page.index("The keys of") < page.index("word-0")
        app.clock.forward(days=91)
        await app.login()
        assert "The keys of" not in (await app.get(talk)).text


async def test_pages_of_a_long_conversation(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        talk = await talk_with(app, ALICE)
        for number in range(54):
            await writes(app, alice, f"word-{number}-")
        await app.login()

        newest = (await app.get(talk)).text
        assert "word-53-" in newest
        assert "word-3-" not in newest
        (older,) = re.findall(r'href="(\?before=\d+)#end"', newest)
        page = (await app.get(talk + older)).text
        assert "word-3-" in page
        assert "word-53-" not in page
        assert "data-send" not in page.partition("</main>")[0].partition("Newest messages")[2]
        (newer,) = re.findall(r'href="(\?after=\d+)"', page)
        assert "word-53-" in (await app.get(talk + newer)).text
        assert len(newest.encode()) < 60_000


async def test_an_answer_that_came_to_the_owner_alone_says_which_post(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        post = await app.publish("The lake is frozen")
        await writes(app, alice, "Is it?", inReplyTo=post.uri)
        await app.login()

        (talk,) = set(re.findall(r"/messages/\d+", (await app.get("/messages")).text))
        page = await app.get(talk)
        assert "Answers the post The lake is frozen" in texts(page)
        assert f'href="/@{HANDLE}/{post.public_id}"' in page.text


async def test_a_poll_in_a_message_is_shown_and_not_voted_in(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        await writes(
            app,
            alice,
            "Tea?",
            type="Question",
            oneOf=[{"type": "Note", "name": "Green"}, {"type": "Note", "name": "Black"}],
        )
        await app.login()
        (talk,) = set(re.findall(r"/messages/\d+", (await app.get("/messages")).text))
        page = texts(await app.get(talk))
        assert "Green" in page
        assert "Votes cannot be sent from a message" in page


async def test_a_conversation_is_deleted_for_others_only_if_asked(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        one, two = await talk_with(app, ALICE), await talk_with(app, BOB)
        await app.login()
        before = len(await sent(app.ctx))

        await app.post(f"{one}/remove")
        assert len(await sent(app.ctx)) == before
        await app.post(f"{two}/remove", {"for_others": "1"})
        *_, delete = await sent(app.ctx)
        assert (delete.type, delete.inboxes) == ("Delete", {f"{BOB}/inbox"})
        for path in (one, two, f"{one}/details", f"{one}/1"):
            assert (await app.get(path)).status_code == 404
        assert await app.count("messages") == 0


async def test_a_post_composer_makes_no_message(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.world.actor(ALICE)
        await app.login()
        page = (await app.get("/compose")).text
        assert 'value="direct"' not in page
        for wanted in ("direct", "message", "private"):
            answer = await app.post(
                "/compose", {"source": "@alice@vic.example hi", "visibility": wanted}
            )
            assert answer.status_code == 422
        assert await app.count("messages") == 0
        assert await app.count("outgoing") == 0


def test_how_long_it_may_be_kept_is_what_the_database_takes() -> None:
    assert [timedelta(days=one).days for one in conversations.KEPT_DAYS] == [1, 7, 30, 90]


async def test_what_is_too_long_beside_a_text_does_not_take_it_along(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await talk_with(app, ALICE)
        await app.login()
        for path in (talk, "/messages/new"):
            answer = await app.post(
                path, {"to": "@alice@vic.example", "source": "kept-words", "summary": "x" * 501}
            )
            assert answer.status_code == 422
            assert "At most 500 characters" in texts(answer)
            assert "kept-words" in answer.text
