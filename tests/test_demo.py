"""The demo, whole: two processes that talk with each other."""

from pathlib import Path

import pytest

from microfedi import demo
from microfedi.demo import DemoError, Instance, Visitor
from microfedi.errors import ConfigError


async def test_they_follow_post_reply_and_write(tmp_path: Path) -> None:
    alice, bob = (Instance(name, tmp_path / name) for name in ("alice", "bob"))
    said: list[str] = []
    try:
        for instance in (alice, bob):
            await instance.prepare()
            await instance.start()

        await demo.talk(Visitor(alice), Visitor(bob), said.append)

        assert len(said) == 4
        assert await alice.stop() == 0
        assert await bob.stop() == 0
    finally:
        await alice.kill9()
        await bob.kill9()


async def test_codes_are_given_out_once(tmp_path: Path) -> None:
    instance = Instance("alice", tmp_path, totp_secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")

    codes = [instance.totp_code(), instance.totp_code()]

    assert len(set(codes)) == 2
    with pytest.raises(DemoError):
        [instance.totp_code() for _ in range(3)]


async def test_it_deletes_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()

    with pytest.raises(ConfigError):
        await demo.run(tmp_path, say=lambda line: None, once=True)

    assert (tmp_path / "letters").exists()
