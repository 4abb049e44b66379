"""Writing, editing and deleting posts. Messages are written elsewhere, and never here."""

from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput, NotFound, TooBusy
from microfedi.federation.context import Context
from microfedi.federation.outbox import drafts as outbox_drafts
from microfedi.federation.outbox import notes as outbox
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import drafts, notes
from microfedi.storage import owner as owner_storage
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.drafts import Draft, Kept
from microfedi.storage.notes import Note
from microfedi.web import asked, cards, composer, preview, redirects, uploading
from microfedi.web.cards import Card
from microfedi.web.composer import Box, Typed
from microfedi.words import _

MAX_ACTION_CHARS = 80  # what a button of the form does, with the name of a file
OFFERED: Final = 3  # drafts that the page of a new post leads to; the others are on theirs


async def show(request: Request) -> Response:
    """GET /compose: an empty box, one that answers `reply_to`, quotes `quote`, or goes on with
    `draft`.
    """
    ctx = context_of(request)
    key = request.query_params.get("draft", "")[: drafts.MAX_KEY_CHARS]
    kept = await ctx.db.read(lambda r: drafts.by_key(r, key)) if key else None
    if kept is not None and kept.draft.edits is not None:
        return RedirectResponse(composer.offer(kept).url, 303)
    if kept is not None:
        return await _form(request, Typed(kept.draft, "", 0, kept.problem), kept=kept)
    parent = await _parent(request, forms.query_id(request, "reply_to"))
    quoted = await _parent(request, forms.query_id(request, "quote"))
    draft = composer.empty(ctx, parent, quote=quoted.id if quoted else None)
    if parent is not None:
        draft = replace(draft, source=await _addressed(ctx, parent))
    problem = InvalidInput("", "This draft is not here any more.") if key else None
    return await _form(request, Typed(draft, "", 0, problem), offers=True)


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
    ctx = context_of(request)
    draft = composer.empty(ctx, parent)
    start = await _addressed(ctx, parent) if parent is not None else ""
    draft = replace(
        draft, source=start + source, summary=summary or draft.summary, on_success=on_success
    )
    wrong = InvalidInput("", problem) if problem else None
    return await _form(request, Typed(draft, "", 0, wrong), status=422 if problem else 200)


async def submit(request: Request) -> Response:
    """POST /compose: publish and go to the post; or do what another button of the form says."""
    ctx = context_of(request)
    typed, action = await read(request)
    if action in ("", "publish", "publish_anyway", "schedule") and typed.problem is None:
        done = await _finished(ctx, typed.key)
        if done is not None:
            return done
        try:
            return await _publish(request, typed, action)
        except InvalidInput as problem:
            typed = replace(typed, problem=problem)
        except NotFound as gone:
            typed = replace(typed, problem=InvalidInput("", gone.template))
    return await again(request, typed, action)


async def again(
    request: Request, typed: Typed, action: str = "", *, note: Note | None = None
) -> Response:
    """Show the form again with all that was typed, kept as a draft."""
    ctx = context_of(request)
    status = 422 if typed.problem is not None else 200
    try:
        kept = await ctx.db.write(lambda tx: keep(tx, ctx, typed))
    except InvalidInput as problem:
        typed = replace(typed, problem=typed.problem or problem)
        return await _form(request, typed, note=note, status=422)
    if action == "draft" and typed.problem is None:
        return RedirectResponse(f"{composer.offer(kept).url}&saved=1", 303)
    shown: Card | None = None
    if action == "preview":
        shown = await preview.card(ctx, typed.draft, note)
    return await _form(request, typed, kept=kept, note=note, status=status, preview=shown)


async def shown_again(request: Request, typed: Typed) -> Response:
    """Show the form again with what was typed, and keep nothing."""
    return await _form(request, typed, status=422)


def keep(tx: Transaction, ctx: Context, typed: Typed) -> Kept:
    """Save what was typed; a form whose draft is finished begins a new one.

    Raises: InvalidInput if there are too many, or it is too long.
    """
    key, version = typed.key or drafts.new_key(), typed.version
    if drafts.finished(tx, key) is not None:
        key, version = drafts.new_key(), 0
    return drafts.save(tx, key, version, typed.draft, ctx.now())


