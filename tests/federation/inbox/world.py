"""us.example with its inbox open, and the others: what tests of everything that arrives begin with.

    async with a_scene(tmp_path) as scene:
        answer = await scene.post(scene.mallory, {...})

The request goes through the real route, over HTTP; signatures are really made, keys really fetched.
`scene.drops()` is the security catalogue's DROP: nothing changes, nothing is asked of anybody.
"""

import base64
import contextlib
import hashlib
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from starlette.applications import Starlette

from microfedi.activitypub import inbox
from microfedi.errors import MicrofediError
from microfedi.federation import process
from microfedi.federation.context import Context
from microfedi.federation.lookup import Budget, kept_actor
from microfedi.http import problems
from microfedi.protocol.sanitize import SafeHtml
from microfedi.protocol.vocab import PUBLIC, Visibility
from microfedi.protocol.vocab import Note as Wire
from microfedi.storage import actors, database, following, notes, owner
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note
from microfedi.storage.sealed import Sealer
from tests.another_server import (
    ACTIVITY_JSON,
    AS2,
    AnotherServer,
    RemoteActor,
    another_server,
)
from tests.factories import NOON
from tests.federation import here

US = here.BASE_URL
OWNER = here.OWNER
INBOX = f"{OWNER}/inbox"
SHARED = f"{US}/inbox"
TABLES = """
    SELECT name FROM sqlite_schema
     WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
     ORDER BY name
"""

