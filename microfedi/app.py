"""Puts it together: routes, middleware, and what lives as long as the process does."""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from microfedi.activitypub import actor, collections, emojis, follows, inbox, stamps, wellknown
from microfedi.activitypub import notes as activitypub_notes
from microfedi.assets import asset_dir
from microfedi.config import Config
from microfedi.errors import MicrofediError
from microfedi.federation import start
from microfedi.federation.context import system_clock
from microfedi.federation.receive import MAX_ACTIVITY_BYTES
from microfedi.federation.remote import Remote
from microfedi.federation.workers import Workers
from microfedi.http import problems, sessions
from microfedi.http.canonical import CanonicalHandle
from microfedi.http.deleted import Deleted
from microfedi.http.headers import Headers
from microfedi.http.languages import Languages
from microfedi.http.negotiate import either
from microfedi.web import (
    about,
    acts,
    appearance,
    authenticator,
    blocks,
    circles,
    complete,
    compose,
    consent,
    conversation,
    discovery,
    door,
    drafts,
    drawer,
    emoji,
    events,
    feeds,
    filters,
    gallery,
    hashtags,
    history,
    home,
    install,
    interact,
    keyboard,
    leaving,
    lists,
    login,
    media,
    message,
    messages,
    moving,
    mutes,
    notifications,
    passkeys,
    people,
    polls,
    public,
    push,
    receipt,
    relations,
    reports,
    resuming,
    scheduled,
    search,
    security,
    settings,
    status,
    thread,
    trust,
    unlock,
    uploading,
    vault,
    visitors,
    why,
)

log = logging.getLogger(__name__)

STATIC_SECONDS = 365 * 24 * 3600  # a static file's address changes with its content
MAX_FORM_BYTES = 1_000_000  # the longest text with room; nothing else is in an ordinary form

# Pages for the owner alone: behind the login, and every change of them behind the form's token.
OWNER_PAGES = (
    home, compose, thread, people, messages, drawer, conversation, message, notifications,
    search, settings, security, login,
    acts, authenticator, door, events, keyboard, passkeys, unlock, vault, push, appearance,
    drafts, scheduled, complete, uploading,
    interact, discovery, emoji, polls, consent, mutes, blocks, reports, circles, moving,
    leaving, history, gallery, status, receipt, relations, lists, hashtags, filters, why,
    trust,
)  # fmt: skip
_WITH_FILES = ("/compose", "/compose/media", "/posts/{id}/edit", "/messages/new", "/messages/{id}")
_WITH_PICTURES = ("/settings/profile", "/setup/{token}")
PICTURES_OF_PROFILE = 2


def create_app(
    config: Config,
    *,
    remote: Remote | None = None,
    now: Callable[[], datetime] = system_clock,
    work: bool = True,
) -> Starlette:
    """Return the server for `config`, ready for uvicorn; nothing is opened before its lifespan.

    Tests hand in their own way out (`remote`), their clock, and `work=False` to step the workers
    by hand.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with start.running(config, remote=remote, now=now) as ctx:
            app.state.ctx = ctx
            workers = Workers(ctx)
            if work:
                await workers.start()
            try:
                yield
            finally:
                ctx.stopping.set()
                await workers.stop()

    return Starlette(
        routes=_routes(config),
        middleware=[
            Middleware(Headers, config=config),
            # Inside, so that what failed has its headers and its language too.
            Middleware(Languages),
            Middleware(problems.LastResort),
            Middleware(Deleted),
            Middleware(CanonicalHandle),
        ],
        exception_handlers={
            MicrofediError: problems.answer,
            HTTPException: problems.answer,
            ClientDisconnect: problems.answer,
        },
        lifespan=lifespan,
    )


def _routes(config: Config) -> list[BaseRoute]:
    """Every address of this server, the particular ones before those with a variable part."""
    return [
        Mount("/static", _Static(directory=asset_dir("static"))),
        *wellknown.routes,
        *inbox.routes,
        Route("/actor/inbox", inbox.post, methods=["POST"], max_body_size=MAX_ACTIVITY_BYTES),
        *actor.routes,
        *collections.routes,
        *stamps.routes,
        *follows.routes,
        *activitypub_notes.routes,
        *emojis.routes,
        *feeds.public_routes,
        *(_form(route, sessions.owner_only, config) for route in media.owner_routes),
        *media.public_routes,
        *about.public_routes,
        *install.public_routes,
        *public.public_routes,
        *hashtags.public_routes,
        *(_form(route, sessions.public_form, config) for route in login.form_routes),
        *(_form(route, sessions.public_form, config) for route in passkeys.form_routes),
        *(_form(route, sessions.visitors_form, config) for route in visitors.form_routes),
        *(
            _form(route, _guard_of(route), config)
            for pages in OWNER_PAGES
            for route in pages.owner_routes
        ),
        # One address, two faces. These come last: their variable parts would match much else.
        Route("/users/{handle}", either(html=public.to_profile, activity=actor.owner)),
        Route(
            "/users/{handle}/notes/{public_id}",
            either(html=public.to_post, activity=activitypub_notes.show),
        ),
        Route("/@{handle}", either(html=public.show_profile, activity=actor.owner)),
        Route(
            "/@{handle}/{public_id}",
            either(html=public.show_post, activity=activitypub_notes.show),
        ),
    ]


def _guard_of(route: Route) -> Callable[[sessions.Endpoint], sessions.Endpoint]:
    is_post = route.path == "/compose" and "POST" in (route.methods or ())
    return resuming.keeping_text if is_post else sessions.owner_only


def _form(
    route: Route, guard: Callable[[sessions.Endpoint], sessions.Endpoint], config: Config
) -> Route:
    """Put a guard before a page, and a limit on what it reads."""
    most = MAX_FORM_BYTES
    if route.path in _WITH_FILES:
        most += config.limits.form_bytes
    elif route.path in _WITH_PICTURES:
        most += PICTURES_OF_PROFILE * config.limits.upload_mb * 1_000_000
    return Route(route.path, guard(route.endpoint), methods=route.methods, max_body_size=most)


class _Static(StaticFiles):
    """Static files; asked for with their fingerprint, they may be kept for ever."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        scope: Scope = args[2] if len(args) > 2 else kwargs["scope"]
        if scope["query_string"].startswith(b"v="):
            response.headers["Cache-Control"] = f"public, max-age={STATIC_SECONDS}, immutable"
        return response
