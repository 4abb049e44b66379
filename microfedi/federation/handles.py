"""Handles: @user@host is believed when its host's own WebFinger names the same actor."""

from urllib.parse import quote

from microfedi.errors import MalformedDocument, ProtocolError, RemoteError, RemoteGone
from microfedi.federation import fetching
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.protocol import loads, uris, webfinger
from microfedi.protocol.vocab import Actor
from microfedi.protocol.webfinger import Handle


def claimed(actor: Actor) -> Handle | None:
    """Return the handle that an actor document claims; nothing is confirmed yet."""
    text = actor.webfinger or f"{actor.preferred_username}@{uris.authority(actor.uri)}"
    return webfinger.parse_handle(text)


async def confirmed(ctx: Context, actor: Actor, budget: Budget) -> str | None:
    """Return the handle (user@host) of an actor if WebFinger leads from it to the actor.

    The handle asked for may be another name of it: then the one named is asked in turn, once. None
    if it does not lead back, or cannot be asked.

    Source: RFC 7033; FEP-2c59; what Mastodon does.
    """
    handle = claimed(actor)
    if handle is None:
        return None
    try:
        canonical, uri = await resolve(ctx, handle, budget)
    except (RemoteError, ProtocolError):
        return None
    return str(canonical) if uri == actor.uri else None


async def resolve(ctx: Context, handle: Handle, budget: Budget) -> tuple[Handle, str]:
    """Ask WebFinger for a handle; return its canonical form and the actor's URI.

    Raises: RemoteGone if there is nobody; RemoteError; MalformedDocument if the answers do not
    agree.
    """
    subject, uri = await _ask(ctx, handle, budget)
    if subject.matches(handle):
        return subject, uri
    # Another name, perhaps of another domain: that domain alone can say so.
    final, final_uri = await _ask(ctx, subject, budget)
    if not final.matches(subject) or final_uri != uri:
        raise MalformedDocument(f"WebFinger of {handle} and of {subject} do not agree")
    return final, final_uri


async def _ask(ctx: Context, handle: Handle, budget: Budget) -> tuple[Handle, str]:
    # On a development server everybody speaks plain http.
    scheme = "https" if ctx.config.is_https else "http"
    base = f"{scheme}://{handle.host}"
    await fetching.check_host(ctx, base)
    budget.spend()
    resource = quote(f"acct:{handle}", safe="")
    body = await ctx.remote.get_jrd(f"{base}/.well-known/webfinger?resource={resource}")
    jrd = loads.document(body)
    subject, uri = webfinger.subject_of(jrd, handle), webfinger.actor_uri_in(jrd)
    if subject is None:
        raise MalformedDocument(f"expected a handle as the subject of {handle}'s WebFinger")
    if uri is None:
        raise RemoteGone("%(handle)s is nobody that can be followed", handle=handle)
    return subject, uri
