"""The owner publishes, edits, deletes and pins posts. Messages are in `messages`, never here."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation import consent, emojis, linked, uploads
from microfedi.federation.context import Context
from microfedi.federation.outbox import addressees, attaching, sending, writing
from microfedi.federation.outbox import polls as outbox_polls
from microfedi.federation.outbox import quotes as outbox_quotes
from microfedi.federation.outbox.polls import PollDraft
from microfedi.federation.uploads import Upload
from microfedi.protocol import addressing, ids, vocab
from microfedi.protocol.addresses import Addresses
from microfedi.protocol.vocab import Visibility
from microfedi.storage import (
    circles,
    drafts,
    jobs,
    media,
    notes,
    polls,
    quotes,
    timeline,
    waiting_files,
)
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.drafts import Attached
from microfedi.storage.notes import Note

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True)
class Draft:
    """What the owner wrote. `in_reply_to` and `quote` are row ids.

    `circle` is the row id of the circle that a limited post is for.

    `files` are those that were uploaded before, in order; in an edit also those that hang on the
    post already, and what is not among them is taken off.

    `key` is that of the draft that it was, `replaces` that of the scheduled post whose new version
    it is: no draft is published twice.
    """

    source: str
    visibility: Visibility = Visibility.PUBLIC
    summary: str = ""
    language: str | None = None
    sensitive: bool = False
    in_reply_to: int | None = None
    poll: PollDraft | None = None
    quote: int | None = None
    circle: int | None = None
    files: tuple[Attached, ...] = ()
    key: str = ""
    replaces: str = ""


async def publish(ctx: Context, draft: Draft) -> Note:
    """Publish a post: keep it, and put it on its way to everybody it is for.

    The author of what it answers is always told. A server that does not federate keeps it only.

    Source: ActivityPub 6.2, 7.1.
    Raises: InvalidInput if it is empty, too long, or would be seen by more people than what it
    answers.
    """
    owner, now = ctx.owner, ctx.now()
    check(ctx, draft.source, len(draft.files), draft.language)
    place = await ctx.db.read(
        lambda reader: addressees.place(
            ctx,
            reader,
            draft.visibility,
            in_reply_to=draft.in_reply_to,
            quote=draft.quote,
            circle=draft.circle,
        )
    )
    parent, author, quoted, circle = place.parent, place.author, place.quoted, place.circle
    if circle is None:
        written = await writing.write(ctx, draft.source)
    else:  # nobody outside is mentioned: they would get it
        known = writing.among(draft.source, circle.people)
        written = writing.as_written(ctx, draft.source, known)
    html = written.html if quoted is None else outbox_quotes.with_link(written.html, quoted[0].uri)
    mentioned = [one for one in written.mentioned if one.id != owner.actor_id]
    if author is not None and author.id not in {owner.actor_id, *(one.id for one in mentioned)}:
        mentioned.insert(0, author)
    told = list(mentioned)
    if quoted is not None and quoted[1].id != owner.actor_id:
        told.append(quoted[1])
    to, cc = addressing.address(
        draft.visibility,
        followers_uri=owner.addresses.followers,
        mentioned=[one.uri for one in told],
    )
    if circle is not None:
        to = (circle.uri, *to)
    audience: list[Actor] = []
    if draft.visibility.is_open:
        audience = await ctx.db.read(lambda reader: addressees.groups_of(reader, mentioned, parent))
        # Those who follow a group read it there.
        reached = (one for group in audience for one in (group.uri, group.followers_uri) if one)
        cc = tuple(dict.fromkeys((*cc, *reached)))
    poll = None if draft.poll is None else outbox_polls.asked(draft.poll, now)
    public_id = ids.public_id()
    files = await uploads.take(ctx, draft.files, sealed=not draft.visibility.is_open)
    note = vocab.Note(
        uri=owner.addresses.note(public_id),
        attributed_to=owner.uri,
        content=str(html),
        summary=draft.summary,
        url=owner.addresses.note_page(public_id),
        to=to,
        cc=cc,
        in_reply_to=None if parent is None else parent.uri,
        context=f"{owner.addresses.note(public_id)}/context" if parent is None else parent.context,
        conversation=None if parent is None else parent.conversation,
        published=now,
        sensitive=draft.sensitive,
        language=draft.language or None,
        source=draft.source,
        attachments=attaching.described(ctx, files, [one.alt for one in draft.files]),
        mentions=tuple(writing.mention(one) for one in mentioned),
        hashtags=written.hashtags,
        type="Note" if poll is None else "Question",
        poll=poll,
        policy=consent.own_policy(ctx, draft.visibility),
        quote=None if quoted is None else quoted[0].uri,
        audience=tuple(group.uri for group in audience),
    )

    released: list[str] = []

    def change(tx: Transaction) -> Note:
        kept = notes.keep(
            tx,
            emojis.with_own(tx, note, owner.addresses),
            actor_id=owner.actor_id,
            visibility=draft.visibility,
            html=html,
            now=now,
            public_id=public_id,
        )
        if kept is None:
            raise ValueError(f"{note.uri} was deleted before it was there")
        if circle is not None:
            circles.remember(tx, kept[0].id, [one.id for one in circle.people])
        attaching.add(ctx, tx, files, kept[0].id)
        released.extend(_finish_draft(tx, draft, kept[0].id, now))
        if note.poll is not None and note.poll.ends is not None:
            jobs.add(tx, "poll", note.uri, due_at=note.poll.ends)
        linked.plan(ctx, tx, kept[0])
        if quoted is not None:
            outbox_quotes.ask(ctx, tx, kept[0], *quoted)
        timeline.add(tx, note_id=kept[0].id, at=now)
        create = create_of(tx, kept[0], owner.addresses)
        inboxes = addressees.inboxes(ctx, tx, kept[0], create)
        sending.hand_over(ctx, tx, create, inboxes, about=note.uri, note_id=kept[0].id)
        return kept[0]

    kept = await _write(ctx, change, files)
    await uploads.discard(ctx, released)
    return kept


def as_document(reader: Reader, note: Note, addresses: Addresses) -> vocab.Note:
    """Return a note of the owner's as others get it, with the collections that belong to it."""
    quote = None if note.quote is None else quotes.of_note(reader, note.id)
    is_refused = quote is not None and quote.state in ("rejected", "revoked")
    return replace(
        notes.to_vocab(note, actor_uri=addresses.actor),
        emojis=emojis.named(reader, addresses, note.emojis),
        poll=polls.filled(reader, note.id, note.poll),
        quote=None if is_refused else note.quote,
        quote_authorization=None if quote is None else quote.authorization,
        # What stands behind a warning is sensitive: some look at this field alone for pictures.
        sensitive=note.sensitive or bool(note.summary),
        replies_uri=f"{note.uri}/replies",
        likes_uri=f"{note.uri}/likes",
        shares_uri=f"{note.uri}/shares",
    )


