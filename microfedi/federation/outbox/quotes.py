"""The owner quotes a post: with its author's consent, or not at all."""

from html import escape

from microfedi.errors import InvalidInput
from microfedi.federation import consent
from microfedi.federation.context import Context
from microfedi.federation.outbox import sending
from microfedi.protocol import vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, notes, quotes
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note


def quotable(
    ctx: Context, reader: Reader, note_id: int | None, visibility: Visibility
) -> tuple[Note, Actor] | None:
    """Return what is to be quoted and its author, if that may be.

    A post whose author says nothing about quotes cannot be quoted: nobody could agree.

    Source: FEP-044f.
    Raises: InvalidInput.
    """
    if note_id is None:
        return None
    note = notes.by_id(reader, note_id)
    author = None if note is None else actors.by_id(reader, note.actor_id)
    if note is None or author is None:
        raise InvalidInput("", "What this quotes has been deleted meanwhile.")
    if not note.visibility.is_open:
        raise InvalidInput("", "Only what everybody may see can be quoted.")
    if author.id == ctx.owner.actor_id:
        return note, author
    rule = None if note.policy is None else note.policy.can_quote
    answer = "no" if rule is None else consent.lets_us(ctx, reader, rule, author)
    if answer == "no":
        raise InvalidInput(
            "",
            "%(address)s does not offer this post to be quoted: link to it instead.",
            address=author.address,
        )
    if not visibility.is_open and visibility is not Visibility.FOLLOWERS:
        raise InvalidInput("visibility", "A quote is for everybody or for your followers.")
    return note, author


def with_link(html: SafeHtml, quoted_uri: str) -> SafeHtml:
    """Return the text with a link to what it quotes, for those who know no quotes.

    They who do leave it out: that is what its class says.

    Source: FEP-044f; Mastodon's quote-inline.
    """
    url = escape(quoted_uri)
    link = f'<p class="quote-inline">RE: <a href="{url}">{url}</a></p>'
    return SafeHtml(link + str(html))


def ask(ctx: Context, tx: Transaction, note: Note, quoted: Note, author: Actor) -> None:
    """Keep that `note` quotes `quoted`, and ask its author, unless that is the owner.

    Source: FEP-044f.
    """
    if author.id == ctx.owner.actor_id:
        quotes.put(tx, note.id, quoted.uri, "accepted", now=ctx.now())
        return
    request = vocab.QuoteRequest(
        uri=sending.mint(ctx, "quote_requests"),
        actor_uri=ctx.owner.uri,
        to=(author.uri,),
        object_uri=quoted.uri,
        instrument_uri=note.uri,
        note=notes.to_vocab(note, actor_uri=ctx.owner.uri),
    )
    quotes.put(tx, note.id, quoted.uri, "pending", request_uri=request.uri, now=ctx.now())
    sending.hand_over(ctx, tx, request, sending.personal(tx, [author]), about=note.uri)
