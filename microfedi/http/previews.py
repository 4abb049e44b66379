"""What a link to a page of ours shows elsewhere: nothing that the page itself keeps folded away."""

from microfedi.protocol import sanitize
from microfedi.protocol.vocab import Attachment
from microfedi.storage.notes import Note
from microfedi.words import _

DESCRIPTION_CHARS = 300  # what previews show at most


def description(note: Note) -> str:
    """Return the beginning of a post as plain text; behind a content warning, the warning alone."""
    if note.summary:
        return _("Content warning: %(warning)s", warning=" ".join(note.summary.split()))[
            :DESCRIPTION_CHARS
        ]
    return " ".join(sanitize.text(note.html, limit=DESCRIPTION_CHARS).split())


def picture(note: Note) -> Attachment | None:
    """Return the picture that stands for a post; None unless everybody sees it at once."""
    if note.summary or note.sensitive:
        return None
    return next((one for one in note.attachments if one.media_type.startswith("image/")), None)
