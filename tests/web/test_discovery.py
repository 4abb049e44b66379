"""What helps others to find the owner: hashtags, sites that name them, collections."""

from pathlib import Path
from typing import Any

import pytest

from microfedi.federation.outbox import profile
from tests.app_fixture import ACTIVITY, BASE_URL, US, App, an_app, texts
from tests.federation.outbox import world

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


async def save(app: App, **changes: str) -> int:
    """Send the form of the settings."""
    form = {"tags": "", "domains": "", "feature_policy": "ask"} | changes
    return (await app.post("/settings/discovery", form)).status_code


async def document(app: App, path: str = "/users/maya") -> Any:
    """What other servers read."""
    return (await app.browser().get(path, headers=ACTIVITY)).json()


async def test_hashtags_stand_on_the_profile(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        assert await save(app, tags="#Lakes, bread  lakes #été") == 303

        stranger = await app.browser().get("/@maya")
        assert "#lakes #bread #été" in texts(stranger)
        assert 'href="/tags/%C3%A9t%C3%A9"' in stranger.text
        collection = await document(app, "/users/maya/featured_tags")
        assert (await document(app))["featuredTags"] == collection["id"] == f"{US}/featured_tags"
        assert (collection["type"], collection["totalItems"]) == ("Collection", 3)
        assert collection["items"][1:] == [
            {"type": "Hashtag", "href": f"{BASE_URL}/tags/bread", "name": "#bread"},
            {"type": "Hashtag", "href": f"{BASE_URL}/tags/%C3%A9t%C3%A9", "name": "#été"},
        ]
        terms = {name for part in collection["@context"] if isinstance(part, dict) for name in part}
        assert "Hashtag" in terms
        assert 'value="#lakes #bread #été"' in (await app.get("/settings/discovery")).text
        assert await save(app, tags="") == 303
        assert (await document(app, "/users/maya/featured_tags"))["items"] == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("tags", "#a-b", "#a-b is no hashtag."),
        ("tags", "#2026", "#2026 is no hashtag."),
        ("tags", "<script>", "&lt;script&gt; is no hashtag."),
        ("tags", " ".join(f"#tag{n}" for n in range(11)), "At most 10 hashtags, please."),
        ("domains", "localhost", "localhost is no domain, like blog.example."),
        ("domains", "127.0.0.1", "127.0.0.1 is no domain"),
        ("domains", "a b.example", "a is no domain"),
        ("domains", "https://[::1]/", "is no domain"),
        ("domains", "\n".join(f"d{n}.example" for n in range(51)), "At most 50 domains, please."),
        ("feature_policy", "everybody", "Please choose one of the options."),
    ],
)
async def test_what_cannot_be_is_asked_for_again(
    field: str, value: str, said: str, tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        before = await document(app)
        form = {"tags": "#kept", "domains": "kept.example", "feature_policy": "anyone"}
        answer = await app.post("/settings/discovery", form | {field: value})
        assert answer.status_code == 422
        assert said in answer.text
        assert "kept" in answer.text
        assert await document(app) == before
        assert (await document(app, "/users/maya/featured_tags"))["items"] == []


async def test_sites_may_name_the_owner(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        assert "attributionDomains" not in await document(app)
        typed = "Blog.example\r\nhttps://www.bücher.example/about\r\n\r\nblog.example"
        assert await save(app, domains=typed) == 303
        domains = (await document(app))["attributionDomains"]
        assert domains == ["blog.example", "www.xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("anyone", {"automaticApproval": [PUBLIC], "manualApproval": []}),
        ("ask", {"automaticApproval": [], "manualApproval": [PUBLIC]}),
        ("nobody", {"automaticApproval": [US], "manualApproval": []}),
    ],
)
async def test_the_owner_says_who_may_put_them_into_collections(
    policy: str, expected: dict[str, list[str]], tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        assert await save(app, feature_policy=policy) == 303
        said = (await document(app))["interactionPolicy"]["canFeature"]
        assert {name: said.get(name, []) for name in expected} == expected


async def test_hashtags_of_the_bio_stand_in_the_actor(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await profile.update(app.ctx, profile.Profile("Maya", "I paint #Lakes and #bread."))
        assert (await document(app))["tag"] == [
            {"type": "Hashtag", "href": f"{BASE_URL}/tags/lakes", "name": "#lakes"},
            {"type": "Hashtag", "href": f"{BASE_URL}/tags/bread", "name": "#bread"},
        ]


async def test_followers_are_told_what_changed_at_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        bob = app.world.actor("https://fol.example/users/bob")
        await app.followed_by(bob)
        await app.login()
        await save(app, tags="#lakes", domains="blog.example", feature_policy="nobody")
        await profile.update(app.ctx, profile.Profile("Maya", "I paint #lakes."))
        sent = [one.activity for one in await world.sent(app.ctx)]
        assert [one["type"] for one in sent] == ["Update", "Update"]
        assert sent[0]["object"]["attributionDomains"] == ["blog.example"]
        assert sent[0]["object"]["interactionPolicy"]["canFeature"]["automaticApproval"] == [US]
        assert [tag["name"] for tag in sent[1]["object"]["tag"]] == ["#lakes"]