async def read(request: Request, *, note: Note | None = None) -> tuple[Typed, str]:
    """Read the form with the files that came in it, and what its button does to them."""
    ctx = context_of(request)
    form = await forms.read(request)
    typed = await composer.typed(request, note=note)
    try:
        action = forms.text(form, "do", limit=MAX_ACTION_CHARS)
    except InvalidInput:
        action = "attach"
    attached = uploading.changed(typed.draft.attached, action)
    try:
        attached, problem = await uploading.taken_in(ctx, form, attached)
    except TooBusy as busy:
        problem = InvalidInput("picture", busy.template, **busy.values)
    draft = replace(typed.draft, attached=attached)
    return replace(typed, draft=draft, problem=typed.problem or problem), action


async def publish(ctx: Context, key: str, draft: Draft) -> Note:
    """Publish what was typed, and remember its language.

    Raises: InvalidInput, NotFound as the outbox does; or if it is for more people than what it
    answers.
    """
    await ctx.db.read(lambda reader: composer.allowed(reader, draft))
    note = await outbox_drafts.publish(ctx, key, draft)
    if draft.language and draft.language != ctx.owner.post_language:
        await ctx.db.write(lambda tx: owner_storage.set_post_language(tx, draft.language))
        await ctx.reload_owner()
    return note


async def _publish(request: Request, typed: Typed, action: str) -> Response:
    ctx = context_of(request)
    draft = typed.draft
    if uploading.undescribed(draft.attached) and action != "publish_anyway":
        raise _Undescribed("picture", "")
    if action == "schedule" or draft.at:
        at = composer.at(ctx, draft.at)
        await ctx.db.read(lambda reader: _key_of(reader, typed))
        await ctx.db.read(lambda reader: composer.allowed(reader, draft))
        outbox_drafts.check_time(ctx, at)
        kept = await ctx.db.write(lambda tx: keep(tx, ctx, typed))
        await outbox_drafts.schedule(ctx, kept, at)
        return RedirectResponse("/scheduled", 303)
    key = await ctx.db.read(lambda reader: _key_of(reader, typed))
    note = await publish(ctx, key, draft)
    target = redirects.after_sharing(draft.on_success, cards.url_of(note, ctx.owner))
    return RedirectResponse(target, 303)


def _key_of(reader: Reader, typed: Typed) -> str:
    """Return which draft a form publishes: none, if another window has changed its draft since.

    Raises: InvalidInput if it waits for its time already.
    """
    known = drafts.by_key(reader, typed.key) if typed.key else None
    if known is not None and known.publish_at is not None:
        raise InvalidInput("", "This is scheduled already: see Scheduled posts.")
    is_stale = known is not None and known.version != typed.version and known.draft != typed.draft
    return drafts.new_key() if is_stale else typed.key


class _Undescribed(InvalidInput):
    """Files without a description: a question rather than an error."""


async def show_edit(request: Request) -> Response:
    """GET /posts/{id}/edit: the source of an own post, or the draft of a new version."""
    note = await _own(request)
    ctx = context_of(request)
    key = request.query_params.get("draft", "")[: drafts.MAX_KEY_CHARS]
    kept = await ctx.db.read(lambda r: drafts.by_key(r, key)) if key else None
    if kept is not None and kept.draft.edits == note.id:
        return await _form(request, Typed(kept.draft, "", 0, kept.problem), kept=kept, note=note)
    return await _form(request, Typed(composer.of_note(note), "", 0, None), note=note)


async def submit_edit(request: Request) -> Response:
    """POST /posts/{id}/edit: a new version, told to everybody who has the old one."""
    ctx = context_of(request)
    note = await _own(request)
    typed, action = await read(request, note=note)
    draft = replace(typed.draft, visibility=note.visibility)
    typed = replace(typed, draft=draft)
    if action in ("", "publish", "publish_anyway") and typed.problem is None:
        try:
            if uploading.undescribed(draft.attached) and action != "publish_anyway":
                raise _Undescribed("picture", "")
            wanted = outbox.Draft(
                source=draft.source,
                visibility=note.visibility,
                summary=draft.summary,
                sensitive=draft.sensitive,
                language=draft.language or None,
                files=draft.attached,
                key=typed.key,
            )
            await outbox.edit(ctx, note.id, wanted)
        except InvalidInput as problem:
            typed = replace(typed, problem=problem)
        else:
            return RedirectResponse(cards.url_of(note, ctx.owner), 303)
    return await again(request, typed, action, note=note)


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
    """POST /posts/{id}/redraft: delete a post; what it said, pictures too, is a draft again.

    Raises: InvalidInput if it was for people who cannot be chosen any more: the form would offer
    to show it to more.
    """
    note = await _own(request)
    key = await outbox_drafts.redraft(context_of(request), note.id)
    return RedirectResponse(f"/compose?draft={key}&redraft=1", 303)


