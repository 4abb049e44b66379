"""What we send, and that we would understand it."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microfedi.protocol import activities, contexts, loads, parse, render
from microfedi.protocol.vocab import (
    ACTOR_TYPES,
    NOTE_TYPES,
    PUBLIC,
    Accept,
    Activity,
    Actor,
    Add,
    Announce,
    Attachment,
    Block,
    Create,
    Delete,
    Emoji,
    FeatureRequest,
    Field,
    Flag,
    Follow,
    Happening,
    Like,
    Link,
    Mention,
    Move,
    Note,
    Option,
    Policy,
    Poll,
    PublicKey,
    QuoteRequest,
    Reject,
    Remove,
    ReplyRequest,
    Rule,
    Undo,
    UnknownActivity,
    Update,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AS2 = "https://www.w3.org/ns/activitystreams"
ALICE = "https://a.example/users/alice"
BOB = "https://b.example/users/bob"
FOLLOWERS = f"{ALICE}/followers"
ED25519_PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=
-----END PUBLIC KEY-----
"""
ED25519_MULTIBASE = "z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJgvVd"
RSA_PEM = """-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3
6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6
Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw
oYi+1hqp1fIekaxsyQIDAQAB
-----END PUBLIC KEY-----
"""  # the key of draft-cavage-http-signatures-12, appendix C
NOTE = Note(
    uri=f"{ALICE}/notes/1",
    attributed_to=ALICE,
    content="<p>Grüße</p>",
    summary="Flowers",
    sensitive=True,
    url="https://a.example/@alice/1",
    to=(PUBLIC,),
    cc=(FOLLOWERS, BOB),
    in_reply_to="https://b.example/n/9",
    context="https://a.example/contexts/1",
    conversation="https://a.example/contexts/1",
    published=NOON,
    updated=NOON + timedelta(minutes=10),
    language="de",
    source="Grüße",
    attachments=(
        Attachment(
            "https://a.example/media/1.jpg",
            "image/jpeg",
            alt="A rose",
            width=1200,
            height=800,
            blurhash="LIIE|gRj00WB-;j[t7j[4nWBj[Rj",
            focal_point=(0.0, -0.5),
        ),
    ),
    mentions=(Mention(BOB, "@bob@b.example"),),
    hashtags=("grüße",),
    emojis=(Emoji("blob", "https://a.example/media/blob.png"),),
    replies_uri=f"{ALICE}/notes/1/replies",
    likes_uri=f"{ALICE}/notes/1/likes",
    shares_uri=f"{ALICE}/notes/1/shares",
)
ACTOR = Actor(
    uri=ALICE,
    inbox=f"{ALICE}/inbox",
    preferred_username="alice",
    webfinger="alice@example.com",
    name="Alice",
    summary="<p>Hello</p>",
    url="https://a.example/@alice",
    shared_inbox="https://a.example/inbox",
    outbox=f"{ALICE}/outbox",
    followers=FOLLOWERS,
    following=f"{ALICE}/following",
    featured=f"{ALICE}/featured",
    icon="https://a.example/media/a.png",
    icon_alt="Alice, laughing",
    image="https://a.example/media/h.jpg",
    fields=(Field("Site", '<a href="https://alice.example">alice.example</a>'),),
    also_known_as=("https://old.example/users/alice",),
    keys=(
        PublicKey(f"{ALICE}#main-key", ALICE, "rsa", RSA_PEM),
        PublicKey(f"{ALICE}#ed25519-key", ALICE, "ed25519", ED25519_PEM),
    ),
    discoverable=True,
    published=NOON,
)
FOLLOW = Follow(uri=f"{BOB}/follows/1", actor_uri=BOB, object_uri=ALICE)


