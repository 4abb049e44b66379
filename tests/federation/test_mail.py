"""Mail to the owner: over TLS with the right server, within its limits, or not at all."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from microfedi.config import Config, Mail
from microfedi.errors import RemoteError
from microfedi.federation import mail
from tests.factories import NOON
from tests.mail_server import PASSWORD, USER, MailServer, mail_server

ALERT = "owner@elsewhere.example"


def settings(server: MailServer, **changes: object) -> Mail:
    made = Mail(
        host="localhost",
        port=server.port,
        security="starttls" if server.security == "starttls" else "tls",
        user=USER,
        password=PASSWORD,
        sender="microfedi@us.example",
        to=ALERT,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def send(chosen: Mail, subject: str = "Look at your door log") -> None:
    config = Config(base_url="https://us.example", mail=chosen)
    await mail.send(chosen, mail.written(config, subject=subject, text="Grüße.\n", now=NOON))


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_mail_arrives_over_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    async with mail_server(tmp_path, monkeypatch, security=security) as server:
        await send(settings(server))

        assert server.logins == [(USER, PASSWORD)]
        ((sender, receiver),) = server.envelopes
        assert sender.startswith("FROM:<microfedi@us.example>")
        assert receiver == f"TO:<{ALERT}>"
        (got,) = server.mails
        assert f"To: {ALERT}\r\n" in got
        assert "Subject: Look at your door log\r\n" in got
        assert "Auto-Submitted: auto-generated\r\n" in got
        assert server.heard[-1] == "quit"


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("wrong", [{"name": "elsewhere.example"}, {"is_trusted": False}])
async def test_another_servers_certificate_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str, wrong: dict[str, Any]
) -> None:
    async with mail_server(tmp_path, monkeypatch, security=security, **wrong) as server:
        with pytest.raises(RemoteError, match="certificate"):
            await send(settings(server))
        assert (server.logins, server.mails) == ([], [])


async def test_without_encryption_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with mail_server(tmp_path, monkeypatch, security="starttls", offers_tls=False) as server:
        with pytest.raises(RemoteError, match="offers no TLS"):
            await send(settings(server))
        assert (server.logins, server.mails) == ([], [])
        assert not [line for line in server.heard if line.upper().startswith(("AUTH", "MAIL"))]


async def test_what_is_slipped_in_before_the_encryption_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    injected = b"250-mail.example\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 ok\r\n250 ok\r\n"
    async with mail_server(tmp_path, monkeypatch, security="starttls", injects=injected) as server:
        try:
            await send(settings(server))
        except RemoteError:
            assert server.mails == []
        else:
            assert len(server.mails) == 1


async def test_neither_name_nor_password_is_in_an_error_or_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with mail_server(tmp_path, monkeypatch) as server:
        with pytest.raises(RemoteError, match="did not accept") as wrong:
            await send(settings(server, password="hush-hush-hush"))
        assert "hush-hush-hush" not in repr(wrong.value) + caplog.text
        assert "hush-hush-hush" not in repr(settings(server, password="hush-hush-hush"))
    for command in ("MAIL", "RCPT", "DATA", "AUTH"):
        async with mail_server(tmp_path, monkeypatch, refuses=command) as server:
            with pytest.raises(RemoteError) as refused:
                await send(settings(server))
            assert PASSWORD not in str(refused.value) + caplog.text
            assert server.mails == []


async def test_the_password_can_lie_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "mail"
    there.write_text(f"{PASSWORD}\n")
    async with mail_server(tmp_path, monkeypatch) as server:
        await send(settings(server, password="", password_file=str(there)))
        assert server.logins == [(USER, PASSWORD)]
        with pytest.raises(RemoteError, match="cannot be read"):
            await send(settings(server, password="", password_file=str(tmp_path / "missing")))
        assert server.connections == 1


async def test_a_server_that_greets_for_ever_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "DEADLINE_S", 0.2)
    async with mail_server(tmp_path, monkeypatch, drips=True) as server:
        with pytest.raises(RemoteError) as late:
            await send(settings(server))
        assert late.value.why == "timeout"


async def test_nobody_there_is_an_error_of_theirs() -> None:
    with pytest.raises(RemoteError):
        await send(settings(MailServer(port=1)))


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@evil.example", "a\nb", "a\rb"])
async def test_a_head_has_no_second_line(subject: str) -> None:
    with pytest.raises(ValueError, match=r"[Hh]eader|linefeed"):
        mail.written(
            Config(mail=Mail(sender="a@us.example", to="b@us.example")),
            subject=subject,
            text="",
            now=NOON,
        )


async def test_what_is_too_long_is_no_alert() -> None:
    made = mail.written(
        Config(mail=Mail(sender="a@us.example", to="b@us.example")),
        subject="x",
        text="x" * mail.MAX_MAIL_BYTES,
        now=NOON,
    )
    with pytest.raises(ValueError, match="no alert"):
        await mail.send(Mail(), made)
