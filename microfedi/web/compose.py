"""Writing, editing and deleting posts. Messages are written elsewhere, and never here."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.outbox import notes as outbox
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol.vocab import Visibility
from microfedi.storage import circles, notes
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.storage.owner import Owner
from microfedi.web import attachments, cards, polls, redirects
from microfedi.words import _

MAX_SUMMARY_CHARS = 500
MAX_LANGUAGE_CHARS = 35  # BCP 47: the longest tag that is to be expected
MAX_BACK_CHARS = 2100  # of the address that the owner came from to share something

MAX_CHOICE_CHARS = 40  # the longest is that of a circle, with its row id

_CIRCLE = "circle-"
_OPEN: Final = (Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS)


def _choices() -> list[tuple[Visibility, str]]:
    return [
        (Visibility.PUBLIC, _("Public – everybody")),
        (Visibility.UNLISTED, _("Quiet public – everybody, not promoted")),
        (Visibility.FOLLOWERS, _("Followers – only they")),
    ]


async def show(request: Request) -> Response:
    """GET /compose: an empty box, or one that answers `reply_to` or quotes `quote`."""
    parent = await _parent(request, forms.query_id(request, "reply_to"))
    quoted = await _parent(request, forms.query_id(request, "quote"))
    shown = _empty(parent) | {"quote": quoted.id if quoted else None}
    return await _form(request, parent, shown, None)


async def filled(
    request: Request,
    parent: Note | None,
    *,
    source: str,
    summary: str = "",
    on_success: str = "",
    problem: str = "",
) -> Response:
    """Show the box with what another page asked to be written, for the owner to change and send."""
    shown = _empty(parent)
    shown |= {"source": source, "summary": summary or shown["summary"], "on_success": on_success}
    return await _form(request, parent, shown, InvalidInput("", problem) if problem else None)


async def submit(request: Request) -> Response:
    """POST /compose: publish and go to the post, or show the form again, saying why not."""
    ctx = context_of(request)
    form = await forms.read(request)
    has_parent = bool(form.get("reply_to"))
    parent = await _parent(request, forms.row_id(form, "reply_to") if has_parent else None)
    shown: dict[str, Any] = _empty(parent)
    try:
        shown = _typed(form, shown)
        choices = await ctx.db.read(lambda r: choices_for(r, parent))
        visibility, circle = _audience(shown["visibility"], choices)
        note = await outbox.publish(
            ctx,
            outbox.Draft(
                source=shown["source"],
                visibility=visibility,
                summary=shown["summary"],
                sensitive=shown["sensitive"],
                language=shown["language"] or None,
                in_reply_to=parent.id if parent else None,
                poll=polls.draft(shown["poll"]),
                quote=shown["quote"],
                circle=circle,
                pictures=await attachments.read(form, ctx.config.limits),
            ),
        )
    except InvalidInput as problem:
        return await _form(request, parent, shown, problem)
    target = redirects.after_sharing(shown["on_success"], cards.url_of(note, ctx.owner))
    return RedirectResponse(target, 303)


async def show_edit(request: Request) -> Response:
    """GET /posts/{id}/edit: the source of an own post."""
    note = await _own(request)
    shown = {
        "source": note.source or "",
        "summary": note.summary,
        "visibility": note.visibility,
        "language": note.language or "",
        "sensitive": note.sensitive,
        "attached": attachments.of(note),
        "alts": [],
        "focus": {},
    }
    return await _edit_form(request, note, shown, None)


async def submit_edit(request: Request) -> Response:
    """POST /posts/{id}/edit: a new version, told to everybody who has the old one."""
    ctx = context_of(request)
    note = await _own(request)
    form = await forms.read(request)
    shown: dict[str, Any] = {
        **_empty(None),
        "visibility": note.visibility,
        "attached": attachments.of(note),
    }
    try:
        shown = {
            **_typed(form, shown),
            "visibility": note.visibility,
            "attached": attachments.changed(form, note),
        }
        draft = outbox.Draft(
            source=shown["source"],
            visibility=note.visibility,
            summary=shown["summary"],
            sensitive=note.sensitive,
            attached={one.url: None if one.is_removed else one.alt for one in shown["attached"]},
            language=shown["language"] or None,
        )
        await outbox.edit(ctx, note.id, draft)
    except InvalidInput as problem:
        return await _edit_form(request, note, shown, problem)
    return RedirectResponse(cards.url_of(note, ctx.owner), 303)


async def show_delete(request: Request) -> Response:
    """GET /posts/{id}/delete: asks once, saying what will happen."""
    note = await _own(request)
    ctx = context_of(request)
    card = await ctx.db.read(lambda r: cards.of_note(r, note, ctx.owner))
    return await page(request, "delete.html", {"card": card})


async def submit_delete(request: Request) -> Response:
    """POST /posts/{id}/delete: gone here, and everybody who has it is asked to forget it."""
    note = await _own(request)
    await outbox.delete(context_of(request), note.id)
    return RedirectResponse("/home", 303)


async def redraft(request: Request) -> Response:
    """POST /posts/{id}/redraft: delete a post, and show what it said, to be changed and sent anew.

    Nothing is deleted before all of it has been read.

    Raises: InvalidInput if it was for people who cannot be chosen any more: the form would offer
    to show it to more.
    """
    note = await _own(request)
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[Note | None, dict[str, Any]]:
        found = notes.by_id(reader, note.in_reply_to_id) if note.in_reply_to_id else None
        return found, _as_it_was(reader, note, ctx.owner, found)

    parent, shown = await ctx.db.read(question)
    choices = await ctx.db.read(lambda reader: choices_for(reader, parent))
    if shown["visibility"] not in dict(choices):
        raise InvalidInput(
            "",
            "Its circle, or what it answers, is not here any more, so it cannot be published again "
            "for the same people. It was not deleted: copy the text, then delete it.",
        )
    await outbox.delete(ctx, note.id)
    return await _form(request, parent, shown, None, is_redraft=True)


def _as_it_was(reader: Reader, note: Note, owner: Owner, parent: Note | None) -> dict[str, Any]:
    """Return the fields of a post that is written anew; files have to be chosen again."""
    visibility: str = note.visibility
    if parent is None and note.visibility is Visibility.LIMITED:
        named = {owner.addresses.circle(one.public_id): one.id for one in circles.everyone(reader)}
        visibility = next((f"{_CIRCLE}{named[uri]}" for uri in note.to if uri in named), visibility)
    return _empty(parent) | {
        "source": note.source or "",
        "summary": note.summary,
        "visibility": visibility,
        "language": note.language or "",
        "sensitive": note.sensitive,
        "alts": [one.alt for one in note.attachments],
        "poll": polls.as_it_was(reader, note),
        "quote": notes.id_of(reader, note.quote) if note.quote else None,
    }


def choices_for(reader: Reader, parent: Note | None = None) -> Sequence[tuple[str, str]]:
    """Who may see it, circles too: for a reply no more people than may see what it answers."""
    if parent is None:
        own = circles.everyone(reader)
        named = [(f"{_CIRCLE}{one.id}", _("Circle: %(name)s", name=one.name)) for one in own]
        return [*_choices(), *named]
    is_in_circle = bool(circles.readers(reader, parent.id))
    those = _("The same circle") if is_in_circle else _("Only the people in it")
    widest = {
        Visibility.PUBLIC: 0,
        Visibility.UNLISTED: 1,
        Visibility.FOLLOWERS: 2,
    }.get(parent.visibility, len(_OPEN))
    return [*_choices()[widest:], (Visibility.LIMITED, those)]


def _widest(parent: Note) -> Visibility:
    is_known = parent.visibility in _OPEN
    return parent.visibility if is_known else Visibility.LIMITED


def _audience(chosen: str, choices: Sequence[tuple[str, str]]) -> tuple[Visibility, int | None]:
    """Return what was chosen, and the circle if it was one. Raises: InvalidInput."""
    if chosen not in dict(choices):
        if chosen in _OPEN:
            raise InvalidInput("visibility", "A reply cannot be seen by more than what it answers.")
        raise InvalidInput("visibility", "Please choose again who may see it.")
    if chosen.startswith(_CIRCLE):
        return Visibility.LIMITED, int(chosen.removeprefix(_CIRCLE))
    return Visibility(chosen), None


def _empty(parent: Note | None) -> dict[str, Any]:
    return {
        "source": "",
        "summary": parent.summary if parent else "",
        "visibility": Visibility.PUBLIC if parent is None else _widest(parent),
        "language": (parent.language or "") if parent else "",
        "sensitive": False,
        "alts": [],
        "focus": {},
        "on_success": "",
        "poll": polls.empty(),
        "quote": None,
    }


def _typed(form: FormData, shown: dict[str, Any]) -> dict[str, Any]:
    return {
        **shown,
        "source": forms.text(form, "source"),
        "summary": forms.line(form, "summary", limit=MAX_SUMMARY_CHARS),
        "sensitive": forms.flag(form, "sensitive"),
        **attachments.typed(form),
        "visibility": forms.text(form, "visibility", limit=MAX_CHOICE_CHARS) or shown["visibility"],
        "on_success": forms.text(form, "on_success", limit=MAX_BACK_CHARS),
        "language": forms.line(form, "language", limit=MAX_LANGUAGE_CHARS),
        "poll": polls.typed(form),
        "quote": forms.row_id(form, "quote") if form.get("quote") else None,
    }


async def _parent(request: Request, note_id: int | None) -> Note | None:
    if note_id is None:
        return None
    found = await context_of(request).db.read(lambda r: notes.by_id(r, note_id))
    if found is None:
        raise NotFound("the post to answer is not here any more")
    return found


async def _own(request: Request) -> Note:
    ctx = context_of(request)
    note_id = forms.path_id(request, "id")
    note = await ctx.db.read(lambda r: notes.by_id(r, note_id))
    if note is None or note.actor_id != ctx.owner.actor_id:
        raise NotFound("no post of the owner's")
    return note


async def _form(
    request: Request,
    parent: Note | None,
    shown: dict[str, Any],
    problem: InvalidInput | None,
    *,
    is_redraft: bool = False,
) -> Response:
    ctx = context_of(request)
    owner = ctx.owner
    card = await ctx.db.read(lambda r: cards.of_note(r, parent, owner)) if parent else None
    quoted = await _quoted(request, shown["quote"])
    if card is not None and not card.is_mine and request.method == "GET":
        shown = {**shown, "source": f"{card.author.address} {shown['source']}"}
    values = {
        "heading": _("Reply") if card else _("Quote") if quoted else _("New post"),
        "back": card.url if card else "/home",
        "reply_to": card,
        "quoted": quoted,
        "draft": shown,
        "problem": problem,
        "choices": await ctx.db.read(lambda r: choices_for(r, parent)),
        "action": "/compose",
        "button": _("Publish reply") if card else _("Publish"),
        "note_id": None,
        "pictures": True,
        "limit": ctx.config.limits.post_characters,
        "lasting": polls.lasting(),
        "is_redraft": is_redraft,
    }
    return await page(request, "compose.html", values, status_code=422 if problem else 200)


async def _quoted(request: Request, note_id: int | None) -> cards.Card | None:
    ctx = context_of(request)
    if note_id is None:
        return None

    def question(reader: Reader) -> cards.Card | None:
        found = notes.by_id(reader, note_id)
        return None if found is None else cards.of_note(reader, found, ctx.owner)

    return await ctx.db.read(question)


async def _edit_form(
    request: Request, note: Note, shown: dict[str, Any], problem: InvalidInput | None
) -> Response:
    ctx = context_of(request)
    values = {
        "heading": _("Edit post"),
        "back": cards.url_of(note, ctx.owner),
        "reply_to": None,
        "draft": shown,
        "problem": problem,
        "choices": None,
        "action": f"/posts/{note.id}/edit",
        "button": _("Save changes"),
        "note_id": note.id,
        "pictures": False,
        "limit": ctx.config.limits.post_characters,
        "is_redraft": False,
    }
    return await page(request, "compose.html", values, status_code=422 if problem else 200)


owner_routes = [
    Route("/compose", show, methods=["GET"]),
    Route("/compose", submit, methods=["POST"]),
    Route("/posts/{id}/edit", show_edit, methods=["GET"]),
    Route("/posts/{id}/edit", submit_edit, methods=["POST"]),
    Route("/posts/{id}/delete", show_delete, methods=["GET"]),
    Route("/posts/{id}/delete", submit_delete, methods=["POST"]),
    Route("/posts/{id}/redraft", redraft, methods=["POST"]),
]
