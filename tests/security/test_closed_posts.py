"""Closed posts and messages: for those they are for, and the same 404 for everybody else.

The words are those of the catalogue: byte by byte what an id gets that was never issued.
"""

import secrets
from pathlib import Path

import httpx2
import pytest

from microfedi.federation.outbox import notes as outbox
from microfedi.protocol.vocab import Visibility
from microfedi.storage import announces, blocks, notes
from microfedi.storage.database import Transaction
from tests.another_server import Answer
from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, PAGE, US, App, an_app

ALICE = "https://vic.example/users/alice"
FRANK = "https://fol.example/users/frank"
MALLORY = "https://evil.example/users/mallory"


def seen(answer: httpx2.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """All that a stranger can tell of an answer."""
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "date"]
    return answer.status_code, headers, answer.content


async def never_issued(app: App, path: str = "", **headers: str) -> httpx2.Response:
    """Ask for a note that never was."""
    return await app.get(f"/users/{HANDLE}/notes/{secrets.token_hex(16)}{path}", **headers)


async def test_s_107_a_closed_note_is_there_for_those_it_is_for_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank, alice = app.world.actor(FRANK), app.world.actor(ALICE)
        await app.followed_by(frank)
        await app.meet(alice)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        assert closed.public_id

        answer = await app.asked_by(frank, closed.uri)

        assert answer.status_code == 200
        assert answer.json()["id"] == closed.uri
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
        nothing = seen(await never_issued(app, **ACTIVITY))
        assert nothing[0] == 404
        for path in ("", "/activity", "/replies", "/replies?page=true", "/likes", "/shares"):
            url = closed.uri + path
            assert (await app.asked_by(frank, url)).status_code == 200, path
            assert seen(await app.asked_by(alice, url)) == nothing, path
            assert seen(await app.asked_by(None, url)) == nothing, path
        page = f"{BASE_URL}/@{HANDLE}/{closed.public_id}"
        assert (await app.asked_by(frank, page)).status_code == 200
        assert seen(await app.asked_by(alice, page)) == nothing


async def test_s_107_a_wrong_signature_opens_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank, mallory = app.world.actor(FRANK), app.world.actor(MALLORY)
        await app.followed_by(frank)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        other = await app.publish("Also for followers", Visibility.FOLLOWERS)
        nothing = seen(await never_issued(app, **ACTIVITY))
        now = app.clock.now
        for signed in (
            # mallory in frank's name; frank's signature for something else; of yesterday
            mallory.signed_headers("GET", closed.uri, now=now, key_id=frank.key_id),
            frank.signed_headers("GET", other.uri, now=now),
            frank.signed_headers("GET", closed.uri, now=now.replace(day=21)),
            {"signature": "nonsense"},
            {"signature": ""},
            {"signature-input": "sig1=()", "signature": "sig1=::"},
        ):
            answer = await app.asked_by(None, closed.uri, **signed)
            assert seen(answer) == nothing, signed


async def test_s_107_whoever_asks_is_looked_up_for_what_is_not_there_too(tmp_path: Path) -> None:
    """Else a stranger would see by the questions at their server what exists here."""
    async with an_app(tmp_path) as app:
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        asked = []
        for number, uri in enumerate((closed.uri, f"{US}/notes/{secrets.token_hex(16)}")):
            stranger = app.world.actor(f"https://evil{number}.example/users/mallory")
            assert (await app.asked_by(stranger, uri)).status_code == 404
            asked.append(len(app.world.gets(stranger.uri)))
        assert asked == [1, 1]