def test_a_note_is_written_in_full() -> None:
    assert render.note(NOTE) == {
        "id": "https://a.example/users/alice/notes/1",
        "type": "Note",
        "attributedTo": "https://a.example/users/alice",
        "summary": "Flowers",
        "sensitive": True,
        "content": "<p>Grüße</p>",
        "contentMap": {"de": "<p>Grüße</p>"},
        "source": {"content": "Grüße", "mediaType": "text/markdown"},
        "url": "https://a.example/@alice/1",
        "published": "2026-11-22T12:00:00.000Z",
        "updated": "2026-11-22T12:10:00.000Z",
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "cc": ["https://a.example/users/alice/followers", "https://b.example/users/bob"],
        "inReplyTo": "https://b.example/n/9",
        "context": "https://a.example/contexts/1",
        "conversation": "https://a.example/contexts/1",
        "attachment": [
            {
                "type": "Image",
                "mediaType": "image/jpeg",
                "url": "https://a.example/media/1.jpg",
                "name": "A rose",
                "summary": "A rose",
                "width": 1200,
                "height": 800,
                "blurhash": "LIIE|gRj00WB-;j[t7j[4nWBj[Rj",
                "focalPoint": [0.0, -0.5],
            }
        ],
        "tag": [
            {"type": "Mention", "href": "https://b.example/users/bob", "name": "@bob@b.example"},
            {
                "type": "Hashtag",
                "href": "https://a.example/tags/gr%C3%BC%C3%9Fe",
                "name": "#grüße",
            },
            {
                "type": "Emoji",
                "name": ":blob:",
                "icon": {"type": "Image", "url": "https://a.example/media/blob.png"},
            },
        ],
        "replies": "https://a.example/users/alice/notes/1/replies",
        "likes": "https://a.example/users/alice/notes/1/likes",
        "shares": "https://a.example/users/alice/notes/1/shares",
    }


def test_a_bare_note_keeps_its_lists_and_says_nothing_else() -> None:
    assert render.note(Note(uri=f"{ALICE}/notes/2", attributed_to=ALICE, to=(BOB,))) == {
        "id": "https://a.example/users/alice/notes/2",
        "type": "Note",
        "attributedTo": "https://a.example/users/alice",
        "summary": None,
        "sensitive": False,
        "content": "",
        "to": ["https://b.example/users/bob"],
        "cc": [],
        "attachment": [],
        "tag": [],
    }


def test_our_actor_is_written_in_full() -> None:
    doc = render.with_context(render.actor(ACTOR))
    context = doc.pop("@context")
    generator = doc.pop("generator")

    assert [entry for entry in context if isinstance(entry, str)] == [
        "https://www.w3.org/ns/activitystreams",
        "https://w3id.org/security/v1",
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/multikey/v1",
        "https://purl.archive.org/socialweb/webfinger",
    ]
    assert [entry["name"] for entry in generator["implements"]] == [
        "RFC-9421: HTTP Message Signatures",
        "RFC-9421 signatures using the Ed25519 algorithm",
    ]
    assert doc == {
        "id": "https://a.example/users/alice",
        "type": "Person",
        "preferredUsername": "alice",
        "webfinger": "alice@example.com",
        "name": "Alice",
        "summary": "<p>Hello</p>",
        "url": "https://a.example/@alice",
        "published": "2026-11-22T12:00:00.000Z",
        "inbox": "https://a.example/users/alice/inbox",
        "outbox": "https://a.example/users/alice/outbox",
        "followers": "https://a.example/users/alice/followers",
        "following": "https://a.example/users/alice/following",
        "featured": "https://a.example/users/alice/featured",
        "endpoints": {"sharedInbox": "https://a.example/inbox"},
        "manuallyApprovesFollowers": False,
        "discoverable": True,
        "indexable": False,
        "icon": {
            "type": "Image",
            "url": "https://a.example/media/a.png",
            "name": "Alice, laughing",
            "summary": "Alice, laughing",
        },
        "image": {"type": "Image", "url": "https://a.example/media/h.jpg"},
        "attachment": [
            {
                "type": "PropertyValue",
                "name": "Site",
                "value": '<a href="https://alice.example">alice.example</a>',
            }
        ],
        "tag": [],
        "alsoKnownAs": ["https://old.example/users/alice"],
        "publicKey": {
            "id": "https://a.example/users/alice#main-key",
            "owner": "https://a.example/users/alice",
            "publicKeyPem": RSA_PEM,
        },
        "assertionMethod": [
            {
                "id": "https://a.example/users/alice#ed25519-key",
                "type": "Multikey",
                "controller": "https://a.example/users/alice",
                "publicKeyMultibase": ED25519_MULTIBASE,
            }
        ],
    }


