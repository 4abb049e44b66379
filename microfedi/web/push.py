"""Being told at once by this browser: what of, and whether (Web Push)."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.errors import ForbiddenAddress, InvalidInput, MalformedDocument
from microfedi.federation.context import Context
from microfedi.http import forms, sessions
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import netguard, webpush
from microfedi.storage import push
from microfedi.storage.database import Reader
from microfedi.storage.push import Browser, Wish
from microfedi.words import _

MAX_ENDPOINT_CHARS = 1000  # the longest that browsers hand out have some 400
MAX_KEY_CHARS = 100  # 65 bytes in base64url make 87


def wishes_words() -> list[tuple[Wish, str, str]]:
    """Return what one can be told of, with its name and what belongs to it."""
    names: dict[Wish, tuple[str, str]] = {
        "message": (_("Messages"), _("Not the first ones of strangers, and not muted ones")),
        "mention": (_("Mentions"), _("Posts that name you, answer you or quote you")),
        "follow": (_("Follows"), _("New followers, and who asks to be one")),
        "favourite": (_("Favourites"), _("And reactions with an emoji")),
        "boost": (_("Boosts"), ""),
        "poll": (_("Polls"), _("Those you asked or voted in, when they close")),
        "other": (_("Everything else"), _("Edits, quotes, reports, people who moved")),
    }
    return [(wish, *names[wish]) for wish in push.WISHES]


async def show(request: Request) -> Response:
    """GET /settings/push."""
    return await _page(request, None)


async def submit(request: Request) -> Response:
    """POST /settings/push: what all browsers are told of."""
    form = await forms.read(request)
    chosen = [wish for wish in push.WISHES if forms.flag(form, wish)]
    await context_of(request).db.write(lambda tx: push.set_wishes(tx, chosen))
    return RedirectResponse("/settings/push?saved=1", 303)


async def subscribe(request: Request) -> Response:
    """POST /settings/push/subscribe: where this browser is reached, as it says itself."""
    ctx = context_of(request)
    session = await sessions.of(request)
    assert session is not None  # noqa: S101 - the owner's page
    try:
        browser = _browser(ctx, await forms.read(request))
    except InvalidInput as problem:
        return await _page(request, problem)
    await ctx.db.write(lambda tx: push.subscribe(tx, session.id, browser))
    return RedirectResponse("/settings/push?on=1", 303)


async def unsubscribe(request: Request) -> Response:
    """POST /settings/push/unsubscribe: this browser is told nothing any more."""
    session = await sessions.of(request)
    assert session is not None  # noqa: S101 - the owner's page
    await context_of(request).db.write(lambda tx: push.unsubscribe(tx, session.id))
    return RedirectResponse("/settings/push", 303)


def _browser(ctx: Context, form: FormData) -> Browser:
    """Read what the browser handed to our script.

    Raises: InvalidInput.
    """
    endpoint = forms.text(form, "endpoint", limit=MAX_ENDPOINT_CHARS)
    try:
        netguard.target_of(endpoint, development=ctx.config.federation.development)
        point = webpush.read_base64(
            forms.text(form, "p256dh", limit=MAX_KEY_CHARS), webpush.PUBLIC_BYTES
        )
        webpush.public_key(point)
        auth = webpush.read_base64(
            forms.text(form, "auth", limit=MAX_KEY_CHARS), webpush.AUTH_BYTES
        )
    except (ForbiddenAddress, MalformedDocument) as error:
        raise InvalidInput(
            "", "This browser named no push service that can be reached. Nothing has changed."
        ) from error
    return Browser(endpoint, point, auth, words.language())


async def _page(request: Request, problem: InvalidInput | None) -> Response:
    ctx = context_of(request)
    session = await sessions.of(request)
    assert session is not None  # noqa: S101 - the owner's page

    def question(reader: Reader) -> tuple[bytes | None, frozenset[Wish], bool]:
        return (
            push.public_point(reader),
            push.wishes(reader),
            push.is_subscribed(reader, session.id),
        )

    point, chosen, is_on = await ctx.db.read(question)
    if point is None:
        point = webpush.point_of(await ctx.db.write(push.key))
    values = {
        "wishes": wishes_words(),
        "chosen": chosen,
        "is_on": is_on,
        "is_possible": ctx.config.federates,
        "key": webpush.to_base64(point),
        "saved": "saved" in request.query_params,
        "problem": problem,
    }
    return await page(request, "settings_push.html", values, status_code=422 if problem else 200)


owner_routes = [
    Route("/settings/push", show, methods=["GET"]),
    Route("/settings/push", submit, methods=["POST"]),
    Route("/settings/push/subscribe", subscribe, methods=["POST"]),
    Route("/settings/push/unsubscribe", unsubscribe, methods=["POST"]),
]
