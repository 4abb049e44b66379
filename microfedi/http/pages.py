"""Templates become pages: escaped by type, with what every page needs at hand."""

import functools
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from microfedi import __version__, words
from microfedi.assets import asset_dir
from microfedi.federation import familiar, media_cache
from microfedi.federation.context import STRANGE_FOR, Context
from microfedi.http import csrf, previews, sessions
from microfedi.http.context import context_of
from microfedi.protocol import sanitize
from microfedi.protocol.lookalikes import Resemblance
from microfedi.protocol.vocab import Visibility
from microfedi.storage import conversations, notifications
from microfedi.storage.door_log import Line
from microfedi.storage.messages import Message
from microfedi.storage.notes import Note
from microfedi.storage.sessions import Session
from microfedi.words import _

TITLE_CHARS = 80  # of a page's title: what a browser's tab and a search result show

VISIBILITY_ICONS = {
    Visibility.PUBLIC: "globe",
    Visibility.UNLISTED: "moon",
    Visibility.FOLLOWERS: "lock",
    Visibility.LIMITED: "people",
    Visibility.DIRECT: "message",
}


@functools.cache
def environment() -> jinja2.Environment:
    """The template environment, made once at the first page."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset_dir("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=100,
    )
    env.globals.update(_=said, ngettext=said_of)
    env.globals["language"] = words.language
    env.globals["direction"] = words.direction
    env.globals["link"] = link
    env.globals["code"] = Markup('<code class="code">{}</code>').format
    env.globals["bold"] = Markup("<b>{}</b>").format
    env.globals["static"] = static_url
    env.globals["version"] = __version__
    env.filters["visibility"] = visibility_words
    env.filters["bytes"] = in_bytes
    env.filters["said"] = words.of
    env.globals["icon"] = icon
    env.globals["visibility_icon"] = lambda visibility: icon(VISIBILITY_ICONS[visibility])
    env.globals["summary_line"] = summary_line
    env.globals["message_line"] = message_line
    env.globals["preview_text"] = previews.description
    env.globals["preview_picture"] = previews.picture
    return env


@functools.cache
def static_url(name: str) -> str:
    """Return the address of a static file with its fingerprint, so that it may be kept for ever."""
    data = (asset_dir("static") / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(data).hexdigest()[:12]}"


@functools.cache
def icon(name: str, filled: bool = False) -> Markup:
    """Return a picture of the local sprite; what it means stands beside it in words."""
    return Markup('<svg class="icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
        " filled" if filled else "", static_url("icons.svg"), name
    )


def said(message: str, /, **values: object) -> Markup:
    """Return `message` for a template, translated; values are escaped, our own words are HTML."""
    if not values:
        return _said(words.language(), message)
    return Markup(words.gettext(message)) % words.shown(values)  # noqa: S704 - ours, or a translator's


@functools.cache
def _said(language: str, message: str) -> Markup:
    return Markup(words.gettext(message) % {})  # noqa: S704 - as above; `language` is the key


def said_of(one: str, many: str, count: int, /, **values: object) -> Markup:
    """Return the form that goes with `count`, as `said`; `%(num)s` is the count, unless given."""
    found = Markup(words.form(one, many, count))  # noqa: S704 - as above
    return found % words.shown({"num": count, **values})


def link(href: str, text: str, *, is_away: bool = False) -> Markup:
    """Return a link, to be put into a sentence. `is_away` leads to another server."""
    rel = Markup(' rel="nofollow noopener noreferrer"') if is_away else ""
    return Markup('<a href="{}"{}>{}</a>').format(href, rel, text)


def visibility_words(visibility: str) -> str:
    """Return what a visibility is called."""
    return {
        Visibility.PUBLIC: _("Public"),
        Visibility.UNLISTED: _("Quiet public"),
        Visibility.FOLLOWERS: _("Followers"),
        Visibility.LIMITED: _("Some people"),
        Visibility.DIRECT: _("Message"),
    }[Visibility(visibility)]


def in_bytes(size: int) -> str:
    """Return a size on the disk as people say it.

    >>> in_bytes(999), in_bytes(1_500_000), in_bytes(2_340_000_000)
    ('1\\xa0kB', '1.5\\xa0MB', '2.34\\xa0GB')
    """
    if size < 1_000_000:
        return f"{-(-size // 1000)}\u00a0kB"
    if size < 1_000_000_000:
        return f"{words.decimal(size / 1_000_000, 1)}\u00a0MB"
    return f"{words.decimal(size / 1_000_000_000, 2)}\u00a0GB"


def summary_line(note: Note) -> str:
    """Return a post as one line of plain text, for a title: its warning instead, if it has one."""
    html = sanitize.without_quote_link(note.html) if note.quote else note.html
    line = note.summary or note.name or sanitize.text(html, limit=TITLE_CHARS)
    return " ".join(line.split())[:TITLE_CHARS]


def message_line(message: Message) -> str:
    """Return a message as one line of plain text, for the list of conversations."""
    line = message.summary or sanitize.text(message.html, limit=TITLE_CHARS)
    return " ".join(line.split())[:TITLE_CHARS] or _("A picture")


@functools.lru_cache(maxsize=4)  # there is one owner; a zone is read from several files
def zone_of(name: str) -> tzinfo:
    """Return the time zone called `name`, UTC if there is none of that name.

    >>> zone_of("No/Where") is UTC
    True
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


