"""Our server as an owner runs it: a process, a settings file, a directory; ended by its id."""

import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2

from microfedi.demo import Instance
from tests.interop import processes

ROOT = Path(__file__).parents[2]


class Server(Instance):
    """An instance whose owner is somebody in a browser, who comes by the setup link."""

    def get(self, path: str) -> httpx2.Response:
        """Ask its address, past the name."""
        return httpx2.get(
            f"http://127.0.0.1:{self.port}{path}",
            headers={"Host": self.host},
            timeout=10,
            trust_env=False,
        )

    def is_up(self) -> bool:
        """True if it answers."""
        with contextlib.suppress(httpx2.TransportError):
            return self.get("/healthz").status_code == 200
        return False

    def setup_link(self) -> str:
        """Return the link that it printed for its owner to be."""
        found = re.findall(rf"{re.escape(self.base_url)}/setup/[\w-]+", self.log())
        assert found, self.log()
        return str(found[-1])


@contextlib.contextmanager
def running(directory: Path, name: str) -> Iterator[Server]:
    """Run a fresh server at `{name}.localhost` until the block ends."""
    server = Server(name, directory)
    server.configure()
    try:
        with processes.running(
            server.command("serve"), cwd=ROOT, log=server.log_file, is_up=server.is_up
        ):
            yield server
    except BaseException:
        sys.stderr.write(f"--- {server.host} said:\n{server.log()[-4000:]}\n")
        raise
