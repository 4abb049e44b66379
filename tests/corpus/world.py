"""The world in which a document of the corpus really happens.

One server of ours, and one that answers for every host there is: with the document at its id, with
whoever acts in it under their own ids and with a key of ours, and with 404 for everything else.
Documents that lie at plain http or on a host of the local network meet a server in development,
all others a public one.
"""

import contextlib
import functools
import html
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
from cryptography.hazmat.primitives.asymmetric import rsa

from microfedi.config import Federation
from microfedi.federation import jobs, lookup, process
from microfedi.federation.keyring import Keyring
from microfedi.protocol import uris, vocab
from microfedi.protocol.vocab import ACTOR_TYPES
from microfedi.storage import actors, following, notes, polls, search_index
from microfedi.storage.database import Transaction
from microfedi.storage.following import State
from microfedi.storage.notes import Note
from tests import corpus
from tests.another_server import ACTIVITY_JSON, AS2, Answer, RemoteActor
from tests.app_fixture import App, an_app
from tests.corpus.expected import Need

PUBLIC = f"{AS2}#Public"
DEVELOPMENT_URL = "http://us.localhost:8000"
# Where hosts of the corpus speak plain http.
PLAIN_PORTS = {80, 3334, 4001, 8001, 8080, 8536, 8541, 9101, 9102, 9301}
_INLINE = re.compile(r"</?(?:a|span|b|strong|i|em|u|s|del|code|bdi|rt|rp|ruby|time|abbr)\b[^>]*>")
_NAMED_PICTURE = re.compile(r'<img\b[^>]*\balt="([^"]*)"[^>]*>')

Document = dict[str, Any]


class Signer(RemoteActor):
    """Somebody of the corpus, with the one key that we have for all of them."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.host = urlsplit(uri).netloc
        self.username = username_of(uri)
        self.key_id = f"{uri}#main-key"
        self.inbox_url = f"{uri}/inbox"
        self.shared_inbox_url = f"{uri}/inbox"
        self.private_key = _key()

    def made(self, kind: str = "Person", **more: Any) -> Document:
        """A small actor of our own making, of which nothing but the id is known."""
        document = self.document(type=kind, name=f"Somebody called {self.username}")
        for unneeded in ("outbox", "following", "endpoints"):
            del document[unneeded]
        return document | more

    def in_place_of_theirs(self, document: Document) -> Document:
        """An actor's document with our key in it."""
        return document | {"publicKey": self.document()["publicKey"]}


