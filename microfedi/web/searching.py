"""What somebody types into the search, understood: words, "phrases", -exclusions and operators."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from microfedi.protocol import ids
from microfedi.storage import lists, search, search_index
from microfedi.storage.database import Reader
from microfedi.storage.owner import Owner
from microfedi.storage.search import Fact, Mark, Query, Term
from microfedi.words import _

MAX_PARTS = 30  # words and operators of one search; nobody means more
MAX_SAME_NAME = 50  # people who are called the same on different servers

_PART = re.compile(r'(-?)(?:([A-Za-z]+):)?(?:"([^"]*)"?|([^\s"]+))')
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
_YEARS = range(1970, 2200)  # that posts may be from

# What may stand behind has:, is: and in:, and what is asked for then.
_HAS: Mapping[str, tuple[str, ...]] = {
    "image": ("hasimage",),
    "video": ("hasvideo",),
    "audio": ("hasaudio",),
    "media": ("hasmedia",),
    "poll": ("haspoll",),
    "link": ("haslink",),
    "quote": ("hasquote",),
    "warning": ("haswarning",),
}
_IS: Mapping[str, tuple[str, ...]] = {"reply": ("isreply",), "sensitive": ("issensitive",)}
_IN: Mapping[str, tuple[str, ...]] = {
    "public": ("forpublic", "forunlisted"),
    "followers": ("forfollowers", "forlimited"),
}
_IS_MARKED = {"boosted": "boosted"}
_IN_MARKED = {one: one for one in ("library", "bookmarks", "favourites", "home")}
_TIMES = ("before", "after", "during")


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as it was understood.

    `authors` are the names behind from:, with whether they are excluded, `lists` those behind in:
    that may be a list's; `said` the words alone, for people and hashtags, "" if anything else was
    asked for; `remarks` what was not understood.
    """

    query: Query
    authors: tuple[tuple[str, bool], ...] = ()
    lists: tuple[tuple[str, bool], ...] = ()
    said: str = ""
    remarks: tuple[str, ...] = ()


def understood(text: str, *, zone: tzinfo, now: datetime) -> Asked:
    """Read a search. What is no operator of ours, or is not understood, is searched as words."""
    asked = Asked(Query())
    is_plain = True
    parts = _PART.findall(text)
    for minus, name, phrase, word in parts[:MAX_PARTS]:
        operator = name.lower()
        value = phrase or word
        is_excluded = bool(minus)
        if operator:
            changed = _with_operator(asked, operator, value, is_excluded, zone, now)
            if changed is not None:
                asked, is_plain = changed, False
                continue
            if not value.startswith("//"):  # an address is no mistake
                remark = _not_known(minus + operator, value)
                asked = replace(asked, remarks=(*asked.remarks, remark))
            value = f"{name} {value}"
        elif is_excluded or phrase:
            is_plain = False
        term = Term(value, is_excluded, is_beginning=not phrase and value.endswith("*"))
        asked = _asking(asked, terms=(*asked.query.terms, term))
    if len(parts) > MAX_PARTS:
        remark = _("Only the first %(count)s words were searched for.", count=MAX_PARTS)
        asked = replace(asked, remarks=(*asked.remarks, remark))
    return replace(asked, said=" ".join(text.split()) if is_plain else "")


def with_names(reader: Reader, asked: Asked, owner: Owner) -> Asked:
    """Return `asked` with the people and lists that it names looked up."""
    chosen: dict[bool, list[int]] = {True: [], False: []}
    remarks = list(asked.remarks)
    for name, is_excluded in asked.authors:
        found = _author(reader, name, owner)
        if not found:
            remarks.append(_("Nobody called %(name)s is known here.", name=f"@{name}"))
        chosen[is_excluded].extend(found or [0])
    facts = [
        Fact(tuple(f"by{one}" for one in dict.fromkeys(found)), is_excluded)
        for is_excluded, found in chosen.items()
        if found
    ]
    query = replace(asked.query, facts=(*asked.query.facts, *facts))
    known = {one.name.casefold(): one for one in lists.everyone(reader)} if asked.lists else {}
    for name, is_excluded in asked.lists:
        one = known.get(name.casefold())
        if one is None:
            remarks.append(_not_known("in", name))
            query = replace(query, terms=(*query.terms, Term(f"in {name}", is_excluded)))
        else:
            query = replace(query, marks=(*query.marks, Mark(name, is_excluded, one.id)))
    return replace(asked, query=query, remarks=tuple(remarks))


