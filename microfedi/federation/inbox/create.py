"""A new post or message of somebody's."""

import dataclasses
import logging

from microfedi.errors import NotAuthorized, ProtocolError, RemoteError
from microfedi.federation import (
    consent,
    keeping,
    linked,
    lookup,
    permission,
    private_media,
    quoting,
    relevance,
    server_facts,
    tagged,
)
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.federation.inbox import votes
from microfedi.protocol import addressing, vocab
from microfedi.protocol.vocab import Activity, Create, Encrypted, Visibility
from microfedi.storage import (
    actors,
    conversations,
    encrypted,
    following,
    jobs,
    message_heads,
    messages,
    notes,
    notifications,
    timeline,
    tombstones,
)
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note

log = logging.getLogger(__name__)

MAX_PEOPLE = 10  # of one conversation; with more it is no message but a mailing
MAX_WAITING = 500  # threads that wait to be looked for; strangers can ask for them by mentions
_BEYOND_PERSONS = {vocab.PUBLIC}


def needs(ctx: Context, create: Create) -> bool:
    """True if only an id was sent, or if it may be a message to more people than the owner."""
    if create.note is None:
        return create.encrypted is None
    return bool(_others(ctx, create.note)) and not _is_open(create.note)


async def fetch(ctx: Context, create: Create, budget: Budget) -> Create:
    """Get the post from its origin; of a message also who else takes part.

    Raises: RemoteError, ProtocolError.
    """
    note = create.note
    if note is None:
        note = await lookup.fetch_note(ctx, create.object_uri, budget)
    if not _is_open(note):
        for uri in await ctx.db.read(lambda reader: _strangers(ctx, reader, note)):
            try:
                await lookup.kept_actor(ctx, uri, budget)
            except (RemoteError, ProtocolError) as error:
                # The message counts, whoever else got it.
                log.info("somebody in a conversation could not be fetched: %s", error)
    return dataclasses.replace(create, note=note)


def apply(ctx: Context, tx: Transaction, create: Create, sender: Actor) -> None:
    """Keep what `sender` wrote, where it belongs.

    Source: ActivityPub 7.2.
    Raises: NotAuthorized if somebody else wrote it, or it lies elsewhere.
    """
    if create.note is not None:
        take(ctx, tx, create.note, sender, activity=create)
    for vote in create.more:
        take(ctx, tx, vote, sender, activity=create)


def take_encrypted(
    ctx: Context, tx: Transaction, create: Create, sealed: Encrypted, sender: Actor, body: bytes
) -> None:
    """Keep what is end-to-end encrypted, as it arrived; nobody is told, for it cannot be read here.

    Source: MLS over ActivityPub.
    Raises: NotAuthorized if it is not for the owner alone, or not `sender`'s.
    """
    if not relevance.is_sealed_for_us(ctx, create, sealed) or sealed.attributed_to != sender.uri:
        raise NotAuthorized("an encrypted object for the owner by name was expected")
    encrypted.keep(tx, sealed.uri, actor_id=sender.id, kind=sealed.type, body=body, now=ctx.now())


def take(
    ctx: Context, tx: Transaction, note: vocab.Note, author: Actor, *, activity: Activity
) -> None:
    """Keep a post or a message that is new to us: its place, and who is told.

    Raises: NotAuthorized if `author` did not write it.
    """
    permission.demand(ctx, tx, author, "write", note)
    if is_vote(note):
        votes.take(ctx, tx, note, author)
        return
    if not relevance.is_wanted(ctx, tx, activity, note, author.id):
        return
    visibility = keeping.visibility_of(ctx, tx, note, author)
    if visibility is Visibility.DIRECT:
        _take_message(ctx, tx, note, author)
        return
    if not may_answer(ctx, tx, note, author):
        return
    kept = keeping.keep(ctx, tx, note, author, visibility)
    if kept is None or not kept[1]:
        return
    if kept[0].quote is not None:
        quoting.take(ctx, tx, kept[0], note, author)
    _place(ctx, tx, kept[0], author)


def may_answer(ctx: Context, tx: Transaction, note: vocab.Note, author: Actor) -> bool:
    """False for an answer to a post of the owner's that they wanted answered by others only.

    What somebody followed writes is read all the same.
    """
    parent = None if note.in_reply_to is None else notes.by_uri(tx, note.in_reply_to)
    if parent is None or parent.actor_id != ctx.owner.actor_id:
        return True
    return following.is_followed(tx, author.id) or consent.may_reply(ctx, tx, parent, author)


