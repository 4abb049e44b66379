"""Our server as an owner runs it: a process, a settings file, a directory; ended by its id."""

import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx2
import pytest

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
START_S = 60.0  # for a server to answer on a busy small machine; usually one
STOP_S = 20.0
POLL_S = 0.05


def eventually(question: Callable[[], T | None], what: str, *, within_s: float = START_S) -> T:
    """Ask until the answer is true and return it; fail after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (answer := question()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s:g} s: {what}")
        time.sleep(POLL_S)
    return answer


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One directory and, while it runs, its process."""

    def __init__(self, directory: Path, name: str) -> None:
        directory.mkdir()
        self.port = free_port()
        self.host = f"{name}.localhost:{self.port}"
        self.base_url = f"http://{self.host}"
        self.data_dir = directory / "data"
        self.config_file = directory / "config.toml"
        self.config_file.write_text(
            f'base_url = "{self.base_url}"\n'
            f'listen = "127.0.0.1:{self.port}"\n'
            f'data_dir = "{self.data_dir}"\n'
            "[federation]\n"
            "development = true\n",
            "utf-8",
        )
        self.log = directory / "log.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until it answers."""
        with self.log.open("ab") as output:
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "microfedi", "--config", str(self.config_file), "serve"],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

        def is_up() -> bool:
            if process.poll() is not None:
                pytest.fail(f"the server ended with {process.returncode}:\n{self.said()[-4000:]}")
            with contextlib.suppress(httpx2.TransportError):
                return self.get("/healthz").status_code == 200
            return False

        eventually(is_up, f"{self.base_url} answers")

    def get(self, path: str) -> httpx2.Response:
        """Ask our own address, past the name."""
        return httpx2.get(
            f"http://127.0.0.1:{self.port}{path}",
            headers={"Host": self.host},
            timeout=10,
            trust_env=False,
        )

    def said(self) -> str:
        """Everything on its terminal so far."""
        return self.log.read_text("utf-8", errors="replace")

    def setup_link(self) -> str:
        """Return the link that it printed for its owner to be."""
        found = re.findall(rf"{re.escape(self.base_url)}/setup/[\w-]+", self.said())
        assert found, self.said()
        return str(found[-1])

    def kill(self) -> None:
        """End it as a power cut does (SIGKILL)."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_S)
        self._process = None

    def stop(self) -> None:
        """End it as an owner does (SIGTERM), if it runs."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None


@contextlib.contextmanager
def running(directory: Path, name: str) -> Iterator[Server]:
    """Run a fresh server at `{name}.localhost` until the block ends."""
    server = Server(directory, name)
    try:
        server.start()
        yield server
    except BaseException:
        sys.stderr.write(f"--- {server.host} said:\n{server.said()[-4000:]}\n")
        raise
    finally:
        server.stop()
