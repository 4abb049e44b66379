"""What this is, and how a trial becomes a server."""

import re
from pathlib import Path

from microfedi import __version__
from tests.app_fixture import an_app, texts


async def test_it_says_whose_this_is_and_what_to_expect(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.get("/about")
        assert answer.status_code == 200
        read = texts(answer)
        assert "@maya@us.example" in read
        assert f"microfedi {__version__}" in read
        assert "Follow from your server" in read
        assert "every server of the Fediverse" in read
        # How a trial becomes a server is of no use to a visitor of a real one.
        assert "config.example.toml" not in read
        await app.login()
        assert "microfedi doctor" in texts(await app.get("/about"))


async def test_it_is_there_before_setup_and_in_a_trial(tmp_path: Path) -> None:
    async with an_app(tmp_path, with_owner=False, base_url="http://localhost:8000") as app:
        answer = await app.get("/about")
        assert answer.status_code == 200
        assert "This is a trial on your own machine" in texts(answer)
        assert "@maya" not in answer.text
        assert 'id="start"' in answer.text
        for word in ("config.example.toml", "base_url", "data_dir"):
            assert word in texts(answer)


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


async def test_what_is_not_there_leads_on_for_strangers_and_for_the_owner(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        stranger = await app.get("/@maya/nothing")
        assert stranger.status_code == 404
        read = texts(stranger)
        assert "See @maya@us.example" in read
        assert "Is this your server?" in read
        # What stands there says nothing of what was asked for.
        assert "nothing" not in stranger.text.replace("nothing that you may see", "")
        await app.login()
        answer = await app.get("/posts/5")
        assert answer.status_code == 404
        assert 'action="/search"' in answer.text
        assert "Is this your server?" not in texts(answer)


async def test_a_form_that_is_no_longer_valid_leads_back_to_our_own_page_alone(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for referer, expected in (
            ("https://us.example/settings/mutes?x=1", 'href="/settings/mutes?x=1"'),
            ('https://us.example/x"><script>', "&#34;&gt;&lt;script&gt;"),
            ("https://us.example//evil.example/", ""),
            ("https://us.example/\\evil.example/", ""),
            ("https://us.example.evil.example/x", ""),
            ("javascript:alert(1)", ""),
        ):
            answer = await app.client.post(
                "/settings/disk", data={"csrf": "wrong"}, headers={"referer": referer}
            )
            assert answer.status_code == 403
            assert expected in answer.text
            assert ("Back to the page before" in answer.text) is bool(expected)
            assert "evil.example" not in answer.text
