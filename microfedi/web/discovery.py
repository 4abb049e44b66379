"""Settings: what of the profile helps others to find the owner, and to name them."""

from typing import Any, get_args
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput
from microfedi.federation.outbox import profile
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import markup, uris
from microfedi.storage import featured_tags
from microfedi.storage.owner import FeaturePolicy

MAX_TAGS_CHARS = 2000  # of the field with all hashtags
MAX_DOMAINS_CHARS = 20_000  # of the field with all domains

_POLICIES: dict[str, FeaturePolicy] = {one: one for one in get_args(FeaturePolicy)}


async def show(request: Request) -> Response:
    """GET /settings/discovery."""
    ctx = context_of(request)
    tags = await ctx.db.read(featured_tags.all)
    shown = {
        "tags": " ".join(f"#{tag}" for tag in tags),
        "domains": "\n".join(ctx.owner.attribution_domains),
        "feature_policy": ctx.owner.feature_policy,
    }
    return await _page(request, shown, None)


async def submit(request: Request) -> Response:
    """POST /settings/discovery: keep it, and tell everybody who knows the owner."""
    ctx = context_of(request)
    form = await forms.read(request)
    shown: dict[str, Any] = {"tags": "", "domains": "", "feature_policy": ctx.owner.feature_policy}
    try:
        shown["tags"] = forms.text(form, "tags", limit=MAX_TAGS_CHARS)
        shown["domains"] = forms.text(form, "domains", limit=MAX_DOMAINS_CHARS)
        shown["feature_policy"] = _POLICIES[forms.one_of(form, "feature_policy", _POLICIES)]
        await profile.set_discovery(
            ctx,
            tags=tags_in(shown["tags"]),
            attribution_domains=domains_in(shown["domains"]),
            feature_policy=shown["feature_policy"],
        )
    except InvalidInput as problem:
        return await _page(request, shown, problem)
    return RedirectResponse("/settings/discovery?saved=1", 303)


def tags_in(typed: str) -> list[str]:
    """Return the hashtags of a line that somebody typed, with or without `#`, each once.

    Raises: InvalidInput naming what is no hashtag.

    >>> tags_in("#Lakes, bread lakes")
    ['lakes', 'bread']
    """
    found: dict[str, None] = {}
    for word in typed.replace(",", " ").split():
        tag = word.removeprefix("#").lower()
        if markup.hashtags_in(f"#{tag}") != [tag]:
            raise InvalidInput("tags", "%(word)s is no hashtag.", word=word[:50])
        found[tag] = None
    return list(found)


def domains_in(typed: str) -> list[str]:
    """Return the domains that somebody typed, one a line; of a whole address its host.

    Raises: InvalidInput naming what is no domain.

    >>> domains_in("Blog.example\\nhttps://www.example/about")
    ['blog.example', 'www.example']
    """
    found: dict[str, None] = {}
    for word in typed.replace(",", " ").split():
        host = uris.ascii_host(_host(word))
        if host is None or "." not in host or host.rpartition(".")[2].isdigit():
            raise InvalidInput(
                "domains", "%(word)s is no domain, like blog.example.", word=word[:100]
            )
        found[host] = None
    return list(found)


def _host(word: str) -> str:
    if "://" not in word:
        return word
    try:
        return urlsplit(word).hostname or ""
    except ValueError:
        return ""


async def _page(request: Request, shown: dict[str, Any], problem: InvalidInput | None) -> Response:
    values = {"shown": shown, "problem": problem, "saved": "saved" in request.query_params}
    return await page(
        request, "settings_discovery.html", values, status_code=422 if problem else 200
    )


owner_routes = [
    Route("/settings/discovery", show, methods=["GET"]),
    Route("/settings/discovery", submit, methods=["POST"]),
]
