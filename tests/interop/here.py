"""Our own server, as an owner would run it: a process, a configuration file, a directory."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.interop import processes, tls
from tests.interop.driver import Owner
from tests.interop.tls import Authority

HANDLE = "olga"
PASSWORD = "four unusual words, please"
INIT_S = 60  # a password hash and two keys, on a machine with much to do


@contextlib.contextmanager
def running(directory: Path, *, authority: Authority | None = None) -> Iterator[Owner]:
    """Make an instance on `localhost`, over TLS if there is an `authority`; log its owner in.

    At the end its log must not tell of anything that broke.
    """
    directory.mkdir()
    port = processes.free_port()
    outer = processes.free_port() if authority else port
    base_url = f"{'https' if authority else 'http'}://localhost:{outer}"
    settings = directory / "config.toml"
    settings.write_text(
        f'base_url = "{base_url}"\n'
        f'listen = "127.0.0.1:{port}"\n'
        f'data_dir = "{directory / "data"}"\n'
        "[federation]\n"
        "development = true\n",
        "utf-8",
    )
    command = [sys.executable, "-m", "microfedi", "--config", str(settings)]
    made = _init(command, directory)
    with contextlib.ExitStack() as stack:
        probe = stack.enter_context(
            httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False)
        )
        stack.enter_context(
            processes.running(
                [*command, "serve"],
                cwd=directory,
                log=directory / "microfedi.log",
                environment={"SSL_CERT_FILE": str(authority.ca)} if authority else {},
                is_up=lambda: _answers(probe, f"localhost:{outer}"),
            )
        )
        if authority:
            stack.enter_context(tls.front(authority, port=outer, upstream=port))
        verify = authority.trusting() if authority else True
        owner = stack.enter_context(contextlib.closing(Owner(base_url, HANDLE, verify=verify)))
        owner.log_in(PASSWORD, made["totp_secret"])
        owner.recovery_codes = made["recovery_codes"]
        owner.data = directory / "data"
        yield owner
    said = (directory / "microfedi.log").read_text("utf-8")
    broken = [line for line in said.splitlines() if " ERROR " in line or "Traceback" in line]
    assert broken == [], said


def _init(command: list[str], directory: Path) -> dict[str, Any]:
    done = subprocess.run(
        [*command, "init", "--handle", HANDLE, "--name", "Olga Owner", "--json"],
        cwd=directory,
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        timeout=INIT_S,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"init ended with {done.returncode}: {done.stderr}")
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def _answers(probe: httpx2.Client, host: str) -> bool:
    try:
        return probe.get("/healthz", headers={"Host": host}).status_code == 200
    except httpx2.TransportError:
        return False
