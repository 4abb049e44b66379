"""An instance of ours with its owner logged in, and a Fedify peer, for a whole file of tests."""

from collections.abc import Iterator

import pytest

from tests.interop import here, peer_server
from tests.interop.driver import Owner
from tests.interop.peer_server import Peer, Scheme


@pytest.fixture(scope="module", params=["rfc9421", "cavage"])
def scheme(request: pytest.FixtureRequest) -> Scheme:
    """What the peer signs with first."""
    found: Scheme = request.param
    return found


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    """The owner of a fresh instance at `http://localhost:PORT`."""
    with here.running(tmp_path_factory.mktemp("here") / "ours") as owner:
        yield owner


@pytest.fixture(scope="module")
def peer(scheme: Scheme, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """A fresh Fedify peer at `http://peer.localhost:PORT`."""
    directory = tmp_path_factory.mktemp("peer")
    with peer_server.running(directory, first=scheme, strict=scheme == "cavage") as peer:
        yield peer
