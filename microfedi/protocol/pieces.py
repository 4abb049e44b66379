"""What notes and actors are made of: tags, polls, rules, rows of a profile.

Every function takes a property as it came and returns what can be used of it, never more than the
limit above it; what is not usable is left out, so that one bad tag does not cost the note.
"""

import html
import re
from typing import Any

from microfedi.protocol import instants, media, shapes, uris, webfinger
from microfedi.protocol.vocab import (
    Emoji,
    Field,
    Happening,
    Link,
    Mention,
    Option,
    Policy,
    Poll,
    Rule,
)

# All in characters or entries.
MAX_FIELD_CHARS = 2047  # name and value of a row of a profile, as Mastodon
MAX_MENTION_CHARS = 300  # a handle
MAX_MENTIONS = 50
MAX_HASHTAGS = 50
MAX_EMOJIS = 50
MAX_FIELDS = 20
MAX_LINKS = 4  # beside a text
MAX_LINK_NAME_CHARS = 300
MAX_PLACE_CHARS = 300
MAX_OPTIONS = 500  # of a poll, as Mastodon reads
MAX_OPTION_CHARS = 500
MAX_VOTES = 2**53 - 1
MAX_RULE_URIS = 50  # whoever is let in by name
MAX_DOMAINS = 20  # whose pages may name somebody as their author
MAX_DOMAIN_CHARS = 253  # RFC 1035

_HTML = re.compile(r"</?[a-zA-Z][^<>]*>")
_QUOTE_RELS = frozenset(
    {
        "https://misskey-hub.net/ns#_misskey_quote",
        "https://misskey-hub.net/ns/#_misskey_quote",
        "https://w3id.org/fep/044f#quote",
        "http://fedibird.com/ns#quoteUri",
    }
)
_AS2_TYPES = ("application/activity+json", "application/ld+json")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_SHORTCODE = re.compile(r":?([A-Za-z0-9_]{2,64}):?")


def links(doc: dict[str, Any], kind: str, uri: str) -> tuple[Link, ...]:
    """Return the pages that are attached: Lemmy writes what a post is about like that.

    Of a Page, Friendica says it in `url`; it is told from the post's own page by its host.
    """
    found: dict[str, Link] = {}
    for entry in shapes.objects(doc.get("attachment")):
        if "Link" not in shapes.types_of(entry) or media.is_played(entry):
            continue
        url = shapes.link(entry.get("href") or entry.get("url"))
        if url is not None and len(found) < MAX_LINKS:
            found.setdefault(url, Link(url, shapes.line(entry.get("name"), MAX_LINK_NAME_CHARS)))
    about = shapes.url_of(doc.get("url")) if kind == "Page" else None
    if about is None or about in found or uris.host(about) == uris.host(uri):
        return tuple(found.values())
    return (Link(about), *found.values())[:MAX_LINKS]


def poll(doc: dict[str, Any]) -> Poll | None:
    """Return what a Question asks; None if there is nothing to choose.

    Some leave `anyOf` there, empty. `closed` may be when it ended, or just true.

    Source: Activity Streams 2.0 vocabulary, Question.
    """
    one, many = list(shapes.objects(doc.get("oneOf"))), list(shapes.objects(doc.get("anyOf")))
    options = tuple(
        Option(name, shapes.count(_replies(entry).get("totalItems"), MAX_VOTES) or 0)
        for entry in (one or many)[:MAX_OPTIONS]
        if (name := shapes.line(entry.get("name") or entry.get("content"), MAX_OPTION_CHARS))
    )
    if not options:
        return None
    ends = instants.from_wire(doc.get("endTime"))
    closed = instants.from_wire(doc.get("closed"))
    if closed is None and shapes.flag(doc.get("closed")):
        closed = ends or instants.from_wire(doc.get("updated") or doc.get("published"))
    voters = shapes.count(shapes.term(doc, "votersCount"), MAX_VOTES)
    if voters is None and isinstance(doc.get("voters"), list):
        voters = len(shapes.as_list(doc["voters"]))
    return Poll(options, is_multiple=not one, ends=ends, closed=closed, voters=voters)


