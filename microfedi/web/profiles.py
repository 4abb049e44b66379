"""What the tabs of somebody's page show: posts, replies, media, and who they are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from starlette.requests import Request

from microfedi.federation.visibility import Asker, may_see
from microfedi.protocol.vocab import Visibility
from microfedi.storage import note_lists, published, search
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.owner import Owner
from microfedi.storage.search import Fact, Query
from microfedi.web import cards, gallery
from microfedi.web.cards import Card, Sieve
from microfedi.web.gallery import Tile
from microfedi.words import _

PAGE_NOTES = 16  # with pictures some 55 kB; small, so that a famous boost costs little
PAGE_MEDIA_NOTES = 24  # posts whose pictures stand on a page of the grid

Tab = Literal["posts", "replies", "media", "about"]
TABS: tuple[Tab, ...] = ("posts", "replies", "media", "about")


@dataclass(frozen=True, slots=True)
class Content:
    """What stands below the head of a profile. `posts` is how many there are, -1 if unasked."""

    tab: Tab
    tabs: Sequence[tuple[Tab, str, str]]
    pinned: Sequence[Card] = ()
    cards: Sequence[Card] = ()
    tiles: Sequence[Tile] = ()
    older: str = ""
    posts: int = -1


def tab_of(request: Request) -> Tab:
    """Return which tab is asked for: Posts, unless another is named."""
    wanted = request.query_params.get("show")
    return next((one for one in TABS if one == wanted), TABS[0])


def address(base: str, tab: Tab, before: int | None = None) -> str:
    """Return where a tab of the profile at `base` stands.

    >>> address("/@maya", "posts"), address("/@maya", "media", 7)
    ('/@maya', '/@maya?show=media&before=7')
    """
    asked = [] if tab == "posts" else [f"show={tab}"]
    asked += [] if before is None else [f"before={before}"]
    return f"{base}?{'&'.join(asked)}" if asked else base


def content(
    reader: Reader,
    actor: Actor,
    base: str,
    *,
    tab: Tab,
    visibilities: Collection[Visibility],
    before: int | None,
    owner: Owner,
    asker: Asker,
    sieve: Sieve | None = None,
) -> Content:
    """Read a tab of somebody's page, as far as `asker` may see it."""
    tabs = _tabs(base)
    if tab == "about":
        return Content(tab, tabs, posts=note_lists.count_of(reader, actor.id, visibilities))
    if tab == "media":
        facts = (
            Fact((f"by{actor.id}",)),
            Fact(("hasmedia",)),
            Fact(tuple(f"for{one.value}" for one in visibilities)),
        )
        seen = search.find(
            reader, Query(facts=facts), before=before, limit=PAGE_MEDIA_NOTES, with_blocked=True
        )
        tiles = gallery.tiles(reader, seen.notes, owner)
        older = "" if seen.before is None else address(base, tab, seen.before)
        return Content(tab, tabs, tiles=tiles, older=older)
    found = published.page(
        reader,
        actor.id,
        visibilities=visibilities,
        before=before,
        limit=PAGE_NOTES,
        with_replies=tab == "replies",
        with_boosts=tab == "posts",
        with_pinned=tab == "posts" and before is None,
    )
    dated = [entry for entry in found if entry.position > 0]
    # All at once, the pinned ones last: so the anchor of a post is where it stands by its time.
    made = cards.of_entries(reader, found, owner, sieve, met=[actor])
    return Content(
        tab,
        tabs,
        [
            replace(card, is_pinned=True)
            for card in made
            if card.position < 0 and may_see(reader, card.note, asker)
        ],
        [card for card in made if card.position > 0],
        older=address(base, tab, dated[-1].position) if len(dated) == PAGE_NOTES else "",
    )


def _tabs(base: str) -> list[tuple[Tab, str, str]]:
    """Return each tab with its name and its address."""
    names: dict[Tab, str] = {
        "posts": _("Posts"),
        "replies": _("Replies"),
        "media": _("Media"),
        "about": _("About"),
    }
    return [(one, names[one], address(base, one)) for one in TABS]
