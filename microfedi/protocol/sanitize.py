"""Other people's text and HTML -> something that our pages, feeds and apps can show.

One allowlist for all HTML, one way to clean plain text. What comes out as `SafeHtml` cannot run,
load, restyle or imitate our page; nobody else but `markup` makes `SafeHtml`.
"""

import html as html_entities
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache

import nh3
from markupsafe import Markup, escape

from microfedi.protocol import linkwords

SafeHtml = Markup

# Characters of HTML that are looked at; what is longer is cut. The longest posts we met were
# articles of about 60,000.
MAX_HTML_CHARS = 100_000
# Opening tags in one text. An HTML parser takes quadratic time for deep nesting; 2,000 levels cost
# 8 ms, 20,000 cost 700 ms. What has more is shown as plain text.
MAX_TAGS = 2_000
# Characters of the plain text that is made from HTML, if the caller does not say.
MAX_TEXT_CHARS = 10_000
# Marks on one letter (accents, vowel points). Hebrew with cantillation needs four.
MAX_MARKS = 6
# Custom emojis that are drawn in one text; the rest stay as they were typed.
MAX_EMOJIS = 200
# Characters of the part of a handle before the host. Mastodon allows 30, others up to 255.
MAX_USERNAME_CHARS = 128

# fmt: off
_TAGS = frozenset({
    "p", "br", "span", "a", "del", "s", "pre", "blockquote", "code", "b", "strong", "u", "i", "em",
    "ul", "ol", "li", "ruby", "rt", "rp",
})
# nh3 compares whole class names, so the families h-*, p-*, u-*, dt-*, e-* of microformats are
# spelled out as far as servers write them.
_MICROFORMATS = frozenset({
    "h-card", "h-cite", "h-entry", "h-feed", "p-author", "p-name", "p-nickname", "p-note",
    "p-summary", "p-category", "u-url", "u-uid", "u-photo", "u-in-reply-to", "u-mention",
    "dt-published", "dt-updated", "e-content", "e-note",
})
# fmt: on
_LINK_CLASSES = _MICROFORMATS | {"mention", "hashtag"}
_TEXT_CLASSES = _MICROFORMATS | {"ellipsis", "invisible", "quote-inline"}

# Elements that stay open until they are closed, and are opened again in each following paragraph.
# Three equal ones at most are remembered by a parser, but with an attribute each they are all
# different: 18 kB of those became 7 MB. So they lose their attributes first.
_FORMATTING = re.compile(
    r"<(b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/][^>]*>", re.IGNORECASE
)
_HEADING = re.compile(r"<(/?)h[1-6]\b[^<>]*>", re.IGNORECASE)
# Blocks that are dropped, where words would run together without a space.
_BLOCK = re.compile(
    r"</?(?:div|section|article|aside|header|footer|figure|figcaption|table|tr|td|th|dl|dt|dd|hr"
    r"|center|details|summary|address|main|nav)\b",
    re.IGNORECASE,
)
_LINE_END = re.compile(r"<br\b[^<>]*>|</(?:p|li|h[1-6]|blockquote|pre|div|tr)\s*>", re.IGNORECASE)

# Not allowed in XML, or not characters at all; and U+202D and U+202E, which turn text around.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u202d\u202e]"
)
# In a field of one line also every other mark of direction that stays open, and the invisible
# characters that nobody needs to write a name.
_INVISIBLE = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u2060-\u2064\u206a-\u206f\ufeff\u180e]")
# Joiners and direction marks are needed (emoji families, Persian, Hebrew), but one at a time;
# the tags of a regional flag come in sixes.
_REPEATED_INVISIBLE = re.compile(
    "([\u200c-\u200f\u061c\u00ad\ufe00-\ufe0f])[\u200c-\u200f\u061c\u00ad\ufe00-\ufe0f]+"
)
_TAG_FLOOD = re.compile("([\U000e0020-\U000e007f]{8})[\U000e0020-\U000e007f]+")