@dataclass
class World:
    """Both servers, empty but for the owner. `begin` empties them again."""

    app: App
    _empty: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    @property
    def owner_uri(self) -> str:
        """Who lives here."""
        return self.app.ctx.owner.uri

    async def begin(self) -> None:
        """Forget everything but the owner and their session."""
        app = self.app
        if not self._empty:
            self._empty = {
                table: rows
                for table, rows in (await app.rows()).items()
                # The one is only ever added to, the others are SQLite's own.
                if table != "door_log" and not table.startswith("search_")
            }

        def change(tx: Transaction) -> None:
            tx.run("PRAGMA defer_foreign_keys = ON", {})
            for table in self._empty:
                tx.run(f'DELETE FROM "{table}"', {})  # noqa: S608
            for table, rows in self._empty.items():
                for row in rows:
                    values = {f"v{index}": value for index, value in enumerate(row)}
                    places = ", ".join(f":{name}" for name in values)
                    tx.run(f'INSERT INTO "{table}" VALUES ({places})', values)  # noqa: S608
            search_index.clear(tx)

        await app.ctx.db.write(change)
        await app.ctx.reload_owner()
        app.ctx.keyring = Keyring()
        app.world.requests.clear()
        app.world._answers.clear()

    def serve(self, url: str, body: bytes, content_type: str = ACTIVITY_JSON) -> None:
        """Answer `url` with exactly these bytes."""
        parts = urlsplit(uris.without_fragment(url))
        asked_for = parts._replace(path=parts.path or "/").geturl()
        self.app.world.serve(asked_for, Answer(body=body, content_type=content_type))

    def serve_actor(self, document: Document) -> None:
        """Serve an actor under its id, and the WebFinger answer for what it is called."""
        uri = document["id"]
        self.serve(uri, _bytes(document))
        name, host = document.get("preferredUsername"), urlsplit(uri).netloc
        if isinstance(name, str):
            links = [{"rel": "self", "type": ACTIVITY_JSON, "href": uri}]
            self.serve_webfinger(uri, f"{name}@{host}", {"links": links})

    def serve_webfinger(self, near: str, handle: str, jrd: Document) -> None:
        """Answer for `handle` on the host of `near`; the subject is the handle if none is given."""
        subject = f"acct:{handle}"
        base = "{0.scheme}://{0.netloc}".format(urlsplit(near))
        self.serve(
            f"{base}/.well-known/webfinger?resource={quote(subject, safe='')}",
            _bytes({"subject": subject} | jrd),
            "application/jrd+json",
        )

    def serve_all_of(self, document: Document, body: bytes) -> None:
        """Serve a document at its id, what lies inside it at its ids, and whoever acts in it."""
        for inner in _inner(document):
            if _has_own_address(inner):
                self.serve(inner["id"], _bytes({"@context": AS2} | inner))
        if _has_own_address(document):
            self.serve(document["id"], body)
        for uri, kind in people_in(document).items():
            self.serve_person(uri, kind)

    def serve_person(self, uri: str, kind: str = "Person", **more: Any) -> None:
        """Serve whoever has this id: from the corpus if they are in it, with our key."""
        known = _actors_of_corpus().get(uri)
        signer = Signer(uri)
        made = signer.made(kind) if known is None else signer.in_place_of_theirs(known)
        self.serve_actor(made | more)

    async def prepare(self, needs: tuple[Need, ...]) -> None:
        """Have everything there that a document needs."""
        for need in needs:
            if need.kind == "moved":
                self.serve_person(need.by, movedTo=need.on)
                self.serve_person(need.on, alsoKnownAs=[need.by])
                continue
            self.serve_person(need.by)
            signer = Signer(need.by)
            if need.kind == "followed":
                await self.follow(need.by, need.uri)
            elif need.kind == "asked":
                await self.follow(need.by, need.uri, state="requested")
            elif need.kind == "follower":
                await self._arrives(signer, "Follow", need.uri, self.owner_uri)
            elif need.kind in ("like", "boost", "reaction"):
                kind = "Announce" if need.kind == "boost" else "Like"
                more = {"content": "🔥"} if need.kind == "reaction" else {}
                await self._arrives(signer, kind, need.uri, need.on, **more)
            elif need.kind == "post":
                await self.keep_post(need)

    async def keep_post(self, need: Need) -> None:
        """Have a public post here, as if the owner had looked at it before."""
        note = {
            "@context": AS2,
            "id": need.uri,
            "type": need.type,
            "attributedTo": need.by,
            "content": "<p>as it was before</p>",
            "published": need.time,
            "to": [PUBLIC],
        }
        urls = self.app.world._answers
        at_its_id = urls.get(need.uri)
        self.serve(need.uri, _bytes(note))
        await lookup.kept_note(self.app.ctx, need.uri)
        del urls[need.uri]
        if at_its_id is not None:
            urls[need.uri] = at_its_id

    async def follow(self, uri: str, follow_uri: str = "", *, state: State = "accepted") -> None:
        """Have the owner follow somebody, who has accepted it or has not answered yet."""
        met = await lookup.kept_actor(self.app.ctx, uri)
        made = follow_uri or f"{self.owner_uri}/follows/{met.id}"
        now = self.app.clock.now
        await self.app.ctx.db.write(
            lambda tx: following.put(tx, met.id, made, state, now),
        )

    async def own_post(self) -> Note:
        """Have the owner publish something."""
        return await self.app.publish("A post of mine.")

    async def send(self, signer_uri: str, body: bytes) -> int:
        """POST exactly these bytes to the owner's inbox, signed; return the status."""
        url = f"{self.owner_uri}/inbox"
        headers = Signer(signer_uri).signed_headers("POST", url, body, now=self.app.clock.now)
        answer = await self.app.browser("198.51.100.9").post(url, content=body, headers=headers)
        return answer.status_code

    async def settle(self) -> None:
        """Do everything that waits to be done, and what comes of it."""
        ctx = self.app.ctx
        worker = jobs.JobsWorker(ctx)
        for _ in range(20):
            self.app.clock.forward(seconds=2)
            has_worked = False
            while await process.process_due(ctx):
                has_worked = True
            await worker.turn()
            while not worker.is_idle:
                has_worked = True
                ctx.wake.jobs.clear()
                await ctx.wake.jobs.wait()
            if not has_worked:
                return
        raise AssertionError("there is no end of work")

    async def search(self, text: str) -> httpx2.Response:
        """Put something into the search box."""
        return await self.app.post("/search", {"q": text}, page="/search")

    async def note(self, uri: str) -> Note | None:
        """The post with this id, if it is here."""
        return await self.app.ctx.db.read(lambda reader: notes.by_uri(reader, uri))

    async def poll(self, note: Note) -> vocab.Poll | None:
        """What a post asks, with the votes so far."""
        return await self.app.ctx.db.read(lambda reader: polls.filled(reader, note.id, note.poll))

    async def actor(self, uri: str) -> actors.Actor | None:
        """Whoever has this id, if we know them."""
        return await self.app.ctx.db.read(lambda reader: actors.by_uri(reader, uri))

    async def page(self, path: str) -> httpx2.Response:
        """A page as the owner sees it."""
        answer = await self.app.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer

    async def _arrives(self, signer: Signer, kind: str, uri: str, on: str, **more: Any) -> None:
        activity = {
            "@context": AS2,
            "id": uri,
            "type": kind,
            "actor": signer.uri,
            "object": on,
            "to": [PUBLIC],
        } | more
        assert await self.send(signer.uri, _bytes(activity)) == 202
        await self.settle()