def test_the_instance_actor_is_readable_as_an_actor() -> None:
    doc = render.with_context(
        render.instance_actor(
            uri="https://a.example/actor",
            host="a.example",
            base_url="https://a.example",
            key_uri="https://a.example/actor#main-key",
            public_key_pem=RSA_PEM,
        )
    )
    actor = parse.actor(doc)

    assert doc["@context"][:2] == [AS2, "https://w3id.org/security/v1"]
    assert (actor.type, actor.preferred_username) == ("Application", "a.example")
    assert (actor.inbox, actor.shared_inbox) == (
        "https://a.example/actor/inbox",
        "https://a.example/inbox",
    )
    assert actor.manually_approves_followers
    assert [key.uri for key in actor.keys] == ["https://a.example/actor#main-key"]


@pytest.mark.parametrize(
    ("activity", "expected"),
    [
        (FOLLOW, ALICE),
        (
            Accept(uri=f"{ALICE}/a/1", actor_uri=ALICE, object_uri=FOLLOW.uri, follow=FOLLOW),
            {"id": f"{BOB}/follows/1", "type": "Follow", "actor": BOB, "object": ALICE},
        ),
        (
            Reject(uri=f"{ALICE}/a/1", actor_uri=ALICE, object_uri=FOLLOW.uri, follow=FOLLOW),
            {"id": f"{BOB}/follows/1", "type": "Follow", "actor": BOB, "object": ALICE},
        ),
        (
            Undo(uri=f"{BOB}/a/1", actor_uri=BOB, object_uri=FOLLOW.uri, inner=FOLLOW),
            {"id": f"{BOB}/follows/1", "type": "Follow", "actor": BOB, "object": ALICE},
        ),
        (Undo(uri=f"{BOB}/a/1", actor_uri=BOB, object_uri=FOLLOW.uri), FOLLOW.uri),
        (
            Delete(uri=f"{ALICE}/a/1", actor_uri=ALICE, object_uri=NOTE.uri),
            {"id": NOTE.uri, "type": "Tombstone"},
        ),
        (Delete(uri=f"{ALICE}/a/1", actor_uri=ALICE, object_uri=ALICE), ALICE),
        (Announce(uri=f"{ALICE}/a/1", actor_uri=ALICE, object_uri=NOTE.uri), NOTE.uri),
        (Like(uri=f"{ALICE}/a/1", actor_uri=ALICE, object_uri=NOTE.uri), NOTE.uri),
        (Block(uri=f"{ALICE}/a/1", actor_uri=ALICE, object_uri=BOB), BOB),
        (Update(uri=f"{ALICE}/a/1", actor_uri=ALICE, object_uri=NOTE.uri), NOTE.uri),
    ],
)
def test_an_activity_carries_what_others_look_for(activity: Activity, expected: object) -> None:
    doc = render.with_context(render.activity(activity))

    assert doc["@context"] == AS2
    assert doc["object"] == expected
    assert (doc["to"], doc["cc"]) == ([], [])


def test_a_create_carries_the_note_and_its_context() -> None:
    create = Create(
        uri=f"{NOTE.uri}/activity",
        actor_uri=ALICE,
        to=NOTE.to,
        cc=NOTE.cc,
        published=NOON,
        object_uri=NOTE.uri,
        note=NOTE,
    )
    doc = render.with_context(render.activity(create))

    assert doc["object"] == render.note(NOTE)
    assert doc["to"] == ["https://www.w3.org/ns/activitystreams#Public"]
    assert doc["published"] == "2026-11-22T12:00:00.000Z"
    assert doc["@context"][0] == AS2
    terms = doc["@context"][1]
    assert {"sensitive", "Hashtag", "Emoji", "blurhash", "focalPoint", "conversation"} <= set(terms)


