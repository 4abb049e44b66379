"""Where a handler finds the Context."""

from starlette.requests import HTTPConnection

from microfedi.federation.context import Context


def context_of(connection: HTTPConnection) -> Context:
    """Return the one Context of this server."""
    ctx: Context = connection.app.state.ctx
    return ctx
