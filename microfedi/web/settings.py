"""Settings: who one is, what one wishes, who may come in, what is kept on the disk."""

import shutil
import zoneinfo
from typing import Literal

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import imagework, words
from microfedi.errors import InvalidInput, NotFound
from microfedi.federation import verifying
from microfedi.federation.outbox import profile
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import sanitize
from microfedi.storage import actors, jobs, looks, media, upkeep
from microfedi.storage import owner as owner_storage
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.web import trust as trusting
from microfedi.words import _

FIELDS = 4  # rows in the form: what Mastodon and most others show
MAX_NAME_CHARS = 100
MAX_FIELD_CHARS = 255  # as Mastodon shows
MAX_BUDGET_GB = 10_000
GB = 10**9


async def show(request: Request) -> Response:
    """GET /settings: the list of what can be set."""
    return await page(request, "settings.html")


async def show_profile(request: Request) -> Response:
    """GET /settings/profile."""
    return await _profile_page(request, None)


async def submit_profile(request: Request) -> Response:
    """POST /settings/profile: keep it, and tell everybody who knows the owner."""
    ctx = context_of(request)
    form = await forms.read(request)
    try:
        names = forms.texts(form, "field_name", limit=MAX_FIELD_CHARS, most=FIELDS)
        values = forms.texts(form, "field_value", limit=MAX_FIELD_CHARS, most=FIELDS)
        fields = [
            (name.strip(), value.strip())
            for name, value in zip(names, values, strict=False)
            if name.strip() and value.strip()
        ]
        avatar = await _picture(request, form, "avatar")
        header = await _picture(request, form, "header")
        name = forms.line(form, "name", limit=MAX_NAME_CHARS) or ctx.owner.handle
        bio = forms.text(form, "bio", limit=profile.MAX_BIO_CHARS)
        await profile.update(ctx, profile.Profile(name, bio, tuple(fields)))
        if avatar or header:
            alt = forms.line(form, "avatar_alt", limit=MAX_FIELD_CHARS)
            await profile.set_picture(ctx, avatar=avatar, avatar_alt=alt, header=header)
        elif forms.flag(form, "remove_avatar") or forms.flag(form, "remove_header"):
            await profile.remove_picture(
                ctx,
                avatar=forms.flag(form, "remove_avatar"),
                header=forms.flag(form, "remove_header"),
            )
    except InvalidInput as problem:
        return await _profile_page(request, problem)
    return RedirectResponse(f"/@{ctx.owner.handle}", 303)


async def _picture(
    request: Request, form: FormData, name: Literal["avatar", "header"]
) -> imagework.Picture | None:
    limit = context_of(request).config.limits.upload_mb * 1_000_000
    for data in await forms.slots(form, name, most=1, max_bytes=limit):
        if data:
            return await imagework.reencode(data, purpose=name)
    return None


async def _profile_page(request: Request, problem: InvalidInput | None) -> Response:
    ctx = context_of(request)
    actor = await _own_actor(request)
    fields = [(name, sanitize.text(value).strip()) for name, value in actor.fields]
    values = {
        "trust": await ctx.db.read(lambda r: trusting.of_owner(r, actor)),
        "pages": verifying.pages(ctx, actor),
        "actor": actor,
        "bio": ctx.owner.bio,
        "fields": (fields + [("", "")] * FIELDS)[:FIELDS],
        "problem": problem,
    }
    return await page(request, "settings_profile.html", values, status_code=422 if problem else 200)


async def show_preferences(request: Request) -> Response:
    """GET /settings/preferences."""
    return await _preferences_page(request, None)


async def submit_preferences(request: Request) -> Response:
    """POST /settings/preferences: who may find, follow and write to the owner; the time zone."""
    ctx = context_of(request)
    form = await forms.read(request)
    try:
        time_zone = forms.line(form, "time_zone", limit=64)
        if time_zone != "UTC" and time_zone not in zoneinfo.available_timezones():
            raise InvalidInput("time_zone", "Please choose one of the list, like Europe/Berlin.")
        language = forms.one_of(form, "language", ("", *words.LANGUAGES))
        await ctx.db.write(lambda tx: looks.set_language(tx, language))
        await profile.set_preferences(
            ctx,
            approves_followers=forms.flag(form, "approves_followers"),
            discoverable=forms.flag(form, "discoverable"),
            indexable=forms.flag(form, "indexable"),
            hides_follows=forms.flag(form, "hides_follows"),
            message_policy=_policy(form),
            time_zone=time_zone,
        )
    except InvalidInput as problem:
        return await _preferences_page(request, problem)
    return RedirectResponse("/settings/preferences?saved=1", 303)


def _policy(form: FormData) -> owner_storage.MessagePolicy:
    value = forms.one_of(form, "message_policy", ("anyone", "followed", "nobody"))
    return "followed" if value == "followed" else "nobody" if value == "nobody" else "anyone"


async def _preferences_page(request: Request, problem: InvalidInput | None) -> Response:
    values = {
        "problem": problem,
        "languages": words.LANGUAGES,
        "zones": sorted(zoneinfo.available_timezones()),
        "saved": "saved" in request.query_params,
    }
    return await page(
        request, "settings_preferences.html", values, status_code=422 if problem else 200
    )


async def show_disk(request: Request) -> Response:
    """GET /settings/disk: what takes how much, and how much others' things may."""
    return await _disk_page(request, None)


async def submit_disk(request: Request) -> Response:
    """POST /settings/disk: a new budget; what is over it goes with the next cleaning."""
    ctx = context_of(request)
    form = await forms.read(request)
    try:
        budget = forms.integer(form, "budget_gb", low=1, high=MAX_BUDGET_GB) * GB
    except InvalidInput as problem:
        return await _disk_page(request, problem)
    await profile.set_preferences(ctx, disk_budget_bytes=budget)
    now = ctx.now()
    await ctx.db.write(lambda tx: jobs.add(tx, "prune", "", due_at=now))
    ctx.wake.jobs.set()
    return RedirectResponse("/settings/disk", 303)


async def _disk_page(request: Request, problem: InvalidInput | None) -> Response:
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[int, int, int]:
        return (
            upkeep.database_bytes(reader),
            media.cached_bytes(reader),
            media.total_bytes(reader),
        )

    database_bytes, cached_bytes, own_bytes = await ctx.db.read(question)
    values = {
        "rows": [
            (_("Posts, messages and people (the database)"), database_bytes),
            (_("Copies of others' pictures"), cached_bytes),
            (_("Your own pictures"), own_bytes),
        ],
        "free": shutil.disk_usage(ctx.config.data_dir).free,
        "counted_bytes": database_bytes + cached_bytes,
        "budget_gb": ctx.owner.disk_budget_bytes // GB,
        "problem": problem,
    }
    return await page(request, "settings_disk.html", values, status_code=422 if problem else 200)


async def _own_actor(request: Request) -> Actor:
    ctx = context_of(request)
    actor = await ctx.db.read(lambda r: actors.by_id(r, ctx.owner.actor_id))
    if actor is None:
        raise NotFound("the owner's profile is missing")
    return actor


owner_routes = [
    Route("/settings", show, methods=["GET"]),
    Route("/settings/profile", show_profile, methods=["GET"]),
    Route("/settings/profile", submit_profile, methods=["POST"]),
    Route("/settings/preferences", show_preferences, methods=["GET"]),
    Route("/settings/preferences", submit_preferences, methods=["POST"]),
    Route("/settings/disk", show_disk, methods=["GET"]),
    Route("/settings/disk", submit_disk, methods=["POST"]),
]