def test_an_update_of_the_owner_carries_the_document_given() -> None:
    update = Update(uri=f"{ALICE}/a/1", actor_uri=ALICE, object_uri=ALICE, actor=ACTOR)
    document = render.actor(ACTOR)

    assert render.activity(update)["object"] == document
    assert render.activity(update, actor_document={"id": ALICE})["object"] == {"id": ALICE}
    assert (
        "https://w3id.org/security/v1" in render.with_context(render.activity(update))["@context"]
    )


def test_a_reaction_is_a_like_that_old_readers_understand() -> None:
    like = Like(uri=f"{ALICE}/a/1", actor_uri=ALICE, object_uri=NOTE.uri, content="🔥")
    doc = render.with_context(render.activity(like))

    assert (doc["type"], doc["content"], doc["_misskey_reaction"]) == ("Like", "🔥", "🔥")
    assert "_misskey_reaction" in doc["@context"][1]


def test_what_we_do_not_know_we_do_not_send() -> None:
    with pytest.raises(ValueError, match="Flag"):
        render.activity(UnknownActivity(uri=f"{ALICE}/a/1", actor_uri=ALICE, type="Flag"))


def test_collections_are_counts_ways_or_lists() -> None:
    assert render.collection(FOLLOWERS, 3) == {
        "id": FOLLOWERS,
        "type": "OrderedCollection",
        "totalItems": 3,
    }
    assert render.collection(FOLLOWERS, 3, first=f"{FOLLOWERS}?page=1")["first"] == (
        f"{FOLLOWERS}?page=1"
    )
    assert render.collection(FOLLOWERS, None, items=[BOB], ordered=False) == {
        "id": FOLLOWERS,
        "type": "Collection",
        "items": [BOB],
    }
    assert render.collection_page(
        f"{FOLLOWERS}?page=1", part_of=FOLLOWERS, items=[], next=f"{FOLLOWERS}?page=2"
    ) == {
        "id": f"{FOLLOWERS}?page=1",
        "type": "OrderedCollectionPage",
        "partOf": FOLLOWERS,
        "next": f"{FOLLOWERS}?page=2",
        "orderedItems": [],
    }


def test_a_page_of_notes_brings_the_terms_of_notes() -> None:
    page = render.collection_page(f"{ALICE}/o?p=1", part_of=ALICE, items=[render.note(NOTE)])

    assert render.with_context(page)["@context"][1]["sensitive"] == "as:sensitive"
    assert render.with_context(render.collection(ALICE, 0, items=[]))["@context"] == AS2


def test_a_tombstone_says_when() -> None:
    assert render.tombstone(NOTE.uri, NOON) == {
        "id": NOTE.uri,
        "type": "Tombstone",
        "deleted": "2026-11-22T12:00:00.000Z",
    }


# parse(render(x)) == x

PATHS = st.text("abcxyz0123456789-_~", min_size=1, max_size=12)
URIS = st.builds("https://{}.example/{}".format, st.sampled_from("abc"), PATHS)
HOME = PATHS.map("https://a.example/{}".format)  # a page must be on its note's host
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), max_size=30)
LINES = st.text("abc äß<&\"'😀", max_size=20).map(lambda text: " ".join(text.split()))
TIMES = st.none() | st.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001
    datetime(9998, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000))
LISTS = st.lists(URIS | st.just(PUBLIC), max_size=4, unique=True).map(tuple)
EMOJIS = st.lists(
    st.builds(Emoji, st.text("ab_1", min_size=2, max_size=9), URIS),
    max_size=3,
    unique_by=lambda emoji: emoji.shortcode,
).map(tuple)
ATTACHMENTS = st.builds(
    Attachment,
    url=URIS,
    media_type=st.sampled_from(["", "image/png", "video/mp4", "audio/ogg", "application/pdf"]),
    alt=TEXTS,
    width=st.none() | st.integers(0, 65_535),
    height=st.none() | st.integers(0, 65_535),
    blurhash=st.none() | st.text("LIE|gRj0-;[", min_size=6, max_size=30),
    focal_point=st.none() | st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    duration_s=st.none() | st.integers(1, 600_000_000).map(lambda ms: ms / 1000),
)
RULES = st.none() | st.builds(Rule, LISTS, LISTS)
POLLS = st.builds(
    Poll,
    st.lists(
        st.builds(Option, LINES.filter(bool), st.integers(0, 2**53 - 1)), min_size=1, max_size=4
    ).map(tuple),
    is_multiple=st.booleans(),
    ends=TIMES,
    closed=TIMES,
    voters=st.none() | st.integers(0, 2**53 - 1),
)
HAPPENINGS = st.builds(
    Happening, start=TIMES, end=TIMES, place=LINES, join_url=st.none() | URIS
).filter(lambda one: one != Happening())
MENTIONS = st.lists(
    st.builds(Mention, URIS, LINES), max_size=3, unique_by=lambda mention: mention.href
).map(tuple)


