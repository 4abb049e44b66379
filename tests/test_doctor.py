"""The doctor: what it finds, and that it says what to do."""

import contextlib
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from microfedi import cli, doctor, serving
from microfedi import config as config_module
from microfedi.config import Config
from microfedi.demo import Instance
from microfedi.storage.condition import Finding
from tests.another_server import NOON, AnotherServer, Answer, another_server

US = "https://us.example"
OWNER = f"{US}/users/alice"
FINGER = f"{US}/.well-known/webfinger?resource=acct%3Aalice%40us.example"


@pytest.fixture
async def world() -> AsyncIterator[AnotherServer]:
    async with another_server() as server:
        yield server


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with its owner, made by the command line."""
    place = tmp_path_factory.mktemp("us")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO("walnut ladder quiet comet\n"))
        arguments = ["init", "--json", "--handle", "alice", "--base-url", US]
        assert cli.main([*arguments, "--data-dir", str(place / "data")]) == 0
    return place / "data"


@pytest.fixture
def settings(made: Path) -> Config:
    return Config(base_url=US, data_dir=made, trusted_proxies=("unix",), listen="unix:/x")


def healthy(world: AnotherServer) -> None:
    """Let the world see us as it should. Every host there says that it is NOON."""
    headers = {"X-Content-Type-Options": "nosniff"}
    world.serve(f"{US}/about", Answer(body=b"hello", headers=headers))
    world.serve(OWNER, Answer(body=json.dumps({"id": OWNER}).encode()))
    links = {"links": [{"rel": "self", "href": OWNER}]}
    world.serve(FINGER, Answer(body=json.dumps(links).encode()))


async def found(
    settings: Config, world: AnotherServer, *, is_served: bool = True, now: datetime = NOON
) -> dict[str, list[str]]:
    """What the doctor says, by how bad it is."""
    remote = world.remote(own_host="us.example")
    with serving.only_one(settings) if is_served else contextlib.nullcontext():
        findings = await doctor.examine(
            settings, remote=remote, resolve=world.resolve, now=lambda: now
        )
    for finding in findings:
        if finding.state != "ok":
            assert finding.advice, finding.what
    return {
        state: [finding.what for finding in findings if finding.state == state]
        for state in ("ok", "warn", "bad")
    }


def has(lines: list[str], words: str) -> bool:
    return any(words in line for line in lines)


async def test_a_healthy_server_is_called_healthy(settings: Config, world: AnotherServer) -> None:
    healthy(world)

    said = await found(settings, world)

    assert said["bad"] == []
    assert has(said["warn"], "server key lies beside")
    assert len(said["warn"]) == 1
    for words in (
        "yours alone",
        "database is whole",
        "can be reached",
        "clock is right",
        "WebFinger",
    ):
        assert has(said["ok"], words), words
    assert has(said["ok"], "leads to 93.184.216.34")
    assert has(said["ok"], "the certificate is good for")


async def test_files_that_others_can_read_are_bad(settings: Config, world: AnotherServer) -> None:
    healthy(world)
    settings.database_file.chmod(0o644)
    try:
        said = await found(settings, world)
    finally:
        settings.database_file.chmod(0o600)

    assert has(said["bad"], "microfedi.db can be read by others")


async def test_a_server_that_does_not_run_is_bad(settings: Config, world: AnotherServer) -> None:
    healthy(world)

    said = await found(settings, world, is_served=False)

    assert has(said["bad"], "not running")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(400, b"This server answers at us.example only."), "by which name it was asked"),
        (Answer(502, b"Bad Gateway"), "does not reach us"),
        (Answer(404, b"?"), "answers 404"),
        (Answer(200, b"Welcome to nginx"), "answered by somebody else"),
    ],
)
async def test_a_proxy_that_is_set_up_wrongly_is_bad(
    settings: Config, world: AnotherServer, answer: Answer, words: str
) -> None:
    healthy(world)
    world.serve(f"{US}/about", answer)

    said = await found(settings, world)

    assert has(said["bad"], words)


async def test_a_clock_that_is_off_is_bad(settings: Config, world: AnotherServer) -> None:
    healthy(world)

    said = await found(settings, world, now=NOON + timedelta(hours=1))

    assert has(said["bad"], "the clock is off by")


async def test_a_handle_that_is_not_found_is_bad(settings: Config, world: AnotherServer) -> None:
    healthy(world)
    world.serve(FINGER, Answer(body=b'{"links": "none"}'))
    world.serve(OWNER, Answer(body=b"<p>a page</p>", content_type="text/html"))

    said = await found(settings, world)

    assert has(said["bad"], "WebFinger for @alice@us.example")
    assert has(said["bad"], f"{OWNER} as other servers see it")


async def test_a_name_that_leads_nowhere_good_is_bad(
    settings: Config, world: AnotherServer
) -> None:
    world.name("us.example", "10.0.0.1")
    assert has((await found(settings, world))["bad"], "us.example leads to 10.0.0.1")

    world.name("us.example")
    said = await found(settings, world)
    assert has(said["bad"], "us.example is not in the DNS")
    assert has(said["bad"], "cannot be reached")


async def test_a_certificate_that_others_refuse_is_bad(
    settings: Config, world: AnotherServer
) -> None:
    healthy(world)
    world.certificate("us.example", "expired")

    said = await found(settings, world)

    assert has(said["bad"], "cannot be reached")


async def test_visitors_who_all_look_alike_are_worth_a_look(
    settings: Config, world: AnotherServer
) -> None:
    healthy(world)

    said = await found(replace(settings, trusted_proxies=()), world)

    assert has(said["warn"], "no trusted proxy")


async def test_a_directory_without_anything_is_no_trouble(
    tmp_path: Path, world: AnotherServer
) -> None:
    findings = await doctor.examine(Config(data_dir=tmp_path / "data"))

    assert [finding.state for finding in findings][-1] == "warn"
    assert findings[-1].advice == "start it once: microfedi serve"
    assert not (tmp_path / "data").exists()


async def test_another_database_than_the_key_is_for_is_bad(
    settings: Config, world: AnotherServer, tmp_path: Path
) -> None:
    key = tmp_path / "server.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    healthy(world)

    said = await found(replace(settings, key_file=str(key)), world)

    assert has(said["bad"], "is not the key of this database")


async def test_it_looks_at_a_server_that_runs(tmp_path: Path) -> None:
    alice = Instance("alice", tmp_path / "alice")
    await alice.prepare()
    await alice.start()
    try:
        findings = await doctor.examine(config_module.load(alice.config_file))
    finally:
        await alice.stop()

    assert [finding.what for finding in findings if finding.state == "bad"] == []
    assert has([finding.what for finding in findings], f"{alice.handle} is found by WebFinger")


def test_the_report_sums_up() -> None:
    fine, look, bad = Finding("ok", "a"), Finding("warn", "b", "do c"), Finding("bad", "d", "do e")

    assert list(doctor.report([fine]))[-1] == "All is well."
    assert list(doctor.report([fine, look]))[-1] == "Nothing is broken; 1 to look at."
    assert list(doctor.report([bad, look])) == [
        "BAD   d", "      -> do e", "look  b", "      -> do c", "", "1 to mend, 1 to look at.",
    ]  # fmt: skip
