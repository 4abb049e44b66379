"""Drafts: kept while they are typed, listed, continued and deleted."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.errors import InvalidInput
from microfedi.federation import uploads
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page, zone_of
from microfedi.storage import drafts, waiting_files
from microfedi.storage.database import Reader, Transaction
from microfedi.web import composer
from microfedi.words import _


async def save(request: Request) -> Response:
    """POST /compose/draft: keep what stands in the form; for the script, every few seconds.

    Answers with the draft's key and version, which the form has from then on, and what to say. A
    form whose draft another window has changed keeps its text as a second draft.
    """
    ctx = context_of(request)
    typed = await composer.typed(request)
    form = await forms.read(request)
    draft = typed.draft
    try:
        edits = forms.row_id(form, "edits") if form.get("edits") else None
        draft = replace(draft, edits=edits)
        if typed.problem is not None and not draft.source:
            raise typed.problem
        if not typed.key:
            raise InvalidInput("", "This form could not be read. Please send it again.")
        kept = await ctx.db.write(
            lambda tx: drafts.save(tx, typed.key, typed.version, draft, ctx.now())
        )
    except InvalidInput as problem:
        is_over = await ctx.db.read(lambda r: drafts.finished(r, typed.key)) is not None
        return JSONResponse({"say": words.of(problem), "is_over": is_over}, 409)
    local = kept.saved_at.astimezone(zone_of(ctx.owner.time_zone))
    if draft.is_empty:
        said = ""
    elif kept.key != typed.key:
        said = _("It was changed in another window: saved as a second draft")
    else:
        said = _("Draft saved at %(time)s", time=f"{local:%H:%M}")
    return JSONResponse({"key": kept.key, "version": kept.version, "say": said})


async def show(request: Request) -> Response:
    """GET /drafts: what was begun, what was changed last first."""
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[list[composer.Offer], int]:
        offers = composer.offers(reader, limit=drafts.MAX_DRAFTS)
        return offers, len(drafts.scheduled(reader))

    offers, scheduled = await ctx.db.read(question)
    return await page(request, "drafts.html", {"offers": offers, "scheduled": scheduled})


async def delete(request: Request) -> Response:
    """POST /drafts/{key}/delete: it goes, with its files; windows that still have it keep it."""
    ctx = context_of(request)
    key: str = request.path_params["key"]

    def change(tx: Transaction) -> list[str]:
        kept = drafts.by_key(tx, key)
        if kept is None:
            return []
        drafts.finish(tx, key, None, ctx.now())
        return waiting_files.release(tx, [one.name for one in kept.draft.attached])

    await uploads.discard(ctx, await ctx.db.write(change))
    return RedirectResponse("/drafts", 303)


owner_routes = [
    Route("/compose/draft", save, methods=["POST"]),
    Route("/drafts", show, methods=["GET"]),
    Route("/drafts/{key}/delete", delete, methods=["POST"]),
]
