"""How the same value is written differently: one or many, string or object, text or map.

Any property may be missing, null, a string, an object, or a list of those. These functions read
all of it, cut at the limits given, and never raise.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

from microfedi.protocol import uris
from microfedi.protocol.vocab import PUBLIC, PUBLIC_SPELLINGS

MAX_LISTED = 1000  # entries of any list that are looked at, whatever is kept of them
MAX_HASHTAG_CHARS = 100  # characters

# Control characters (but for tab and line breaks), what is no character, and lone surrogates:
# feeds would not be well-formed with them, and some are not to be encoded at all.
_CONTROLS = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# These turn the text around that follows them, in our page too.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
_PREFIXES = ("as:", "toot:", "ostatus:", "litepub:")


def term(doc: dict[str, Any], name: str) -> Any:
    """Return an extension property, under its short name or a prefixed one.

    >>> term({"as:sensitive": True}, "sensitive")
    True
    """
    if name in doc:
        return doc[name]
    for prefixed in _prefixed(name):
        if prefixed in doc:
            return doc[prefixed]
    return None


@cache  # of the few terms that we read
def _prefixed(name: str) -> tuple[str, ...]:
    return tuple(prefix + name for prefix in _PREFIXES)


def as_list(value: Any) -> list[Any]:
    """Return the value as a list: nothing for null, itself in a list if it is one thing.

    >>> as_list(None), as_list("a"), as_list(["a", "b"])
    ([], ['a'], ['a', 'b'])
    """
    if isinstance(value, list):
        return value[:MAX_LISTED]
    return [] if value is None else [value]


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield what is an object in a value or list."""
    return (entry for entry in as_list(value) if isinstance(entry, dict))


def id_of(value: Any) -> str | None:
    """Return the URI of a reference, whether it is written as a string or as an object.

    >>> id_of("https://b.example/1"), id_of({"id": "https://b.example/1"})
    ('https://b.example/1', 'https://b.example/1')
    >>> id_of(7) is None and id_of({"@id": "https://b.example/1"}) is None
    True
    """
    uri = value.get("id") if isinstance(value, dict) else value
    return uri if uris.is_acceptable(uri, allow_http=True) else None


def first(value: Any) -> str | None:
    """Return the first URI in a value or list.

    >>> first([None, 7, {"id": "https://b.example/1"}, "https://b.example/2"])
    'https://b.example/1'
    """
    return next((uri for entry in as_list(value) if (uri := id_of(entry))), None)


def uris_in(value: Any, limit: int) -> tuple[str, ...]:
    """Return the URIs of an addressing, each once; every spelling of Public becomes the full one.

    Public is kept even if the list is cut before it: cutting must not close what was open, and
    nothing else of a list decides more.

    >>> uris_in(["as:Public", "https://b.example/followers", 7], 50)
    ('https://www.w3.org/ns/activitystreams#Public', 'https://b.example/followers')
    """
    found: dict[str, None] = {}
    for entry in as_list(value):
        uri = entry if isinstance(entry, str) else id_of(entry)
        if uri in PUBLIC_SPELLINGS:
            found[PUBLIC] = None
        elif uri is not None and len(found) < limit and uris.is_acceptable(uri, allow_http=True):
            found[uri] = None
    return tuple(found)


def link(value: Any) -> str | None:
    """Return a link to look at or to load, tidied; None if it is none.

    >>> link("https://b.example/a b.png"), link("javascript:alert(1)")
    ('https://b.example/a%20b.png', None)
    """
    if not isinstance(value, str) or len(value) > uris.MAX_URI_CHARS:
        return None
    if uris.is_acceptable(value, allow_http=True):
        return value
    tidied = uris.tidy(value.strip())
    return tidied if uris.is_acceptable(tidied, allow_http=True) else None


def url_of(value: Any, media_type: str = "text/html") -> str | None:
    """Return the best link of a `url`: a string, a Link, or a list of those.

    One of the media type wanted (or beginning so) wins, then one without a type, then the first.

    >>> page, film = "https://b.example/w/1", "https://b.example/1.mp4"
    >>> links = [{"href": film, "mediaType": "video/mp4"}, {"href": page, "mediaType": "text/html"}]
    >>> url_of(links) == page and url_of(links, "video/") == film and url_of(page) == page
    True
    """
    best: str | None = None
    best_rank = 3
    for entry in as_list(value):
        fields = entry if isinstance(entry, dict) else {"href": entry}
        found = link(fields.get("href") or fields.get("url"))
        kind = media_type_of(fields)
        rank = 0 if kind.startswith(media_type) else 2 if kind else 1
        if found is not None and rank < best_rank:
            best, best_rank = found, rank
    return best


