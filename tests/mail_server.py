"""A mail server on loopback: real SMTP over real TLS, by the test CA, and some odd ones."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

USER, PASSWORD = "maya", "a password for mail only"


@dataclass
class MailServer:
    """What it is like, and what it got. `refuses` is a command that it answers with 550."""

    security: str = "tls"
    refuses: str = ""
    offers_tls: bool = True
    injects: bytes = b""  # sent in clear with the answer to STARTTLS
    drips: bool = False  # greets for ever, a line at a time
    port: int = 0
    mails: list[str] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    connections: int = 0
    _trust: ssl.SSLContext | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk with one client."""
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            if self.drips:
                while not writer.is_closing():
                    writer.write(b"220-still thinking\r\n")
                    await writer.drain()
                    if reader.at_eof():
                        return
                    await asyncio.sleep(0)
            await self._talk(reader, writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_safe = self.security == "tls"
        sender = receiver = ""

        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 mail.example ready")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.heard.append(line)
            command, _, rest = line.partition(" ")
            match command.upper():
                case refused if refused == self.refuses:
                    await say(f"550 5.7.1 I do not like you, {USER} {PASSWORD}")
                case "EHLO":
                    offered = ["mail.example", "SIZE 100000"]
                    if is_safe:
                        offered.append("AUTH PLAIN")
                    elif self.offers_tls:
                        offered.append("STARTTLS")
                    for one in offered[:-1]:
                        await say(f"250-{one}")
                    await say(f"250 {offered[-1]}")
                case "STARTTLS":
                    writer.write(b"220 go ahead\r\n" + self.injects)
                    await writer.drain()
                    assert self._trust is not None
                    await writer.start_tls(self._trust)
                    is_safe = True
                case "AUTH":
                    assert is_safe, "a password in clear"
                    _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
                    self.logins.append((user, password))
                    good = (user, password) == (USER, PASSWORD)
                    await say("235 welcome" if good else f"535 no such password: {password}")
                case "MAIL":
                    sender = rest
                    await say("250 ok")
                case "RCPT":
                    receiver = rest
                    await say("250 ok")
                case "DATA":
                    await say("354 go on")
                    lines: list[str] = []
                    while (got := (await reader.readline()).decode()) != ".\r\n":
                        lines.append(got)
                    self.envelopes.append((sender, receiver))
                    self.mails.append("".join(lines))
                    await say("250 taken")
                case "QUIT":
                    await say("221 bye")
                    return
                case _:
                    await say("500 what?")


@contextlib.asynccontextmanager
async def mail_server(
    tmp_path: Path,
    monkeypatch: Any,
    *,
    name: str = "localhost",
    is_trusted: bool = True,
    **like: Any,
) -> AsyncIterator[MailServer]:
    """Run one; its certificate is for `name`, by a CA that this machine trusts, or does not."""
    ca, other = trustme.CA(), trustme.CA()
    roots = tmp_path / "roots.pem"
    (ca if is_trusted else other).cert_pem.write_to_path(str(roots))
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "no-roots"))
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(trust)
    made = MailServer(**like)
    made._trust = trust
    server = await asyncio.start_server(
        made.serve, "127.0.0.1", 0, ssl=trust if made.security == "tls" else None
    )
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()
