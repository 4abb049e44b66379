"""kill -9 at the worst moments: what was answered with 2xx is there, what was published arrives."""

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from microfedi.demo import Instance, Visitor
from microfedi.protocol import instants, sanitize
from tests.e2e.crowd import AS2, Crowd, a_crowd

pytestmark = pytest.mark.timeout(240)

SENDERS = 8
POSTS = 400  # of the flood, if nobody stopped it
ENOUGH = 120  # answers after which the power goes
FOLLOWERS = 60
PATIENCE_S = 90.0  # after a restart, deliveries wait for the leases of the dead process
POLL_S = 0.1


async def posted(
    client: httpx2.AsyncClient, at: Instance, crowd: Crowd, number: int, activity: dict[str, Any]
) -> bool:
    """Send an activity to the owner's inbox; True if it was answered with 2xx."""
    inbox = f"{at.base_url}/users/{at.name}/inbox"
    body, headers = crowd.signed(number, inbox, activity)
    try:
        answer = await client.post(
            f"http://127.0.0.1:{at.port}/users/{at.name}/inbox", content=body, headers=headers
        )
    except httpx2.TransportError:
        return False
    return answer.is_success


def stored(at: Instance) -> set[str]:
    """Return the ids of the posts in the database, looked at from outside."""
    path = at.data_dir / "microfedi.db"
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return {uri for (uri,) in connection.execute("SELECT uri FROM notes")}
    finally:
        connection.close()


def pass_a_day(at: Instance) -> None:
    """Let the message that waits be due: as if its server had been down for a day."""
    then = instants.to_text(datetime.now(UTC) - timedelta(minutes=1))
    with contextlib.closing(sqlite3.connect(at.data_dir / "microfedi.db")) as database, database:
        for change in (
            "UPDATE scheduled_messages SET send_at = ?",
            "UPDATE jobs SET due_at = ? WHERE kind = 'send_message'",
        ):
            assert database.execute(change, (then,)).rowcount == 1


def said(crowd: Crowd) -> list[str]:
    """Return the texts of the notes that came, each time they came."""
    return [
        sanitize.text(one["object"]["content"])
        for activities in crowd.inboxes.values()
        for one in activities
        if one["type"] == "Create"
    ]


async def test_nothing_answered_with_2xx_is_lost_in_a_flood(tmp_path: Path) -> None:
    alice = Instance("alice", tmp_path / "alice")
    await alice.prepare()
    owner = f"{alice.base_url}/users/alice"
    accepted: set[str] = set()
    async with a_crowd() as crowd, httpx2.AsyncClient(timeout=20) as client:
        await alice.start()
        try:
            enough = asyncio.Event()
            numbers = iter(range(POSTS))

            async def sender(who: int) -> None:
                for number in numbers:
                    uri = f"{crowd.uri(who)}/notes/{number}"
                    note = {
                        "id": uri,
                        "type": "Note",
                        "attributedTo": crowd.uri(who),
                        "content": f"<p>Number {number}</p>",
                        "to": [owner, f"{AS2}#Public"],
                    }
                    create = {"id": f"{uri}/create", "type": "Create", "object": note}
                    if await posted(client, alice, crowd, who, {**create, "to": note["to"]}):
                        accepted.add(uri)
                    if len(accepted) >= ENOUGH:
                        enough.set()
                    if alice.process is None:
                        return

            senders = [asyncio.create_task(sender(who)) for who in range(SENDERS)]
            await asyncio.wait_for(enough.wait(), PATIENCE_S)
            await alice.kill9()
            await asyncio.gather(*senders)
            assert ENOUGH <= len(accepted) < POSTS

            await alice.start()

            async with asyncio.timeout(PATIENCE_S):
                # Another process writes: there is no event to wait for.
                while not accepted <= await asyncio.to_thread(stored, alice):  # noqa: ASYNC110
                    await asyncio.sleep(POLL_S)
        finally:
            await alice.kill9()


async def test_every_followers_inbox_gets_the_post_though_the_server_is_killed(
    tmp_path: Path,
) -> None:
    alice = Instance("alice", tmp_path / "alice")
    await alice.prepare()
    owner = f"{alice.base_url}/users/alice"
    async with a_crowd() as crowd, httpx2.AsyncClient(timeout=20) as client:
        await alice.start()
        try:
            for number in range(FOLLOWERS):
                uri = f"{crowd.uri(number)}/follows/1"
                follow = {"id": uri, "type": "Follow", "object": owner}
                assert await posted(client, alice, crowd, number, follow)
            assert len(await crowd.until(FOLLOWERS, "Accept", within_s=PATIENCE_S)) == FOLLOWERS
            visitor = Visitor(alice)
            await visitor.log_in()
            await visitor.post("To all of you.")
            some = await crowd.until(5, "Create", within_s=PATIENCE_S)
            await alice.kill9()
            assert 5 <= len(some) <= len(crowd.with_type("Create"))

            await alice.start()

            got = await crowd.until(FOLLOWERS, "Create", within_s=PATIENCE_S)
        finally:
            await alice.kill9()
    assert len(got) == FOLLOWERS


async def test_a_message_whose_time_came_while_the_server_was_dead_is_sent(
    tmp_path: Path,
) -> None:
    alice = Instance("alice", tmp_path / "alice")
    await alice.prepare()
    async with a_crowd() as crowd:
        await alice.start()
        try:
            visitor = Visitor(alice)
            await visitor.log_in()
            address = f"@p@p0.localhost:{crowd.port}"
            person = (await visitor.find(address)).rpartition("/")[2]
            answer = await visitor.submit(
                "/messages/new", "/messages/new", to=address, source="Now.", person=person
            )
            talk = answer.headers["location"].partition("#")[0]
            assert await crowd.until(1, "Create", within_s=PATIENCE_S)
            tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M}"
            await visitor.submit(talk, talk, source="Later.", at=tomorrow)
            await alice.kill9()
            pass_a_day(alice)
            crowd.inboxes.clear()

            await alice.start()  # nobody is logged in: the vault is locked

            assert await crowd.until(1, "Create", within_s=PATIENCE_S)
            await alice.kill9()
            assert said(crowd) == ["Later."]
            with contextlib.closing(sqlite3.connect(alice.data_dir / "microfedi.db")) as database:
                assert database.execute("SELECT * FROM scheduled_messages").fetchall() == []
                sealed = database.execute("SELECT body_sealed FROM messages").fetchall()
            assert [one[:1] for (one,) in sealed] == [b"\x02", b"\x02"]  # by the vault
        finally:
            await alice.kill9()
