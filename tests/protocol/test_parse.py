"""Documents as others write them: lenient about the form, strict about the meaning."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microfedi.errors import MalformedDocument
from microfedi.protocol import activities, media, parse, pieces, shapes
from microfedi.protocol.vocab import (
    PUBLIC,
    Attachment,
    Collection,
    Emoji,
    Field,
    Like,
    Link,
    Mention,
    Note,
    Option,
    Poll,
)
from tests.protocol.documents import BOB, NOTE, a_note, an_activity, data

# Shapes


def test_single_values_are_read_like_lists_of_one() -> None:
    assert parse.note(data("note_of_single_values")) == Note(
        uri="https://b.example/n/1",
        attributed_to=BOB,
        content="<p>Grüße</p>",
        to=(PUBLIC,),
        cc=("https://b.example/users/bob/followers",),
        sensitive=True,
        in_reply_to="https://c.example/n/9",
        hashtags=("grüße",),
        attachments=(
            Attachment(
                url="https://b.example/%C3%A9t%C3%A9.png",
                media_type="image/png",
                alt="Ein Fluss",
                width=640,
                height=480,
                focal_point=(0.0, -1.0),
            ),
        ),
        url="https://b.example/@bob/1",
        published=datetime(2026, 11, 22, 18, 0, 0, 123456, tzinfo=UTC),
    )


def test_a_text_may_stand_in_its_map_only() -> None:
    assert parse.note(data("note_in_a_map_only")) == Note(
        uri="https://b.example/n/2",
        attributed_to=BOB,
        content="<p>Olá</p>",
        summary="aviso",
        language="pt-BR",
        to=(PUBLIC,),
    )


def test_a_video_is_by_the_person_and_carries_itself() -> None:
    assert parse.note(data("video_by_a_person_in_a_channel")) == Note(
        uri="https://v.example/videos/1",
        attributed_to="https://v.example/accounts/ann",
        type="Video",
        name="A walk",
        content="<p>First *line*</p><p>Second &lt;line&gt;</p>",
        language="fr",
        url="https://v.example/w/1",
        to=(PUBLIC,),
        cc=("https://v.example/accounts/ann/followers",),
        attachments=(Attachment("https://v.example/1-480.mp4", "video/mp4"),),
    )


def test_what_is_no_tag_medium_or_address_is_left_out() -> None:
    assert parse.note(data("note_with_links_and_junk")) == Note(
        uri="https://b.example/n/3",
        attributed_to=BOB,
        content="x",
        to=(PUBLIC,),
        emojis=(Emoji("party_blob", "https://b.example/e.png"),),
        mentions=(Mention("https://c.example/users/cleo", "@cleo"),),
        attachments=(Attachment("https://b.example/1.jpg", "image/jpeg"),),
        links=(Link("https://d.example/page"),),
    )


def test_a_page_of_somebody_else_is_what_a_page_is_about() -> None:
    page = data("page_about_another")
    comet = "https://news.example/2026/comet"

    seen = parse.note(page)

    assert seen.url is None
    assert seen.links == (Link(comet, "Comet"), Link("https://sky.example/"))
    assert parse.note(page | {"attachment": []}).links == (Link(comet),)
    picture = {"type": "Image", "mediaType": "image/png", "url": "https://b.example/1.png"}
    assert parse.note(page | {"attachment": [picture]}).links == (Link(comet),)
    # A page of its own, and somebody's post that says to lie elsewhere, are about nothing.
    own = {"url": "https://b.example/@bob/7", "attachment": []}
    assert parse.note(page | own).links == ()
    assert parse.note(page | {"type": "Note", "attachment": []}).links == ()


def test_a_poll_may_say_when_it_was_closed_and_who_voted() -> None:
    assert parse.note(data("poll_that_ended")).poll == Poll(
        options=(Option("Tea", 1), Option("Coffee", 2)),
        closed=datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC),
        voters=3,
    )


def test_an_actor_of_odd_shapes_is_read() -> None:
    actor = parse.actor(data("actor_of_odd_shapes"))

    assert (actor.uri, actor.type, actor.inbox) == (BOB, "Service", f"{BOB}/inbox")
    assert actor.shared_inbox == "https://b.example/inbox"
    assert actor.preferred_username == ""
    assert actor.webfinger == "Bob@b.example"
    assert actor.name == "Bob gnp.exe <b>"
    assert actor.summary == "<p>Hi</p>"
    assert actor.url is None
    assert (actor.icon, actor.icon_alt) == ("https://b.example/120.png", "Bob, laughing")
    assert actor.fields == (Field("Site", '<a href="https://b.example">b</a>'),)
    assert actor.also_known_as == ("https://old.example/users/bob",)
    assert actor.manually_approves_followers
    assert actor.discoverable
    assert not actor.indexable
    assert actor.keys == ()


def test_a_collection_may_bring_its_first_page() -> None:
    outbox = f"{BOB}/outbox"

    assert parse.collection(data("collection_with_a_first_page")) == Collection(
        uri=outbox,
        total=3,
        first=f"{outbox}?page=1",
        first_page=Collection(
            uri=f"{outbox}?page=1",
            part_of=outbox,
            next=f"{outbox}?page=2",
            items=(
                "https://b.example/n/1",
                {"id": "https://b.example/n/2/create", "type": "Create"},
            ),
        ),
    )


def test_of_several_authors_the_one_at_home_counts() -> None:
    note = parse.note(a_note(attributedTo=["https://vic.example/users/alice", BOB]))

    assert note.attributed_to == BOB


@pytest.mark.parametrize(
    "published",
    [
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "99999-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T00:00:00+99:99",
        1795370400,
        "yesterday",
    ],
)
def test_an_impossible_time_is_none(published: object) -> None:
    note = parse.note(a_note(published=published, updated=published))

    assert (note.published, note.updated) == (None, None)


def test_renamed_terms_change_nothing() -> None:
    context = {"actor": "as:attributedTo", "object": "as:target", "p": "https://evil.example/p"}
    doc = an_activity("Like", **{"@context": ["http://169.254.169.254/x", context] * 5000})

    assert activities.read(doc) == Like(uri="https://b.example/a/1", actor_uri=BOB, object_uri=NOTE)


# Limits


def test_lists_are_cut() -> None:
    many = range(10_000)
    note = parse.note(
        a_note(
            to=[f"https://b.example/u/{n}" for n in many] + ["as:Public"],
            tag=[{"type": "Mention", "href": f"https://b.example/u/{n}"} for n in many][:300]
            + [{"type": "Hashtag", "name": f"#t{n}"} for n in many][:300]
            + [
                {"type": "Emoji", "name": f":e{n}:", "icon": {"url": f"https://b.example/{n}"}}
                for n in range(300)
            ],
            attachment=[{"type": "Image", "url": f"https://b.example/{n}"} for n in many],
        )
    )

    assert len(note.to) == parse.MAX_ADDRESSEES
    assert len(note.mentions) == pieces.MAX_MENTIONS
    assert len(note.hashtags) == pieces.MAX_HASHTAGS
    assert len(note.emojis) == pieces.MAX_EMOJIS
    assert len(note.attachments) == media.MAX_ATTACHMENTS


def test_public_survives_the_cut_of_a_list() -> None:
    listed = [f"https://b.example/u/{n}" for n in range(500)] + ["as:Public"]

    assert PUBLIC in parse.note(a_note(to=listed)).to


def test_texts_are_cut() -> None:
    long = "a" * 1_000_000
    note = parse.note(
        a_note(
            content=long,
            summary=long,
            name=long,
            context=long,
            url=f"https://b.example/{long}",
            attachment={"type": "Image", "url": "https://b.example/1", "name": long},
            tag=[
                {"type": "Hashtag", "name": long},
                {"type": "Mention", "href": BOB, "name": long},
            ],
        )
    )

    assert len(note.content) == parse.MAX_CONTENT_CHARS
    assert len(note.summary) == parse.MAX_SUMMARY_CHARS
    assert len(note.name) == parse.MAX_NAME_CHARS
    assert len(note.attachments[0].alt) == media.MAX_ALT_CHARS
    assert len(note.mentions[0].name) == pieces.MAX_MENTION_CHARS
    assert (note.context, note.url, note.hashtags) == (None, None, ())


def test_an_actor_is_cut() -> None:
    long = "a" * 1_000_000
    row = {"type": "PropertyValue", "name": long, "value": long}
    actor = parse.actor(
        {
            "id": BOB,
            "type": "Person",
            "inbox": f"{BOB}/inbox",
            "preferredUsername": long,
            "name": long,
            "summary": long,
            "attachment": [row] * 10_000,
            "alsoKnownAs": [f"https://b.example/{n}" for n in range(10_000)],
        }
    )

    assert actor.preferred_username == ""
    assert len(actor.name) == parse.MAX_NAME_CHARS
    assert len(actor.summary) == parse.MAX_SUMMARY_CHARS
    assert len(actor.fields) == pieces.MAX_FIELDS
    assert len(actor.fields[0].value) == pieces.MAX_FIELD_CHARS
    assert len(actor.also_known_as) == parse.MAX_ALIASES


def test_the_items_of_a_page_are_cut() -> None:
    items = [f"https://b.example/{n}" for n in range(10_000)]
    found = parse.collection({"type": "Collection", "items": items})

    assert len(found.items) == parse.MAX_ITEMS


def test_control_characters_do_not_pass() -> None:
    note = parse.note(a_note(content="a\x0b\x1b[31m\x7f\x85\ufffe\udc00b\tc\nd", name="a\r\n\x08b"))

    assert (note.content, note.name) == ("a[31mb\tc\nd", "a b")


@pytest.mark.parametrize(
    "username",
    ["owner@us.example", "<b>", "a/b", "\u202eeve", "a\nb", "a b", "", "a" * 5000, 7, None],
)
def test_a_username_that_could_be_taken_for_something_else_is_dropped(username: object) -> None:
    doc = {"id": BOB, "type": "Person", "inbox": f"{BOB}/inbox", "preferredUsername": username}

    assert parse.actor(doc).preferred_username == ""


@pytest.mark.parametrize(
    "doc",
    [
        {"type": "Person", "inbox": f"{BOB}/inbox"},
        {"type": "Person", "id": BOB},
        {"type": "Person", "id": BOB, "inbox": "javascript:alert(1)"},
        {"type": "Note", "id": BOB, "inbox": f"{BOB}/inbox"},
        {"id": BOB, "inbox": f"{BOB}/inbox"},
    ],
)
def test_an_actor_needs_a_type_an_id_and_an_inbox(doc: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument):
        parse.actor(doc)


@pytest.mark.parametrize("inbox", ["https://ap.b.example/bob", "https://elsewhere.example/bob"])
def test_an_inbox_may_be_elsewhere_but_no_shared_one(inbox: str) -> None:
    doc = {"type": "Person", "id": BOB, "inbox": inbox}
    actor = parse.actor({**doc, "endpoints": {"sharedInbox": "https://elsewhere.example/inbox"}})
    assert (actor.inbox, actor.shared_inbox) == (inbox, None)
    actor = parse.actor({**doc, "endpoints": {"sharedInbox": "https://ap.b.example/inbox"}})
    assert (actor.inbox, actor.shared_inbox) == (inbox, "https://ap.b.example/inbox")


# Anything at all


KEY_NAMES = """
    @context id type actor object to cc tag attachment url icon image name content contentMap
    summary summaryMap attributedTo inReplyTo published updated sensitive href mediaType width
    focalPoint publicKey publicKeyPem publicKeyMultibase owner endpoints sharedInbox inbox items
    orderedItems first next totalItems source language replies context conversation
    preferredUsername webfinger alsoKnownAs movedTo assertionMethod as:sensitive
