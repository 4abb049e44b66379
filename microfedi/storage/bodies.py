"""What notes and messages say, as JSON: one body in a row, ciphertext unless it is open."""

import json
from datetime import datetime
from typing import Any

from microfedi.protocol import instants, sanitize, vocab
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
        "links": [[one.url, one.name] for one in note.links],
        "audience": note.audience,
        "poll": None if note.poll is None else _poll_to_json(note.poll),
        "happening": None if note.happening is None else _happening_to_json(note.happening),
        "policy": None if note.policy is None else _policy_to_json(note.policy),
        "quote": note.quote,
        "reply_authorization": note.reply_authorization,
        "replies_uri": note.replies_uri,
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


def links(body: Body) -> tuple[vocab.Link, ...]:
    """The pages attached to it."""
    return tuple(vocab.Link(url, name) for url, name in body.get("links", ()))


def poll(body: Body) -> vocab.Poll | None:
    """What it asks; the counts are in `storage.polls`."""
    said = body.get("poll")
    if said is None:
        return None
    return vocab.Poll(
        tuple(vocab.Option(name) for name in said["options"]),
        is_multiple=said.get("is_multiple", False),
    )


def happening(body: Body) -> vocab.Happening | None:
    """When and where it is."""
    said = body.get("happening")
    if said is None:
        return None
    return vocab.Happening(
        start=_instant(said.get("start")),
        end=_instant(said.get("end")),
        place=said.get("place", ""),
        join_url=said.get("join_url"),
    )


def policy(body: Body) -> vocab.Policy | None:
    """What its author lets others do."""
    said = body.get("policy")
    if said is None:
        return None
    return vocab.Policy(
        **{name: vocab.Rule(tuple(rule[0]), tuple(rule[1])) for name, rule in said.items()}
    )


def _poll_to_json(poll: vocab.Poll) -> Body:
    options = [sanitize.plain(one.name, limit=MAX_TITLE_CHARS) for one in poll.options]
    return without_empty({"options": options, "is_multiple": poll.is_multiple})


def _happening_to_json(happening: vocab.Happening) -> Body:
    return without_empty(
        {
            "start": instants.to_text(happening.start) if happening.start else None,
            "end": instants.to_text(happening.end) if happening.end else None,
            "place": sanitize.plain(happening.place, limit=MAX_TITLE_CHARS),
            "join_url": happening.join_url,
        }
    )


def _policy_to_json(policy: vocab.Policy) -> Body:
    named = {
        "can_like": policy.can_like,
        "can_reply": policy.can_reply,
        "can_announce": policy.can_announce,
        "can_quote": policy.can_quote,
    }
    return {name: [rule.automatic, rule.manual] for name, rule in named.items() if rule is not None}


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instants.from_text(text)


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
            "duration_s": attachment.duration_s,
            "preview": attachment.preview,
        }
    )


def _attachment_from_json(values: Body) -> vocab.Attachment:
    point = values.get("focal_point")
    return vocab.Attachment(**values | {"focal_point": (point[0], point[1]) if point else None})
