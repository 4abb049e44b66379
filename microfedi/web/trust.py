"""What is known of who somebody is: which pages vouch for them, what their server is, what changed.

Facts with their dates, and no verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.federation import fetching, media_cache, server_facts, verifying
from microfedi.federation.context import Context
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.protocol import sanitize, uris
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import actor_events, actors, jobs, known, verified_links
from microfedi.storage import server_facts as facts_storage
from microfedi.storage.actor_events import Event
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.server_facts import Facts
from microfedi.storage.verified_links import Link
from microfedi.web import redirects


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of somebody.

    `recent` are the newer of `events`; `picture` is what their portrait looks like. `is_due`: their
    pages or their server should be looked at again.
    """

    links: Mapping[str, Link]
    facts: Facts | None = None
    events: Sequence[Event] = ()
    recent: Sequence[Event] = ()
    picture: int | None = None
    is_due: bool = False

    def link_of(self, value: SafeHtml) -> Link | None:
        """Return what is known of the page in a row of the profile, if it ever linked back."""
        pages = sanitize.pages_in(value)
        link = self.links.get(uris.without_fragment(pages[0])) if pages else None
        return link if link is not None and link.verified_at is not None else None


def of(ctx: Context, reader: Reader, actor: Actor) -> Trust:
    """Read what is known of somebody else."""
    now = ctx.now()
    picture_key = media_cache.name_of(reader.sealer, actor.icon_url) if actor.icon_url else ""
    about = known.of(reader, actor, picture_key, now)
    links, facts, events = about.links, about.facts, about.events
    is_ours = not ctx.config.federates or fetching.is_ours(ctx, actor.uri)
    is_old = facts is None or facts.checked_at <= now - facts_storage.FRESH_FOR
    is_due = not is_ours and (
        (is_old and "server_facts" not in about.waits)
        or ("verify" not in about.waits and verifying.are_due(ctx, actor, links))
    )
    return Trust(
        links,
        facts,
        events,
        [one for one in events if one.at > now - actor_events.RECENT],
        about.picture,
        is_due and actor.state == "ok",
    )


def of_owner(reader: Reader, actor: Actor) -> Trust:
    """Read which pages vouch for the owner."""
    return Trust(verified_links.of_actor(reader, actor.id) if actor.fields else {})


async def look_again(ctx: Context, actor: Actor, trust: Trust) -> None:
    """Have somebody's pages and server looked at, if it is time: somebody looks at them now."""
    if not trust.is_due:
        return

    def change(tx: Transaction) -> None:
        verifying.plan(ctx, tx, actor)
        server_facts.plan(ctx, tx, actor)

    await ctx.db.write(change)
    ctx.wake.jobs.set()


async def check_own(request: Request) -> Response:
    """POST /settings/profile/links: look now whether the owner's pages link back."""
    ctx = context_of(request)
    form = await forms.read(request)
    actor = await ctx.db.read(lambda r: actors.by_id(r, ctx.owner.actor_id))
    if actor is not None and ctx.config.federates:
        for url in verifying.pages(ctx, actor):
            await verifying.look(ctx, actor, url)
        week = ctx.now() + verifying.EVERY
        await ctx.db.write(lambda tx: jobs.add_if_missing(tx, "verify", actor.uri, due_at=week))
    return RedirectResponse(
        redirects.local(forms.text(form, "next"), "/settings/profile#links"), 303
    )


owner_routes = [
    Route("/settings/profile/links", check_own, methods=["POST"]),
]
