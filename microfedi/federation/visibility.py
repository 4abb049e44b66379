"""Who may see a note: the one question that every page, feed and representation asks."""

from enum import Enum

from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, blocks, circles, followers
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note


class _Owner(Enum):
    OWNER = "owner"


# The owner in their session. An actor URI that was proved by a signature is somebody else, None
# is anybody.
OWNER = _Owner.OWNER
Asker = _Owner | str | None


def may_see(reader: Reader, note: Note, asker: Asker) -> bool:
    """True if `asker` may see `note`.

    The owner sees all. Open notes are for everybody who is not blocked. One for followers is for
    accepted followers and those it is addressed to, a limited one for the latter alone, or for
    those of a circle who got it. What others wrote for some people is not ours to show to anybody
    but the owner. Messages are not notes: nobody but the owner ever sees them.
    """
    if asker is OWNER:
        return True
    if asker is not None and blocks.is_blocked(reader, asker):
        return False
    if note.visibility.is_open:
        return True
    if asker is None or note.public_id is None:
        return False
    if asker in note.to or asker in note.cc:
        return True
    if note.visibility is Visibility.LIMITED:
        return circles.has_got(reader, note.id, asker)
    return note.visibility is Visibility.FOLLOWERS and _follows(reader, asker)


def _follows(reader: Reader, actor_uri: str) -> bool:
    actor_id = actors.id_of(reader, actor_uri)
    follower = None if actor_id is None else followers.by_actor(reader, actor_id)
    return follower is not None and follower.state == "accepted"