def happening(doc: dict[str, Any]) -> Happening | None:
    """Return when and where an Event is. Source: Activity Streams 2.0 vocabulary, Event, Place."""
    found = Happening(
        start=instants.from_wire(doc.get("startTime")),
        end=instants.from_wire(doc.get("endTime")),
        place=place(doc.get("location")),
        join_url=shapes.link(doc.get("externalParticipationUrl")),
    )
    return None if found == Happening() else found


def place(value: Any) -> str:
    """Return a place as a line: its name and its address.

    >>> place({"name": "Town Hall", "address": {"addressLocality": "Ulm", "postalCode": "89073"}})
    'Town Hall, 89073 Ulm'
    """
    for entry in shapes.as_list(value):
        if isinstance(entry, str) and not entry.startswith(("http:", "https:")):
            return shapes.line(entry, MAX_PLACE_CHARS)
        if isinstance(entry, dict):
            address = entry.get("address")
            parts = [entry.get("name"), *(_address(address) if isinstance(address, dict) else [])]
            if isinstance(address, str):
                parts.append(address)
            said = [line for part in parts if (line := shapes.line(part, MAX_PLACE_CHARS))]
            if said:
                return ", ".join(dict.fromkeys(said))[:MAX_PLACE_CHARS]
    return ""


def quote(doc: dict[str, Any]) -> str | None:
    """Return the post that a note quotes, in whichever of the spellings it is said.

    Source: FEP-044f; FEP-e232 for the Link among the tags; the others are Misskey's and Fedibird's.
    """
    for name in ("quote", "_misskey_quote", "quoteUrl", "quoteURL", "quoteUri"):
        found = shapes.first(shapes.term(doc, name))
        if found is not None and not _is_tombstone(doc.get(name)):
            return found
    for entry in _tags(doc.get("tag"), "Link"):
        rels = {rel for rel in shapes.as_list(entry.get("rel")) if isinstance(rel, str)}
        is_object = shapes.media_type_of(entry) in _AS2_TYPES
        if rels & _QUOTE_RELS or (is_object and not rels):
            found = shapes.id_of(entry.get("href"))
            if found is not None:
                return found
    return None


def policy(value: Any) -> Policy | None:
    """Return what an author lets others do. None if nothing is said about anything.

    Source: GoToSocial's interaction policies; `always` and `approvalRequired` are its older words.
    """
    if not isinstance(value, dict):
        return None
    found = Policy(
        can_like=rule(value.get("canLike")),
        can_reply=rule(value.get("canReply")),
        can_announce=rule(value.get("canAnnounce")),
        can_quote=rule(value.get("canQuote")),
    )
    return None if found == Policy() else found


def rule(value: Any) -> Rule | None:
    """Return one rule of a policy; None if it is not given."""
    if not isinstance(value, dict):
        return None
    return Rule(
        automatic=_rule_uris(value, "automaticApproval", "always"),
        manual=_rule_uris(value, "manualApproval", "approvalRequired"),
    )


def domains(value: Any) -> tuple[str, ...]:
    """Return the domains whose pages may name an actor as their author, lower-case."""
    found = (
        entry.strip().lower().rstrip(".")
        for entry in shapes.as_list(value)
        if isinstance(entry, str) and len(entry) <= MAX_DOMAIN_CHARS
    )
    return tuple(dict.fromkeys(one for one in found if _DOMAIN.fullmatch(one)))[:MAX_DOMAINS]


def mentions(value: Any) -> tuple[Mention, ...]:
    """Return the mentions among the tags, each actor once."""
    found: dict[str, Mention] = {}
    for entry in _tags(value, "Mention"):
        href = shapes.id_of(entry.get("href"))
        if href is not None and len(found) < MAX_MENTIONS:
            found.setdefault(href, Mention(href, shapes.line(entry.get("name"), MAX_MENTION_CHARS)))
    return tuple(found.values())


def hashtags(value: Any) -> tuple[str, ...]:
    """Return the hashtags among the tags, each once; where they lead is ours to say."""
    names = (shapes.hashtag(entry.get("name")) for entry in _tags(value, "Hashtag"))
    return tuple(dict.fromkeys(name for name in names if name))[:MAX_HASHTAGS]


