"""Imports go down only: the one rule of the house that a machine can watch."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "microfedi"

LAYERS = [  # bottom first; rooms on one line do not see each other
    {"__init__", "errors"},
    {"protocol"},
    {"config", "assets", "imagework"},
    {"words"},
    {"storage"},
    {"account"},
    {"federation"},
    {"http"},
    {"web", "activitypub"},
    {"app"},
    {"serving"},
    {"doctor", "demo"},
    {"cli"},
    {"__main__"},
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}

# What reaches outside of the process: a file, a socket, the time, chance, another process.
REACHING_OUT = {
    "aiosqlite", "asyncio", "glob", "http", "httpcore2", "httpx2", "io", "os", "pathlib", "random",
    "select", "shutil", "signal", "socket", "sqlite3", "ssl", "starlette", "subprocess", "sys",
    "tempfile", "threading", "time", "urllib.request", "uvicorn", "uvloop",
}  # fmt: skip
STARLETTE_ROOMS = {"http", "web", "activitypub", "app", "serving"}


def sources() -> Iterator[tuple[Path, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path, path.relative_to(ROOT).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def belongs_to(name: str, modules: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def test_imports_run_downwards() -> None:
    for path, room in sources():
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("microfedi.")}
        for target in ours & LEVEL.keys() - {room}:
            assert LEVEL[target] < LEVEL[room], f"{path.relative_to(ROOT)} imports {target}"


def test_every_room_has_its_place() -> None:
    assert {room for _, room in sources()} == LEVEL.keys()


def test_the_protocol_reaches_nothing_outside() -> None:
    for path, room in sources():
        if room == "protocol":
            found = {name for name in imports(path) if belongs_to(name, REACHING_OUT)}
            assert not found, f"{path.relative_to(ROOT)} imports {found}"


def test_only_the_doors_know_the_web_framework() -> None:
    for path, room in sources():
        if room not in STARLETTE_ROOMS:
            found = {name for name in imports(path) if belongs_to(name, {"starlette", "uvicorn"})}
            assert not found, f"{path.relative_to(ROOT)} imports {found}"


def test_only_storage_knows_sql() -> None:
    for path, room in sources():
        if room == "storage":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = node.value.split()
                statement = len(words) > 2 and words[0] in ("SELECT", "INSERT", "UPDATE", "DELETE")
                assert not statement, f"{path.relative_to(ROOT)}:{node.lineno} holds SQL"


def test_only_the_child_process_decodes_media() -> None:
    for path, room in sources():
        if room != "imagework":
            assert not any(belongs_to(name, {"PIL", "av"}) for name in imports(path)), path
