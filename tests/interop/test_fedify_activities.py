"""What the first tests with Fedify leave out: the rest of what one server may tell another.

Alice and her neighbours write what they send with Fedify's classes and its spelling, and read what
we send with them. Raw JSON, signed by Fedify, is what it has no class for: FeatureRequest
(FEP-7aa9) and MLS objects. Only what we receive: reactions other than Like, Add, Remove, groups'
Announce, ReplyRequest, FeatureRequest, and all objects but Note and Question; we send none.
Not waited for, as it takes minutes: the Update with the count of a poll of ours, its end, and the
repair of followers who do not agree (Fedify itself does not look at `followers_synchronization`).
"""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from tests.interop import here, peer_server, processes
from tests.interop.driver import Owner, Page
from tests.interop.peer_server import PUBLIC, Peer

FEATURE_REQUEST_IS_UNKNOWN = "TypeError: Invalid type: https://w3id.org/fep/7aa9#FeatureRequest"

pytestmark = pytest.mark.timeout(600)  # seconds: the first test may have to install the peer


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """A peer that shows nothing to requests that are not signed, and signs by RFC 9421."""
    directory = tmp_path_factory.mktemp("peer")
    with peer_server.running(directory, first="rfc9421", strict=True) as running:
        yield running


@pytest.fixture(scope="module")
def friends(owner: Owner, peer: Peer) -> str:
    """The owner and Alice follow each other; returns the owner's page about Alice."""
    follow_uri = peer.tell("follow", to=owner.uri)
    peer.wait_for("Accept", actor=owner.uri, object=follow_uri)
    return _follow(owner, peer, "alice")


# Reactions


@pytest.mark.parametrize("type_", ["EmojiReact", "Like"])
def test_reactions_and_their_undoing_arrive(
    owner: Owner, peer: Peer, friends: str, type_: str
) -> None:
    words = f"A post for a reaction by {type_}"
    page = owner.publish(words)
    reaction = {"type": type_, "object": owner.uri_of(page), "content": "🎉"}

    uri = peer.send(reaction, to=owner.uri)

    processes.eventually(lambda: "🎉 1" in _text(owner, page, words), "the reaction under the post")
    assert "reacted to your post with 🎉" in owner.get("/notifications").text
    peer.tell("undo", id=uri, to=owner.uri)
    processes.eventually(lambda: "🎉" not in _text(owner, page, words), "the reaction is gone")


