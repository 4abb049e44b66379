"""Documents for the tests of reading: of our own making, each of an odd shape."""

from pathlib import Path
from typing import Any

from microfedi.protocol import loads

DATA = Path(__file__).parent.parent / "data"
ALICE = "https://a.example/users/alice"
BOB = "https://b.example/users/bob"
NOTE = "https://b.example/n/1"


def data(name: str) -> dict[str, Any]:
    return loads.document((DATA / f"{name}.json").read_bytes())


def an_activity(kind: Any, thing: Any = NOTE, **more: Any) -> dict[str, Any]:
    return {"id": "https://b.example/a/1", "type": kind, "actor": BOB, "object": thing, **more}


def a_note(**more: Any) -> dict[str, Any]:
    return {"id": NOTE, "type": "Note", "attributedTo": BOB, "content": "Hi", **more}
