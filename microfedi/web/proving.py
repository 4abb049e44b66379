"""The two factors once more, before something that matters."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from microfedi import words
from microfedi.account import login
from microfedi.errors import InvalidInput, TooBusy
from microfedi.http import addresses, csrf, forms
from microfedi.http.context import context_of
from microfedi.storage.vault_keys import Opened

MAX_CODE_CHARS = 100  # of a code or a recovery code, with spaces


def factors(request: Request, form: FormData) -> login.Factors:
    """Return what somebody typed, or had a passkey say, to prove who they are.

    Raises: InvalidInput if it is longer than any of it can be.
    """
    return login.Factors(
        password=forms.text(form, "password"),
        code=forms.line(form, "code", limit=MAX_CODE_CHARS),
        passkey=forms.text(form, "passkey", limit=login.MAX_PASSKEY_CHARS),
        # What a passkey answers is bound to the session, or to the login form's cookie.
        bound_to=csrf.token(request),
    )


class Shown(Protocol):
    """Shows the page of a form with more values."""

    def __call__(
        self, request: Request, values: dict[str, Any], *, status_code: int = 200
    ) -> Awaitable[Response]: ...


async def then(
    request: Request,
    change: Callable[[FormData, Opened | None], Awaitable[dict[str, Any]]],
    shown: Shown,
) -> Response:
    """Do `change` if both factors are right, and show what it returns; else what is wrong."""
    form = await forms.read(request)
    try:
        opened = await confirmed(request, form)
        return await shown(request, await change(form, opened))
    except (InvalidInput, TooBusy) as problem:
        return await shown(request, {"problem": words.of(problem)}, status_code=422)


async def confirmed(request: Request, form: FormData) -> Opened | None:
    """Ask for both factors again; return the message vault if they open it.

    Raises: WrongCredentials, TooBusy, InvalidInput.
    """
    ctx = context_of(request)
    opened = await login.confirm(
        ctx.door, factors(request, form), by=addresses.visitor(request), now=ctx.now()
    )
    request.state.is_proven = True  # their cookie is another one from now on
    return opened
