"""What others did: exactly one meaning for each document, or none."""

from typing import Any

import pytest

from microfedi.errors import MalformedDocument
from microfedi.protocol import activities, kinds, parse
from microfedi.protocol.vocab import (
    PUBLIC,
    Accept,
    Add,
    Announce,
    Block,
    Create,
    Delete,
    Encrypted,
    FeatureRequest,
    Flag,
    Follow,
    Like,
    Lock,
    Move,
    Note,
    QuoteRequest,
    Reject,
    Remove,
    ReplyRequest,
    Undo,
    UnknownActivity,
    Update,
)
from tests.protocol.documents import ALICE, BOB, NOTE, a_note, an_activity, data


def test_an_accept_may_hold_a_follow_whose_id_says_nothing() -> None:
    follow = Follow(uri="", actor_uri=ALICE, object_uri=BOB)

    assert activities.read(data("accept_of_a_follow_without_id")) == Accept(
        uri="https://b.example/accepts/1", actor_uri=BOB, object_uri=None, follow=follow
    )


def test_what_a_group_passes_on_is_read_as_a_hint() -> None:
    announce = activities.read(data("announce_of_a_whole_activity"))

    assert isinstance(announce, Announce)
    assert announce.actor_uri == "https://l.example/c/main"
    assert announce.object_uri == "https://m.example/create/1"
    assert isinstance(announce.inner, Create)
    assert announce.inner.actor_uri == "https://m.example/u/max"
    assert announce.inner.object_uri == "https://m.example/post/1"


def test_a_note_may_be_addressed_by_its_create_only() -> None:
    create = activities.read(data("create_addressed_outside_only"))

    assert isinstance(create, Create)
    assert create.note == Note(
        uri="https://b.example/n/4",
        attributed_to=BOB,
        type="Article",
        name="Long",
        content="<p>Read</p>",
        source="Read",
        to=(PUBLIC,),
        cc=(f"{BOB}/followers",),
    )


def test_an_update_of_some_fields_has_to_be_fetched() -> None:
    update = activities.read(data("update_of_some_fields"))

    assert isinstance(update, Update)
    assert (update.object_uri, update.actor, update.note) == (BOB, None, None)


def test_a_reaction_is_a_like_with_content() -> None:
    assert activities.read(data("reaction")) == Like(
        uri="https://b.example/likes/1",
        actor_uri=BOB,
        object_uri=f"{ALICE}/notes/1",
        content="🔥",
    )


TOLD_APART: list[tuple[dict[str, Any], type]] = [
    (an_activity("Follow", ALICE), Follow),
    (an_activity("Accept"), Accept),
    (an_activity("Reject"), Reject),
    (an_activity("Undo"), Undo),
    (an_activity("Create"), Create),
    (an_activity("Update"), Update),
    (an_activity("Delete", {"type": "Tombstone", "id": NOTE}), Delete),
    (an_activity("Delete", a_note()), Delete),
    (an_activity("Delete", BOB), Delete),
    (an_activity("Like"), Like),
    (an_activity("EmojiReact"), Like),
    (an_activity("Announce", a_note()), Announce),
    (an_activity("Block", ALICE), Block),
    (an_activity("as:Like"), Like),
    (an_activity("https://www.w3.org/ns/activitystreams#Like"), Like),
    (an_activity(["Like", "https://example.org/Thing"]), Like),
    (an_activity("Like", [NOTE]), Like),
    (an_activity("Like", actor=[{"id": BOB, "type": "Person"}]), Like),
    (an_activity("Flag", [BOB, NOTE]), Flag),
    (an_activity("Create", {"type": "PrivateMessage", "id": NOTE}), Create),
    (an_activity("Move", target=ALICE), Move),
    (an_activity("Add", target=ALICE), Add),
    (an_activity("Remove", target=ALICE), Remove),
    (an_activity("Lock"), Lock),
    (an_activity("QuoteRequest", instrument=NOTE), QuoteRequest),
    (an_activity("ReplyRequest", instrument=NOTE), ReplyRequest),
    (an_activity("FeatureRequest", instrument=NOTE), FeatureRequest),
    (an_activity("Update", {"type": "Tombstone", "id": NOTE}), UnknownActivity),
    (an_activity("__init__"), UnknownActivity),
    (an_activity("activity"), UnknownActivity),
]


@pytest.mark.parametrize(("doc", "expected"), TOLD_APART)
def test_activities_are_told_apart_by_a_fixed_table(doc: dict[str, Any], expected: type) -> None:
    assert type(activities.read(doc)) is expected


def test_every_activity_that_has_a_name_is_read() -> None:
    # A name that nothing reads would be refused, instead of being taken as unknown.
    assert {kinds.type_of(doc) for doc, kind in TOLD_APART if kind is not UnknownActivity} == {
        *kinds.ACTIVITY_TYPES
    }


