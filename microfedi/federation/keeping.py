"""A post of somebody else's becomes one that we keep: who may see it, and what its HTML may do."""

from urllib.parse import quote

from microfedi.errors import NotAuthorized
from microfedi.federation.context import Context
from microfedi.protocol import addressing, sanitize, uris, vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, notes, quotes, stamps
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note

MAX_MENTIONS = 50  # that are labelled with the handle that we know


def check_author(note: vocab.Note, author_uri: str) -> None:
    """Demand that a note is its author's: theirs by name, and on their own server.

    Raises: NotAuthorized.
    """
    if note.attributed_to != author_uri or not uris.same_origin(note.uri, author_uri):
        raise NotAuthorized(f"{note.uri[:200]} is not a post of {author_uri[:200]}")


def visibility_of(ctx: Context, reader: Reader, note: vocab.Note, author: Actor) -> Visibility:
    """Read who may see a note of somebody else's.

    Persons are those mentioned, the owner, and whoever we know; another address that it has been
    sent to is some circle.
    """
    persons = {ctx.owner.uri, author.uri} | {mention.href for mention in note.mentions}
    addressed = (*note.to, *note.cc)
    visibility = addressing.visibility_of(
        note.to, note.cc, followers_uri=author.followers_uri, persons=persons
    )
    if visibility is Visibility.LIMITED:
        persons.update(uri for uri in addressed if actors.id_of(reader, uri) is not None)
        visibility = addressing.visibility_of(
            note.to, note.cc, followers_uri=author.followers_uri, persons=persons
        )
    if note.type == "ChatMessage" and not visibility.is_open:
        return Visibility.DIRECT
    return visibility


def html_of(ctx: Context, reader: Reader, note: vocab.Note) -> SafeHtml:
    """Return what the note's HTML may show here: hashtags lead to ours, mentions say who it is."""
    mentions: dict[str, str] = {}
    if note.mentions and "mention" in note.content:
        for mention in note.mentions[:MAX_MENTIONS]:
            actor = actors.by_uri(reader, mention.href)
            if actor is not None:
                mentions[actor.uri] = actor.address
                if actor.url is not None:
                    mentions[actor.url] = actor.address
    addresses = ctx.owner.addresses
    return sanitize.html(
        note.content, mentions=mentions, tag_url=lambda tag: addresses.tag(quote(tag, safe=""))
    )


def keep(
    ctx: Context, tx: Transaction, note: vocab.Note, author: Actor, visibility: Visibility
) -> tuple[Note, bool] | None:
    """Keep a note that `check_author` has passed; as `notes.keep`. Nobody is told, Home unchanged.

    None if it was deleted before, or lies on our own host.
    """
    if uris.belongs_to(note.uri, ctx.config.base_url):
        return None
    kept = notes.keep(
        tx,
        note,
        actor_id=author.id,
        visibility=visibility,
        html=html_of(ctx, tx, note),
        now=ctx.now(),
    )
    if kept is not None and kept[1] and note.quote is not None:
        keep_quote(ctx, tx, kept[0], note, author)
    return kept


def keep_quote(ctx: Context, tx: Transaction, note: Note, said: vocab.Note, author: Actor) -> None:
    """Keep that a post quotes another, and what is known of its author's consent; nothing is asked.

    Of a post of the owner's we know it at once: the stamp is ours, or there is none.

    Source: FEP-044f.
    """
    if note.quote is None:
        quotes.remove(tx, note.id)
        return
    quoted = notes.by_uri(tx, note.quote)
    state: quotes.State = "unknown" if said.quote_authorization is None else "pending"
    authorization = said.quote_authorization
    if quoted is not None and quoted.actor_id == author.id:
        state, authorization = "accepted", None
    elif quoted is not None and quoted.actor_id == ctx.owner.actor_id:
        stamp = stamps.of(tx, "quote", quoted.id, note.uri)
        is_agreed = stamp is not None and stamp.state == "accepted"
        state, authorization = ("accepted" if is_agreed else "unknown"), None
    quotes.put(tx, note.id, note.quote, state, authorization=authorization, now=ctx.now())
