"""The owner's own custom emoji in what the owner writes."""

from collections.abc import Iterable
from dataclasses import replace

from microfedi.protocol import sanitize, vocab
from microfedi.protocol.addresses import Addresses
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import own_emojis
from microfedi.storage.database import Reader
from microfedi.storage.own_emojis import OwnEmoji

MAX_IN_A_TEXT = 50  # as many as we take from others; more are no text any more


def used_in(
    reader: Reader, addresses: Addresses, *texts: SafeHtml | str
) -> tuple[vocab.Emoji, ...]:
    """Return the emoji whose names stand in these texts, not in code."""
    names = dict.fromkeys(name for text in texts for name in sanitize.shortcodes_in(text))
    return named(reader, addresses, names)


def named(
    reader: Reader, addresses: Addresses, shortcodes: Iterable[str]
) -> tuple[vocab.Emoji, ...]:
    """Return those of these emoji that there are, as they are sent."""
    wanted = list(shortcodes)[:MAX_IN_A_TEXT]
    found = own_emojis.named(reader, wanted) if wanted else []
    return tuple(as_tag(one, addresses) for one in found)


def with_own(reader: Reader, note: vocab.Note, addresses: Addresses) -> vocab.Note:
    """Return a note of the owner's with the emoji that stand in its text, warning or poll."""
    options = note.poll.options if note.poll else ()
    texts = (sanitize.kept(note.content), note.summary, *(one.name for one in options))
    return replace(note, emojis=used_in(reader, addresses, *texts))


def as_tag(emoji: OwnEmoji, addresses: Addresses) -> vocab.Emoji:
    """Return an emoji as it is sent. Source: FEP-9098."""
    return vocab.Emoji(
        shortcode=emoji.shortcode,
        url=addresses.media(emoji.file),
        uri=addresses.emoji(emoji.shortcode),
        updated=emoji.updated_at,
        media_type=emoji.media_type,
    )
