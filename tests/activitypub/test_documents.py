"""What all documents have in common: types, caching, whose they are."""

from pathlib import Path

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


async def test_nobody_of_another_name(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        for path in (
            "/users/other", "/users/other/outbox", "/users/other/inbox", "/users/other/followers",
            f"/users/other/notes/{note.public_id}", f"/@other/{note.public_id}", "/@other",
            "/@other/feed.atom", f"/users/{HANDLE}/nothing", f"/users/{HANDLE}/notes/",
        ):  # fmt: skip
            for accept in (ACTIVITY, PAGE):
                answer = await app.get(path, **accept)
                assert answer.status_code in (404, 405), path
