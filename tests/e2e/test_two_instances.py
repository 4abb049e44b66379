"""Two instances, and everything one may do seen at the other: through the pages' own forms.

What needs the clock to run on (a poll that ends, a move a week later) is tested with a clock that
can be set, in `tests/federation` and `tests/web`.
"""

import contextlib
import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

from microfedi.demo import DemoError, Instance, Visitor

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Owner(Visitor):
    """Somebody at their own server."""

    async def press(self, page: str, action: str, **fields: str) -> None:
        """Press a button of the page's one form."""
        shown = await self.get(page)
        token = _CSRF.search(shown.text)
        if token is None or f'formaction="{html.escape(action)}"' not in shown.text:
            raise DemoError(f"{self.instance.host}{page} has no button for {action}")
        answer = await self._send("POST", action, {"csrf": html.unescape(token[1]), **fields})
        if answer.status != 303:
            raise DemoError(f"{self.instance.host}{action} answered {answer.status}")

    async def write(self, text: str, **fields: str) -> str:
        """Write a post; return the address of its page."""
        answer = await self.submit(
            "/compose", "/compose", **({"source": text, "visibility": "public"} | fields)
        )
        return answer.headers["location"]

    async def number_of(self, text: str, page: str = "/home") -> str:
        """Return the number of a post that has arrived."""
        shown = await self.until_shown(page, text)
        for article in shown.split("<article ")[1:]:
            number = re.search(r'id="n([0-9]+)"', article)
            if number is not None and text in html.unescape(article):
                return number[1]
        raise DemoError(f"no post says {text!r}")

    async def until_gone(self, page: str, text: str) -> None:
        """Look at a page until something no longer stands there."""
        for _ in range(300):
            if text not in html.unescape((await self.get(page)).text):
                return
            with contextlib.suppress(DemoError):
                await self.until_shown("/about", "microfedi")
        raise DemoError(f"{self.instance.host}{page} still shows {text!r}")


@contextlib.asynccontextmanager
async def friends(directory: Path) -> AsyncIterator[tuple[Owner, Owner]]:
    """Alice and Bob, who follow each other."""
    instances = [Instance(name, directory / name) for name in ("alice", "bob")]
    try:
        owners = []
        for instance in instances:
            instance.directory.mkdir(parents=True)
            await instance.prepare()
            await instance.start()
            owner = Owner(instance)
            await owner.log_in()
            owners.append(owner)
        alice, bob = owners
        await alice.follow(bob.instance.handle)
        await bob.follow(alice.instance.handle)
        yield alice, bob
    finally:
        for instance in instances:
            with contextlib.suppress(DemoError):
                await instance.stop()


async def test_what_one_writes_the_other_reads(tmp_path: Path) -> None:
    async with friends(tmp_path) as (alice, bob):
        # A warning and a language.
        await alice.write("Guten Morgen", summary="Greeting", language="de")
        number = await bob.number_of("Guten Morgen")
        shown = (await bob.get(f"/posts/{number}")).text
        assert "Greeting" in shown
        assert 'lang="de"' in shown

        # An edit, with what it said before.
        page = await alice.write("Tea is at four")
        number = await bob.number_of("Tea is at four")
        own = await alice.number_of("Tea is at four", page)
        await alice.submit(f"/posts/{own}/edit", f"/posts/{own}/edit", source="Tea is at five")
        await bob.until_shown(f"/posts/{number}", "Tea is at five")
        assert "Tea is at four" in (await bob.get(f"/posts/{number}/history")).text
        assert "Tea is at four" in (await Visitor(alice.instance).get(f"{page}/history")).text

        # For followers only, and not for everybody.
        closed = await alice.write("Only for you who follow", visibility="followers")
        await bob.number_of("Only for you who follow")
        assert (await Visitor(alice.instance).get(closed)).status == 404

        # A favourite and a boost, and both taken back.
        for act, undo, told in (
            ("favourite", "unfavourite", "favourited your post"),
            ("boost", "unboost", "boosted your post"),
        ):
            await bob.press(f"/posts/{number}", f"/posts/{number}/{act}")
            await alice.until_shown("/notifications", told)
            await bob.press(f"/posts/{number}", f"/posts/{number}/{undo}")
            await alice.until_gone("/notifications", told)

        # Deleted and written anew.
        gone = await alice.write("With a mistaek in it")
        number = await bob.number_of("With a mistaek in it")
        own = await alice.number_of("With a mistaek in it", gone)
        again = await alice._send("POST", f"/posts/{own}/redraft", {"csrf": await _token(alice)})
        assert "With a mistaek in it" in (await alice.get(again.headers["location"])).text
        await bob.until_gone("/home", "With a mistaek in it")
        assert (await Visitor(alice.instance).get(gone)).status == 410


