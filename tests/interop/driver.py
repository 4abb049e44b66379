"""The owner of a microfedi at their browser: real pages, real forms, cookies, and no script."""

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2
import pyotp
import pytest

from microfedi.storage import database, pending_acts, sealed
from microfedi.storage.database import Transaction
from tests.interop import processes


@dataclass(slots=True)
class Form:
    """A form of a page, with what would be sent if nobody typed anything."""

    action: str
    id: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Article:
    """A post (or a message) in a page."""

    id: str
    text: str = ""
    links: list[str] = field(default_factory=list)

    @property
    def row(self) -> str:
        """The number by which forms name a post."""
        return self.id.removeprefix("n")


class Page(HTMLParser):
    """What a person sees of a page."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__()
        self.path = response.url.path
        self.html = response.text
        self.text = ""
        self.forms: list[Form] = []
        self.buttons: list[tuple[str, str]] = []  # where one leads, and the id of its form
        self.articles: list[Article] = []
        self.links: list[str] = []
        self._open_articles: list[Article] = []
        self._select = ""
        self._is_option_text_wanted = False
        self._textarea = ""
        self.feed(self.html)
        self.text = " ".join(self.text.split())
        for article in self.articles:
            article.text = " ".join(article.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag == "article":
            self._open_articles.append(Article(values.get("id", "")))
            self.articles.append(self._open_articles[-1])
        elif tag == "a":
            self.links.append(values.get("href", ""))
            for article in self._open_articles:
                article.links.append(values.get("href", ""))
        elif tag == "form":
            self.forms.append(Form(values.get("action", ""), values.get("id", "")))
        elif tag == "button" and "formaction" in values:
            self.buttons.append((values["formaction"], values.get("form", "")))
        elif tag == "input" and self.forms and "name" in values:
            is_sent = values.get("type") not in ("file", "checkbox", "radio")
            if is_sent or "checked" in values:
                self.forms[-1].fields[values["name"]] = values.get("value", "")
        elif tag == "select":
            self._select = values.get("name", "")
        elif tag == "option" and self._select and self.forms:
            fields = self.forms[-1].fields
            if "selected" in values or self._select not in fields:
                fields[self._select] = values.get("value", "")
                self._is_option_text_wanted = "value" not in values
        elif tag == "textarea" and self.forms:
            self._textarea = values.get("name", "")
            self.forms[-1].fields[self._textarea] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "article" and self._open_articles:
            self._open_articles.pop()
        elif tag == "select":
            self._select = ""
        elif tag == "option":
            self._is_option_text_wanted = False
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1].fields[self._textarea] += data
            return
        if self._is_option_text_wanted:
            self.forms[-1].fields[self._select] += data.strip()
            return
        self.text += f" {data}"
        for article in self._open_articles:
            article.text += f" {data}"

    @property
    def actions(self) -> list[str]:
        """Where the forms and buttons of this page lead."""
        return [form.action for form in self.forms] + [action for action, _ in self.buttons]

    def form(self, action: str) -> Form:
        """Return the form that goes to `action`, by itself or by a button outside of it."""
        ids = [form_id for where, form_id in self.buttons if where == action]
        for form in self.forms:
            if form.action == action or (form.id and form.id in ids):
                return form
        return pytest.fail(
            f"{self.path} has nothing that leads to {action}, but {self.actions}\n{self.text[:600]}"
        )

    def article(self, containing: str) -> Article | None:
        """Return the first post with this text."""
        return next((one for one in self.articles if containing in one.text), None)


class Owner:
    """The owner, logged in with both factors."""

    def __init__(self, base_url: str, handle: str, *, verify: ssl.SSLContext | bool = True) -> None:
        self.base_url = base_url
        self.handle = handle
        self.recovery_codes: list[str] = []
        self.data = Path()  # where the server keeps everything
        self.client = httpx2.Client(
            base_url=base_url, verify=verify, timeout=30, trust_env=False, follow_redirects=True
        )

    def close(self) -> None:
        """Close the browser; the session on the server stays."""
        self.client.close()

    @property
    def uri(self) -> str:
        """The owner's id in the world."""
        return f"{self.base_url}/users/{self.handle}"

    @property
    def host(self) -> str:
        """What stands behind the @ of the owner's handle."""
        return self.base_url.partition("://")[2]

    def a_day_later(self) -> None:
        """Have what waits for its day be due, as after a day, and wake the server for it."""
        asyncio.run(_back_a_day(self.data))
        self.submit("/settings/disk", "/settings/disk", budget_gb="5")

    def log_in(self, password: str, totp_secret: str) -> None:
        """Log in as a person does: with the code shown now, or if that was used, the next one."""
        totp = pyotp.TOTP(totp_secret)
        for code in (totp.now(), totp.at(int(time.time()) + 30)):
            page = self.get("/login")
            form = page.form("/login")
            typed = {**form.fields, "password": password, "code": code}
            answer = self.client.post("/login", data=typed, headers={"Origin": self.base_url})
            if answer.status_code == 200 and answer.url.path == "/home":
                return
        pytest.fail(f"the login was refused: {Page(answer).text[:400]}")

    def get(self, path: str) -> Page:
        """Open a page."""
        answer = self.client.get(path)
        if answer.status_code != 200:
            pytest.fail(f"{path} answered {answer.status_code}: {Page(answer).text[:400]}")
        return Page(answer)

    def submit(
        self,
        page: Page | str,
        action: str,
        *,
        picture: bytes | None = None,
        **typed: str | list[str],
    ) -> Page:
        """Fill in the form of a page that goes to `action`, press its button, and look."""
        shown = self.get(page) if isinstance(page, str) else page
        values: dict[str, Any] = {**shown.form(action).fields, **typed}
        files = {"picture": ("picture.png", picture, "image/png")} if picture else None
        answer = self.client.post(
            action, data=values, files=files, headers={"Origin": self.base_url}
        )
        if answer.status_code != 200:
            pytest.fail(f"{action} answered {answer.status_code}: {Page(answer).text[:600]}")
        return Page(answer)

    def find(self, text: str) -> Page:
        """Type something into the search box and go to what was found."""
        return self.submit("/search", "/search", q=text)

    def follow(self, whom: str) -> Page:
        """Find somebody and follow them."""
        person = self.find(whom)
        return self.submit(person, f"{person.path}/follow")

    def unfollow(self, whom: str) -> Page:
        """Find somebody and follow them no longer."""
        person = self.find(whom)
        return self.submit(person, f"{person.path}/unfollow")

    def publish(
        self, source: str, *, picture: bytes | None = None, **typed: str | list[str]
    ) -> Page:
        """Write a post; what comes back is its own page."""
        return self.submit("/compose", "/compose", picture=picture, source=source, **typed)

    def reply(self, row: str, source: str) -> Page:
        """Answer a post; the box already names its author."""
        page = self.get(f"/compose?reply_to={row}")
        typed = page.form("/compose").fields["source"]
        return self.submit(page, "/compose", source=f"{typed}{source}")

    def act(self, page: Page, row: str, action: str) -> Page:
        """Press the button of a post: favourite, boost, and their undoing."""
        return self.submit(page, f"/posts/{row}/{action}")

    def edit(self, row: str, source: str) -> Page:
        """Change an own post."""
        return self.submit(f"/posts/{row}/edit", f"/posts/{row}/edit", source=source)

    def delete(self, row: str) -> Page:
        """Delete an own post."""
        return self.submit(f"/posts/{row}/delete", f"/posts/{row}/delete")

    def message(self, to: str, source: str) -> Page:
        """Write a message: first the people are looked up and shown, then it is sent."""
        shown = self.submit("/messages/new", "/messages/new", to=to, source=source)
        return self.submit(shown, "/messages/new")

    def uri_of(self, page: Page) -> str:
        """Return the id of the own post whose page this is."""
        return f"{self.uri}/notes/{page.path.rsplit('/', 1)[-1]}"

    def wait_for(self, path: str, containing: str) -> Article:
        """Open a page again and again until a post with this text stands there."""
        return processes.eventually(
            lambda: self.get(path).article(containing),
            f"a post saying {containing!r} at {path}",
            why_not=lambda: self.get(path).text[:1500],
        )

    def wait_until_gone(self, path: str, containing: str) -> None:
        """Open a page again and again until no post there has this text."""
        processes.eventually(
            lambda: self.get(path).article(containing) is None,
            f"no post saying {containing!r} at {path}",
        )

    def wait_for_text(self, path: str, containing: str) -> Page:
        """Open a page again and again until it says this somewhere."""

        def seen() -> Page | None:
            page = self.get(path)
            return page if containing in page.text else None

        return processes.eventually(
            seen,
            f"{containing!r} at {path}",
            why_not=lambda: self.get(path).text[:1500],
        )


async def _back_a_day(data: Path) -> None:
    """Make what waits in a server's database have been asked for a day before it was."""

    def change(tx: Transaction) -> None:
        for act in pending_acts.waiting(tx):
            pending_acts.cancel(tx, act.kind)
            pending_acts.ask(tx, act.kind, act.detail, now=act.asked_at - pending_acts.DELAY)
        tx.run("UPDATE jobs SET due_at = '2000-01-01T00:00:00.000Z' WHERE kind = 'act'")

    db = await database.open_database(data / "microfedi.db", sealed.load(data / "server.key"))
    try:
        await db.write(change)
    finally:
        await db.close()