Document = dict[str, Any]


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Scene:
    """Everything at hand. alice and bob live at vic, mallory at evil, frank at fol."""

    ctx: Context
    world: AnotherServer
    client: httpx2.AsyncClient
    app: Starlette
    clock: Clock
    alice: RemoteActor
    bob: RemoteActor
    mallory: RemoteActor
    frank: RemoteActor
    answers: list[int] = field(default_factory=list)

    async def send(
        self,
        body: bytes,
        headers: Mapping[str, str] | Sequence[tuple[str, str]],
        *,
        url: str = INBOX,
    ) -> httpx2.Response:
        """POST bytes with exactly these headers."""
        request = httpx2.Request("POST", url, content=body, headers=headers)
        response = await self.client.send(request)
        self.answers.append(response.status_code)
        return response

    async def post(
        self, sender: RemoteActor, doc: Document | bytes, *, url: str = INBOX, **signing: Any
    ) -> httpx2.Response:
        """POST a document, signed by `sender` as Mastodon does."""
        body = doc if isinstance(doc, bytes) else json.dumps(doc).encode()
        headers = sender.signed_headers("POST", url, body, now=self.clock(), **signing)
        return await self.send(body, headers, url=url)

    async def deliver(self, sender: RemoteActor, doc: Document, *, url: str = INBOX) -> None:
        """POST a document, and have everything handled that has arrived."""
        response = await self.post(sender, doc, url=url)
        assert response.status_code == 202, response.text
        await self.process()

    async def process(self) -> None:
        """Handle everything that has arrived."""
        while await process.process_due(self.ctx):
            pass

    async def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that is in the database."""

        def question(reader: Reader) -> dict[str, list[tuple[Any, ...]]]:
            names = [row["name"] for row in reader.all(TABLES)]
            return {
                name: [tuple(row) for row in reader.all(f'SELECT * FROM "{name}"')]  # noqa: S608
                for name in names
            }

        return await self.ctx.db.read(question)

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        return len((await self.rows())[table])

    @contextlib.asynccontextmanager
    async def drops(self, *allowed: str) -> AsyncIterator[None]:
        """DROP: no row new or changed, no request but GETs of `allowed` URLs, no 5xx.

        But 503, which says that a key could not be fetched.
        """
        before, asked, answered = await self.rows(), len(self.world.requests), len(self.answers)
        yield
        await self.process()
        assert [one for one in self.answers[answered:] if one >= 500 and one != 503] == []
        made = [f"{r.method} {r.url}" for r in self.world.requests[asked:]]
        assert [one for one in made if one not in {f"GET {url}" for url in allowed}] == []
        assert await self.rows() == before

    async def meet(self, actor: RemoteActor) -> Actor:
        """Know somebody, as after an earlier activity of theirs."""
        met = await kept_actor(self.ctx, actor.uri, Budget())
        self.world.requests.clear()
        return met

    async def follow(self, actor: RemoteActor, *, state: following.State = "accepted") -> Actor:
        """Have the owner follow somebody."""
        met = await self.meet(actor)
        follow_uri = f"{OWNER}/follows/{actor.username}"
        await self.ctx.db.write(
            lambda tx: following.put(tx, met.id, follow_uri, state, self.clock())
        )
        return met

    async def note_of(
        self,
        actor_id: int,
        uri: str,
        *,
        visibility: Visibility = Visibility.PUBLIC,
        public_id: str | None = None,
        text: str = "<p>as it was</p>",
        **fields: Any,
    ) -> Note:
        """Have a post here already."""

        def change(tx: Transaction) -> Note:
            author = actors.by_id(tx, actor_id)
            assert author is not None
            wire = Wire(
                uri=uri,
                attributed_to=author.uri,
                content=text,
                published=self.clock() - timedelta(hours=1),
                **({"to": (PUBLIC,)} | fields),
            )
            kept = notes.keep(
                tx,
                wire,
                actor_id=actor_id,
                visibility=visibility,
                html=SafeHtml(text),
                now=self.clock(),
                public_id=public_id,
            )
            assert kept is not None
            return kept[0]

        return await self.ctx.db.write(change)

    async def own_note(self, public_id: str = "x1", **fields: Any) -> Note:
        """Have a post of the owner's."""
        uri = f"{OWNER}/notes/{public_id}"
        return await self.note_of(self.ctx.owner.actor_id, uri, public_id=public_id, **fields)

    async def note(self, uri: str) -> Note | None:
        """The post with this id, if we have it."""
        return await self.ctx.db.read(lambda reader: notes.by_uri(reader, uri))

    async def set_preferences(self, **wishes: Any) -> None:
        """Change what the owner wishes."""
        await self.ctx.db.write(lambda tx: owner.set_preferences(tx, **wishes))
        await self.ctx.reload_owner()

    async def sent(self) -> list[Document]:
        """What waits to be sent, in order, opened."""

        def question(reader: Reader) -> list[Document]:
            rows = reader.all("SELECT id, body_sealed FROM outgoing ORDER BY id")
            return [
                json.loads(
                    reader.sealer.open("outgoing", row["body_sealed"], bound_to=str(row["id"]))
                )
                for row in rows
            ]

        return await self.ctx.db.read(question)

    async def told(self) -> list[str]:
        """The kinds of the notifications, in order."""
        rows = (await self.rows())["notifications"]
        return [str(row[1]) for row in rows]

    async def home(self) -> list[str]:
        """The ids of the posts on Home, in order."""

        def question(reader: Reader) -> list[str]:
            rows = reader.all(
                "SELECT notes.uri FROM home JOIN notes ON notes.id = home.note_id ORDER BY position"
            )
            return [row["uri"] for row in rows]

        return await self.ctx.db.read(question)


@contextlib.asynccontextmanager
async def a_scene(tmp_path: Path, *, sealer: Sealer | None = None) -> AsyncIterator[Scene]:
    """Set the scene: nobody is known yet, the owner follows nobody."""
    clock = Clock()
    async with (
        another_server() as world,
        database.opened(tmp_path / "microfedi.db", sealer or Sealer(os.urandom(32))) as db,
    ):
        ctx = await here.context(db, world, tmp_path, now=clock)
        app = Starlette(
            routes=inbox.routes,
            exception_handlers={
                MicrofediError: problems.answer,
                413: problems.answer,
                415: problems.answer,
            },
        )
        app.state.ctx = ctx
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport) as client:
            yield Scene(
                ctx,
                world,
                client,
                app,
                clock,
                alice=world.actor("https://vic.example/users/alice"),
                bob=world.actor("https://vic.example/users/bob"),
                mallory=world.actor("https://evil.example/users/mallory"),
                frank=world.actor("https://fol.example/users/frank"),
            )


