"""The two factors once more, before something that matters."""

from starlette.datastructures import FormData
from starlette.requests import Request

from microfedi.account import login
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


async def confirmed(request: Request, form: FormData) -> Opened | None:
    """Ask for both factors again; return the message vault if they open it.

    Raises: WrongCredentials, TooBusy, InvalidInput.
    """
    ctx = context_of(request)
    return await login.confirm(
        ctx.door, factors(request, form), by=addresses.visitor(request), now=ctx.now()
    )