def emojis(value: Any) -> tuple[Emoji, ...]:
    """Return the custom emoji among the tags, each shortcode once. Source: FEP-9098."""
    found: dict[str, Emoji] = {}
    for entry in _tags(value, "Emoji"):
        name = entry.get("name")
        match = _SHORTCODE.fullmatch(name) if isinstance(name, str) else None
        url, _ = media.picture(entry.get("icon"))
        if match and url and len(found) < MAX_EMOJIS:
            found.setdefault(match[1], Emoji(match[1], url))
    return tuple(found.values())


def fields(value: Any) -> tuple[Field, ...]:
    """Return the rows of a profile (`PropertyValue`)."""
    found = (
        Field(
            shapes.line(entry.get("name"), MAX_FIELD_CHARS),
            shapes.text(entry.get("value"), MAX_FIELD_CHARS),
        )
        for entry in shapes.objects(value)
        if not {"PropertyValue", "schema:PropertyValue"}.isdisjoint(shapes.types_of(entry))
    )
    return tuple(field for field in found if field.name or field.value)[:MAX_FIELDS]


def author(value: Any, uri: str) -> str | None:
    """Return who wrote it: of several, a person (PeerTube adds the channel), on the note's host."""
    entries = shapes.as_list(value)
    if len(entries) == 1:
        return shapes.id_of(entries[0])
    persons = [entry for entry in shapes.objects(entries) if entry.get("type") == "Person"]
    named = [found for entry in persons or entries if (found := shapes.id_of(entry))]
    at_home = [found for found in named if uris.same_origin(found, uri)]
    return next(iter(at_home or named), None)


def page_url(doc: dict[str, Any], uri: str) -> str | None:
    """Return the page for people, if it is on the same host: another's could pose as anything."""
    url = shapes.url_of(doc.get("url"))
    return url if url is not None and uris.host(url) == uris.host(uri) else None


def handle(value: Any) -> str | None:
    """Return `user@host` if it is a handle, with or without `acct:`. Source: FEP-2c59."""
    found = webfinger.parse_handle(value) if isinstance(value, str) else None
    return None if found is None else str(found)


def language(value: Any) -> str | None:
    """Return the language of a `language` property, which Lemmy and PeerTube write as an object."""
    return shapes.language(value.get("identifier") if isinstance(value, dict) else value)


def markdown(value: Any, limit: int) -> str | None:
    """Return the text of a `source` that is Markdown. For editing our own, never for showing."""
    if not isinstance(value, dict) or shapes.media_type_of(value) != "text/markdown":
        return None
    return shapes.text(value.get("content"), limit) or None


def plain_to_html(plain: str) -> str:
    """Return plain text as paragraphs: for content that says it is no HTML.

    >>> plain_to_html("a < b\\nc\\n\\nd")
    '<p>a &lt; b<br>c</p><p>d</p>'
    """
    paragraphs = re.split(r"\n{2,}", plain.replace("\r\n", "\n").strip())
    return "".join(
        f"<p>{html.escape(part, quote=False).replace(chr(10), '<br>')}</p>"
        for part in paragraphs
        if part
    )


def abstract(summary: str) -> str:
    """Return a summary as HTML: some write it as plain text, some as HTML.

    >>> abstract("1 < 2"), abstract("<p>All of it</p>")
    ('<p>1 &lt; 2</p>', '<p>All of it</p>')
    """
    return summary if _HTML.search(summary) else plain_to_html(summary)


def _replies(entry: dict[str, Any]) -> dict[str, Any]:
    replies = entry.get("replies")
    return replies if isinstance(replies, dict) else {}


def _address(address: dict[str, Any]) -> list[str]:
    town = " ".join(
        part
        for name in ("postalCode", "addressLocality")
        if isinstance(part := address.get(name), str) and part
    )
    named = [address.get("streetAddress"), town, address.get("addressCountry")]
    return [part for part in named if isinstance(part, str) and part]


def _rule_uris(value: dict[str, Any], name: str, older: str) -> tuple[str, ...]:
    return shapes.uris_in(value[name] if name in value else value.get(older), MAX_RULE_URIS)


def _is_tombstone(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "Tombstone"


def _tags(value: Any, kind: str) -> list[dict[str, Any]]:
    wanted = {kind, f"as:{kind}"}
    return [
        entry for entry in shapes.objects(value) if not wanted.isdisjoint(shapes.types_of(entry))
    ]