def create_of(reader: Reader, note: Note, addresses: Addresses) -> vocab.Create:
    """Return the Create of a note of the owner's, under one id wherever it is found."""
    return vocab.Create(
        uri=f"{note.uri}/activity",
        actor_uri=addresses.actor,
        to=note.to,
        cc=note.cc,
        published=note.published_at,
        object_uri=note.uri,
        note=as_document(reader, note, addresses),
    )


async def edit(ctx: Context, note_id: int, draft: Draft) -> Note:
    """Publish a new version of a post to everybody who has the old one.

    Text, warning and the sensitive mark are replaced, the language if one is given; pictures are
    added, described anew, or removed for good. Audience and thread stay: nobody sees a post
    through an edit who could not see it before, so a new mention counts in open posts only.

    Source: ActivityPub 6.3.
    Raises: InvalidInput as `publish`; NotFound if it is not the owner's.
    """
    owner, now = ctx.owner, ctx.now()
    old = await ctx.db.read(lambda reader: demand_own(ctx, reader, note_id))
    hanging = attaching.staying(old, draft.files)
    new = [one for one in draft.files if one.name not in hanging]
    check(ctx, draft.source, len(draft.files), draft.language)
    if old.visibility.is_open:
        written = await writing.write(ctx, draft.source)
    else:
        people = await ctx.db.read(lambda reader: addressees.addressed(reader, old))
        written = writing.as_written(ctx, draft.source, writing.among(draft.source, people))
    mentions = {one.href: one for one in old.mentions if one.href in {*old.to, *old.cc}} | {
        one.uri: writing.mention(one) for one in written.mentioned if one.id != owner.actor_id
    }
    files = await uploads.take(ctx, new, sealed=not old.visibility.is_open)
    described = attaching.described(ctx, files, [one.alt for one in new])
    hanging |= dict(zip((one.name for one in new), described, strict=True))
    html = written.html
    if old.quote is not None:
        html = outbox_quotes.with_link(html, old.quote)
    note = replace(
        notes.to_vocab(old, actor_uri=owner.uri),
        content=str(html),
        summary=draft.summary,
        sensitive=draft.sensitive,
        language=draft.language or old.language,
        source=draft.source,
        updated=now,
        attachments=tuple(hanging[one.name] for one in draft.files),
        mentions=tuple(mentions.values()),
        hashtags=written.hashtags,
    )

    removed: list[str] = []

    def change(tx: Transaction) -> Note:
        # What a poll asks stays, and so do the votes.
        filled = replace(note, poll=polls.filled(tx, note_id, old.poll))
        version = emojis.with_own(tx, filled, owner.addresses)
        kept = notes.edit(tx, note_id, version, html=html, now=now)
        if kept is None:
            raise NotFound("the post was deleted meanwhile")
        attaching.add(ctx, tx, files, note_id)
        removed.extend(attaching.remove_unused(ctx, tx, kept))
        removed.extend(_finish_draft(tx, draft, note_id, now))
        tell(ctx, tx, kept)
        return kept

    kept = await _write(ctx, change, files)
    await uploads.discard(ctx, removed)
    return kept


