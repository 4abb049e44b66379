"""The systemd unit walls the server in: what `systemd-analyze security` says of it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "systemd" / "microfedi.service"
MOST_EXPOSED = 1.5  # of 10; a unit without walls has 9.6


def test_the_unit_is_little_exposed() -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        reason = "systemd-analyze is not installed: how exposed the unit is was not looked at"
        if os.environ.get("CI") and Path("/run/systemd/system").exists():
            pytest.fail(reason)
        pytest.skip(reason)
    said = subprocess.run(
        [tool, "security", "--offline=true", str(UNIT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stdout
    found = re.search(r"exposure level for microfedi\.service: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) <= MOST_EXPOSED, said


@pytest.mark.parametrize(
    "wall",
    [
        "User=microfedi", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict",
        "ProtectHome=yes", "PrivateTmp=yes", "MemoryDenyWriteExecute=yes", "RestrictNamespaces=yes",
        "StateDirectoryMode=0700", "UMask=0077", "LimitCORE=0",
    ],
)  # fmt: skip
def test_the_unit_has_this_wall(wall: str) -> None:
    assert wall in UNIT.read_text("utf-8").splitlines()
