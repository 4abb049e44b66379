"""How others find the owner: WebFinger in all its forms, host-meta, NodeInfo."""

import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import quote

import pytest

from microfedi.protocol.vocab import Visibility
from tests.activitypub.test_wellknown import INTENTS
from tests.app_fixture import BASE_URL, HANDLE, US, an_app

OWNER = [
    f"acct:{HANDLE}@us.example",
    f"acct:{HANDLE.upper()}@US.example",
    f"acct:@{HANDLE}@us.example",
    f"{HANDLE}@us.example",
    f"@{HANDLE}@us.example",
    US,
    f"{BASE_URL}/@{HANDLE}",
]
INSTANCE = [
    "acct:us.example@us.example",
    f"{BASE_URL}/",
    BASE_URL,
    f"{BASE_URL}/actor",
]
NOBODY = [
    "acct:other@us.example",
    f"acct:{HANDLE}@evil.example",
    f"acct:{HANDLE}@us.example.evil.example",
    f"https://evil.example/users/{HANDLE}",
    f"{BASE_URL}/users/other",
    f"{US}?x=1",
    f"http://us.example/users/{HANDLE}",
    "mailto:a@us.example",
    "x",
    "acct:",
    "@@",
    "\x00",
    "x" * 5000,
]


def finger(resource: str) -> str:
    """The address at which a resource is asked for."""
    return f"/.well-known/webfinger?resource={quote(resource, safe='')}"


async def test_the_owner_is_found_in_every_form(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for resource in OWNER:
            answer = await app.get(finger(resource), accept="application/jrd+json")
            assert answer.status_code == 200, resource
            assert answer.headers["content-type"] == "application/jrd+json"
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.json() == {
                "subject": f"acct:{HANDLE}@us.example",
                "aliases": [f"{BASE_URL}/@{HANDLE}", US],
                "links": [
                    {
                        "rel": "http://webfinger.net/rel/profile-page",
                        "type": "text/html",
                        "href": f"{BASE_URL}/@{HANDLE}",
                    },
                    {"rel": "self", "type": "application/activity+json", "href": US},
                    *INTENTS,
                ],
            }, resource
        # The at sign need not be encoded.
        plain = f"/.well-known/webfinger?resource=acct:{HANDLE}@us.example"
        assert (await app.get(plain)).status_code == 200
        assert (await app.client.head(plain)).status_code == 200


async def test_the_server_is_found_too(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for resource in INSTANCE:
            answer = await app.get(finger(resource))
            assert answer.status_code == 200, resource
            links = {link["rel"]: link["href"] for link in answer.json()["links"]}
            assert links["self"] == f"{BASE_URL}/actor"


async def test_nobody_else_is(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for resource in NOBODY:
            answer = await app.get(finger(resource))
            assert answer.status_code == 404, resource
            assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("query", ["", "?resource=", "?rel=self", "?resource=a&resource=b", "?x"])
async def test_without_one_resource_it_is_a_bad_request(query: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.get(f"/.well-known/webfinger{query}")
        assert answer.status_code == 400
        assert "resource" in answer.text
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_handle_may_have_another_domain(tmp_path: Path) -> None:
    async with an_app(tmp_path, handle_domain="example.org") as app:
        for resource in (f"acct:{HANDLE}@example.org", f"acct:{HANDLE}@us.example"):
            answer = await app.get(finger(resource), host="example.org")
            assert answer.json()["subject"] == f"acct:{HANDLE}@example.org"
        assert (await app.get(f"/users/{HANDLE}", host="example.org")).status_code == 400
        assert (await app.get("/login", host="example.org")).status_code == 400


async def test_host_meta_leads_to_webfinger(tmp_path: Path) -> None:
    template = f"{BASE_URL}/.well-known/webfinger?resource={{uri}}"
    async with an_app(tmp_path) as app:
        answer = await app.get("/.well-known/host-meta")
        assert answer.headers["content-type"].startswith("application/xrd+xml")
        link = ET.fromstring(answer.text).find("{http://docs.oasis-open.org/ns/xri/xrd-1.0}Link")  # noqa: S314
        assert link is not None
        assert link.attrib == {"rel": "lrdd", "template": template}
        as_json = (await app.get("/.well-known/host-meta.json")).json()
        assert as_json["links"] == [{"rel": "lrdd", "template": template}]


async def test_nodeinfo_counts_what_is_open(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for kind in (Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS):
            await app.publish("one", kind)
        links = (await app.get("/.well-known/nodeinfo")).json()["links"]
        assert {link["href"] for link in links} >= {
            f"{BASE_URL}/nodeinfo/2.0",
            f"{BASE_URL}/nodeinfo/2.1",
        }
        for version in ("2.0", "2.1"):
            answer = await app.get(f"/nodeinfo/{version}")
            assert f"/schema/{version}#" in answer.headers["content-type"]
            document = answer.json()
            assert document["version"] == version
            assert document["software"]["name"] == "microfedi"
            assert document["protocols"] == ["activitypub"]
            assert document["openRegistrations"] is False
            assert document["usage"]["users"]["total"] == 1
            assert document["usage"]["localPosts"] == 2


async def test_before_setup_nobody_is_found(tmp_path: Path) -> None:
    async with an_app(tmp_path, with_owner=False) as app:
        for path in (finger(OWNER[0]), "/.well-known/nodeinfo", "/actor", f"/users/{HANDLE}"):
            assert (await app.get(path, accept="application/activity+json")).status_code == 404
        page = await app.get("/")
        assert page.status_code == 200
        assert (await app.get("/login")).headers["location"] == "/"
        assert (await app.get(f"/@{HANDLE}")).status_code == 404
        assert (await app.get("/healthz")).text == "ok\n"
