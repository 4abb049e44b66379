"""The words of pages and errors, in the language of who reads them: GNU gettext.

English stands in the code and in the templates, marked with `_()` and `ngettext()`; every other
language is a catalogue in `locale/`, made and kept by `make words`.
"""

import functools
import gettext as catalogues
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Final

from microfedi.assets import asset_dir
from microfedi.errors import MicrofediError

DOMAIN: Final = "microfedi"  # names the catalogues' files
DEFAULT: Final = "en"  # what the code is written in

# What there is, each called as its own speakers call it.
LANGUAGES: Final = {"en": "English", "de": "Deutsch"}

_DECIMAL_MARKS = {"en": ".", "de": ","}
_GROUP_MARKS = {"en": ",", "de": "."}
_GROUPED_FROM = 10_000  # years, and most of what is counted, stand better without a mark
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})

_MOST_WISHES = 20  # languages that are read of a header; nobody speaks more

_language: ContextVar[str] = ContextVar("language", default=DEFAULT)


def use(language: str) -> None:
    """Speak `language` for the rest of this request (or of this task); English if we cannot."""
    _language.set(language if language in LANGUAGES else DEFAULT)


def language() -> str:
    """Return the language that is spoken now, as in `LANGUAGES`."""
    return _language.get()


def gettext(message: str) -> str:
    """Return `message` in the language that is spoken now, itself if nobody translated it."""
    return _catalogue(language()).gettext(message)


def form(one: str, many: str, num: int) -> str:
    """Return the form that goes with `num`, with nothing filled in."""
    return _catalogue(language()).ngettext(one, many, num)


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """Return the form that goes with `num`, which `%(num)s` stands for, with `values` filled in.

    >>> ngettext("%(num)s post", "%(num)s posts", 2)
    '2 posts'
    """
    return form(one, many, num) % shown({"num": num, **values})


def _(message: str, /, **values: object) -> str:
    """Return `message` in the language that is spoken now, with `%(name)s` filled from `values`.

    Percent signs are doubled in messages, as in templates.

    >>> _("At most %(count)s pictures, 100%% yours", count=16)
    'At most 16 pictures, 100% yours'
    """
    return gettext(message) % shown(values)


def mark(message: str) -> str:
    """Return `message` as it is: only its words are gathered here, it is translated elsewhere.

    For constants. What an error is made with is gathered without it.
    """
    return message


def of(error: MicrofediError) -> str:
    """Return what an error says, in the language that is spoken now.

    >>> of(MicrofediError("At most %(limit)s characters, please.", limit=500))
    'At most 500 characters, please.'
    """
    if not error.values:
        return gettext(error.template) if error.template else ""
    return gettext(error.template) % {
        name: of(value) if isinstance(value, MicrofediError) else value
        for name, value in shown(error.values).items()
    }


def shown(values: Mapping[str, object]) -> dict[str, object]:
    """Return what is put into a message; large numbers in groups of three digits.

    >>> shown({"limit": 10_000, "year": 2026, "name": "10000"})
    {'limit': '10,000', 'year': 2026, 'name': '10000'}
    """
    return {
        name: f"{value:,}".replace(",", _GROUP_MARKS[language()])
        if type(value) is int and abs(value) >= _GROUPED_FROM
        else value
        for name, value in values.items()
    }


def direction() -> str:
    """Return which way the language that is spoken now is written: "ltr" or "rtl"."""
    return "rtl" if language() in _RIGHT_TO_LEFT else "ltr"


def decimal(number: float, digits: int) -> str:
    """Return a number with so many decimal places.

    >>> decimal(2.345, 1)
    '2.3'
    """
    return f"{number:.{digits}f}".replace(".", _DECIMAL_MARKS[language()])


def duration(seconds: int) -> str:
    """Return a length of time in its largest whole unit, rounded up; "" for none.

    >>> duration(1), duration(90), duration(3600), duration(7 * 86400), duration(0)
    ('1 second', '2 minutes', '1 hour', '7 days', '')
    """
    if seconds <= 0:
        return ""
    if seconds < 60:
        return ngettext("%(num)s second", "%(num)s seconds", seconds)
    if seconds < 3600:
        return ngettext("%(num)s minute", "%(num)s minutes", -(-seconds // 60))
    if seconds < 86400:
        return ngettext("%(num)s hour", "%(num)s hours", -(-seconds // 3600))
    return ngettext("%(num)s day", "%(num)s days", -(-seconds // 86400))


def moment(local: datetime) -> str:
    """Return day and time of an instant that is in the reader's time zone already.

    >>> moment(datetime(2026, 5, 3, 8, 10))
    '3 May 2026, 08:10'
    """
    return _(
        "%(day)s %(month)s %(year)s, %(time)s",
        day=local.day,
        month=_months(language())[local.month - 1],
        year=local.year,
        time=f"{local:%H:%M}",
    )


def day_briefly(local: datetime, *, with_year: bool) -> str:
    """Return a day with its month cut short.

    >>> day_briefly(datetime(2026, 9, 3), with_year=False)
    '3 Sep'
    """
    month = _short_months(language())[local.month - 1]
    if with_year:
        return _("%(day)s %(month)s %(year)s", day=local.day, month=month, year=local.year)
    return _("%(day)s %(month)s", day=local.day, month=month)


@functools.cache
def _months(language: str) -> tuple[str, ...]:
    """Return the months in the language that is spoken now: `language`, by which they are kept."""
    return (
        _("January"), _("February"), _("March"), _("April"), _("May"), _("June"), _("July"),
        _("August"), _("September"), _("October"), _("November"), _("December"),
    )  # fmt: skip


@functools.cache
def _short_months(language: str) -> tuple[str, ...]:
    return (
        _("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May"), _("Jun"), _("Jul"),
        _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec"),
    )  # fmt: skip


@functools.cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    if language == DEFAULT:
        return catalogues.NullTranslations()
    return catalogues.translation(DOMAIN, asset_dir("locale"), [language], fallback=True)


def preferred(accept_language: str) -> str:
    """Return which of our languages an Accept-Language header likes best (RFC 9110, 12.5.4).

    >>> preferred("fr, de-AT;q=0.8, en;q=0.7"), preferred("tlh"), preferred("de;q=0, en-GB")
    ('de', 'en', 'en')
    """
    wishes: list[tuple[float, int, str]] = []
    for index, wish in enumerate(accept_language.split(",")[:_MOST_WISHES]):
        tag, _semicolon, weight = wish.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        wishes.append((-quality, index, tag.strip().lower().split("-")[0]))
    return next(
        (tag for less, _at, tag in sorted(wishes) if less < 0 and tag in LANGUAGES), DEFAULT
    )
