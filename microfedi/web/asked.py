"""What an address names by its number: a post, a person, a list."""

from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request

from microfedi.errors import NotFound
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.storage.database import Reader

T = TypeVar("T")


async def row(request: Request, by_id: Callable[[Reader, int], T | None]) -> T:
    """Return what stands under the `id` of the path. Raises: NotFound if nothing does."""
    row_id = forms.path_id(request, "id")
    found = await context_of(request).db.read(lambda reader: by_id(reader, row_id))
    if found is None:
        raise NotFound("nothing of that number")
    return found
