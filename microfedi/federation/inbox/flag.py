"""Somebody reports the owner or a post of the owner's: to the owner, who is the admin here."""

from microfedi.errors import NotAuthorized
from microfedi.federation import relevance
from microfedi.federation.context import Context
from microfedi.protocol.vocab import Flag
from microfedi.storage import notifications, reports
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction


def apply(ctx: Context, tx: Transaction, flag: Flag, sender: Actor) -> None:
    """Keep the report and tell the owner; nothing else comes of it.

    Source: Mastodon's reports; there is no standard.
    Raises: NotAuthorized if it is about nobody and nothing here.
    """
    if not relevance.is_about_us(ctx, tx, flag):
        raise NotAuthorized("a report about somebody here was expected")
    now = ctx.now()
    added = reports.add(
        tx,
        flag.uri or f"{sender.uri} {now.isoformat()}",
        actor_id=sender.id,
        is_mine=False,
        object_uris=flag.object_uris,
        content=flag.content,
        now=now,
    )
    if added:
        notifications.remove(tx, "report", sender.id)  # the last one of each server is told
        notifications.add(tx, "report", actor_id=sender.id, now=now)
