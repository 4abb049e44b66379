"""Two servers that do not know each other's code: ours, and one made with Fedify.

Follow, Create, Update, Delete, Like, Announce and their undoing, messages, keys, proofs: what every
server does. The rest is in `test_fedify_activities`.

Each test runs twice: with a peer that signs by RFC 9421 first, and with one that signs by
draft-cavage first and shows nothing to requests that are not signed.
"""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image

from microfedi.protocol import loads, parse, proofs, synchronization
from tests.interop import here, processes
from tests.interop.driver import Owner
from tests.interop.peer_server import Peer, Scheme

pytestmark = pytest.mark.timeout(600)  # seconds: the first test may have to install the peer

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
EARLIER = [f"An earlier post, number {n}" for n in range(3)]


@pytest.fixture(scope="module")
def owner(scheme: Scheme, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    """The owner of an instance that has never met another peer than this one."""
    with here.running(tmp_path_factory.mktemp(scheme) / "ours") as owner:
        yield owner


@pytest.fixture(scope="module")
def friends(owner: Owner, peer: Peer) -> str:
    """The owner and Alice follow each other; returns the id of Alice's Follow."""
    for text in EARLIER:
        peer.tell("note", text=f"<p>{text}</p>", quiet="")
    follow_uri: str = peer.tell("follow", to=owner.uri)
    peer.wait_for("Accept", actor=owner.uri, object=follow_uri)
    owner.follow(peer.alice)
    peer.wait_for("Follow", actor=owner.uri, object=peer.alice)
    owner.wait_for_text("/notifications", "accepted your request to follow")
    return follow_uri


def test_fedify_reads_our_actor(owner: Owner, peer: Peer) -> None:
    read = peer.tell("lookup", of=owner.uri)

    assert read["type"] == "Person"
    assert read["id"] == owner.uri
    assert read["preferredUsername"] == owner.handle
    assert read["url"] == f"{owner.base_url}/@{owner.handle}"
    assert read["inbox"] == f"{owner.uri}/inbox"
    assert read["outbox"] == f"{owner.uri}/outbox"
    assert read["followers"] == f"{owner.uri}/followers"
    assert read["following"] == f"{owner.uri}/following"
    assert read["featured"] == f"{owner.uri}/featured"
    assert read["sharedInbox"] == f"{owner.base_url}/inbox"
    assert read["approves"] is False
    assert isinstance(read["discoverable"], bool)
    assert isinstance(read["indexable"], bool)
    assert read["publicKeys"] == [f"{owner.uri}#main-key"]
    assert f"{owner.uri}#ed25519-key" in read["assertionMethods"]


def test_fedify_reads_our_instance_actor(owner: Owner, peer: Peer) -> None:
    read = peer.tell("lookup", of=f"{owner.base_url}/actor")

    assert read["id"] == f"{owner.base_url}/actor"
    assert read["type"] in ("Application", "Service")
    assert read["publicKeys"] == [f"{owner.base_url}/actor#main-key"]


def test_our_followers_and_what_alice_posted_before_are_here(
    owner: Owner, peer: Peer, friends: str
) -> None:
    for text in EARLIER:
        owner.wait_for("/home", text)

    assert "Alice (Fedify)" in owner.get("/followers").text
    assert "Alice (Fedify)" in owner.get("/following").text
    assert peer.tell("followers") == [owner.uri]
    assert "follows you" in owner.get("/notifications").text


def test_fedify_reads_a_public_post_as_we_meant_it(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.publish(f"Good **morning** {peer.handle}, said with #Words")
    uri = owner.uri_of(page)

    arrived = peer.wait_for_note("Create", "<strong>morning</strong>")
    assert arrived["id"] == uri
    assert arrived["author"] == owner.uri
    assert arrived["url"] == f"{owner.base_url}{page.path}"
    assert arrived["to"] == [PUBLIC]
    assert set(arrived["cc"]) == {f"{owner.uri}/followers", peer.alice}
    assert arrived["mentions"] == [peer.alice]
    assert [tag.lower() for tag in arrived["hashtags"]] == ["#words"]
    assert arrived["replyTo"] is None
    assert peer.tell("lookup", of=uri) == arrived
    assert peer.tell("lookup", of=uri, unsigned="") == arrived


def test_fedify_reads_pictures_and_warnings(owner: Owner, peer: Peer, friends: str) -> None:
    owner.publish(
        "Look at this",
        summary="A picture of nothing",
        alt="A small green square",
        sensitive="on",
        picture=_green_square(),
    )

    arrived = peer.wait_for_note("Create", "Look at this")
    assert arrived["summary"] == "A picture of nothing"
    assert arrived["sensitive"] is True
    (picture,) = arrived["attachments"]
    assert picture["name"] == "A small green square"
    assert picture["mediaType"].startswith("image/")
    served = owner.client.get(picture["url"])
    assert served.headers["content-type"] == picture["mediaType"]
    assert Image.open(io.BytesIO(served.content)).size == (64, 64)


def test_fedify_pages_through_our_collections(owner: Owner, peer: Peer, friends: str) -> None:
    uri = owner.uri_of(owner.publish("A post that stands in the outbox"))

    items = peer.tell("items", of=f"{owner.uri}/outbox")
    assert "Create" in [one["type"] for one in items]
    peer.wait_for_note("Create", "stands in the outbox")
    assert peer.tell("lookup", of=uri)["id"] == uri


def test_fedify_believes_our_proof_whoever_brings_it(
    owner: Owner, peer: Peer, friends: str
) -> None:
    owner.publish("Proven words, with Grüße and 😀")
    peer.wait_for_note("Create", "Proven words")
    (body,) = [one["body"] for one in peer.tell("bodies") if "Proven words" in one["body"]]

    # Nobody signs these requests: only the proof inside can speak for the owner.
    answers = {
        word: peer.control.post(
            "/inbox",
            content=body.replace("Proven", word).encode(),
            headers={"content-type": "application/activity+json"},
        ).status_code
        for word in ("Forged", "Proven")
    }

    assert answers == {"Forged": 401, "Proven": 202}


def test_we_verify_fedifys_proof(owner: Owner, peer: Peer, friends: str) -> None:
    peer.tell("note", to=owner.uri, text="<p>Proven by Fedify: Grüße, 😀</p>")
    owner.wait_for("/home", "Proven by Fedify")
    (body,) = {one["body"] for one in peer.tell("asked") if "Proven by Fedify" in one["body"]}
    document = loads.document(body.encode())
    (key,) = [key for key in parse.keys(peer.tell("actor")) if key.kind == "ed25519"]

    (proof,) = proofs.read(document, now=datetime.now(UTC))

    assert proofs.verify(document, proof, key)
    assert not proofs.verify(document | {"type": "Update"}, proof, key)


def test_fedify_counts_followers_as_we_do(owner: Owner, peer: Peer, friends: str) -> None:
    owner.publish("For followers alone", visibility="followers")
    peer.wait_for_note("Create", "For followers alone")
    (said,) = [one for one in peer.tell("bodies") if "For followers alone" in one["body"]]
    ours = synchronization.read(said["synchronization"])

    theirs = synchronization.read(
        peer.tell("synchronization", of=f"{owner.uri}/followers", actor=peer.alice)
    )

    assert ours is not None
    assert theirs is not None
    assert (ours.collection_uri, ours.digest) == (theirs.collection_uri, theirs.digest)


def test_fedify_goes_on_with_our_new_keys(owner: Owner, peer: Peer, friends: str) -> None:
    owner.submit(
        "/settings/security",
        "/settings/security/keys",
        password=here.PASSWORD,
        code=owner.recovery_codes.pop(),
    )
    peer.wait_for("Update", object=owner.uri)
    owner.publish("Signed by a key that is new")

    peer.wait_for_note("Create", "a key that is new")
    read = peer.tell("lookup", of=owner.uri)
    assert read["publicKeys"] == [f"{owner.uri}#main-key-2"]
    new, *old = read["assertionMethods"]
    assert new == f"{owner.uri}#ed25519-key-2"
    assert old == [f"{owner.uri}#main-key", f"{owner.uri}#ed25519-key"]


def test_a_post_of_alices_with_a_mention_is_told_and_answered(
    owner: Owner, peer: Peer, friends: str
) -> None:
    uri = peer.tell("note", to=owner.uri, text="<p>A question for you</p>")
    at_home = owner.wait_for("/home", "A question for you")
    told = owner.wait_for("/notifications?show=mentions", "A question for you")
    assert told.row == at_home.row

    page = owner.reply(at_home.row, "and here is an answer")

    answer = peer.wait_for_note("Create", "here is an answer")
    assert answer["replyTo"] == uri
    assert answer["mentions"] == [peer.alice]
    assert peer.alice in answer["cc"] + answer["to"]
    assert page.article("A question for you") is not None, "the answer stands in its thread"


def test_an_answer_of_alices_stands_below_our_post(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.publish("Has anybody an answer?")
    peer.wait_for_note("Create", "Has anybody an answer?")

    peer.tell("note", to=owner.uri, text="<p>I have one</p>", re=owner.uri_of(page), shared="")

    owner.wait_for(page.path, "I have one")


def test_likes_and_their_undoing_arrive(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.publish("A post to like")
    uri = owner.uri_of(page)

    like_uri = peer.tell("like", object=uri, to=owner.uri)

    owner.wait_for_text("/notifications", "favourited your post")
    assert _count(owner, page.path, "A post to like", "Favourite") == 1
    peer.tell("undo", id=like_uri, to=owner.uri)
    processes.eventually(
        lambda: _count(owner, page.path, "A post to like", "Favourite") == 0, "the like is gone"
    )


def test_our_likes_and_their_undoing_reach_alice(owner: Owner, peer: Peer, friends: str) -> None:
    uri = peer.tell("note", text="<p>Something to like</p>")
    row = owner.wait_for("/home", "Something to like").row

    page = owner.act(owner.get("/home"), row, "favourite")
    like = peer.wait_for("Like", object=uri)
    assert like["actor"] == owner.uri

    owner.act(page, row, "unfavourite")
    undo = _undo_of(peer, like["id"])
    assert undo["about"]["type"] == "Like"
    assert undo["about"]["object"] == uri


def test_announces_and_their_undoing_arrive(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.publish("A post to boost")
    uri = owner.uri_of(page)

    announce_uri = peer.tell("announce", object=uri, to=owner.uri)

    owner.wait_for_text("/notifications", "boosted your post")
    assert _count(owner, page.path, "A post to boost", "Boost") == 1
    peer.tell("undo", id=announce_uri, to=owner.uri)
    processes.eventually(
        lambda: _count(owner, page.path, "A post to boost", "Boost") == 0, "the boost is gone"
    )


def test_our_announces_and_their_undoing_reach_alice(
    owner: Owner, peer: Peer, friends: str
) -> None:
    uri = peer.tell("note", text="<p>Something to boost</p>")
    row = owner.wait_for("/home", "Something to boost").row

    page = owner.act(owner.get("/home"), row, "boost")
    announce = peer.wait_for("Announce", object=uri)
    assert announce["actor"] == owner.uri
    assert announce["to"] == [PUBLIC]
    assert peer.alice in announce["cc"]

    owner.act(page, row, "unboost")
    undo = _undo_of(peer, announce["id"])
    assert undo["about"]["type"] == "Announce"


def test_edits_and_deletions_arrive(owner: Owner, peer: Peer, friends: str) -> None:
    uri = peer.tell("note", text="<p>A frist try</p>")
    row = owner.wait_for("/home", "A frist try").row

    peer.tell("edit", object=uri, text="<p>A first try</p>", to=owner.uri)
    article = owner.wait_for("/home", "A first try")
    assert article.row == row
    assert "edited" in article.text

    peer.tell("delete", object=uri, to=owner.uri)
    owner.wait_until_gone("/home", "A first try")


def test_our_edits_and_deletions_reach_alice(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.publish("A sceond try")
    uri = owner.uri_of(page)
    article = page.article("A sceond try")
    assert article is not None
    peer.wait_for_note("Create", "A sceond try")

    owner.edit(article.row, "A second try")
    update = peer.wait_for_note("Update", "A second try")
    assert update["id"] == uri
    assert update["updated"] is not None
    assert peer.tell("lookup", of=uri) == update

    owner.delete(article.row)
    deletion = processes.eventually(
        lambda: [d for d in peer.arrived("Delete") if (d["about"] or {}).get("id") == uri],
        "the deletion at the peer",
        why_not=lambda: peer.arrived("Delete"),
    )[0]
    assert deletion["about"]["type"] == "Tombstone"
    assert owner.client.get(page.path).status_code == 410


def test_a_post_of_alices_for_her_followers_stays_among_them(
    owner: Owner, peer: Peer, friends: str
) -> None:
    peer.tell("note", text="<p>For my followers alone</p>", visibility="followers")

    article = owner.wait_for("/home", "For my followers alone")

    assert "ollowers" in article.text.replace("For my followers alone", "")
    assert f"/posts/{article.row}/boost" not in owner.get("/home").actions


def test_our_post_for_followers_is_shown_to_followers_alone(
    owner: Owner, peer: Peer, friends: str
) -> None:
    uri = owner.uri_of(owner.publish("For the followers of mine", visibility="followers"))

    arrived = peer.wait_for_note("Create", "For the followers of mine")
    assert arrived["to"] == [f"{owner.uri}/followers"]
    assert PUBLIC not in arrived["cc"]
    assert peer.tell("lookup", of=uri) == arrived
    assert peer.tell("lookup", of=uri, unsigned="") is None


def test_messages_go_both_ways_and_nowhere_else(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.message(peer.handle, "Between the two of us")

    arrived = peer.wait_for_note("Create", "Between the two of us")
    assert arrived["to"] == [peer.alice]
    assert arrived["cc"] == []
    assert arrived["mentions"] == [peer.alice]
    assert peer.tell("lookup", of=arrived["id"], unsigned="") is None
    peer.tell(
        "note",
        to=owner.uri,
        text="<p>Nobody else reads this</p>",
        visibility="direct",
        re=arrived["id"],
    )
    owner.wait_for(page.path, "Nobody else reads this")
    assert owner.get("/home").article("Nobody else reads this") is None
    assert owner.get("/home").article("Between the two of us") is None


def test_a_new_name_arrives(owner: Owner, peer: Peer, friends: str) -> None:
    peer.tell("rename", name="Alice the Second", to=owner.uri)
    owner.wait_for_text("/following", "Alice the Second")

    peer.tell("rename", name="Alice (Fedify)", to=owner.uri)
    owner.wait_for_text("/following", "Alice (Fedify)")


def test_our_new_name_reaches_alice(owner: Owner, peer: Peer, friends: str) -> None:
    owner.submit("/settings/profile", "/settings/profile", name="Another name", bio="About me")

    processes.eventually(
        lambda: [u for u in peer.arrived("Update") if (u["about"] or {}).get("id") == owner.uri],
        "the Update of our profile",
    )
    read = peer.tell("lookup", of=owner.uri)
    assert read["name"] == "Another name"
    assert "About me" in read["summary"]


def test_everything_that_we_sent_was_taken_at_the_first_try(
    owner: Owner, peer: Peer, scheme: Scheme, friends: str
) -> None:
    owner.publish("The last thing to be sent")
    peer.wait_for_note("Create", "The last thing to be sent")

    # What is not signed was brought by the test itself.
    posts = [
        one for one in peer.tell("wire") if one["method"] == "POST" and one["signature"] != "none"
    ]

    assert {one["status"] for one in posts} == {202}
    assert posts[0]["signature"] in ("cavage", "rfc9421")
    # A host that signed by RFC 9421 itself has shown that it knows it.
    assert posts[-1]["signature"] == scheme
    assert peer.tell("problems") == []


def test_everything_that_alice_sent_was_taken_at_the_first_knock(
    peer: Peer, scheme: Scheme, friends: str
) -> None:
    posts = [one for one in peer.tell("asked") if one["method"] == "POST"]

    assert {one["signature"] for one in posts} == {scheme}
    assert {one["status"] for one in posts} == {202}


def test_we_sign_what_we_fetch(peer: Peer, scheme: Scheme, friends: str) -> None:
    fetched = [
        one
        for one in peer.tell("wire")
        if one["method"] == "GET" and one["path"].startswith(("/users/", "/notes/"))
    ]
    signed = [one for one in fetched if one["signature"] != "none"]
    unsigned = [(one["path"], one["status"]) for one in fetched if one["signature"] == "none"]

    assert signed
    assert {one["status"] for one in signed} == {200}
    # Whether a server shows profiles to everybody is asked once, some time after we met it, and
    # cannot be asked with a signature.
    assert unsigned in ([], [("/users/alice", 401 if scheme == "cavage" else 200)])


def test_fedify_loses_nothing_of_what_we_said(peer: Peer, friends: str) -> None:
    documents = [json.loads(one["body"]) for one in peer.tell("bodies")]

    assert {one["type"] for one in documents} >= {"Announce", "Create", "Delete", "Like", "Undo"}
    assert peer.losses(documents) == set()


def test_unfollowing_goes_both_ways(owner: Owner, peer: Peer, friends: str) -> None:
    owner.unfollow(peer.alice)
    processes.eventually(lambda: peer.tell("followers") == [], "we are off Alice's list")

    peer.tell("undo", id=friends, to=owner.uri)
    processes.eventually(
        lambda: "Alice" not in owner.get("/followers").text, "Alice is off our list"
    )


def test_followers_can_be_asked_to_wait_for_an_answer(owner: Owner, peer: Peer) -> None:
    owner.submit("/settings/preferences", "/settings/preferences", approves_followers="on")
    follow_uri = peer.tell("follow", to=owner.uri)
    page = owner.wait_for_text("/notifications", "asks to follow you")
    assert peer.arrived("Accept", object=follow_uri) == []
    assert peer.tell("lookup", of=owner.uri)["approves"] is True

    person = owner.find(peer.alice).path
    owner.submit(page, f"{person}/accept")
    peer.wait_for("Accept", object=follow_uri)

    owner.submit("/followers", f"{person}/reject")
    peer.wait_for("Reject", object=follow_uri)


def test_a_rejection_ends_our_following(owner: Owner, peer: Peer) -> None:
    before = len(peer.arrived("Follow"))
    person = owner.follow(peer.alice)
    owner.wait_for_text(person.path, "Unfollow")
    follows = processes.eventually(
        lambda: peer.arrived("Follow")[before:], "another Follow at the peer"
    )
    follow_uri = follows[0]["id"]

    peer.tell("drop", id=follow_uri, to=owner.uri)

    processes.eventually(
        lambda: "Alice" not in owner.get("/following").text, "Alice is off our list"
    )
    assert "declined" in owner.find(peer.alice).text


def _green_square() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "green").save(file, "PNG")
    return file.getvalue()


def _count(owner: Owner, path: str, containing: str, label: str) -> int:
    """Return the number beside a button of a post; no number means none."""
    article = owner.get(path).article(containing)
    assert article is not None
    words = article.text.split()
    after = words[words.index(label) + 1] if words.index(label) + 1 < len(words) else ""
    return int(after) if after.isdigit() else 0


def _undo_of(peer: Peer, uri: str) -> dict[str, Any]:
    return processes.eventually(
        lambda: [u for u in peer.arrived("Undo") if (u["about"] or {}).get("id") == uri],
        f"the Undo of {uri}",
        why_not=lambda: peer.arrived("Undo"),
    )[0]
