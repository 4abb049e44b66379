"""Over TLS, as in the world: people are found by their handles, and certificates are checked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop import here, peer_server, processes, tls
from tests.interop.driver import Owner
from tests.interop.peer_server import Peer
from tests.interop.tls import Authority

pytestmark = pytest.mark.timeout(600)  # seconds: the first test may have to install the peer


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both servers keep what is theirs."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(directory: Path) -> Authority:
    """The CA that both sides trust."""
    return tls.authority(directory)


@pytest.fixture(scope="module")
def peer(directory: Path, authority: Authority) -> Iterator[Peer]:
    """Fedify behind TLS."""
    with peer_server.running(directory, first="rfc9421", authority=authority) as running:
        yield running


@pytest.fixture(scope="module")
def owner(directory: Path, authority: Authority) -> Iterator[Owner]:
    """Our server behind TLS, and its owner, logged in."""
    with here.running(directory / "ours", authority=authority) as owner:
        yield owner


def test_people_find_each_other_by_handle_and_follow(owner: Owner, peer: Peer) -> None:
    read = peer.tell("lookup", of=f"@{owner.handle}@{owner.host}")
    assert read["id"] == owner.uri
    follow_uri = peer.tell("follow", to=f"@{owner.handle}@{owner.host}")
    peer.wait_for("Accept", actor=owner.uri, object=follow_uri)

    person = owner.follow(peer.handle)

    assert peer.handle in person.text
    peer.wait_for("Follow", actor=owner.uri, object=peer.alice)
    owner.wait_for_text("/notifications", "accepted your request to follow")


def test_handles_in_posts_are_people_on_both_sides(owner: Owner, peer: Peer) -> None:
    owner.publish(f"Hello {peer.handle}, over TLS")
    arrived = peer.wait_for_note("Create", "over TLS")
    assert arrived["mentions"] == [peer.alice]

    peer.tell(
        "note",
        to=f"@{owner.handle}@{owner.host}",
        text="<p>Hello back, over TLS</p>",
        re=arrived["id"],
    )
    row = owner.wait_for("/notifications?show=mentions", "Hello back, over TLS").row
    owner.reply(row, "and once more")
    answer = peer.wait_for_note("Create", "and once more")
    assert answer["mentions"] == [peer.alice]


def test_a_message_goes_to_a_handle(owner: Owner, peer: Peer) -> None:
    owner.message(peer.handle, "A word between us, over TLS")

    arrived = peer.wait_for_note("Create", "A word between us")

    assert arrived["to"] == [peer.alice]


def test_a_server_with_another_certificate_is_not_believed(owner: Owner, tmp_path: Path) -> None:
    stranger = tls.authority(tmp_path)
    port = processes.free_port()

    with tls.front(stranger, port=port, upstream=port):
        answer = owner.client.post(
            "/search",
            data={
                **owner.get("/search").form("/search").fields,
                "q": f"https://peer.localhost:{port}/users/alice",
            },
            headers={"Origin": owner.base_url},
        )

    assert answer.status_code == 422
