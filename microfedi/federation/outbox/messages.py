"""The owner sends, edits and deletes messages: to the people chosen, and to nobody else.

A message has no public representation. Names of others that stand in its text are text: who reads
along is decided by the list of people alone, never by what somebody wrote.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation import emojis, forgetting, uploads
from microfedi.federation.context import Context
from microfedi.federation.outbox import attaching, sending, writing
from microfedi.imagework import Picture
from microfedi.protocol import ids, vocab
from microfedi.storage import (
    actors,
    blocks,
    conversations,
    media,
    message_drafts,
    message_heads,
    messages,
    scheduled_messages,
)
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.message_heads import Head
from microfedi.storage.messages import Message
from microfedi.storage.vault import SecretKeys

MAX_PEOPLE = 20  # in one conversation: more is a mailing list


async def send(
    ctx: Context,
    people: Collection[int],
    source: str,
    pictures: Sequence[tuple[Picture, str]] = (),
    *,
    summary: str = "",
    sensitive: bool = False,
    scheduled: str | None = None,
) -> Message:
    """Send a message to `people` (actor row ids), in the conversation that is theirs.

    It answers the newest there. `summary` is a content warning. `scheduled` is the key of what has
    waited until now.

    Source: ActivityPub 6.2; each gets it in their own inbox.
    Raises: InvalidInput if it is empty or too long, or if somebody cannot be written to.
    """
    owner, now = ctx.owner, ctx.now()
    writing.check(ctx, source, len(pictures))
    chosen, parent = await ctx.db.read(lambda reader: _to(ctx, reader, people))
    written = writing.as_written(ctx, source, writing.among(source, chosen))
    public_id = ids.public_id()
    attached = await uploads.write(ctx, [picture for picture, _ in pictures], sealed=True)
    note = vocab.Note(
        uri=owner.addresses.note(public_id),
        attributed_to=owner.uri,
        content=str(written.html),
        to=tuple(one.uri for one in chosen),
        in_reply_to=None if parent is None else parent.uri,
        context=None if parent is None else parent.context,
        conversation=None if parent is None else parent.conversation,
        published=now,
        source=source,
        summary=summary.strip(),
        sensitive=sensitive or bool(summary.strip()),
        attachments=attaching.described(ctx, attached, [alt for _, alt in pictures]),
        # Everybody it goes to: without it, many servers tell nobody.
        mentions=tuple(writing.mention(one) for one in chosen),
        hashtags=written.hashtags,
    )

    def change(tx: Transaction) -> Message:
        conversation_id = conversations.make(tx, {one.id for one in chosen}, state="open")
        conversations.undecline(tx, [one.id for one in chosen])
        if scheduled is None:
            message_drafts.remove(tx, conversation_id)
        elif not scheduled_messages.remove(tx, scheduled):
            raise NotFound("this message waits no more")
        message = messages.keep(
            tx,
            emojis.with_own(tx, note, owner.addresses),
            conversation_id=conversation_id,
            actor_id=owner.actor_id,
            html=written.html,
            now=now,
            public_id=public_id,
        )
        if message is None:
            raise ValueError(f"{note.uri} was deleted before it was there")
        for one in attached:
            for record in one.records:
                # What it looks like from afar is sealed with the message, and nowhere else.
                media.add(tx, replace(record, message_id=message.id, blurhash=""), now)
        create = vocab.Create(
            uri=sending.mint(ctx, "creates"),
            actor_uri=owner.uri,
            to=note.to,
            published=now,
            object_uri=note.uri,
            note=messages.to_vocab(message, actor_uri=owner.uri, to=note.to),
        )
        inboxes = sending.personal(tx, chosen)
        sending.hand_over(ctx, tx, create, inboxes, about=note.uri, message_id=message.id)
        return message

    try:
        message = await ctx.db.write(change)
    except Exception:
        await uploads.discard(ctx, uploads.names_of(attached))
        raise
    ctx.wake.deliveries.set()
    return message


async def edit(
    ctx: Context,
    message_id: int,
    source: str,
    *,
    summary: str | None = None,
    vault: SecretKeys | None = None,
) -> Message:
    """Send a new version of a message to the same people; pictures stay, and the content warning
    unless there is a new `summary`.

    Source: ActivityPub 6.3.
    Raises: InvalidInput as `send`; NotFound if it is not the owner's; Locked without the `vault`.
    """
    owner, now = ctx.owner, ctx.now()
    old, people = await ctx.db.read(lambda reader: _own(ctx, reader, message_id), vault=vault)
    if not old.attachments or source.strip():
        writing.check(ctx, source, 0)
    written = writing.as_written(ctx, source, writing.among(source, people))
    to = tuple(one.uri for one in people)
    warning = old.summary if summary is None else summary.strip()
    note = replace(
        messages.to_vocab(old, actor_uri=owner.uri, to=to),
        content=str(written.html),
        source=source,
        summary=warning,
        sensitive=bool(warning) or (old.sensitive and not old.summary),
        updated=now,
        hashtags=written.hashtags,
    )

    def change(tx: Transaction) -> Message:
        message = messages.edit(
            tx, message_id, emojis.with_own(tx, note, owner.addresses), html=written.html, now=now
        )
        if message is None:
            raise NotFound("the message was deleted meanwhile")
        update = vocab.Update(
            uri=sending.mint(ctx, "updates"),
            actor_uri=owner.uri,
            to=to,
            published=now,
            object_uri=message.uri,
            note=messages.to_vocab(message, actor_uri=owner.uri, to=to),
        )
        inboxes = sending.personal(tx, people)
        sending.hand_over(ctx, tx, update, inboxes, about=message.uri, message_id=message.id)
        return message

    message = await ctx.db.write(change)
    ctx.wake.deliveries.set()
    return message


async def delete(ctx: Context, message_id: int) -> None:
    """Delete a message here; if it is the owner's, ask the others to forget it.

    Source: ActivityPub 6.4.
    Raises: NotFound if it is not there.
    """

    def change(tx: Transaction) -> None:
        if message_heads.by_id(tx, message_id) is None:
            raise NotFound("no such message")
        take_back(ctx, tx, forgetting.drop(ctx, tx, [message_id]))

    await ctx.db.write(change)
    ctx.wake.deliveries.set()
    ctx.wake.jobs.set()


def take_back(ctx: Context, tx: Transaction, heads: Iterable[Head]) -> None:
    """Ask everybody who got these messages of the owner's to delete them.

    Source: ActivityPub 6.4. Set `ctx.wake.deliveries` after the commit.
    """
    readers: dict[int, list[Actor]] = {}  # many go at once, of few conversations
    for head in heads:
        if head.conversation_id not in readers:
            readers[head.conversation_id] = _people(ctx, tx, head.conversation_id)
        people = readers[head.conversation_id]
        activity = vocab.Delete(
            uri=sending.mint(ctx, "deletes"),
            actor_uri=ctx.owner.uri,
            to=tuple(one.uri for one in people),
            published=ctx.now(),
            object_uri=head.uri,
        )
        sending.hand_over(ctx, tx, activity, sending.personal(tx, people), about=head.uri)


def _to(ctx: Context, reader: Reader, people: Collection[int]) -> tuple[list[Actor], Head | None]:
    wanted = sorted(set(people))
    if not wanted or ctx.owner.actor_id in wanted:
        raise InvalidInput("to", "To whom?")
    if len(wanted) > MAX_PEOPLE:
        raise InvalidInput("to", "At most %(limit)s people, please.", limit=MAX_PEOPLE)
    found = actors.by_ids(reader, wanted)
    for actor_id in wanted:
        actor = found.get(actor_id)
        if actor is None or actor.state != "ok":
            raise InvalidInput("to", "Somebody of them is not there any more.")
        if blocks.is_blocked(reader, actor.uri):
            raise InvalidInput("to", "You have blocked %(address)s.", address=actor.address)
    conversation_id = conversations.find(reader, wanted)
    # Never one of another conversation: its id would tell these people that there is one.
    parent = None if conversation_id is None else message_heads.newest(reader, conversation_id)
    return [found[actor_id] for actor_id in wanted], parent


def _people(ctx: Context, reader: Reader, conversation_id: int) -> list[Actor]:
    found = conversations.by_id(reader, conversation_id, now=ctx.now())
    return [] if found is None else list(actors.by_ids(reader, found.people).values())


def _own(ctx: Context, reader: Reader, message_id: int) -> tuple[Message, list[Actor]]:
    message = messages.by_id(reader, message_id)
    if message is None or message.actor_id != ctx.owner.actor_id:
        raise NotFound("no message of the owner's")
    return message, _people(ctx, reader, message.conversation_id)
