"""What notes and messages say, as JSON: one body in a row, ciphertext unless it is open."""

import json
from typing import Any

from microfedi.protocol import sanitize, vocab
from microfedi.protocol.sanitize import SafeHtml

Body = dict[str, Any]

MAX_TITLE_CHARS = 500  # of a title or a content warning: a line, not a text


def of(note: vocab.Note, html: SafeHtml) -> Body:
    """Return what a note says, without what is empty; `html` is its content, sanitised."""
    body: Body = {
        "name": sanitize.plain(note.name, limit=MAX_TITLE_CHARS),
        "summary": sanitize.plain(note.summary, limit=MAX_TITLE_CHARS),
        "html": str(html),
        "source": note.source,
        "language": note.language,
        "sensitive": note.sensitive,
        "attachments": [_attachment_to_json(one) for one in note.attachments],
        "mentions": [[one.href, one.name] for one in note.mentions],
        "hashtags": note.hashtags,
        "emojis": {one.shortcode: one.url for one in note.emojis},
        "context": note.context,
        "conversation": note.conversation,
    }
    return without_empty(body)


def without_empty(body: Body) -> Body:
    """Leave out what says nothing."""
    return {key: value for key, value in body.items() if value}


def to_bytes(body: Body) -> bytes:
    """Write a body, compactly. JSON from others may hold what UTF-8 cannot: it becomes `?`."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")


def from_bytes(plain: bytes) -> Body:
    """Read what `to_bytes` wrote."""
    body: Body = json.loads(plain)
    return body


def html(body: Body) -> SafeHtml:
    """The text, as it was sanitised before it was kept."""
    return sanitize.kept(body.get("html", ""))


def attachments(body: Body) -> tuple[vocab.Attachment, ...]:
    """The pictures, films and files beside it."""
    return tuple(_attachment_from_json(one) for one in body.get("attachments", ()))


def mentions(body: Body) -> tuple[vocab.Mention, ...]:
    """Who is mentioned."""
    return tuple(vocab.Mention(href, name) for href, name in body.get("mentions", ()))


def _attachment_to_json(attachment: vocab.Attachment) -> Body:
    return without_empty(
        {
            "url": attachment.url,
            "media_type": attachment.media_type,
            "alt": attachment.alt,
            "width": attachment.width,
            "height": attachment.height,
            "blurhash": attachment.blurhash,
            "focal_point": attachment.focal_point,
        }
    )


def _attachment_from_json(values: Body) -> vocab.Attachment:
    point = values.get("focal_point")
    return vocab.Attachment(**values | {"focal_point": (point[0], point[1]) if point else None})