# An anchor as nh3 writes it, with its text if no other anchor is inside.
_ANCHOR = re.compile(r"<a( [^>]*)>(?:((?:[^<]|<(?!/?a[ >]))*+)</a>)?")
_QUOTE_LINK = re.compile(r'<(p|span) class="quote-inline"[^>]*>(?:(?!</\1>).){0,3000}</\1>', re.S)
_CLASS = re.compile(r' class="([^"]*)"')
_HREF = re.compile(r' href="([^"]*)"')
_TAG = re.compile(r"(<[^>]*>?)")
_HASHTAG_LABEL = re.compile(r"#([^\s!-/:-@\[-^`{-~]{1,100})")
_SHORTCODE = re.compile(r"(?<![A-Za-z0-9_]):([A-Za-z0-9_]{2,64}):(?![A-Za-z0-9_])")
_USERNAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")

_LINK_REL = re.compile(r'(<a [^<>]*\brel=")')


def html(
    untrusted: str,
    *,
    mentions: Mapping[str, str] | None = None,
    tag_url: Callable[[str], str] | None = None,
) -> SafeHtml:
    """Keep of somebody's HTML what belongs in a post, and drop the rest.

    `mentions` maps the address of an actor or a profile to the handle that we know it by. A
    mention that leads there is labelled with that handle, whatever its label was. `tag_url` says
    where a hashtag (lower-case, without `#`) is found here; a hashtag leads there, whatever its
    address was. Mentions and hashtags that we cannot vouch for become ordinary links. A link whose
    words name another host than it leads to says where it leads.

    Too long is cut; with more than MAX_TAGS tags it is shown as plain text.

    >>> html('<p onclick="x()">Hi <script>x()</script><b>you</b></p>')
    Markup('<p>Hi <b>you</b></p>')
    >>> html('<h1>Title</h1><img src="https://a.example/pixel.gif">')
    Markup('<p><strong>Title</strong></p>')
    """
    cleaned = own(untrusted)
    if "<a " not in cleaned:
        return cleaned
    known = mentions or {}

    def vouched(match: re.Match[str]) -> str:
        return _vouched_anchor(match, known, tag_url)

    return SafeHtml(_ANCHOR.sub(vouched, cleaned))


def own(built: str) -> SafeHtml:
    """Apply the allowlist alone: for HTML that we built, whose mentions and hashtags are ours."""
    shorter = str(built)[:MAX_HTML_CHARS]  # a Markup would escape what is added to it
    if _has_too_many_tags(shorter):
        return _paragraphs(text(shorter, limit=MAX_HTML_CHARS))
    prepared = _HEADING.sub(_heading, _prepared(shorter))
    return SafeHtml(_tidy(_cleaner().clean(_BLOCK.sub(r" \g<0>", prepared))))


def as_me(html: SafeHtml) -> SafeHtml:
    """Say of the links in clean HTML that they lead to the same person: in the owner's profile.

    >>> as_me(own('<p><a href="https://maya.example/">rel="</a></p>')).count('rel="me nofollow')
    1
    """
    # In clean HTML a `<` always begins a tag, and a quote ends an attribute.
    return SafeHtml(_LINK_REL.sub(r"\1me ", str(html)))


def links_in(html: SafeHtml) -> list[str]:
    """Return where the links in clean HTML lead, each once.

    >>> links_in(own('<a href="https://maya.example/?a=1&amp;b">x</a> <a href="/y">y</a>'))
    ['https://maya.example/?a=1&b']
    """
    found = [_HREF.search(match[1]) for match in _ANCHOR.finditer(str(html))]
    return list(dict.fromkeys(html_entities.unescape(one[1]) for one in found if one is not None))


def pages_in(html: SafeHtml) -> list[str]:
    """Return the web pages that clean HTML links to: not people, hashtags, or what is quoted.

    >>> pages_in(SafeHtml('<a href="https://b.example/@b" class="u-url mention">@b</a> '
    ...                   '<a href="https://c.example/">c</a>'))
    ['https://c.example/']
    """
    found = []
    for match in _ANCHOR.finditer(str(without_quote_link(html))):
        named = _CLASS.search(match[1])
        is_page = named is None or not {"mention", "hashtag"} & set(named[1].split())
        href = _HREF.search(match[1])
        if is_page and href is not None and href[1].startswith(("https://", "http://")):
            found.append(html_entities.unescape(href[1]))
    return list(dict.fromkeys(found))


def kept(stored: str) -> SafeHtml:
    """Mark HTML that went through here before it was stored; for `storage` alone."""
    return SafeHtml(stored)