async def _finished(ctx: Context, key: str) -> Response | None:
    """Return where a form leads that was sent before: to the post that it has become."""

    def question(reader: Reader) -> Note | None:
        done = drafts.finished(reader, key) if key else None
        return None if done is None or done.note_id is None else notes.by_id(reader, done.note_id)

    note = await ctx.db.read(question)
    return None if note is None else RedirectResponse(cards.url_of(note, ctx.owner), 303)


async def _addressed(ctx: Context, parent: Note) -> str:
    """Return how an answer begins: with its addressee's name, unless that is the owner."""
    if parent.actor_id == ctx.owner.actor_id:
        return ""
    card = await ctx.db.read(lambda r: cards.of_note(r, parent, ctx.owner))
    return f"{card.author.address} "


async def _parent(request: Request, note_id: int | None) -> Note | None:
    if note_id is None:
        return None
    found = await context_of(request).db.read(lambda r: notes.by_id(r, note_id))
    if found is None:
        raise NotFound("the post to answer is not here any more")
    return found


async def _own(request: Request) -> Note:
    note = await asked.row(request, notes.by_id)
    if note.actor_id != context_of(request).owner.actor_id:
        raise NotFound("no post of the owner's")
    return note


async def _form(
    request: Request,
    typed: Typed,
    *,
    kept: Kept | None = None,
    note: Note | None = None,
    offers: bool = False,
    status: int = 200,
    preview: Card | None = None,
) -> Response:
    ctx = context_of(request)
    start: dict[str, Any] = {"draft": typed.draft, "key": typed.key, "version": typed.version}
    if kept is not None:
        start = composer.continued(kept, ctx.owner.time_zone)
    draft: Draft = start["draft"]
    asks = isinstance(typed.problem, _Undescribed)

    def question(reader: Reader) -> tuple[Box, Card | None, list[composer.Offer]]:
        parent = notes.by_id(reader, draft.in_reply_to) if draft.in_reply_to else None
        quoted = notes.by_id(reader, draft.quote) if draft.quote else None
        # What is not here any more can neither be answered nor quoted: a post of its own, then.
        there = replace(
            draft, in_reply_to=parent.id if parent else None, quote=quoted.id if quoted else None
        )
        box = composer.box(
            ctx,
            reader,
            **start | {"draft": there},
            parent=parent,
            note=note,
            undescribed=uploading.undescribed(draft.attached) if asks else 0,
            problem=None if asks else typed.problem,
        )
        found = None if quoted is None else cards.of_note(reader, quoted, ctx.owner)
        waiting: list[composer.Offer] = []
        if offers:
            waiting = composer.offers(
                reader, limit=OFFERED, in_reply_to=parent.id if parent else None
            )
        return box, found, waiting

    box, quoted, waiting = await ctx.db.read(question)
    values = {
        "heading": _heading(box, quoted),
        "back": cards.url_of(note, ctx.owner) if note else _back(box),
        "box": box,
        "quoted": quoted,
        "offers": waiting,
        "preview": preview,
        "edited": note,
        "is_alone": draft.in_reply_to != box.draft.in_reply_to or draft.quote != box.draft.quote,
        "is_redraft": request.query_params.get("redraft") == "1" and not typed.problem,
        "is_resumed": request.query_params.get("resumed") == "1" and not typed.problem,
        "is_saved": request.query_params.get("saved") == "1" and not typed.problem,
    }
    return await page(request, "compose.html", values, status_code=status)


def _heading(box: Box, quoted: Card | None) -> str:
    if box.note_id is not None:
        return _("Edit post")
    return _("Reply") if box.reply_to else _("Quote") if quoted else _("New post")


def _back(box: Box) -> str:
    return box.reply_to.url if box.reply_to else "/home"


owner_routes = [
    Route("/compose", show, methods=["GET"]),
    Route("/compose", submit, methods=["POST"]),
    Route("/posts/{id}/edit", show_edit, methods=["GET"]),
    Route("/posts/{id}/edit", submit_edit, methods=["POST"]),
    Route("/posts/{id}/delete", show_delete, methods=["GET"]),
    Route("/posts/{id}/delete", submit_delete, methods=["POST"]),
    Route("/posts/{id}/redraft", redraft, methods=["POST"]),
]