async def page(
    request: Request,
    template: str,
    values: Mapping[str, Any] | None = None,
    *,
    status_code: int = 200,
) -> Response:
    """Render `template` with `values` and with what every page has.

    Those are: `request`, `config`, `session` (None for strangers), `owner` (None before setup),
    `looks` (how the owner wants pages to be; None for strangers),
    `csrf_field()`, `media(url)` (a picture: others' by way of our cache), `drawn(text, emojis)`
    (with custom emojis as pictures), `now`, and the functions `local` (an instant in the owner's
    time zone), `day` and `ago`; for the owner also how many messages and notifications are unread,
    and `resembling(actor)`: whom of those the owner follows somebody could be taken for.
    """
    ctx = context_of(request)
    session = await sessions.of(request)
    owner = ctx.owner if ctx.has_owner else None
    now = ctx.now()
    unread_messages = unread_notifications = 0
    resembling: Callable[..., Resemblance | None] = _nobody
    if session and owner:
        read_id = owner.notifications_read_id
        known, unread_messages, unread_notifications = await ctx.db.read(
            lambda r: (
                familiar.of(ctx, r),  # first: what it takes as the newest must not be older
                conversations.unread(r, now=now),
                notifications.count_after(r, read_id, now=now, wanted=owner.filters),
            )
        )
        resembling = familiar.comparing(known)
    zone = zone_of(owner.time_zone) if owner else UTC

    def media(url: str | None) -> str:
        if not url:
            return ""
        if url.startswith(f"{ctx.config.base_url}/media/"):
            return url.removeprefix(ctx.config.base_url)  # ours lie here already
        return media_cache.proxy_path(ctx.db.sealer, url)

    def drawn(text: str, emojis: Mapping[str, str]) -> str:
        if not emojis or ":" not in text:
            return text  # escaped where it is printed, unless it is HTML that is safe already
        return sanitize.with_emojis(text, {code: media(url) for code, url in emojis.items()})

    def local(instant: datetime) -> str:
        return words.moment(instant.astimezone(zone))

    def day(instant: datetime) -> str:
        return words.day_briefly(instant.astimezone(zone), with_year=True)

    today = now.astimezone(zone)

    def ago(instant: datetime, kind: str = "") -> Markup:
        then = instant.astimezone(zone)
        exact = instant.astimezone(UTC).isoformat(timespec="seconds")[:19]
        kind = f' class="{kind}"' if kind else ""
        # Built from numbers, month names and our own words alone: nothing could need escaping.
        return Markup(  # noqa: S704 - see above
            f'<time{kind} datetime="{exact}Z" title="{words.moment(then)}">'
            f"{_ago(now, then, today)}</time>"
        )

    html = (
        environment()
        .get_template(template)
        .render(
            {
                "request": request,
                "path": request.url.path,
                "config": ctx.config,
                "session": session,
                "pending_acts": ctx.pending_acts,
                "strange_login": _strange(ctx, session, now) if session else None,
                "is_disk_full": ctx.db.room.is_full(),
                "unread_messages": unread_messages,
                "unread_notifications": unread_notifications,
                "owner": owner,
                "looks": owner.looks if session and owner else None,
                "csrf_field": functools.partial(csrf.field, request),
                "media": media,
                "drawn": drawn,
                "now": now,
                "local": local,
                "day": day,
                "resembling": resembling,
                "ago": ago,
                **(values or {}),
            }
        )
    )
    return HTMLResponse(html, status_code=status_code)


def _strange(ctx: Context, session: Session, now: datetime) -> Line | None:
    """Return the newest login from somewhere new that is not the one of this very session."""
    for line in ctx.strange_logins:
        if now - line.at < STRANGE_FOR and not line.is_of(session.created_at):
            return line
    return None


def _nobody(*_: object) -> None:
    """Strangers are told of nobody whom the owner follows."""


def _ago(now: datetime, then: datetime, today: datetime) -> str:
    seconds = (now - then).total_seconds()
    if seconds < 60:
        return _("now")
    if seconds < 3600:
        return _("%(count)s min", count=int(seconds // 60))
    if seconds < 24 * 3600:
        return _("%(count)s h", count=int(seconds // 3600))
    if seconds < 7 * 24 * 3600:
        return _("%(count)s d", count=int(seconds // 86400))
    return words.day_briefly(then, with_year=then.year != today.year)
