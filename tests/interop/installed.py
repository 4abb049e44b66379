"""Other people's programs that judge us or federate with us, installed where only tests see them.

Node packages go to `node_modules` in `peer`, `judges` and `axe`, Python ones that want other
versions than ours to a venv of their own. All are made once, by the first test that asks, and made
anew when a pin changes.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

PEER = Path(__file__).parent / "peer"
JUDGES = Path(__file__).parent / "judges"
AXE = Path(__file__).parent.parent / "e2e" / "axe"
VENV = Path(__file__).parent / ".judges-venv"
PASTURE = "fediverse-pasture==0.2.25"  # wants cryptography < 46, so it cannot live with us
INSTALL_S = 400  # for some 300 packages over a slow line; a quick one takes 30 s


def node() -> Path:
    """Return a Node 22 that has Fedify and activitypub-testing beside it."""
    wanted = (PEER / "package.json").read_text("utf-8")

    def install() -> None:
        # No lock file: it would name the registry of whoever made it.
        flags = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
        _run(["npm", "install", *flags], cwd=PEER)

    _once(PEER / "node_modules", wanted, install)
    return PEER / "node_modules" / "node" / "bin" / "node"


def judges() -> Path:
    """Return any Node; Misskey's signature library is in `JUDGES`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        unavailable("node and npm are not both installed")
    wanted = (JUDGES / "package.json").read_text("utf-8")

    def install() -> None:
        flags = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        _run([npm, "install", *flags, "--loglevel=error"], cwd=JUDGES)

    _once(JUDGES / "node_modules", wanted, install)
    return Path(node)


def axe() -> Path:
    """Return the script that finds what keeps people out of a page (axe-core)."""
    wanted = (AXE / "package.json").read_text("utf-8")

    def install() -> None:
        flags = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        _run(["npm", "install", *flags, "--loglevel=error"], cwd=AXE)

    _once(AXE / "node_modules", wanted, install)
    return AXE / "node_modules" / "axe-core" / "axe.min.js"


def pasture() -> Path:
    """Return a Python that has the Fediverse Pasture."""
    binary = VENV / "bin" / "python"

    def install() -> None:
        _run([sys.executable, "-m", "venv", "--clear", str(VENV)], cwd=VENV.parent)
        _run([str(binary), "-m", "pip", "install", "--quiet", PASTURE], cwd=VENV.parent)

    _once(VENV, PASTURE, install)
    return binary


def unavailable(why: str) -> NoReturn:
    """Fail where everything must be there, skip loudly on a machine where it need not."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}, and with CI=true nothing may be left out")
    pytest.skip(f"{why}: NOT TESTED against other implementations")


def _once(directory: Path, wanted: str, install: Callable[[], None]) -> None:
    """Install unless exactly `wanted` is there already; two test runs do not do it at once."""
    stamp = directory / ".installed"
    with _locked(directory.parent / f".{directory.name.strip('.')}.lock"):
        if stamp.exists() and stamp.read_text("utf-8") == wanted:
            return
        install()
        stamp.write_text(wanted, "utf-8")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: list[str], *, cwd: Path) -> None:
    if shutil.which(command[0]) is None:
        unavailable(f"{command[0]} is not installed")
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=INSTALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        unavailable(f"{command[0]} was not done after {INSTALL_S} s")
    if done.returncode != 0:
        unavailable(f"{' '.join(command[:4])} failed: {done.stderr[-800:] or done.stdout[-800:]}")
