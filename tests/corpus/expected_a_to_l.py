"""What a person should see of the documents of the producers from A to L."""

from tests.corpus.expected import (
    Case,
    Discovery,
    Effect,
    Event,
    Listing,
    Need,
    Person,
    Post,
    Refused,
)

_ALICE_QUOTED = "https://example.com/users/alice/statuses/1"
_TESTCOM = "https://ds9.lemmy.ml/c/testcom"
_HELUECHT = "https://pirati.ca/profile/heluecht"
_HELUECHTS_POST = "https://pirati.ca/objects/ec054ce7-2062-3bfa-8687-ca8313624820"
_BY_A_MODERATOR = (
    "what a moderator does in a community counts when the community itself passes it on; "
    "this came from the moderator alone"
)

CASES: tuple[Case, ...] = (
    Person(
        file="activityrelay/relay",
        uri="https://relay.mastodon.host/actor",
        handle="@relay@relay.mastodon.host",
        kind="Application",
        name="ActivityRelay",
        bio="ActivityRelay bot",
    ),
    Post(
        file="akkoma/corteximplant.net_objects_67d3796c-1645-474d-9bb1-4620ec774fba",
        uri="https://corteximplant.net/objects/67d3796c-1645-474d-9bb1-4620ec774fba",
        author="@aumetra@corteximplant.net",
        text="",
        media=(
            (
                "image",
                "https://media.corteximplant.net/media/"
                "7a2c7bb1c33b92619e0255ac0f567dffa91fb172f2572ac46221c8bb55320f6b.png",
                "Tweet by @birdhustle reading \"PSA: Please always close CyberTruck's tonneau "
                'cover. Some people throw their garbage there by accident." with a picture of '
                "the back of a Cybertruck attached, looking awfully like a dumpster",
            ),
        ),
        language="en",
        quote="https://mas.to/users/bascule/statuses/112793660647233531",
        time="2024-07-16T07:27:07Z",
    ),
    Post(
        file="akkoma/woem.space_notice_AkSIdFhjGIfvmcGK0G",
        uri="https://woem.space/objects/c0e01bcb-29e5-49f2-a5b3-63b7f88a72d1",
        author="@notsludgebomb@woem.space",
        text="Linus Torvalds had wanted to call [Linux] “Freax”, a portmanteau of “free”, “freak”, "
        "and “x” (as an allusion to Unix). can’t believe Linux was supposed to be 𝓯𝓻𝓮𝓪𝓴𝔂 👅",
        language="en",
        time="2024-07-30T12:00:07Z",
    ),
    Post(
        file="bookwyrm/ap_comment",
        uri="https://example.com/user/mouse/comment/6",
        author="@mouse@example.com",
        kind="Comment",
        text="commentary",
        time="2020-05-08T23:45:44Z",
    ),
    Post(
        file="bookwyrm/ap_generated_shelve_note",
        uri="https://example.com/users/rat/generatednote/2567",
        author="@rat@example.com",
        kind="GeneratedNote",
        text="wants to read",
        time="2020-12-16T01:45:19Z",
    ),
    Post(
        file="bookwyrm/bookwyrm-article",
        uri="https://bookwyrm.local/user/TestUser/review/17",
        author="@TestUser@bookwyrm.local",
        kind="Article",
        title='Review of "Death\'s End (The Three-Body Problem)": ab',
        text="review",
        media=(
            (
                "image",
                "https://bookwyrm.local/images/covers/e7a6a777-b3fa-44be-a819-33f3aa5187dd.jpeg",
                "Death's End (The Three-Body Problem) (2018, Head of Zeus)",
            ),
        ),
        time="2022-01-07T16:07:43Z",
        edited="2022-01-07T16:14:08Z",
    ),
    Listing(
        file="bookwyrm/bookwyrm-replies-collection",
        uri="https://bookwyrm.local/user/TestUser/review/17/replies?page=1",
        items=("https://bookwyrm.local/user/TestUser/status/18",),
    ),
    Effect(
        file="bovine/munching_cow_delete_1",
        by="https://my_domain/activitypub/munchingcow",
        what="deleted",
        on="https://my_domain/activitypub/munchingcow/9c1d3b44-c6f6-4310-9113-a0c3d3208cac",
        needs=(
            Need(
                kind="post",
                uri="https://my_domain/activitypub/munchingcow/9c1d3b44-c6f6-4310-9113-a0c3d3208cac",
                by="https://my_domain/activitypub/munchingcow",
            ),
        ),
    ),
    Person(
        file="bridgy-fed/actor",
        uri="https://fed.brid.gy/jk.nipponalba.scot",
        handle="@jk.nipponalba.scot@fed.brid.gy",
        name="J K 🇯🇵🏴󠁧󠁢󠁳󠁣󠁴󠁿",
        icon="https://jk.nipponalba.scot/images/profile.jpg",
        banner="https://jk.nipponalba.scot/images/profile.jpg",
        link="https://fed.brid.gy/r/https://jk.nipponalba.scot",
    ),
    Refused(
        file="bridgy-fed/fc.brid.gy.as2",
        reason="an actor has an inbox (ActivityPub 4.1), else nobody can write to it or follow it; "
        "the file is a draft that its server completes before it is served",
    ),
    Refused(
        file="bridgy-fed/nostr.brid.gy.as2",
        reason="an actor has an inbox (ActivityPub 4.1), else nobody can write to it or follow it; "
        "the file is a draft that its server completes before it is served",
    ),
    Post(
        file="discourse/page",
        uri="https://socialhub.activitypub.rocks/ap/object/1899f65c062200daec50a4c89ed76dc9",
        author="@495843076e9e469fbd35ccf467ae9fb1@socialhub.activitypub.rocks",
        title="Our next meeting",
        # The document ends in the middle of a link, which is therefore none.
        text="Last Meeting Recording "
        "https://us06web.zoom.us/rec/share/4hGBTvgXJPlu8UkjkkxVARypNg5DH0eeaKlIBv71D4G3lokYyrCrg7"
        "cqBCJmL109.FsHYTZDlVvZXrgcn?startTime=1712254114000 "
        "Passcode: z+1*4pUB Minutes To refresh your memory, you can read the minutes of last "
        "week's meeting",
        time="2024-04-13T14:36:19Z",
        link="https://socialhub.activitypub.rocks/t/our-next-meeting/4079/1",
        alone="the object is addressed to nobody; who may read it is said by the activity alone",
    ),
    Person(
        file="fedi-buzz-relay/ActivityDtoDeserializationFixtures-service-L863",
        uri="https://relay.fedi.buzz/tag/52challenge",
        handle="@tag-52challenge@relay.fedi.buzz",
        kind="Service",
        name="#52challenge",
        icon="https://fedi.buzz/assets/favicon48.png",
    ),
    Person(
        file="fedibird/fedibird.com_users_tesaguri",
        uri="https://fedibird.com/users/tesaguri",
        handle="@tesaguri@fedibird.com",
        name="tesaguri 🦀🦝",
        bio="この方はただの例です",
        fields=(
            ("GitHub", "https://github.com/tesaguri"),
            ("Codeberg.org", "https://codeberg.org/tesaguri"),
            ("OpenPGP public key", "openpgp4fpr:293ada14a1cb0b1c2313310110478e598b944aa2"),
            ("Keybase", "https://keybase.io/tesaguri"),
            ("notestock", "https://notestock.osa-p.net/@tesaguri@fedibird.com"),
            ("Matrix", "https://matrix.to/#/@tesaguri:matrix.org"),
        ),
        icon="https://s3.fedibird.com/accounts/avatars/109/709/950/525/789/164/original/"
        "3211640d0b1d76b9.png",
        link="https://fedibird.com/@tesaguri",
        aliases=("https://pawoo.net/users/dmiz",),
    ),
    Post(
        file="fedibird/fedibird_quote_post",
        uri="https://fedibird.com/users/noellabo/statuses/107663670404015196",
        author="@noellabo@fedibird.com",
        text="いつの生まれだシトリン",
        language="ja",
        quote="https://misskey.io/notes/8vsn2izjwh",
        time="2022-01-22T02:07:16Z",
        link="https://fedibird.com/@noellabo/107663670404015196",
    ),
    Effect(
        file="fedify/delete",
        by="http://localhost:9101/users/alice",
        what="deleted",
        on="http://localhost:9101/notes/ed4625fd-2e47-4203-9dab-7ab3026172ef",
        needs=(
            Need(
                kind="post",
                uri="http://localhost:9101/notes/ed4625fd-2e47-4203-9dab-7ab3026172ef",
                by="http://localhost:9101/users/alice",
            ),
        ),
    ),
    Effect(
        file="fedify/follow",
        by="http://localhost:9101/users/alice",
        what="follow",
        on="http://localhost:9301/u",
        ours="owner",
    ),
    Listing(
        file="fedify/followers",
        uri="http://localhost:9101/users/alice/followers",
        items=("http://localhost:9102/users/alice",),
    ),
    Effect(
        file="fedify/like",
        by="http://localhost:9101/users/alice",
        what="favourite",
        on="http://localhost:9101/notes/ed4625fd-2e47-4203-9dab-7ab3026172ef",
        ours="post",
    ),
    Post(
        file="fedify/note",
        uri="http://localhost:9101/notes/ed4625fd-2e47-4203-9dab-7ab3026172ef",
        author="@alice@localhost:9101",
        text="hello",
        time="2026-11-22T18:50:19Z",
        mentions=("http://localhost:9301/u",),
    ),
    Post(
        file="fep-examples/fep-044f-note-L76",
        uri="https://example.com/users/bob/statuses/1",
        author="@bob@example.com",
        text="I am quoting alice's post",
        quote=_ALICE_QUOTED,
    ),
    Effect(
        file="fep-examples/fep-044f-quoteauthorization-L183",
        by="https://example.com/users/alice",
        what="stamp",
        on=_ALICE_QUOTED,
        detail="https://example.org/users/bob/statuses/1",
    ),
    Effect(
        file="fep-examples/fep-044f-quoterequest-L228",
        by="https://example.com/users/bob",
        what="quote request",
        on=_ALICE_QUOTED,
        detail="https://example.com/users/bob/statuses/1",
        ours="post",
    ),
    Refused(
        file="fep-examples/fep-2677-nodeinfo-links-L57",
        reason="NodeInfo tells of a server, of no person and no post; nothing here reads it",
    ),
    Listing(
        file="fep-examples/fep-7888-collection-L240",
        uri="https://domain.example/results-for-your-query",
        items=("https://domain.example/some-object", "https://domain.example/your-object"),
        total=2,
    ),
    Effect(
        file="fep-examples/fep-c0e0-emojireact-L61",
        by="https://alice.social/users/alice",
        what="reaction",
        on="https://bob.social/objects/57caeb99-424c-4692-b74f-0a6682050932",
        detail=":blobwtfnotlikethis:",
        ours="post",
    ),
    Refused(
        file="fep-examples/fep-ef61-person-L141",
        reason="an id that is no https address belongs to no server that could vouch for it, and "
        "its inbox is none that a request can be sent to",
    ),
    Person(
        file="forgejo/shoes.forgejo.madhouse-project.org_api_v1_activitypub_user-id_1",
        uri="https://shoes.forgejo.madhouse-project.org/api/v1/activitypub/user-id/1",
        handle="@algernon@shoes.forgejo.madhouse-project.org",
        name="Gergely Nagy",
        icon="https://shoes.forgejo.madhouse-project.org/avatars/"
        "0eda2e83a694fb1986130c186f0339a049c9abe53dfc9e7c7bc7b3259c836c69",
        link="https://shoes.forgejo.madhouse-project.org/algernon",
    ),
    Post(
        file="friendica/create_page_1",
        uri="https://masto.qa.urbanwildlife.biz/users/mastodon/statuses/110435994705014161",
        author="@mastodon@masto.qa.urbanwildlife.biz",
        text="Test post to community @lemmy_community",
        language="fr",
        time="2023-05-26T16:45:48Z",
        link="https://masto.qa.urbanwildlife.biz/@mastodon/110435994705014161",
        mentions=("https://lemmy.qa.urbanwildlife.biz/c/lemmy_community",),
    ),
    Effect(
        file="friendica/dislike_page",
        by=_HELUECHT,
        what="nothing",
        on=_HELUECHTS_POST,
        reason="nobody here is shown who dislikes what",
        ours="post",
    ),
    Effect(
        file="friendica/like_page",
        by=_HELUECHT,
        what="favourite",
        on=_HELUECHTS_POST,
        ours="post",
    ),
    Post(
        file="friendica/page_1",
        uri="https://pirati.ca/objects/ec054ce7-8062-3c1b-016c-910426317080",
        author="@heluecht@pirati.ca",
        kind="Page",
        title="ISS astronauts perform final spacewalk of Expedition 66",
        text="Expedition 66 astronauts Raja Chari and Matthias Maurer ventured outside the "
        "International Space Station on Wednesday, performing a spacewalk to carry out repairs "
        "and upgrades on the space station.",
        visibility="unlisted",
        language="de",
        time="2022-03-24T07:17:21Z",
        cards=("https://www.nasaspaceflight.com/2022/03/us-eva-80/",),
        mentions=(_TESTCOM,),
    ),
    Post(
        file="friendica/page_2",
        uri="https://pirati.ca/objects/ec054ce7-5162-3bf2-504c-16d024994850",
        author="@heluecht@pirati.ca",
        kind="Article",
        title="From Friendica to Lemmy",
        text="Hello Lemmy!",
        visibility="unlisted",
        language="de",
        time="2022-03-24T04:23:44Z",
        link="https://pirati.ca/display/ec054ce7-5162-3bf2-504c-16d024994850",
        mentions=(_TESTCOM,),
    ),
    Listing(
        file="friendica/users_mock-friendica_following",
        uri="http://localhost:8080/following/fuser3",
        total=32,
    ),
    Post(
        file="funkwhale/funkwhale_create_audio",
        uri="https://channels.tests.funkwhale.audio/federation/music/uploads/"
        "42342395-0208-4fee-a38d-259a6dae0871",
        author="@compositions@channels.tests.funkwhale.audio",
        kind="Audio",
        title="Compositions - Test Audio for Pleroma",
        text="This is a test Audio for Pleroma.",
        media=(
            (
                "audio",
                "https://channels.tests.funkwhale.audio/api/v1/listen/"
                "3901e5d8-0445-49d5-9711-e096cf32e515/"
                "?upload=42342395-0208-4fee-a38d-259a6dae0871&download=false",
                "",
            ),
        ),
        time="2020-03-11T10:01:52Z",
        link="https://channels.tests.funkwhale.audio/library/tracks/74",
        tags=("funkwhale", "test", "tests"),
    ),
    Post(
        file="gancio/gancio-event-activity",
        uri="https://demo.gancio.org/federation/m/1",
        author="@gancio@demo.gancio.org",
        kind="Event",
        title="Demo event",
        text="📍 Colosseo 📅 Wednesday, 14 July (17:30)",
        time="2021-07-01T22:33:36Z",
        link="https://demo.gancio.org/event/demo-event",
        tags=("test",),
        event=Event(
            start="2021-07-14T15:30:57Z",
            end="2021-07-14T16:30:57Z",
            place="Colosseo",
        ),
    ),
    Discovery(
        file="gancio/webfinger-gancio-webfinger",
        handle="@gancio@demo.gancio.org",
        actor="https://demo.gancio.org/federation/u/gancio",
    ),
    Post(
        file="ghost/note-create-activity",
        uri="https://example.com/note/post-123",
        author="@foo@example.com",
        text="Note content",
        time="2025-01-01T00:00:00Z",
        edited="2025-01-15T00:00:00Z",
    ),
    Post(
        file="ghost/note-object",
        uri="https://example.com/note/post-123",
        author="@foo@example.com",
        text="Note content",
        time="2025-01-01T00:00:00Z",
        edited="2025-01-15T00:00:00Z",
    ),
    Post(
        file="ghost/publish-post-create-activity",
        uri="https://example.com/article/456",
        author="@foo@example.com",
        kind="Article",
        title="Post title",
        text="Post content",
        media=(("image", "https://example.com/img/456_feature.jpg", ""),),
        time="2025-01-12T10:30:00Z",
        link="https://example.com/post/456",
    ),
    Post(
        file="ghost/publish-post-update-activity",
        uri="https://example.com/article/post-456",
        author="@foo@example.com",
        kind="Article",
        title="Updated Post Title",
        text="Updated post content",
        # An edit does not move a post in time.
        time="2024-12-31T12:00:00Z",
        edited="2025-01-01T00:00:00Z",
        needs=(
            Need(
                kind="post",
                uri="https://example.com/article/post-456",
                by="https://example.com/user/foo",
                type="Article",
                time="2024-12-31T12:00:00Z",
            ),
        ),
    ),
    Person(
        file="gnusocial/group",
        uri="https://instance.gnusocial.test/actor/21",
        handle="@hackers@instance.gnusocial.test",
        kind="Group",
        name="Hackers!",
        link="https://instance.gnusocial.test/!hackers",
    ),
    Effect(
        file="gnusocial/like_note",
        by="https://another_instance.gnusocial.test/actor/43",
        what="favourite",
        on="https://instance.gnusocial.test/object/note/1337",
        ours="post",
    ),
    Person(
        file="gnusocial/person",
        uri="https://instance.gnusocial.test/actor/42",
        handle="@diogo@instance.gnusocial.test",
        name="Diogo Peralta Cordeiro",
        link="https://instance.gnusocial.test/@diogo",
    ),
    Effect(
        file="gotosocial/actors-move-L447",
        by="https://example.org/users/1happyturtle",
        what="moved",
        on="https://example.org/users/1happyturtle",
        detail="https://another-server.com/users/my_new_account_hurray",
        needs=(
            Need(kind="followed", by="https://example.org/users/1happyturtle"),
            Need(
                kind="moved",
                by="https://example.org/users/1happyturtle",
                on="https://another-server.com/users/my_new_account_hurray",
            ),
        ),
    ),
    Listing(
        file="gotosocial/actors-orderedcollection-L129",
        uri="https://example.org/users/someone/following",
        total=397,
    ),
    Refused(
        file="gotosocial/extractattachments_test-document-L47",
        reason="a picture without an id of its own is a part of a post, and no post is around it",
    ),
    Post(
        file="gotosocial/extractemojis_test-note-L89",
        uri="https://example.org/users/tobi/statuses/01HV11D2BS7M94ZS499VBW7RX5",
        author="@tobi@example.org",
        text="i hear that the GoToSocial devs are anti-capitalists and even shocked gasp "
        "communists :shocked_pikachu: totally unreasonable people",
        emojis=("shocked_pikachu",),
    ),
    Effect(
        file="gotosocial/internaltoas_test-accept-L1674",
        by="http://localhost:8080/users/the_mighty_zork",
        what="nothing",
        on="https://fossbros-anonymous.io/users/foss_satan/likes/01J1AKRRHQ6MDDQHV0TP716T2K",
        reason="it lets somebody else's favourite stand: the owner asked for nothing",
    ),
    Post(
        file="gotosocial/internaltoas_test-note-L635",
        uri="http://localhost:8080/users/admin/statuses/01F8MH75CBF9JFX4ZAD54N0W0R",
        author="@admin@localhost:8080",
        text="hello world! #welcome ! first post on the instance :rainbow: !",
        media=(
            (
                "image",
                "http://localhost:8080/fileserver/01F8MH17FWEB39HZJ76B6VXSKF/attachment/original/"
                "01F8MH6NEM8D7527KZAECTCR76.jpg",
                "Black and white image of some 50's style text saying: Welcome On Board",
            ),
        ),
        language="en",
        time="2021-10-20T11:36:45Z",
        link="http://localhost:8080/@admin/statuses/01F8MH75CBF9JFX4ZAD54N0W0R",
        tags=("welcome",),
        emojis=("rainbow",),
    ),
    Person(
        file="gotosocial/internaltoas_test-person-L268",
        uri="http://localhost:8080/users/the_mighty_zork",
        handle="@the_mighty_zork@localhost:8080",
        name="original zork (he/they)",
        bio="hey yo this is my profile!",
        icon="http://localhost:8080/fileserver/01F8MH1H7YV1Z7D2C8K2730QBF/avatar/original/"
        "01F8MH58A357CV5K7R7TJMSH6S.jpg",
        banner="http://localhost:8080/fileserver/01F8MH1H7YV1Z7D2C8K2730QBF/header/original/"
        "01PFPMWK2FF0D9WMHEJHR07C3Q.jpg",
        link="http://localhost:8080/@the_mighty_zork",
        aliases=("http://localhost:8080/users/1happyturtle",),
        moved_to="http://localhost:8080/users/1happyturtle",
    ),
    Refused(
        file="gotosocial/properties_test-video-L209",
        reason="a film that does not say who made it could be put into anybody's mouth",
    ),
    Refused(
        file="gotosocial/resolve_test-definitely-an-account-muy-lo-L68",
        reason="it has no id and no actor, and its type is a joke",
    ),
    Person(
        file="guppe/guppe-actor",
        uri="https://gup.pe/u/bernie2020",
        handle="@Bernie2020@gup.pe",
        kind="Group",
        name="Bernie2020 group",
        bio="I'm a group about Bernie2020. Follow me to get all the group posts. Tag me to share "
        "with the group. Create other groups by searching for or tagging @yourGroupName@gup.pe",
        icon="https://gup.pe/f/guppe.png",
    ),
    Person(
        file="honk/astointernal_test-person-L575",
        uri="https://honk.example.org/u/honk_user",
        handle="@honk_user@honk.example.org",
        name="honk_user",
        bio="Honk account",
        icon="https://honk.example.org/a?a=https%3A%2F%2Fhonk.example.org%2Fu%2Fhonk_user",
    ),
    Person(
        file="hubzilla/hubzilla-actor",
        uri="https://hub.somaton.com/channel/testc6",
        handle="@testc6@hub.somaton.com",
        name="testc6 lala",
        icon="https://hub.somaton.com/photo/profile/l/33",
    ),
    Discovery(
        # Its subject has no host ("acct:kaniini"); the host that was asked is the one meant.
        file="hubzilla/kaniini-gerzilla.de",
        handle="@kaniini@gerzilla.de",
        actor="https://gerzilla.de/channel/kaniini",
    ),
    Post(
        file="kroeg/kroeg-array-less-hashtag",
        uri="https://puckipedia.com/ur33-818k/note",
        author="@puckipedia@puckipedia.com",
        text="test",
        tags=("test",),
    ),
    Person(
        file="kroeg/puckipedia.com",
        uri="https://puckipedia.com/",
        handle="@puckipedia@puckipedia.com",
        name="HACKER TEEN PUCKIPEDIA 👩‍💻",
        bio="federated hacker teen [she/they]",
        icon="https://puckipedia.com/images/avatar.png",
    ),
    Effect(
        file="lemmy/block-block_user",
        by="http://enterprise.lemmy.ml/u/lemmy_beta",
        what="nothing",
        on="http://ds9.lemmy.ml/u/lemmy_alpha",
        reason="somebody else is banned from a community; the owner is not concerned",
    ),
    Listing(
        file="lemmy/collections-group_followers",
        uri="http://enterprise.lemmy.ml/c/main/followers",
        total=3,
    ),
    Effect(
        file="lemmy/community-add_featured_post",
        by="https://ds9.lemmy.ml/u/lemmy_alpha",
        what="nothing",
        on="https://ds9.lemmy.ml/post/2",
        reason=_BY_A_MODERATOR,
        needs=(
            Need(
                kind="post",
                uri="https://ds9.lemmy.ml/post/2",
                by="https://ds9.lemmy.ml/u/lemmy_beta",
            ),
        ),
    ),
    Post(
        file="lemmy/community-announce_create_page",
        uri="http://enterprise.lemmy.ml/post/7",
        author="@lemmy_beta@enterprise.lemmy.ml",
        kind="Page",
        title="post 4",
        time="2021-11-01T12:11:22Z",
        shared_by="http://enterprise.lemmy.ml/c/main",
    ),
    Effect(
        file="lemmy/community-lock_page",
        by="http://lemmy-alpha:8541/u/lemmy_alpha",
        what="nothing",
        on="http://lemmy-alpha:8541/post/2",
        reason=_BY_A_MODERATOR,
        needs=(
            Need(
                kind="post",
                uri="http://lemmy-alpha:8541/post/2",
                by="http://lemmy-alpha:8541/u/lemmy_beta",
            ),
        ),
    ),
    Effect(
        file="lemmy/community-warn",
        by="http://enterprise.lemmy.ml/u/lemmy_beta",
        what="nothing",
        on="http://voyager.lemmy.ml/post/1541",
        reason="a moderator's words to somebody of another server",
    ),
    Effect(
        file="lemmy/following-follow",
        by="http://ds9.lemmy.ml/u/lemmy_alpha",
        what="follow",
        on="http://enterprise.lemmy.ml/c/main",
        ours="owner",
    ),
    Person(
        file="lemmy/group",
        uri="https://enterprise.lemmy.ml/c/tenforward",
        handle="@tenforward@enterprise.lemmy.ml",
        kind="Group",
        name="Ten Forward",
        bio="Lounge and recreation facility Welcome to the Enterprise!.",
        icon="https://enterprise.lemmy.ml/pictrs/image/waqyZwLAy4.webp",
        banner="https://enterprise.lemmy.ml/pictrs/image/Wt8zoMcCmE.jpg",
    ),
    Post(
        file="lemmy/page_image_and_link",
        uri="https://enterprise.lemmy.ml/post/55999",
        author="@picard@enterprise.lemmy.ml",
        kind="Page",
        title="Post with image and link",
        text="This is a post with both an image and a link attachment",
        media=(("image", "https://enterprise.lemmy.ml/pictrs/image/eOtYb9iEiB.png", ""),),
        language="fr",
        time="2021-02-26T12:35:34Z",
        cards=("https://example.com/some-article",),
    ),
    Effect(
        file="lemmy/voting-like_note",
        by="http://ds9.lemmy.ml/u/lemmy_alpha",
        what="favourite",
        on="http://ds9.lemmy.ml/comment/1",
        ours="post",
    ),
    Post(
        file="lotide/create_page_image",
        uri="http://ltthostname.local:3334/apub/posts/46",
        author="@3@ltthostname.local:3334",
        # The summary says the title again; that warns of nothing.
        title="image",
        media=(("image", "http://ltthostname.local:3334/api/stable/posts/46/href", ""),),
        visibility="unlisted",
        time="2022-08-06T18:35:01Z",
    ),
    Effect(
        file="lotide/delete_note",
        by="https://narwhal.city/users/3",
        what="deleted",
        on="https://narwhal.city/posts/12",
        needs=(
            Need(
                kind="post", uri="https://narwhal.city/posts/12", by="https://narwhal.city/users/3"
            ),
        ),
    ),
    Person(
        file="lotide/person",
        uri="https://narwhal.city/users/3",
        handle="@57H@narwhal.city",
        name="57H",
    ),
)