def _place(ctx: Context, tx: Transaction, note: Note, author: Actor) -> None:
    """Put a new post on Home if it belongs there, and tell the owner if it is for them.

    A mention counts if the post is addressed to the owner as well: the tag alone is decoration.
    """
    owner = ctx.owner
    now = ctx.now()
    is_for_owner = owner.uri in note.to or owner.uri in note.cc
    is_followed = following.is_followed(tx, author.id)
    if is_followed:  # at a stranger's word no page of the web is fetched
        linked.plan(ctx, tx, note)
    if is_followed and not timeline.has(tx, note.id):
        timeline.add(tx, note_id=note.id, at=now)
    if not is_followed:
        tagged.place(ctx, tx, note)
    if is_for_owner:
        notifications.add(tx, "mention", actor_id=author.id, note_id=note.id, now=now)
    is_orphan = note.in_reply_to_uri is not None and note.in_reply_to_id is None
    if is_orphan and (is_for_owner or is_followed):
        jobs.add(tx, "thread", note.uri, due_at=now, most=MAX_WAITING)


def _take_message(ctx: Context, tx: Transaction, note: vocab.Note, author: Actor) -> None:
    """Put a message into the conversation with exactly these people, if the owner lets it in.

    Of people who are not followed it is a request, until the owner has answered.
    """
    owner = ctx.owner
    if owner.uri not in note.to and owner.uri not in note.cc:
        return
    others = {actors.id_of(tx, uri) for uri in _others(ctx, note)}
    people = {author.id} | {one for one in others if one is not None}
    people.discard(owner.actor_id)
    if not _may_write(ctx, tx, author, people):
        log.info("a message was not let in, as the owner wishes")
        return
    if message_heads.has(tx, note.uri) or tombstones.of(tx, note.uri) is not None:
        return
    is_known = following.is_followed(tx, author.id)
    if not is_known and not conversations.has_room(tx, people, host=author.host):
        log.info("a message was not kept: too many of strangers wait for an answer")
        return
    conversation_id = conversations.make(tx, people, state="open" if is_known else "request")
    if not is_known:
        server_facts.plan(ctx, tx, author)  # the drawer says it; then, not when it is looked at
    messages.keep(
        tx,
        note,
        conversation_id=conversation_id,
        actor_id=author.id,
        html=keeping.html_of(ctx, tx, note),
        now=ctx.now(),
        copies=private_media.names_of(tx, note.attachments),
    )


def _may_write(ctx: Context, tx: Transaction, author: Actor, people: set[int]) -> bool:
    if following.is_followed(tx, author.id):
        return ctx.owner.message_policy in ("anyone", "followed") or _is_open_to(tx, people)
    if ctx.owner.message_policy == "anyone" and not conversations.is_declined(tx, author.id):
        return True
    return _is_open_to(tx, people)


def _is_open_to(reader: Reader, people: set[int]) -> bool:
    """True if the owner has written to exactly these people, or let them in."""
    conversation_id = conversations.find(reader, people)
    return conversation_id is not None and (
        conversations.state_of(reader, conversation_id) == "open"
    )


def is_vote(note: vocab.Note) -> bool:
    """True for a vote in a poll: a name without any text. Never a reply, never a message.

    Source: what Mastodon sends; there is no standard.
    """
    return bool(
        note.type == "Note"
        and note.name
        and note.in_reply_to
        and not note.content
        and not note.attachments
    )


def _is_open(note: vocab.Note) -> bool:
    return addressing.visibility_of(
        note.to, note.cc, followers_uri=None, persons=frozenset()
    ).is_open


def _others(ctx: Context, note: vocab.Note) -> list[str]:
    """Return who is addressed beside the owner and the author."""
    known = {ctx.owner.uri, note.attributed_to} | _BEYOND_PERSONS
    return [uri for uri in dict.fromkeys((*note.to, *note.cc)) if uri not in known][:MAX_PEOPLE]


def _strangers(ctx: Context, reader: Reader, note: vocab.Note) -> list[str]:
    """Return whom to fetch, if this is a message: who is addressed, mentioned and unknown."""
    author = actors.by_uri(reader, note.attributed_to)
    if author is None or keeping.visibility_of(ctx, reader, note, author) is not Visibility.DIRECT:
        return []
    return [uri for uri in _others(ctx, note) if actors.id_of(reader, uri) is None]
