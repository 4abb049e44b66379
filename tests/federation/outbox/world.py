"""A server with an owner, people from elsewhere, and what waits to be sent to them."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from microfedi.config import Config
from microfedi.federation.context import Context
from microfedi.federation.remote import Remote
from microfedi.protocol import keys, vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, database, followers, instance, notes
from microfedi.storage import owner as owner_storage
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note
from microfedi.storage.sealed import Sealer
from tests.another_server import another_server
from tests.factories import NOON

US = "https://us.example/users/owner"
FOLLOWERS = f"{US}/followers"
ALICE = "https://vic.example/users/alice"
BOB = "https://vic.example/users/bob"
FRANK = "https://fol.example/users/frank"
MALLORY = "https://evil.example/users/mallory"
VIC_SHARED = "https://vic.example/inbox"
FOL_SHARED = "https://fol.example/inbox"


@dataclass
class Clock:
    """Time that only passes when a test says so."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self) -> None:
        self.now += timedelta(minutes=1)


@dataclass(frozen=True)
class Sent:
    """An activity that waits to be sent, and where to."""

    activity: dict[str, Any]
    inboxes: set[str]

    @property
    def type(self) -> str:
        found: str = self.activity["type"]
        return found

    @property
    def object(self) -> Any:
        return self.activity["object"]


@cache
def _rsa() -> str:
    return keys.generate_rsa()


@contextlib.asynccontextmanager
async def a_context(
    path: Path, sealer: Sealer, config: Config | None = None, remote: Remote | None = None
) -> AsyncIterator[Context]:
    """A server in `path` with an owner; without `remote`, the world is empty."""
    config = config or Config(base_url="https://us.example", data_dir=path)

    def setup(tx: Transaction) -> None:
        instance.create(
            tx,
            base_url=config.base_url,
            handle_domain=config.domain,
            rsa_pem=_rsa(),
            now=NOON,
        )
        owner_storage.create(
            tx,
            handle="owner",
            name="The Owner",
            password_hash="x",
            totp_secret="x",
            totp_step=0,
            rsa_pem=_rsa(),
            ed25519_pem=keys.generate_ed25519(),
            disk_budget_bytes=1_000_000,
            recovery_hashes=[],
            now=NOON,
        )

    async with another_server() as server, database.opened(path / "m.db", sealer) as db:
        ctx = Context(config=config, db=db, remote=remote or server.remote(), now=Clock())
        await db.write(setup)
        await ctx.reload_owner()
        yield ctx


def forward(ctx: Context) -> None:
    """Let a minute pass."""
    assert isinstance(ctx.now, Clock)
    ctx.now.forward()


def meet(tx: Transaction, uri: str, *, shared: bool = True) -> Actor:
    """Keep an actor of that address, with a confirmed handle."""
    base, _, name = uri.rpartition("/users/")
    host = base.removeprefix("https://")
    actor = vocab.Actor(
        uri=uri,
        inbox=f"{uri}/inbox",
        shared_inbox=f"{base}/inbox" if shared else None,
        preferred_username=name,
        followers=f"{uri}/followers",
        url=f"{base}/@{name}",
    )
    return actors.keep(tx, actor, handle=f"{name}@{host}", now=NOON)


async def met(ctx: Context, *uris: str, shared: bool = True) -> list[Actor]:
    """Keep actors of these addresses."""
    return await ctx.db.write(lambda tx: [meet(tx, uri, shared=shared) for uri in uris])


async def followed_by(ctx: Context, *uris: str, shared: bool = True) -> list[Actor]:
    """Let these actors be accepted followers."""
    people = await met(ctx, *uris, shared=shared)

    def change(tx: Transaction) -> None:
        for one in people:
            followers.put(tx, one.id, f"{one.uri}/follows/1", "accepted", NOON)

    await ctx.db.write(change)
    return people


async def a_note_by(
    ctx: Context,
    author: str,
    name: str = "1",
    *,
    visibility: Visibility = Visibility.PUBLIC,
    parent: str | None = None,
    to: tuple[str, ...] = (),
    cc: tuple[str, ...] = (),
) -> Note:
    """Keep a note of somebody else's."""
    note = vocab.Note(
        uri=f"{author}/notes/{name}",
        attributed_to=author,
        in_reply_to=parent,
        conversation="tag:vic.example,1",
        to=to,
        cc=cc,
    )

    def change(tx: Transaction) -> Note:
        kept = notes.keep(
            tx,
            note,
            actor_id=meet(tx, author).id,
            visibility=visibility,
            html=SafeHtml("<p>Theirs</p>"),
            now=ctx.now(),
        )
        assert kept is not None
        return kept[0]

    return await ctx.db.write(change)


async def sent(ctx: Context) -> list[Sent]:
    """Everything that waits to be sent, in order."""

    def question(reader: Reader) -> list[Sent]:
        found = []
        for row in reader.all("SELECT id, body_sealed FROM outgoing ORDER BY id"):
            body = reader.sealer.open("outgoing", row["body_sealed"], bound_to=str(row["id"]))
            inboxes = reader.all("SELECT inbox FROM deliveries WHERE outgoing_id = ?", (row["id"],))
            found.append(Sent(json.loads(body), {one["inbox"] for one in inboxes}))
        return found

    return await ctx.db.read(question)
