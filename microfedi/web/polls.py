"""Polls in the pages: what the composer asks for, and voting."""

from datetime import timedelta
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.errors import InvalidInput
from microfedi.federation.outbox import polls as outbox
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.storage import polls as storage
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.web import redirects

SHOWN_OPTIONS = 6  # fields in the composer
MAX_KEY_CHARS = 60
_DAY_S = 24 * 3600
# For how long a poll can be asked, in seconds.
LASTING = (
    *(5 * 60, 30 * 60, 3600, 6 * 3600),
    *(_DAY_S, 3 * _DAY_S, 7 * _DAY_S, 30 * _DAY_S),
)


def lasting() -> list[tuple[int, str]]:
    """Return `LASTING` with its words, for a menu."""
    return [(seconds, words.duration(seconds)) for seconds in LASTING]


def empty() -> dict[str, Any]:
    """Return the fields of a poll that is not there."""
    return {"options": [], "lasts": _DAY_S, "is_multiple": False}


def as_it_was(reader: Reader, note: Note) -> dict[str, Any]:
    """Return the fields that ask what a poll of the owner's asked, as long as it was to last."""
    poll = storage.filled(reader, note.id, note.poll)
    if poll is None or poll.ends is None:
        return empty()
    lasted = (poll.ends - note.published_at).total_seconds()
    return {
        "options": [one.name for one in poll.options],
        "lasts": min(LASTING, key=lambda one: abs(one - lasted)),
        "is_multiple": poll.is_multiple,
    }


def typed(form: FormData) -> dict[str, Any]:
    """Return the fields of a poll as they were typed.

    Raises: InvalidInput.
    """
    options = forms.texts(
        form, "option", limit=4 * outbox.MAX_OPTION_CHARS, most=outbox.MAX_OPTIONS
    )
    lasts = _DAY_S
    if form.get("lasts"):
        lasts = forms.integer(form, "lasts", low=1, high=LASTING[-1])
    return {
        "options": [one.strip() for one in options if one.strip()],
        "lasts": lasts,
        "is_multiple": forms.flag(form, "is_multiple"),
    }


def draft(fields: dict[str, Any]) -> outbox.PollDraft | None:
    """Return what the fields ask; None if no answer was typed."""
    if not fields["options"]:
        return None
    return outbox.PollDraft(
        tuple(fields["options"]), timedelta(seconds=fields["lasts"]), fields["is_multiple"]
    )


async def vote(request: Request) -> Response:
    """POST /posts/{id}/vote: what is chosen among the fields of the poll that `key` names."""
    note_id = forms.path_id(request, "id")
    form = await forms.read(request)
    key = request.query_params.get("key", "")[:MAX_KEY_CHARS]
    chosen = forms.texts(form, f"vote-{key}", limit=4, most=outbox.MAX_OPTIONS * 50)
    if not all(one.isascii() and one.isdigit() for one in chosen):
        raise InvalidInput("", "Choose an answer first.")
    await outbox.vote(context_of(request), note_id, [int(one) for one in chosen])
    target = redirects.local(forms.text(form, "next"), f"/posts/{note_id}").partition("#")[0]
    return RedirectResponse(f"{target}#n{note_id}", 303)


owner_routes = [Route("/posts/{id}/vote", vote, methods=["POST"])]
