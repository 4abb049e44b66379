"""Rows about who somebody seems to be: names that play addresses, marks or other people."""

from pathlib import Path

import pytest

from tests.app_fixture import an_app, texts

MALLORY = "https://evil.example/users/mallory"


@pytest.mark.parametrize(
    "name",
    [
        "@maya@us.example",
        "maya@us.example \u2714\ufe0f",
        "Maya :verified:",
        "\u2067Maya\u2069 \u202etxt.exe",
        "Maya" + "\u0301" * 60,
        "Maya \u200b\u2060\U000e0041(verified)",
        "https://us.example/@maya",
    ],
)
async def test_s_053_and_s_089_a_name_plays_no_address_and_no_mark(
    tmp_path: Path, name: str
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        emoji = {
            "type": "Emoji",
            "name": ":verified:",
            "icon": {"type": "Image", "url": "https://evil.example/tick.png"},
        }
        mallory = app.world.actor(MALLORY, name=name, tag=[emoji])
        met = await app.meet(mallory)
        await app.theirs(mallory)

        for path in (f"/people/{met.id}", "/notifications"):
            page = (await app.get(path)).text
            body = page.partition("<main")[2]
            for sign in ("\u2714", "\u202e", "\u2067", "\u200b", "\U000e0041", "\u0301" * 4):
                assert sign not in body, (path, sign)
            assert 'alt=":verified:"' not in body
            assert "(verified)" not in body
            # The only addresses are the real one, and the one that the mark says it is not.
            assert "@mallory@evil.example" in texts(await app.get(path))
            assert body.count("maya@us.example") == body.count("not @maya@us.example")


async def test_s_053_no_words_of_a_stranger_stand_under_a_post_as_a_reaction(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await app.publish("A post")
        mallory = app.world.actor(MALLORY)
        said = ("Maya moved to evil.example", "wombat", "🔥 wombat", "🔥🔥", "7", "🇦", "🔥")
        for number, content in enumerate(said):
            await app.deliver(
                mallory,
                {
                    "id": f"{MALLORY}/likes/{number}",
                    "type": "EmojiReact",
                    "actor": MALLORY,
                    "object": note.uri,
                    "content": content,
                },
            )

        public = await app.browser().get(str(note.url))
        for page in (public, await app.get("/notifications")):
            assert page.status_code == 200
            assert "wombat" not in page.text
            assert "moved" not in page.text
            assert "🔥🔥" not in page.text
        assert "🔥 1" in texts(public)
        assert "Mallory reacted to your post with 🔥" in texts(await app.get("/notifications"))
