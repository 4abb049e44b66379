"""Documents that other software really wrote: each is read, or refused with a reason."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from microfedi.errors import MalformedDocument
from microfedi.protocol import activities, addressing, loads, parse, webfinger
from microfedi.protocol.vocab import (
    Accept,
    Announce,
    Block,
    Create,
    Delete,
    Flag,
    Follow,
    Like,
    Move,
    Note,
    Undo,
    UnknownActivity,
    Update,
    Visibility,
)

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
FILES = sorted(
    path.relative_to(CORPUS).with_suffix("").as_posix()
    for path in CORPUS.glob("**/*.json")
    if path.parent.name != "vectors"
)


@pytest.fixture(autouse=True)
def _corpus() -> None:
    if not FILES:
        assert os.environ.get("CI") != "true", f"expected the corpus at {CORPUS}"
        pytest.skip(f"the corpus of other servers' documents is not at {CORPUS}")


def load(name: str) -> dict[str, Any]:
    return loads.document((CORPUS / f"{name}.json").read_bytes())


@pytest.mark.parametrize("name", FILES or ["none"])
@pytest.mark.parametrize("read", [activities.read, parse.actor, parse.note, parse.collection])
def test_every_document_is_read_or_refused_with_a_reason(name: str, read: Any) -> None:
    try:
        read(load(name))
    except MalformedDocument as error:
        assert str(error).startswith("expected")  # noqa: PT017


class Seen(NamedTuple):
    """What a person sees in the document."""

    type: str
    author: str
    visibility: Visibility
    text: str
    media: int = 0
    language: str | None = None
    reply_to: str | None = None
    published: datetime | None = None


PUBLIC, UNLISTED = Visibility.PUBLIC, Visibility.UNLISTED

NOTES = {
    "akkoma/corteximplant.net_objects_67d3796c-1645-474d-9bb1-4620ec774fba": Seen(
        "Note",
        "https://corteximplant.net/users/aumetra",
        PUBLIC,
        "https://mas.to/@bascule/112793660647233531",
        media=1,
        language="en",
        published=datetime(2024, 7, 16, 7, 27, 7, 855458, UTC),
    ),
    "bookwyrm/bookwyrm-article": Seen(
        "Article",
        "https://bookwyrm.local/user/TestUser",
        PUBLIC,
        "<p>review</p>",
        media=1,
        published=datetime(2022, 1, 7, 16, 7, 43, 665392, UTC),
    ),
    "fedibird/fedibird_quote_post": Seen(
        "Note",
        "https://fedibird.com/users/noellabo",
        PUBLIC,
        "いつの生まれだシトリン",
        language="ja",
        published=datetime(2022, 1, 22, 2, 7, 16, tzinfo=UTC),
    ),
    "fedify/note": Seen(
        "Note",
        "http://localhost:9101/users/alice",
        PUBLIC,
        "hello",
        published=datetime(2026, 11, 22, 18, 50, 19, 938419, UTC),
    ),
    "friendica/create_page_1": Seen(
        "Note",
        "https://masto.qa.urbanwildlife.biz/users/mastodon",
        PUBLIC,
        "<p>Test post to community</p>",
        language="fr",
        published=datetime(2023, 5, 26, 16, 45, 48, tzinfo=UTC),
    ),
    "friendica/page_2": Seen(
        "Article",
        "https://pirati.ca/profile/heluecht",
        UNLISTED,
        "Hello Lemmy!",
        language="de",
        published=datetime(2022, 3, 24, 4, 23, 44, tzinfo=UTC),
    ),
    "funkwhale/funkwhale_create_audio": Seen(
        "Audio",
        "https://channels.tests.funkwhale.audio/federation/actors/compositions",
        PUBLIC,
        "<p>This is a test Audio for Pleroma.</p>",
        media=1,
        published=datetime(2020, 3, 11, 10, 1, 52, 714918, UTC),
    ),
    "gancio/gancio-event-activity": Seen(
        "Event",
        "https://demo.gancio.org/federation/u/gancio",
        PUBLIC,
        "Colosseo",
        published=datetime(2021, 7, 1, 22, 33, 36, tzinfo=UTC),
    ),
    "ghost/note-create-activity": Seen(
        "Note",
        "https://example.com/user/foo",
        PUBLIC,
        "Note content",
        published=datetime(2025, 1, 1, tzinfo=UTC),
    ),
    "gotosocial/internaltoas_test-note-L635": Seen(
        "Note",
        "http://localhost:8080/users/admin",
        PUBLIC,
        "first post on the instance :rainbow: !",
        media=1,
        language="en",
        published=datetime(2021, 10, 20, 11, 36, 45, tzinfo=UTC),
    ),
    "kroeg/kroeg-array-less-hashtag": Seen("Note", "https://puckipedia.com/", PUBLIC, "test"),
    "lemmy/page_image_and_link": Seen(
        "Page",
        "https://enterprise.lemmy.ml/u/picard",
        PUBLIC,
        "both an image and a link attachment",
        media=1,
        language="fr",
        published=datetime(2021, 2, 26, 12, 35, 34, 292626, UTC),
    ),
    "lotide/create_page_image": Seen(
        "Note",
        "http://ltthostname.local:3334/apub/users/3",
        UNLISTED,
        "",
        media=1,
        published=datetime(2022, 8, 6, 18, 35, 1, 43072, UTC),
    ),
    "mastodon/mastodon-post-activity-contentmap": Seen(
        "Note",
        "http://mastodon.example.org/users/admin",
        PUBLIC,
        "@<span>lain</span>",
        language="en",
        published=datetime(2018, 2, 12, 14, 8, 20, tzinfo=UTC),
    ),
    "mastodon/mastodon_flow_1_update_note": Seen(
        "Note",
        "https://mastodon/users/john",
        PUBLIC,
        "<p>By updating it 🆕</p>",
        language="en",
        published=datetime(2023, 2, 4, 8, 52, 55, tzinfo=UTC),
    ),
    "misskey/misskey.io_8vs6wxufd0": Seen(
        "Note",
        "https://misskey.io/users/83ssedkv53",
        PUBLIC,
        "従量課金だった気がする",
        published=datetime(2022, 1, 21, 16, 37, 12, 663000, UTC),
    ),
    "misskey/misskey.io_notes_9wdc7w599izd0c70": Seen(
        "Note",
        "https://misskey.io/users/7rkrarq81i",
        PUBLIC,
        "Misskey v2024.7.0 is out now!!",
        media=1,
        published=datetime(2024, 7, 31, 11, 38, 15, 549000, UTC),
    ),
    "mitra/create_post": Seen(
        "Note",
        "https://mitra.social/users/test",
        PUBLIC,
        "<p>Remote post 5</p>",
        language="da",
        published=datetime(2026, 7, 12, 19, 30, 38, 521875, UTC),
    ),
    "mobilizon/event": Seen(
        "Event",
        "https://rendezvous.nomagic.uk/@devon_caledonian_society",
        PUBLIC,
        "The dance style is like a posh ceilidh",
        media=1,
        language="en",
        published=datetime(2022, 9, 27, 14, 33, 14, tzinfo=UTC),
    ),
    "peertube/peertube.moe-vid": Seen(
        "Video",
        "https://peertube.moe/accounts/7even",
        PUBLIC,
        "<p>song is 'my old piano' by diana ross</p>",
        media=1,
        published=datetime(2018, 3, 23, 16, 43, 22, 988000, UTC),
    ),
    "peertube/video-object-mpegURL-only": Seen(
        "Video",
        "https://peertube.stream/accounts/createurs",
        PUBLIC,
        "Un regard impertinent et libre",
        media=1,
        language="fr",
        published=datetime(2021, 2, 20, 17, 4, 54, 278000, UTC),
    ),
    "pixelfed/ActivityDtoDeserializationFixtures-create-note-L593": Seen(
        "Note",
        "https://pixelfed.social/users/mczachurski",
        PUBLIC,
        "Extra colours!",
        reply_to="https://gram.social/p/Alice/650350850687790456",
        published=datetime(2024, 1, 10, 7, 13, 25, tzinfo=UTC),
    ),
    "pixelfed/NoteAttachmentTest-note-L20": Seen(
        "Note",
        "https://pixelfed.social/users/dansup",
        PUBLIC,
        "#mazda #zoomzoom",
        media=1,
        published=datetime(2018, 6, 1, 5, 16, 51, tzinfo=UTC),
    ),
    "pleroma/create-pleroma-reply-to-misskey-thread": Seen(
        "Note",
        "https://p.helene.moe/users/helene",
        PUBLIC,
        "meow",
        reply_to="https://mk.absturztau.be/notes/93e7nm8wqg",
        published=datetime(2022, 8, 2, 13, 46, 58, 403996, UTC),
    ),
    "roadhouse/roadhouse-create-activity": Seen(
        "Note",
        "https://macgirvin.com/channel/mike",
        PUBLIC,
        "The Accepts should get through now.",
        reply_to="https://gleasonator.com/objects/102eb097-a18b-4cd5-abfc-f952efcb70bb",
        published=datetime(2022, 2, 2, 4, 41, 46, tzinfo=UTC),
    ),
    "smithereen/note": Seen(
        "Note",
        "https://friends.grishka.me/users/1",
        PUBLIC,
        "<p>So does this federate now?</p>",
        reply_to="https://ds9.lemmy.ml/post/1723",
        published=datetime(2021, 11, 9, 11, 42, 35, tzinfo=UTC),
    ),
    "snac/note": Seen(
        "Note",
        "http://localhost:8001/carol",
        PUBLIC,
        "Hello from snac",
        published=datetime(2026, 11, 22, 19, 3, 19, tzinfo=UTC),
    ),
    "soapbox/soapbox_no_mentions_in_content": Seen(
        "Note",
        "https://gleasonator.com/users/alex",
        UNLISTED,
        "you can control who you reply to",
        media=2,
        reply_to="https://shitposter.club/objects/c686d811-4368-48e1-ba11-82c129f93165",
        published=datetime(2022, 1, 19, 3, 37, 35, 976545, UTC),
    ),
    "wordpress/note": Seen(
        "Note",
        "https://pfefferle.org/author/pfefferle/",
        PUBLIC,
        "<p>Nice! Hello from WordPress!</p>",
        language="en",
        reply_to=("https://socialhub.activitypub.rocks/ap/object/ce040f1ead95964f6dbbf1084b81432d"),
        published=datetime(2024, 4, 30, 15, 21, 13, tzinfo=UTC),
    ),
    "wordpress/wedistribute-create-article": Seen(
        "Article",
        "https://wedistribute.org/wp-json/pterotype/v1/actor/-blog",
        PUBLIC,
        "The days of OStatus are numbered.",
    ),
}


def note_in(doc: dict[str, Any]) -> Note:
    """Return the note that a document is or carries."""
    if doc["type"] not in ("Create", "Update"):
        return parse.note(doc)
    activity = activities.read(doc)
    assert isinstance(activity, Create | Update)
    assert activity.note is not None
    return activity.note


@pytest.mark.parametrize(("name", "seen"), NOTES.items())
def test_a_note_says_what_a_person_reads_in_it(name: str, seen: Seen) -> None:
    note = note_in(load(name))
    visibility = addressing.visibility_of(note.to, note.cc, followers_uri=None, persons=set())

    assert seen.text in note.content
    assert seen == Seen(
        note.type,
        note.attributed_to,
        visibility,
        seen.text,
        len(note.attachments),
        note.language,
        note.in_reply_to,
        note.published,
    )


@pytest.mark.parametrize(
    ("name", "kind", "object_uri"),
    [
        (
            "bovine/munching_cow_delete_1",
            Delete,
            "https://my_domain/activitypub/munchingcow/9c1d3b44-c6f6-4310-9113-a0c3d3208cac",
        ),
        (
            "fep-examples/fep-c0e0-emojireact-L61",
            Like,
            "https://bob.social/objects/57caeb99-424c-4692-b74f-0a6682050932",
        ),
        (
            "gotosocial/internaltoas_test-accept-L1674",
            Accept,
            "https://fossbros-anonymous.io/users/foss_satan/likes/01J1AKRRHQ6MDDQHV0TP716T2K",
        ),
        (
            "lemmy/community-announce_create_page",
            Announce,
            "http://enterprise.lemmy.ml/activities/create/2807c9ec-3ad8-4859-a9e0-28b59b6e499f",
        ),
        (
            "mastodon/mastodon-undo-like-compact-object",
            Undo,
            "http://mastodon.example.org/users/admin#likes/2",
        ),
        (
            "mastodon/undo_follow",
            Undo,
            "https://masto.asonix.dog/1ea87517-63c5-4118-8831-460ee641b2cf",
        ),
        ("lemmy/following-follow", Follow, "http://enterprise.lemmy.ml/c/main"),
        ("lemmy/block-block_user", Block, None),
        ("fedify/like", Like, None),
        ("fedify/delete", Delete, None),
        ("snac/follow", Follow, None),
        ("mastodon/flag", Flag, None),
        ("friendica/dislike_page", UnknownActivity, None),
        ("gotosocial/actors-move-L447", Move, None),
    ],
)
def test_an_activity_is_of_its_kind(name: str, kind: type, object_uri: str | None) -> None:
    activity = activities.read(load(name))

    assert type(activity) is kind
    if object_uri is not None:
        assert getattr(activity, "object_uri", None) == object_uri


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pleroma/poll_attachment", "every key once"),  # "content" twice, with different texts
        ("vernissage-tests/ActivityDtoDeserializationFixtures-delete-L85", "one actor"),
        ("mbin/FollowTest__testFollowMagazine__1", "an https id"),
        ("mastodon/activitypub-person-L646", "an activity, not a Person"),
        ("akkoma/woem.space_notice_AkSIdFhjGIfvmcGK0G", "an activity, not a Note"),
    ],
)
def test_what_is_refused_as_an_activity_says_why(name: str, reason: str) -> None:
    with pytest.raises(MalformedDocument, match=reason):
        activities.read(load(name))


@pytest.mark.parametrize(
    ("name", "uri", "username", "shared_inbox", "rows", "keys"),
    [
        (
            "owncast/converter_test-service-L421",
            "https://owncast.example.org/federation/user/rgh",
            "rgh",
            None,
            1,
            1,
        ),
        (
            "misskey/misskey.io_users_7rkrarq81i",
            "https://misskey.io/users/7rkrarq81i",
            "syuilo",
            "https://misskey.io/inbox",
            1,
            1,
        ),
        (
            "mitra/mitra.social_users_silverpill",
            "https://mitra.social/users/silverpill",
            "silverpill",
            None,
            8,
            2,
        ),
        (
            "peertube/person",
            "https://tilvids.com/accounts/thelinuxexperiment",
            "thelinuxexperiment",
            "https://tilvids.com/inbox",
            0,
            1,
        ),
    ],
)
def test_an_actor_is_who_the_document_says(
    name: str, uri: str, username: str, shared_inbox: str | None, rows: int, keys: int
) -> None:
    actor = parse.actor(load(name))

    assert (actor.uri, actor.preferred_username) == (uri, username)
    assert actor.shared_inbox == shared_inbox
    assert (len(actor.fields), len(actor.keys)) == (rows, keys)


@pytest.mark.parametrize(
    ("name", "handle", "actor_uri"),
    [
        ("gancio/webfinger-gancio-webfinger", "gancio@demo.gancio.org", "federation/u/gancio"),
        ("mastodon/webfinger-mastodon-webfinger", "tcit@social.tcit.fr", "users/tcit"),
        ("peertube/webfinger-peertube-webfinger", "framasoft@framatube.org", "accounts/framasoft"),
        ("snac/webfinger", "carol@localhost:8001", "carol"),
    ],
)
def test_a_webfinger_answer_names_handle_and_actor(name: str, handle: str, actor_uri: str) -> None:
    jrd = load(name)
    found = webfinger.actor_uri_in(jrd)

    assert str(webfinger.subject_of(jrd)) == handle
    assert found is not None
    assert found.split("/", 3)[3] == actor_uri
