"""A handle is believed when the person and the host of the handle both say so (FEP-2c59)."""

import json
from pathlib import Path

import pytest

from microfedi.federation import lookup
from tests.another_server import ACTIVITY_JSON, AnotherServer, Answer
from tests.federation.inbox.world import a_scene

SPLIT = "alice@short.example"
OWN = "alice@vic.example"
OTHER = "https://other.example/users/alice"


def finger(world: AnotherServer, handle: str, subject: str | None, uri: str) -> None:
    """Let the host of a handle say what it is about (None: that there is nobody)."""
    user, _, host = handle.partition("@")
    url = f"https://{host}/.well-known/webfinger?resource=acct%3A{user}%40{host}"
    if subject is None:
        world.serve(url, Answer(404, content_type="text/plain"))
        return
    links = [{"rel": "self", "type": ACTIVITY_JSON, "href": uri}]
    body = json.dumps({"subject": f"acct:{subject}", "links": links}).encode()
    world.serve(url, Answer(body=body, content_type="application/jrd+json"))


@pytest.mark.parametrize(
    ("claimed", "short_says", "own_says", "expected"),
    [
        # The document claims it, and the domain says so.
        (SPLIT, (SPLIT, "alice"), (SPLIT, "alice"), SPLIT),
        (f"acct:{SPLIT}", (SPLIT, "alice"), None, SPLIT),
        (f"@{SPLIT}", (SPLIT, "alice"), None, SPLIT),
        ("alice@Short.example", (SPLIT, "alice"), None, SPLIT),
        # It claims nothing; its server names the domain, and that confirms it.
        (None, (SPLIT, "alice"), (SPLIT, "alice"), SPLIT),
        # It claims what the domain does not say.
        (SPLIT, (SPLIT, "other"), (SPLIT, "alice"), None),
        (SPLIT, None, (SPLIT, "alice"), None),
        (None, None, (SPLIT, "alice"), None),
        (None, (SPLIT, "other"), (SPLIT, "alice"), None),
        # What is no handle claims nothing.
        ("nonsense", (SPLIT, "alice"), (OWN, "alice"), OWN),
        # The domain says what the person does not claim.
        (None, (SPLIT, "alice"), (OWN, "alice"), OWN),
        (OWN, (SPLIT, "alice"), (OWN, "alice"), OWN),
        # The domain is asked and leaves itself out of the name.
        (SPLIT, ("alice", "alice"), None, SPLIT),
        (SPLIT, ("eve", "alice"), None, None),
        # A circle of names is nobody's.
        (SPLIT, (OWN, "alice"), (SPLIT, "alice"), None),
    ],
)
async def test_a_handle_of_another_domain_takes_two(
    claimed: str | None,
    short_says: tuple[str, str] | None,
    own_says: tuple[str, str] | None,
    expected: str | None,
    tmp_path: Path,
) -> None:
    async with a_scene(tmp_path) as scene:
        uris = {"alice": scene.alice.uri, "other": OTHER}
        if claimed is not None:
            scene.world.serve(scene.alice.uri, scene.alice.document(webfinger=claimed))
        for handle, said in ((SPLIT, short_says), (OWN, own_says)):
            subject, who = said or (None, "alice")
            finger(scene.world, handle, subject, uris[who])

        met = await lookup.kept_actor(scene.ctx, scene.alice.uri)

        assert met.handle == expected
        if short_says == (SPLIT, "alice"):
            found = await lookup.by_handle(scene.ctx, SPLIT)
            assert (found.uri, found.handle) == (scene.alice.uri, expected)
