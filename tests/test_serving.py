"""The process: how it starts, what it lets others see, how it ends."""

import asyncio
import http.client
import os
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from microfedi import cli
from microfedi.demo import Instance, Visitor


@pytest.fixture
async def alice(tmp_path: Path) -> AsyncIterator[Instance]:
    instance = Instance("alice", tmp_path / "alice")
    await instance.prepare()
    try:
        yield instance
    finally:
        await instance.kill9()


def run(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "microfedi", "--config", str(config), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_it_ends_well_when_asked_and_serves_again(alice: Instance) -> None:
    await alice.start()
    assert await alice.stop() == 0

    await alice.start()

    assert (await Visitor(alice).get("/healthz")).status == 200
    assert "Traceback" not in alice.log()


async def test_after_a_power_cut_it_serves_again(alice: Instance) -> None:
    await alice.start()
    await alice.kill9()

    await alice.start()

    visitor = Visitor(alice)
    await visitor.log_in()
    assert (await visitor.get("/home")).status == 200


async def test_a_second_process_is_refused(alice: Instance) -> None:
    await alice.start()

    second = await asyncio.to_thread(run, alice.config_file, "serve")

    assert second.returncode == cli.UNUSABLE
    assert second.stderr.count("\n") == 1
    assert "is running on" in second.stderr


async def test_a_port_that_is_taken_is_one_sentence(alice: Instance) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", alice.port))
        taken.listen()

        refused = await asyncio.to_thread(run, alice.config_file, "serve")

    assert refused.returncode == cli.UNUSABLE
    assert refused.stderr == (
        f"microfedi: cannot listen on 127.0.0.1:{alice.port}: Address already in use\n"
    )


async def test_nobody_else_can_read_what_it_makes_and_it_leaves_no_core(alice: Instance) -> None:
    await alice.start()
    assert alice.process is not None

    soft, hard = resource.prlimit(alice.process.pid, resource.RLIMIT_CORE)

    assert (soft, hard) == (0, 0)
    for path in [alice.data_dir, *alice.data_dir.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


async def test_a_setup_link_is_printed_until_somebody_lives_there(tmp_path: Path) -> None:
    instance = Instance("alice", tmp_path / "alice")
    await instance.prepare()
    (instance.data_dir / "microfedi.db").unlink()

    await instance.start()
    try:
        printed = [line.strip() for line in instance.log().splitlines()]
        (link,) = [line for line in printed if "/setup/" in line]
        page = await Visitor(instance).get(link.removeprefix(instance.base_url))
        assert page.status == 200
    finally:
        assert await instance.stop() == 0


async def test_a_unix_socket_is_for_the_group_and_goes_away(tmp_path: Path) -> None:
    place = tmp_path / "socket"
    config = tmp_path / "config.toml"
    config.write_text(f'listen = "unix:{place}"\ndata_dir = "{tmp_path}/data"\n')
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "microfedi", "--config", str(config), "serve",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while await asyncio.to_thread(_status, place) != 200:  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.05)
        assert place.stat().st_mode & 0o777 == 0o660
    finally:
        process.terminate()
        assert await process.wait() == 0
    assert not place.exists()


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost:8000", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.fspath(self._path))


def _status(path: Path) -> int:
    connection = _Unix(path)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


async def test_the_log_has_one_line_for_each_thing_and_no_secrets(alice: Instance) -> None:
    await alice.start()
    visitor = Visitor(alice)
    await visitor.log_in()
    await visitor.get("/home?token=do-not-write-this-down")
    await visitor.get("/%0aERROR%20forged")
    assert await alice.stop() == 0

    log = alice.log()

    assert "logged in" in log
    for secret in (
        alice.password,
        alice.totp_secret,
        "do-not-write-this-down",
        *visitor.cookies.values(),
    ):
        assert secret not in log
    assert not [line for line in log.splitlines() if line.startswith("ERROR")]
