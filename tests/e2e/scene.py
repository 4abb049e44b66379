"""A small world with something on every page: for looking at it, and for testing how it looks."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, expect

from tests.e2e import browsing, processes
from tests.e2e.browsing import Person


@dataclass(frozen=True, slots=True)
class View:
    """A page to look at. `type_in` is filled into fields (by label) and sent with the button."""

    name: str
    url: str
    who: Literal["owner", "stranger"] = "owner"
    status: int = 200
    type_in: tuple[tuple[str, str], ...] = ()
    button: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """Alice, from whose seat we look, and all there is to see."""

    alice: Person
    views: tuple[View, ...]


@contextlib.contextmanager
def built(browser: Browser, directory: Path) -> Iterator[Scene]:
    """Run servers of people who know each other, and one that nobody lives on yet."""
    with (
        processes.running(directory / "alice", "alice") as at_alice,
        processes.running(directory / "bob", "bob") as at_bob,
        processes.running(directory / "carol", "carol") as at_carol,
        processes.running(directory / "new", "new") as at_nobody,
    ):
        alice = Person(browser, at_alice, "Alice Moreau")
        bob = Person(browser, at_bob, "Bob Okafor")
        carol = Person(browser, at_carol, "Carol Lindqvist")
        for person, colour in ((alice, "#7a5c8e"), (bob, "#2e6f75"), (carol, "#96493c")):
            face = directory / f"{person.handle}.png"
            browsing.a_picture(face, size=(400, 400), kind="face", colour=colour)
            person.set_up(person.server.setup_link(), face)
        alices_bob, post, talk, request = _live(alice, bob, carol, directory)
        talk, message_id = talk.partition("#")[0], _message_id(alice, talk)
        home, fresh = at_alice.base_url, at_nobody.base_url
        note_id = _row_id(alice, post)
        draft = _writes(alice, directory)
        _writes_later(alice, talk)
        picture = home + _picture(alice, alices_bob)
        alices_carol = home + _stranger(alice, request)
        yield Scene(
            alice,
            (
                View("waiting", fresh + "/", "stranger"),
                View("setup", at_nobody.setup_link(), "stranger"),
                View("login", home + "/login", "stranger"),
                View("about", home + "/about", "stranger"),
                View("profile-public", f"{home}/@alice", "stranger"),
                View("post-public", post, "stranger"),
                View("tag", home + "/tags/lakes", "stranger"),
                View("interact", home + "/interact", "stranger"),
                View(
                    "interact-way",
                    home + "/interact",
                    "stranger",
                    type_in=(("Your own address", bob.address),),
                    button="Follow",
                ),
                View("not-found", home + "/@nobody", "stranger", 404),
                View("home", home + "/home"),
                View("compose", home + "/compose"),
                View("reply", f"{home}/compose?reply_to={note_id}"),
                View("drafts", home + "/drafts"),
                View("draft", draft),
                View("scheduled", home + "/scheduled"),
                View(
                    "preview",
                    home + "/compose",
                    type_in=(("Text of the post", "The *first* kite of spring. #kites"),),
                    button="Preview",
                ),
                View("thread", post),
                View("edit", f"{home}/posts/{note_id}/edit"),
                View("delete", f"{home}/posts/{note_id}/delete"),
                View("profile", f"{home}/@alice"),
                View("profile-replies", f"{home}/@alice?show=replies"),
                View("profile-about", f"{home}/@alice?show=about"),
                View("profile-about-public", f"{home}/@alice?show=about", "stranger"),
                View("person", alices_bob),
                View("person-stranger", alices_carol),
                View("person-media", f"{alices_bob}?show=media"),
                View("person-about", f"{alices_bob}?show=about"),
                View("picture", picture),
                View("messages", home + "/messages"),
                View("message-new", home + "/messages/new"),
                View(
                    "message-check",
                    home + "/messages/new",
                    type_in=(("To", bob.address), ("Message", "Are you there?")),
                    button="Look up and check",
                ),
                View("conversation", talk),
                View("conversation-details", f"{talk}/details"),
                View("message", f"{talk}/{message_id}"),
                View("requests", home + "/messages/requests"),
                View("request", request),
                View("notifications", home + "/notifications"),
                View("mentions", home + "/notifications?show=mentions"),
                View("notifications-follows", home + "/notifications?show=follows"),
                View("notifications-boosts", home + "/notifications?show=boosts"),
                View("notifications-filtered", home + "/notifications/filtered"),
                View("receipt", f"{home}/posts/{note_id}/receipt"),
                View("search", home + "/search"),
                View("search-found", home + "/search?q=water"),
                View("search-people", home + "/search?q=bob&show=people"),
                View("search-messages", home + "/search?q=bring&show=messages"),
                View("search-nothing", home + "/search?q=from:me+has:video"),
                View(
                    "search-not-found",
                    home + "/search",
                    type_in=(("People, hashtags and posts", f"@nobody@{at_bob.host}"),),
                    button="Search",
                    status=422,
                ),
                View(
                    "authorize",
                    f"{home}/authorize_interaction?intent=Follow&uri={carol.address}"
                    "&on-cancel=http://there.example/",
                ),
                View("share", home + "/share?title=A+page&url=https://there.example/"),
                View("bookmarks", home + "/bookmarks"),
                View("favourites", home + "/favourites"),
                View("followers", home + "/followers"),
                View("following", home + "/following"),
                View("follow-requests", home + "/follow-requests"),
                View("followers-nobody", home + "/followers?q=nobody"),
                View("settings", home + "/settings"),
                View("settings-profile", home + "/settings/profile"),
                View("settings-discovery", home + "/settings/discovery"),
                View("settings-preferences", home + "/settings/preferences"),
                View("settings-security", home + "/settings/security"),
                View("settings-messages", home + "/settings/messages"),
                View("settings-app", home + "/settings/app"),
                View("settings-disk", home + "/settings/disk"),
                View("settings-status", home + "/settings/status"),
                View("settings-notifications", home + "/settings/notifications"),
                View("not-found-owner", home + "/posts/5", status=404),
                View("settings-push", home + "/settings/push"),
                View("settings-keyboard", home + "/settings/keyboard"),
                View("offline", home + "/offline", "stranger"),
                View("settings-consent", home + "/settings/consent"),
                View("settings-emoji", home + "/settings/emoji"),
                View("settings-blocks", home + "/settings/blocks"),
                View("settings-block-server", home + "/settings/blocks/server?host=there.example"),
                View("settings-mutes", home + "/settings/mutes"),
                View("settings-reports", home + "/settings/reports"),
                View("settings-moving", home + "/settings/moving"),
                View("settings-delete", home + "/settings/delete"),
                View("home-newest", home + "/home?newest"),
                View("lists", home + "/lists"),
                View("list", home + "/lists/1"),
                View("list-edit", home + "/lists/1/edit"),
                View("seldom-heard", home + "/lists/seldom"),
                View("person-lists", alices_bob + "/lists"),
                View("hashtags", home + "/hashtags"),
                View("tag-followed", home + "/tags/lakes"),
                View("filters", home + "/settings/filters"),
                View("filter", home + "/settings/filters/1"),
                View("filter-new", home + "/settings/filters/new"),
                View("why", f"{home}/posts/{note_id}/why"),
                View("circles", home + "/circles"),
                View("person-mute", alices_bob + "/mute"),
                View("person-block", alices_bob + "/block"),
                View("person-report", alices_bob + "/report"),
                View("history", f"{home}/posts/{note_id}/history"),
            ),
        )


def _reads(alice: Person, alices_bob: str) -> None:
    """Have her keep a list, follow a hashtag, and not want to hear of patience."""
    alice.go("/lists")
    alice.page.get_by_label("A new list").fill("Boat people")
    alice.page.get_by_role("button", name="Create").click()
    expect(alice.page.get_by_role("heading", level=1)).to_have_text("Boat people")
    alice.go(f"{alices_bob}/lists")
    alice.page.get_by_label("Boat people").check()
    alice.page.get_by_role("button", name="Save").click()
    expect(alice.page.get_by_role("link", name="Add to list")).to_be_visible()
    alice.go("/hashtags")
    alice.page.get_by_label("Follow a hashtag").fill("#lakes")
    alice.page.get_by_role("button", name="Follow", exact=True).click()
    expect(alice.page.get_by_role("link", name="#lakes")).to_be_visible()
    alice.go("/settings/filters/new")
    alice.page.get_by_label("Name", exact=True).fill("Good advice")
    alice.page.get_by_label("Words and phrases").fill("patience")
    alice.page.get_by_role("button", name="Save").click()
    expect(alice.page.get_by_role("link", name="Good advice")).to_be_visible()


def _live(alice: Person, bob: Person, carol: Person, directory: Path) -> tuple[str, str, str, str]:
    """Let them live a little; return the addresses of what there is to see at Alice's."""
    _profile(alice, directory)
    bob.post(
        "Notes from the boat shed: varnish, two coats, and then the long wait. "
        "Everything I know about patience I learned from [linseed oil](https://oil.example/)."
    )
    carol.message(alice.address, "Hello! Bob gave me your address. Do you still build kites?")
    alice.sees("/messages/requests", "Do you still build kites?")
    alice.page.get_by_role("link", name="Read all of it").click()
    request = alice.page.url
    alices_bob = alice.follow(bob.address)
    alice.sees("/home", "Notes from the boat shed")
    bob.follow(alice.address)

    post = alice.post(
        "First flight of the season. It climbed like a rumour, and came down like one too.\n\n"
        "- spars: ash\n- skin: *old* umbrella silk\n- line: whatever was in the drawer\n\n#lakes"
    )
    bob.sees("/home", "First flight of the season", inside="article")
    theirs = bob.page.locator("article").filter(has_text="First flight of the season")
    theirs.get_by_role("button", name="Favourite").click()
    theirs.get_by_role("button", name="Boost").click()
    theirs.get_by_role("link", name="Reply", exact=True).click()
    box = bob.page.get_by_label("Text of the post")
    box.fill(f"{alice.address} Umbrella silk! Does it hold when it is wet?")
    bob.page.get_by_role("button", name="Publish reply").click()
    alice.sees(post, "Umbrella silk!", inside="article")
    answer = alice.page.locator("article").filter(has_text="Umbrella silk!")
    answer.get_by_role("link", name="Reply", exact=True).click()
    alice.page.get_by_label("Text of the post").fill(
        f"{bob.address} It holds better than I do. Come and see on Sunday."
    )
    alice.page.get_by_role("button", name="Publish reply").click()
    bob.go("/compose")
    bob.page.get_by_text("Content warning", exact=True).first.click()
    bob.page.get_by_label("Content warning").fill("A film's end, told")
    bob.page.get_by_label("Text of the post").fill("The lighthouse keeper was the cat.")
    bob.page.get_by_role("button", name="Publish").click()
    alice.sees("/home", "A film's end, told", inside="article")
    bob.post(
        "Low water this morning. You could walk out to the old jetty and be back before the "
        "kettle boiled. #lakes #mornings",
        picture=browsing.a_picture(directory / "view.png", size=(1200, 750)),
        alt="A low sun over hills, and still water in front of them",
    )
    alice.sees("/home", "Low water this morning")
    for action in ("Bookmark", "Favourite"):
        low = alice.page.locator("article").filter(has_text="Low water this morning")
        low.get_by_role("button", name=action).click()
    alice.sees("/notifications", "boosted your post")

    alice.message(bob.address, "Is the jetty dry on Sunday? I would bring the big kite.")
    talk = alice.page.url
    bob.sees("/messages", "Is the jetty dry")
    bob.page.get_by_role("link", name="Is the jetty dry").click()
    bob.page.get_by_label("Your message").fill("Dry until noon. I will bring the kettle.")
    bob.page.get_by_role("button", name="Send").click()
    alice.sees(talk, "I will bring the kettle", inside=".bubble")
    _reads(alice, alices_bob)
    return alices_bob, post, talk, request