def test_a_reaction_with_a_custom_emoji_arrives(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.publish("A post for a picture")
    picture = {"type": "Image", "mediaType": "image/png", "url": f"{peer.origin}/blob.png"}
    emoji = {"type": "Emoji", "id": f"{peer.origin}/blob", "name": ":blob:", "icon": picture}

    peer.send(
        {
            "type": "EmojiReact",
            "object": owner.uri_of(page),
            "content": ":blob:",
            "tag": [emoji],
        },
        to=owner.uri,
    )

    processes.eventually(lambda: 'alt=":blob:"' in owner.get(page.path).html, "the picture")


# Polls


def test_a_poll_of_alices_is_shown_voted_in_and_brought_up_to_date(
    owner: Owner, peer: Peer, friends: str
) -> None:
    poll = {
        "type": "Question",
        "content": "<p>Which cake?</p>",
        "endTime": "2099-01-01T00:00:00Z",
        "votersCount": 1,
        "oneOf": [_choice("Plum", 1), _choice("Poppy", 0)],
        "to": PUBLIC,
    }
    uri = peer.create(poll, to=owner.uri)
    row = owner.wait_for("/home", "Which cake?").row
    page = owner.get(f"/posts/{row}")
    (action,) = [one for one in page.actions if one.startswith(f"/posts/{row}/vote")]
    choice: dict[str, Any] = {f"vote-{action.partition('key=')[2]}": "1"}

    owner.submit(page, action, **choice)

    vote = processes.eventually(
        lambda: [
            one["about"]
            for one in peer.arrived("Create")
            if (one["about"] or {}).get("name") == "Poppy"
        ],
        "the vote at the peer",
        why_not=lambda: peer.arrived("Create")[-2:],
    )[0]
    assert vote["type"] == "Note"
    assert vote["author"] == owner.uri
    assert vote["replyTo"] == uri
    assert vote["to"] == [peer.alice]
    assert vote["cc"] == []
    later = poll | {"id": uri, "votersCount": 4, "oneOf": [_choice("Plum", 1), _choice("Poppy", 3)]}
    peer.put(later)
    peer.send({"type": "Update", "object": uri, "to": PUBLIC}, to=owner.uri, whole="")
    processes.eventually(
        lambda: "75% Poppy Your vote" in _text(owner, page, "Which cake?"),
        "the new result",
        why_not=lambda: _text(owner, page, "Which cake?"),
    )
    assert "4 people" in _text(owner, page, "Which cake?")


def test_alice_reads_our_poll_and_votes_in_it(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.publish("Which soup?", option=["Leek", "Lentil", "Pea"], is_multiple="1")
    uri = owner.uri_of(page)

    asked = peer.wait_for_note("Create", "Which soup?")
    assert asked["type"] == "Question"
    assert asked["poll"]["isMultiple"] is True
    assert asked["poll"]["options"] == [["Leek", 0], ["Lentil", 0], ["Pea", 0]]
    assert asked["poll"]["endTime"] is not None
    assert asked["poll"]["closed"] is None
    for name in ("Lentil", "Pea", "Gravel"):
        peer.create(
            {"type": "Note", "name": name, "inReplyTo": uri, "to": owner.uri},
            to=owner.uri,
        )

    processes.eventually(
        lambda: (
            peer.tell("lookup", of=uri)["poll"]["options"]
            == [["Leek", 0], ["Lentil", 1], ["Pea", 1]]
        ),
        "both votes counted, and nothing for what was not offered",
        why_not=lambda: peer.tell("lookup", of=uri)["poll"],
    )
    assert peer.tell("lookup", of=uri)["poll"]["votersCount"] == 1
    assert "100% Lentil 100% Pea" in _text(owner, page, "Which soup?")


def test_alice_hears_of_an_edit_of_our_poll(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.publish("Which bred?", option=["Rye", "Spelt"])
    article = page.article("Which bred?")
    assert article is not None

    owner.edit(article.row, "Which bread?")

    update = peer.wait_for_note("Update", "Which bread?")
    assert update["type"] == "Question"
    assert update["poll"]["isMultiple"] is False
    assert update["poll"]["options"] == [["Rye", 0], ["Spelt", 0]]


# Objects


def test_articles_events_films_and_sounds_are_shown(owner: Owner, peer: Peer, friends: str) -> None:
    film = {"type": "Link", "mediaType": "video/mp4", "href": f"{peer.origin}/film.mp4"}
    sound = {"type": "Link", "mediaType": "audio/ogg", "href": f"{peer.origin}/sound.ogg"}
    picture = {"type": "Link", "mediaType": "image/png", "href": f"{peer.origin}/picture.png"}
    document = {"type": "Document", "mediaType": "image/png", "url": f"{peer.origin}/beside.png"}
    for one in (
        {"type": "Article", "name": "On moss", "content": "<h2>Green</h2><p>Moss grows.</p>"},
        {
            "type": "Event",
            "name": "A walk in moss",
            "content": "<p>Bring boots</p>",
            "startTime": "2098-05-04T10:00:00Z",
            "location": {"type": "Place", "name": "The old quarry"},
        },
        {"type": "Video", "name": "Moss, filmed", "content": "<p>Ten minutes</p>", "url": film},
        {"type": "Audio", "name": "Moss, heard", "content": "<p>Very quiet</p>", "url": sound},
        {"type": "Image", "name": "Moss, seen", "url": picture},
        {"type": "Page", "name": "A page on moss", "url": "https://example.org/moss"},
        {
            "type": "Note",
            "content": "<p>Moss, attached</p>",
            "sensitive": True,
            "attachment": [document | {"name": "A wall with moss"}],
        },
    ):
        peer.create(one, to=owner.uri)

    article = owner.wait_for("/home", "On moss")
    assert "Moss grows." in article.text
    event = owner.wait_for("/home", "A walk in moss")
    assert "The old quarry" in event.text
    assert "2098" in event.text
    for name, player in (("Moss, filmed", "<video "), ("Moss, heard", "<audio ")):
        row = owner.wait_for("/home", name).row
        assert player in owner.get(f"/posts/{row}").html
    owner.wait_for("/home", "Moss, seen")
    assert "https://example.org/moss" in owner.wait_for("/home", "A page on moss").links
    attached = owner.wait_for("/home", "Moss, attached")
    assert "Sensitive media" in attached.text
    assert "A wall with moss" in attached.text


def test_what_is_encrypted_is_kept_and_said_to_be_unreadable(
    owner: Owner, peer: Peer, friends: str
) -> None:
    peer.send(
        {
            "type": "Create",
            "to": owner.uri,
            "object": {
                "@context": [
                    "https://www.w3.org/ns/activitystreams",
                    "https://purl.archive.org/socialweb/mls",
                ],
                "id": f"{peer.origin}/mls/1",
                "type": ["Object", "PrivateMessage"],
                "attributedTo": peer.alice,
                "to": owner.uri,
                "mediaType": "message/mls",
                "encoding": "base64",
                "content": "AAECAwQFBgc=",
            },
        },
        to=owner.uri,
        raw="",
    )

    page = owner.wait_for_text("/messages", "Encrypted message, cannot be read here")
    assert "AAECAwQFBgc=" not in page.html


# Pins, groups, quotes, lists


def test_what_alice_pins_stands_on_top(owner: Owner, peer: Peer, friends: str) -> None:
    uri = peer.create({"type": "Note", "content": "<p>What I stand for</p>"}, to=owner.uri)
    owner.wait_for("/home", "What I stand for")
    listing = {"object": uri, "target": f"{peer.alice}/featured", "to": PUBLIC}

    peer.send({"type": "Add", **listing}, to=owner.uri)
    processes.eventually(
        lambda: "Pinned" in owner.get(friends).articles[0].text, "the pinned post on top"
    )
    assert "What I stand for" in owner.get(friends).articles[0].text

    peer.send({"type": "Remove", **listing}, to=owner.uri)
    processes.eventually(lambda: "Pinned" not in owner.get(friends).text, "it is no longer pinned")


def test_alice_reads_what_we_pin(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.publish("What we stand for")
    article = page.article("What we stand for")
    assert article is not None

    owner.act(page, article.row, "pin")

    pinned = peer.tell("items", of=f"{owner.uri}/featured")
    assert [one["id"] for one in pinned] == [owner.uri_of(page)]


def test_a_group_passes_on_what_somebody_wrote(owner: Owner, peer: Peer, friends: str) -> None:
    team = peer.tell("person", **{"as": "team", "name": "The Team", "type": "Group"})
    bob = peer.tell("person", **{"as": "bob", "name": "Bob"})
    _follow(owner, peer, "team")
    uri = peer.put(
        {"type": "Note", "content": "<p>News for the team</p>", "to": [PUBLIC, team]},
        **{"as": "bob"},
    )
    creation = {
        "type": "Create",
        "id": f"{peer.origin}/activities/of-bob",
        "actor": bob,
        "object": uri,
        "to": [PUBLIC, team],
    }

    peer.send(
        {"type": "Announce", "object": creation, "to": PUBLIC}, to=owner.uri, **{"as": "team"}
    )

    article = owner.wait_for("/home", "News for the team")
    assert "in The Team" in article.text
    assert "Bob" in article.text


def test_alice_asks_to_quote_us_and_shows_our_stamp(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.publish("Words worth quoting")
    ours = owner.uri_of(page)
    assert peer.tell("lookup", of=ours)["canQuote"]["automatic"] == [PUBLIC]
    note = {"type": "Note", "content": "<p>Hear, hear</p>", "quote": ours, "to": PUBLIC}
    uri = peer.put(note)

    request = peer.send({"type": "QuoteRequest", "object": ours, "instrument": uri}, to=owner.uri)

    accept = peer.wait_for("Accept", object=request)
    stamp = peer.tell("lookup", of=accept["result"])
    assert stamp["type"] == "QuoteAuthorization"
    assert stamp["author"] == owner.uri
    assert stamp["interactingObject"] == uri
    assert stamp["interactionTarget"] == ours
    peer.create(note | {"id": uri, "quoteAuthorization": accept["result"]}, to=owner.uri)
    quote = owner.wait_for("/home", "Hear, hear")
    processes.eventually(
        lambda: "Words worth quoting" in _text(owner, f"/posts/{quote.row}", "Hear, hear"),
        "our words in what quotes them",
        why_not=lambda: _text(owner, f"/posts/{quote.row}", "Hear, hear"),
    )

    settings = owner.get("/settings/consent")
    (revoke,) = [one for one in settings.actions if one.endswith("/revoke")]
    owner.submit(settings, revoke)
    peer.wait_for("Delete", object=accept["result"])
    assert peer.tell("lookup", of=accept["result"]) is None


def test_we_ask_to_quote_alice_and_show_her_stamp(owner: Owner, peer: Peer, friends: str) -> None:
    policy = {"canQuote": {"automaticApproval": [PUBLIC]}}
    theirs = peer.create(
        {"type": "Note", "content": "<p>Do quote me</p>", "interactionPolicy": policy},
        to=owner.uri,
    )
    row = owner.wait_for("/home", "Do quote me").row

    page = owner.submit(f"/compose?quote={row}", "/compose", source="As Alice says")

    ours = owner.uri_of(page)
    request = peer.wait_for("QuoteRequest", object=theirs)
    assert request["instrument"] == ours
    stamp = peer.put(
        {
            "type": "QuoteAuthorization",
            "interactingObject": ours,
            "interactionTarget": theirs,
        }
    )
    peer.send({"type": "Accept", "object": request["id"], "result": stamp}, to=owner.uri)
    quoting = processes.eventually(
        lambda: [
            one["about"]
            for one in [*peer.arrived("Create"), *peer.arrived("Update")]
            if (one["about"] or {}).get("quoteAuthorization") == stamp
        ],
        "our quote with the stamp",
        why_not=lambda: peer.tell("lookup", of=ours),
    )[0]
    assert quoting["quote"] == theirs
    assert quoting["quoteUrl"] == theirs
    processes.eventually(
        lambda: "Do quote me" in _text(owner, page, "As Alice says"), "the quote on its page"
    )

    peer.send({"type": "Delete", "object": stamp, "to": PUBLIC}, to=owner.uri)
    processes.eventually(
        lambda: "Do quote me" not in _text(owner, page, "As Alice says"),
        "a quote without its stamp shows nothing",
    )


def test_we_take_no_for_an_answer(owner: Owner, peer: Peer, friends: str) -> None:
    policy = {"canQuote": {"manualApproval": [PUBLIC]}}
    theirs = peer.create(
        {"type": "Note", "content": "<p>Ask me first</p>", "interactionPolicy": policy},
        to=owner.uri,
    )
    row = owner.wait_for("/home", "Ask me first").row
    page = owner.submit(f"/compose?quote={row}", "/compose", source="May I?")
    request = peer.wait_for("QuoteRequest", object=theirs)
    before = _text(owner, page, "May I?")

    peer.send({"type": "Reject", "object": request["id"]}, to=owner.uri)

    processes.eventually(
        lambda: _text(owner, page, "May I?") != before, "the page says that it may not be shown"
    )
    assert "Ask me first" not in _text(owner, page, "May I?")


def test_alice_asks_to_reply_and_shows_our_stamp(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.publish("Who has something to say?")
    ours = owner.uri_of(page)
    reply = {"type": "Note", "content": "<p>I do, if I may</p>", "inReplyTo": ours, "to": PUBLIC}
    uri = peer.put(reply)

    request = peer.send(
        {"type": "ReplyRequest", "object": ours, "instrument": uri}, to=owner.uri, whole=""
    )

    accept = peer.wait_for("Accept", object=request)
    stamp = peer.tell("lookup", of=accept["result"])
    assert stamp["type"] == "ReplyAuthorization"
    assert stamp["author"] == owner.uri
    assert stamp["interactingObject"] == uri
    assert stamp["interactionTarget"] == ours


def test_alice_asks_to_list_us(owner: Owner, peer: Peer, friends: str) -> None:
    listed = f"{peer.alice}/friends"
    request = peer.send(
        {
            "@context": [
                "https://www.w3.org/ns/activitystreams",
                {"FeatureRequest": "https://w3id.org/fep/7aa9#FeatureRequest"},
            ],
            "type": "FeatureRequest",
            "object": owner.uri,
            "instrument": listed,
        },
        to=owner.uri,
        raw="",
    )
    owner.wait_for_text("/notifications", "asks to put you into a collection")
    page = owner.get("/settings/consent")
    (agree,) = [one for one in page.actions if one.endswith("/agree")]

    owner.submit(page, agree)

    # Fedify refuses an Accept of what it does not know, so the body is looked at as it came.
    accept = processes.eventually(
        lambda: [
            body
            for body in (json.loads(one["body"]) for one in peer.tell("bodies"))
            if body["type"] == "Accept" and body["object"]["id"] == request
        ],
        "the Accept of the FeatureRequest",
    )[0]
    served = owner.client.get(accept["result"], headers={"accept": "application/activity+json"})
    assert served.status_code == 200
    assert served.json()["type"] == "FeatureAuthorization"
    assert served.json()["interactingObject"] == listed
    assert served.json()["interactionTarget"] == owner.uri


# Reports and blocks


def test_reports_go_both_ways(owner: Owner, peer: Peer, friends: str) -> None:
    page = owner.publish("A post to report")
    ours = owner.uri_of(page)

    peer.send(
        {"type": "Flag", "object": [owner.uri, ours], "content": "Not nice at all"}, to=owner.uri
    )
    shown = owner.wait_for_text("/settings/reports", "Not nice at all")
    assert "A post to report" in shown.text

    uri = peer.create({"type": "Note", "content": "<p>Not nice either</p>"}, to=owner.uri)
    row = owner.wait_for("/home", "Not nice either").row
    owner.submit(f"{friends}/report?post={row}", f"{friends}/report", comment="See", post=row)
    flag = peer.wait_for("Flag")
    assert flag["actor"] == f"{owner.base_url}/actor"
    assert flag["objects"] == [peer.alice, uri]
    assert flag["content"] == "See"


def test_blocks_and_their_undoing_arrive(owner: Owner, peer: Peer, friends: str) -> None:
    peer.tell("person", **{"as": "eve", "name": "Eve"})
    follow_uri = peer.tell("follow", to=owner.uri, **{"as": "eve"})
    peer.wait_for("Accept", object=follow_uri)
    person = _follow(owner, peer, "eve")
    assert "Eve" in owner.get("/followers").text

    block = peer.send({"type": "Block", "object": owner.uri}, to=owner.uri, **{"as": "eve"})

    processes.eventually(
        lambda: "Eve" not in owner.get("/followers").text + owner.get("/following").text,
        "Eve is off both lists",
    )
    peer.tell("undo", id=block, to=owner.uri, **{"as": "eve"})
    _follow(owner, peer, "eve")
    owner.submit(person, f"{person}/unfollow")


def test_our_blocks_and_their_undoing_are_told_if_we_wish(
    owner: Owner, peer: Peer, friends: str
) -> None:
    mallory = peer.tell("person", **{"as": "mallory", "name": "Mallory"})
    person = owner.find(mallory).path
    owner.submit("/settings/blocks", "/settings/blocks/telling", sends_blocks="1")

    owner.submit(f"{person}/block", f"{person}/block")
    block = peer.wait_for("Block", object=mallory)
    assert block["actor"] == owner.uri
    owner.submit(person, f"{person}/unblock")

    undo = processes.eventually(
        lambda: [u for u in peer.arrived("Undo") if (u["about"] or {}).get("id") == block["id"]],
        "the Undo of the Block",
        why_not=lambda: peer.arrived("Undo"),
    )[0]
    assert undo["about"]["type"] == "Block"


def test_an_acceptance_that_is_taken_back_ends_our_following(
    owner: Owner, peer: Peer, friends: str
) -> None:
    hal = peer.tell("person", **{"as": "hal", "name": "Hal"})
    _follow(owner, peer, "hal")
    follow = peer.wait_for("Follow", object=hal)
    acceptance = {"type": "Accept", "actor": hal, "object": follow["id"]}

    peer.send({"type": "Undo", "object": acceptance}, to=owner.uri, **{"as": "hal"})

    processes.eventually(lambda: "Hal" not in owner.get("/following").text, "Hal is off our list")


def test_what_means_nothing_here_is_taken_and_leaves_no_trace(
    owner: Owner, peer: Peer, friends: str
) -> None:
    page = owner.publish("A post for odd things")
    ours = owner.uri_of(page)
    before = owner.get("/notifications").text.count("Alice"), len(peer.tell("bodies"))

    for type_ in ("AnnounceRequest", "Dislike", "Ignore", "Join", "LikeRequest", "Listen", "View"):
        peer.send({"type": type_, "object": ours, "to": owner.uri}, to=owner.uri)
    peer.create({"type": "Note", "content": "<p>After all that</p>"}, to=owner.uri)

    owner.wait_for("/home", "After all that")
    assert owner.get("/notifications").text.count("Alice") == before[0]
    assert len(peer.tell("bodies")) == before[1]


def test_what_alice_forwards_is_believed_for_its_proof(
    owner: Owner, peer: Peer, friends: str
) -> None:
    bob = peer.tell("person", **{"as": "bob", "name": "Bob"})
    page = owner.publish("A post that a neighbour answers")
    note = {  # never served, so nothing but the proof can speak for it
        "type": "Note",
        "id": f"{peer.origin}/things/nowhere",
        "attributedTo": bob,
        "content": "<p>Handed on by Alice</p>",
        "inReplyTo": owner.uri_of(page),
        "to": PUBLIC,
    }
    create = {"type": "Create", "id": f"{peer.origin}/activities/brought", "actor": bob}
    document = peer.tell("prove", create | {"object": note, "to": PUBLIC}, **{"as": "bob"})

    peer.send(document, to=owner.uri, raw="")

    article = owner.wait_for(page.path, "Handed on by Alice")
    assert "Bob" in article.text


# Who else it is for, and what is in it


def test_a_post_for_a_circle_reaches_who_is_in_it(owner: Owner, peer: Peer, friends: str) -> None:
    circle = owner.submit("/circles", "/circles", name="Near ones").path
    owner.submit(circle, f"{circle}/add", person=friends.rpartition("/")[2])
    chosen = f"circle-{circle.rpartition('/')[2]}"

    peer.tell("person", **{"as": "eve"})
    owner.publish("Among a few of us", visibility=chosen)

    arrived = peer.wait_for_note("Create", "Among a few of us")
    (audience,) = arrived["to"]
    assert audience not in (PUBLIC, peer.alice, f"{owner.uri}/followers")
    assert arrived["cc"] == []
    assert peer.tell("lookup", of=arrived["id"]) == arrived
    assert peer.tell("lookup", of=arrived["id"], unsigned="") is None
    assert peer.tell("lookup", of=arrived["id"], **{"as": "eve"}) is None


def test_fedify_reads_our_own_emoji(owner: Owner, peer: Peer, friends: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(file, "PNG")
    owner.submit("/settings/emoji", "/settings/emoji", shortcode="red", picture=file.getvalue())

    owner.publish("Seeing :red: today")

    assert peer.wait_for_note("Create", "Seeing")["emojis"] == [":red:"]


# Moving and leaving


def test_our_follow_moves_along(owner: Owner, peer: Peer, friends: str) -> None:
    old = peer.tell("person", **{"as": "dora", "name": "Dora"})
    _follow(owner, peer, "dora")
    new = peer.tell("person", **{"as": "dora2", "name": "Dora elsewhere", "alias": old})
    peer.tell("person", **{"as": "dora", "successor": new})

    peer.send({"type": "Move", "object": old, "target": new}, to=owner.uri, **{"as": "dora"})

    peer.wait_for("Follow", actor=owner.uri, object=new)
    owner.wait_for_text("/notifications", "has moved to another account")
    processes.eventually(
        lambda: [u for u in peer.arrived("Undo") if (u["about"] or {}).get("object") == old],
        "we follow the old account no longer",
        why_not=lambda: peer.arrived("Undo"),
    )
    owner.wait_for_text("/following", "Dora elsewhere")


def test_a_move_to_somebody_who_knows_nothing_of_it_is_not_believed(
    owner: Owner, peer: Peer, friends: str
) -> None:
    old = peer.tell("person", **{"as": "fay", "name": "Fay"})
    _follow(owner, peer, "fay")
    peer.tell("person", **{"as": "fay", "successor": peer.alice})
    taken = peer.tell("person", **{"as": "gil", "name": "Gil"})

    peer.send({"type": "Move", "object": old, "target": taken}, to=owner.uri, **{"as": "fay"})
    peer.create({"type": "Note", "content": "<p>Still here</p>"}, to=owner.uri, **{"as": "fay"})

    owner.wait_for("/home", "Still here")
    assert peer.arrived("Follow", object=taken) == []
    assert "Fay" in owner.get("/following").text


def test_who_deletes_their_account_is_gone(owner: Owner, peer: Peer, friends: str) -> None:
    carl = peer.tell("person", **{"as": "carl", "name": "Carl"})
    _follow(owner, peer, "carl")
    peer.create({"type": "Note", "content": "<p>Last words</p>"}, to=owner.uri, **{"as": "carl"})
    owner.wait_for("/home", "Last words")

    peer.tell("person", **{"as": "carl", "isGone": "yes"})  # a Tombstone from now on
    peer.send({"type": "Delete", "object": carl, "to": PUBLIC}, to=owner.uri, **{"as": "carl"})

    owner.wait_until_gone("/home", "Last words")
    assert "Carl" not in owner.get("/following").text


def test_our_move_is_told_with_both_accounts(owner: Owner, peer: Peer, friends: str) -> None:
    new = peer.tell("person", **{"as": "olga2", "name": "Olga elsewhere", "alias": owner.uri})
    owner.submit(
        "/settings/moving",
        "/settings/moving/aliases",
        alias=peer.alice,
        password=here.PASSWORD,
        code=owner.recovery_codes.pop(),
    )
    processes.eventually(
        lambda: peer.tell("lookup", of=owner.uri)["aliases"] == [peer.alice], "our alias"
    )
    page = owner.submit("/settings/moving", "/settings/moving/check", target=new)

    owner.submit(
        page,
        "/settings/moving/move",
        password=here.PASSWORD,
        code=owner.recovery_codes.pop(),
    )
    assert peer.arrived("Move", actor=owner.uri) == []
    owner.a_day_later()

    move = peer.wait_for("Move", actor=owner.uri)
    assert move["object"] == owner.uri
    assert move["target"] == new
    assert peer.tell("lookup", of=owner.uri)["successor"] == new


# Documents


def test_fedify_loses_nothing_of_what_we_say(owner: Owner, peer: Peer, friends: str) -> None:
    """Everything that we sent, and what we serve, goes through JSON-LD and Fedify's classes."""
    documents = [json.loads(one["body"]) for one in peer.tell("bodies")]
    accept = {"accept": "application/activity+json"}
    notes = {
        f"{one['about']['id']}{rest}"
        for one in peer.arrived("Create")
        if (one["about"] or {}).get("id")
        for rest in ("", "/activity", "/context", "/replies", "/likes", "/shares")
    }
    rest = ("", "/outbox", "/outbox?page=true", "/followers", "/featured", "/featured_tags")
    addresses = [f"{owner.base_url}/actor", *(f"{owner.uri}{one}" for one in rest), *notes]
    for address in addresses:
        answer = owner.client.get(address, headers=accept)
        if answer.status_code == 200:
            documents.append(answer.json())

    assert {one["type"] for one in documents} >= {
        "Accept",
        "Application",
        "Block",
        "Collection",
        "Create",
        "Delete",
        "Flag",
        "Follow",
        "Move",
        "Note",
        "OrderedCollection",
        "OrderedCollectionPage",
        "Person",
        "Question",
        "QuoteRequest",
        "Undo",
        "Update",
    }
    assert peer.losses(documents) == {FEATURE_REQUEST_IS_UNKNOWN}


def test_all_of_it_was_taken_on_both_sides(peer: Peer, friends: str) -> None:
    theirs = [one["status"] for one in peer.tell("asked") if one["method"] == "POST"]
    ours = [one for one in peer.tell("wire") if one["method"] == "POST"]

    assert set(theirs) == {202}
    # The Accept of a FeatureRequest alone, in both kinds of signature.
    refused = [one["signature"] for one in ours if one["status"] != 202]
    assert refused in ([], ["rfc9421", "cavage"])
    problems = [one for one in peer.tell("problems") if FEATURE_REQUEST_IS_UNKNOWN not in one]
    assert problems == []


def test_the_judge_of_documents_finds_what_is_lost(peer: Peer) -> None:
    document = {
        "@context": ["https://www.w3.org/ns/activitystreams", {"mood": "https://mood.example/"}],
        "id": f"{peer.origin}/nothing",
        "type": "Note",
        "content": "Well",
        "sensitive": True,
        "mood": "sunny",
    }

    assert peer.losses([document]) == {"_:sensitive", "https://mood.example/"}


def test_our_leaving_is_told(owner: Owner, peer: Peer, friends: str) -> None:
    """The last of all: nothing can be done here afterwards."""
    typed = owner.get("/settings/delete").form("/settings/delete").fields | {
        "handle": owner.handle,
        "password": here.PASSWORD,
        "code": owner.recovery_codes.pop(),
    }
    answer = owner.client.post("/settings/delete", data=typed, headers={"Origin": owner.base_url})
    assert "will be deleted" in Page(answer).text
    owner.a_day_later()

    delete = peer.wait_for("Delete", object=owner.uri)

    assert delete["actor"] == owner.uri
    processes.eventually(
        lambda: owner.client.get(owner.uri).status_code == 410, "a gravestone, and nothing else"
    )


def _follow(owner: Owner, peer: Peer, who: str) -> str:
    """Follow somebody of the peer's, and return the path of our page about them."""
    uri = f"{peer.origin}/users/{who}"
    path = owner.follow(uri).path
    owner.wait_for_text(path, "Unfollow")
    peer.wait_for("Follow", actor=owner.uri, object=uri)
    return path


def _text(owner: Owner, page: Page | str, containing: str) -> str:
    """Return what a post says now."""
    article = owner.get(page if isinstance(page, str) else page.path).article(containing)
    return "" if article is None else article.text


def _choice(name: str, votes: int) -> dict[str, Any]:
    replies = {"type": "Collection", "totalItems": votes}
    return {"type": "Note", "name": name, "replies": replies}
