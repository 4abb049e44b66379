"""The owner publishes, edits, deletes and pins posts. Messages are in `messages`, never here."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation import consent, emojis, linked, uploads
from microfedi.federation.context import Context
from microfedi.federation.outbox import polls as outbox_polls
from microfedi.federation.outbox import profile, sending, writing
from microfedi.federation.outbox import quotes as outbox_quotes
from microfedi.federation.outbox.polls import PollDraft
from microfedi.federation.uploads import Upload
from microfedi.imagework import Picture
from microfedi.protocol import addressing, ids, sanitize, vocab
from microfedi.protocol.addresses import Addresses
from microfedi.protocol.vocab import Activity, Visibility
from microfedi.storage import (
    actors,
    announces,
    circles,
    drafts,
    groups,
    jobs,
    likes,
    media,
    notes,
    pins,
    polls,
    quotes,
    timeline,
    waiting_files,
)
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.drafts import Attached
from microfedi.storage.notes import Note

MAX_ALT_CHARS = 1500  # as much as Mastodon shows
MAX_PINNED = 5  # as many as Mastodon shows
# Actors who are told of an edit or a deletion beside followers: liked, boosted, replied. More than
# these have it from somebody's followers anyway, and fetch it again themselves.
MAX_TOLD = 2000

# From narrow to wide: a reply may be seen by no more people than what it answers.
_WIDTH = {
    Visibility.LIMITED: 0,
    Visibility.FOLLOWERS: 1,
    Visibility.UNLISTED: 2,
    Visibility.PUBLIC: 3,
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True)
class Draft:
    """What the owner wrote. `pictures` come with their descriptions; `in_reply_to` is a row id.

    `circle` is the row id of the circle that a limited post is for.

    `attached` is for an edit: what hangs on the post already, by its address, with its new
    description, or None to take it off. What is not named stays as it is.

    `files` are those that were uploaded before, in order; in an edit also those that hang on the
    post already, and what is not among them is taken off. None leaves an edited post's as they are.

    `key` is that of the draft that it was: no draft is published twice.
    """

    source: str
    visibility: Visibility = Visibility.PUBLIC
    summary: str = ""
    language: str | None = None
    sensitive: bool = False
    in_reply_to: int | None = None
    pictures: tuple[tuple[Picture, str], ...] = ()
    poll: PollDraft | None = None
    quote: int | None = None
    circle: int | None = None
    attached: Mapping[str, str | None] = field(default_factory=dict)
    files: tuple[Attached, ...] | None = None
    key: str = ""
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class _Circle:
    """Who gets a post for a circle, and the address that stands for them all."""

    uri: str
    people: list[Actor]


async def publish(ctx: Context, draft: Draft) -> Note:
    """Publish a post: keep it, and put it on its way to everybody it is for.

    The author of what it answers is always told. A server that does not federate keeps it only.

    Source: ActivityPub 6.2, 7.1.
    Raises: InvalidInput if it is empty, too long, or would be seen by more people than what it
    answers.
    """
    owner, now = ctx.owner, ctx.now()
    waiting = draft.files or ()
    writing.check(ctx, draft.source, len(draft.pictures) + len(waiting))
    language = _language(draft.language)
    parent, author = await ctx.db.read(lambda reader: _parent(reader, draft.in_reply_to))
    circle = await ctx.db.read(lambda reader: _circle(ctx, reader, draft, parent))
    _refuse_widening(draft.visibility, parent, circle)
    await ctx.db.read(lambda reader: _demand_reply(ctx, reader, parent, author))
    quoted = await ctx.db.read(
        lambda reader: outbox_quotes.quotable(ctx, reader, draft.quote, draft.visibility)
    )
    if circle is None:
        written = await writing.write(ctx, draft.source)
    else:  # nobody outside is mentioned: they would get it
        known = writing.among(draft.source, circle.people)
        written = writing.as_written(ctx, draft.source, known)
    html = written.html if quoted is None else outbox_quotes.with_link(written.html, quoted[0].uri)
    mentioned = [one for one in written.mentioned if one.id != owner.actor_id]
    if author is not None and author.id not in {owner.actor_id, *(one.id for one in mentioned)}:
        mentioned.insert(0, author)
    to, cc = addressing.address(
        draft.visibility,
        followers_uri=owner.addresses.followers,
        mentioned=[one.uri for one in (*mentioned, *_another(quoted, owner.actor_id))],
    )
    if circle is not None:
        to = (circle.uri, *to)
    audience = await ctx.db.read(lambda reader: _groups(reader, mentioned, parent))
    if draft.visibility.is_open:
        # Those who follow a group read it there.
        reached = (one for group in audience for one in (group.uri, group.followers_uri) if one)
        cc = tuple(dict.fromkeys((*cc, *reached)))
    public_id = ids.public_id()
    pictures = await _files(ctx, waiting, draft, sealed=not draft.visibility.is_open)
    alts = [one.alt for one in waiting] + [alt for _, alt in draft.pictures]
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
        language=language,
        source=draft.source,
        attachments=_attachments(ctx, pictures, alts),
        mentions=tuple(writing.mention(one) for one in mentioned),
        hashtags=written.hashtags,
        type="Note" if draft.poll is None else "Question",
        poll=None if draft.poll is None else outbox_polls.asked(draft.poll, now),
        policy=consent.own_policy(ctx, draft.visibility),
        quote=None if quoted is None else quoted[0].uri,
        audience=tuple(group.uri for group in audience) if draft.visibility.is_open else (),
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
        _add_media(ctx, tx, pictures, kept[0].id)
        released.extend(_finish_draft(tx, draft, kept[0].id, now))
        if note.poll is not None and note.poll.ends is not None:
            jobs.add(tx, "poll", note.uri, due_at=note.poll.ends)
        linked.plan(ctx, tx, kept[0])
        if quoted is not None:
            outbox_quotes.ask(ctx, tx, kept[0], *quoted)
        timeline.add(tx, note_id=kept[0].id, at=now)
        create = create_of(tx, kept[0], owner.addresses)
        inboxes = _inboxes(ctx, tx, kept[0], create)
        sending.hand_over(ctx, tx, create, inboxes, about=note.uri, note_id=kept[0].id)
        return kept[0]

    kept = await _write(ctx, change, pictures)
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
    old = await ctx.db.read(lambda reader: _own(ctx, reader, note_id))
    stay = _staying(old, draft)
    waiting = [one for one in draft.files or () if one.name not in stay]
    writing.check(ctx, draft.source, len(stay) + len(waiting) + len(draft.pictures))
    language = _language(draft.language) or old.language
    if old.visibility.is_open:
        written = await writing.write(ctx, draft.source)
    else:
        people = await ctx.db.read(lambda reader: _addressed(reader, old))
        written = writing.as_written(ctx, draft.source, writing.among(draft.source, people))
    mentions = {one.href: one for one in old.mentions if one.href in {*old.to, *old.cc}} | {
        one.uri: writing.mention(one) for one in written.mentioned if one.id != owner.actor_id
    }
    pictures = await _files(ctx, waiting, draft, sealed=not old.visibility.is_open)
    alts = [one.alt for one in waiting] + [alt for _, alt in draft.pictures]
    new = _attachments(ctx, pictures, alts)
    hanging = stay | dict(zip((one.name for one in waiting), new, strict=False))
    html = written.html
    if old.quote is not None:
        html = outbox_quotes.with_link(html, old.quote)
    note = replace(
        notes.to_vocab(old, actor_uri=owner.uri),
        content=str(html),
        summary=draft.summary,
        sensitive=draft.sensitive,
        language=language,
        source=draft.source,
        updated=now,
        attachments=(
            *(hanging[one] for one in _in_order(stay, draft)),
            *new[len(waiting) :],
        ),
        mentions=tuple(mentions.values()),
        hashtags=written.hashtags,
    )

    removed: list[str] = []

    def change(tx: Transaction) -> Note:
        # What a poll asks stays, and so do the votes.
        new = replace(note, poll=polls.filled(tx, note_id, old.poll))
        new = emojis.with_own(tx, new, owner.addresses)
        kept = notes.edit(tx, note_id, new, html=html, now=now)
        if kept is None:
            raise NotFound("the post was deleted meanwhile")
        _add_media(ctx, tx, pictures, note_id)
        removed.extend(_remove_media(ctx, tx, kept))
        removed.extend(_finish_draft(tx, draft, note_id, now))
        tell(ctx, tx, kept)
        return kept

    kept = await _write(ctx, change, pictures)
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
    has = {*_who_has(tx, note), *also} if note.visibility.is_open else set()
    inboxes = _inboxes(ctx, tx, note, update, also=has)
    sending.hand_over(ctx, tx, update, inboxes, about=note.uri, note_id=note.id)


def check(ctx: Context, source: str, count: int, language: str) -> None:
    """Refuse what could not be published now, whenever it is to be. Raises: InvalidInput."""
    writing.check(ctx, source, count)
    _language(language)


async def delete(
    ctx: Context, note_id: int, *, also: Callable[[Transaction], object] | None = None
) -> None:
    """Delete a post here, and ask everybody who has it to forget it; `also` in the same write.

    Source: ActivityPub 6.4.
    Raises: NotFound if it is not the owner's.
    """
    owner, now = ctx.owner, ctx.now()

    def change(tx: Transaction) -> list[str]:
        note = _own(ctx, tx, note_id)
        names = [one.public_id for one in media.of_note(tx, note_id)]
        activity = vocab.Delete(
            uri=sending.mint(ctx, "deletes"),
            actor_uri=owner.uri,
            to=note.to,
            cc=note.cc,
            published=now,
            object_uri=note.uri,
        )
        inboxes = _inboxes(ctx, tx, note, activity, also=_who_has(tx, note))
        notes.delete(tx, note_id, now=now, was_public=note.visibility.is_open)
        sending.hand_over(ctx, tx, activity, inboxes, about=note.uri)
        if also is not None:
            also(tx)
        return names

    names = await ctx.db.write(change)
    ctx.wake.deliveries.set()
    await uploads.discard(ctx, names)


async def pin(ctx: Context, note_id: int) -> None:
    """Put an open post of the owner's on top of the profile, and tell followers to look again.

    Raises: InvalidInput if it is not open, or there are too many; NotFound if not the owner's.
    """

    def change(tx: Transaction) -> None:
        note = _own(ctx, tx, note_id)
        if not note.visibility.is_open:
            raise InvalidInput("", "Only what everybody may see can be pinned.")
        pinned = pins.of(tx, ctx.owner.actor_id)
        if any(one.id == note_id for one in pinned):
            return
        if len(pinned) >= MAX_PINNED:
            raise InvalidInput(
                "", "At most %(limit)s posts can be pinned: unpin one first.", limit=MAX_PINNED
            )
        pins.add(tx, note_id)
        profile.tell(ctx, tx)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


async def unpin(ctx: Context, note_id: int) -> None:
    """Take a post off the top of the profile.

    Raises: NotFound if it is not the owner's.
    """

    def change(tx: Transaction) -> None:
        _own(ctx, tx, note_id)
        if pins.remove(tx, note_id):
            profile.tell(ctx, tx)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


async def _write(
    ctx: Context, change: Callable[[Transaction], Note], pictures: list[Upload]
) -> Note:
    try:
        note = await ctx.db.write(change)
    except Exception:
        await uploads.discard(ctx, uploads.names_of(pictures))
        raise
    ctx.wake.deliveries.set()
    return note


def _groups(reader: Reader, mentioned: list[Actor], parent: Note | None) -> list[Actor]:
    """Return the groups that a post is for: mentioned in it, or where it answers something."""
    named = () if parent is None else actors.by_uris(reader, parent.audience).values()
    found = {one.id: one for one in (*mentioned, *named) if one.type == "Group"}
    return list(found.values())


def _another(quoted: tuple[Note, Actor] | None, owner_id: int) -> list[Actor]:
    """Return the author of what is quoted, who is told like somebody mentioned."""
    return [] if quoted is None or quoted[1].id == owner_id else [quoted[1]]


def _parent(reader: Reader, note_id: int | None) -> tuple[Note | None, Actor | None]:
    if note_id is None:
        return None, None
    parent = notes.by_id(reader, note_id)
    if parent is None:
        raise InvalidInput("", "What this answers has been deleted meanwhile.")
    return parent, actors.by_id(reader, parent.actor_id)


def _demand_reply(ctx: Context, reader: Reader, parent: Note | None, author: Actor | None) -> None:
    """Refuse what the author would not let others see: GoToSocial hides such answers."""
    if parent is not None and groups.is_locked(reader, parent.id):
        raise InvalidInput("", "The moderators of the group have closed this thread.")
    if parent is None or author is None or parent.policy is None:
        return
    if consent.asks_us(ctx, reader, parent.policy.can_reply, parent, author) == "no":
        raise InvalidInput(
            "", "%(address)s lets only some people answer this post.", address=author.address
        )


def _circle(ctx: Context, reader: Reader, draft: Draft, parent: Note | None) -> _Circle | None:
    """Return who a limited post is for: a circle, or who got the owner's post that it answers.

    Raises: InvalidInput if nobody is in it.
    """
    if draft.visibility is not Visibility.LIMITED:
        return None
    if parent is not None:
        people = circles.readers(reader, parent.id)
        prefix = ctx.owner.addresses.circle("")
        uri = next((one for one in parent.to if one.startswith(prefix)), None)
        return _Circle(uri, people) if uri is not None and people else None
    found = None if draft.circle is None else circles.by_id(reader, draft.circle)
    if found is None:
        return None
    people = circles.people(reader, found.id)
    if not people:
        raise InvalidInput("visibility", "Nobody is in the circle %(name)s yet.", name=found.name)
    return _Circle(ctx.owner.addresses.circle(found.public_id), people)


def _inboxes(
    ctx: Context, reader: Reader, note: Note, activity: Activity, *, also: Iterable[int] = ()
) -> list[str]:
    """Return who is sent something about a note: of a circle exactly those who got it."""
    people = circles.readers(reader, note.id)
    if people:
        return sending.personal(reader, people)
    return sending.audience(ctx, reader, activity, also=also)


def _refuse_widening(visibility: Visibility, parent: Note | None, circle: _Circle | None) -> None:
    if visibility is Visibility.DIRECT:
        raise InvalidInput("visibility", "A message is written in Messages.")
    if parent is None:
        if visibility is Visibility.LIMITED and circle is None:
            raise InvalidInput("visibility", "Please choose who it is for.")
    elif _WIDTH[visibility] > _WIDTH[parent.visibility]:
        raise InvalidInput("visibility", "A reply cannot be seen by more than what it answers.")


def _own(ctx: Context, reader: Reader, note_id: int) -> Note:
    note = notes.by_id(reader, note_id)
    if note is None or note.actor_id != ctx.owner.actor_id:
        raise NotFound("no post of the owner's")
    return note


def _addressed(reader: Reader, note: Note) -> list[Actor]:
    found = (actors.by_uri(reader, uri) for uri in (*note.to, *note.cc))
    return [one for one in found if one is not None]


def _who_has(reader: Reader, note: Note) -> set[int]:
    """Who has a copy of the owner's note for some other reason than being followed by it."""
    replied = notes.replies_to(reader, note.id, visibilities=list(_WIDTH), limit=MAX_TOLD)
    mentioned = (actors.id_of(reader, one.href) for one in note.mentions)
    return {
        *likes.likers(reader, note.id, limit=MAX_TOLD),
        *announces.announcers(reader, note.id, limit=MAX_TOLD),
        *(one.actor_id for one in replied),
        *(one for one in mentioned if one is not None),
    }