def _writes(alice: Person, directory: Path) -> str:
    """Begin a post with a picture, and schedule another; return where the first is continued."""
    page = alice.page
    alice.go("/compose")
    page.get_by_label("Text of the post").fill("Tomorrow, if the wind holds:")
    page.locator("summary").filter(has_text="Schedule").click()
    page.get_by_label("Publish on").fill(f"{datetime.now(UTC) + timedelta(days=40):%Y-%m-%dT18:00}")
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Scheduled posts")
    alice.go("/compose")
    page.get_by_label("Text of the post").fill(
        "How to fold the tail so that it does not tangle. Two pictures say it better than I can."
    )
    page.get_by_text("Pictures, video, audio", exact=True).click()
    page.get_by_label("Add files").set_input_files(
        [
            browsing.a_picture(directory / f"fold{n}.png", size=(900, 600), colour=c)
            for n, c in enumerate(("#7a5c8e", "#34506b"))
        ]
    )
    expect(page.locator(".file:not(.uploading)")).to_have_count(2)
    page.get_by_label("Description").first.fill("The tail, folded twice")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("The draft is saved")).to_be_visible()
    return page.url


def _profile(alice: Person, directory: Path) -> None:
    page = alice.page
    alice.go("/settings/profile")
    page.get_by_label("About you").fill(
        "Builds kites, mends radios, answers letters. Lives by a lake with too many bicycles."
    )
    for number, (label, content) in enumerate(
        (("Workshop", "https://kites.example/"), ("Pronouns", "she/her")), start=1
    ):
        page.get_by_label(f"Label {number}").fill(label)
        page.get_by_label(f"Content {number}").fill(content)
    header = browsing.a_picture(directory / "header.png", size=(1500, 500), colour="#34506b")
    page.get_by_label("Header", exact=True).set_input_files(header)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def _picture(person: Person, url: str) -> str:
    person.go(url)
    return str(person.page.locator(".pictures a").first.get_attribute("href"))


def _writes_later(alice: Person, talk: str) -> None:
    """Let a message wait for its time."""
    page = alice.page
    page.goto(talk)
    page.get_by_label("Your message").fill("Happy birthday! The kettle is on.")
    page.locator("summary").filter(has_text="Later").click()
    page.get_by_label("Send it on").fill(f"{datetime.now(UTC) + timedelta(days=40):%Y-%m-%dT08:00}")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Is sent on")).to_be_visible()


def _stranger(person: Person, request: str) -> str:
    person.go(request)
    return str(person.page.locator(".who a[href^='/people/']").first.get_attribute("href"))


def _message_id(person: Person, talk: str) -> str:
    person.go(talk)
    return str(person.page.locator(".bubble.mine").first.get_attribute("id")).removeprefix("m")


def _row_id(person: Person, url: str) -> str:
    person.go(url)
    return str(person.page.locator("#focus article").get_attribute("id")).removeprefix("n")
