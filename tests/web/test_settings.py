"""Settings: who the owner is, what they wish, who is logged in, what the disk holds."""

import re
from pathlib import Path

from tests.app_fixture import HANDLE, PASSWORD, US, an_app


async def test_the_profile_is_kept_and_told(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.followed_by(app.world.actor("https://fol.example/users/frank"))
        await app.login()
        answer = await app.post(
            "/settings/profile",
            {
                "name": "  Maya  of the\nsea ",
                "bio": "I **sail**.",
                "field_name": ["Home", "", "Empty"],
                "field_value": ["https://sea.example/", "no name", ""],
            },
        )
        assert answer.headers["location"] == f"/@{HANDLE}"
        page = (await app.browser().get(f"/@{HANDLE}")).text
        assert "Maya of the sea" in page
        assert "<strong>sail</strong>" in page
        assert "https://sea.example/" in page
        assert "no name" not in page
        document = (await app.asked_by(None, US)).json()
        assert document["name"] == "Maya of the sea"
        assert [one["name"] for one in document["attachment"]] == ["Home"]
        assert await app.count("outgoing") == 1  # the Update
        form = (await app.get("/settings/profile")).text
        assert "I **sail**.</textarea>" in form


async def test_preferences_are_kept(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        saved = await app.post(
            "/settings/preferences",
            {"approves_followers": "on", "message_policy": "followed", "time_zone": "Asia/Tokyo"},
        )
        assert saved.headers["location"] == "/settings/preferences?saved=1"
        page = (await app.get(saved.headers["location"])).text
        assert "Saved." in page
        assert re.search(r'name="approves_followers" checked', page)
        assert not re.search(r'name="indexable" checked', page)
        assert re.search(r'value="followed" checked', page)
        assert "<option selected>Asia/Tokyo</option>" in page
        document = (await app.asked_by(None, US)).json()
        assert document["manuallyApprovesFollowers"] is True
        assert document["indexable"] is False
        assert "noindex" in (await app.browser().get(f"/@{HANDLE}")).text


async def test_new_recovery_codes_replace_the_old(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        app.clock.forward(seconds=30)
        answer = await app.post(
            "/settings/security/codes", {"password": PASSWORD, "code": app.code()}
        )
        codes = re.findall(r"<li>([^<]+)</li>", answer.text.split("codes-list")[1])[:10]
        assert len(set(codes)) == 10
        assert not set(codes) & set(app.recovery_codes)
        assert codes[0] not in (await app.get("/settings/security")).text  # shown once
        for code, status in ((app.recovery_codes[0], 401), (codes[0], 303), (codes[0], 401)):
            client = app.browser()
            data = {"password": PASSWORD, "code": code}
            entered = await app.post("/login", data, page="/login", client=client)
            assert entered.status_code == status
        assert "9 unused codes" in (await app.get("/settings/security")).text


async def test_sessions_are_listed_and_ended(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        others = [
            app.browser(f"198.51.100.{n}", **{"user-agent": f"Browser-{n}"}) for n in (1, 2, 3)
        ]
        for other in others:
            await app.login(other)
        await app.login()
        page = (await app.get("/settings/security")).text
        for n in (1, 2, 3):
            assert f"Browser-{n}" in page
            assert f"198.51.100.{n}" in page
        assert page.count("this one") == 1
        ids = re.findall(r'name="session" value="(\d+)"', page)
        assert len(ids) == 3
        chosen = {"session": ids[0]}
        assert (await app.post("/settings/security/sessions/end", chosen)).status_code == 422
        assert await app.count("sessions") == 4
        await app.post("/settings/security/sessions/end", chosen | app.proof())
        alive = [(await other.get("/home")).status_code for other in others]
        assert sorted(alive) == [200, 200, 303]
        await app.post("/settings/security/sessions/end", {"all": "1"} | app.proof())
        assert {(await other.get("/home")).status_code for other in others} == {303}
        assert (await app.get("/home")).status_code == 200


async def test_the_disk_has_a_budget(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        page = (await app.get("/settings/disk")).text
        assert 'value="5"' in page
        assert "<meter" in page
        assert (await app.post("/settings/disk", {"budget_gb": "12"})).status_code == 303
        assert 'value="12"' in (await app.get("/settings/disk")).text
        assert app.ctx.owner.disk_budget_bytes == 12_000_000_000
