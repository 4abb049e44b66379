"""What a person should see of the documents of the producers from M to Z."""

from tests.corpus.expected import (
    Case,
    Discovery,
    Effect,
    Event,
    Listing,
    Need,
    Person,
    Poll,
    Post,
    Refused,
)

_JOHNS_POST = "https://mastodon/users/john/statuses/9876"
_SOMEBODYS_POSTS = "http://mastodon.example.org/users"
_SOME_MAGAZINE = "https://some-mbin.instance/m/someMag"
_EVENT = "https://rendezvous.nomagic.uk/events/b81c0531-a57c-497d-93ba-af0f8b255498"
_NODEBB = "https://community.nodebb.org"
_TILVIDS = "https://tilvids.com/videos/watch/e7946124-7b72-4ad7-9d22-844a84bb2de1"
_VU = "https://peertube.stream/videos/watch/abece3c3-b9c6-47f4-8040-f3eed8c602e6"
_VU_FILES = (
    "https://peertube.stream/static/streaming-playlists/hls/abece3c3-b9c6-47f4-8040-f3eed8c602e6"
)
_FRIDAY = "df5f464b-be8d-46fb-ad81-2d4c2d1630e3"
_SNAC = "http://localhost:8001/carol"

_ABOUT_A_SERVER = "NodeInfo tells of a server, of no person and no post; nothing here reads it"
_A_TEMPLATE = (
    "a template for tests of others: words in braces stand where its hosts and names should be, "
    "and such an address leads nowhere"
)
_NO_ID = (
    "its id was struck out by those who recorded it; what has no address on its sender's server "
    "can neither be told from another nor be asked for there"
)