@dataclass(frozen=True)
class Worlds:
    """A public server, and one in development."""

    public: World
    development: World

    async def of(self, uri: str) -> World:
        """Return the server that speaks with the host of `uri`, emptied."""
        world = self.development if is_local(uri) else self.public
        await world.begin()
        return world


@contextlib.asynccontextmanager
async def a_world(tmp_path: Path, *, development: bool) -> AsyncIterator[World]:
    """Run a server of ours, with the owner logged in, and the rest of the world."""
    settings: dict[str, Any] = {}
    if development:
        settings = {"base_url": DEVELOPMENT_URL, "federation": Federation(development=True)}
    async with an_app(tmp_path, **settings) as app:
        app.world.plain_ports = set(PLAIN_PORTS)
        app.clock.forward(days=2)  # some documents were written on the evening of that day
        await app.login()
        world = World(app)
        await world.settle()  # what a login from a new browser makes: an alert
        yield world


def is_local(uri: str) -> bool:
    """True if only a server in development speaks with the host of `uri`."""
    parts = urlsplit(uri)
    host = parts.hostname or ""
    return parts.scheme == "http" or parts.port is not None or "." not in host


def read(file: str) -> bytes:
    """The bytes of a document of the corpus."""
    return corpus.path_of(f"{file}.json").read_bytes()


def load(file: str) -> Document:
    """A document of the corpus."""
    found: Document = json.loads(read(file))
    return found


def username_of(uri: str) -> str:
    """A user name for an actor of which nothing but the id is known."""
    last = urlsplit(uri).path.rstrip("/").rpartition("/")[2].removeprefix("@")
    return re.sub(r"[^A-Za-z0-9_.-]", "_", last)


def people_in(document: Document) -> dict[str, str]:
    """The ids of those who act in a document or wrote a part of it, and what they are."""
    found: dict[str, str] = {}
    for part in (document, *_inner(document)):
        if _is_actor(part):
            continue
        for name in ("actor", "attributedTo"):
            value = part.get(name)
            for entry in value if isinstance(value, list) else [value]:
                inline: Document = entry if isinstance(entry, dict) else {"id": entry}
                kind = inline.get("type")
                if _is_address(inline.get("id")):
                    known = kind if isinstance(kind, str) and kind in ACTOR_TYPES else "Person"
                    found.setdefault(inline["id"], known)
    return found


def text_of(markup: str) -> str:
    """What a person reads in HTML, white space collapsed; a named picture counts as its name."""
    named = _NAMED_PICTURE.sub(r"\1", re.sub(r"(?s)<(script|style)\b.*?</\1>", "", markup))
    parted = re.sub(r"<[^>]*>", " ", _INLINE.sub("", named))
    return " ".join(html.unescape(parted).split())


def squeezed(markup: str) -> str:
    """What a person reads on a page, without any white space: however words are laid out."""
    return "".join(text_of(markup).split())


def abridged(text: str, like: str) -> str:
    """Return `like` if it is `text` with parts left out (" […] "), else `text`."""
    parts = [re.escape(part) for part in like.split(" […] ")]
    return like if re.fullmatch(".*".join(parts), text) else text


def without_inline_quote(markup: str) -> str:
    """A post without the link to what it quotes, which is written for servers without quotes."""
    begin = re.search(r'<(p|span)\b[^>]*class="[^"]*\bquote-inline\b[^"]*"[^>]*>', markup)
    if begin is None:
        return markup
    depth = 1
    for tag in re.finditer(rf"<(/?){begin[1]}\b[^>]*>", markup[begin.end() :]):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return markup[: begin.start()] + markup[begin.end() + tag.end() :]
    return markup[: begin.start()]


def _bytes(document: Document) -> bytes:
    return json.dumps(document).encode()


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("https://", "http://"))


def _has_own_address(part: Document) -> bool:
    """True for what can be asked for; actors are served with our key instead."""
    uri = part.get("id")
    return _is_address(uri) and "#" not in str(uri) and "type" in part and not _is_actor(part)


def _is_actor(part: Document) -> bool:
    kind = part.get("type")
    return isinstance(kind, str) and kind in ACTOR_TYPES


def _inner(value: Any) -> Iterator[Document]:
    """Yield every object inside an object."""
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict):
            yield part
        if isinstance(part, dict | list):
            yield from _inner(part)


@functools.cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def _actors_of_corpus() -> dict[str, Document]:
    found = {}
    for path in corpus.CORPUS.glob("*/*.json"):
        try:
            document = json.loads(path.read_bytes())
        except ValueError:
            continue
        if document.get("type") in ACTOR_TYPES and "inbox" in document:
            found[document.get("id")] = document
    return found