def types_of(fields: dict[str, Any]) -> list[str]:
    """Return all that something says it is."""
    return [kind for kind in as_list(fields.get("type")) if isinstance(kind, str)]


def media_type_of(fields: dict[str, Any]) -> str:
    """Return the media type of a Link or Document, without parameters; "" if there is none.

    >>> media_type_of({"mediaType": "Image/PNG; charset=binary"}), media_type_of({"mediaType": 7})
    ('image/png', '')
    """
    kind = fields.get("mediaType") or fields.get("mimeType")
    if not isinstance(kind, str) or len(kind) > 200:
        return ""
    bare = kind.partition(";")[0].strip().lower()
    return bare if re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", bare) else ""


def text(value: Any, limit: int) -> str:
    """Return a text, cut to `limit` characters and without control characters; "" if it is none.

    >>> text("a\\x00b\\x1bc", 2), text(None, 5)
    ('ab', '')
    """
    return _CONTROLS.sub("", value[: 2 * limit])[:limit] if isinstance(value, str) else ""


def line(value: Any, limit: int) -> str:
    """Return a text for one line of ours: like `text`, without line breaks or turned directions.

    >>> line("Bob\\n<b>", 20), line("evil\\u202egnp", 20)
    ('Bob <b>', 'evilgnp')
    """
    return " ".join(_DIRECTION.sub("", text(value, limit)).split())


def mapped(doc: dict[str, Any], name: str) -> tuple[Any, str | None]:
    """Return a text property and its language: `name` itself, or else the first of its map.

    The language is that of the map's entry with the same text, else of its first one.

    >>> mapped({"contentMap": {"de": "Hallo"}}, "content")
    ('Hallo', 'de')
    >>> mapped({"content": "Hi", "contentMap": {"de": "Hallo", "en": "Hi"}}, "content")
    ('Hi', 'en')
    """
    value, by_language = doc.get(name), doc.get(f"{name}Map")
    if not isinstance(by_language, dict) or not by_language:
        return value, None
    if not isinstance(value, str):
        value = next((text for text in by_language.values() if isinstance(text, str)), None)
    same = next((key for key, text in by_language.items() if text == value), None)
    return value, language(same or next(iter(by_language)))


def language(value: Any) -> str | None:
    """Return a language tag if it is one and says something. Source: BCP 47.

    >>> language("de-AT"), language("und"), language("<b>")
    ('de-AT', None, None)
    """
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value) or value.lower() == "und":
        return None
    return value


def flag(value: Any) -> bool:
    """Return a truth value: true, or "true" as some write it.

    >>> flag(True), flag("true"), flag(None), flag("false")
    (True, True, False, False)
    """
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def count(value: Any, limit: int) -> int | None:
    """Return a number from 0 to `limit`, also if written as text; None if it is none.

    >>> count(7, 100), count("7", 100), count(-1, 100), count(True, 100)
    (7, 7, None, None)
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= limit:
        return None
    return int(value)


def opaque(value: Any) -> str | None:
    """Return an identifier that is only ever compared and copied, a URI or a `tag:`; else None.

    >>> opaque("tag:b.example,2026:objectId=1:objectType=Conversation") is not None
    True
    >>> opaque("a b") is None
    True
    """
    found = value.get("id") if isinstance(value, dict) else value
    if not isinstance(found, str) or not 0 < len(found) <= uris.MAX_URI_CHARS:
        return None
    return found if found.isprintable() and " " not in found else None


def hashtag(value: Any) -> str | None:
    """Return the name of a hashtag, lower case, without "#"; None if it cannot be one.

    >>> hashtag("#Straße"), hashtag("fediverse"), hashtag("#हिन्दी"), hashtag("#a b")
    ('straße', 'fediverse', 'हिन्दी', None)
    """
    if not isinstance(value, str) or len(value) > MAX_HASHTAG_CHARS:
        return None
    name = unicodedata.normalize("NFC", value.strip().removeprefix("#").lower())
    if not name or not all(_in_hashtag(char) for char in name):
        return None
    return name


def _in_hashtag(char: str) -> bool:
    # Marks belong to the letters of most scripts of India; the dots to Catalan and Japanese.
    return char.isalnum() or char in "_·・\u200c\u200d" or unicodedata.category(char)[0] == "M"
