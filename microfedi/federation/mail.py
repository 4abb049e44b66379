"""Sends a short mail by the server that the owner set: the one way out beside `remote`.

Only over TLS with a certificate that is right for that server's name, or not at all. Nothing that
somebody else wrote stands in a mail, and only we and the owner are named in it.
"""

import asyncio
import contextlib
import logging
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Final

from microfedi.config import Config, Mail
from microfedi.errors import RemoteError

log = logging.getLogger(__name__)

STEP_S: Final = 10.0  # seconds for one answer of the mail server
DEADLINE_S: Final = 30.0  # seconds for all of it
MAX_MAIL_BYTES: Final = 10_000  # ours have one; what is longer is no alert
MAX_PASSWORD_BYTES: Final = 1000  # of the file with the password
_GOODBYE_S: Final = 2.0  # seconds for a thread to notice that it was broken off


def written(config: Config, *, subject: str, text: str, now: datetime) -> EmailMessage:
    """Return a mail to the owner. Raises: ValueError if a line break stands in its head."""
    mail = EmailMessage()
    mail["From"] = config.mail.sender
    mail["To"] = config.mail.to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain=config.hostname)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 5: nobody answers that they are away
    mail.set_content(text)
    return mail


async def send(settings: Mail, mail: EmailMessage) -> None:
    """Hand a mail to the mail server, within `DEADLINE_S`.

    Raises: RemoteError that says what went wrong, and nothing of what the server said.
    """
    data = mail.as_bytes()
    if len(data) > MAX_MAIL_BYTES:
        raise ValueError(f"a mail of {len(data)} bytes is no alert")
    client = _Client(settings)
    task = asyncio.create_task(asyncio.to_thread(client.send, mail), name="mail")
    try:
        await asyncio.wait_for(asyncio.shield(task), DEADLINE_S)
    except TimeoutError as error:
        raise RemoteError("the mail server took too long", why="timeout") from error
    finally:
        if not task.done():
            client.break_off()
            await asyncio.wait([task], timeout=_GOODBYE_S)
        if task.done() and not task.cancelled():
            task.exception()  # it was said above, or nobody asks any more


class _Client:
    """One conversation with a mail server, in a thread of its own."""

    def __init__(self, settings: Mail) -> None:
        self._settings = settings
        self.smtp: smtplib.SMTP | None = None  # from its first moment on

    def send(self, mail: EmailMessage) -> None:
        """Raises: RemoteError."""
        settings = self._settings
        try:
            password = password_of(settings)
            smtp = self._connected()
            try:
                if settings.user:
                    smtp.login(settings.user, password)
                refused = smtp.send_message(mail, settings.sender, [settings.to])
                if refused:
                    raise RemoteError("the mail server does not take mail for that address")
            finally:
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    smtp.quit()
        except smtplib.SMTPAuthenticationError as error:
            raise RemoteError(
                "the mail server did not accept name and password", status=error.smtp_code
            ) from None  # what it answered may hold what was sent
        except smtplib.SMTPNotSupportedError as error:
            raise RemoteError("the mail server offers no TLS, or no login", why="tls") from error
        except smtplib.SMTPRecipientsRefused:
            raise RemoteError("the mail server does not take mail for that address") from None
        except ssl.SSLError as error:
            raise RemoteError("the mail server's certificate is not right", why="tls") from error
        except TimeoutError as error:
            raise RemoteError("the mail server took too long", why="timeout") from error
        except smtplib.SMTPResponseException as error:
            raise RemoteError("the mail server refused", status=error.smtp_code) from None
        except smtplib.SMTPException as error:
            raise RemoteError("the mail server broke off") from error
        except (OSError, ValueError) as error:
            raise RemoteError("the mail server cannot be reached", why="unreachable") from error

    def break_off(self) -> None:
        """End it from outside, wherever it is."""
        smtp = self.smtp
        sock = None if smtp is None else smtp.sock
        if sock is not None:
            with contextlib.suppress(OSError, ValueError):
                sock.shutdown(2)  # both ways: whoever waits in the thread is woken

    def _connected(self) -> smtplib.SMTP:
        """Return a conversation that is encrypted, with the right server."""
        settings = self._settings
        trust = ssl.create_default_context()
        trust.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.security == "tls":
            return _Tls(self, settings, trust)
        smtp = _Plain(self, settings)
        try:
            smtp.starttls(context=trust)  # raises if it is not offered
        except BaseException:
            smtp.close()
            raise
        return smtp


class _Plain(smtplib.SMTP):
    """A connection that can be broken off while it is being made."""

    def __init__(self, client: _Client, settings: Mail) -> None:
        client.smtp = self
        super().__init__(settings.host, settings.port, timeout=STEP_S)


class _Tls(smtplib.SMTP_SSL):
    """The same, encrypted from the start."""

    def __init__(self, client: _Client, settings: Mail, trust: ssl.SSLContext) -> None:
        client.smtp = self
        super().__init__(settings.host, settings.port, timeout=STEP_S, context=trust)


def password_of(settings: Mail) -> str:
    """Return the password: of the settings, or of the file that they name.

    Raises: RemoteError if there is no such file.
    """
    if not settings.password_file:
        return settings.password
    try:
        with Path(settings.password_file).open("rb") as file:
            return file.read(MAX_PASSWORD_BYTES).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise RemoteError("the file with the mail password cannot be read") from error
