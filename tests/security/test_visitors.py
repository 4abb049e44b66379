"""What a stranger can make us do by typing an address: little, seldom, and nothing in our name."""

import asyncio
import json
from pathlib import Path

import pytest

from microfedi.federation import visitors
from microfedi.federation.outbox import blocks
from tests.another_server import Answer
from tests.app_fixture import App, an_app, texts
from tests.web.test_visitors import FROM_US, SUBSCRIBE, finger, led_to, send, serve_home

PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0",  # noqa: S104
    "100.64.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fc00::1", "fe80::1",
]  # fmt: skip


@pytest.mark.parametrize(
    "template",
    [
        "https://evil.example/?{uri}",
        "http://vic.example/?{uri}",
        "https://vic.example@evil.example/?{uri}",
        "https://vic.example.evil.example/?{uri}",
        "https://evil.example/vic.example?{uri}",
        "https://evil.example\\@vic.example/?{uri}",
        "https://vic.example:8443/?{uri}",
        "https://{uri}/",
        "https://{nothing}evil.example/?{uri}",
        "//vic.example/?{uri}",
        "/authorize?{uri}",
        "javascript:alert(1)//{uri}",
        "data:text/html,{uri}",
        "{uri}",
        "https://vic.example/?{uri}\r\nSet-Cookie: a=b",
        "https://vic.example/?{uri} onclick=x",
        'https://vic.example/"><script>alert(1)</script>?{uri}',
        "https://vic.example/?{+uri}",
        "https://vic.example/no-blank",
        "https://vic.example/?" + "x" * 3000 + "{uri}",
        "https://us.example/logout?{uri}",
        "",
    ],
)
async def test_s_095_a_template_leads_to_the_visitors_own_server_or_nowhere(
    template: str, tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        serve_home(app.world, "bob@vic.example", subscribe=template, Follow=template)

        answer = await send(app, wish="follow", handle="bob@vic.example")

        assert answer.status_code == 200
        assert led_to(answer) == ""
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers
        assert "evil" not in answer.text
        assert "By hand" in texts(answer)


async def test_s_095_templates_of_strange_types_are_none(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        good = {"rel": SUBSCRIBE, "template": "https://vic.example/?{uri}"}
        odd: list[object] = [None, 7, {}, [7, None, [], {"rel": 7}], [{**good, "template": 7}]]
        for links in odd:
            app.clock.forward(hours=2)
            body = json.dumps({"subject": "acct:bob@vic.example", "links": links}).encode()
            served = Answer(body=body, content_type="application/jrd+json")
            app.world.serve(finger("bob@vic.example"), served)
            answer = await send(app, wish="follow", handle="bob@vic.example")
            assert (answer.status_code, led_to(answer)) == (200, ""), links
        app.clock.forward(hours=2)
        body = json.dumps({"links": [7, good]}).encode()
        app.world.serve(
            finger("bob@vic.example"), Answer(body=body, content_type="application/jrd+json")
        )
        assert led_to(await send(app, wish="follow", handle="bob@vic.example"))


async def test_s_095_one_server_cannot_send_anothers_people_anywhere(tmp_path: Path) -> None:
    """evil names alice at vic as its subject: then vic is asked, and evil's templates are gone."""
    async with an_app(tmp_path) as app:
        serve_home(
            app.world,
            "bob@evil.example",
            subject="alice@vic.example",
            subscribe="https://vic.example/logout?{uri}",
        )
        serve_home(app.world, "alice@vic.example", subscribe="https://vic.example/s?{uri}")
        answer = await send(app, wish="follow", handle="bob@evil.example")
        assert led_to(answer) == "https://vic.example/s?maya%40us.example"


def _words(text: str, host: str) -> str:
    return text.replace(host, "HOST")


async def _asked(app: App, host: str) -> str:
    answer = await send(app, wish="follow", handle=f"bob@{host}")
    assert answer.status_code == 200, host
    return _words(answer.text, host)


async def test_s_059_no_private_address_is_asked_and_nobody_learns_of_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        seen = {await _asked(app, "gone.example")}
        app.world.dialled.clear()
        for number, address in enumerate(PRIVATE):
            app.clock.forward(minutes=2)
            app.world.name(f"inside{number}.example", address)
            seen.add(await _asked(app, f"inside{number}.example"))
        for host in ("127.0.0.1", "10.0.0.1", "localhost", "vic.example:22", "vic.example:6379"):
            app.clock.forward(minutes=2)
            seen.add(await _asked(app, host))

        assert app.world.dialled == []
        assert len(seen) == 1


async def test_s_062_a_redirect_to_the_inside_is_not_followed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.world.name("inside.example", "10.0.0.1")
        for target in ("https://inside.example/x", "http://vic.example/x", "file:///etc/passwd"):
            app.clock.forward(minutes=10)
            app.world.redirect(finger("bob@vic.example"), target)
            answer = await send(app, wish="follow", handle="bob@vic.example")
            assert (answer.status_code, led_to(answer)) == (200, "")
        assert {ip for ip, _ in app.world.dialled} == {"93.184.216.34"}
        assert len(app.world.requests) == 3


async def test_s_059_whom_we_block_is_not_told(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await blocks.block_host(app.ctx, "evil.example")
        serve_home(app.world, "bob@evil.example", subscribe="https://evil.example/s?{uri}")
        blocked = await _asked(app, "evil.example")
        assert blocked == await _asked(app, "gone.example")
        assert [r.url for r in app.world.requests] == [finger("bob@gone.example")]


async def test_s_071_one_address_has_to_wait(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        other = app.browser("192.0.2.77")
        codes = [
            (await send(app, wish="follow", handle=f"bob@h{n}.example")).status_code
            for n in range(9)
        ]
        assert codes == [200] * 6 + [429] * 3
        assert len(app.world.requests) == 6
        busy = await send(app, wish="follow", handle="bob@h9.example")
        assert busy.headers["retry-after"] == "20"
        assert "By hand" in texts(busy)
        assert (await send(app, other, wish="follow", handle="bob@h9.example")).status_code == 200
        app.clock.forward(seconds=21)
        assert (await send(app, wish="follow", handle="bob@h10.example")).status_code == 200
        assert (await send(app, wish="follow", handle="bob@h11.example")).status_code == 429


async def test_s_071_all_addresses_together_have_to_wait(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        codes = [
            (
                await send(
                    app,
                    app.browser(f"198.51.100.{n}"),
                    wish="follow",
                    handle=f"bob@h{n}.example",
                )
            ).status_code
            for n in range(62)
        ]
        assert codes == [200] * 60 + [429] * 2
        # An address of a whole network is one address.
        app.clock.forward(minutes=5)
        codes = [
            (
                await send(
                    app,
                    app.browser(f"2001:db8:0:1::{n:x}"),
                    wish="follow",
                    handle=f"bob@n{n}.example",
                )
            ).status_code
            for n in range(8)
        ]
        assert codes == [200] * 6 + [429] * 2


async def test_s_071_servers_that_say_nothing_do_not_fill_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_app(tmp_path) as app:
        waiting = []
        for n in range(visitors.AT_ONCE):
            app.world.hang(finger(f"bob@slow{n}.example"))
            browser = app.browser(f"198.51.100.{n}")
            waiting.append(
                asyncio.create_task(
                    send(app, browser, wish="follow", handle=f"bob@slow{n}.example")
                )
            )
        await app.world.wait_for(lambda: len(app.world.requests) == visitors.AT_ONCE)

        refused = await send(app, wish="follow", handle="bob@vic.example")

        assert refused.status_code == 429
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        monkeypatch.setattr(visitors, "DEADLINE_S", 0.05)
        app.world.hang(finger("bob@slow.example"))
        answer = await send(app, wish="follow", handle="bob@slow.example")
        assert (answer.status_code, led_to(answer)) == (200, "")


async def test_s_071_a_long_answer_is_not_read(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        links = [{"rel": SUBSCRIBE, "template": "https://vic.example/?{uri}"}]
        body = json.dumps({"links": links, "x": "x" * visitors.MAX_JRD_BYTES}).encode()
        served = Answer(body=body, content_type="application/jrd+json")
        app.world.serve(finger("bob@vic.example"), served)
        assert led_to(await send(app, wish="follow", handle="bob@vic.example")) == ""


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://us.example", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
async def test_s_129_no_other_page_makes_us_ask(headers: dict[str, str], tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        form = {"wish": "follow", "handle": "bob@vic.example"}
        answer = await app.client.post("/interact", data=form, headers=headers)
        assert answer.status_code == 403
        assert app.world.requests == []


async def test_s_148_the_form_is_not_trusted_to_be_one(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for form in (
            {"handle": "bob@vic.example"},
            {"wish": "delete", "handle": "bob@vic.example"},
            {"wish": "follow", "handle": "bob@vic.example\x00"},
            {"wish": "follow", "post": "x" * 200, "handle": "bob@vic.example"},
            {"wish": "follow", "handle": '"><script>alert(1)</script>'},
        ):
            answer = await app.client.post("/interact", data=form, headers=FROM_US)
            assert answer.status_code in (404, 422), form
            assert "<script>alert" not in answer.text
        assert app.world.requests == []
