"""The documents themselves: types, caching, who may read them from where."""

from pathlib import Path

from microfedi.protocol.vocab import Visibility
from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, PAGE, US, an_app

LD = {"accept": 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'}


async def test_every_document_says_what_it_is(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        for url in (
            US, f"{BASE_URL}/@{HANDLE}", f"{BASE_URL}/actor", f"{BASE_URL}/actor/outbox",
            f"{US}/outbox", f"{US}/outbox?page=true", f"{US}/featured", f"{US}/followers",
            f"{US}/following", note.uri, f"{BASE_URL}/@{HANDLE}/{note.public_id}",
            f"{note.uri}/activity", f"{note.uri}/replies", f"{note.uri}/likes",
            f"{note.uri}/shares",
        ):  # fmt: skip
            for accept in (ACTIVITY, LD):
                answer = await app.asked_by(None, url, **accept)
                assert answer.status_code == 200, url
                assert answer.headers["content-type"] == "application/activity+json"
                assert answer.headers["access-control-allow-origin"] == "*"
                vary = {one.strip().lower() for one in answer.headers["vary"].split(",")}
                assert vary >= {"accept", "signature"}, url
                assert "public" not in answer.headers["cache-control"]
                document = answer.json()
                assert "https://www.w3.org/ns/activitystreams" in document["@context"]
                assert document["id"].startswith(BASE_URL)
                tag = answer.headers["etag"]
                again = await app.asked_by(None, url, **accept, **{"if-none-match": tag})
                assert (again.status_code, again.content) == (304, b"")
                assert again.headers["etag"] == tag
                other = await app.asked_by(None, url, **accept, **{"if-none-match": '"x"'})
                assert other.status_code == 200


async def test_one_address_two_faces(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        pairs = {
            f"/users/{HANDLE}": f"/@{HANDLE}",
            f"/users/{HANDLE}/notes/{note.public_id}": f"/@{HANDLE}/{note.public_id}",
        }
        for uri, page in pairs.items():
            answer = await app.get(uri, **PAGE)
            assert answer.status_code == 302
            assert answer.headers["location"] == page
            shown = await app.get(page, **PAGE)
            assert shown.headers["content-type"].startswith("text/html")
            assert "Accept" in shown.headers["vary"]
            document = await app.get(page, **ACTIVITY)
            assert document.json()["id"] == f"{BASE_URL}{uri}"


async def test_the_actor_is_whole(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        actor = (await app.asked_by(None, US)).json()
        assert actor["type"] == "Person"
        assert actor["preferredUsername"] == HANDLE
        assert actor["name"] == "Maya"
        assert actor["inbox"] == f"{US}/inbox"
        assert actor["outbox"] == f"{US}/outbox"
        assert actor["followers"] == f"{US}/followers"
        assert actor["following"] == f"{US}/following"
        assert actor["featured"] == f"{US}/featured"
        assert actor["endpoints"] == {"sharedInbox": f"{BASE_URL}/inbox"}
        assert actor["publicKey"]["id"] == f"{US}#main-key"
        assert actor["publicKey"]["owner"] == US
        assert actor["publicKey"]["publicKeyPem"].startswith("-----BEGIN PUBLIC KEY-----")
        server = (await app.asked_by(None, f"{BASE_URL}/actor")).json()
        assert server["type"] in ("Application", "Service")
        assert server["publicKey"]["owner"] == f"{BASE_URL}/actor"


async def test_a_page_of_the_outbox_stays_what_it_was(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for n in range(25):
            await app.publish(f"post {n}")
        first = (await app.asked_by(None, f"{US}/outbox?page=true")).json()
        second = (await app.asked_by(None, first["next"])).json()
        assert len(first["orderedItems"]) == 20
        assert len(second["orderedItems"]) == 5
        assert "next" not in second
        await app.publish("a newer one")
        assert (await app.asked_by(None, first["next"])).json() == second
        assert (await app.asked_by(None, f"{US}/outbox")).json()["totalItems"] == 26


async def test_answers_are_walked_oldest_first_to_the_end(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        post = await app.publish("root")
        written = [(await app.publish(f"answer {n}", in_reply_to=post.id)).uri for n in range(23)]
        found: list[str] = []
        url = f"{post.uri}/replies?page=true"
        while url:
            page = (await app.asked_by(None, url)).json()
            found += page["items"]
            url = page.get("next", "")
        assert found == written


async def test_a_create_stands_under_its_id(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello", Visibility.UNLISTED)
        create = (await app.asked_by(None, f"{note.uri}/activity")).json()
        assert create["type"] == "Create"
        assert create["id"] == f"{note.uri}/activity"
        assert create["actor"] == US
        assert create["object"]["id"] == note.uri
        assert create["cc"] == ["https://www.w3.org/ns/activitystreams#Public"]


async def test_nobody_of_another_name(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        for path in (
            "/users/other", f"/users/{HANDLE.upper()}", "/users/other/outbox", "/users/other/inbox",
            f"/users/other/notes/{note.public_id}", f"/@other/{note.public_id}", "/@other",
            "/@other/feed.atom", f"/users/{HANDLE}/nothing", f"/users/{HANDLE}/notes/",
        ):  # fmt: skip
            for accept in (ACTIVITY, PAGE):
                answer = await app.get(path, **accept)
                assert answer.status_code in (404, 405), path