def _add_media(ctx: Context, tx: Transaction, pictures: list[Upload], note_id: int) -> None:
    for one in pictures:
        for record in one.records:
            media.add(tx, replace(record, note_id=note_id), ctx.now())


def _remove_media(ctx: Context, tx: Transaction, note: Note) -> list[str]:
    """Forget what does not hang on a note any more; return the names of the files."""
    used = {url for one in note.attachments for url in (one.url, one.preview)}
    names = [
        one.public_id
        for one in media.of_note(tx, note.id)
        if ctx.owner.addresses.media(one.public_id) not in used
    ]
    media.delete(tx, names)
    return names


def _staying(note: Note, draft: Draft) -> dict[str, vocab.Attachment]:
    """Return what hangs on a note and stays there, by its name, described as it shall be."""
    stay = {}
    chosen = None if draft.files is None else {one.name: one for one in draft.files}
    for one in note.attachments:
        name = one.url.rpartition("/")[2]
        if chosen is None:
            alt = draft.attached.get(one.url, one.alt)
        else:
            alt = chosen[name].alt if name in chosen else None
            one = replace(one, focal_point=chosen[name].focal_point) if name in chosen else one
        if alt is not None:
            stay[name] = replace(one, alt=sanitize.plain(alt, limit=MAX_ALT_CHARS))
    return stay


