"""What sealed messages cost: sealing one, opening a conversation, and the login that opens them."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench.server import Server, report
from bench.world import Author
from microfedi.federation.start import prepare
from microfedi.protocol import sanitize, vocab
from microfedi.storage import actors, conversations, database, messages, vault
from microfedi.storage.database import Transaction

TALK_MESSAGES = 500
PAGE_ROUNDS = 10
SEALED = 2_000
LOGINS = 5
TEXT = "Low water at six, so we could walk over to the island and be back before dark. " * 6


def sealing() -> None:
    """Seal and open a message's body, as it lies in a row."""
    key = vault.new_key(1)
    secrets = vault.SecretKeys({1: key.secret})
    plain = TEXT.encode()
    sealed = key.public.seal("message body", plain, bound_to="1 1")
    report(
        "sealing",
        seal_cpu_ms=_each(lambda: key.public.seal("message body", plain, bound_to="1 1")),
        open_cpu_ms=_each(lambda: secrets.open("message body", sealed, bound_to="1 1")),
        plain_bytes=len(plain),
        sealed_bytes=len(sealed),
    )


def _each(do: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(SEALED):
        do()
    return (time.process_time() - began) * 1000 / SEALED


async def fill(server: Server, author: Author) -> int:
    """Put a conversation with `author` into the database; return its row id."""
    now = datetime.now(UTC)
    async with database.opened(server.config.database_file, prepare(server.config)) as db:

        def change(tx: Transaction) -> int:
            them = actors.by_uri(tx, author.uri)
            if them is None:
                raise RuntimeError("the author is not there")
            talk = conversations.make(tx, [them.id], state="open")
            for number in range(TALK_MESSAGES):
                messages.keep(
                    tx,
                    vocab.Note(
                        uri=f"{author.uri}/talk/{number}",
                        attributed_to=author.uri,
                        content=TEXT,
                        published=now - timedelta(minutes=TALK_MESSAGES - number),
                    ),
                    conversation_id=talk,
                    actor_id=them.id,
                    html=sanitize.own(f"<p>{TEXT}</p>"),
                    now=now - timedelta(minutes=TALK_MESSAGES - number),
                )
            return talk

        return await db.write(change)


async def measure(server: Server, talk: int) -> None:
    """Log in some times, then read the conversation's newest page, and all of it."""
    await server.log_in()  # the first one makes what later ones find
    before = server.resident_mb()
    seconds, cpu_ms, peaks = [], [], []
    for code in server.recovery_codes[:LOGINS]:
        server.client.cookies.clear()
        server.forget_peak()
        began, spent = time.perf_counter(), server.cpu_ms()
        await server.log_in(code)
        seconds.append(time.perf_counter() - began)
        cpu_ms.append(server.cpu_ms() - spent)
        peaks.append(server.peak_mb())
    report(
        "login",
        seconds=statistics.median(seconds),
        cpu_ms=statistics.median(cpu_ms),
        resident_before_mb=before,
        peak_mb=max(peaks),
        resident_after_mb=server.resident_mb(),
    )
    newest = f"/messages/{talk}"
    html = ""
    for _ in range(3):
        html = await _page(server, newest)
    spent = server.cpu_ms()
    for _ in range(PAGE_ROUNDS):
        html = await _page(server, newest)
    page_ms = (server.cpu_ms() - spent) / PAGE_ROUNDS
    spent = server.cpu_ms()
    pages, query = 0, "?"
    while query and pages < TALK_MESSAGES:
        found = (await _page(server, newest + query)).partition('rel="prev" href="')[2]
        query = found.partition('"')[0].partition("#")[0].replace("&amp;", "&")
        pages += 1
    report(
        "conversation",
        messages=TALK_MESSAGES,
        newest_page_cpu_ms=page_ms,
        html_kb=len(html.encode()) / 1000,
        pages=pages,
        all_pages_cpu_ms=server.cpu_ms() - spent,
    )


async def _page(server: Server, path: str) -> str:
    answer = await server.client.get(server.address + path, headers=server.headers)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}")
    return answer.text
