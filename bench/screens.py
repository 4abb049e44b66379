"""Every page of the server in a large, lived-in database: CPU, questions, size, against our aims.

The list of pages is the list of routes: a new page is measured without being named here, if what
is variable in its address is known to `filled`. Everything runs in this process; what a bare route
costs beside it is taken off.
"""

import gzip
import logging
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx2
import pyotp
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from bench.server import HANDLE, PASSWORD, Server, csrf_in
from bench.world import Author
from microfedi.app import create_app
from microfedi.assets import asset_dir
from microfedi.federation.context import Context
from microfedi.federation.outbox import messages
from microfedi.federation.start import prepare
from microfedi.protocol import ids, sanitize, vocab
from microfedi.protocol.filtering import Filter, Place
from microfedi.protocol.vocab import Visibility
from microfedi.storage import (
    actors,
    bookmarks,
    circles,
    database,
    filters,
    followers,
    following,
    likes,
    lists,
    notes,
    notifications,
    search_index,
    timeline,
)
from microfedi.storage.database import Params, Reader, Transaction

POSTS = 200_000
OWN_POSTS = 2_000
WITH_PICTURE = -5  # which of the own ones is looked at
PEOPLE = 300
CARED_FOR = 500  # bookmarks and favourites, each
TOLD = 400  # notifications
TALKS = 10
ROUNDS = 10  # requests of a page that are measured, after two that warm up

# What a page may cost (docs: product, "Bench").
MOST_CPU_MS = 15.0
MOST_QUERIES = 12
MOST_HTML_KB = 60.0
MOST_FIRST_VIEW_KB = 120.0  # gzip: HTML, stylesheet, scripts and sprite

