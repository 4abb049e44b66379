"""The command line, as it is typed."""

import io
import json
import re
from pathlib import Path

import pytest

from microfedi import __version__, cli
from microfedi.account import totp

PASSWORD = "walnut ladder quiet comet"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Standard input with a password on it, which is not a terminal."""
    stdin = io.StringIO(f"{PASSWORD}\n")
    monkeypatch.setattr("sys.stdin", stdin)
    return stdin


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"microfedi {__version__}\n"


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])

    out = capsys.readouterr().out
    for command in ("serve", "setup-link", "init", "owner", "doctor", "demo"):
        assert re.search(rf"^    {command} +\w", out, re.M), command


def test_init_makes_a_ready_owner_without_questions(
    here: Path, typed: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["init", "--handle", "alice", "--base-url", "https://social.example", "--json"]

    assert cli.main([*arguments, "--data-dir", "place"]) == 0

    made = json.loads(capsys.readouterr().out)
    assert made["base_url"] == "https://social.example"
    assert made["handle"] == "@alice@social.example"
    assert made["totp_secret"] in made["totp_uri"]
    assert len(made["totp_secret"]) == totp.SECRET_CHARS
    assert len(set(made["recovery_codes"])) == 10
    assert (here / "place/microfedi.db").stat().st_mode & 0o777 == 0o600
    assert (here / "place").stat().st_mode & 0o777 == 0o700


def test_init_refuses_when_somebody_lives_there(
    here: Path, typed: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["init", "--handle", "alice"]) == 0
    typed.seek(0)

    assert cli.main(["init", "--handle", "mallory"]) != 0

    assert "owner already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["init"], "--handle"),
        (["init", "--handle", "Alice!"], "1 to 30 of a-z"),
        (["init", "--handle", "alice", "--base-url", "social.example"], "command line: base_url"),
        (["--config", "nowhere.toml", "serve"], "nowhere.toml cannot be read: No such file"),
        (["owner", "reset"], "no owner yet"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    here: Path,
    typed: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    assert cli.main(arguments) in (cli.FAILED, cli.UNUSABLE)

    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("microfedi: ")
    assert error.count("\n") == 1
    assert said in error


def test_a_weak_password_is_refused_before_anything_is_made(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))

    assert cli.main(["init", "--handle", "alice"]) == cli.FAILED

    assert "12 characters" in capsys.readouterr().err
    assert cli.main(["setup-link"]) == 0  # nobody lives there


def test_a_mistake_in_the_settings_names_its_line(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "config.toml").write_text('base_url = "https://social.example"\nlisen = "x:1"\n')

    assert cli.main(["serve"]) == cli.UNUSABLE

    assert "config.toml, line 2: lisen is not a setting" in capsys.readouterr().err


def test_a_setup_link_is_made_anew_until_there_is_an_owner(
    here: Path, typed: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    links = set()
    for _ in range(2):
        assert cli.main(["setup-link"]) == 0
        links.add(capsys.readouterr().out)
    assert len(links) == 2
    assert all(link.startswith("http://localhost:8000/setup/") for link in links)

    assert cli.main(["init", "--handle", "alice"]) == 0
    assert cli.main(["setup-link"]) == cli.UNUSABLE
    assert "owner reset" in capsys.readouterr().err


def test_a_reset_gives_new_factors(
    here: Path, typed: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["init", "--handle", "alice", "--json"]) == 0
    before = json.loads(capsys.readouterr().out)
    typed.seek(0)

    assert cli.main(["owner", "reset"]) == 0

    out = capsys.readouterr().out
    assert before["totp_secret"] not in out
    assert "otpauth://totp/" in out
    assert len(re.findall(r"^  \w{4}-\w{4}-\w{4}$", out, re.M)) == 10
    assert PASSWORD not in out


def test_a_data_directory_serves_one_address_for_ever(
    here: Path, typed: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["init", "--handle", "alice"]) == 0
    (here / "config.toml").write_text('base_url = "https://social.example"\n')

    assert cli.main(["setup-link"]) == cli.UNUSABLE

    said = capsys.readouterr().err
    assert "made for base_url http://localhost:8000" in said
    assert "set base_url and a new, empty data_dir in config.toml" in said