CASES: tuple[Case, ...] = (
    Refused(
        file="mastodon/activitypub-person-L646",
        reason="an actor has an inbox (ActivityPub 4.1), else nobody can write to it or follow "
        "it; this one shows in a manual what a proof of identity looked like, and no more",
    ),
    Person(
        file="mastodon/admin-mastdon.example.org",
        uri="http://mastodon.example.org/users/admin",
        handle="@admin@mastodon.example.org",
        fields=(("foo", "bar"), ("foo1", "bar1")),
        icon="https://cdn.niu.moe/accounts/avatars/000/033/323/original/fd7f8ae0b3ffedc9.jpeg",
        banner="https://cdn.niu.moe/accounts/headers/000/033/323/original/850b3448fa5fd477.png",
        link="http://mastodon.example.org/@admin",
        aliases=("http://example.org/users/foo",),
    ),
    Person(
        file="mastodon/case_2-actor_3",
        uri="https://stefanbohacek.online/users/stefan",
        handle="@stefan@stefanbohacek.online",
        name="Stefan Bohacek",
        bio="Husband, father, side project enthusiast: https://stefanbohacek.com/projects Enjoy my "
        "work? Here's how to support it: https://stefanbohacek.com/support-my-work/ "
        "https://FightFascism.glitch.me ✊ He/him. 🗺️ Bratislava ➜ NYC ➜ NJ See also: - "
        "@alttexthalloffame - @FediverseExplorations - @challenges - @botwiki - "
        "https://stefans-creative-bots.glitch.me",
        fields=(
            ("Personal website", "https://stefanbohacek.com"),
            ("Music portfolio", "https://music.stefanbohacek.com"),
            ("Botwiki", "https://botwiki.org/author/stefan"),
            ("GitHub", "https://github.com/stefanbohacek"),
        ),
        icon="https://sbonline.nyc3.digitaloceanspaces.com/accounts/avatars/109/694/346/929/844/"
        "617/original/f4847180e4e3ef0e.jpg",
        banner="https://sbonline.nyc3.digitaloceanspaces.com/accounts/headers/109/694/346/929/844/"
        "617/original/799f8237a271a82e.jpeg",
        link="https://stefanbohacek.online/@stefan",
        aliases=(
            "https://indieweb.social/users/stefanbohacek",
            "https://calckey.social/users/9eiltn091y",
            "https://mastodon.social/users/fourtonfish",
            "https://mastodon.social/users/stefanbohacek",
        ),
    ),
    Refused(file="mastodon/collections-featured", reason=_A_TEMPLATE),
    Effect(
        file="mastodon/flag",
        by="https://mastodon.example/actor",
        what="report",
        on="https://example.com/users/1",
        detail="Please take a look at this user and their posts",
        ours="owner",
    ),
    Effect(
        file="mastodon/mastodon-delete",
        by=f"{_SOMEBODYS_POSTS}/gargron",
        what="deleted",
        on=f"{_SOMEBODYS_POSTS}/gargron/statuses/99620895606148759",
        needs=(
            Need(
                kind="post",
                uri=f"{_SOMEBODYS_POSTS}/gargron/statuses/99620895606148759",
                by=f"{_SOMEBODYS_POSTS}/gargron",
            ),
        ),
    ),
    Refused(file="mastodon/mastodon-nodeinfo20", reason=_ABOUT_A_SERVER),
    Post(
        file="mastodon/mastodon-post-activity-contentmap",
        uri=f"{_SOMEBODYS_POSTS}/admin/statuses/99512778738411822",
        author="@admin@mastodon.example.org",
        # Only the map by language has it.
        text="@lain",
        warning="cw",
        language="en",
        sensitive=True,
        time="2018-02-12T14:08:20Z",
        link="http://mastodon.example.org/@admin/99512778738411822",
        mentions=("http://localtesting.pleroma.lol/users/lain",),
    ),
    Effect(
        file="mastodon/mastodon-undo-like-compact-object",
        by=f"{_SOMEBODYS_POSTS}/admin",
        what="unfavourite",
        ours="post",
        needs=(
            Need(
                kind="like",
                uri=f"{_SOMEBODYS_POSTS}/admin#likes/2",
                by=f"{_SOMEBODYS_POSTS}/admin",
            ),
        ),
    ),
    Post(
        file="mastodon/mastodon_flow_1_update_note",
        uri=_JOHNS_POST,
        author="@john@mastodon",
        text="Creating Test Data!!! :) By updating it 🆕",
        language="en",
        time="2023-02-04T08:52:55Z",
        edited="2023-02-04T08:54:15Z",
        link="https://mastodon/@john/9876",
        needs=(
            Need(
                kind="post",
                uri=_JOHNS_POST,
                by="https://mastodon/users/john",
                time="2023-02-04T08:52:55Z",
            ),
        ),
    ),
    Effect(
        file="mastodon/undo_follow",
        by="https://masto.asonix.dog/users/asonix",
        what="unfollow",
        on="https://ds9.lemmy.ml/c/testcom",
        ours="owner",
        needs=(
            Need(
                kind="follower",
                uri="https://masto.asonix.dog/1ea87517-63c5-4118-8831-460ee641b2cf",
                by="https://masto.asonix.dog/users/asonix",
            ),
        ),
    ),
    Effect(
        file="mastodon/undo_like_page",
        by="https://mastodon.madrid/users/felix",
        what="unfavourite",
        on="https://ds9.lemmy.ml/post/147",
        ours="post",
        needs=(
            Need(
                kind="like",
                uri="https://mastodon.madrid/users/felix#likes/212341",
                by="https://mastodon.madrid/users/felix",
                on="https://ds9.lemmy.ml/post/147",
            ),
        ),
    ),
    Listing(
        file="mastodon/users_mock-masto_closed_following_page",
        uri="http://localhost:4001/users/masto_closed/following?page=1",
        items=(
            "https://testing.uguu.ltd/users/rin",
            "https://patch.cx/users/rin",
            "https://letsalllovela.in/users/xoxo",
            "https://pleroma.site/users/crushv",
            "https://aria.company/users/boris",
            "https://kawen.space/users/crushv",
            "https://freespeech.host/users/cvcvcv",
            "https://pleroma.site/users/picpub",
            "https://pixelfed.social/users/nosleep",
            "https://boopsnoot.gq/users/5c1896d162f7d337f90492a3",
            "https://pikachu.rocks/users/waifu",
            "https://royal.crablettesare.life/users/crablettes",
        ),
        total=152,
        next="http://localhost:4001/users/masto_closed/following?page=2",
    ),
    Discovery(
        file="mastodon/webfinger-mastodon-webfinger",
        handle="@tcit@social.tcit.fr",
        actor="https://social.tcit.fr/users/tcit",
    ),
    Refused(file="mbin/BlockTest__testBlockUser__1", by="https://kbin.test/u/owner", reason=_NO_ID),
    Refused(
        file="mbin/FlagTest__testFlagEntryComment__1",
        by="https://kbin.test/u/reportingUser",
        reason=_NO_ID,
    ),
    Refused(
        file="mbin/FollowTest__testFollowMagazine__1",
        by="https://kbin.test/u/user2",
        reason=_NO_ID,
    ),
    Refused(
        file="mbin/UpdateTest__testUpdateMagazine__1",
        by="https://kbin.test/u/owner",
        reason=_NO_ID,
    ),
    Effect(
        file="mbin/accept",
        by=_SOME_MAGAZINE,
        what="accepted",
        on="https://some-other.instance/u/someUser",
        ours="owner",
        needs=(
            Need(
                kind="asked",
                uri="https://some-other.instance/f/object/c51ea652-e594-4920-a989-f5350f0cec05",
                by=_SOME_MAGAZINE,
            ),
        ),
    ),
    Person(
        file="mbin/instance",
        uri="https://fedia.io/i/actor",
        handle="@fedia.io@fedia.io",
        kind="Application",
        name="Mbin",
        approves_followers=True,
    ),
    Refused(file="misc/nodeinfo-older_versions", reason=_ABOUT_A_SERVER),
    Refused(file="misc/wildebeest-nodeinfo21", reason=_ABOUT_A_SERVER),
    Person(
        file="misskey/aimu-misskey.io",
        uri="https://misskey.io/users/83ssedkv53",
        handle="@aimu@misskey.io",
        name="あいむ",
        bio="わずかな作曲要素 巣穴で独り言 Twitter https://twitter.com/aimu_53 "
        "Soundcloud https://soundcloud.com/aimu-53",
        icon="https://s3.arkjp.net/misskey/webpublic-3f7e93c0-34f5-443c-acc0-f415cb2342b4.jpg",
        banner="https://s3.arkjp.net/misskey/webpublic-2db63d1d-490b-488b-ab62-c93c285f26b6.png",
        link="https://misskey.io/@aimu",
    ),
    Person(
        file="misskey/mametsuko-mk.absturztau.be",
        uri="https://mk.absturztau.be/users/8ozbzjs3o8",
        handle="@mametsuko@mk.absturztau.be",
        name="mametschko",
        bio="nya, ich bin eine Brotperson",
        icon="https://mk.absturztau.be/files/webpublic-3b5594f4-fa52-4548-b4e3-c379ae2143ed",
        banner="https://mk.absturztau.be/files/webpublic-0d03b03d-b14b-4916-ac3d-8a137118ec84",
        link="https://mk.absturztau.be/@mametsuko",
        approves_followers=True,
    ),
    Post(
        file="misskey/misskey.io_8vs6wxufd0",
        uri="https://misskey.io/notes/8vs6wxufd0",
        author="@aimu@misskey.io",
        text="Fantiaこれできないように過去のやつは従量課金だった気がする",
        time="2022-01-21T16:37:12Z",
    ),
    Post(
        file="misskey/misskey.io_notes_9wdc7w599izd0c70",
        uri="https://misskey.io/notes/9wdc7w599izd0c70",
        author="@syuilo@misskey.io",
        text="Misskey v2024.7.0 is out now!! リリースノート 開発に貢献してくださった方々、"
        "ベータ版をテストしてくださった方々、いつも支援してくださっている方々に感謝を申し上げます。"
        "ありがとうございます🙏🙏🙏 Misskeyを気に入っていただけたらぜひ支援をお願いします！"
        "(Misskeyカードもあるよ)",
        media=(
            (
                "image",
                "https://media.misskeyusercontent.com/io/64830759-dd74-47ed-ac69-e03ba2917691.webp",
                "",
            ),
        ),
        time="2024-07-31T11:38:15Z",
    ),
    Person(
        file="misskey/misskey.io_users_7rkrarq81i",
        uri="https://misskey.io/users/7rkrarq81i",
        handle="@syuilo@misskey.io",
        name=":angry_ai::syuilo::angry_ai:",
        bio="帰宅部部長。Misskeyなどのソフトウェアの開発を行っています (運営者ではありません) "
        "#misskey #藍ちゃファンクラブ #わーーーーーーーーーーーーーーー",
        fields=(("写真集", "https://syuilo.dev/photos"),),
        icon="https://media.misskeyusercontent.com/io/274cc4f7-4674-4db1-9439-9fac08a66aa1.png",
        banner="https://media.misskeyusercontent.com/misskey/"
        "361d91a4-da15-4367-a0c7-771569e28ca2.png",
        link="https://misskey.io/@syuilo",
        emojis=("angry_ai", "syuilo"),
    ),
    Post(
        file="misskey/mk.absturztau.be-93e7nm8wqg-activity",
        uri="https://mk.absturztau.be/notes/93e7nm8wqg",
        author="@mametsuko@mk.absturztau.be",
        text="meow",
        time="2022-08-01T11:06:49Z",
    ),
    Post(
        file="mitra/create_post",
        uri="https://mitra.social/objects/019f57cf-693a-77f2-b006-c4c76338956a",
        author="@test@mitra.social",
        text="Remote post 5",
        language="da",
        time="2026-07-12T19:30:38Z",
    ),
    Post(
        file="mitra/mitra.social_01830912-1357-d4c5-e4a2-76eab347e749",
        uri="https://mitra.social/objects/01830912-1357-d4c5-e4a2-76eab347e749",
        author="@silverpill@mitra.social",
        text="FEP-e232 (Object Links) has been accepted into FEP repository: "
        "https://codeberg.org/fediverse/fep/src/branch/main/feps/fep-e232.md "
        'This document has the "DRAFT" status. It is not finalized and still can be updated based '
        "on the feedback from implementers.",
        time="2022-09-04T15:15:23Z",
    ),
    Person(
        file="mitra/mitra.social_users_silverpill",
        uri="https://mitra.social/users/silverpill",
        handle="@silverpill@mitra.social",
        name="silverpill",
        bio="Developer of ActivityPub-based micro-blogging and content subscription platform "
        "Mitra. Working on Fediverse standards: https://codeberg.org/silverpill/feps",
        # Proofs of identity and offers of payment lie among them, which are no rows of a profile.
        fields=(
            ("Code", "https://codeberg.org/silverpill/"),
            ("Matrix", "@silverpill:hackliberty.org"),
            ("XMPP", "silverpill@were.chat"),
            (
                "$XMR",
                "884y9LmsWY7PQNsyR7bJy1dvj91tuF5spVabyCnPk4KfQtSuzFbQobTFC7xSemJgVW1FWAwnJbjTZX5z"
                "ZWbBrfkv62DB62d",
            ),
            ("XMR subscription", "https://mitra.social/@silverpill/subscription"),
            ("PGP", "0541 49E3 0F91 C6D7 8FFA C49C 955F 5A6E 2123 25F0"),
            (
                "OMEMO fingerprint",
                "689a2fb0ec87a9481fb45cb7d8870da6aeb4d8247bd69a39017701133b901f04",
            ),
            ("Matrix (backup)", "@silverpill:poa.st"),
        ),
        icon="https://mitra.social/media/"
        "6a785bf7dd05f61c3590e8935aa49156a499ac30fd1e402f79e7e164adb36e2c.png",
    ),
    Post(
        file="mobilizon/event",
        uri=_EVENT,
        # A group's, which one of its members has written down.
        author="@devon_caledonian_society@rendezvous.nomagic.uk",
        kind="Event",
        title="Caledonian scottish dance class",
        text="£6 each. The dance style is like a posh ceilidh, with some exciting new ways to turn "
        "your partner […] Here's a sample video from when I learned CaledonianDancing at uni. The "
        "cover photo is by Dave Conner CC-BY-2.0.",
        media=(
            (
                "image",
                "https://rendezvous.nomagic.uk/media/"
                "cd75bf2f61b66004fe20af4797f5aa847ae1f9ea1c118f53093d6fc4e51a6045.jpg"
                "?name=devon_caledonian_society%27s%20banner.jpg",
                "Banner",
            ),
        ),
        language="en",
        time="2022-09-27T14:33:14Z",
        edited="2022-09-27T14:39:18Z",
        tags=("dance", "caledonian", "lesson"),
        event=Event(
            start="2022-12-11T19:00:00Z",
            end="2022-12-11T21:00:00Z",
            place="The Kenn Centre, Devon Expressway, EX6 7TW Teignbridge, United Kingdom",
        ),
    ),
    Refused(
        file="mobilizon/mobilizon-event-join-accept",
        by="https://mobilizon.org/@tcit",
        reason="its id lies on another server than the one whose actor speaks; that server has "
        "not said it, and the other one cannot vouch for it",
        status=403,
    ),
    Effect(
        file="mobilizon/mobilizon-join-activity",
        by="http://mobilizon2.test/@admin",
        what="nothing",
        reason="somebody goes to somebody else's event; the owner gives none and is not concerned",
    ),
    Effect(
        file="mobilizon/mobilizon-leave-activity",
        by="http://mobilizon2.test/@admin",
        what="nothing",
        reason="somebody stays away from somebody else's event; the owner is not concerned",
    ),
    Person(
        file="mobilizon/mobilizon.org-user",
        uri="https://mobilizon.org/@tcit",
        handle="@tcit@mobilizon.org",
        name="Thomas Citharel",
        bio="Main profile",
        icon="https://mobilizon.org/media/"
        "3a5f18c058a8193b1febfaf561f94ae8b91f85ac64c01ddf5ad7b251fb43baf5.jpg?name=profil.jpg",
    ),
    Person(
        file="nodebb/case_1-group_actor",
        uri=f"{_NODEBB}/category/30",
        handle="@activitypub@community.nodebb.org",
        kind="Group",
        name="ActivityPub",
        bio="Focused discussion related to ActivityPub integration in NodeBB",
        icon=f"{_NODEBB}/assets/uploads/category/category-30-icon.png",
        link=f"{_NODEBB}/category/30/activitypub",
    ),
    *(
        Post(
            file=file,
            uri=f"{_NODEBB}/post/102840",
            author="@14929@community.nodebb.org",
            title="Is ActivityPub too complicated?",
            text="I thought that if I entered a Fediverse address here, like "
            "'@FrankM@nrw.social,' it would follow that user […] Does this feature need to be "
            "enabled on the Fediverse instance 'nrw.social'? Who can help?",
            media=(
                (
                    "image",
                    f"{_NODEBB}/assets/uploads/files/"
                    "1737616265042-767e2ed4-8089-40ab-92a8-7fb2204b20bd-image.png",
                    "",
                ),
            ),
            time="2025-01-23T07:19:47Z",
            # "#nodebb 4.0" is none: a hashtag ends where its first word does.
            tags=("activitypub",),
            mentions=("https://nrw.social/users/FrankM",),
            shared_by=f"{_NODEBB}/category/30",
        )
        # Passed on by the group: the post itself, and what its author did.
        for file in ("nodebb/case_1-received_1", "nodebb/case_1-received_2")
    ),
    Person(
        file="nodebb/case_2-actor_1",
        uri=f"{_NODEBB}/uid/2",
        handle="@julian@community.nodebb.org",
        name="julian",
        bio="Co-Founder (NodeBB) | Husband 🤷‍♂️ and Dad 🙉 to three | Rock Climber 🧗‍♂️ | "
        "Foodie 🥙 | Conductor 🎵 | Saxophonist 🎷 ✅ Small teams craft better code. 🗨️ Federating "
        "NodeBB with funding from NLNet ♥️🇪🇺",
        # Each is there twice, in two shapes.
        fields=(
            ("Website", "https://nodebb.org"),
            ("Location", "Toronto, Ontario"),
            ("Preferred Editor", "Visual Studio Code"),
        ),
        icon=f"{_NODEBB}/assets/uploads/profile/uid-2/2-profileavatar-1738544541106.jpeg",
        banner=f"{_NODEBB}/assets/uploads/profile/uid-2/2-profilecover-1649468285913.jpeg",
        link=f"{_NODEBB}/user/julian",
    ),
    Person(
        file="nodebb/person",
        uri="https://bb.devnull.land/uid/1",
        handle="@julian@bb.devnull.land",
        name="julian",
        bio="This is a test account for NodeBB ActivityPub Development",
        link="https://bb.devnull.land/user/julian",
    ),
    Person(
        file="osada/https___osada.macgirvin.com_channel_mike",
        uri="https://osada.macgirvin.com/channel/mike",
        handle="@mike@osada.macgirvin.com",
        name="Mike Macgirvin (Osada)",
        icon="https://osada.macgirvin.com/photo/profile/l/2",
    ),
    Person(
        file="owncast/converter_test-service-L421",
        uri="https://owncast.example.org/federation/user/rgh",
        handle="@rgh@owncast.example.org",
        kind="Service",
        name="Rob's Owncast Server",
        bio="linux audio stuff",
        fields=(("Stream", "https://owncast.example.org"),),
        icon="https://owncast.example.org/logo/external",
        banner="https://owncast.example.org/logo/external",
    ),
    Effect(
        file="peertube/announce_video",
        by="https://tilvids.com/video-channels/thelinuxexperiment_channel",
        what="boost",
        on=_TILVIDS,
        needs=(
            Need(
                kind="followed", by="https://tilvids.com/video-channels/thelinuxexperiment_channel"
            ),
            Need(
                kind="post",
                uri=_TILVIDS,
                by="https://tilvids.com/accounts/thelinuxexperiment",
                type="Video",
            ),
        ),
    ),
    Person(
        file="peertube/framatube.org_video-channels_joinpeertube",
        uri="https://framatube.org/video-channels/joinpeertube",
        handle="@joinpeertube@framatube.org",
        kind="Group",
        name="A propos de PeerTube",
        bio="Un logiciel libre pour reprendre le contrôle de vos vidéos",
        # Of two sizes the larger one.
        icon="https://framatube.org/lazy-static/avatars/a2c2ff10-9da6-4c6c-9b25-2e557fa74b66.png",
    ),
    Person(
        file="peertube/https___framatube.org_accounts_framasoft",
        uri="https://framatube.org/accounts/framasoft",
        handle="@framasoft@framatube.org",
        name="Framasoft",
        icon="https://framatube.org/lazy-static/avatars/f73876f5-1d45-4f8a-942a-d3d5d5ac5dc1.png",
    ),
    Post(
        file="peertube/peertube.moe-vid",
        uri=f"https://peertube.moe/videos/watch/{_FRIDAY}",
        # Of the channel and the person: the person.
        author="@7even@peertube.moe",
        kind="Video",
        title="Friday Night",
        text="tfw song is 'my old piano' by diana ross",
        media=(("video", f"https://peertube.moe/static/webseed/{_FRIDAY}-720.mp4", ""),),
        time="2018-03-23T16:43:22Z",
        edited="2018-03-24T16:28:46Z",
        tags=("feels",),
    ),
    Person(
        file="peertube/person",
        uri="https://tilvids.com/accounts/thelinuxexperiment",
        handle="@thelinuxexperiment@tilvids.com",
        name="The Linux Experiment",
        bio="I'm Nick, and I like to tinker with Linux stuff. I'll bumble through distro reviews, "
        "tutorials, and general helpful tidbits and impressions on Linux desktop environments, "
        "applications, and news. You might see a bit of Linux gaming here and there, and some "
        "more personal opinion pieces, but in the end, it's more or less all about Linux and "
        "FOSS ! If you want to stay up to snuff, follow me on Mastodon "
        "@TheLinuxEXP@mastodon.social",
        icon="https://tilvids.com/lazy-static/avatars/bdaa7218-ba3c-43ba-abd3-cfd081394c18.jpg",
    ),
    Post(
        file="peertube/video-object-mpegURL-only",
        uri=_VU,
        author="@createurs@peertube.stream",
        kind="Video",
        title='Vu du 20/02/21 : "Planète Mars 2050"',
        text="Un regard impertinent et libre, orchestré par Patrick Menais et son équipe, sur le "
        "monde de l’image. En avant-première du lundi au samedi à 17h00 sur Facebook, "
        "Twitter et YouTube. Du lundi au samedi à 20h00 sur France 3. "
        "https://www.facebook.com/vufrancetv https://twitter.com/VuFrancetv",
        # Of six sizes of one film the best that goes through this server without stalling.
        media=(
            (
                "video",
                f"{_VU_FILES}/abece3c3-b9c6-47f4-8040-f3eed8c602e6-720-fragmented.mp4",
                "",
            ),
        ),
        language="fr",
        time="2021-02-20T17:04:54Z",
        edited="2021-02-21T20:01:11Z",
        tags=("france3", "lezapping"),
    ),
    Discovery(
        file="peertube/webfinger-peertube-webfinger",
        handle="@framasoft@framatube.org",
        actor="https://framatube.org/accounts/framasoft",
    ),
    Post(
        file="pixelfed/ActivityDtoDeserializationFixtures-create-note-L593",
        uri="https://pixelfed.social/p/mczachurski/650595293594582993",
        author="@mczachurski@pixelfed.social",
        text="Extra colours!",
        reply_to="https://gram.social/p/Alice/650350850687790456",
        time="2024-01-10T07:13:25Z",
        mentions=("https://gram.social/users/Alice",),
    ),
    Post(
        file="pixelfed/NoteAttachmentTest-note-L20",
        uri="https://pixelfed.social/p/dansup/2",
        author="@dansup@pixelfed.social",
        text="This was my first IG post too. #mazda #zoomzoom",
        media=(
            (
                "image",
                "https://pixelfed.social/storage/m/e64c75f2f4e9a621bb7c43ec9b04a165add6493b/"
                "b87fd76cbce4a613a9b9cba20f354709e67caf25/"
                "B4SHeEqWsj5t7qCIRzm7nvfCAtm31J8o12Ji1A2x.jpeg",
                "",
            ),
        ),
        time="2018-06-01T05:16:51Z",
        tags=("mazda", "zoomzoom"),
    ),
    Effect(
        file="pleroma/APAnnounceStrategyTest-announce-L26",
        by="https://pleroma.site/users/pixeldev",
        what="boost",
        on="https://mastodon.social/users/dansup/statuses/100891324792793720",
        needs=(
            Need(kind="followed", by="https://pleroma.site/users/pixeldev"),
            Need(
                kind="post",
                uri="https://mastodon.social/users/dansup/statuses/100891324792793720",
                by="https://mastodon.social/users/dansup",
            ),
        ),
    ),
    Post(
        file="pleroma/create-pleroma-reply-to-misskey-thread",
        uri="https://p.helene.moe/objects/fd5910ac-d9dc-412e-8d1d-914b203296c4",
        author="@helene@p.helene.moe",
        text="@mametsuko meow",
        reply_to="https://mk.absturztau.be/notes/93e7nm8wqg",
        time="2022-08-02T13:46:58Z",
        mentions=("https://mk.absturztau.be/users/8ozbzjs3o8",),
    ),
    Effect(
        file="pleroma/delete",
        by="https://greenish.red/users/vpzom",
        what="deleted",
        on="https://greenish.red/objects/38e2b983-ebf5-4387-9bc2-3b80305469c9",
        needs=(
            Need(
                kind="post",
                uri="https://greenish.red/objects/38e2b983-ebf5-4387-9bc2-3b80305469c9",
                by="https://greenish.red/users/vpzom",
            ),
        ),
    ),
    Effect(
        file="pleroma/follow",
        by="https://mycrowd.ca/users/kinetix",
        what="follow",
        on="https://lemmy.ca/u/kinetix",
        ours="owner",
    ),
    Refused(
        file="pleroma/poll_attachment",
        reason="two keys are there twice with different values (put into it by hand): what one "
        "reader sees in it, the next does not (RFC 7493 2.3)",
        status=400,
    ),
    Listing(
        file="pleroma/users_mock-pleroma_following",
        uri="http://localhost:4001/users/fuser2/following",
        total=267,
        first="http://localhost:4001/users/fuser2/following?page=1",
        next="http://localhost:4001/users/fuser2/following?page=2",
    ),
    Refused(file="pleroma/webfinger-pleroma-webfinger", reason=_A_TEMPLATE),
    Post(
        file="plume/baptiste.gelex.xyz-article",
        uri="https://baptiste.gelez.xyz/~/PlumeDevelopment/this-month-in-plume-june-2018/",
        author="@BaptisteGelez@baptiste.gelez.xyz",
        kind="Article",
        title="This Month in Plume: June 2018",
        text='It has been one month since the last "This Month in Plume" article, so it is time '
        "for another edition of our monthly changelog! Bug Fixes and Security Let's start with the "
        "hidden, but still (very) important changes: bug fixes and security patches. First of "
        "all, @Trinity protected us against two major security flaws, called XSS and CSRF. […] "
        "Polish (thanks to @m4sk1n)) and German (thanks to bitkeks). […] feel free to join our "
        "Matrix room: #plume:disroot.org. Otherwise, as BanjoFox said on the Aardwolf Team "
        "Mastodon account, talking about the project around you is one of the easiest way to help.",
        time="2018-07-10T20:16:24Z",
        mentions=("https://baptiste.gelez.xyz/@/Trinity", "https://baptiste.gelez.xyz/@/kaniini/"),
    ),
    Refused(
        file="podcast-spec/podcast-episode-audio-object",
        reason="a sound that does not say who made it could be put into anybody's mouth",
    ),
    Post(
        file="roadhouse/roadhouse-create-activity",
        uri="https://macgirvin.com/item/ce9ce740-e1cb-4a75-aa4e-9e923555870d",
        author="@mike@macgirvin.com",
        text="The Accepts should get through now. Now to figure out why the comments are failing.",
        reply_to="https://gleasonator.com/objects/102eb097-a18b-4cd5-abfc-f952efcb70bb",
        time="2022-02-02T04:41:46Z",
        mentions=(
            "https://gleasonator.com/users/macgirvin",
            "https://gleasonator.com/users/alex",
        ),
    ),
    Post(
        file="sharkey/grimgreenfo.rest_notes_9wba8k9czodq0075",
        uri="https://grimgreenfo.rest/notes/9wba8k9czodq0075",
        author="@9p6m3t2wmolj08kq@grimgreenfo.rest",
        text="The Bluetooth device is ready to defederate",
        time="2024-07-30T01:07:15Z",
    ),
    Post(
        file="smithereen/note",
        uri="https://friends.grishka.me/posts/66561",
        author="@1@friends.grishka.me",
        text="So does this federate now?",
        reply_to="https://ds9.lemmy.ml/post/1723",
        time="2021-11-09T11:42:35Z",
        mentions=("https://ds9.lemmy.ml/u/nutomic",),
    ),
    Post(
        file="smithereen/smithereen_non_anonymous_poll",
        uri="https://friends.grishka.me/posts/54642",
        author="@1@friends.grishka.me",
        kind="Question",
        title="тестовый опрос",
        text="здесь тоже можно что-то написать отдельно от опроса",
        poll=Poll(
            options=(("тестовый ответ 1", 4), ("тестовый ответ 2", 4), ("тестовый ответ 3", 6)),
            voters=14,
        ),
        time="2021-09-04T00:22:16Z",
    ),
    Effect(
        file="snac/follow",
        by=_SNAC,
        what="follow",
        on="http://localhost:9301/u",
        ours="owner",
    ),
    Post(
        file="snac/note",
        uri=f"{_SNAC}/p/1795374199.112606",
        author="@carol@localhost:8001",
        text="Hello from snac #loopback @alice@localhost:9101 https://example.org/",
        time="2026-11-22T19:03:19Z",
        tags=("loopback",),
    ),
    Listing(
        file="snac/outbox",
        uri=f"{_SNAC}/outbox",
        items=(f"{_SNAC}/p/1795374199.112606/Create",),
        total=1,
    ),
    Discovery(file="snac/webfinger", handle="@carol@localhost:8001", actor=_SNAC),
    Person(
        file="soapbox/macgirvin-gleasonator.com",
        uri="https://gleasonator.com/users/macgirvin",
        handle="@macgirvin@gleasonator.com",
        name="macgirvin",
    ),
    Post(
        file="soapbox/soapbox_no_mentions_in_content",
        uri="https://gleasonator.com/objects/02af65fe-04f8-46bc-9b1e-31dfe76eaffd",
        author="@alex@gleasonator.com",
        text="Haha yeah, you can control who you reply to.",
        media=tuple(
            ("image", f"https://media.gleasonator.com/{name}.png", "")
            for name in (
                "2df1c9cc26c35028db65848143971da0c5a6e04dbd423b194bb018b6c601db9b",
                "22b42b4cddc1aecc7e2d3dc20bcdd66d5c4e44c2bef119de948e95a587e36b66",
            )
        ),
        visibility="unlisted",
        reply_to="https://shitposter.club/objects/c686d811-4368-48e1-ba11-82c129f93165",
        time="2022-01-19T03:37:35Z",
        mentions=(
            "https://lain.com/users/lain",
            "https://shitposter.club/users/coolboymew",
            "https://shitposter.club/users/dielan",
            "https://tuusin.misono-ya.info/users/hakui",
            "https://xyzzy.link/users/fence",
        ),
    ),
    Refused(
        file="vernissage-tests/ActivityDtoDeserializationFixtures-delete-L85",
        reason="two actors do it together, of whom neither lives where its id lies; nobody may "
        "delete an account of another server",
    ),
    Refused(
        file="vernissage-tests/ActivityFlagFixtures-flag-L51",
        reason="its addresses were escaped twice: with backslashes in them they are none, so "
        "nobody has sent it and nobody is reported",
    ),
    Post(
        file="vernissage-tests/NoteDtoDeserializationFixtures-note-L49",
        uri="https://example.org/notes/1",
        author="@alice@example.org",
        text="Sunrise photo.",
        media=(("image", "https://example.org/photos/123.jpg", ""),),
        alone="the object is addressed to nobody; who may read it is said by the activity alone",
    ),
    Post(
        file="wordpress/note",
        uri="https://pfefferle.org?c=148",
        author="@pfefferle@pfefferle.org",
        text="Nice! Hello from WordPress!",
        language="en",
        reply_to="https://socialhub.activitypub.rocks/ap/object/ce040f1ead95964f6dbbf1084b81432d",
        time="2024-04-30T15:21:13Z",
    ),
    Post(
        file="wordpress/wedistribute-create-article",
        uri="https://wedistribute.org/wp-json/pterotype/v1/object/85810",
        author="@blog@wedistribute.org",
        kind="Article",
        title="The end is near: Mastodon plans to drop OStatus support",
        # The whole of it is there, so its abstract is not shown as well.
        text="The days of OStatus are numbered. The venerable protocol has served as a glue "
        "between many different types of servers […] In a Patreon update, Eugen Rochko writes: "
        "...OStatus...has overstayed its welcome in the code...and now that most of the network "
        "uses ActivityPub, it's time for it to go. Eugen Rochko, Mastodon creator The pull request "
        "to remove Pubsubhubbub and Salmon, […] We just hope that the Free Software Foundation's "
        "instance gets updated in time!",
        link="https://wedistribute.org/2019/07/mastodon-drops-ostatus/",
    ),
    Person(
        file="wordpress/wedistribute-user",
        uri="https://wedistribute.org/wp-json/pterotype/v1/actor/-blog",
        handle="@blog@wedistribute.org",
        kind="Organization",
        name="We Distribute",
        bio="Connecting many threads in the federated web. We Distribute is an independent "
        "publication dedicated to the fediverse, decentralization, P2P technologies, and Free "
        "Software!",
        icon="https://wedistribute.org/wp-content/uploads/2019/02/b067de423757a538.png",
        link="https://wedistribute.org/",
    ),
)
