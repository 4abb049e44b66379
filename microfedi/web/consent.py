"""Who may quote and answer the owner, and list them: wishes, requests, and what was agreed to."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.federation.outbox import answers, profile
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import actors, notes, stamps
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.storage.owner import QuotePolicy, ReplyPolicy
from microfedi.words import _, mark

SHOWN = 50  # of each kind

QUOTE_POLICIES: Final[dict[QuotePolicy, str]] = {
    "anyone": mark("Anybody"),
    "followers": mark("My followers"),
    "ask": mark("Whoever asks me, and I say yes"),
    "nobody": mark("Nobody but me"),
}
REPLY_POLICIES: Final[dict[ReplyPolicy, str]] = {
    "anyone": mark("Anybody"),
    "followers": mark("My followers, and whom I mention"),
    "mentioned": mark("Only whom I mention"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody's wish, or a yes that was given. `kind` is quote, reply or feature."""

    public_id: str
    kind: str
    actor: Actor
    other_uri: str
    note: Note | None
    quoting: Note | None


async def show(request: Request) -> Response:
    """GET /settings/consent."""
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[list[Wish], list[Wish]]:
        return _wishes(reader, "pending"), _wishes(reader, "accepted")

    waiting, given = await ctx.db.read(question)
    values = {
        "waiting": waiting,
        "given": given,
        "quote_policies": [(key, _(words)) for key, words in QUOTE_POLICIES.items()],
        "reply_policies": [(key, _(words)) for key, words in REPLY_POLICIES.items()],
        "saved": "saved" in request.query_params,
    }
    return await page(request, "settings_consent.html", values)


async def submit(request: Request) -> Response:
    """POST /settings/consent: the wishes for new posts."""
    form = await forms.read(request)
    await profile.set_policies(
        context_of(request),
        quote_policy=forms.one_of(form, "quote_policy", QUOTE_POLICIES),
        reply_policy=forms.one_of(form, "reply_policy", REPLY_POLICIES),
    )
    return RedirectResponse("/settings/consent?saved=1", 303)


async def agree(request: Request) -> Response:
    """POST /settings/consent/{public_id}/agree."""
    await answers.decide(context_of(request), request.path_params["public_id"], agrees=True)
    return RedirectResponse("/settings/consent", 303)


async def refuse(request: Request) -> Response:
    """POST /settings/consent/{public_id}/refuse."""
    await answers.decide(context_of(request), request.path_params["public_id"], agrees=False)
    return RedirectResponse("/settings/consent", 303)


async def revoke(request: Request) -> Response:
    """POST /settings/consent/{public_id}/revoke: a yes is taken back."""
    await answers.revoke(context_of(request), request.path_params["public_id"])
    return RedirectResponse("/settings/consent", 303)


def _wishes(reader: Reader, state: stamps.State) -> list[Wish]:
    asked = stamps.in_state(reader, state, limit=SHOWN)
    listed = stamps.features_in_state(reader, state, limit=SHOWN)
    wanted = {one.actor_id for one in asked} | {one.actor_id for one in listed}
    people = actors.by_ids(reader, wanted)
    about = notes.by_ids(reader, {one.note_id for one in asked})
    found = [
        Wish(
            one.public_id,
            one.kind,
            people[one.actor_id],
            one.other_uri,
            about.get(one.note_id),
            notes.by_uri(reader, one.other_uri),
        )
        for one in asked
        if one.actor_id in people
    ]
    found += [
        Wish(one.public_id, "feature", people[one.actor_id], one.collection_uri, None, None)
        for one in listed
        if one.actor_id in people
    ]
    return found


owner_routes = [
    Route("/settings/consent", show, methods=["GET"]),
    Route("/settings/consent", submit, methods=["POST"]),
    Route("/settings/consent/{public_id}/agree", agree, methods=["POST"]),
    Route("/settings/consent/{public_id}/refuse", refuse, methods=["POST"]),
    Route("/settings/consent/{public_id}/revoke", revoke, methods=["POST"]),
]