async def test_s_107_a_server_that_hangs_gets_the_same_answer(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        stranger = app.world.actor(MALLORY)
        app.world.serve(MALLORY, Answer(500, content_type=None))
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        nothing = seen(await never_issued(app, **ACTIVITY))
        assert seen(await app.asked_by(stranger, closed.uri)) == nothing


@pytest.mark.parametrize("how", ["person", "server"])
async def test_s_048_the_blocked_find_nothing(tmp_path: Path, how: str) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor(FRANK)
        met = await app.followed_by(frank)
        note = await app.publish("Hello")
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        assert (await app.asked_by(frank, closed.uri)).status_code == 200

        await app.ctx.db.write(
            lambda tx: (
                blocks.block_actor(tx, met.id, app.clock.now)
                if how == "person"
                else blocks.block_host(tx, "fol.example", app.clock.now)
            )
        )

        nothing = seen(await never_issued(app, **ACTIVITY))
        for url in (
            note.uri,
            closed.uri,
            f"{note.uri}/replies",
            f"{US}/outbox",
            f"{US}/outbox?page=true",
            f"{US}/featured",
            f"{US}/followers",
            f"{US}/followers?page=true",
            f"{US}/following",
            f"{US}/following?page=true",
        ):
            assert seen(await app.asked_by(frank, url)) == nothing, url


async def test_s_107_a_message_is_nowhere(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor(FRANK)
        met = await app.followed_by(frank)
        message = await app.message([met.id], "Psst")
        nothing = seen(await never_issued(app, **ACTIVITY))
        page = seen(await never_issued(app, **PAGE))
        assert (await app.get(message.uri.removeprefix(BASE_URL), **ACTIVITY)).status_code == 404
        for path in ("", "/activity", "/replies", "/likes", "/shares"):
            for signer in (None, frank):
                assert seen(await app.asked_by(signer, message.uri + path)) == nothing, path
        assert seen(await app.get(f"/@{HANDLE}/{message.public_id}", **PAGE)) == page


async def test_s_107_gone_is_only_what_was_open(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor(FRANK)
        await app.followed_by(frank)
        opened = await app.publish("Hello")
        quiet = await app.publish("Hello, quietly", Visibility.UNLISTED)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        for note in (opened, quiet, closed):
            await outbox.delete(app.ctx, note.id)

        for note in (opened, quiet):
            gone = await app.get(f"/users/{HANDLE}/notes/{note.public_id}", **ACTIVITY)
            assert gone.status_code == 410
            assert gone.json() == {
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": note.uri,
                "type": "Tombstone",
            }
            page = await app.get(f"/@{HANDLE}/{note.public_id}", **PAGE)
            assert page.status_code == 410
        assert seen(await app.asked_by(frank, closed.uri)) == seen(
            await never_issued(app, **ACTIVITY)
        )
        assert seen(await app.get(f"/@{HANDLE}/{closed.public_id}")) == seen(
            await never_issued(app)
        )


async def test_s_069_a_body_that_comes_with_a_question_is_not_read(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor(FRANK)
        await app.followed_by(frank)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        signed = frank.signed_headers("GET", closed.uri, now=app.clock.now)
        answer = await app.client.request(
            "GET", closed.uri, headers={**ACTIVITY, **signed}, content=b"x" * 5_000_000
        )
        assert answer.status_code == 200


async def test_s_107_somebody_else_on_the_same_server_gets_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor(FRANK)
        await app.followed_by(frank)
        alice = app.world.actor(ALICE)
        met = await app.follow(alice)
        bob = app.world.actor("https://vic.example/users/bob")
        theirs = await app.theirs(alice, to=[f"{ALICE}/followers"], cc=[US])
        answered = await app.ctx.db.read(lambda r: notes.by_uri(r, theirs))
        assert answered is not None
        only = await app.publish("For you", Visibility.LIMITED, in_reply_to=answered.id)
        assert met.uri in only.to

        nothing = seen(await never_issued(app, **ACTIVITY))
        assert (await app.asked_by(alice, only.uri)).status_code == 200
        for other in (bob, frank, app.world.actor(MALLORY), None):
            assert seen(await app.asked_by(other, only.uri)) == nothing


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        PAGE,
        ACTIVITY,
        {"accept": "application/json"},
        {"accept": "image/png"},
        {"accept": "application/activity+json;q=0"},
        {"accept-language": "de"},
        {"if-none-match": "*"},
        {"range": "bytes=0-1"},
        {"origin": "https://evil.example"},
        {"cookie": "__Host-session=made-up"},
    ],
)
async def test_s_107_however_it_is_asked_for(
    method: str, headers: dict[str, str], tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        met = await app.meet(app.world.actor(FRANK))
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        message = await app.message([met.id], "Psst")
        for prefix in (f"/users/{HANDLE}/notes", f"/@{HANDLE}"):
            nothing, first, second = [
                seen(await app.browser().request(method, f"{prefix}/{one}", headers=headers))
                for one in (secrets.token_hex(16), closed.public_id, message.public_id)
            ]
            assert nothing[0] == 404
            assert first == nothing
            assert second == nothing


async def test_s_104_the_outbox_lists_and_counts_open_posts_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor(FRANK)
        met = await app.followed_by(frank)
        listed = [(await app.publish(f"Post {number}")).uri for number in range(41)]
        listed.append((await app.publish("Quiet", Visibility.UNLISTED)).uri)
        await app.publish("For followers", Visibility.FOLLOWERS)
        await app.message([met.id], "Psst")
        for signer in (None, frank):
            collection = (await app.asked_by(signer, f"{US}/outbox")).json()
            assert collection["totalItems"] == 42
            found, url = [], collection["first"]
            for _ in range(3):
                page = (await app.asked_by(signer, url)).json()
                found += [one["object"]["id"] for one in page["orderedItems"]]
                url = page.get("next")
            assert url is None
            assert found == listed[::-1]


async def test_s_104_nor_does_it_list_boosts_that_are_closed_or_of_closed_posts(
    tmp_path: Path,
) -> None:
    """Nothing of ours makes such boosts; an outbox does not rely on that."""
    async with an_app(tmp_path) as app:
        frank = app.world.actor(FRANK)
        await app.follow(frank)
        opened = await app.theirs(frank)
        closed = await app.theirs(frank, to=[f"{FRANK}/followers"], cc=[US])
        for uri, visibility in ((opened, Visibility.FOLLOWERS), (closed, Visibility.PUBLIC)):
            app.clock.forward(seconds=1)

            def boost(tx: Transaction, uri: str = uri, visibility: Visibility = visibility) -> None:
                note = notes.by_uri(tx, uri)
                assert note is not None
                announces.add(
                    tx,
                    uri=f"{US}/boosts/{note.id}",
                    note_id=note.id,
                    actor_id=app.ctx.owner.actor_id,
                    visibility=visibility,
                    published_at=app.clock.now,
                    public_id=f"boost{note.id}",
                    now=app.clock.now,
                )

            await app.ctx.db.write(boost)
        assert await app.count("announces") == 2
        collection = (await app.asked_by(None, f"{US}/outbox")).json()
        page = await app.asked_by(None, collection["first"])
        assert (collection["totalItems"], page.json()["orderedItems"]) == (0, [])
        profile = (await app.browser().get(f"/@{HANDLE}")).text
        assert FRANK not in profile


async def test_s_105_what_hangs_under_an_open_post_shows_and_counts_no_closed_ones(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor(FRANK)
        await app.follow(frank)
        post = await app.publish("Hello")
        paths = [
            f"/users/{HANDLE}/notes/{post.public_id}{end}"
            for end in ("", "/activity", "/replies", "/replies?page=true", "/likes", "/shares")
        ]
        paths += [f"/users/{HANDLE}/{end}" for end in ("featured", "followers", "following")]
        paths.append(f"/@{HANDLE}/{post.public_id}")
        before = [(await app.get(path)).content for path in paths]

        await app.publish("Closed", Visibility.FOLLOWERS, in_reply_to=post.id)
        await app.theirs(frank, inReplyTo=post.uri, to=[f"{FRANK}/followers"], cc=[US])
        await app.theirs(frank, inReplyTo=post.uri, to=[US], cc=[])

        app.clock.now = app.clock.now.replace(second=1)
        assert [(await app.get(path)).content for path in paths] == before


async def test_s_106_no_closed_post_on_any_page_or_feed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        met = await app.followed_by(app.world.actor(FRANK))
        await app.publish("Open words #bread")
        await app.publish("Quiet words #bread", Visibility.UNLISTED)
        await app.publish("Closed words #bread", Visibility.FOLLOWERS)
        await app.message([met.id], "Secret words #bread")
        shown = {
            path: [
                word
                for word in ("Open", "Quiet", "Closed", "Secret")
                if f"{word} words" in (await app.get(path)).text
            ]
            for path in (
                f"/@{HANDLE}",
                f"/@{HANDLE}?show=replies",
                f"/@{HANDLE}?show=media",
                f"/@{HANDLE}?show=about",
                f"/@{HANDLE}/feed.atom",
                f"/@{HANDLE}/feed.json",
                "/tags/bread",
                "/tags/bread/feed.atom",
                "/tags/bread/feed.json",
                "/search?q=words",
            )
        }
        assert shown == {
            f"/@{HANDLE}": ["Open", "Quiet"],
            f"/@{HANDLE}?show=replies": ["Open", "Quiet"],
            f"/@{HANDLE}?show=media": [],
            f"/@{HANDLE}?show=about": [],
            f"/@{HANDLE}/feed.atom": ["Open"],
            f"/@{HANDLE}/feed.json": ["Open"],
            "/tags/bread": ["Open"],
            "/tags/bread/feed.atom": ["Open"],
            "/tags/bread/feed.json": ["Open"],
            "/search?q=words": [],
        }
        assert (await app.get("/sitemap.xml")).status_code == 404
        assert (await app.get("/api/oembed")).status_code == 404
