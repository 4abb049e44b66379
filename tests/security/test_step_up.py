"""Whoever has an unlocked browser, and no more, changes no lock and ends nothing for good."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from microfedi.account.throttle import Throttle
from microfedi.app import OWNER_PAGES
from microfedi.storage import passkeys
from tests.app_fixture import HANDLE, App, an_app

NEW = "nine quiet geese on a jetty"
ALIAS = "https://vic.example/users/alice"


@dataclass(frozen=True)
class Act:
    """A form that needs both factors. `changes`: what is changed by it, "" if only a page is shown,
    None if more than the form would be needed here.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    changes: str | None = None


DANGEROUS = {
    "/settings/app": Act(changes=""),
    "/settings/delete": Act({"handle": HANDLE}, "pending_acts"),
    "/settings/messages/locks": Act(changes="vault_keys"),
    "/settings/messages/older": Act({"older": "whatever was once"}),
    "/settings/messages/recovery-key": Act(changes="vault_ways"),
    "/settings/moving/aliases": Act({"alias": ALIAS}, "owner"),
    "/settings/moving/aliases/remove": Act({"uri": ALIAS}),
    "/settings/moving/back": Act(),
    "/settings/moving/move": Act({"target": ALIAS}),
    "/settings/passkeys": Act({"name": "a key", "made": "{}"}),
    "/settings/passkeys/{id}/name": Act({"name": "Another name"}, "passkeys"),
    "/settings/passkeys/{id}/remove": Act({}, "passkeys"),
    "/settings/security/codes": Act(changes="recovery_codes"),
    "/settings/security/keys": Act(changes="owner"),
    "/settings/security/password": Act({"new_password": NEW, "new_password_again": NEW}, "owner"),
    "/settings/security/sessions/end": Act({"all": "1"}, "sessions"),
}
# Beside them, on the same pages: what locks, cancels, or only asks.
HARMLESS = {
    "/settings/app/code",  # with what the form above has shown
    "/settings/messages/idle",
    "/settings/moving/check",
    "/settings/security/alerts/test",
    "/settings/security/lock",
}
GROUPS = ("app", "delete", "messages", "moving", "passkeys", "security")
# What is missing of a right proof, and what stands there instead.
WRONG: tuple[tuple[tuple[str, ...], dict[str, str]], ...] = (
    (("password", "code"), {}),
    (("password",), {}),
    (("code",), {}),
    (("password",), {"password": "not the password"}),
    (("code",), {"code": "000000"}),
    (("code",), {"passkey": '{"id": "Y3JlZGVudGlhbA", "rawId": "Y3JlZGVudGlhbA"}'}),
)
# That somebody failed is written down, and told; an account that is named is looked at.
TOLD = {"alerts", "door_log", "instance", "jobs", "actors"}


def test_every_form_about_locks_is_one_or_the_other() -> None:
    places = tuple(f"/settings/{one}" for one in GROUPS)
    found = {
        route.path
        for module in OWNER_PAGES
        for route in module.owner_routes
        if "POST" in (route.methods or ())
        and any(route.path == one or route.path.startswith(f"{one}/") for one in places)
    }
    assert found == set(DANGEROUS) | HARMLESS


async def prepared(app: App) -> None:
    """Have a passkey, and another session to end."""
    await app.login(app.browser("192.0.2.7"))
    await app.login()
    await app.meet(app.world.actor(ALIAS))
    now = app.clock.now
    await app.ctx.db.write(
        lambda tx: passkeys.add(
            tx,
            credential=b"credential",
            public_key=b"key",
            uses=0,
            name="A key",
            has_prf=False,
            now=now,
        )
    )


@pytest.mark.parametrize("pattern", DANGEROUS)
async def test_nothing_dangerous_is_done_without_both_factors(pattern: str, tmp_path: Path) -> None:
    act, path = DANGEROUS[pattern], pattern.replace("{id}", "1")
    async with an_app(tmp_path) as app:
        await prepared(app)
        before = await app.rows()
        for leave_out, put_in in WRONG:
            app.ctx.door = replace(
                app.ctx.door, slowed=Throttle()
            )  # it is the proof that is refused, not its number
            right = {**act.fields, **app.proof()}
            typed = {name: value for name, value in right.items() if name not in leave_out} | put_in
            answer = await app.post(path, typed, page="/settings/door")
            assert answer.status_code in (401, 422), typed
            assert 'class="secret"' not in answer.text
        after = await app.rows()
        same = _but_when(before), _but_when(after)
        assert {one for one in same[0] if same[0][one] != same[1][one]} <= TOLD

        if act.changes is not None:  # with both it is done: the form is the right one
            app.ctx.door = replace(app.ctx.door, slowed=Throttle())
            answer = await app.post(path, {**act.fields, **app.proof()}, page="/settings/door")
            assert answer.status_code in (200, 303), answer.text
            done = await app.rows()
            if act.changes:
                assert done[act.changes] != after[act.changes]
            else:
                assert 'class="secret"' in answer.text


def _but_when(rows: Mapping[str, list[tuple[object, ...]]]) -> dict[str, list[object]]:
    """Leave out when a session was used last."""
    return {
        name: [one[:2] for one in found] if name == "sessions" else list(found)
        for name, found in rows.items()
    }
