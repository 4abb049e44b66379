"""The server on a small disk of its own that somebody fills, and empties again."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from microfedi.storage.room import RESERVE_BYTES
from tests.interop import processes
from tests.interop.driver import Owner

PASSWORD = "four unusual words, please"
DISK_MB = 160  # the reserve, the database, and some
# In a mount namespace of its own: the disk, then the owner, then the server.
SCRIPT = """
set -e
mount -t tmpfs -o size={size}m none {data}
{python} -m microfedi --config {config} init --handle olga --name Olga --json < {password} > {made}
exec {python} -m microfedi --config {config} serve
"""


def _needs_namespaces() -> None:
    try:
        subprocess.run(
            ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"],
            check=True,
            capture_output=True,
            timeout=30,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk of one's own can be mounted here, so none was filled: {error}")


@contextlib.contextmanager
def server(directory: Path) -> Iterator[tuple[Owner, Path]]:
    """Run the server on its small disk; yield its owner, and where that disk is seen from here."""
    port = processes.free_port()
    data = directory / "data"
    data.mkdir()
    config, password, made = (directory / name for name in ("config.toml", "password", "made"))
    config.write_text(
        f'base_url = "http://localhost:{port}"\nlisten = "127.0.0.1:{port}"\n'
        f'data_dir = "{data}"\n[federation]\ndevelopment = true\n'
    )
    password.write_text(f"{PASSWORD}\n")
    script = SCRIPT.format(
        size=DISK_MB, data=data, python=sys.executable, config=config, password=password, made=made
    )
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c", script], stdout=log, stderr=log, cwd=directory
        )
    owner = Owner(f"http://localhost:{port}", "olga")
    try:

        def is_up() -> bool:
            assert process.poll() is None, (directory / "log").read_text()
            with contextlib.suppress(httpx2.TransportError):
                return owner.client.get("/healthz").status_code == 200
            return False

        processes.eventually(is_up, "the server answers", within_s=processes.START_S)
        owner.log_in(PASSWORD, json.loads(made.read_text())["totp_secret"])
        yield owner, Path(f"/proc/{process.pid}/root{data}")
    finally:
        owner.close()
        process.terminate()
        process.wait(processes.STOP_S)


def _fill(disk: Path, *, but: int) -> Path:
    """Write a file that leaves `but` bytes free."""
    ballast = disk / "ballast"
    left = shutil.disk_usage(disk).free - but
    with ballast.open("wb") as file:
        while left > 0:
            left -= file.write(bytes(min(left, 1_000_000)))
    return ballast


@pytest.mark.parametrize("left", [RESERVE_BYTES // 2, 0])
def test_a_disk_is_filled_and_emptied_again(tmp_path: Path, left: int) -> None:
    _needs_namespaces()
    with server(tmp_path) as (owner, disk):
        owner.publish("Still here")
        ballast = _fill(disk, but=left)
        processes.eventually(
            lambda: "disk of your server is full" in owner.client.get("/home").text or None,
            "it says that the disk is full",
            why_not=lambda: (tmp_path / "log").read_text(),
        )

        for path in ("/@olga", "/settings", "/notifications", "/messages"):
            assert owner.client.get(path).status_code == 200, path
        assert "Still here" in owner.client.get("/@olga").text
        inbox = owner.client.post(
            "/inbox", content=b"{}", headers={"Content-Type": "application/activity+json"}
        )
        assert inbox.status_code == 503
        form = owner.get("/compose").form("/compose")
        answer = owner.client.post(
            "/compose",
            data={**form.fields, "source": "Too much"},
            headers={"Origin": owner.base_url},
        )
        assert answer.status_code == 503
        assert "The disk is full" in answer.text

        os.unlink(ballast)
        processes.eventually(
            lambda: "disk of your server is full" not in owner.client.get("/home").text or None,
            "it goes on by itself",
        )
        owner.publish("There is room again")
        said = (tmp_path / "log").read_text()
        assert "Traceback" not in said, said
        assert "Too much" not in owner.client.get("/@olga").text
