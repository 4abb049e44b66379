"""Which language a request is answered in: the owner's own wish, else what the browser asks for."""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from microfedi import words
from microfedi.http import sessions
from microfedi.http.context import context_of


class Languages:
    """Sets what `words` speaks before anything runs, and says that pages differ by it.

    Whoever has a session cookie is taken for the owner: nothing but words depends on it here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_vary(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.add_vary_header("Accept-Language")
            await send(message)

        words.use(_language(Request(scope)))
        await self._app(scope, receive, send_with_vary)


def _language(request: Request) -> str:
    ctx = context_of(request)
    if ctx.has_owner and sessions.cookie_name(ctx.config) in request.cookies:
        wish = ctx.owner.language
        if wish:
            return wish
    return words.preferred(",".join(request.headers.getlist("accept-language")))
