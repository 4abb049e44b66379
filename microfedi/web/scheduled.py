"""Posts that wait for their time: put off, edited, published at once, or made drafts again."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.outbox import drafts as outbox
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page, visibility_words, zone_of
from microfedi.protocol.vocab import Visibility
from microfedi.storage import circles, drafts, scheduled_messages
from microfedi.storage.circles import Circle
from microfedi.storage.database import Reader
from microfedi.storage.drafts import Kept
from microfedi.web import cards, compose, composer, talks
from microfedi.web.talks import Talk
from microfedi.words import _


@dataclass(frozen=True, slots=True)
class Waiting:
    """A scheduled post in the list. `offset` tells apart the two 02:30 of a night in October."""

    offer: composer.Offer
    at: str
    offset: str
    audience: str
    files: int


async def show(request: Request) -> Response:
    """GET /scheduled: what comes first stands first."""
    return await _page(request, None)


async def put_off(request: Request) -> Response:
    """POST /scheduled/{key}/time: publish it at another time."""
    ctx = context_of(request)
    kept = await _kept(request)
    form = await forms.read(request)
    try:
        at = composer.at(ctx, forms.line(form, "at", limit=composer.MAX_AT_CHARS))
        await outbox.schedule(ctx, kept, at)
    except InvalidInput as problem:
        return await _page(request, problem)
    return RedirectResponse("/scheduled", 303)


async def publish_now(request: Request) -> Response:
    """POST /scheduled/{key}/publish: do not wait any longer."""
    ctx = context_of(request)
    kept = await _kept(request)
    try:
        note = await compose.publish(ctx, kept.key, kept.draft)
    except InvalidInput as problem:
        return await _page(request, problem)
    return RedirectResponse(cards.url_of(note, ctx.owner), 303)


async def cancel(request: Request) -> Response:
    """POST /scheduled/{key}/cancel: it is a draft again."""
    kept = await _kept(request)
    await context_of(request).db.write(lambda tx: drafts.unschedule(tx, kept))
    return RedirectResponse("/drafts", 303)


async def _kept(request: Request) -> Kept:
    key: str = request.path_params["key"]
    kept = await context_of(request).db.read(lambda reader: drafts.by_key(reader, key))
    if kept is None or kept.publish_at is None:
        raise NotFound("no scheduled post")
    return kept


async def _page(request: Request, problem: InvalidInput | None) -> Response:
    ctx = context_of(request)

    def question(
        reader: Reader,
    ) -> tuple[list[Kept], Sequence[Circle], list[tuple[Talk, int]]]:
        counts = scheduled_messages.counts(reader)
        named = talks.by_ids(reader, counts, now=ctx.now()) if counts else {}
        return (
            drafts.scheduled(reader),
            circles.everyone(reader),
            [(one, counts[key]) for key, one in named.items()],
        )

    found, known, with_messages = await ctx.db.read(question)
    zone = zone_of(ctx.owner.time_zone)
    values = {
        "waiting": [
            Waiting(
                composer.offer(one),
                f"{one.publish_at.astimezone(zone):%Y-%m-%dT%H:%M}",
                f"{one.publish_at.astimezone(zone):%z}",
                _audience(one, known),
                len(one.draft.attached),
            )
            for one in found
            if one.publish_at is not None
        ],
        "talks": with_messages,
        "problem": problem,
        "earliest": composer.earliest(ctx),
        "zone": ctx.owner.time_zone,
    }
    return await page(request, "scheduled.html", values, status_code=422 if problem else 200)


def _audience(kept: Kept, known: Sequence[Circle]) -> str:
    draft = kept.draft
    if draft.visibility == outbox.CIRCLE:
        name = next((one.name for one in known if one.public_id == draft.circle), "")
        return _("Circle: %(name)s", name=name) if name else _("A circle that is gone")
    known_words = draft.visibility if draft.visibility in set(Visibility) else Visibility.LIMITED
    return visibility_words(known_words)


owner_routes = [
    Route("/scheduled", show, methods=["GET"]),
    Route("/scheduled/{key}/time", put_off, methods=["POST"]),
    Route("/scheduled/{key}/publish", publish_now, methods=["POST"]),
    Route("/scheduled/{key}/cancel", cancel, methods=["POST"]),
]