"""
WORD_LIST = """
    as:Public Create Update Undo Accept Follow Like Note Video Person Collection Mention Hashtag
    Emoji Image PropertyValue Link Multikey z6Mk :ab: #x text/plain 2026-11-22T18:00:00Z
"""
KEYS = st.sampled_from(KEY_NAMES.split())
WORDS = st.sampled_from([BOB, NOTE, *WORD_LIST.split()])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=6)
        | st.fixed_dictionaries({"type": WORDS, "id": WORDS, "object": inner, "actor": WORDS})
    ),
    max_leaves=25,
)


@given(st.dictionaries(KEYS, ANYTHING, max_size=10))
@pytest.mark.parametrize("read", [activities.read, parse.actor, parse.note, parse.collection])
def test_any_json_is_read_or_refused(read: Any, doc: dict[str, Any]) -> None:
    for given_doc in (doc, {"id": NOTE, "actor": BOB, "attributedTo": BOB, "inbox": BOB, **doc}):
        try:
            read(given_doc)
        except MalformedDocument as error:
            assert str(error)  # noqa: PT017


@given(ANYTHING)
def test_any_value_has_a_shape(value: object) -> None:
    assert isinstance(shapes.as_list(value), list)
    assert shapes.id_of(value) is None or isinstance(shapes.id_of(value), str)
    assert json.dumps(shapes.text(value, 100)).isascii()
    assert parse.keys({"publicKey": value, "assertionMethod": value}) == ()
