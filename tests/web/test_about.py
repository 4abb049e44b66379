"""What this is, and how a trial becomes a server."""

import re
from pathlib import Path

from microfedi import __version__
from tests.app_fixture import an_app, texts


async def test_it_says_what_this_is_and_how_to_start_for_real(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.get("/about")
        assert answer.status_code == 200
        read = texts(answer)
        assert "@maya@us.example" in read
        assert f"microfedi {__version__}" in read
        assert 'id="start"' in answer.text
        for word in ("config.example.toml", "base_url", "data_dir"):
            assert word in read


async def test_it_is_there_before_setup_and_in_a_trial(tmp_path: Path) -> None:
    async with an_app(tmp_path, with_owner=False, base_url="http://localhost:8000") as app:
        answer = await app.get("/about")
        assert answer.status_code == 200
        assert "This is a trial on your own machine" in texts(answer)
        assert "@maya" not in answer.text


async def test_a_static_file_under_its_fingerprint_is_kept_for_ever(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        page = (await app.get("/about")).text
        found = re.search(r'href="(/static/app\.css\?v=[0-9a-f]{12})"', page)
        assert found
        kept = await app.get(found[1])
        assert kept.status_code == 200
        assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "immutable" not in (await app.get("/static/app.css")).headers.get(
            "cache-control", ""
        )
