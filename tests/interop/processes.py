"""Starting programs, waiting for what should happen soon, and ending them by their own id."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

PATIENCE_S = 20.0  # for what takes half a second on an idle machine
START_S = 60.0  # for a program to answer; Node takes up to 11 s on a busy small machine
STOP_S = 15.0
POLL_S = 0.05


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(
    question: Callable[[], T | None],
    what: str,
    *,
    within_s: float = PATIENCE_S,
    why_not: Callable[[], object] = lambda: "",
) -> T:
    """Ask until the answer is true, and return it; fail after `within_s`, telling `why_not`."""
    deadline = time.monotonic() + within_s
    while not (answer := question()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s:g} s: {what}\n{why_not()}")
        time.sleep(POLL_S)
    return answer


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    cwd: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    is_up: Callable[[], bool],
) -> Iterator[None]:
    """Run a program from when it answers until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            eventually(
                lambda: process.poll() is not None or is_up(),
                f"{command[0]} answers",
                within_s=START_S,
                why_not=lambda: tail(log),
            )
            if process.poll() is not None:
                pytest.fail(f"{command[0]} ended with {process.returncode}:\n{tail(log)}")
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_S)


def tail(log: Path, characters: int = 4000) -> str:
    """Return the end of what a program said."""
    return log.read_text("utf-8", errors="replace")[-characters:]
