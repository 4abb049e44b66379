"""Tells the owner's browsers at once that something came (Web Push): how much, and never what.

There is a loop for it, not a job: what is pushed is how things stand now, so nothing waits in a
queue that could be out of date. What a push service was not told of yet, it is told the next time.
"""

import asyncio
import json
import logging
import os
import random
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from microfedi import words
from microfedi.errors import ForbiddenAddress, RemoteError
from microfedi.federation import waiting
from microfedi.federation.context import Context
from microfedi.protocol import backoff, netguard, webpush
from microfedi.storage import notifications, push
from microfedi.storage.database import Reader
from microfedi.storage.push import Browser, Subscription, Topic
from microfedi.words import _, ngettext

log = logging.getLogger(__name__)

# A browser is told of a topic so often at most.
QUIET: Final = timedelta(minutes=1)
# Seconds. We look after so long even if nobody says that something came: polls end by themselves.
LOOK_S: Final = 60.0
# Seconds from news to a push: what comes together is told together.
GATHER_S: Final = 2.0
# Seconds that a push service keeps what a browser is not there for: later it is on the page.
TTL_S: Final = 24 * 3600
DEADLINE_S: Final = 10.0  # of one push; services answer in a tenth of it
AT_ONCE: Final = 4  # pushes; one person has few browsers
# Pushes in a row that may fail, over 10 days; then the browser has to ask again.
MAX_FAILURES: Final = 12
GONE: Final = (404, 410)  # RFC 8030 7.3

_URGENCY: Final[dict[Topic, str]] = {"message": "high", "notification": "normal"}  # RFC 8030 5.3


@dataclass(frozen=True, slots=True)
class News:
    """What there is of a topic: up to which id, and how many."""

    up_to: int
    count: int


@dataclass(frozen=True, slots=True)
class Due:
    """What a browser is to be told now."""

    subscription: Subscription
    topic: Topic
    news: News


class Pusher:
    """The worker that pushes. One for the whole process."""

    def __init__(self, ctx: Context, *, chance: Callable[[], float] = random.random) -> None:
        self._ctx = ctx
        self._chance = chance
        self._room = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Push what comes, until the server stops."""
        stopping = self._ctx.stopping
        while not stopping.is_set():
            await waiting.until_room(self._ctx.db.room)
            coming = self._ctx.news.coming()
            await waiting.until_woken(coming, await self.turn())
            if coming.is_set():
                await waiting.until_woken(stopping, GATHER_S)

    async def turn(self) -> float:
        """Push what is due; return how many seconds there is nothing more to do."""
        if not self._ctx.config.federates:
            return LOOK_S  # on a trial nothing leaves
        due, wait_s = await self._ctx.db.read(self._look)
        if due:
            key = await self._ctx.db.write(push.key)
            await asyncio.gather(*(self._push(one, key) for one in due))
        return wait_s

    def _look(self, reader: Reader) -> tuple[list[Due], float]:
        now = self._ctx.now()
        found = push.subscriptions(reader, now=now)
        if not found:
            return [], LOOK_S
        due: list[Due] = []
        wait_s = LOOK_S
        for topic, news in self._news(reader, found, now).items():
            for one in found:
                told = one.told(topic)
                if news.up_to <= told.up_to:
                    continue
                ready = max(one.not_before or now, told.at + QUIET if told.at is not None else now)
                if ready > now:
                    wait_s = min(wait_s, (ready - now).total_seconds())
                else:
                    due.append(Due(one, topic, news))
        return due, wait_s

    def _news(self, reader: Reader, found: list[Subscription], now: datetime) -> dict[Topic, News]:
        """Return what the owner has not seen and wants to be told of; without looking closer if
        everybody knows the newest.
        """
        owner, wishes = self._ctx.owner, push.wishes(reader)
        news: dict[Topic, News] = {}
        if "message" in wishes:
            news["message"] = News(push.newest_message(reader, now=now), 1)
        kinds = {kind for wish in wishes for kind in push.WISHES[wish]}
        known = min(one.notification.up_to for one in found)
        if kinds and notifications.newest_id(reader) > known:
            unseen = [
                one
                for one in notifications.pushable(
                    reader,
                    after_id=owner.notifications_read_id,
                    limit=notifications.MOST_COUNTED,
                    now=now,
                    wanted=owner.filters,
                )
                if one.kind in kinds
            ]
            if unseen:
                news["notification"] = News(unseen[0].id, len(unseen))
        return news

    async def _push(self, due: Due, key: ec.EllipticCurvePrivateKey) -> None:
        one, db, now = due.subscription, self._ctx.db, self._ctx.now()
        async with self._room:
            language = self._ctx.owner.language or one.browser.language
            status, retry_after_s = await send(
                self._ctx,
                one.browser,
                payload(due.topic, due.news.count, language),
                key=key,
                topic=due.topic,
                urgency=_URGENCY[due.topic],
            )
        if 200 <= status < 300:
            await db.write(lambda tx: push.tell(tx, one.id, due.topic, due.news.up_to, now))
        elif status in GONE or one.failures + 1 >= MAX_FAILURES:
            log.info("a browser is told no more status=%d", status)
            await db.write(lambda tx: push.remove(tx, one.id))
        else:
            wait = backoff.delay(one.failures + 1, chance=self._chance())
            if retry_after_s is not None:
                wait = max(wait, timedelta(seconds=retry_after_s))
            log.info("a push failed status=%d; the next in %d s", status, wait.total_seconds())
            await db.write(lambda tx: push.leave_alone(tx, one.id, now + wait))


async def send(
    ctx: Context,
    browser: Browser,
    text: bytes,
    *,
    key: ec.EllipticCurvePrivateKey,
    topic: str,
    urgency: str,
) -> tuple[int, float | None]:
    """Push; return the status (0 for no answer), and when to come back if it says so.

    A later push of the same `topic` takes the place of one that still waits.

    Source: RFC 8030 5; RFC 8291 4; RFC 8292 2.
    """
    body = webpush.encrypt(
        text,
        receiver=browser.point,
        auth=browser.auth,
        sender=ec.generate_private_key(ec.SECP256R1()),
        salt=os.urandom(webpush.SALT_BYTES),
        padded=webpush.PADDED_BYTES,
    )
    config = ctx.config
    try:
        target = netguard.target_of(browser.endpoint, development=config.federation.development)
        headers = {
            "Authorization": webpush.authorization(
                key,
                audience=f"{target.scheme}://{target.authority}",
                subject=config.base_url,
                now=ctx.now(),
            ),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_S),
            "Urgency": urgency,
            "Topic": topic,
        }
        answer = await ctx.remote.post(
            browser.endpoint, body=body, headers=headers, deadline_s=DEADLINE_S
        )
    except ForbiddenAddress:
        return GONE[0], None  # it lies where we never connect
    except RemoteError:
        return 0, None
    return answer.status, answer.retry_after_s


def payload(topic: Topic, count: int, language: str) -> bytes:
    """Return what a push says, in the language of the owner's pages. No name, no word of a text.

    >>> payload("notification", 3, "en")
    b'{"title": "3 new notifications", "tag": "notification", "url": "/notifications"}'
    """

    def said() -> str:
        words.use(language)
        if topic == "message":
            return _("New message")
        if count >= notifications.MOST_COUNTED:
            return _("Many new notifications")
        return ngettext("%(num)s new notification", "%(num)s new notifications", count)

    # The loop itself speaks no language.
    title = copy_context().run(said)
    url = "/messages" if topic == "message" else "/notifications"
    return json.dumps({"title": title, "tag": topic, "url": url}, ensure_ascii=False).encode()
