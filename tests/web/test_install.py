"""The pages as an app: the manifest, the service worker, a page that holds nothing of anybody."""

import json
import re
from pathlib import Path

from tests.app_fixture import HANDLE, an_app


async def test_the_manifest_names_the_owner_and_its_pictures_are_there(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.get("/manifest.webmanifest")
        assert answer.headers["content-type"] == "application/manifest+json"
        said = answer.json()
        assert said["name"] == f"@{HANDLE}@us.example"
        assert said["start_url"] == "/home"
        assert said["display"] == "standalone"
        assert [(one["sizes"], one["purpose"]) for one in said["icons"]] == [
            ("192x192", "any"),
            ("512x512", "any"),
            ("512x512", "maskable"),
        ]
        for one in said["icons"]:
            picture = await app.get(one["src"])
            width, height = picture.content[16:20], picture.content[20:24]
            assert picture.content.startswith(b"\x89PNG")
            assert f"{int.from_bytes(width)}x{int.from_bytes(height)}" == one["sizes"]
        await app.login()
        for one in said["shortcuts"]:
            assert (await app.get(one["url"])).status_code == 200
        share = await app.get(f"{said['share_target']['action']}?title=A&text=B&url=C")
        assert share.status_code == 200
        assert '<link rel="manifest" href="/manifest.webmanifest"' in share.text


async def test_visitors_are_not_asked_to_install_anything(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        page = (await app.get(f"/@{HANDLE}")).text
        assert "manifest" not in page
        assert "data-events" not in page
        await app.login()
        page = (await app.get(f"/@{HANDLE}")).text
        assert "manifest" in page
        assert "data-events" in page


async def test_the_service_worker_keeps_static_files_and_the_offline_page_alone(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        answer = await app.get("/sw.js")
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == "no-cache"
        assert "worker-src 'self'" in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        found = re.search(r"^const KEPT = (\[.*\]);$", answer.text, re.MULTILINE)
        assert found
        kept = json.loads(found[1])
        for url in kept:
            assert url == "/offline" or url.startswith("/static/")
            assert (await app.browser().get(url)).status_code == 200
        for secret in (HANDLE, "Maya", "csrf"):
            assert secret not in answer.text


async def test_the_offline_page_holds_nothing_of_the_owner_even_when_they_ask(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        page = (await app.get("/offline")).text
        for secret in (HANDLE, "Maya", "csrf", 'class="rail"'):
            assert secret not in page
        assert page.count("<h1") == 1


async def test_logging_out_takes_everything_from_the_browser(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        answer = await app.post("/logout")
        assert answer.headers["clear-site-data"] == '"storage"'