def _as_written(**said: Any) -> Note:
    """Return a note as one is: polls are asked by Questions, only notes have warnings."""
    note = Note(**said)
    has_warning = note.type in ("Note", "Question", "ChatMessage") or note.sensitive
    return dataclasses.replace(
        note,
        summary=note.summary if has_warning and note.summary.strip() != note.name else "",
        poll=note.poll if note.type == "Question" else None,
        happening=note.happening if note.type == "Event" else None,
    )


NOTES = st.builds(
    _as_written,
    uri=HOME,
    attributed_to=URIS,
    type=st.sampled_from(sorted(NOTE_TYPES)),
    content=TEXTS,
    summary=TEXTS,
    name=LINES,
    url=st.none() | HOME,
    to=LISTS.filter(bool),
    cc=LISTS,
    in_reply_to=st.none() | URIS,
    context=st.none() | URIS,
    conversation=st.none() | URIS | st.just("tag:a.example,2026:1"),
    published=TIMES,
    updated=TIMES,
    sensitive=st.booleans(),
    language=st.none() | st.sampled_from(["de", "en", "pt-BR", "zh-Hant-TW"]),
    source=st.none() | TEXTS.filter(bool),
    attachments=st.lists(ATTACHMENTS, max_size=3).map(tuple),
    mentions=MENTIONS,
    hashtags=st.lists(st.text("abcäß1_", min_size=1), max_size=3, unique=True).map(tuple),
    emojis=EMOJIS,
    replies_uri=st.none() | URIS,
    likes_uri=st.none() | URIS,
    shares_uri=st.none() | URIS,
    links=st.lists(st.builds(Link, URIS, LINES), max_size=3, unique_by=lambda link: link.url).map(
        tuple
    ),
    audience=LISTS,
    poll=POLLS,
    happening=HAPPENINGS,
    quote=st.none() | URIS,
    quote_authorization=st.none() | URIS,
    reply_authorization=st.none() | URIS,
    policy=st.none()
    | st.builds(Policy, RULES, RULES, RULES, RULES).filter(lambda one: one != Policy()),
    is_direct=st.booleans(),
)
ACTORS = st.builds(
    Actor,
    uri=HOME,
    inbox=HOME,
    type=st.sampled_from(sorted(ACTOR_TYPES)),
    preferred_username=st.sampled_from(["", "alice", "a.b-c_1"]),
    webfinger=st.sampled_from([None, "alice@a.example", "alice@localhost:8001"]),
    name=LINES,
    summary=TEXTS,
    url=st.none() | HOME,
    shared_inbox=st.none() | HOME,
    outbox=st.none() | URIS,
    followers=st.none() | URIS,
    following=st.none() | URIS,
    featured=st.none() | URIS,
    icon=URIS,
    icon_alt=TEXTS,
    image=st.none() | URIS,
    fields=st.lists(st.builds(Field, LINES.filter(bool), TEXTS), max_size=3).map(tuple),
    emojis=EMOJIS,
    also_known_as=st.lists(URIS, max_size=3, unique=True).map(tuple),
    moved_to=st.none() | URIS,
    keys=st.sampled_from([(), ACTOR.keys, ACTOR.keys[:1], ACTOR.keys[1:]]),
    manually_approves_followers=st.booleans(),
    discoverable=st.booleans(),
    indexable=st.booleans(),
    suspended=st.booleans(),
    memorial=st.booleans(),
    published=TIMES,
    featured_tags=st.none() | URIS,
    hashtags=st.lists(st.text("abcäß1_", min_size=1), max_size=3, unique=True).map(tuple),
    attribution_domains=st.lists(
        st.sampled_from(["a.example", "b-c.example"]), max_size=2, unique=True
    ).map(tuple),
    can_feature=RULES,
)


