"""What hangs on a post of the owner's: pictures, films, sounds."""

from collections.abc import Sequence
from dataclasses import replace

from microfedi.federation import uploads
from microfedi.federation.context import Context
from microfedi.federation.uploads import Upload
from microfedi.protocol import sanitize, vocab
from microfedi.storage import media
from microfedi.storage.database import Transaction
from microfedi.storage.drafts import Attached
from microfedi.storage.notes import Note

MAX_ALT_CHARS = 1500  # as much as Mastodon shows


def described(
    ctx: Context, written: Sequence[Upload], alts: Sequence[str]
) -> tuple[vocab.Attachment, ...]:
    """Return what was written as a note or a message carries it, with its descriptions."""
    return tuple(
        uploads.attachment(one, sanitize.plain(alt, limit=MAX_ALT_CHARS), ctx.owner.addresses)
        for one, alt in zip(written, alts, strict=True)
    )


def staying(note: Note, files: Sequence[Attached]) -> dict[str, vocab.Attachment]:
    """Return what hangs on a note and is among `files`, by its name, described as it shall be."""
    chosen = {one.name: one for one in files}
    stay = {}
    for one in note.attachments:
        wanted = chosen.get(one.url.rpartition("/")[2])
        if wanted is not None:
            alt = sanitize.plain(wanted.alt, limit=MAX_ALT_CHARS)
            stay[wanted.name] = replace(one, alt=alt, focal_point=wanted.focal_point)
    return stay


def add(ctx: Context, tx: Transaction, written: Sequence[Upload], note_id: int) -> None:
    """Hang files that were written on a note."""
    for one in written:
        for record in one.records:
            media.add(tx, replace(record, note_id=note_id), ctx.now())


def remove_unused(ctx: Context, tx: Transaction, note: Note) -> list[str]:
    """Forget what does not hang on a note any more; return the names of the files."""
    used = {url for one in note.attachments for url in one.urls}
    names = [
        one.public_id
        for one in media.of_note(tx, note.id)
        if ctx.owner.addresses.media(one.public_id) not in used
    ]
    media.delete(tx, names)
    return names