def _author(reader: Reader, name: str, owner: Owner) -> Sequence[int]:
    if name == "me":
        return [owner.actor_id]
    username, _at, host = name.partition("@")
    return search.named(reader, username, host or None, limit=MAX_SAME_NAME)


def _with_operator(
    asked: Asked, operator: str, value: str, is_excluded: bool, zone: tzinfo, now: datetime
) -> Asked | None:
    """Return `asked` with an operator applied, None if it is none or its value means nothing."""
    wanted = value.lower()
    if operator == "from":
        name = wanted.removeprefix("@")
        return replace(asked, authors=(*asked.authors, (name, is_excluded))) if name else None
    if operator in _TIMES:
        days = None if is_excluded else _days(wanted, now.astimezone(zone).date())
        return None if days is None else _bounded(asked, operator, days, zone)
    if operator == "language":
        fact = search_index.language_fact(wanted)
        values: tuple[str, ...] | None = (fact,) if fact != search_index.language_fact("") else None
    else:
        values = {"has": _HAS, "is": _IS, "in": _IN}.get(operator, {}).get(wanted)
    if values is not None:
        return _asking(asked, facts=(*asked.query.facts, Fact(values, is_excluded)))
    mark = {"is": _IS_MARKED, "in": _IN_MARKED}.get(operator, {}).get(wanted)
    if mark is not None:
        return _asking(asked, marks=(*asked.query.marks, Mark(mark, is_excluded)))
    if operator == "in" and value:
        return replace(asked, lists=(*asked.lists, (value, is_excluded)))
    return None


def _days(value: str, today: date) -> tuple[date, date] | None:
    """Return the first day that is meant, and the first one after it.

    >>> _days("2024-02", date(2024, 5, 1)), _days("2024-02-30", date(2024, 5, 1))
    ((datetime.date(2024, 2, 1), datetime.date(2024, 3, 1)), None)
    >>> _days("yesterday", date(2024, 5, 1))[0].isoformat()
    '2024-04-30'
    """
    named = {"today": today, "yesterday": today - timedelta(days=1)}.get(value)
    if named is not None:
        return named, named + timedelta(days=1)
    match = _DAY.fullmatch(value)
    if match is None or int(match[1]) not in _YEARS:
        return None
    year, month, day = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    try:
        first = date(year, month if match[2] else 1, day if match[3] else 1)
    except ValueError:
        return None
    if match[3]:
        return first, first + timedelta(days=1)
    if match[2]:
        return first, date(year + month // 12, month % 12 + 1, 1)
    return first, date(year + 1, 1, 1)


def _bounded(asked: Asked, operator: str, days: tuple[date, date], zone: tzinfo) -> Asked:
    """Return `asked` within a time: the owner's days, each from its midnight."""
    first, end = (ids.row_id(datetime.combine(day, time(), zone)) for day in days)
    query = asked.query
    if operator != "before":
        start = first if operator == "during" else end
        query = replace(query, first_id=max(query.first_id, start))
    if operator != "after":
        stop = end if operator == "during" else first
        query = replace(query, before_id=min(query.before_id, stop))
    return replace(asked, query=query)


def _asking(
    asked: Asked,
    *,
    terms: tuple[Term, ...] | None = None,
    facts: tuple[Fact, ...] | None = None,
    marks: tuple[Mark, ...] | None = None,
) -> Asked:
    query = asked.query
    query = replace(
        query,
        terms=query.terms if terms is None else terms,
        facts=query.facts if facts is None else facts,
        marks=query.marks if marks is None else marks,
    )
    return replace(asked, query=query)


def _not_known(operator: str, value: str) -> str:
    """Say what was not understood: the operator, or what stands behind it."""
    if operator in _TIMES:
        return _(
            "“%(value)s” is no day like 2026-05-31, month like 2026-05, or year: "
            "“%(operator)s:” was searched as a word.",
            value=value,
            operator=operator,
        )
    if operator == "in":
        return _(
            "Behind “in:” may stand: %(known)s, or what a list of yours is called. "
            "It was searched as a word.",
            known=", ".join((*_IN, *_IN_MARKED)),
        )
    known = {"has": (*_HAS,), "is": (*_IS, *_IS_MARKED)}.get(operator)
    if known is not None:
        return _(
            "Behind “%(operator)s:” may stand: %(known)s. It was searched as a word.",
            operator=operator,
            known=", ".join(known),
        )
    return _("There is no operator “%(operator)s:”. It was searched as a word.", operator=operator)
