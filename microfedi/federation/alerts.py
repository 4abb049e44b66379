"""Tells the owner at once what was done to their locks: by push, and by mail if that is set.

What is told of is written with the line in the door log (`door_log.ALERTED`), in one transaction;
here it is sent. A push says only that something happened, a mail what and when: never who, from
where, or a word of a text. The rest stands in the door log, behind the login.
"""

import json
import logging
import random
from contextvars import copy_context
from datetime import UTC, timedelta
from typing import Final

from microfedi import words
from microfedi.errors import InvalidInput, RemoteError
from microfedi.federation import mail, pushing
from microfedi.federation.context import Context
from microfedi.protocol import backoff
from microfedi.storage import alerts, door_log, push
from microfedi.storage.alerts import Alert
from microfedi.storage.database import Reader
from microfedi.words import _

log = logging.getLogger(__name__)

AT_ONCE: Final = 20  # in one round; the job goes on with the others
# An alert is tried for so long: later the owner has been on a page, and read of it there.
TRIED_FOR: Final = timedelta(days=2)
MAX_WAIT: Final = timedelta(hours=2)  # between two attempts
TEST_EVERY: Final = timedelta(minutes=1)

_GONE = words.mark("That browser's push service does not know it any more.")
_REFUSED = words.mark("The push service did not take it.")
_AWAY = words.mark("The push service cannot be reached.")


async def run(ctx: Context, key: str) -> timedelta | None:
    """Send what waits. A job; there is one for all alerts."""
    now = ctx.now()
    for alert in await ctx.db.read(lambda reader: alerts.due(reader, now, limit=AT_ONCE)):
        await (_mail(ctx, alert) if alert.channel == "mail" else _push(ctx, alert))
    due_at = await ctx.db.read(alerts.next_due)
    return None if due_at is None else max(timedelta(), due_at - ctx.now())


async def test(ctx: Context) -> None:
    """Have an alert sent by every way, to see whether it comes.

    Raises: InvalidInput if one was asked for a moment ago.
    """
    now = ctx.now()
    before = await ctx.db.read(alerts.last_test)
    if before is not None and before <= now < before + TEST_EVERY:
        raise InvalidInput("", "A test was sent a moment ago. Please wait a minute.")
    await ctx.db.write(lambda tx: alerts.add(tx, alerts.TEST, now=now))
    ctx.wake.jobs.set()


async def _mail(ctx: Context, alert: Alert) -> None:
    if not ctx.config.mails:
        await ctx.db.write(lambda tx: alerts.drop(tx, alert.id))
        return
    subject, text = copy_context().run(_written, ctx, alert)
    try:
        await mail.send(
            ctx.config.mail, mail.written(ctx.config, subject=subject, text=text, now=alert.at)
        )
    except RemoteError as problem:
        log.warning("an alert could not be mailed: %s status=%s", problem, problem.status)
        await _later(ctx, alert, problem.template)
        return
    log.info("an alert was mailed kind=%s", alert.kind)
    await _sent(ctx, alert)


async def _push(ctx: Context, alert: Alert) -> None:
    sealed, bound = alert.browser_sealed, alert.browser_bound
    if sealed is None or bound is None or not ctx.config.federates:
        await ctx.db.write(lambda tx: alerts.drop(tx, alert.id))
        return
    browser = await ctx.db.read(lambda reader: push.opened(reader, sealed, bound))
    key = await ctx.db.write(push.key)
    text = copy_context().run(_payload, ctx.owner.language or browser.language)
    status, retry_after_s = await pushing.send(
        ctx, browser, text, key=key, topic="alert", urgency="high"
    )
    if 200 <= status < 300:
        await _sent(ctx, alert)
    elif status in pushing.GONE:
        now = ctx.now()
        await ctx.db.write(lambda tx: alerts.give_up(tx, alert.id, now, _GONE))
    else:
        log.warning("an alert could not be pushed status=%d", status)
        await _later(ctx, alert, _REFUSED if status else _AWAY, retry_after_s)


async def _sent(ctx: Context, alert: Alert) -> None:
    now = ctx.now()
    await ctx.db.write(lambda tx: alerts.sent(tx, alert.id, now))


async def _later(
    ctx: Context, alert: Alert, problem: str, retry_after_s: float | None = None
) -> None:
    now = ctx.now()
    wait = min(backoff.delay(alert.attempts + 1, chance=random.random()), MAX_WAIT)  # noqa: S311 - no secret
    if retry_after_s is not None:
        wait = max(wait, min(timedelta(seconds=retry_after_s), TRIED_FOR))
    if now + wait > alert.at + TRIED_FOR:
        log.error("an alert was given up kind=%s channel=%s", alert.kind, alert.channel)
        await ctx.db.write(lambda tx: alerts.give_up(tx, alert.id, now, problem))
        return
    await ctx.db.write(lambda tx: alerts.later(tx, alert.id, now + wait, problem))


def _payload(language: str) -> bytes:
    """Return what a push says: that something happened, and where to look."""
    words.use(language)
    said = {"title": _("Look at your door log"), "tag": "alert", "url": "/settings/door"}
    return json.dumps(said, ensure_ascii=False).encode()


def _written(ctx: Context, alert: Alert) -> tuple[str, str]:
    """Return subject and text of a mail, in the language of the owner's pages."""
    words.use(ctx.owner.language)
    host = ctx.config.host
    if alert.kind == alerts.TEST:
        what = _("This is the test that you asked for: alerts reach you.")
    else:
        what = f"{_named(alert.kind)}."
    lines = [
        what,
        words.moment(alert.at.astimezone(UTC)) + " (UTC)",
        "",
        _("Was it you? Then there is nothing to do."),
        _("If not, look at the door log, and lock everything:"),
        f"{ctx.config.base_url}/settings/door",
    ]
    return _("%(host)s: look at your door log", host=host), "\n".join(lines) + "\n"


def _named(kind: str) -> str:
    try:
        return words.gettext(door_log.NAMES[door_log.Kind(kind)])
    except (KeyError, ValueError):  # of a later version
        return kind


def ways(reader: Reader) -> tuple[int, alerts.State, alerts.State]:
    """Return how many browsers are told, and how pushes and mails do."""
    return push.count(reader), alerts.state(reader, "push"), alerts.state(reader, "mail")