# Pages that stand behind an address of another page: what is typed, which tab, how far back.
MORE = (
    "/home?before={position}",
    "/notifications?show=mentions",
    "/search?q=water",
    "/search?q=water&show=people",
    "/search?q=water+-low+has:image",
    "/search?q=%22low+water%22+from:me",
    "/search?q=water+in:library",
    "/search?q=during:2026",
    "/tags/lakes?before={position}",
    "/compose?reply_to={post}",
    "/people/{person}?show=replies",
    "/people/{person}?show=media",
    "/people/{person}?show=about",
    "/@{handle}?show=replies",
    "/@{handle}?show=media",
    "/@{handle}?show=about",
)
# What is no page: for servers, files, redirects.
NO_PAGE = re.compile(
    r"^/(\.well-known|nodeinfo|robots|healthz|favicon|actor|users|media/|emojis/|setup/)|"
    r"^/(authorize_interaction|share/done|events|api)|\.(json|txt|xml|webmanifest|js)$"
)
_WORDS = (
    "low", "water", "morning", "jetty", "boat", "varnish", "kettle", "rain", "heron", "lake",
    "kite", "spar", "silk", "line", "wind", "letter", "radio", "bicycle", "bread", "oven", "paper",
    "ink", "map", "train", "window", "garden", "seed", "winter", "lamp", "slow", "quiet",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """What a page costs. `kb` and `gzip_kb` are of its HTML."""

    path: str
    who: str
    status: int
    cpu_ms: float
    queries: int
    kb: float
    gzip_kb: float

    @property
    def offences(self) -> list[str]:
        """What is more than our aims allow."""
        aims = {
            f"answered {self.status}": self.status >= 500,
            "cpu": self.cpu_ms > MOST_CPU_MS,
            "queries": self.queries > MOST_QUERIES,
            "html": self.kb > MOST_HTML_KB,
        }
        return [name for name, is_over in aims.items() if is_over]


async def filled(server: Server, authors: list[Author]) -> dict[str, str]:
    """Put a life into the database; return what stands for the variable parts of addresses."""
    now = datetime.now(UTC)
    chance = random.Random(1)  # noqa: S311 - the same every time
    sealer = prepare(server.config)
    async with database.opened(server.config.database_file, sealer) as db:

        def people(tx: Transaction) -> list[int]:
            met = []
            for number, author in enumerate(authors):
                key = vocab.PublicKey(author.key.uri, author.uri, "rsa", author.key.public_pem)
                actor = vocab.Actor(
                    uri=author.uri,
                    inbox=f"{author.uri}/inbox",
                    preferred_username=f"p{number}",
                    name=f"{chance.choice(_WORDS).title()} {chance.choice(_WORDS).title()}",
                    summary="<p>Somebody who writes of boats.</p>",
                    followers=f"{author.uri}/followers",
                    keys=(key,),
                    published=now - timedelta(days=900),
                )
                one = actors.keep(tx, actor, handle=None, now=now)
                following.put(tx, one.id, f"{server.base_url}/f/{one.id}", "accepted", now)
                followers.put(tx, one.id, f"{author.uri}/follows/1", "accepted", now)
                met.append(one.id)
            return met

        met = await db.write(people)
        mine: int = await db.read(lambda r: r.value("SELECT actor_id FROM owner"))
        made: list[int] = []
        own: list[int] = []

        def some(tx: Transaction, start: int, count: int, is_mine: bool) -> None:
            for number in range(start, start + count):
                ago = 100 * (OWN_POSTS - number) if is_mine else POSTS - number
                at = now - timedelta(minutes=ago)
                kept = _keep(tx, chance, number, at, server, authors, met, mine if is_mine else 0)
                (own if is_mine else made).append(kept)
                timeline.add(tx, note_id=kept, at=at)

        for start in range(0, POSTS, 500):
            await db.write(partial(some, start=start, count=500, is_mine=False))
        for start in range(0, OWN_POSTS, 500):
            await db.write(partial(some, start=start, count=500, is_mine=True))

        def cares(tx: Transaction) -> None:
            for note_id in chance.sample(made, CARED_FOR):
                bookmarks.add(tx, note_id, now)
            for number, note_id in enumerate(chance.sample(made, CARED_FOR)):
                likes.add(tx, note_id, mine, f"{server.base_url}/l/{number}", now)
            for number in range(TOLD):
                kind: Any = ("like", "announce", "follow", "mention")[number % 4]
                about = own[-1 - number // 20] if kind != "follow" else None
                about = made[-1 - number] if kind == "mention" else about
                notifications.add(tx, kind, actor_id=met[number % len(met)], note_id=about, now=now)

        await db.write(cares)
        while await db.write(search_index.index):
            pass

        def kept(tx: Transaction) -> tuple[int, int, int]:
            circle = circles.create(tx, ids.public_id(), "Sailors", now)
            circles.add(tx, circle, met[:50])
            some_list = lists.create(tx, ids.public_id(), "Boats", now=now)
            lists.add(tx, some_list, met[:50])
            wanted = Filter(0, "Not now", ("spoiler", "election", "the end of"), frozenset(Place))
            return circle, some_list, filters.put(tx, wanted)

        circle, some_list, filter_id = await db.write(kept)
        public_id: str = await db.read(
            lambda r: r.value("SELECT public_id FROM notes WHERE id = ?", (own[WITH_PICTURE],))
        )
    return {
        "handle": HANDLE,
        "public_id": public_id,
        "tag": "lakes",
        "post": str(own[WITH_PICTURE]),
        "theirs": str(made[-5]),
        "person": str(met[0]),
        "circle": str(circle),
        "list": str(some_list),
        "filter": str(filter_id),
        "actor": str(met[0]),
        "position": str(ids.row_id(now - timedelta(days=30))),
        "number": "1",
        "n": "1",
    }


def _keep(
    tx: Transaction,
    chance: random.Random,
    number: int,
    at: datetime,
    server: Server,
    authors: list[Author],
    met: list[int],
    mine: int,
) -> int:
    """Keep a post as people write them: some with a picture, a warning, a poll, a hashtag."""
    index = number % len(authors)
    said = " ".join(chance.choice(_WORDS) for _ in range(chance.randint(8, 60)))
    base = f"{server.base_url}/users/{HANDLE}" if mine else authors[index].uri
    public_id = ids.public_id() if mine else None
    closed = number % 10 == 9
    picture = vocab.Attachment(
        f"{base}/{number}.jpg", "image/jpeg", alt="Still water", width=1200, height=800
    )
    tag = '<a href="https://t.example/lakes" class="mention hashtag">#lakes</a>'
    html = sanitize.own(f"<p>{said}. {tag if number % 6 == 0 else ''}</p>")
    note = vocab.Note(
        uri=f"{base}/notes/{public_id}" if mine else f"{base}/notes/{number}",
        attributed_to=base,
        type="Question" if number % 40 == 0 else "Note",
        content=str(html),
        summary="Weather" if number % 12 == 0 else "",
        language="en",
        to=(vocab.PUBLIC,),
        hashtags=("lakes",) if number % 6 == 0 else (),
        attachments=(picture,) * (1 + number % 3) if number % 5 == 0 else (),
        poll=vocab.Poll((vocab.Option("Yes", 3), vocab.Option("No", 1)))
        if number % 40 == 0
        else None,
        published=at,
    )
    kept = notes.keep(
        tx,
        note,
        actor_id=mine or met[index],
        visibility=Visibility.FOLLOWERS if closed else Visibility.PUBLIC,
        html=html,
        now=at,
        public_id=public_id,
    )
    if kept is None:
        raise RuntimeError("the post was not kept")
    return kept[0].id


def pages(app: Starlette, known: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the address of every page, and the routes whose variable parts nobody knows."""
    found, unknown = [], []
    for route in _gets(app.routes):
        if NO_PAGE.search(route):
            continue
        try:
            found.append(_prepared(route).format(**known))
        except KeyError:
            unknown.append(route)
    for address in MORE:
        try:
            found.append(address.format(**known))
        except KeyError:
            unknown.append(address)
    return found, unknown


def _gets(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Route) and "GET" in (route.methods or ()):
            yield route.path


def _prepared(route: str) -> str:
    """Name the `{id}` of a route by what it is of."""
    for prefix, name in (
        ("/posts/", "post"),
        ("/people/", "person"),
        ("/messages/", "talk"),
        ("/circles/", "circle"),
        ("/notifications/filtered/", "person"),
        ("/home/boosts/", "person"),
        ("/lists/", "list"),
        ("/settings/filters/", "filter"),
        ("/drafts/", "draft"),
        ("/media-view/", "theirs"),
    ):
        if route.startswith(prefix):
            return re.sub(r"\{id(:int)?\}", f"{{{name}}}", route)
    return route


class Counted:
    """How many questions were asked since `reset`."""

    asked = 0


@contextmanager
def counting() -> Iterator[type[Counted]]:
    """Count every question and every change that goes to the database."""
    kept = {name: getattr(Reader, name) for name in ("one", "all")}  # "value" asks by "one"
    kept_run = Transaction.run

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def ask(self: Reader, sql: str, params: Params = ()) -> Any:
            Counted.asked += 1
            return method(self, sql, params)

        return ask

    for name, method in kept.items():
        setattr(Reader, name, counted(method))
    Transaction.run = counted(kept_run)  # type: ignore[method-assign]
    try:
        yield Counted
    finally:
        for name, method in kept.items():
            setattr(Reader, name, method)
        Transaction.run = kept_run  # type: ignore[method-assign]


async def measure(client: httpx2.AsyncClient, path: str, who: str, bare_ms: float) -> Row:
    """Ask for a page some times."""
    for _ in range(2):
        answer = await client.get(path)
    spent = []
    queries = 0
    for _ in range(ROUNDS):
        Counted.asked = 0
        began = time.process_time()
        answer = await client.get(path)
        spent.append((time.process_time() - began) * 1000)
        queries = Counted.asked
    html = answer.content
    spent.sort()
    return Row(
        path=path,
        who=who,
        status=answer.status_code,
        cpu_ms=max(0.0, spent[len(spent) // 2] - bare_ms),
        queries=queries,
        kb=len(html) / 1000,
        gzip_kb=len(gzip.compress(html, 6)) / 1000,
    )


def dress_kb() -> float:
    """What a first view needs besides its HTML: stylesheet, scripts, sprite, as gzip."""
    names = ["app.css", *(p.name for p in asset_dir("static").glob("*.js")), "icons.svg"]
    return (
        sum(len(gzip.compress((asset_dir("static") / one).read_bytes(), 6)) for one in names) / 1e3
    )


async def looked_at(server: Server, known: dict[str, str]) -> None:
    """Measure every page and print a table, what is over our aims at its end."""
    logging.disable(logging.CRITICAL)  # what fails is seen in the table
    app = create_app(server.config, work=False)
    async with app.router.lifespan_context(app):
        ctx: Context = app.state.ctx
        person = int(known["person"])
        for number in range(TALKS):
            await messages.send(ctx, [person + number], "Are you there? " * 10)
        known["talk"] = str(
            await ctx.db.read(lambda r: r.value("SELECT max(id) FROM conversations"))
        )
        known["message"] = str(
            await ctx.db.read(
                lambda r: r.value(
                    "SELECT max(id) FROM messages WHERE conversation_id = ?", (known["talk"],)
                )
            )
        )
        transport = httpx2.ASGITransport(app=app, client=("192.0.2.1", 40000))
        headers = {"accept": "text/html,*/*;q=0.8"}
        async with (
            httpx2.AsyncClient(
                transport=transport, base_url=server.base_url, headers=headers
            ) as owner,
            httpx2.AsyncClient(
                transport=transport, base_url=server.base_url, headers=headers
            ) as stranger,
        ):
            page = await owner.get("/login")
            code = pyotp.TOTP(server.totp_secret).now()
            form = {"csrf": csrf_in(page.text), "password": PASSWORD, "code": code, "next": "/home"}
            if (await owner.post("/login", data=form)).status_code != 303:
                raise RuntimeError("the login was refused")
            paths, unknown = pages(app, known)
            with counting():
                bare = (await measure(stranger, "/healthz", "", 0.0)).cpu_ms
                rows = [await measure(owner, path, "owner", bare) for path in paths]
                for path in paths:
                    row = await measure(stranger, path, "public", bare)
                    if row.status == 200:
                        rows.append(row)
    _print(rows, unknown)


def _print(rows: list[Row], unknown: list[str]) -> None:
    dress = dress_kb()
    print(f"stylesheet, scripts and sprite: {dress:.1f} kB gzip")
    print(f"{'page':<44} {'who':<7} {'status':>6} {'CPU ms':>7} {'SQL':>4} {'kB':>6} {'gzip':>6}")
    for row in rows:
        offences = row.offences
        if row.gzip_kb + dress > MOST_FIRST_VIEW_KB:
            offences.append("first view")
        shown = row.path if len(row.path) < 44 else row.path[:20] + "…" + row.path[-23:]
        print(
            f"{shown:<44} {row.who:<7} {row.status:>6} {row.cpu_ms:>7.1f} {row.queries:>4} "
            f"{row.kb:>6.1f} {row.gzip_kb:>6.1f}{'  <- ' if offences else ''}{', '.join(offences)}"
        )
    for route in unknown:
        print(f"not measured: {route}")
    over = sum(bool(row.offences) for row in rows)
    print(f"{len(rows)} pages, {over} over an aim", flush=True)
