"""Puts it together: routes, middleware, and what lives as long as the process does."""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from microfedi import __version__, activitypub, web
from microfedi.assets import asset_dir
from microfedi.config import Config
from microfedi.errors import MicrofediError
from microfedi.federation import start
from microfedi.federation.context import Context, system_clock
from microfedi.federation.remote import Remote
from microfedi.federation.workers import Workers
from microfedi.http import problems, sessions
from microfedi.http.headers import Headers

log = logging.getLogger(__name__)

STATIC_SECONDS = 365 * 24 * 3600  # a static file's address changes with its content


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
        middleware=[Middleware(Headers, config=config)],
        exception_handlers={
            MicrofediError: problems.answer,
            Exception: problems.answer,
            404: problems.answer,
            405: problems.answer,
            413: problems.answer,
        },
        lifespan=lifespan,
    )
