"""The Fediverse Pasture's verify-actor: six actors who look us up and write to our inbox.

Three of them are known to WebFinger (alice, bob, claire), three are not (dean, emily, frank).
Claire and frank show themselves only to signed requests, alice and dean sign nothing.
"""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.interop import installed, processes
from tests.interop.driver import Owner

pytestmark = pytest.mark.timeout(600)  # seconds: the first test may have to install the judge

SERVE = """
import sys
from fediverse_pasture.verify_actor import build_app
build_app(False, f"pasture.localhost:{sys.argv[1]}", False, 10).run(port=int(sys.argv[1]))
"""
SIGNING = ("bob", "claire", "emily", "frank")
UNSIGNED = ("alice", "dean")


@pytest.fixture(scope="module")
def verdict(owner: Owner, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the judge found; it writes its keys to the directory it runs in."""
    python = installed.pasture()
    directory: Path = tmp_path_factory.mktemp("pasture")
    port = processes.free_port()
    with (
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=150, trust_env=False) as judge,
        processes.running(
            [str(python), "-c", SERVE, str(port)],
            cwd=directory,
            log=directory / "pasture.log",
            is_up=lambda: _answers(judge),
        ),
    ):
        answer = judge.post(
            "/", data={"actor_uri": owner.uri}, headers={"Accept": "application/json"}
        )
        found: dict[str, Any] = answer.json()
        return found


def _answers(judge: httpx2.Client) -> bool:
    try:
        return judge.get("/").status_code == 200
    except httpx2.TransportError:
        return False


@pytest.mark.parametrize("name", SIGNING + UNSIGNED)
def test_everybody_can_get_the_actor(verdict: dict[str, Any], name: str) -> None:
    assert verdict["result"][name]["get_actor"] is True, verdict["messages"]


@pytest.mark.parametrize("name", SIGNING)
def test_who_signs_can_write_to_the_inbox(verdict: dict[str, Any], name: str) -> None:
    assert verdict["result"][name]["post_inbox"] is True, verdict["messages"]


@pytest.mark.parametrize("name", UNSIGNED)
def test_who_does_not_sign_cannot_write_to_the_inbox(verdict: dict[str, Any], name: str) -> None:
    assert verdict["result"][name]["post_inbox"] is False, verdict["messages"]
    assert "Got 401 for unsigned POST" in verdict["messages"]


def test_webfinger_leads_back_to_the_actor(verdict: dict[str, Any]) -> None:
    assert verdict["result"]["webfinger"] is True, verdict["messages"]
