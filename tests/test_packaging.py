"""What is built holds everything that it needs, from a checkout and from what was sent on."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from microfedi import __version__

ROOT = Path(__file__).resolve().parent.parent


def build(kind: str, source: Path, into: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(into)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (built,) = into.iterdir()
    return built


def wanted() -> set[str]:
    """What lies in the checkout and must be in the wheel, as it is named there."""
    names = {f"microfedi/{path.relative_to(ROOT)}" for path in ROOT.glob("templates/*")}
    names |= {f"microfedi/{path.relative_to(ROOT)}" for path in ROOT.glob("static/*")}
    names |= {f"microfedi/{path.relative_to(ROOT)}" for path in ROOT.glob("locale/*/*/*.mo")}
    names |= {str(path.relative_to(ROOT)) for path in ROOT.glob("microfedi/**/*.py")}
    names |= {str(path.relative_to(ROOT)) for path in ROOT.glob("microfedi/**/*.sql")}
    return names | {"microfedi/config.example.toml"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def test_a_wheel_holds_what_the_checkout_holds(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    assert not wanted() - names
    assert not {name for name in names if name.startswith(("tests/", "bench/"))}


def test_a_wheel_can_be_built_from_what_was_sent_on(tmp_path: Path, wheel: Path) -> None:
    archive = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()

    again = build("wheel", source, tmp_path / "again")

    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


def test_an_installed_wheel_starts_and_finds_its_files(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")  # noqa: S202 - built just now
    program = (
        "from microfedi import app, assets, cli, config, words\n"
        "words.use('de')\n"
        "print(words.gettext('Password'))\n"
        "print(assets.asset_dir('templates'), assets.asset_dir('static'))\n"
        "app.create_app(config.Config())\n"
        "cli.main(['--version'])\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        check=True,
        capture_output=True,
        text=True,
    )

    german, first, second = done.stdout.splitlines()
    assert german == "Passwort"
    assert first.split() == [
        str(tmp_path / "installed/microfedi" / d) for d in ("templates", "static")
    ]
    assert second == f"microfedi {__version__}"