def test_an_unknown_activity_needs_no_id() -> None:
    doc = {"type": "Ponder", "actor": BOB, "object": NOTE}

    assert activities.read(doc) == UnknownActivity(uri="", actor_uri=BOB, type="Ponder")


def test_an_add_needs_no_id_but_a_target() -> None:
    doc = {"type": "Add", "actor": BOB, "object": NOTE, "target": f"{BOB}/featured"}

    assert activities.read(doc) == Add(
        uri="", actor_uri=BOB, object_uri=NOTE, target_uri=f"{BOB}/featured"
    )
    with pytest.raises(MalformedDocument):
        activities.read({**doc, "target": None})


def test_of_what_is_encrypted_only_the_envelope_is_read() -> None:
    doc = an_activity("Create", {"type": ["Object", "PrivateMessage"], "id": NOTE, "to": ALICE})

    found = activities.read(doc)

    assert isinstance(found, Create)
    assert found.note is None
    assert found.encrypted == Encrypted(NOTE, "PrivateMessage", BOB, to=(ALICE,))


@pytest.mark.parametrize(
    "doc",
    [
        {},
        an_activity(None),
        an_activity([]),
        an_activity(7),
        an_activity({"id": "Create"}),
        an_activity(""),
        an_activity("Create\n"),
        an_activity("C" * 10_000),
        an_activity(["Create", "Delete"]),
        an_activity(["Create", "Note"]),
        an_activity("Note"),
        an_activity("Person"),
        an_activity("Collection"),
        an_activity("Like", id=None),
        an_activity("Like", id=7),
        an_activity("Like", id="urn:uuid:1"),
        an_activity("Like", id="https://b.example/" + "a" * 1_000_000),
        an_activity("Add", id=7),
        an_activity("Like", actor=None),
        an_activity("Like", actor=[]),
        an_activity("Like", actor=[BOB, ALICE]),
        an_activity("Like", actor={"name": "Bob"}),
        an_activity("Like", actor={"id": [BOB]}),
        an_activity("Like", None),
        an_activity("Like", 7),
        an_activity("Like", []),
        an_activity("Like", [NOTE, NOTE]),
        an_activity("Like", {"object": NOTE}),
        an_activity("Like", {"@id": NOTE}),
        an_activity("Create", {"type": "Note", "content": "no id", "attributedTo": BOB}),
        an_activity("Create", {"type": "Link", "href": NOTE}),
        an_activity("Create", {"type": "Collection", "items": [a_note()]}),
        an_activity("Create", a_note(attributedTo=7)),
        an_activity("Create", a_note(attributedTo=[])),
        an_activity("Create", a_note(attributedTo={"name": "Bob"})),
        an_activity("Accept", {"type": "Follow", "object": BOB}),
        an_activity("Undo", {"type": "Like", "object": 7}),
        an_activity("Undo", {"type": "Like", "actor": ALICE, "object": NOTE}),
    ],
)
def test_what_could_be_meant_in_two_ways_or_none_is_refused(doc: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument):
        activities.read(doc)


def test_an_inline_note_keeps_its_own_id_and_author() -> None:
    victim, theirs = "https://vic.example/users/alice", "https://vic.example/notes/1"
    create = activities.read(an_activity("Create", a_note(id=theirs, attributedTo=victim)))

    assert isinstance(create, Create)
    assert create.note is not None
    assert (create.actor_uri, create.object_uri) == (BOB, theirs)
    assert (create.note.uri, create.note.attributed_to) == (theirs, victim)


def test_a_note_without_author_is_by_whoever_creates_it_but_by_nobody_when_fetched() -> None:
    doc = {"id": NOTE, "type": "Note", "content": "Hi"}
    create = activities.read(an_activity("Create", doc))

    assert isinstance(create, Create)
    assert create.note is not None
    assert create.note.attributed_to == BOB
    with pytest.raises(MalformedDocument, match="an author"):
        parse.note(doc)


def test_what_is_undone_is_read_if_it_was_sent_along() -> None:
    undo = activities.read(an_activity("Undo", {"type": "Like", "actor": BOB, "object": NOTE}))

    inner = Like(uri="", actor_uri=BOB, object_uri=NOTE)
    assert undo == Undo(uri="https://b.example/a/1", actor_uri=BOB, object_uri=None, inner=inner)


def test_an_undo_inside_an_undo_is_only_its_id() -> None:
    inner = {"id": "https://b.example/a/0", "type": "Undo", "actor": BOB, "object": NOTE}
    undo = activities.read(an_activity("Undo", inner))

    assert isinstance(undo, Undo)
    assert (undo.object_uri, undo.inner) == ("https://b.example/a/0", None)
