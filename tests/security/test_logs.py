"""No secret reaches the log, whichever way somebody comes in, and whatever is pushed (S-117)."""

import json
import logging
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from microfedi.account import fresh, renewing, setup
from microfedi.federation.pushing import Pusher
from microfedi.protocol import vocab
from microfedi.storage import (
    deliveries,
    drafts,
    message_drafts,
    messages,
    received,
    scheduled_messages,
)
from tests.another_server import Answer
from tests.app_fixture import PASSWORD, App, an_app
from tests.authenticator import Authenticator, text
from tests.push_service import PushedTo

NEW_PASSWORD = "nine loud owls under a bridge"


async def _with_passkey(app: App, device: Authenticator) -> list[str]:
    """Add a passkey and log in by it; return what was sent for it."""
    app.clock.forward(minutes=1)
    made = device.make((await app.get("/passkeys/ask?for=make")).json())
    typed = {"name": "Phone", "password": PASSWORD, "code": app.code(), "made": made}
    assert (await app.post("/settings/passkeys", typed)).status_code == 303
    app.client.cookies.clear()
    app.clock.forward(minutes=1)
    await app.get("/login")
    asked = (await app.get("/passkeys/ask?for=login")).json()
    used = device.use(asked)
    assert (await app.post("/login", {"passkey": used}, page="/login")).status_code == 303
    broken = used.replace(json.loads(used)["response"]["signature"], "AAAA")
    await app.browser().post("/login", data={"passkey": broken})
    prf = text(device.secret)
    return [asked["challenge"], json.loads(used)["response"]["signature"], prf]


@pytest.mark.parametrize("status", [201, 410, 500])
async def test_s_117_ways_in_and_pushes_leave_no_secret_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.INFO, "microfedi")
    async with an_app(tmp_path) as app:
        await app.login()
        secrets = [PASSWORD, NEW_PASSWORD, app.secret, *app.recovery_codes]
        secrets += await _with_passkey(app, Authenticator("https://us.example", "us.example"))
        secrets.append(app.client.cookies["__Host-session"])
        browser = PushedTo(app.world)
        app.world.serve(browser.endpoint, Answer(status, content_type=None))
        secrets += [browser.endpoint, *(v for k, v in browser.form().items() if k != "endpoint")]
        await app.post("/settings/push/subscribe", browser.form(), page="/settings/push")
        ann = app.world.actor("https://vic.example/users/ann")
        await app.follow(ann)
        await app.theirs(ann, content="<p>Hello</p>")
        await app.unlock("not this badger")
        await app.unlock()
        await app.post("/lock", page="/settings")
        await Pusher(app.ctx, chance=lambda: 0.5).turn()
        typed = {"old": PASSWORD, "password": PASSWORD, "new": NEW_PASSWORD, "code": app.code()}
        await app.post("/settings/security/password", typed, page="/settings/security")
        secrets += ["not this badger", app.code()]

        assert browser.pushes()
        lines = [one for one in caplog.records if one.name.startswith("microfedi")]
        logged = "\n".join(f"{one.getMessage()} {one.__dict__}" for one in lines)
        assert "logged in address=" in logged
        assert [one for one in secrets if one in logged] == []


@pytest.mark.parametrize(
    ("kind", "secret"),
    [
        (fresh.Factors, {"totp_secret", "recovery_codes", "recovery_key"}),
        (renewing.NewFactors, {"totp_uri"}),
        (setup.Pending, {"totp_uri", "qr"}),
        (setup.NewOwner, {"totp_uri"}),
        (received.Received, {"body"}),
        (deliveries.Delivery, {"body"}),
        (messages.Message, {"html", "source", "summary", "attachments"}),
        (message_drafts.Draft, {"source", "summary"}),
        (drafts.Draft, {"source", "summary"}),
        (scheduled_messages.Scheduled, {"source", "summary"}),
        (vocab.Note, {"content", "summary", "name", "source", "attachments"}),
    ],
)
def test_s_117_what_is_secret_is_not_in_what_a_log_would_print(
    kind: type[Any], secret: set[str]
) -> None:
    one = object.__new__(kind)
    for field in fields(kind):
        object.__setattr__(one, field.name, "hush" if field.name in secret else None)
    assert secret <= {field.name for field in fields(kind)}
    assert "hush" not in repr(one)