def heard(doc: dict[str, Any]) -> dict[str, Any]:
    """Return a document as it arrives elsewhere."""
    return loads.document(render.dumps(render.with_context(doc)))


@given(NOTES)
def test_a_note_is_understood_as_it_was_meant(note: Note) -> None:
    assert parse.note(heard(render.note(note))) == note


@given(ACTORS)
def test_an_actor_is_understood_as_it_was_meant(actor: Actor) -> None:
    assert parse.actor(heard(render.actor(actor))) == actor


def any_activity() -> st.SearchStrategy[Activity]:
    """Return any activity that we may send."""

    @st.composite
    def made(draw: st.DrawFn) -> Activity:
        common: dict[str, Any] = {
            "uri": draw(URIS),
            "actor_uri": draw(URIS),
            "to": draw(LISTS),
            "cc": draw(LISTS),
            "published": draw(TIMES),
        }
        simple: Any = draw(st.sampled_from([Follow, Like, Announce, Block, Delete]))
        one = simple(**common, object_uri=draw(URIS))
        follow = Follow(uri=draw(URIS), actor_uri=draw(URIS), object_uri=draw(URIS))
        note, actor = draw(NOTES), draw(ACTORS)
        asks: Any = draw(st.sampled_from([QuoteRequest, ReplyRequest, FeatureRequest]))
        request = asks(
            uri=draw(URIS), actor_uri=draw(URIS), object_uri=draw(URIS), instrument_uri=draw(URIS)
        )
        choices: list[Activity] = [
            one,
            Like(**common, object_uri=note.uri, content=draw(st.sampled_from(["", "🔥"]))),
            Create(**common, object_uri=note.uri, note=note),
            Update(**common, object_uri=note.uri, note=note),
            Update(**common, object_uri=actor.uri, actor=actor),
            Accept(**common, object_uri=follow.uri, follow=follow),
            Reject(**common, object_uri=follow.uri),
            Like(**common, object_uri=note.uri, content=":ab:", emoji=Emoji("ab", draw(URIS))),
            Flag(
                **common,
                object_uris=tuple(draw(st.lists(URIS, min_size=1, max_size=4))),
                content=draw(TEXTS),
            ),
            Move(**common, object_uri=draw(URIS), target_uri=draw(URIS)),
            Add(**common, object_uri=draw(URIS), target_uri=draw(URIS)),
            Remove(**common, object_uri=draw(URIS), target_uri=draw(URIS)),
            QuoteRequest(**common, object_uri=draw(URIS), instrument_uri=note.uri, note=note),
            request,
            Accept(**common, object_uri=request.uri, request=request, result=draw(URIS)),
            Reject(**common, object_uri=request.uri, request=request),
        ]
        if not isinstance(one, Delete):
            choices.append(
                Undo(uri=draw(URIS), actor_uri=one.actor_uri, object_uri=one.uri, inner=one)
            )
        return draw(st.sampled_from(choices))

    return made()


@given(any_activity())
def test_an_activity_is_understood_as_it_was_meant(activity: Activity) -> None:
    assert activities.read(heard(render.activity(activity))) == activity


# Those that readers of JSON-LD bring along: for any other they would have to ask its server.
WELL_KNOWN = {
    "https://www.w3.org/ns/activitystreams",
    "https://w3id.org/security/v1",
    "https://w3id.org/security/data-integrity/v2",
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
    "https://purl.archive.org/socialweb/webfinger",
}


@given(any_activity())
def test_only_well_known_contexts_are_named(activity: Activity) -> None:
    doc = heard(render.activity(activity))

    named = doc["@context"] if isinstance(doc["@context"], list) else [doc["@context"]]
    assert {one for one in named if isinstance(one, str)} <= WELL_KNOWN
    assert {*(one for one in contexts.ACTOR if isinstance(one, str))} <= WELL_KNOWN
