"""Home, read by its owner."""

from pathlib import Path

from tests.app_fixture import an_app


async def test_home_is_for_the_owner(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        assert (await app.get("/home")).headers["location"] == "/login?next=/home"
        await app.login()
        answer = await app.get("/home")
        assert answer.status_code == 200
        assert "Home" in answer.text
