"""Public posts with a hashtag that the owner follows come to Home when they reach this server."""

from datetime import timedelta

from microfedi.federation.context import Context
from microfedi.protocol.vocab import Visibility
from microfedi.storage import followed_tags, following, timeline
from microfedi.storage.database import Transaction
from microfedi.storage.notes import Note

FRESH = timedelta(days=1)  # an old post that an old thread brought is no news


def place(ctx: Context, tx: Transaction, note: Note) -> bool:
    """Put a new post of somebody else's on Home if a followed hashtag brings it; True if so.

    Quiet posts are for those who come by them. Nothing stands there twice: what somebody followed
    wrote is there for that.
    """
    now = ctx.now()
    if (
        not note.hashtags
        or note.visibility is not Visibility.PUBLIC
        or note.published_at < now - FRESH
        or following.is_followed(tx, note.actor_id)
    ):
        return False
    followed = followed_tags.of(tx, note.hashtags)
    if not followed or timeline.has(tx, note.id):
        return False
    return timeline.add(tx, note_id=note.id, tag=followed[0], at=now)