def _in_order(stay: Mapping[str, vocab.Attachment], draft: Draft) -> list[str]:
    return list(stay) if draft.files is None else [one.name for one in draft.files]


async def _files(
    ctx: Context, waiting: Sequence[Attached], draft: Draft, *, sealed: bool
) -> list[Upload]:
    """Write the files of a post: first those that wait, then those that come with it."""
    taken = await uploads.take(ctx, waiting, sealed=sealed)
    try:
        pictures = [picture for picture, _ in draft.pictures]
        return taken + await uploads.write(ctx, pictures, sealed=sealed)
    except Exception:
        await uploads.discard(ctx, uploads.names_of(taken))
        raise


def _finish_draft(tx: Transaction, draft: Draft, note_id: int, now: datetime) -> list[str]:
    """Let go of the draft that a post was, and of its files; return the names of the latter.

    Raises: InvalidInput if it was published, or deleted, before.
    """
    if draft.replaces:
        drafts.finish(tx, draft.replaces, note_id, now)
    if draft.key:
        drafts.finish(tx, draft.key, note_id, now)
    return waiting_files.release(tx, [one.name for one in draft.files or ()])


def _attachments(
    ctx: Context, pictures: Sequence[Upload], alts: Sequence[str]
) -> tuple[vocab.Attachment, ...]:
    return tuple(
        uploads.attachment(one, sanitize.plain(alt, limit=MAX_ALT_CHARS), ctx.owner.addresses)
        for one, alt in zip(pictures, alts, strict=True)
    )


def _language(tag: str | None) -> str | None:
    if not tag:
        return None
    if not _LANGUAGE.fullmatch(tag):
        raise InvalidInput("language", "A language is written like en, de or pt-BR.")
    return tag