def tell(ctx: Context, tx: Transaction, note: Note, *, also: Iterable[int] = ()) -> None:
    """Send a note of the owner's as it is now to everybody who has it, and to the actors `also`.

    Source: ActivityPub 6.3.
    """
    update = vocab.Update(
        uri=sending.mint(ctx, "updates"),
        actor_uri=ctx.owner.uri,
        to=note.to,
        cc=note.cc,
        published=ctx.now(),
        object_uri=note.uri,
        note=as_document(tx, note, ctx.owner.addresses),
    )
    # A closed post goes to those who may see it now, not to who liked it as a follower once.
    has = {*addressees.who_has(tx, note), *also} if note.visibility.is_open else set()
    inboxes = addressees.inboxes(ctx, tx, note, update, also=has)
    sending.hand_over(ctx, tx, update, inboxes, about=note.uri, note_id=note.id)


def check(ctx: Context, source: str, count: int, language: str | None) -> None:
    """Refuse what could not be published now, whenever it is to be. Raises: InvalidInput."""
    writing.check(ctx, source, count)
    if language and not _LANGUAGE.fullmatch(language):
        raise InvalidInput("language", "A language is written like en, de or pt-BR.")


async def delete(
    ctx: Context, note_id: int, *, also: Callable[[Transaction], object] | None = None
) -> None:
    """Delete a post here, and ask everybody who has it to forget it; `also` in the same write.

    Source: ActivityPub 6.4.
    Raises: NotFound if it is not the owner's.
    """
    owner, now = ctx.owner, ctx.now()

    def change(tx: Transaction) -> list[str]:
        note = demand_own(ctx, tx, note_id)
        names = [one.public_id for one in media.of_note(tx, note_id)]
        activity = vocab.Delete(
            uri=sending.mint(ctx, "deletes"),
            actor_uri=owner.uri,
            to=note.to,
            cc=note.cc,
            published=now,
            object_uri=note.uri,
        )
        inboxes = addressees.inboxes(ctx, tx, note, activity, also=addressees.who_has(tx, note))
        notes.delete(tx, note_id, now=now, was_public=note.visibility.is_open)
        sending.hand_over(ctx, tx, activity, inboxes, about=note.uri)
        if also is not None:
            also(tx)
        return names

    names = await ctx.db.write(change)
    ctx.wake.deliveries.set()
    await uploads.discard(ctx, names)


async def _write(ctx: Context, change: Callable[[Transaction], Note], files: list[Upload]) -> Note:
    try:
        note = await ctx.db.write(change)
    except Exception:
        await uploads.discard(ctx, uploads.names_of(files))
        raise
    ctx.wake.deliveries.set()
    return note


def demand_own(ctx: Context, reader: Reader, note_id: int) -> Note:
    """Return a post of the owner's. Raises: NotFound if it is not theirs."""
    note = notes.by_id(reader, note_id)
    if note is None or note.actor_id != ctx.owner.actor_id:
        raise NotFound("no post of the owner's")
    return note


def _finish_draft(tx: Transaction, draft: Draft, note_id: int, now: datetime) -> list[str]:
    """Let go of the draft that a post was, and of its files; return the names of the latter.

    Raises: InvalidInput if it was published, or deleted, before.
    """
    for key in (draft.replaces, draft.key):
        if key:
            drafts.finish(tx, key, note_id, now)
    return waiting_files.release(tx, [one.name for one in draft.files])
