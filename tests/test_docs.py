"""What the documents say is so."""

import re
from pathlib import Path

import pytest

from microfedi import cli
from microfedi.federation.inbox import HANDLERS
from tests import schema

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*.lock"), ROOT / "Makefile",
    ROOT / "config.example.toml", ROOT / "systemd/microfedi.service", ROOT / ".ci/run",
]  # fmt: skip


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.M | re.S)
    assert found, f"there is no section {heading!r}"
    return found[1]


def code(text: str) -> str:
    """Return what stands in code blocks and between backticks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)])


def test_the_activities_we_handle_are_those_in_federation_md() -> None:
    text = (ROOT / "FEDERATION.md").read_text("utf-8")

    rows = re.findall(r"^\| (`.+?) \|", section(text, "Activities that are handled"), re.M)
    said = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    assert sorted(said) == sorted(kind.__name__ for kind in HANDLERS)


def test_the_schema_is_written_down() -> None:
    assert (ROOT / "docs/schema.sql").read_text("utf-8") == schema.current(), "run make schema"


def test_the_commands_in_the_readme_exist(capsys: pytest.CaptureFixture[str]) -> None:
    text = code((ROOT / "README.md").read_text("utf-8"))
    commands = set(
        re.findall(r"(?:^|/bin/)microfedi(?: --config \S+)? ([a-z][a-z -]*)$", text, re.M)
    )

    assert {"setup-link", "doctor", "owner reset"} <= commands
    for command in commands:
        with pytest.raises(SystemExit) as ended:
            cli.parser().parse_args([*command.split(), "--help"])
        assert ended.value.code == 0, command
    capsys.readouterr()


@pytest.mark.parametrize("document", ["README.md", "docs/architecture.md"])
def test_the_make_targets_that_are_named_exist(document: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    text = (ROOT / document).read_text("utf-8")
    named = set(re.findall(r"(?:^|&& )make (?:-C \S+ )?([a-z-]+)", code(text), re.M))

    assert named
    assert not named - targets


def test_links_between_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        if document.suffix == ".md":
            for link in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_what_the_architecture_names_is_there() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    named = set(re.findall(r"`((?:storage|federation|activitypub|web|protocol)/[\w/]+\.py)", text))

    assert named
    for name in named:
        assert (ROOT / "microfedi" / name).is_file(), name


def test_no_document_names_the_machine_that_it_was_written_on() -> None:
    places = [
        "/" + "work/",
        "/" + "root/",
        "/" + "tmp/",
        "file" + "://",
        "--index-url",
        "--find-links",
    ]
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        assert not [place for place in places if place in text], document.name


def test_everything_that_is_installed_is_pinned_with_a_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        pins = re.split(r"\n(?=\S)", (ROOT / name).read_text("utf-8"))
        assert len(pins) > 15
        for pin in pins:
            assert re.match(r"[a-z0-9-]+==\S+ ", pin), pin[:80]
            assert "--hash=sha256:" in pin, pin[:80]


def test_the_unit_starts_what_there_is() -> None:
    unit = (ROOT / "systemd/microfedi.service").read_text("utf-8")
    start = re.search(r"^ExecStart=\S+/microfedi (.+)$", unit, re.M)

    assert start is not None
    arguments = cli.parser().parse_args(start[1].split())
    assert arguments.config == Path("/etc/microfedi/config.toml")
    assert f"RestartPreventExitStatus={cli.UNUSABLE}" in unit