async def test_polls_and_quotes_go_both_ways(tmp_path: Path) -> None:
    async with friends(tmp_path) as (alice, bob):
        # A poll of Alice's, and Bob's vote.
        form = {"source": "Cake or pie?", "visibility": "public", "lasts": "3600"}
        answer = await alice._send(
            "POST", "/compose", {"csrf": await _token(alice), **form, "option": ["Cake", "Pie"]}
        )
        page = answer.headers["location"]
        number = await bob.number_of("Cake or pie?")
        shown = await bob.get(f"/posts/{number}")
        action = re.search(rf'formaction="(/posts/{number}/vote\?key=([\w-]+))"', shown.text)
        assert action is not None
        await bob.press(f"/posts/{number}", action[1], **{f"vote-{action[2]}": "1"})
        assert "Your vote" in (await bob.get(f"/posts/{number}")).text
        await alice.until_shown(page, "1 person")
        assert "<b>100%</b> <bdi>Pie</bdi>" in (await alice.get(page)).text

        # Alice wants to be asked; Bob quotes; she agrees, and thinks better of it.
        await alice.submit(
            "/settings/consent", "/settings/consent", quote_policy="ask", reply_policy="anyone"
        )
        await alice.write("A sentence worth quoting")
        number = await bob.number_of("A sentence worth quoting")
        quoting = await bob.write("She says it best", quote=number)
        assert "has not agreed to be quoted yet" in (await bob.get(quoting)).text
        await alice.until_shown("/notifications", "asks to quote your post")
        shown = await alice.get("/settings/consent")
        agree = re.search(r'formaction="(/settings/consent/[\w-]+/agree)"', shown.text)
        assert agree is not None
        await alice.press("/settings/consent", agree[1])
        await bob.until_shown(quoting, "A sentence worth quoting")
        await bob.until_shown("/notifications", "agreed to be quoted by you")
        revoke = agree[1].replace("/agree", "/revoke")
        await alice.press("/settings/consent", revoke)
        await bob.until_shown(quoting, "no longer agrees to be quoted")

        # She lets only those answer whom she mentions.
        await alice.submit(
            "/settings/consent",
            "/settings/consent",
            quote_policy="nobody",
            reply_policy="mentioned",
        )
        await alice.write("No answers, please")
        number = await bob.number_of("No answers, please")
        await bob._send(
            "POST",
            "/compose",
            {
                "csrf": await _token(bob),
                "source": "But why?",
                "visibility": "public",
                "reply_to": number,
            },
        )
        assert "But why?" not in (await bob.get(f"/posts/{number}")).text
        assert "But why?" not in (await alice.get("/notifications")).text


async def _token(owner: Owner) -> str:
    found = _CSRF.search((await owner.get("/compose")).text)
    assert found is not None
    return html.unescape(found[1])


async def test_people_keep_company_or_not(tmp_path: Path) -> None:
    async with friends(tmp_path) as (alice, bob):
        alices = await bob.find(alice.instance.handle)
        bobs = await alice.find(bob.instance.handle)

        # A circle with Bob in it.
        circle = (await alice.submit("/circles", "/circles", name="Choir")).headers["location"]
        await alice.submit(circle, f"{circle}/add", person=bobs.rpartition("/")[2])
        offered = re.search(
            r'value="([^"]+)"[^>]*>Circle: Choir', (await alice.get("/compose")).text
        )
        assert offered is not None
        audience = offered[1]
        page = await alice.write("Rehearsal at eight", visibility=audience)
        number = await bob.number_of("Rehearsal at eight")
        assert "Choir" not in (await bob.get(f"/posts/{number}")).text
        assert (await Visitor(alice.instance).get(page)).status == 404

        # Muted, she is not at his Home; her profile is still there.
        await bob.submit(f"{alices}/mute", f"{alices}/mute", lasts="3600")
        assert "Rehearsal at eight" not in (await bob.get("/home")).text
        assert "Rehearsal at eight" in (await bob.get(alices)).text
        await bob.submit(f"{alices}/mute", f"{alices}/unmute")
        assert "Rehearsal at eight" in (await bob.get("/home")).text

        # He reports her to her server, which is her.
        await bob.submit(f"{alices}/report", f"{alices}/report", comment="She sings flat")
        await alice.until_shown("/settings/reports", "She sings flat")
        await alice.until_shown("/notifications", "sent a report about you")

        # A message; and new keys, after which she is heard as before.
        await alice.message(bob.instance.handle, "Between us")
        await bob.until_shown("/messages", "Between us")
        await alice._send(
            "POST",
            "/settings/security/keys",
            {
                "csrf": await _token(alice),
                "password": alice.instance.password,
                "code": alice.instance.recovery_codes[0],
            },
        )
        await alice.write("Signed with a new key")
        await bob.number_of("Signed with a new key")

        # Somebody who reads her profile follows her from his own server.
        stranger = Visitor(alice.instance)
        answer = await stranger._send(
            "POST", "/interact", {"wish": "follow", "handle": bob.instance.handle}
        )
        page = re.sub(r"<[^>]+>", " ", answer.text)
        assert f"Continue at {bob.instance.host}" in page, page
        shown = await bob.get(f"/authorize_interaction?uri={alice.instance.handle}")
        assert "Unfollow" in (await bob.get(alices)).text
        assert shown.status in (200, 303)

        # She blocks him and has him told; then she does not.
        await alice.submit("/settings/blocks", "/settings/blocks/telling", sends_blocks="1")
        await alice.submit(f"{bobs}/block", f"{bobs}/block", lasts="0")
        await bob.until_gone(alices, "Unfollow")
        await bob.submit(alices, f"{alices}/follow")
        assert bob.instance.handle not in html.unescape((await alice.get("/followers")).text)
