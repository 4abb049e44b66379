"""A post as it will look, before it is one: nothing is written, and nobody is asked."""

from dataclasses import replace

from microfedi.errors import InvalidInput
from microfedi.federation import emojis
from microfedi.federation.context import Context
from microfedi.federation.outbox import writing
from microfedi.protocol import markup, vocab
from microfedi.protocol.vocab import Visibility
from microfedi.storage import notes, waiting_files
from microfedi.storage.database import Reader
from microfedi.storage.drafts import Draft
from microfedi.storage.notes import Note
from microfedi.web import cards
from microfedi.web.cards import Card, Choice, PollShown

_ID = 1  # older than any post
_HERE = "#preview"


async def card(ctx: Context, draft: Draft, edited: Note | None = None) -> Card | None:
    """Return what was typed as a card; None if it cannot be one yet.

    Whoever is mentioned and not known here yet stays plain text: they are looked up when it is
    published.
    """
    if len(draft.source) > markup.MAX_SOURCE_CHARS:
        return None
    found = await ctx.db.read(lambda reader: writing.known(reader, draft.source))
    try:
        written = writing.as_written(ctx, draft.source, found)
    except InvalidInput:
        return None
    return await ctx.db.read(lambda reader: _shown(ctx, reader, draft, written, edited))


def _shown(
    ctx: Context, reader: Reader, draft: Draft, written: writing.Written, edited: Note | None
) -> Card:
    owner, now = ctx.owner, ctx.now()
    parent = notes.by_id(reader, draft.in_reply_to) if draft.in_reply_to else None
    note = vocab.Note(
        uri=owner.addresses.note("preview"),
        attributed_to=owner.uri,
        content=str(written.html),
        summary=draft.summary,
        attachments=_attachments(ctx, reader, draft, edited),
    )
    named = emojis.with_own(reader, note, owner.addresses)
    made = Note(
        id=_ID,
        uri=note.uri,
        public_id="preview",
        actor_id=owner.actor_id,
        visibility=_visibility(draft),
        url=None,
        in_reply_to_uri=None if parent is None else parent.uri,
        in_reply_to_id=None if parent is None else parent.id,
        thread_id=_ID,
        published_at=now if edited is None else edited.published_at,
        updated_at=None if edited is None else now,
        received_at=now,
        replies=0,
        likes=0,
        announces=0,
        type="Note",
        name="",
        summary=draft.summary,
        html=written.html,
        source=draft.source,
        language=draft.language or None,
        sensitive=draft.sensitive,
        attachments=note.attachments,
        mentions=(),
        hashtags=written.hashtags,
        emojis={one.shortcode: one.url for one in named.emojis},
        to=(),
        cc=(),
        context=None,
        conversation=None,
    )
    shown = cards.of_note(reader, made, owner)
    return replace(shown, url=_HERE, anchor="preview", key="preview", poll=_poll(draft))


def _attachments(
    ctx: Context, reader: Reader, draft: Draft, edited: Note | None
) -> tuple[vocab.Attachment, ...]:
    waiting = waiting_files.by_names(reader, [one.name for one in draft.attached])
    hanging = {one.url.rpartition("/")[2]: one for one in edited.attachments} if edited else {}
    found = []
    for one in draft.attached:
        if (there := waiting.get(one.name)) is not None:
            record, poster = there.record, there.poster
            found.append(
                vocab.Attachment(
                    url=ctx.owner.addresses.media(record.public_id),
                    media_type=record.media_type,
                    alt=one.alt,
                    width=record.width or None,
                    height=record.height or None,
                    blurhash=record.blurhash or None,
                    focal_point=one.focal_point,
                    preview=ctx.owner.addresses.media(poster.public_id) if poster else None,
                )
            )
        elif (old := hanging.get(one.name)) is not None:
            found.append(replace(old, alt=one.alt, focal_point=one.focal_point))
    return tuple(found)


def _visibility(draft: Draft) -> Visibility:
    try:
        return Visibility(draft.visibility)
    except ValueError:  # a circle, or not chosen yet
        return Visibility.LIMITED


def _poll(draft: Draft) -> PollShown | None:
    if not any(draft.options):
        return None
    return PollShown(
        choices=tuple(Choice(one, 0, 0, False) for one in draft.options),
        is_multiple=draft.is_multiple,
        voters=0,
        ends_at=None,
        is_over=False,
        can_vote=False,
    )
