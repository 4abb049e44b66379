"""Anybody's profile as the owner sees it, following them, and letting them follow."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.federation.outbox import follows
from microfedi.federation.visibility import OWNER
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page, zone_of
from microfedi.protocol.filtering import Place
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, blocks, mutes, standing
from microfedi.storage.actors import Actor
from microfedi.storage.blocks import BlockedActor
from microfedi.storage.database import Reader
from microfedi.storage.mutes import MutedActor
from microfedi.storage.standing import Standing
from microfedi.web import asked, profiles, redirects
from microfedi.web import trust as trusting
from microfedi.web.cards import Sieve
from microfedi.web.profiles import Content
from microfedi.web.trust import Trust


@dataclass(frozen=True, slots=True)
class Profile:
    """Somebody's page."""

    actor: Actor
    relation: Standing
    content: Content
    trust: Trust
    joined: str = ""
    muted: MutedActor | None = None
    blocked: BlockedActor | None = None


async def show(request: Request) -> Response:
    """GET /people/{id}: somebody's profile with the posts that we have."""
    ctx = context_of(request)
    actor = await asked.row(request, actors.by_id)
    if actor.id == ctx.owner.actor_id:
        return RedirectResponse(f"/@{ctx.owner.handle}", 303)
    before = forms.query_id(request, "before")
    tab = profiles.tab_of(request)

    def question(reader: Reader) -> Profile:
        content = profiles.content(
            reader,
            actor,
            f"/people/{actor.id}",
            tab=tab,
            visibilities=[v for v in Visibility if v is not Visibility.DIRECT],
            before=before,
            owner=ctx.owner,
            asker=OWNER,
            sieve=Sieve(Place.PROFILES, ctx.now()),
        )
        relation = standing.of_actor(reader, actor, ctx.now())
        return Profile(
            actor,
            relation,
            content,
            trusting.of(ctx, reader, actor),
            _day(actor.published_at, zone_of(ctx.owner.time_zone)),
            mutes.of_actor(reader, actor.id, ctx.now()) if relation.is_muted else None,
            blocks.of_actor(reader, actor.id) if relation.is_blocked else None,
        )

    profile = await ctx.db.read(question)
    await trusting.look_again(ctx, actor, profile.trust)
    return await page(request, "person.html", {"profile": profile, "trust": profile.trust})


def _day(instant: datetime | None, zone: tzinfo) -> str:
    return "" if instant is None else words.day_briefly(instant.astimezone(zone), with_year=True)


async def follow(request: Request) -> Response:
    """POST /people/{id}/follow."""
    actor = await asked.row(request, actors.by_id)
    await follows.follow(context_of(request), actor.id)
    return await _back(request, actor)


async def unfollow(request: Request) -> Response:
    """POST /people/{id}/unfollow."""
    actor = await asked.row(request, actors.by_id)
    await follows.unfollow(context_of(request), actor.id)
    return await _back(request, actor)


async def accept(request: Request) -> Response:
    """POST /people/{id}/accept: let somebody follow who asked."""
    actor = await asked.row(request, actors.by_id)
    await follows.accept(context_of(request), actor.id)
    return await _back(request, actor)


async def reject(request: Request) -> Response:
    """POST /people/{id}/reject: say no to a request, or end somebody's following."""
    actor = await asked.row(request, actors.by_id)
    await follows.reject(context_of(request), actor.id)
    return await _back(request, actor)


async def _back(request: Request, actor: Actor) -> Response:
    form = await forms.read(request)
    return RedirectResponse(redirects.local(forms.text(form, "next"), f"/people/{actor.id}"), 303)


owner_routes = [
    Route("/people/{id}", show, methods=["GET"]),
    Route("/people/{id}/follow", follow, methods=["POST"]),
    Route("/people/{id}/unfollow", unfollow, methods=["POST"]),
    Route("/people/{id}/accept", accept, methods=["POST"]),
    Route("/people/{id}/reject", reject, methods=["POST"]),
]