def text(untrusted: str, *, limit: int = MAX_TEXT_CHARS) -> str:
    """Read the text of somebody's HTML: for notifications, descriptions, titles, the search.

    Paragraphs and lines become lines; the result is plain text, not HTML.

    >>> text("<p>1 &lt; 2</p><p>so <b>there</b><br>it is</p>")
    '1 < 2\\nso there\\nit is'
    """
    shorter = str(untrusted)[:MAX_HTML_CHARS]
    if _has_too_many_tags(shorter):
        stripped = _TAG.sub("", shorter)
    else:
        stripped = _text_cleaner().clean(_LINE_END.sub("\n\\g<0>", _prepared(shorter)))
    bare = html_entities.unescape(stripped)
    lines = (plain(line, limit=limit) for line in bare.split("\n"))
    return "\n".join(line for line in lines if line)[:limit].rstrip()


def plain(untrusted: str, *, limit: int) -> str:
    """Clean a plain text of one line (a display name, a warning, an alt text), at most `limit`.

    Spaces and line ends of any kind become one space; control characters, invisible ones and marks
    that turn the direction of what follows are removed; floods of accents are thinned out.

    >>> plain("Al\\u202eice \\n\\t  B.\\x00", limit=50)
    'Alice B.'
    """
    # Four times the limit leaves room for what is removed, and keeps a megabyte from costing much.
    one_line = " ".join(_tidy(str(untrusted)[: 4 * limit + 100]).split())
    if one_line.isascii():
        return one_line[:limit].rstrip()
    visible = _INVISIBLE.sub("", one_line)
    visible = _TAG_FLOOD.sub(r"\1", _REPEATED_INVISIBLE.sub(r"\1", visible))
    return " ".join(visible.split())[:limit].rstrip()


def username(untrusted: str) -> str | None:
    """Return the name before the host of a handle if it is one that can be typed, else None.

    >>> username("alice.b"), username("a b"), username("."), username("аlice")
    ('alice.b', None, None, None)
    """
    if len(untrusted) > MAX_USERNAME_CHARS or not _USERNAME.fullmatch(untrusted):
        return None
    return untrusted


def without_quote_link(html: SafeHtml) -> SafeHtml:
    """Return a text without the link to what it quotes, which stands there for others.

    >>> without_quote_link(SafeHtml('<p class="quote-inline">RE: <a>x</a></p><p>Yes</p>'))
    Markup('<p>Yes</p>')
    """
    return SafeHtml(_QUOTE_LINK.sub("", str(html), count=1))


def with_emojis(safe: SafeHtml | str, emojis: Mapping[str, str]) -> SafeHtml:
    """Draw custom emojis: `:code:` in the text becomes the picture at `emojis[code]`.

    A plain `str` is escaped first. Only text is looked at, never a tag, an attribute, or what
    stands in `code` or `pre`. The addresses are those of our own cache: paths, or http and https.

    >>> print(with_emojis("<3 :cat:", {"cat": "/media/c.png"}))
    &lt;3 <img class="emoji" src="/media/c.png" alt=":cat:" title=":cat:" loading="lazy">
    """
    escaped = escape(safe)
    usable = {code: url for code, url in emojis.items() if _is_emoji_url(url)}
    if not usable or ":" not in escaped:
        return escaped
    left = MAX_EMOJIS

    def drawn(match: re.Match[str]) -> str:
        nonlocal left
        url = usable.get(match[1])
        if url is None or left == 0:
            return match[0]
        left -= 1
        code = match[1]  # letters, digits and underscores only: needs no escaping
        return (
            f'<img class="emoji" src="{escape(url)}" alt=":{code}:" title=":{code}:"'
            ' loading="lazy">'
        )

    return SafeHtml(_in_text(str(escaped), drawn))


def shortcodes_in(safe: SafeHtml | str) -> list[str]:
    """List the shortcodes in a text, each once, in order: where `with_emojis` would draw one.

    >>> shortcodes_in(own("<p>:cat: a:b:c <code>:dog:</code> :cat:</p>"))
    ['cat']
    """
    found: dict[str, None] = {}

    def note(match: re.Match[str]) -> str:
        found[match[1]] = None
        return match[0]

    _in_text(str(escape(safe)), note)
    return list(found)