# Documents, as others write them.


def an_activity(kind: str, actor: RemoteActor, object_: Any, **fields: Any) -> Document:
    """An activity with an id on its actor's server."""
    number = fields.pop("number", 1)
    return {
        "@context": AS2,
        "id": f"https://{actor.host}/activities/{kind.lower()}-{actor.username}-{number}",
        "type": kind,
        "actor": actor.uri,
        "object": object_,
    } | fields


def a_note(actor: RemoteActor, number: int = 1, **fields: Any) -> Document:
    """A public post."""
    return {
        "@context": AS2,
        "id": f"{actor.uri}/notes/{number}",
        "type": "Note",
        "attributedTo": actor.uri,
        "content": f"<p>post {number}</p>",
        "published": "2026-11-22T11:59:00Z",
        "to": [PUBLIC],
        "cc": [f"{actor.uri}/followers"],
    } | fields


def a_mention(actor: RemoteActor, number: int = 1, **fields: Any) -> Document:
    """A public post that is addressed to the owner, and so would be kept from anybody."""
    tag = [{"type": "Mention", "href": OWNER, "name": "@owner@us.example"}]
    return a_note(actor, number, **({"cc": [OWNER], "tag": tag} | fields))


def a_create(actor: RemoteActor, note: Document, **fields: Any) -> Document:
    """A Create of a post."""
    addressed = {key: note[key] for key in ("to", "cc") if key in note}
    number = str(note.get("id", "none")).rpartition("/")[2]
    return an_activity("Create", actor, note, **({"number": number} | addressed | fields))


# Signatures, as attackers make them: any list of lines, any header.


def digest(body: bytes) -> str:
    """The Digest header of a body."""
    return "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()


def cavage(
    actor: RemoteActor,
    body: bytes,
    *,
    lines: Mapping[str, str] | None = None,
    without: str = "",
    now: datetime = NOON,
    url: str = INBOX,
    algorithm: str = "rsa-sha256",
    extra: str = "",
    key_id: str | None = None,
    signature: bytes | None = None,
) -> dict[str, str]:
    """Headers with a draft-cavage signature that is right except for what is asked for."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    signed = {
        "(request-target)": f"post {target}",
        "host": parts.netloc,
        "date": format_datetime(now, usegmt=True),
        "digest": digest(body),
    } | dict(lines or {})
    headers = {name: value for name, value in signed.items() if not name.startswith("(")}
    signed.pop(without, None)
    text = "\n".join(f"{name}: {value}" for name, value in signed.items()).encode()
    made = signature or actor.private_key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    return headers | {
        "content-type": ACTIVITY_JSON,
        "signature": f'keyId="{key_id or actor.key_id}",algorithm="{algorithm}",'
        f'headers="{" ".join(signed)}",{extra}signature="{base64.b64encode(made).decode()}"',
    }


def rfc9421(
    actor: RemoteActor,
    body: bytes,
    *,
    components: Sequence[str] = ("@method", "@target-uri", "content-digest"),
    created: str | None = None,
    params: str = "",
    label: str = "sig1",
    url: str = INBOX,
    key_id: str | None = None,
) -> dict[str, str]:
    """Headers with an RFC 9421 signature."""
    content_digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    values = {"@method": "POST", "@target-uri": url, "content-digest": content_digest}
    listed = " ".join(f'"{name}"' for name in components)
    when = str(int(NOON.timestamp())) if created is None else created
    given = f'({listed});created={when};keyid="{key_id or actor.key_id}"{params}'
    lines = [f'"{name}": {values[name]}' for name in components]
    text = "\n".join([*lines, f'"@signature-params": {given}']).encode()
    made = actor.private_key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    return {
        "content-type": ACTIVITY_JSON,
        "content-digest": content_digest,
        "signature-input": f"{label}={given}",
        "signature": f"{label}=:{base64.b64encode(made).decode()}:",
    }
