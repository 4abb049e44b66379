"""Our own server, as an owner would run it: a process, a configuration file, a directory."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2

from tests.interop import processes, tls
from tests.interop.driver import Owner
from tests.interop.tls import Authority

PASSWORD = "four unusual words, please"


@contextlib.contextmanager
def running(directory: Path, *, authority: Authority | None = None) -> Iterator[Owner]:
    """Make an instance on `localhost`, over TLS if there is an `authority`; log its owner in."""
    directory.mkdir()
    port = processes.free_port()
    outer = processes.free_port() if authority else port
    base_url = f"{'https' if authority else 'http'}://localhost:{outer}"
    config = directory / "config.toml"
    config.write_text(
        f'base_url = "{base_url}"\n'
        f'listen = "127.0.0.1:{port}"\n'
        f'data_dir = "{directory / "data"}"\n'
        "[federation]\n"
        "development = true\n",
        "utf-8",
    )
    environment = {"SSL_CERT_FILE": str(authority.ca)} if authority else {}
    log = directory / "microfedi.log"
    with contextlib.ExitStack() as stack:
        probe = stack.enter_context(
            httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False)
        )
        made = directory / "made.json"
        stack.enter_context(
            processes.running(
                [sys.executable, "/tmp/interop/serve.py", str(config), PASSWORD, str(made)],
                cwd=Path(__file__).parents[2],
                log=log,
                environment=environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
                is_up=lambda: _answers(probe, f"localhost:{outer}"),
            )
        )
        if authority:
            stack.enter_context(tls.front(authority, port=outer, upstream=port))
        verify = authority.trusting() if authority else True
        owner = stack.enter_context(
            contextlib.closing(Owner(base_url, json.loads(made.read_text())["handle"], verify=verify))
        )
        owner.log_in(PASSWORD, json.loads(made.read_text())["totp"])
        yield owner


def _answers(probe: httpx2.Client, host: str) -> bool:
    try:
        return probe.get("/healthz", headers={"Host": host}).status_code == 200
    except httpx2.TransportError:
        return False