def _in_text(html: str, draw: Callable[[re.Match[str]], str]) -> str:
    """Replace the shortcodes in the text of HTML, not in tags, `code` and `pre`."""
    pieces = _TAG.split(html)
    verbatim = 0
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            if not verbatim and ":" in piece:
                pieces[index] = _SHORTCODE.sub(draw, piece)
        elif piece in ("<code>", "<pre>") or piece.startswith(("<code ", "<pre ")):
            verbatim += 1
        elif piece in ("</code>", "</pre>"):
            verbatim -= 1
    return "".join(pieces)


def _is_emoji_url(url: str) -> bool:
    if url.startswith("/"):
        return not url.startswith(("//", "/\\"))
    return url.startswith(("https://", "http://"))


def _heading(match: re.Match[str]) -> str:
    return "</strong></p>" if match[1] else "<p><strong>"


def _vouched_anchor(
    match: re.Match[str], mentions: Mapping[str, str], tag_url: Callable[[str], str] | None
) -> str:
    attributes, label = match[1], match[2]
    names = _CLASS.search(attributes)
    classes = names[1].split() if names else []
    if names is None or ("mention" not in classes and "hashtag" not in classes):
        return _honest(match[0], label, attributes)
    if label is not None and "hashtag" in classes and tag_url is not None:
        word = _HASHTAG_LABEL.fullmatch(html_entities.unescape(_TAG.sub("", label)).strip())
        if word is not None:
            url = escape(tag_url(word[1].lower()))
            return f'<a href="{url}" class="mention hashtag" rel="tag">#<span>{word[1]}</span></a>'
    if label is not None and "hashtag" not in classes:
        href = _HREF.search(attributes)
        handle = mentions.get(html_entities.unescape(href[1])) if href else None
        if handle is not None:
            return f"<a{attributes}>@<span>{escape(handle.lstrip('@'))}</span></a>"
    kept = " ".join(name for name in classes if name not in ("mention", "hashtag", "u-url"))
    anchor = match[0].replace(names[0], f' class="{kept}"' if kept else "", 1)
    return _honest(anchor, label, attributes)


def _honest(anchor: str, label: str | None, attributes: str) -> str:
    href = _HREF.search(attributes)
    true = linkwords.elsewhere(label, href[1]) if label and href else None
    return anchor if true is None else f"{anchor.removesuffix('</a>')} ({escape(true)})</a>"


def _has_too_many_tags(source: str) -> bool:
    return source.count("<") - source.count("</") > MAX_TAGS


def _paragraphs(plain_text: str) -> SafeHtml:
    lines = (f"<p>{escape(line)}</p>" for line in plain_text.split("\n"))
    return SafeHtml("".join(lines))


def _prepared(untrusted: str) -> str:
    """Make HTML harmless for the parser: no lone surrogates, no attributes that multiply."""
    # Behind the last ">" is no complete tag; looking for one there again and again takes long.
    tagged, end, rest = untrusted.rpartition(">")
    prepared = _FORMATTING.sub(r"<\1>", tagged + end) + rest
    try:
        prepared.encode()
    except UnicodeEncodeError:  # JSON can carry what UTF-8 cannot
        return prepared.encode(errors="replace").decode()
    return prepared


def _tidy(decoded: str) -> str:
    tidy = _FORBIDDEN.sub("", decoded)
    return tidy if tidy.isascii() else _mark_flood().sub(r"\1", tidy)


@cache
def _mark_flood() -> re.Pattern[str]:
    """Build the pattern for more than MAX_MARKS marks in a row, in whatever script."""
    marks = "".join(
        re.escape(chr(code))
        for code in range(0x300, 0xFE30)
        if unicodedata.category(chr(code)) in ("Mn", "Me")
    )
    return re.compile(f"([{marks}]{{{MAX_MARKS}}})[{marks}]+")


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        attributes={
            "*": {"lang"},
            "a": {"href"},
            "ol": {"start", "reversed"},
            "li": {"value"},
        },
        allowed_classes={"a": _LINK_CLASSES, "span": _TEXT_CLASSES, "p": _TEXT_CLASSES},
        tag_attribute_values={"a": {"translate": {"no"}}, "span": {"translate": {"no"}}},
        set_tag_attribute_values={"a": {"target": "_blank"}},
        link_rel="nofollow noopener noreferrer",
        url_schemes={"http", "https"},
        url_relative="deny",
    )


@cache
def _text_cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(tags=frozenset(), attributes={})
