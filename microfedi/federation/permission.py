"""Who may do what to which object: the one answer, asked by every handler of the inbox.

What an activity says is never enough: it is compared with what we keep. Being on the same server
as somebody gives no right to anything of theirs.

Source: FEP-fe34; ActivityPub 7.
"""

from typing import Literal, Protocol

from microfedi.errors import NotAuthorized
from microfedi.federation import visibility
from microfedi.federation.context import Context
from microfedi.protocol import uris, vocab
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note

Deed = Literal["be", "write", "change", "react", "vote", "boost", "pin", "ask", "address"]
"""What somebody wants to do.

`be`: speak of an account as their own. `write`: be the author of what they send. `change`: change,
delete, undo or answer what is kept. `react`: like a post or react to it. `vote`: choose in a poll.
`boost`: pass a post on. `pin`: list a post on their profile. `ask`: ask to quote or answer a post.
`address`: do something to the owner, such as follow or block.
"""


class Owned(Protocol):
    """What belongs to somebody: a post, a message, a like, a follow ..."""

    @property
    def actor_id(self) -> int:
        """Whose it is."""


def demand(
    ctx: Context, reader: Reader, sender: Actor, deed: Deed, thing: Owned | vocab.Note | Note | str
) -> None:
    """Demand that `sender` may do that to `thing`.

    Raises: NotAuthorized.
    """
    if not may(ctx, reader, sender, deed, thing):
        what = getattr(thing, "uri", thing if isinstance(thing, str) else type(thing).__name__)
        raise NotAuthorized(f"{sender.uri[:200]} may not {deed} {str(what)[:200]}")


def may(
    ctx: Context, reader: Reader, sender: Actor, deed: Deed, thing: Owned | vocab.Note | Note | str
) -> bool:
    """Return whether `sender` may do that to `thing`."""
    match deed, thing:
        case "write", vocab.Note():
            return thing.attributed_to == sender.uri and uris.same_origin(thing.uri, sender.uri)
        case "be", str():
            return thing == sender.uri
        case "address", str():
            return thing == ctx.owner.uri
        case "change", _ if not isinstance(thing, str | vocab.Note):
            return thing.actor_id == sender.id
        case "react", Note():
            return _is_owners(ctx, thing) and visibility.may_see(reader, thing, sender.uri)
        case "vote", Note():
            return (
                _is_owners(ctx, thing)
                and thing.poll is not None
                and visibility.may_see(reader, thing, sender.uri)
            )
        case "boost", Note():
            return thing.visibility.is_open or thing.actor_id == sender.id
        case "pin", Note():
            return thing.actor_id == sender.id and thing.visibility.is_open
        case "ask", Note():
            return _is_owners(ctx, thing) and thing.visibility.is_open
    return False


def _is_owners(ctx: Context, note: Note) -> bool:
    return note.actor_id == ctx.owner.actor_id
